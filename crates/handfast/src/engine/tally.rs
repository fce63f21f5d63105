//! How often what has happened in this engine since it was opened. Only flows and the protocol have names here, so that there are
//! as many counts as those have, however many sagas there are.

use std::collections::BTreeMap;
use std::sync::Mutex;

use handfast_machine::locked;
use handfast_protocol::{Evidence, Outcome};

/// What became of the sagas of one flow in this engine since it was opened.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct FlowStats {
    /// The flow's name.
    pub flow: String,
    /// How many were placed.
    pub placed: u64,
    /// How many ended, by the word for the outcome. Each outcome is there.
    pub ended: BTreeMap<&'static str, u64>,
}

/// The counts.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    flows: Mutex<BTreeMap<String, FlowStats>>,
    evidence: Mutex<BTreeMap<&'static str, u64>>,
}

const OUTCOMES: [Outcome; 3] = [Outcome::Completed, Outcome::Cancelled, Outcome::Settled];

impl FlowStats {
    fn of(flow: &str) -> Self {
        let ended = OUTCOMES.map(|outcome| (outcome.name(), 0)).into();
        Self { flow: flow.to_owned(), placed: 0, ended }
    }
}

impl Tally {
    /// Counts of these flows, which are there from the beginning: what was never counted is told as none.
    pub(super) fn of<'a>(flows: impl Iterator<Item = &'a str>) -> Self {
        let flows = flows.map(|flow| (flow.to_owned(), FlowStats::of(flow))).collect();
        let evidence = Mutex::new(EVIDENCE.map(|kind| (kind, 0)).into());
        Self { flows: Mutex::new(flows), evidence }
    }

    pub(super) fn placed(&self, flow: &str) {
        self.of_flow(flow, |counts| counts.placed += 1);
    }

    pub(super) fn ended(&self, flow: &str, outcome: Outcome) {
        self.of_flow(flow, |counts| *counts.ended.entry(outcome.name()).or_default() += 1);
    }

    pub(super) fn person_needed(&self, evidence: Evidence) {
        *locked(&self.evidence).entry(kind(evidence)).or_default() += 1;
    }

    fn of_flow(&self, flow: &str, count: impl FnOnce(&mut FlowStats)) {
        let mut flows = locked(&self.flows);
        match flows.get_mut(flow) {
            Some(counts) => count(counts),
            None => count(flows.entry(flow.to_owned()).or_insert_with(|| FlowStats::of(flow))),
        }
    }

    pub(super) fn flows(&self) -> Vec<FlowStats> {
        locked(&self.flows).values().cloned().collect()
    }

    pub(super) fn evidence(&self) -> Vec<(&'static str, u64)> {
        locked(&self.evidence).iter().map(|(kind, times)| (*kind, *times)).collect()
    }
}

/// Every word of [`kind`].
const EVIDENCE: [&str; 9] = [
    "contradiction",
    "late_effect",
    "moved",
    "not_found",
    "other_values",
    "out_of_reach",
    "refused_close",
    "refused_for_good",
    "undo_failed",
];

/// The word for why a person has to look at a saga.
const fn kind(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::Contradiction { .. } => "contradiction",
        Evidence::LateEffect { .. } => "late_effect",
        Evidence::Moved { .. } => "moved",
        Evidence::NotFound { .. } => "not_found",
        Evidence::OtherValues { .. } => "other_values",
        Evidence::OutOfReach { .. } => "out_of_reach",
        Evidence::RefusedClose { .. } => "refused_close",
        Evidence::RefusedForGood { .. } => "refused_for_good",
        Evidence::UndoFailed { .. } => "undo_failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_flow_and_each_reason_is_there_before_anything_happens() {
        let tally = Tally::of(["shop"].into_iter());
        assert_eq!(tally.evidence().len(), EVIDENCE.len());
        tally.placed("shop");
        tally.ended("of before", Outcome::Cancelled);
        tally.person_needed(Evidence::LateEffect { step: 0 });
        let told: Vec<_> =
            tally.flows().into_iter().map(|counts| (counts.flow, counts.placed, counts.ended["cancelled"])).collect();
        assert_eq!(told, [("of before".to_owned(), 0, 1), ("shop".to_owned(), 1, 0)]);
        assert_eq!(tally.evidence().len(), EVIDENCE.len(), "each reason stands in the list of them");
        assert!(tally.evidence().contains(&("late_effect", 1)));
    }
}
