//! What the coordinator does for participants that promise less than the contract: keys that cannot be closed, acts that
//! must not be repeated, refusals that do not hold, holds that lapse, and effects that appear after the end.
//!
//! | the participant | the coordinator |
//! | --- | --- |
//! | cannot close a key | asks it to act until it answers, and then undoes; it stops before the key may be forgotten |
//! | may not be asked to act twice | marks the act as sent before it is sent, and from then on only looks for it |
//! | refuses, and may accept the same act later | closes the key after a refusal; where that is refused too, looks until nothing can be there |
//! | undoes nothing, and remembers nothing, where nothing is | is asked to close a key in doubt before it is asked to undo |
//! | may do it twice, and that hurts nobody | asks until it answers; in doubt it is as good as off, and the first answer stays |
//! | holds an amount for a time only | is not waited for: what is not committed in time turns back |
//! | may show an effect after all this | is looked at after the end; what appears is undone, and told |
//!
//! What is looked at after the end, and until when, is in [`watch`](super::watch).
//!
//! Where nothing else is safe a person is asked: *unknown* never becomes *failed*. Before that everything else is brought to
//! where it belongs: one step that nobody can ask for keeps no refund.

use super::coordinator::{Coordinator, Phase, StepState};
use super::due::{Come, Nature};
use super::message::{Command, Evidence, Operation};
use super::needs::Closing;
use super::plan::Doubt;
use crate::guards::Guards;
use crate::party::Time;
use crate::register::{Answer, Definite};

impl<G: Guards> Coordinator<G> {
    /// What is to be delivered for a step, if anything is.
    pub(super) fn wanted(&self, step: usize) -> Option<Operation> {
        let state = self.steps[step];
        if self.phase == Phase::Watching && self.is_looked_at_after_the_end(step) {
            return Some(Operation::Look);
        }
        if state.moved.is_some() {
            return self.wanted_of_moved(step);
        }
        if state.is_void {
            return self.wanted_of_void(step);
        }
        if self.is_held(step) {
            return None;
        }
        if state.waits_with_mark() {
            return Some(Operation::Look);
        }
        if state.refused_close && state.is_waited_for() && self.is_under_way() {
            return Some(Operation::Look);
        }
        if state.is_looked_for_undone() {
            return Some(Operation::Look);
        }
        let is_moot = self.phase != Phase::Forward && (self.was_never_sent(step) || self.is_harmless_in_doubt(step));
        state.asked.filter(|_| !state.is_settled() && !is_moot && !state.is_out_of_reach())
    }

    /// Whether a step may be looked at beside what is to be delivered for it, since its participant can say by a look what it did not
    /// say by an answer.
    #[must_use]
    pub fn reads_back(&self, step: usize) -> bool {
        let may_be_looked_at = self.plan.steps().get(step).is_some_and(|plan| plan.reads_back);
        may_be_looked_at
            && self.steps[step].known.is_none()
            && matches!(self.wanted(step), Some(Operation::Act | Operation::Close))
            && self.is_under_way()
    }

    /// It goes forward, or turns back.
    pub(super) fn is_under_way(&self) -> bool {
        matches!(self.phase, Phase::Forward | Phase::TurningBack)
    }

    /// Tells apart what is due: one thing a time-out, so that no two of them are taken for one another.
    pub(super) fn expire(&mut self, come: Come, now: Time) {
        match self.phase {
            Phase::Forward => {
                let step_was_due = self.expire_steps(come, now);
                if step_was_due {
                    return;
                }
                if self.commit_by().is_some_and(|(by, since)| come.has(Some(by), since, Nature::Stops)) {
                    self.turn_back();
                } else {
                    self.give_up(come);
                }
            }
            Phase::TurningBack => {
                if !self.give_up_undo(come) {
                    self.give_up(come);
                }
            }
            Phase::Watching => {
                if !self.give_up_undo(come) {
                    self.end_watch_by_time(come);
                }
            }
            Phase::Placed | Phase::Completed | Phase::Cancelled | Phase::Suspended | Phase::Settled => {}
        }
    }

