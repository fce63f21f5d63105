//! The one module of this crate that reads a clock; everything else is told the time.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use handfast_protocol::Time;

/// Where an engine takes the time from.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Time + Send + Sync>);

impl Clock {
    /// The system's clock. It may jump; the coordinator never lets it go back.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(system_now))
    }

    /// `start`, and from then on as much time as passes for the runtime's timers. In a test with paused time a day
    /// takes no longer than what happens in it.
    ///
    /// # Panics
    /// Outside a runtime.
    #[must_use]
    pub fn of_runtime(start: Time) -> Self {
        let origin = runtime_now();
        Self(Arc::new(move || start.after(whole_ms(runtime_now() - origin))))
    }

    /// The time, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn now(&self) -> Time {
        (self.0)()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.now()).finish()
    }
}

/// The whole milliseconds of a duration: what [`Time`] counts in.
pub(crate) fn whole_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[expect(clippy::disallowed_methods, reason = "this is the module that may read the clock")]
fn system_now() -> Time {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(whole_ms(since_epoch))
}

#[expect(clippy::disallowed_methods, reason = "this is the module that may read the clock")]
fn runtime_now() -> tokio::time::Instant {
    tokio::time::Instant::now()
}
