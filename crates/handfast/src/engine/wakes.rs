//! When the wake-up index is to be looked into, and how many sagas are woken before their time.

use std::sync::atomic::{AtomicU64, Ordering};

use handfast_protocol::Time;
use tokio::sync::Notify;

/// What the scheduler goes by.
pub(super) struct Wakes {
    /// Wakes the scheduler.
    pub(super) wake_up: Notify,
    next: AtomicU64,
    /// How many sagas may be woken before their time, since a participant that was silent answers again.
    early: AtomicU64,
    /// How often that has happened.
    recoveries: AtomicU64,
}

impl Wakes {
    /// All that are in doubt may be woken at once.
    pub(super) fn new(in_doubt: u64) -> Self {
        let (next, early, recoveries) = (AtomicU64::new(0), AtomicU64::new(in_doubt), AtomicU64::new(0));
        Self { wake_up: Notify::new(), next, early, recoveries }
    }

    // --- when to look into the wake-up index ---

    /// Notes that something is due at this time.
    pub(super) fn note(&self, at: Time) {
        if self.next.fetch_min(at.0, Ordering::AcqRel) > at.0 {
            self.wake_up.notify_one();
        }
    }

    pub(super) fn next(&self) -> Time {
        Time(self.next.load(Ordering::Acquire))
    }

    /// Forgets what is due, right before the index is read: what is noted during the reading is kept.
    pub(super) fn forget(&self) {
        self.next.store(u64::MAX, Ordering::Release);
    }

    /// A participant that was silent answers again: this many that were put aside by now may be tried before their time, once.
    pub(super) fn wake_early(&self, sagas: u64) {
        self.recoveries.fetch_add(1, Ordering::AcqRel);
        self.early.store(sagas, Ordering::Release);
        self.note(Time(0));
    }

    /// How often a participant that was silent has answered again. A saga that found a line shut before the latest of these
    /// recoveries must not be put aside for that.
    pub(super) fn recoveries(&self) -> u64 {
        self.recoveries.load(Ordering::Acquire)
    }

    pub(super) fn early(&self) -> u64 {
        self.early.load(Ordering::Acquire)
    }

    /// Says that `number` sagas were woken early; if it was none, none are left to be woken early.
    pub(super) fn woke_early(&self, number: usize) {
        let left = if number == 0 { 0 } else { self.early().saturating_sub(number as u64) };
        self.early.store(left, Ordering::Release);
    }
}
