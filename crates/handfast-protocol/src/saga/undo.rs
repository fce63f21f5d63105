//! Undos that are done later, or fail later, and undos that may leave only once: a refund that is pending is no refund, and a
//! refund that is asked for twice may be paid twice.
//!
//! ```text
//!   asked for --accepted--> looked for --found undone--> off
//!       |                       \--failed--> a person    (asked anew, looked for once more, or marked)
//!       \--marked as sent, where it may leave only once--> looked for --found undone--> off
//!                  ^                                            | found done, by a look that left once nothing of it
//!                  \--------------------------------------------/ can be on the road any more; neither in time: a person
//! ```
//!
//! One that failed keeps nothing else: the rest is taken back all the same.

use alloc::vec::Vec;

use super::coordinator::{Coordinator, Phase, StepState};
use super::due::{Come, Nature};
use super::message::{Evidence, Operation, UndoTold};
use super::person::{Mark, Ruling};
use crate::guards::Guards;
use crate::party::Time;
use crate::register::Definite;

/// From this version on an undo may be accepted, fail, and leave only once.
const UNDOS_MAY_BE_ACCEPTED: u32 = 2;

/// What is known of an undo that was asked for and is not done.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum UndoState {
    /// It may leave only once, and may have left.
    Sent,
    /// It was accepted, and is under way.
    Accepted,
    /// It has failed for good: what was done is still there.
    Failed,
    /// It may have left, and it was not found in time what became of it.
    Lost,
}

impl StepState {
    /// It is to be undone, and is not known to be.
    pub(super) fn is_asked_back(self) -> bool {
        self.asked == Some(Operation::Undo) && !self.is_off() && !self.is_contradicted
    }

    /// Nobody can be asked to undo it any more.
    pub(super) fn is_undo_out_of_reach(self) -> bool {
        self.is_asked_back() && matches!(self.undo, Some(UndoState::Failed | UndoState::Lost))
    }

    /// When an undo left that may leave only once, as long as nothing is known of it.
    fn undo_sent_at(self) -> Option<Time> {
        (self.is_looked_for_undone() && self.undo == Some(UndoState::Sent)).then_some(self.since)
    }

    /// A look asks what became of its undo.
    pub(super) fn is_looked_for_undone(self) -> bool {
        self.is_asked_back() && !self.is_void && matches!(self.undo, Some(UndoState::Sent | UndoState::Accepted))
    }

    /// A mark of a person takes the place of what is known of its undo. One that may have left is looked for all the same.
    pub(super) fn mark_undo(&mut self) {
        self.undo = self.undo.filter(|undo| matches!(undo, UndoState::Sent | UndoState::Accepted));
    }
}

impl<G: Guards> Coordinator<G> {
    /// An undo that was asked for is about to leave, was accepted, or has failed.
    pub(super) fn heard_of_undo(&mut self, step: usize, told: UndoTold, now: Time) {
        let Some(plan) = self.plan.steps().get(step).copied() else { return };
        let is_open = matches!(self.phase, Phase::TurningBack | Phase::Watching | Phase::Suspended);
        let state = &mut self.steps[step];
        if self.version < UNDOS_MAY_BE_ACCEPTED || !is_open || !state.is_asked_back() {
            return;
        }
        match (told, state.undo) {
            (UndoTold::Sent, None) if plan.undo_leaves_once() && self.phase != Phase::Suspended => {
                (state.undo, state.since) = (Some(UndoState::Sent), now);
            }
            (UndoTold::Accepted, None | Some(UndoState::Sent)) if !G::ACCEPTED_UNDO_IS_AWAITED => state.know(Definite::Undone),
            // What cannot be looked for is asked for again.
            (UndoTold::Accepted, None | Some(UndoState::Sent | UndoState::Lost)) if plan.undoes_later => {
                state.undo = Some(UndoState::Accepted);
            }
            (UndoTold::Failed, None | Some(UndoState::Sent | UndoState::Accepted | UndoState::Lost))
                if G::FAILED_UNDO_IS_TOLD =>
            {
                state.undo = Some(UndoState::Failed);
                self.needs_person_to_undo(step, Evidence::UndoFailed { step });
            }
            (UndoTold::Sent | UndoTold::Accepted | UndoTold::Failed, _) => {}
        }
    }

    /// That the effect appeared late is less than that it stays.
    pub(super) fn needs_person_to_undo(&mut self, step: usize, evidence: Evidence) {
        let is_less = |told: &Evidence| *told == Evidence::LateEffect { step };
        self.evidence = self.evidence.filter(|told| !is_less(told));
        self.tell(evidence);
    }

    /// What was undone is not all of what was done. Where the undo may leave only once that is for a person: whoever asks again
    /// may give back more than was taken. Says whether it was dealt with here.
    pub(super) fn took_part_of_undo(&mut self, step: usize) -> bool {
        let may_leave_once = self.plan.steps()[step].undo_leaves_once();
        let state = &mut self.steps[step];
        let is_part = may_leave_once && state.is_asked_back() && state.undo.is_some();
        if is_part {
            state.undo = Some(UndoState::Failed);
            self.needs_person_to_undo(step, Evidence::OtherValues { step });
        }
        is_part
    }

