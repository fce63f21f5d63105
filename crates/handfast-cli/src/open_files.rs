//! How many files and connections this process may have open, and who gets how many of them.

use crate::connections::MOST_CONNECTIONS;

/// What nothing may take away: the store and what lies beside it, the streams, the runtime's own.
const RESERVE: u64 = 64;
/// More than anything here ever needs, however much the system would give.
const MOST: u64 = 65_536;

/// How the open files of a service are shared out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Shares {
    /// So many the process may have open.
    pub(crate) limit: u64,
    /// So many callers may be connected at a time.
    pub(crate) callers: usize,
    /// So many requests may be out to one participant at a time.
    pub(crate) calls: usize,
}

impl Shares {
    /// Shares out `limit` among callers and `participants`, each of which may get `wanted` requests at a time. Where it is
    /// small, callers leave half of it to the service's own requests: whoever is let in wants to be served.
    pub(crate) fn of(limit: u64, participants: usize, wanted: usize) -> Self {
        let rest = usize::try_from(limit.saturating_sub(RESERVE)).unwrap_or(usize::MAX).max(2);
        let participants = participants.max(1);
        let calls = wanted.min(rest / 2 / participants).max(1);
        let callers = rest.saturating_sub(calls.saturating_mul(participants)).clamp(1, MOST_CONNECTIONS);
        Self { limit, callers, calls }
    }

    /// Says what the service got.
    pub(crate) fn tell(&self, wanted: usize) {
        let Self { limit, callers, calls } = *self;
        if callers < MOST_CONNECTIONS || calls < wanted {
            tracing::warn!(
                name: "few_open_files",
                limit, callers, calls,
                "the system lets this process open few files, so few callers are served at a time; raise it (ulimit -n)"
            );
        } else {
            tracing::debug!(name: "open_files", limit, callers, calls, "files that may be open, and who gets how many");
        }
    }
}

/// Asks the system for as many open files as it gives, and says how many it does.
#[cfg(unix)]
pub(crate) fn raise() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let given = getrlimit(Resource::Nofile);
    let now = given.current.unwrap_or(MOST);
    let wanted = given.maximum.unwrap_or(MOST).min(MOST);
    if wanted <= now {
        return now;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: given.maximum }) {
        Ok(()) => wanted,
        // It was allowed to, so this is not met; then it is as it was.
        Err(_) => now,
    }
}

#[cfg(not(unix))]
pub(crate) fn raise() -> u64 {
    MOST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(limit: u64, participants: usize, callers: usize, calls: usize) {
        assert_eq!(Shares::of(limit, participants, 256), Shares { limit, callers, calls });
    }

    #[test]
    fn callers_never_take_what_the_service_needs_itself() {
        check(65_536, 2, 4_096, 256);
        check(1_024, 2, 480, 240);
        check(1_024, 1, 704, 256);
        check(256, 2, 96, 48);
        check(64, 2, 1, 1);
        check(0, 0, 1, 1);
        for limit in 70..2_000 {
            let shares = Shares::of(limit, 3, 256);
            assert!((shares.callers + 3 * shares.calls) as u64 + RESERVE <= limit, "{shares:?}");
        }
    }
}
