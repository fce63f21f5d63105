//! How many files and connections this process may have open, and who gets how many of them.

use handfast::store::{Store, StoreError};
use handfast::{Flow, Options, count_links};

use handfast_http::connections::MOST_CONNECTIONS;

/// What nothing may take away: the store and what lies beside it, the streams, the runtime's own.
const RESERVE: u64 = 64;
/// More than anything here ever needs, however much the system would give.
const MOST: u64 = 65_536;

/// A store's older definitions are assumed to need no more links than this.
const MOST_LINKS: usize = 10_000;

/// What the orders of a store want of open files: those that are placed with the flows at hand, and those that follow older definitions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// How many links to participants there are.
    pub links: usize,
    /// How many requests should be able to be in flight to one participant.
    pub calls: usize,
}

impl Wanted {
    /// Reads which definitions the open orders of the store follow.
    ///
    /// # Errors
    /// The store's.
    pub async fn by<'a>(
        at_hand: impl IntoIterator<Item = &'a Flow>,
        store: &dyn Store,
        options: &Options,
    ) -> Result<Self, StoreError> {
        // No reference to them is held while the store is asked.
        let at_hand: Vec<Flow> = at_hand.into_iter().cloned().collect();
        let open = store.open_flows().await?;
        // No participant is called by a definition that cannot be read here.
        let mut flows: Vec<Flow> = open.iter().filter_map(|open| Flow::from_built_text(&open.text).ok()).collect();
        flows.extend(at_hand);
        let said = flows.iter().flat_map(Flow::steps).filter_map(|step| step.in_flight);
        let calls = said.filter_map(|calls| usize::try_from(calls).ok()).chain([options.calls_per_participant]).max();
        Ok(Self { links: count_links(&flows).min(MOST_LINKS), calls: calls.unwrap_or(1) })
    }
}

/// How the open files of this process are shared out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shares {
    /// How many files the process may have open.
    limit: u64,
    /// How many callers may be connected at a time; `None` where there are no callers.
    callers: Option<usize>,
    /// How many requests should be able to be in flight to one participant.
    wanted: usize,
    /// How many may be in flight to one participant.
    calls: usize,
}

impl Shares {
    /// Shares out `limit` among callers and the links to participants. Where it is small, callers leave half of it to the
    /// service's own requests: a caller that is let in has to be served as well.
    pub fn of(limit: u64, Wanted { links, calls: wanted }: Wanted) -> Self {
        let rest = usize::try_from(limit.saturating_sub(RESERVE)).unwrap_or(usize::MAX).max(2);
        let links = links.max(1);
        let calls = wanted.min(rest / 2 / links).max(1);
        let callers = rest.saturating_sub(calls.saturating_mul(links)).clamp(1, MOST_CONNECTIONS);
        Self { limit, callers: Some(callers), wanted, calls }
    }

    /// Shares out `limit` where there are no callers.
    pub fn alone(limit: u64, Wanted { links, calls: wanted }: Wanted) -> Self {
        let rest = usize::try_from(limit.saturating_sub(RESERVE)).unwrap_or(usize::MAX);
        Self { limit, callers: None, wanted, calls: wanted.min(rest / links.max(1)).max(1) }
    }

    /// Says what this process got, and lets no more requests out than that.
    pub fn bound(&self, options: &mut Options) {
        self.tell();
        options.calls_per_participant = options.calls_per_participant.min(self.calls);
        options.most_calls_per_participant = self.calls;
    }

    /// Says what this process got.
    pub fn tell(&self) {
        let Self { limit, callers, wanted, calls } = *self;
        match callers {
            Some(callers) if callers < MOST_CONNECTIONS || calls < wanted => tracing::warn!(
                name: "few_open_files",
                limit, callers, calls,
                "the system lets this process open few files, so few callers are served and few requests go out at a time; raise it (ulimit -n)"
            ),
            None if calls < wanted => tracing::warn!(
                name: "few_open_files",
                limit, calls,
                "the system lets this process open few files, so few requests go out at a time; raise it (ulimit -n)"
            ),
            // Of callers that there are not the event says nothing.
            Some(_) | None => {
                tracing::debug!(name: "open_files", limit, callers, calls, "files that may be open, and who gets how many");
            }
        }
    }

    /// How many callers may be connected at a time: the general limit where no share was set aside for callers.
    pub fn callers(&self) -> usize {
        self.callers.unwrap_or(MOST_CONNECTIONS)
    }
}

/// Asks the system for as many open files as it gives, and says how many it does.
#[cfg(unix)]
pub fn raise() -> u64 {
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
pub fn raise() -> u64 {
    MOST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(limit: u64, participants: usize, callers: usize, calls: usize) {
        let shares = Shares::of(limit, Wanted { links: participants, calls: 256 });
        assert_eq!(shares, Shares { limit, callers: Some(callers), wanted: 256, calls });
    }

    #[test]
    fn callers_never_take_what_the_service_needs_itself() {
        check(65_536, 2, 4_096, 256);
        check(1_024, 2, 480, 240);
        check(1_024, 1, 704, 256);
        check(256, 2, 96, 48);
        check(64, 2, 1, 1);
        check(0, 0, 1, 1);
        let alone = |limit, links, calls| Shares::alone(limit, Wanted { links, calls }).calls;
        assert_eq!((alone(65_536, 2, 2_000), alone(160, 2, 2_000), alone(160, 8, 256), alone(0, 0, 0)), (2_000, 48, 12, 1));
        for limit in 70..2_000 {
            let shares = Shares::of(limit, Wanted { links: 3, calls: 256 });
            assert!((shares.callers() + 3 * shares.calls) as u64 + RESERVE <= limit, "{shares:?}");
        }
    }
}
