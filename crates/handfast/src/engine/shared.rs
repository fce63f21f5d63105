//! What the tasks of one engine share: its parts, the two times it counts in, and the counts. Who is active is in
//! [`registry`](super::registry), what a person should know in [`attention`](super::attention).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use handfast_protocol::{Outcome, Standing, Time};
use rustc_hash::FxHashMap;
use tokio::sync::watch;

use super::attention::Attention;
use super::clocks;
use super::definitions::Definitions;
use super::followers::Followers;
use super::journaled::Ruled;
use super::observe::Observer;
use super::options::{LONGEST_PARK, Options};
use super::registry::Registry;
use super::stats::Totals;
use super::tally::Tally;
use super::wakes::Wakes;
use crate::clock::whole_ms;
use crate::delivery::{Jitter, Memories};
use crate::store::{LONGEST_WAKE_UP_MS, Store, StoreError, TimedStore};
use handfast_machine::locked;

/// What came of asking for *neither*.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum CancelResult {
    /// The saga is turning back. It may still end in *both*, if the gate turns out to be done already.
    Accepted,
    /// There is no way back any more.
    TooLate,
    /// The saga had ended before.
    Ended(Outcome),
    /// A contradiction or a damaged journal waits for a person.
    Suspended,
    /// There is no such saga.
    Unknown,
}

/// For each saga that was put aside, how much longer all of them wait for a participant that is away: about seventy of them a
/// second are looked at, however many there are.
const SPREAD: Duration = Duration::from_millis(30);

/// Everything that the tasks of one engine share.
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    /// The same, which knows how long it takes.
    pub(super) timed: Arc<TimedStore>,
    pub(crate) options: Options,
    pub(crate) definitions: Definitions,
    /// What was seen of the participants' stores.
    pub(crate) memories: Arc<Memories>,
    pub(crate) jitter: Jitter,
    pub(crate) observer: Observer,
    pub(crate) totals: watch::Sender<Totals>,
    pub(super) attention: Attention,
    pub(super) tally: Tally,
    /// When a step of a saga that has ended was looked at for a hint, as far as that was a moment ago.
    looks_after_the_end: Mutex<BTreeMap<(Arc<str>, usize), Time>>,
    pub(super) registry: Registry,
    pub(super) wakes: Wakes,
    pub(super) followers: Followers,
    /// When this was opened, and up to which entry a person's word was counted since, by saga.
    opened_at: Time,
    ruled: Mutex<FxHashMap<Arc<str>, u64>>,
    stopping: AtomicBool,
    /// When a write that only tries was last taken, in milliseconds.
    pub(crate) tried_at: AtomicU64,
    /// Whether the scheduler runs. It ends with the engine only.
    pub(crate) is_scheduled: AtomicBool,
    /// Whether the clock is looked at again and again. That ends with the engine only, too.
    pub(crate) is_clock_watched: AtomicBool,
    pub(super) clock_watch: clocks::Watch,
}

impl Shared {
    pub(crate) fn new(
        timed: Arc<TimedStore>,
        options: Options,
        (definitions, memories): (Definitions, Arc<Memories>),
        (jitter, observer): (Jitter, Observer),
        (totals, tally): (Totals, Tally),
    ) -> Self {
        let (registry, opened_at) = (Registry::new(&options), options.clock.now());
        Self {
            store: Arc::clone(&timed) as Arc<dyn Store>,
            timed,
            tally,
            options,
            definitions,
            memories,
            jitter,
            observer,
            totals: watch::Sender::new(totals),
            attention: Attention::default(),
            looks_after_the_end: Mutex::default(),
            registry,
            wakes: Wakes::new(totals.in_doubt),
            followers: Followers::default(),
            opened_at,
            ruled: Mutex::default(),
            stopping: AtomicBool::new(false),
            tried_at: AtomicU64::new(0),
            is_scheduled: AtomicBool::new(true),
            is_clock_watched: AtomicBool::new(true),
            clock_watch: clocks::Watch::new(),
        }
    }

