//! `Prefer: wait=N` (RFC 7240): how long an answer may be held back until the saga has ended.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};

/// The header of a request.
pub(crate) const NAME: &str = "prefer";
/// The header of an answer that did as was preferred.
pub(crate) const APPLIED: &str = "preference-applied";

/// No caller is kept waiting longer than this, whatever it asks for.
const LONGEST_S: u64 = 300;

/// How long to wait for the end of a saga.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Wait {
    seconds: u64,
}

impl Wait {
    /// What the request prefers. A preference that cannot be understood is none, as the RFC has it; the first `wait` counts.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(NAME).iter().filter_map(|value| value.to_str().ok());
        let seconds = values.flat_map(|value| value.split(',')).find_map(seconds)?;
        Some(Self { seconds: seconds.min(LONGEST_S) })
    }

    /// The time to wait.
    pub(crate) const fn duration(self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// What the answer says: the time that was really granted.
    pub(crate) fn applied(self) -> HeaderValue {
        HeaderValue::try_from(format!("wait={}", self.seconds)).unwrap_or(HeaderValue::from_static("wait"))
    }
}

/// The seconds of one preference, if it is `wait`: its value may be quoted, and parameters may follow.
fn seconds(preference: &str) -> Option<u64> {
    let (name, value) = preference.split(';').next()?.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("wait") {
        return None;
    }
    let digits = value.trim().trim_matches('"');
    let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    // More digits than fit mean "as long as you like".
    all_digits.then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(values: &[&str], expected: Option<u64>) {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(NAME, HeaderValue::try_from(*value).unwrap());
        }
        assert_eq!(Wait::of(&headers).map(|wait| wait.seconds), expected, "{values:?}");
    }

    #[test]
    fn wait_is_found_among_preferences() {
        check(&["wait=10"], Some(10));
        check(&["respond-async, WAIT = \"7\"; foo=bar"], Some(7));
        check(&["respond-async", "wait=3"], Some(3));
        check(&["wait=1, wait=2"], Some(1));
        check(&["wait=0"], Some(0));
    }

    #[test]
    fn what_is_no_wait_is_no_preference() {
        check(&[], None);
        check(&["wait"], None);
        check(&["wait=soon"], None);
        check(&["wait=-1"], None);
        check(&["waiting=5"], None);
    }

    #[test]
    fn no_caller_waits_for_ever() {
        check(&["wait=100000"], Some(LONGEST_S));
        check(&["wait=99999999999999999999999"], Some(LONGEST_S));
    }
}
