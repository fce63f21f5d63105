//! The only place of these tasks that reads the clock: how long a step took.

use std::time::{Duration, Instant};

/// Runs `work` and says how long it took.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    #[expect(clippy::disallowed_methods, reason = "the time a step takes is what is being reported")]
    let started = Instant::now();
    let result = work();
    (result, started.elapsed())
}
