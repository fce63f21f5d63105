//! How often what has happened in this engine since it was opened. Only flows and the protocol have names here, so that there are
//! as many counts as those have, however many sagas there are.

use std::collections::BTreeMap;
use std::sync::Mutex;

use handfast_machine::locked;
use handfast_protocol::{Evidence, Outcome};

use crate::flow::{Flow, FlowStep};

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

/// How often it was found that a step needs a person, for one reason.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct PersonNeeded {
    /// The flow's name.
    pub flow: String,
    /// The step's.
    pub step: String,
    /// The word for the reason.
    pub reason: &'static str,
    /// How often.
    pub times: u64,
}

/// The counts.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    flows: Mutex<BTreeMap<String, FlowStats>>,
    evidence: Mutex<BTreeMap<(String, String, &'static str), u64>>,
}

const OUTCOMES: [Outcome; 3] = [Outcome::Completed, Outcome::Cancelled, Outcome::Settled];

impl FlowStats {
    fn of(flow: &str) -> Self {
        let ended = OUTCOMES.map(|outcome| (outcome.name(), 0)).into();
        Self { flow: flow.to_owned(), placed: 0, ended }
    }
}

impl Tally {
    /// Counts of these flows and their steps, which are there from the beginning: what was never counted is told as none.
    pub(super) fn of<'a>(flows: impl Iterator<Item = &'a Flow>) -> Self {
        let tally = Self::default();
        for flow in flows {
            locked(&tally.flows).insert(flow.name().to_owned(), FlowStats::of(flow.name()));
            let reasons = |step: &FlowStep| EVIDENCE.map(|kind| ((flow.name().to_owned(), step.name.clone(), kind), 0));
            locked(&tally.evidence).extend(flow.steps().iter().flat_map(reasons));
        }
        tally
    }

    pub(super) fn placed(&self, flow: &str) {
        self.of_flow(flow, |counts| counts.placed += 1);
    }

    pub(super) fn ended(&self, flow: &str, outcome: Outcome) {
        self.of_flow(flow, |counts| *counts.ended.entry(outcome.name()).or_default() += 1);
    }

    pub(super) fn person_needed(&self, flow: &Flow, evidence: Evidence) {
        let (step, kind) = kind(evidence);
        let step = flow.steps().get(step).map_or_else(String::new, |step| step.name.clone());
        *locked(&self.evidence).entry((flow.name().to_owned(), step, kind)).or_default() += 1;
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

    pub(super) fn evidence(&self) -> Vec<PersonNeeded> {
        let told = |((flow, step, reason), times): (&(String, String, &'static str), &u64)| PersonNeeded {
            flow: flow.clone(),
            step: step.clone(),
            reason,
            times: *times,
        };
        locked(&self.evidence).iter().map(told).collect()
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

/// The step for which a person has to look at a saga, and the word for why.
const fn kind(evidence: Evidence) -> (usize, &'static str) {
    match evidence {
        Evidence::Contradiction { to, .. } => (to.step, "contradiction"),
        Evidence::LateEffect { step, .. } => (step, "late_effect"),
        Evidence::Moved { step, .. } => (step, "moved"),
        Evidence::NotFound { step, .. } => (step, "not_found"),
        Evidence::OtherValues { step, .. } => (step, "other_values"),
        Evidence::OutOfReach { step, .. } => (step, "out_of_reach"),
        Evidence::RefusedClose { step, .. } => (step, "refused_close"),
        Evidence::RefusedForGood { step, .. } => (step, "refused_for_good"),
        Evidence::UndoFailed { step, .. } => (step, "undo_failed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_flow_and_each_reason_is_there_before_anything_happens() {
        let flow = Flow::builder("shop").compensatable("pay", "http://pay").pivot("ship", "http://ship").build().unwrap();
        let tally = Tally::of([&flow].into_iter());
        assert_eq!(tally.evidence().len(), 2 * EVIDENCE.len());
        tally.placed("shop");
        tally.ended("of before", Outcome::Cancelled);
        tally.person_needed(&flow, Evidence::LateEffect { step: 1 });
        let told: Vec<_> =
            tally.flows().into_iter().map(|counts| (counts.flow, counts.placed, counts.ended["cancelled"])).collect();
        assert_eq!(told, [("of before".to_owned(), 0, 1), ("shop".to_owned(), 1, 0)]);
        assert_eq!(tally.evidence().len(), 2 * EVIDENCE.len(), "each reason stands in the list of them");
        let found: Vec<_> = tally.evidence().into_iter().filter(|one| one.times > 0).collect();
        let (flow, step) = ("shop".to_owned(), "ship".to_owned());
        assert_eq!(found, [PersonNeeded { flow, step, reason: "late_effect", times: 1 }]);
    }
}
