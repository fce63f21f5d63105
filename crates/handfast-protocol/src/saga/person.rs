//! What a person rules about a saga that cannot go on by itself, as inputs of the coordinator like any other.
//!
//! | a person says | the coordinator |
//! | --- | --- |
//! | *retry* | looks once more for an act or an undo that left once and was not found, and for an undo that has failed; everything else is only asked for sooner, which is the driver's |
//! | *resume* | asks anew what a participant has contradicted itself about, and for an undo that has failed |
//! | a step is *done* | goes on as if it were: forward through the gate, and for a step before it to its undo |
//! | a step is *not done* | waits for as long as an act may be on the road, looking for it, and only then takes it as off |
//! | a step is *undone* | takes it as off |
//! | *settle* | ends, in neither of the two |
//!
//! A mark is no answer. It is taken of a step only that nothing can be asked for any more, or whose answers speak of something else
//! ([`differs`](super::differs)), or that is looked for in a new life of
//! its participant ([`former`](super::former)); so a gate that can be closed is closed and not marked; and whatever a participant says of the key afterwards, or has said before, counts and the mark does
//! not. Why a person says so is kept in the journal and is no part of any state.

use alloc::vec::Vec;

use super::coordinator::{Coordinator, Phase, StepState};
use super::due::{Come, Nature};
use super::message::{Command, Evidence, Operation};
use super::plan::Doubt;
use crate::guards::Guards;
use crate::party::{Input, Party as _, Time};
use crate::register::{Answer, Definite};

/// What a person knows of a step that nobody can be asked about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Mark {
    /// It was done, and is in effect.
    Done,
    /// It was not done.
    NotDone,
    /// It was done, and has been undone by hand.
    Undone,
}

impl Mark {
    /// Every one of them.
    pub const ALL: [Self; 3] = [Self::Done, Self::NotDone, Self::Undone];

    /// The word for it in a journal and on the screen.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::NotDone => "not_done",
            Self::Undone => "undone",
        }
    }

    /// The mark that [`name`](Self::name) gave this word to, if any did.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mark| mark.name() == name)
    }
}

/// What a person says about a saga.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Ruling {
    /// Ask again, and sooner, wherever that is safe.
    Retry,
    /// What a participant contradicted itself about has been seen to: ask it anew.
    Resume,
    /// What became of a step, found out by other means.
    Mark {
        /// The step, counted from 0.
        step: usize,
        /// What became of it.
        mark: Mark,
    },
    /// Wait for nobody any longer.
    Settle,
}

impl StepState {
    /// Somebody has marked it, and nothing that a participant said is known.
    pub(super) fn is_marked(self, mark: Mark) -> bool {
        self.mark == Some(mark) && self.known.is_none() && !self.is_contradicted
    }

    /// It is marked as not done, and an act may still be on the road.
    pub(super) fn waits_with_mark(self) -> bool {
        self.is_marked(Mark::NotDone) && !self.mark_counts
    }

    /// What a person says takes the place of everything that was known.
    pub(super) fn take_mark(&mut self, mark: Mark, counts: bool, now: Time) {
        (self.known, self.is_contradicted, self.is_given_up, self.is_other) = (None, false, true, false);
        self.mark_undo();
        (self.mark, self.mark_counts, self.since) = (Some(mark), counts, now);
    }

    /// A definite answer takes the place of a mark.
    pub(super) fn know(&mut self, told: Definite) {
        // What was not about this key is no part of what is known of it now.
        self.is_other &= self.known.is_some();
        self.known = Some(told);
        (self.mark, self.mark_counts) = (None, false);
        self.undo = self.undo.filter(|_| told == Definite::Done);
    }
}

impl<G: Guards> Coordinator<G> {
    /// Everything that a person can say now and that would change something.
    #[must_use]
    pub fn rulings(&self) -> Vec<Ruling> {
        let marks = (0..self.steps.len()).flat_map(|step| Mark::ALL.map(|mark| Ruling::Mark { step, mark }));
        let all = [Ruling::Retry, Ruling::Resume].into_iter().chain(marks).chain([Ruling::Settle]);
        all.filter(|&ruling| self.after(ruling) != *self).collect()
    }

    /// The same saga after a person has said something.
    #[must_use]
    pub fn after(&self, ruling: Ruling) -> Self {
        let mut next = self.clone();
        next.step(self.clock, Input::Receive(super::Told::Ruled(ruling)));
        next
    }

    /// The time of the last input that changed anything.
    #[must_use]
    pub const fn clock(&self) -> Time {
        self.clock
    }

    /// Nothing can be asked for this step any more: only a person can find out what became of it.
    #[must_use]
    pub fn needs_person(&self, step: usize) -> bool {
        self.steps.get(step).is_some_and(|state| state.is_out_of_reach())
    }

