//! How an engine is set up. Nothing in here changes what becomes of a saga, only how fast and at what cost.

use std::time::Duration;

use handfast_protocol::Assumptions;

use crate::clock::Clock;
use crate::delivery::{Backoff, BreakerSettings};

/// Limits and waiting times. `Options::default()` suits services in one data centre.
///
/// ```
/// use std::time::Duration;
///
/// let patient = handfast::Options::default().with_max_active(64).with_try_timeout(Duration::from_secs(30));
/// assert_eq!(patient.max_active, 64);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// At most this many sagas are in memory. All others lie in the store until they are due.
    pub max_active: usize,
    /// The bodies of all sagas in memory take at most this many bytes, or little more: a saga that is being loaded counts once
    /// it is loaded.
    pub max_active_bytes: usize,
    /// Whether what was just placed and what was put aside have rooms of their own, in memory and among the requests that are
    /// out. If not, places are given first come, first served, and a large backlog keeps new orders waiting.
    pub keeps_rooms_apart: bool,
    /// How long the answer to one try is waited for, unless the step says otherwise.
    pub try_timeout: Duration,
    /// How long a connection to a participant may take.
    pub connect_timeout: Duration,
    /// At most this many requests are in flight to one participant.
    pub calls_per_participant: usize,
    /// A step's own `in_flight` is limited to this number, which is also the most connections that there may be to one
    /// participant.
    pub most_calls_per_participant: usize,
    /// Waiting times between the tries of one saga.
    pub backoff: Backoff,
    /// When a silent participant is left alone, and for how long.
    pub breaker: BreakerSettings,
    /// A hint ([`Engine::hint`](crate::Engine::hint)) makes nothing go out sooner than this after the last try of the same.
    pub hint_pause: Duration,
    /// A saga that has nothing to do for longer than this leaves memory.
    pub park_after: Duration,
    /// How often the wake-up index is read even if nothing is known to be due, in case another worker on the same store
    /// is gone.
    pub patrol: Duration,
    /// Where the time comes from.
    pub clock: Clock,
    /// How far the clocks of all who keep sagas in one store may be apart; a second is allowed in any case, since they are not
    /// read at one moment. One that is further from the others takes no orders.
    pub clock_error: Duration,
    /// Makes the jitter repeatable.
    pub seed: Option<u64>,
}

impl Options {
    /// The same, with no pause before another try longer than `cap`; a participant that was silent for a while is asked
    /// again no later than that either.
    #[must_use]
    pub fn with_retry_cap(mut self, cap: Duration) -> Self {
        self.backoff.cap = cap;
        self.breaker.pause = self.breaker.pause.min(cap);
        self.breaker.pause_cap = self.breaker.pause_cap.min(cap);
        self
    }
}

impl Options {
    /// The same, with the error of clocks that a flow file declares, where it does.
    #[must_use]
    pub fn with_assumptions(mut self, assumptions: &Assumptions) -> Self {
        self.clock_error = assumptions.clock_error_ms.map_or(self.clock_error, Duration::from_millis);
        self
    }
}

crate::setters::with_each! { Options;
    max_active: usize => with_max_active;
    max_active_bytes: usize => with_max_active_bytes;
    keeps_rooms_apart: bool => with_keeps_rooms_apart;
    try_timeout: Duration => with_try_timeout;
    connect_timeout: Duration => with_connect_timeout;
    calls_per_participant: usize => with_calls_per_participant;
    most_calls_per_participant: usize => with_most_calls_per_participant;
    backoff: Backoff => with_backoff;
    breaker: BreakerSettings => with_breaker;
    hint_pause: Duration => with_hint_pause;
    park_after: Duration => with_park_after;
    patrol: Duration => with_patrol;
    clock: Clock => with_clock;
    clock_error: Duration => with_clock_error;
    seed: Option<u64> => with_seed;
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_active: 1024,
            max_active_bytes: 256 * 1024 * 1024,
            keeps_rooms_apart: true,
            try_timeout: Duration::from_secs(2),
            connect_timeout: Duration::from_secs(1),
            calls_per_participant: 256,
            most_calls_per_participant: usize::MAX,
            backoff: Backoff::default(),
            breaker: BreakerSettings::default(),
            hint_pause: Duration::from_secs(1),
            park_after: Duration::from_secs(1),
            patrol: Duration::from_secs(10),
            clock: Clock::system(),
            clock_error: Duration::from_secs(10),
            seed: None,
        }
    }
}

/// The longest time for which a saga is put aside without being looked at again, unless very many wait for a participant that is
/// away.
pub(crate) const LONGEST_PARK: Duration = Duration::from_mins(5);

/// How often a saga is read that the store cannot read, and how long it is left alone then.
pub(crate) const READING_TRIES: u32 = 3;
pub(crate) const UNREAD_FOR: Duration = Duration::from_secs(5);

/// How long it is waited before it is looked again whether a store is there that is gone.
pub(crate) const GONE_FOR: Duration = Duration::from_secs(1);

/// How long a saga that this program cannot drive is left alone before another program may have been started in its place.
pub(crate) const LEFT_ALONE_FOR: Duration = Duration::from_mins(1);
