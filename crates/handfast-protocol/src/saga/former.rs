//! What the coordinator does when a participant was put back to an older copy of its store, and a person has accepted that.
//!
//! What the participant had answered in its former life is no evidence any more: it may have forgotten it. It is read again,
//! by the same key, before anything irrevocable rests on it. Until then no act leaves for the gate or a step after it, no
//! undo waits on a gate that was closed in a former life, and the saga does not end.
//!
//! | known before | it is asked | it answers | and |
//! | --- | --- | --- | --- |
//! | done | look (or what was asked already, if that is more) | done | it counts again |
//! | | | undone | it counts as undone |
//! | | | anything else | a contradiction: what was done is forgotten, and a person has to know |
//! | refused, closed, undone | close, or undo where that was asked | any of the three | it counts again, as what is told now |
//! | | | done | a close or an undo was forgotten: it counts as done, and is taken back again |
//!
//! An act that was never answered is in doubt as before, and is asked for again.

use super::coordinator::{Coordinator, Phase};
use super::message::{Command, Evidence, Operation};
use crate::guards::Guards;
use crate::register::{Answer, Definite};

impl<G: Guards> Coordinator<G> {
    /// The participant of a step may have forgotten what it had answered. A saga that has ended stays ended: whoever accepts
    /// is told which of those rest on it.
    pub(super) fn forget(&mut self, step: usize) {
        let is_open = matches!(self.phase, Phase::Forward | Phase::TurningBack);
        if let Some(state) = self.steps.get_mut(step)
            && is_open
            && G::FORMER_LIFE_IS_READ_AGAIN
        {
            state.is_void = state.known.is_some();
        }
    }

    /// How a step is read again. It never is asked for less than before.
    pub(super) fn wanted_of_void(&self, step: usize) -> Option<Operation> {
        if !matches!(self.phase, Phase::Forward | Phase::TurningBack) {
            return None;
        }
        let state = self.steps[step];
        let least = if state.was_done() || !self.plan.steps()[step].closes() { Operation::Look } else { Operation::Close };
        state.asked.max(Some(least))
    }

    /// Nothing irrevocable is asked for while anything is to be read again, not even once more; and nothing is undone while
    /// the gate is.
    pub(super) fn is_held(&self, step: usize) -> bool {
        let Some(gate) = self.plan.gate() else { return false };
        match self.steps[step].asked {
            Some(Operation::Act) => step >= gate && self.steps.iter().any(|other| other.is_void),
            Some(Operation::Undo) => step < gate && self.steps[gate].is_void,
            Some(Operation::Look | Operation::Close) | None => false,
        }
    }

    /// Takes the answer of a participant about what it had answered in a former life.
    pub(super) fn read_again(&mut self, to: Command, answer: Answer, evidence: Evidence) {
        let Answer::State(told) = answer else { return self.suspended_for(evidence) };
        let gate = self.plan.gate().unwrap_or(self.steps.len());
        let is_irrevocable = to.step >= gate;
        let is_undoing = self.steps[..gate].iter().any(|state| state.asked == Some(Operation::Undo));
        let state = &mut self.steps[to.step];
        let is_broken = match (state.was_done(), told) {
            (true, Definite::Done) => to.operation == Operation::Undo,
            (true, Definite::Undone) => is_irrevocable,
            (true, Definite::Refused | Definite::Closed) => true,
            (false, Definite::Done) => self.phase != Phase::TurningBack || (is_irrevocable && is_undoing),
            (false, Definite::Refused | Definite::Closed | Definite::Undone) => false,
        };
        if is_broken {
            return self.suspended_for(evidence);
        }
        state.known = Some(told);
        state.is_void = false;
        self.check_promises(evidence);
    }
}
