//! The one place that reads the clock: whether a certificate counts now.

use rustls::pki_types::UnixTime;

/// The present time, by the wall.
pub(crate) fn now() -> UnixTime {
    UnixTime::now()
}