    /// Steady time, in which pauses are counted: it goes on whatever becomes of the wall clock.
    pub(crate) fn now(&self) -> Time {
        self.options.clock.steady()
    }

    /// The time of journals and of the wake-up index.
    pub(crate) fn journal_now(&self) -> Time {
        self.options.clock.now()
    }

    /// Where a moment of steady time lies in the wake-up index.
    pub(crate) fn in_index(&self, at: Time) -> Time {
        self.journal_now().after(at.0.saturating_sub(self.now().0))
    }

    /// When a time of the wake-up index comes, in steady time.
    pub(crate) fn out_of_index(&self, at: Time) -> Time {
        self.now().after(at.0.saturating_sub(self.journal_now().0))
    }

    /// Whether a message may leave for this saga: the store is still the one that was opened, and no other worker has the saga.
    pub(crate) fn may_send(&self, id: &str) -> bool {
        match self.store.may_send(id) {
            Ok(()) => true,
            // Another worker has it, which is no trouble of the store.
            Err(StoreError::Conflict) => false,
            Err(error) => {
                self.attention.trouble.note(&error);
                false
            }
        }
    }

    /// The longest time for which a saga is put aside.
    pub(crate) fn longest_pause(&self) -> Duration {
        self.spread_of_backlog().clamp(LONGEST_PARK, Duration::from_millis(LONGEST_WAKE_UP_MS))
    }

    /// The longest pause of those who wait for a participant that is away.
    pub(crate) fn spread_of_backlog(&self) -> Duration {
        let put_aside = self.totals.borrow().in_doubt.saturating_sub(self.active() as u64);
        SPREAD.saturating_mul(u32::try_from(put_aside).unwrap_or(u32::MAX)).saturating_mul(2)
    }

    /// When a step of a saga that has ended was last looked at for a hint, if that was a moment ago.
    pub(crate) fn looked_after_the_end(&self, id: &Arc<str>, step: usize) -> Option<Time> {
        locked(&self.looks_after_the_end).get(&(Arc::clone(id), step)).copied()
    }

    /// Takes note that it is looked at now. What was long ago is forgotten, so that there are no more of them than leave in a
    /// moment.
    pub(crate) fn note_look_after_the_end(&self, id: &Arc<str>, step: usize, now: Time) {
        let pause_ms = whole_ms(self.options.hint_pause);
        let mut looks = locked(&self.looks_after_the_end);
        looks.retain(|_, at| at.after(pause_ms) > now);
        looks.insert((Arc::clone(id), step), now);
    }

    /// A participant that was silent answers again: all that were put aside by now may be tried before their time, once.
    pub(crate) fn wake_early(&self) {
        self.wake_early_at_least(0);
    }

    /// The same where it is known that this many were put aside, by any process that placed them.
    pub(crate) fn wake_early_at_least(&self, sagas: u64) {
        // Those in memory count, too: perhaps they are just about to be put aside, and the index has them last.
        self.wakes.wake_early(self.totals.borrow().in_doubt.max(sagas));
    }

    /// What a person has said of a saga since this engine was opened and what was not taken before: it was not counted here.
    pub(crate) fn take_rulings(&self, id: &Arc<str>, rulings: &[Ruled]) -> Vec<Ruled> {
        let since_opened: Vec<Ruled> = rulings.iter().copied().filter(|ruled| ruled.at >= self.opened_at).collect();
        let Some(last) = since_opened.last().map(|ruled| ruled.seq) else { return Vec::new() };
        let taken = locked(&self.ruled).insert(Arc::clone(id), last).unwrap_or(0);
        since_opened.into_iter().filter(|ruled| ruled.seq > taken).collect()
    }

    /// Counts a saga whose standing has changed.
    pub(crate) fn count(&self, before: Option<Standing>, after: Standing) {
        self.totals.send_modify(|totals| totals.count(before, after));
    }

    // --- stopping ---

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.end_turns_to_write();
        self.put_all_aside();
        // Callers that wait for an outcome learn that this process will bring none.
        self.followers.end();
        self.wakes.wake_up.notify_one();
    }
}