    /// What a person says of an effect that appeared after the end in *neither*, once nobody can be asked to undo it. The outcome
    /// stays as it was told.
    pub(super) fn rule_after_the_end(&mut self, ruling: Ruling, now: Time) {
        let before_gate = |step: usize| self.plan.gate().is_none_or(|gate| step < gate);
        let is_for_person = |step: usize| before_gate(step) && self.steps[step].is_out_of_reach();
        let steps: Vec<usize> = (0..self.steps.len()).filter(|&step| is_for_person(step)).collect();
        if self.version < UNDOS_MAY_BE_ACCEPTED || !matches!(self.phase, Phase::Cancelled | Phase::Watching) || steps.is_empty() {
            return;
        }
        match ruling {
            Ruling::Retry => {
                self.look_once_more(now);
            }
            Ruling::Resume => {
                self.ask_anew();
                for &step in &steps {
                    let state = &mut self.steps[step];
                    if state.is_contradicted && state.known == Some(Definite::Done) {
                        state.is_contradicted = false;
                    }
                }
            }
            Ruling::Mark { step, mark: mark @ (Mark::Done | Mark::Undone) } if steps.contains(&step) => {
                let state = &mut self.steps[step];
                state.take_mark(mark, true, now);
            }
            // The outcome is told, and nobody is waited for: there is nothing to settle.
            Ruling::Mark { .. } | Ruling::Settle => {}
        }
        let is_seen_to = |step: usize| steps.contains(&step) && !self.steps[step].is_out_of_reach();
        if let Some(step) = steps.iter().copied().find(|&step| is_seen_to(step)) {
            self.phase = Phase::Watching;
            self.evidence = Some(Evidence::LateEffect { step });
        }
    }

    /// Whether a look at this step is about its undo, of which more is known than that it was asked for.
    #[must_use]
    pub fn is_about_undo(&self, step: usize) -> bool {
        self.steps.get(step).is_some_and(|state| state.is_asked_back() && state.undo.is_some())
    }

    /// The undo of this step has failed, or it cannot be found out what became of it.
    #[must_use]
    pub fn is_undo_out_of_reach(&self, step: usize) -> bool {
        self.steps.get(step).is_some_and(|state| state.is_undo_out_of_reach())
    }

    /// The undo of this step may have left, or was accepted, and is not known to be done.
    #[must_use]
    pub fn is_undo_pending(&self, step: usize) -> bool {
        self.steps
            .get(step)
            .is_some_and(|state| state.is_asked_back() && state.undo.is_some_and(|undo| undo != UndoState::Failed))
    }

    /// Whether this command may leave only once, so that it has to be marked before it does.
    #[must_use]
    pub fn leaves_once(&self, step: usize, operation: Operation) -> bool {
        let Some(plan) = self.plan.steps().get(step) else { return false };
        match operation {
            Operation::Act => matches!(plan.doubt, super::plan::Doubt::Looks { .. }),
            Operation::Undo => plan.undo_leaves_once() && G::UNDO_IS_MARKED_AS_SENT,
            Operation::Look | Operation::Close => false,
        }
    }

    /// A look has found that what was to be undone is. Says whether it was dealt with here.
    pub(super) fn found_undone(&mut self, step: usize, found: Definite) -> bool {
        let state = &mut self.steps[step];
        let is_undone = found == Definite::Undone && state.is_asked_back() && state.undo.is_some();
        if is_undone {
            state.know(found);
        }
        is_undone
    }

    /// A look that left then has found what was done still there. Where its undo may leave only once, it may leave again if
    /// nothing of it can be on the road any more.
    pub(super) fn found_not_undone(&mut self, step: usize, left: Time, now: Time) {
        let Some(again_at) = self.undo_again_at(step) else { return };
        // What is there at another address than it left for may be undone where it left for.
        if self.steps[step].moved.is_some() && G::UNDO_LEAVES_FOR_ONE_ADDRESS {
            return;
        }
        if left.min(now) >= again_at || !G::UNDO_IS_REPEATED_ONCE_LATE {
            self.steps[step].undo = None;
        }
    }

    /// When a look at an undo that may leave only once has to leave so that the undo may leave again.
    pub(super) fn undo_again_at(&self, step: usize) -> Option<Time> {
        Some(self.steps[step].undo_sent_at()?.after(self.plan.steps()[step].undo_again_ms?))
    }

    /// When a person is asked what became of an undo that may leave only once.
    pub(super) fn undo_gives_up_at(&self, step: usize) -> Option<Time> {
        Some(self.steps[step].undo_sent_at()?.after(self.plan.steps()[step].undo_once_ms?))
    }

    /// The first undo that may leave only once and was not found in time is left to a person. Says whether there is one.
    pub(super) fn give_up_undo(&mut self, come: Come) -> bool {
        let is_over = |&step: &usize| come.has(self.undo_gives_up_at(step), self.steps[step].since, Nature::Waits);
        let Some(step) = (0..self.steps.len()).find(is_over) else { return false };
        self.steps[step].undo = Some(UndoState::Lost);
        if self.has_ended() {
            self.needs_person_to_undo(step, Evidence::OutOfReach { step });
        }
        true
    }

    /// A person lets somebody look once more, for undos and where a step has moved. To look is always safe.
    pub(super) fn look_once_more(&mut self, now: Time) {
        self.look_where_they_moved();
        let plan = alloc::sync::Arc::clone(&self.plan);
        for (state, plan) in self.steps.iter_mut().zip(plan.steps()).filter(|(state, _)| state.is_undo_out_of_reach()) {
            match state.undo {
                Some(UndoState::Failed) if plan.undoes_later => state.undo = Some(UndoState::Accepted),
                Some(UndoState::Lost) => (state.undo, state.since) = (Some(UndoState::Sent), now),
                Some(UndoState::Failed | UndoState::Sent | UndoState::Accepted) | None => {}
            }
        }
    }

    /// A person has seen to what kept an undo from being done: it is asked for anew. What may have left is not. Where a step has
    /// moved it is looked for once more.
    pub(super) fn ask_anew(&mut self) {
        self.look_where_they_moved();
        for state in self.steps.iter_mut().filter(|state| state.is_undo_out_of_reach()) {
            state.undo = state.undo.filter(|&undo| undo != UndoState::Failed);
        }
    }
}