    /// By when the saga has to be committed, because an effect that it rests on lapses by itself, and from when that counts.
    pub(super) fn commit_by(&self) -> Option<(Time, Time)> {
        let gate = self.plan.gate().filter(|_| G::HOLD_IS_COMMITTED_IN_TIME && !self.is_committed())?;
        let by = |(state, plan): (&StepState, &super::StepPlan)| {
            let within_ms = plan.commit_within_ms.filter(|_| state.asked.is_some())?;
            Some((state.since.after(within_ms), state.since))
        };
        self.steps[..gate].iter().zip(self.plan.steps()).filter_map(by).min()
    }

    /// When a step that is in doubt must not be asked any more.
    pub(super) fn gives_up_at(&self, step: usize) -> Option<Time> {
        let state = self.steps[step];
        let plan = self.plan.steps()[step];
        let after_ms = match (plan.doubt, state.asked) {
            (Doubt::Repeats { last_send_ms }, Some(Operation::Act)) if G::FORGOTTEN_KEY_IS_LEFT_ALONE => last_send_ms,
            (Doubt::Looks { horizon_ms }, Some(Operation::Look)) => horizon_ms,
            // Where a close was refused nobody closes it any more.
            (_, Some(Operation::Close | Operation::Undo)) if state.refused_close => None,
            (_, Some(Operation::Close | Operation::Undo)) if G::FORGOTTEN_KEY_IS_NOT_CLOSED => plan.forgotten_ms,
            (Doubt::Closes | Doubt::Repeats { .. } | Doubt::Looks { .. }, _) => None,
        };
        after_ms.filter(|_| state.is_waited_for()).map(|after_ms| state.since.after(after_ms))
    }

    /// What is not safe to ask for any more is left to a person. It keeps nothing else: a saga that is not decided yet turns
    /// back, so that whatever can be taken back is.
    fn give_up(&mut self, come: Come) {
        let is_over = |&step: &usize| come.has(self.gives_up_at(step), self.steps[step].since, self.nature_of_giving_up(step));
        let Some(step) = (0..self.steps.len()).find(is_over) else { return self.count_mark(come) };
        if !G::REST_IS_TAKEN_BACK {
            return self.suspended_for(Evidence::OutOfReach { step });
        }
        self.steps[step].is_given_up = true;
        if self.plan.gate().is_none_or(|gate| step < gate) {
            self.turn_back();
        }
    }

    /// A saga of which only what is out of reach is left waits for a person.
    pub(super) fn rest_on_a_person(&mut self) {
        // What has moved is waited for where the saga is, as long as it goes forward.
        let waits_here = |state: StepState| self.phase == Phase::Forward && state.is_lost_by_moving();
        let is_out_of_reach = |state: StepState| state.is_out_of_reach() && !waits_here(state);
        let out_of_reach = (0..self.steps.len()).find(|&step| is_out_of_reach(self.steps[step]));
        if let Some(step) = out_of_reach.filter(|_| self.is_under_way() && !self.is_in_doubt()) {
            self.suspended_for(Evidence::OutOfReach { step });
        }
    }

    /// The act of a step that is sent once is about to leave.
    pub(super) fn mark_as_sent(&mut self, step: usize, now: Time) {
        let sent_once = self.plan.steps().get(step).is_some_and(|plan| matches!(plan.doubt, Doubt::Looks { .. }));
        if sent_once && self.phase == Phase::Forward && self.was_never_sent(step) && G::ACT_IS_MARKED_AS_SENT {
            let state = &mut self.steps[step];
            if state.asked.is_some() {
                (state.asked, state.since) = (Some(Operation::Look), now);
            }
        }
    }

    /// Nothing can have left for this key. Of an act that is sent once that is known until it is marked, since whoever
    /// marks it must find the journal as it was.
    pub(super) fn was_never_sent(&self, step: usize) -> bool {
        let state = self.steps[step];
        let latest_unsent = match self.plan.steps()[step].doubt {
            Doubt::Closes | Doubt::Repeats { .. } => None,
            Doubt::Looks { .. } => Some(Operation::Act),
        };
        state.known.is_none() && (state.asked.is_none() || state.asked == latest_unsent)
    }

