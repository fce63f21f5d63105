//! What the coordinator does where an answer fits what was asked for but for a value that it was compared with.
//!
//! | the answer | what is known | the coordinator |
//! | --- | --- | --- |
//! | says that something is in effect under our key, with other values (50 of 100) | it is there, and it is not what was asked for: neither done nor off | turns the saga back through the gate, and undoes it |
//! | says that something was undone, with other values (a refund of 50) | what is left of it is in effect | goes on asking for the undo, and says so; where the undo may leave only once a person has to look |
//! | is about something else (another reference), or does not say whose it is | nothing | turns the saga back, and asks on; of an undo that is being asked for it is told |
//!
//! What says that something else is there and not whose it is may be asked for on and on: a provider that took 50 of 100 says so
//! each time. So a person may mark a step of which that was said and whose key nobody can close, while it is asked for all the same.
//!
//! What a person has marked as undone was done before, so whoever still says that something else is in effect says nothing new; any
//! other mark is overruled by it, as by every answer of a participant.
//!
//! Where there is no way back (the gate itself, and what comes after it) a person has to look. In each case it is told at once.

use super::coordinator::{Coordinator, Phase, StepState};
use super::message::Evidence;
use crate::guards::Guards;
use crate::party::Time;
use crate::register::Definite;

/// From this version on a person may mark what was answered for otherwise and cannot be closed.
const UNCLEAR_IS_MARKED: u32 = 2;

impl StepState {
    /// Answers speak of something else than was asked for, and nothing is known of it: a person may say what became of it.
    pub(super) fn is_unclear(self) -> bool {
        self.is_other && self.known.is_none() && self.mark.is_none()
    }

    /// Something else is in effect than was asked for, whatever a person has said.
    fn know_other(&mut self) {
        self.know(Definite::Done);
        self.is_other = true;
    }
}

impl<G: Guards> Coordinator<G> {
    /// An answer about a step's key was not about what was asked for.
    pub(super) fn take_other_values(&mut self, step: usize, in_effect: bool, now: Time) {
        let told_of = self.steps.get(step).filter(|state| !state.is_contradicted);
        let Some(known) = told_of.map(|state| state.known) else { return };
        // Before the start nothing was asked for, and what was undone or is off may well be spoken of by an answer that is late.
        // An undo is still asked for, and what is said of it is told, whatever it is about.
        let is_being_undone = known == Some(Definite::Done) && self.phase == Phase::TurningBack;
        let is_late = matches!(known, Some(Definite::Undone)) || (!in_effect && known.is_some() && !is_being_undone);
        if self.phase == Phase::Placed || is_late {
            return;
        }
        self.was_not_found_elsewhere(step);
        if in_effect {
            if !G::OTHER_VALUES_ARE_NOT_DONE {
                self.steps[step].known = known.or(Some(Definite::Done));
                return;
            }
            if !G::OTHER_VALUES_ARE_IN_EFFECT {
                self.steps[step].known = known.or(Some(Definite::Refused));
                return;
            }
            if self.took_other_values_on_mark(step, now) {
                return;
            }
            if self.took_late_effect(step, Definite::Done, now) || self.took_part_of_undo(step) {
                return;
            }
            let is_marked_no_more = self.version >= UNCLEAR_IS_MARKED;
            let state = &mut self.steps[step];
            match known {
                None if is_marked_no_more => state.know_other(),
                None => (state.known, state.is_other) = (Some(Definite::Done), true),
                // Turning back undoes it in any case.
                Some(Definite::Done) => {}
                Some(Definite::Refused | Definite::Closed | Definite::Undone) => {
                    return self.suspended_for(Evidence::OtherValues { step });
                }
            }
        }
        if !in_effect && self.version >= UNCLEAR_IS_MARKED && self.is_in_doubt_for_good(step) {
            self.steps[step].is_other = true;
        }
        let there_is_no_way_back = self.plan.gate().is_some_and(|gate| step >= gate);
        if in_effect && there_is_no_way_back {
            return self.contradicted(step, Evidence::OtherValues { step });
        }
        self.tell_beside(Evidence::OtherValues { step });
        if self.phase == Phase::Forward && !self.is_committed() {
            self.turn_back();
        }
    }

    /// Answers speak of something else than was asked for, and nothing is known of the step: a person may say what became of it.
    #[must_use]
    pub fn is_unclear(&self, step: usize) -> bool {
        self.steps.get(step).is_some_and(|state| state.is_unclear())
    }

    /// Something else is in effect under the key of a step that is marked. A word on it is overruled as by any other answer that
    /// something was done, so an effect that was said not to be there and appears after the end is undone, and told. Says whether it
    /// was dealt with here.
    fn took_other_values_on_mark(&mut self, step: usize, now: Time) -> bool {
        if !G::OTHER_VALUES_MEET_THE_MARK
            || self.version < UNCLEAR_IS_MARKED
            || !self.took_word_on_mark(step, Definite::Done, now)
        {
            return false;
        }
        let state = &mut self.steps[step];
        state.is_other = state.known == Some(Definite::Done);
        true
    }

    /// Nothing is known of it, nobody has marked it, and nothing but an answer ends that.
    fn is_in_doubt_for_good(&self, step: usize) -> bool {
        let (state, plan) = (self.steps[step], self.plan.steps()[step]);
        state.known.is_none() && state.mark.is_none() && self.was_asked(step) && !plan.closes() && !plan.harmless
    }

    /// The first step before the gate of which something else is in effect than was asked for.
    pub(super) fn done_otherwise(&self) -> Option<usize> {
        let before = self.plan.gate().unwrap_or(self.steps.len());
        (0..before).find(|&step| self.steps[step].is_other && self.steps[step].known == Some(Definite::Done))
    }
}
