//! Which id every request of a run carries, where a later step is asked for by what an earlier one has answered.

use handfast_protocol::Named;

use super::action::Action;
use super::automaton::Facts;
use super::world::{NOTHING_LOADED, Saga, World};
use crate::explorer::Run;

/// The ids of a run. Those of one step are counted from 1; whatever comes back with an older journal, which had kept none yet, keeps
/// the next one.
pub(super) struct Ids<'a> {
    pub(super) saga: &'a Saga,
    pub(super) run: &'a Run<World, Action>,
}

impl Ids<'_> {
    /// By which id something is asked for that a worker sends for this step at that place of the run, if by any.
    pub(super) fn carried(&self, sent: usize, step: usize) -> Option<String> {
        let (of, beside) = match self.saga.behaviours[step].named {
            Named::ByKey => return None,
            Named::ByIdOf(of) => (of, ""),
            Named::ByKeyAndIdOf(of) => (of, "key, "),
        };
        let is_known = self.known_to_sender(sent)?.steps[of].1.is_some();
        is_known.then(|| format!(" by {beside}id {}", self.number(of, sent)))
    }

    /// Which id is kept of this step where it is journaled as done at `journaled`, if a later step is asked for by it. The answer has
    /// left at `answered`.
    pub(super) fn kept(&self, answered: usize, journaled: usize, step: usize) -> Option<String> {
        let is_kept = self.saga.behaviours.iter().any(|behaviour| names(behaviour.named, step));
        let is_late = self.run.steps[answered..journaled].iter().any(|(action, _)| matches!(action, Action::Restore));
        let late = if is_late { " late" } else { "" };
        is_kept.then(|| format!("{late}, keeps id {}", self.number(step, journaled)))
    }

    /// Until where what is on the road for this step at that place may arrive: nothing of a former process does once the coordinator
    /// is back with a journal that keeps another id.
    pub(super) fn on_the_road_until(&self, from: usize, step: usize) -> usize {
        let ends = |action: &Action| {
            let Action::RestoreBefore { of } = *action else { return false };
            of == step || names(self.saga.behaviours[step].named, of)
        };
        let steps = &self.run.steps;
        (from + 1..steps.len()).find(|&at| ends(&steps[at].0)).unwrap_or(steps.len())
    }

    /// Which id of a step is kept at that place of the run.
    fn number(&self, of: usize, at: usize) -> usize {
        let is_another = |(action, _): &&(Action, World)| *action == Action::RestoreBefore { of };
        1 + self.run.steps[..at].iter().filter(is_another).count()
    }

    /// What a worker knows that sends something at that place of the run.
    fn known_to_sender(&self, sent: usize) -> Option<&Facts> {
        let (Action::Send { worker, .. } | Action::SendLate { worker, .. } | Action::SendEarly { worker, .. }) =
            self.run.steps[sent].0
        else {
            return None;
        };
        let before = sent.checked_sub(1).map_or(&self.run.initial, |before| &self.run.steps[before].1);
        let state = before.workers[worker];
        (state != NOTHING_LOADED).then(|| self.saga.automaton.facts(state))
    }
}

/// A step is asked for by the id of that one.
fn names(named: Named, step: usize) -> bool {
    match named {
        Named::ByKey => false,
        Named::ByIdOf(of) | Named::ByKeyAndIdOf(of) => of == step,
    }
}
