//! The one place of this crate where the clock is read; everywhere else time is an argument.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use handfast_protocol::Time;

/// Tells the time. Tests hand in their own.
pub type Clock = Arc<dyn Fn() -> Time + Send + Sync>;

/// The system's clock. A clock that stands before 1970 is taken as standing at 1970.
#[must_use]
pub fn system_clock() -> Clock {
    Arc::new(|| {
        #[expect(clippy::disallowed_methods, reason = "this is the module that reads the clock")]
        let now = SystemTime::now();
        let since_epoch = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        Time(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
    })
}