    /// What a person has said of a step, for as long as no participant has said anything of it.
    #[must_use]
    pub fn step_mark(&self, step: usize) -> Option<Mark> {
        self.steps.get(step).and_then(|state| state.mark)
    }

    /// The step's effect is not there and never will be, by an answer or by a mark that counts.
    #[must_use]
    pub fn is_step_off(&self, step: usize) -> bool {
        self.steps.get(step).is_some_and(|state| state.is_off()) || self.was_never_possible(step)
    }

    /// The step's effect is there, by an answer or by a mark.
    #[must_use]
    pub fn is_step_done(&self, step: usize) -> bool {
        self.steps.get(step).is_some_and(|state| state.is_done())
    }

    /// The same saga, whichever contradiction it was: nothing but what people read of it depends on that. Whoever explores it
    /// has fewer states to look at.
    #[must_use]
    pub fn without_details(mut self) -> Self {
        if let Some(Evidence::Contradiction { to, .. }) = self.evidence {
            let to = Command { step: to.step, operation: Operation::Act };
            self.evidence = Some(Evidence::Contradiction { to, known: None, answer: Answer::OtherBody });
        }
        self
    }

    pub(super) fn rule(&mut self, ruling: Ruling, now: Time) {
        if self.phase == Phase::Placed {
            return;
        }
        if self.has_ended() {
            return self.rule_after_the_end(ruling, now);
        }
        match ruling {
            Ruling::Retry => self.look_again(now),
            Ruling::Resume => self.resume(),
            Ruling::Mark { step, mark } => self.mark(step, mark, now),
            Ruling::Settle => self.settle(),
        }
    }

    /// To look once more is always safe, to act is not.
    fn look_again(&mut self, now: Time) {
        self.look_once_more(now);
        for (state, plan) in self.steps.iter_mut().zip(self.plan.steps()) {
            let is_looked_for = matches!(plan.doubt, Doubt::Looks { .. }) && state.asked == Some(Operation::Look);
            if is_looked_for && state.is_out_of_reach() && !state.is_contradicted {
                (state.is_given_up, state.since) = (false, now);
                if !G::RETRY_SENDS_NOTHING_TWICE {
                    state.asked = Some(Operation::Act);
                }
            }
        }
    }

    /// What was known first holds if it was that something is done, since that can be undone; of everything else nothing is.
    fn resume(&mut self) {
        self.ask_anew();
        for state in self.steps.iter_mut().filter(|state| state.is_contradicted) {
            state.is_contradicted = false;
            // What is there with other values is asked for anew, too: it may have been put right.
            state.known = state.known.filter(|&known| known == Definite::Done && !state.is_other);
            state.is_other = false;
        }
        // Once there is no way back what is off after all is for a person, whoever said so.
        if self.is_committed() {
            for state in self.steps.iter_mut().filter(|state| state.is_off()) {
                state.is_contradicted = true;
            }
        }
        // A saga of version 1 has not kept whom it was about.
        if self.phase == Phase::Suspended && matches!(self.evidence, Some(Evidence::Contradiction { .. })) {
            (self.phase, self.evidence) = (Phase::TurningBack, None);
        }
    }

    fn mark(&mut self, step: usize, mark: Mark, now: Time) {
        let gate = self.plan.gate();
        let before_gate = gate.is_none_or(|gate| step < gate);
        let nothing_followed = !G::FOLLOWED_GATE_STAYS || self.steps.iter().skip(step + 1).all(|after| after.asked.is_none());
        // What would make the two sides disagree for good leads nowhere: only to settle is left.
        let fits = match mark {
            Mark::Done if self.is_needed_to_close(step) => false,
            Mark::Done => {
                let is_gone = |state: &StepState| state.is_off() || state.asked == Some(Operation::Undo);
                gate != Some(step) || !self.steps[..step].iter().any(is_gone)
            }
            // That it was done is known where its undo has failed.
            Mark::NotDone if self.is_undo_out_of_reach(step) => false,
            // Nor does it become so by asking somebody else.
            Mark::NotDone if self.is_lost_by_moving(step) && self.steps[step].was_done() => false,
            Mark::NotDone => (gate == Some(step) && nothing_followed) || (before_gate && !self.is_committed()),
            Mark::Undone => before_gate && !self.is_committed(),
        };
        let may_stay_unconfirmed = self.may_stay_unconfirmed(step);
        if !fits || (mark == Mark::NotDone && self.close_unconfirmed(step, now)) {
            return;
        }
        let counts = mark != Mark::NotDone || self.is_clear_of_what_moved(step) || !G::NOT_DONE_IS_NO_ANSWER;
        let Some(state) = self.steps.get_mut(step) else { return };
        let is_open_gate = gate == Some(step) && state.asked.is_some() && state.known.is_none() && state.mark.is_none();
        let may_be_marked = state.is_out_of_reach()
            || state.is_unclear()
            || may_stay_unconfirmed
            || (state.waits_with_mark() && mark != Mark::NotDone)
            || (!G::GATE_IS_CLOSED_NOT_MARKED && is_open_gate);
        if !may_be_marked {
            return;
        }
        state.is_void = false;
        state.take_mark(mark, counts, now);
    }

