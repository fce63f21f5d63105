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
//! | refused, closed, undone | close, or undo where that was asked and the gate is off in this life | any of the three | it counts again, as what is told now |
//! | | | done | a close or an undo was forgotten: it counts as done, and is taken back again |
//!
//! An act that was never answered is in doubt as before, and is asked for again.
//!
//! A look may find nothing for ever, since what was done may be forgotten for good. So a person may say what became of a step
//! that is looked at: [`person`](super::person). Where its key can be closed, *not done* closes it instead of being believed.
//! What a person has said of a step counts for the life of its participant in which it was said, and no longer.

use alloc::vec::Vec;

use super::coordinator::{Coordinator, Phase, StepState};
use super::message::{Command, Evidence, Operation};
use super::person::Mark;
use crate::guards::Guards;
use crate::party::Time;
use crate::register::{Answer, Definite};

/// From this version on what a person says is not there is closed before anything else is asked for it.
const NOT_DONE_IS_CLOSED: u32 = 2;

impl StepState {
    /// What a person has said, and counts, is from now on as if its participant had said so in its former life.
    fn take_word_for_an_answer(&mut self) {
        let said = match self.mark {
            Some(Mark::Done) => Definite::Done,
            Some(Mark::Undone) => Definite::Undone,
            Some(Mark::NotDone) if self.mark_counts => Definite::Closed,
            Some(Mark::NotDone) | None => return,
        };
        self.know(said);
    }
}

impl<G: Guards> Coordinator<G> {
    /// The participant of a step may have forgotten what it had answered. A saga that has ended stays ended: whoever accepts
    /// is told which of those rest on it.
    pub(super) fn forget(&mut self, step: usize) {
        let is_open = matches!(self.phase, Phase::Forward | Phase::TurningBack | Phase::Suspended);
        if let Some(state) = self.steps.get_mut(step)
            && is_open
            && G::FORMER_LIFE_IS_READ_AGAIN
        {
            if G::WORD_ENDS_WITH_A_LIFE {
                state.take_word_for_an_answer();
            }
            state.is_void = state.known.is_some();
        }
    }

    /// What its participant had answered in a former life is looked for, and may never be found.
    #[must_use]
    pub fn may_stay_unconfirmed(&self, step: usize) -> bool {
        self.is_unconfirmed(step) && self.wanted_of_void(step) == Some(Operation::Look)
    }

    /// A person says that what was answered in a former life is not there. Where the key can be closed it is: its participant
    /// answers for it then, and nobody has to be believed. Says whether it was dealt with here.
    pub(super) fn close_unconfirmed(&mut self, step: usize, now: Time) -> bool {
        if !self.may_stay_unconfirmed(step) || !self.plan.steps()[step].closes() {
            return false;
        }
        let is_closed_first = self.version >= NOT_DONE_IS_CLOSED;
        let state = &mut self.steps[step];
        (state.known, state.is_void, state.is_other) = (None, false, false);
        if is_closed_first {
            // An undo of what is not there leaves nothing behind where it is a no-op, and a late act would be carried out. What may have
            // left is looked for once more before it leaves again.
            state.mark_undo();
            state.asked = state.asked.min(Some(Operation::Close));
        }
        state.ask(Operation::Close, now);
        if self.phase == Phase::Forward && !self.is_committed() {
            self.turn_back();
        }
        true
    }

    /// How a step is read again. It never is asked for less than before.
    pub(super) fn wanted_of_void(&self, step: usize) -> Option<Operation> {
        let state = self.steps[step];
        if !self.is_under_way() || state.is_contradicted {
            return None;
        }
        // An undo that may have left, or was accepted, is read again before it leaves once more.
        if state.asked == Some(Operation::Undo) && (state.undo.is_some() || self.plan.steps()[step].undo_leaves_once()) {
            return Some(Operation::Look);
        }
        let least = if state.was_done() || !self.plan.steps()[step].closes() { Operation::Look } else { Operation::Close };
        // Where one store has both, the gate may be as open as this step is in doubt.
        state.asked.filter(|_| !self.is_held(step)).max(Some(least))
    }

    /// The steps whose answers a command rests on, and which it must not outlive: what is irrevocable rests on everything that is
    /// done, and an undo on the gate that is off. While the participant of one of them is known to have been put back, the command
    /// does not leave, though nobody has accepted that yet.
    #[must_use]
    pub fn rests_on(&self, command: Command) -> Vec<usize> {
        let Some(gate) = self.plan.gate().filter(|_| G::KNOWN_RESTORE_HOLDS) else { return Vec::new() };
        let is_irrevocable = command.operation == Operation::Act && command.step >= gate;
        let is_undo = command.operation == Operation::Undo && command.step < gate;
        let carries = |&step: &usize| {
            let state = self.steps[step];
            step != command.step && ((is_irrevocable && state.is_done()) || (is_undo && step == gate && state.is_off()))
        };
        (0..self.steps.len()).filter(carries).collect()
    }

    /// Nothing irrevocable is asked for while anything is to be read again, not even once more; and nothing is undone while
    /// the gate is.
    pub(super) fn is_held(&self, step: usize) -> bool {
        let Some(gate) = self.plan.gate() else { return false };
        match self.steps[step].asked {
            Some(Operation::Act) => step >= gate && self.steps.iter().any(|other| other.is_void),
            Some(Operation::Undo) => step < gate && self.steps[gate].is_void && G::FORGOTTEN_GATE_HOLDS_UNDOS,
            Some(Operation::Look | Operation::Close) | None => false,
        }
    }

    /// Takes the answer of a participant about what it had answered in a former life.
    pub(super) fn read_again(&mut self, to: Command, answer: Answer, evidence: Evidence) {
        let Answer::State(told) = answer else { return self.contradicted(to.step, evidence) };
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
            // What was done is forgotten. It keeps nothing else, and a person has to say what became of it, or that it is read again.
            return self.contradicted(to.step, evidence);
        }
        state.known = Some(told);
        state.is_void = false;
        state.undo = state.undo.filter(|_| told == Definite::Done);
        self.check_promises(evidence);
    }
}
