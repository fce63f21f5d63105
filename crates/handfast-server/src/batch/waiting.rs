//! What orders wait for, each told once, and once more when it is over: orders that wait look like nothing at all.

use std::collections::{BTreeMap, BTreeSet};

use handfast::{BreakerState, LinkStats, Stats};

/// The status of an answer that is still to come.
const ACCEPTED: u16 = 202;

/// After this many requests in a row without an answer a participant is reported as silent.
const UNANSWERED: u64 = 4;

/// Something that orders wait for, or that they wait for no longer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Waits {
    /// Nothing can be written to the store.
    Store {
        /// Why.
        trouble: String,
    },
    /// The store takes writes again.
    StoreIsBack,
    /// A participant gives answers that mean nothing.
    Meaningless {
        /// Its base URL.
        participant: String,
        /// Their status.
        status: u16,
        /// What the first of them was, where that is known.
        first: Option<String>,
    },
    /// A participant does not answer.
    Silent {
        /// The base URL.
        participant: String,
    },
    /// A participant turns requests away.
    TurnedAway {
        /// The base URL.
        participant: String,
        /// The status.
        status: u16,
    },
    /// A participant that was silent answers again.
    Answers {
        /// The base URL.
        participant: String,
    },
}

/// What was said so far.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// Participants that were reported as silent, or as turning requests away.
    silent: BTreeSet<String>,
    /// Of every participant how many answers there were, and how many requests were unanswered at the last of them.
    heard: BTreeMap<String, (u64, u64)>,
    /// Participants and the statuses of their answers of which it was said that they mean nothing.
    meaningless: BTreeSet<(String, u16)>,
    /// Whether it was said that the store takes no writes.
    is_store_in_trouble: bool,
}

impl Waiting {
    /// What is new.
    pub(super) fn news(&mut self, stats: Stats) -> Vec<Waits> {
        let mut news = Vec::new();
        match stats.store_trouble {
            Some(trouble) if !self.is_store_in_trouble => {
                self.is_store_in_trouble = true;
                news.push(Waits::Store { trouble });
            }
            None if self.is_store_in_trouble => {
                self.is_store_in_trouble = false;
                news.push(Waits::StoreIsBack);
            }
            Some(_) | None => {}
        }
        for line in stats.participants {
            self.look_at(line, &mut news);
        }
        news
    }

    fn look_at(&mut self, line: LinkStats, news: &mut Vec<Waits>) {
        let is_shut = match line.breaker {
            BreakerState::Open | BreakerState::HalfOpen => true,
            BreakerState::Closed | BreakerState::Behind => false,
        };
        // A few orders do not open the breaker. Without a count of their own such a run would report nothing while the
        // participant is silent.
        let is_silent = self.unheard(&line) >= UNANSWERED || is_shut;
        let participant = line.participant.clone();
        // A 202 says that the answer comes later, and nothing is wrong with that.
        if let Some(status) = line.meaningless.filter(|&status| status != ACCEPTED && line.turned_away != Some(status))
            && self.meaningless.insert((participant.clone(), status))
        {
            let first = line.not_understood.iter().find(|kind| kind.status == status).map(|kind| kind.seen.clone());
            news.push(Waits::Meaningless { participant: participant.clone(), status, first });
        }
        if is_silent && self.silent.insert(participant.clone()) {
            news.push(match line.turned_away {
                None => Waits::Silent { participant },
                Some(status) => Waits::TurnedAway { participant, status },
            });
        } else if !is_silent && self.silent.remove(&participant) {
            news.push(Waits::Answers { participant });
        }
    }

    /// How many requests to a participant went unanswered since one was answered.
    fn unheard(&mut self, line: &LinkStats) -> u64 {
        let answers = line.answered + line.indefinite;
        let (known, unanswered) = self.heard.entry(line.participant.clone()).or_default();
        if *known != answers {
            (*known, *unanswered) = (answers, line.unanswered);
        }
        line.unanswered.saturating_sub(*unanswered)
    }
}
