//! The counts of an engine, cheap enough to be kept always.

use handfast_protocol::Standing;

use super::clocks::ClockStats;
use super::tally::{FlowStats, PersonNeeded};
use crate::delivery::LinkStats;
use crate::durations::Durations;
use crate::store::Counts;

/// How many sagas stand how, as far as this engine knows. Start from the store's counts, and kept up by what happens here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Totals {
    /// All of them.
    pub placed: u64,
    /// Those that have neither ended nor been suspended: something was asked for, and no definite answer is known yet.
    pub in_doubt: u64,
    /// Those that ended in *both*.
    pub completed: u64,
    /// Those that ended in *neither*.
    pub cancelled: u64,
    /// Those that wait for a person.
    pub suspended: u64,
    /// Those for which a person has given up waiting for the participants.
    pub settled: u64,
}

impl Totals {
    pub(crate) fn of(counts: &Counts) -> Self {
        let mut totals = Self::default();
        for (standing, number) in &counts.by_standing {
            totals.placed += number;
            *totals.slot(standing) += number;
        }
        totals
    }

    /// Moves one saga from one standing to another. From `None`, it is new.
    pub(crate) fn count(&mut self, before: Option<Standing>, after: Standing) {
        match before {
            None => self.placed += 1,
            Some(before) => {
                let slot = self.slot(before.name());
                *slot = slot.saturating_sub(1);
            }
        }
        *self.slot(after.name()) += 1;
    }

    fn slot(&mut self, standing: &str) -> &mut u64 {
        if standing == Standing::Completed.name() {
            &mut self.completed
        } else if standing == Standing::Cancelled.name() {
            &mut self.cancelled
        } else if standing == Standing::Suspended.name() {
            &mut self.suspended
        } else if standing == Standing::Settled.name() {
            &mut self.settled
        } else {
            &mut self.in_doubt
        }
    }
}

/// What an engine is at, at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Stats {
    /// How many sagas stand how.
    pub totals: Totals,
    /// Those that are in memory now.
    pub active: u64,
    /// Those in doubt that lie in the store until their time comes.
    pub parked: u64,
    /// Requests that are out now.
    pub in_flight: u64,
    /// Sagas that wait for a person, or that ended before a participant broke its promise, and why: at most the first thousand that were met.
    pub suspended: Vec<(String, String)>,
    /// Sagas that this program cannot drive but another one can, and why: at most the first thousand that were met.
    pub left_alone: Vec<(String, String)>,
    /// Sagas on their way that rest on what a participant had answered before it was put back, and that was not confirmed
    /// since: what it is, and the amount. At most the first thousand that were met.
    pub unconfirmed: Vec<(String, String)>,
    /// Why the store did not take what was last written to it, a full disk for instance; `None` once it takes writes again.
    /// Sagas wait meanwhile, and nothing is sent that is not written down.
    pub store_trouble: Option<String>,
    /// The clock that all this goes by.
    pub clock: ClockStats,
    /// The lines to the participants, in the order of their names.
    pub participants: Vec<LinkStats>,
    /// What became of the sagas of each flow here since the engine was opened.
    pub flows: Vec<FlowStats>,
    /// How often it was found here since then that a person is needed, by flow, step and reason. Each is there.
    pub person_needed: Vec<PersonNeeded>,
    /// How long the store took since then: over a `read`, over a `write` that a saga or a person waits for, and over what is
    /// written `aside`, which neither waits for.
    pub store: Vec<(&'static str, Durations)>,
    /// What room there is in memory.
    pub places: Places,
}

/// How many more sagas may come into memory, and how many wait for that.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Places {
    /// Places left for sagas that are just placed.
    pub left_for_new: u64,
    /// Places left for those that were put aside. Where rooms are not kept apart, the same places.
    pub left_for_backlog: u64,
    /// Sagas that were just placed and wait for a place, as far as they are remembered; all others are found in the store.
    pub waiting: u64,
}
