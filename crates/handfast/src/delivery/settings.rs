//! How hard one participant may be asked, and how long is waited between the tries of one saga.

use std::time::Duration;

use super::backoff::Backoff;
use super::breaker::BreakerSettings;

/// One in this many places for requests in flight is kept for sagas that are new.
const RESERVED_PART: usize = 4;

/// The limits of one link.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LinkSettings {
    pub(crate) calls_at_once: usize,
    /// Whether a part of them is kept for what is new.
    pub(crate) keeps_a_part: bool,
    pub(crate) breaker: BreakerSettings,
    /// Waiting times between the tries of one saga.
    pub(crate) backoff: Backoff,
}

impl LinkSettings {
    /// At most this many requests at a time are for sagas that were put aside.
    pub(super) const fn calls_of_backlog(&self) -> usize {
        let kept = if self.keeps_a_part { self.calls_at_once / RESERVED_PART } else { 0 };
        self.calls_at_once - kept
    }

    /// The same, with a pause of `base` at most after the first try.
    pub(crate) const fn with_retry_base(mut self, base: Duration) -> Self {
        self.backoff.base = base;
        self
    }

    /// The same, with no pause before another try longer than `cap`.
    pub(crate) fn with_retry_cap(mut self, cap: Duration) -> Self {
        self.backoff.cap = cap;
        self.breaker.pause = self.breaker.pause.min(cap);
        self.breaker.pause_cap = self.breaker.pause_cap.min(cap);
        self
    }
}