    /// What a look has found. Only what is there counts; everything else may be old, or of somebody else.
    pub(super) fn find(&mut self, step: usize, answer: Answer, now: Time) {
        let Answer::State(found) = answer else { return };
        if self.found_undone(step, found) {
            return;
        }
        if self.took_late_effect(step, found, now) || self.took_word_on_mark(step, found, now) {
            return;
        }
        let refusal_holds = self.plan.steps()[step].refusal_holds;
        let state = &mut self.steps[step];
        let counts = match found {
            Definite::Done => true,
            Definite::Refused => refusal_holds || !G::LOOSE_REFUSAL_IS_NOT_FOUND,
            Definite::Closed | Definite::Undone => false,
        };
        if counts && state.known.is_none() {
            state.know(found);
        }
    }

    /// A refusal that does not hold proves nothing while an act may be on the road. Says whether it was dealt with here.
    pub(super) fn took_loose_refusal(&mut self, to: Command, told: Definite, now: Time) -> bool {
        let plan = self.plan.steps()[to.step];
        let is_loose = told == Definite::Refused && !plan.refusal_holds;
        if !is_loose || !G::LOOSE_REFUSAL_IS_CLOSED {
            return false;
        }
        let cannot_refuse = self.plan.is_after_gate(to.step);
        let is_known = self.steps[to.step].known.is_some();
        match plan.doubt {
            _ if is_known || cannot_refuse || self.steps[to.step].mark.is_some() => {}
            // What is told of a close or an undo leaves the key as open as it was.
            Doubt::Closes if to.operation != Operation::Act && !G::REFUSED_CLOSE_CLOSES_NOTHING => return false,
            Doubt::Closes if to.operation != Operation::Act => self.take_refused_close(to.step, now),
            Doubt::Closes => self.steps[to.step].ask(Operation::Close, now),
            // Somebody accepted this risk: there is nothing better than to take it, and to look again afterwards.
            Doubt::Repeats { .. } | Doubt::Looks { .. } => return false,
        }
        true
    }

    /// Whatever became of it hurts nobody, and nobody has kept anything by which it could be used.
    pub(super) fn is_harmless_in_doubt(&self, step: usize) -> bool {
        self.plan.steps()[step].harmless && self.steps[step].known.is_none()
    }

    /// What a second act did where that hurts nobody is something else than what is known: nobody kept it.
    pub(super) fn is_of_a_duplicate(&self, to: Command) -> bool {
        let is_harmless = self.plan.steps()[to.step].harmless && to.operation == Operation::Act;
        is_harmless && G::FIRST_OF_HARMLESS_STAYS && (!self.is_under_way() || self.steps[to.step].known.is_some())
    }

    /// Nothing is in effect for this key, and nothing will be.
    pub(super) fn is_off_for_good(&self, step: usize) -> bool {
        let state = self.steps[step];
        if self.closing(step) == Closing::NeverAsked || (self.is_harmless_in_doubt(step) && !state.is_contradicted) {
            return true;
        }
        if state.is_off() || state.is_contradicted || self.plan.steps()[step].closes() {
            return state.is_off();
        }
        self.was_never_sent(step) || (!G::UNCLOSABLE_IS_ASKED_AGAIN && state.known.is_none())
    }

    /// Brings the key of a compensatable step back to nothing. Undos start only once the gate is shut, but even while it
    /// is silent nobody is charged any more.
    pub(super) fn take_back(&mut self, step: usize, undo: bool, now: Time) {
        let plan = self.plan.steps()[step];
        match self.closing(step) {
            Closing::Possible => {}
            Closing::Awaited | Closing::NeverAsked => return,
            Closing::Lost => return self.steps[step].is_given_up = true,
        }
        let is_needed = self.is_needed_to_close(step);
        let undo = undo && plan.undo_after.is_none_or(|other| self.is_off_for_good(other) || !G::UNDO_WAITS_ITS_TURN);
        let state = &mut self.steps[step];
        let in_doubt = state.known.is_none() && !state.is_done();
        if state.is_off() || (in_doubt && !plan.closes()) {
            return;
        }
        // What closes another step's key has to be known as done before it is undone.
        let undo_tells = plan.undo_closes && !(is_needed && G::NEED_IS_KNOWN_BEFORE_UNDO);
        if undo && (!in_doubt || undo_tells || !G::ABSENT_IS_CLOSED_BEFORE_UNDO) {
            state.ask(Operation::Undo, now);
        } else if in_doubt {
            state.ask(Operation::Close, now);
        }
    }
}
