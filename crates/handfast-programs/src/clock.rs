//! The only place of this crate that reads the clock.

use std::time::{Duration, Instant};

/// The whole milliseconds of a duration.
pub(crate) fn whole_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Tells how long ago it was started; never goes back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[expect(clippy::disallowed_methods, reason = "this is the module that reads the clock")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since then.
    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