    fn settle(&mut self) {
        let may_be_settled = match self.phase {
            Phase::TurningBack | Phase::Suspended => true,
            Phase::Forward => self.is_committed(),
            Phase::Placed | Phase::Completed | Phase::Cancelled | Phase::Watching | Phase::Settled => false,
        };
        if may_be_settled {
            self.phase = if G::SETTLED_IS_NO_OUTCOME { Phase::Settled } else { Phase::Cancelled };
        }
    }

    /// When a step that is marked as not done is taken as off: nothing is on the road any more then.
    pub(super) fn mark_counts_at(&self, step: usize) -> Option<Time> {
        let state = self.steps[step];
        state.waits_with_mark().then(|| state.since.after(self.plan.marked_ms(step)))
    }

    /// The first mark whose time is over counts.
    pub(super) fn count_mark(&mut self, come: Come) {
        let is_over = |&step: &usize| come.has(self.mark_counts_at(step), self.steps[step].since, Nature::Waits);
        if let Some(step) = (0..self.steps.len()).find(is_over) {
            if self.asks_for_word_again(step) {
                return;
            }
            // Where there is no way back any more a person has to say something else of it.
            let fits = !self.is_committed();
            let state = &mut self.steps[step];
            (state.mark, state.mark_counts) = (state.mark.filter(|_| fits), fits);
        }
    }

    /// Something definite is told of a step that is marked, and means nothing new, or comes after the end. Says whether it was
    /// dealt with here.
    pub(super) fn took_word_on_mark(&mut self, step: usize, told: Definite, now: Time) -> bool {
        let state = &mut self.steps[step];
        let Some(mark) = state.mark else { return false };
        // What was undone by hand was done before, and an answer that says so is an old one.
        if !G::MARK_IS_OVERRULED || (mark, told) == (Mark::Undone, Definite::Done) {
            return true;
        }
        let is_late = matches!(self.phase, Phase::Cancelled | Phase::Watching) && told == Definite::Done;
        if !is_late {
            return false;
        }
        state.know(told);
        if self.plan.gate().is_none_or(|gate| step < gate) {
            state.ask(Operation::Undo, now);
            self.phase = Phase::Watching;
        }
        self.suspended_for(Evidence::LateEffect { step });
        true
    }

    /// A participant contradicts itself about a step. Nothing is asked for that step any more, and it keeps nothing else: a saga
    /// that is not decided yet turns back, so that whatever can be taken back is.
    pub(super) fn contradicted(&mut self, step: usize, evidence: Evidence) {
        if self.version < 2 || !G::CONTRADICTION_KEEPS_NOTHING_ELSE {
            return self.suspended_for(evidence);
        }
        if self.phase == Phase::Watching {
            // It is not asked for ever what it refuses, and that it refuses is more than that the effect appeared late.
            self.steps[step].is_contradicted = true;
            return self.needs_person_to_undo(step, evidence);
        }
        self.tell(evidence);
        if self.has_ended() {
            return;
        }
        let may_turn_back = matches!(self.phase, Phase::Placed | Phase::Forward) && !self.is_committed();
        self.steps[step].is_contradicted = true;
        (self.steps[step].mark, self.steps[step].mark_counts) = (None, false);
        if may_turn_back {
            self.turn_back();
        }
    }

    /// A suspended saga goes on where something has become known of a step since.
    pub(super) fn go_on_after(&mut self, before: &Self) {
        let is_news = self.phase == Phase::Suspended && before.phase == Phase::Suspended && self.steps != before.steps;
        if !is_news || (self.version < 2 && self.steps.iter().all(|state| state.mark.is_none())) {
            return;
        }
        let is_about = match self.evidence {
            Some(Evidence::Contradiction { to, .. }) => Some(to.step),
            Some(
                Evidence::OutOfReach { step }
                | Evidence::LateEffect { step }
                | Evidence::RefusedClose { step }
                | Evidence::RefusedForGood { step }
                | Evidence::UndoFailed { step }
                | Evidence::NotFound { step }
                | Evidence::OtherValues { step }
                | Evidence::Moved { step },
            ) => Some(step),
            None => None,
        };
        self.evidence = self.evidence.filter(|_| is_about.is_some_and(|step| self.needs_person(step)));
        self.turn_back();
    }
}
