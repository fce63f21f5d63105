//! What is looked at after the end, for how long, and what a look proves by when it left.
//!
//! *Not found* is not *not done*: what was asked for may still be on the road. Once it cannot be any more, since the last of it
//! has died of old age, it is: so a look counts from when it **left**, and not from when its answer came. One that left
//! before the end of a watch may have been answered before an act arrived that was on the road beside it.

use super::coordinator::{Coordinator, Phase};
use super::due::{Come, Nature};
use super::message::{Command, Evidence, Operation};
use super::person::Mark;
use crate::guards::Guards;
use crate::party::Time;
use crate::register::{Answer, Definite};

/// From this version on the answer to a look ends a watch; before that a time-out does.
const LOOKS_END_WATCHES: u32 = 2;

impl<G: Guards> Coordinator<G> {
    /// A look that left at `left` was answered: this was there, or nothing that tells that it was done.
    pub(super) fn looked(&mut self, step: usize, found: Option<Definite>, left: Time, now: Time) {
        if step >= self.steps.len() {
            return;
        }
        if found != Some(Definite::Done) {
            self.was_not_found_elsewhere(step);
        }
        if self.version < LOOKS_END_WATCHES {
            return;
        }
        match found {
            Some(found) => self.check_after_the_end(step, found, left),
            None => self.note_nothing_after_the_end(step, left),
        }
        if found == Some(Definite::Done) {
            return self.found_not_undone(step, left, now);
        }
        if !G::NOTHING_FOUND_IS_NOT_REFUSED && found.is_none() && self.reads_back(step) {
            self.steps[step].known = Some(Definite::Refused);
            return;
        }
        // Nothing leaves after its answer has come, whatever the clock was when that was written down.
        let left = left.min(now);
        if self.steps[step].is_looked_for_undone() {
            return;
        }
        let is_late = self.watch_ends_at(step).is_some_and(|end| left >= end || !G::LOOK_COUNTS_FROM_ITS_LEAVING);
        if is_late {
            let state = &mut self.steps[step];
            state.was_seen_off = true;
            if state.refused_close && state.known.is_none() && state.moved.is_none() {
                state.known = Some(Definite::Refused);
            }
            self.tell_of_watch_elsewhere(step);
        }
    }

    /// Somebody has looked after the end, and found what contradicts it. It is kept, and changes the outcome no more. A look that
    /// left before says how things stood then.
    fn check_after_the_end(&mut self, step: usize, found: Definite, left: Time) {
        let state = self.steps[step];
        // What is there is no longer not found.
        let is_found = found == Definite::Done && left > self.clock;
        self.evidence = self.evidence.filter(|&told| !(is_found && told == Evidence::NotFound { step }));
        let contradicts = match self.phase {
            Phase::Completed => found != Definite::Done,
            Phase::Cancelled | Phase::Watching => found == Definite::Done && state.is_off(),
            Phase::Placed | Phase::Forward | Phase::TurningBack | Phase::Suspended | Phase::Settled => false,
        };
        // Whoever is asked after a move may keep other books: only what is there says anything.
        let is_of_others = state.moved.is_some() && found != Definite::Done;
        if contradicts && !is_of_others && left > self.clock {
            let to = Command { step, operation: Operation::Look };
            let evidence = Evidence::Contradiction { to, known: state.known, answer: Answer::State(found) };
            self.tell(evidence);
        }
    }

    /// Somebody has looked after the end for what was done, and was told that there is nothing. Not found is not *not done*, so it
    /// changes nothing; but once the look has to see what was done it is no silence either.
    fn note_nothing_after_the_end(&mut self, step: usize, left: Time) {
        let lag_ms = self.plan.steps()[step].peek_lag_ms;
        // Whoever is asked after a move may keep other books: that they do not know it says nothing.
        let has_to_be_seen = self.steps[step].is_done() && self.steps[step].moved.is_none();
        if self.phase == Phase::Completed && has_to_be_seen && left > self.clock.after(lag_ms) {
            self.tell(Evidence::NotFound { step });
        }
    }

    /// A close was answered with a refusal that does not hold. It closes nothing, so it is taken for nothing: everything else
    /// is taken back, a person is told, and the key is looked at until what was sent to it cannot be on the road any more.
    pub(super) fn take_refused_close(&mut self, step: usize, now: Time) {
        let state = &mut self.steps[step];
        if self.version < LOOKS_END_WATCHES || state.refused_close || self.phase == Phase::Suspended {
            return;
        }
        (state.refused_close, state.since) = (true, now);
        state.is_given_up |= self.plan.steps()[step].refused_close_ms.is_none();
        self.tell_beside(Evidence::RefusedClose { step });
        if self.phase == Phase::Forward {
            self.turn_back();
        }
    }

    /// A refusal after the decision is no contradiction: it is known, and only a person can do something about it.
    pub(super) fn refused_for_good(&self, evidence: Evidence) -> Option<Evidence> {
        let Evidence::Contradiction { to, known: None, answer: Answer::State(Definite::Refused) } = evidence else { return None };
        let is_told_apart = self.version >= LOOKS_END_WATCHES && self.plan.is_after_gate(to.step);
        is_told_apart.then_some(Evidence::RefusedForGood { step: to.step })
    }

    /// From when on a look at this step has to leave so that it ends the watch over its key if it finds nothing. `None` if
    /// its key is not watched: neither after the end nor, where nothing can close it, before.
    #[must_use]
    pub fn watch_ends_at(&self, step: usize) -> Option<Time> {
        let (plan, state) = (self.plan.steps().get(step)?, self.steps[step]);
        if self.wanted(step) != Some(Operation::Look) {
            return None;
        }
        if let Some(at) = self.undo_again_at(step) {
            return Some(at);
        }
        let watch_ms = if state.refused_close && state.known.is_none() {
            plan.refused_close_ms
        } else {
            plan.watch_ms.filter(|_| self.phase == Phase::Watching)
        };
        watch_ms.map(|watch_ms| state.since.after(watch_ms))
    }

    /// Whether an effect may still appear at a key of a saga that has ended without it.
    pub(super) fn is_looked_at_after_the_end(&self, step: usize) -> bool {
        let state = self.steps[step];
        // What was undone by hand may be seen as done for ever, so a look would prove nothing.
        let is_undone = state.known == Some(Definite::Undone) || state.is_marked(Mark::Undone);
        self.is_watched(step) && state.is_off() && !is_undone && !state.was_seen_off
    }

    /// A saga of which nothing is watched any more has ended for good.
    pub(super) fn end_watch(&mut self) {
        let ends = self.version >= LOOKS_END_WATCHES && self.phase == Phase::Watching;
        if ends && (0..self.steps.len()).all(|step| self.wanted(step).is_none()) {
            self.phase = Phase::Cancelled;
        }
    }

    /// In version 1 whoever drives a saga tells it that its watch is over, once somebody has looked.
    pub(super) fn end_watch_by_time(&mut self, come: Come) {
        if self.watched_until().is_some_and(|(until, since)| come.has(Some(until), since, Nature::Waits)) {
            for step in 0..self.steps.len() {
                if self.is_looked_at_after_the_end(step) {
                    self.tell_of_watch_elsewhere(step);
                }
            }
            self.phase = Phase::Cancelled;
        }
    }

    /// Until when the keys are watched, if nothing else is left to do and a time-out ends that, and from when that counts.
    pub(super) fn watched_until(&self) -> Option<(Time, Time)> {
        let all_settled = (0..self.steps.len()).all(|step| self.steps[step].is_settled() || self.was_never_sent(step));
        let ends_by_time = all_settled && self.version < LOOKS_END_WATCHES;
        let until = |step: usize| {
            let since = self.steps[step].since;
            Some((since.after(self.plan.steps()[step].watch_ms?), since))
        };
        (0..self.steps.len()).filter(|&step| ends_by_time && self.is_watched(step)).filter_map(until).max()
    }

    /// An effect where there was none for good, at a key that is watched for it. Says whether it was dealt with here.
    pub(super) fn took_late_effect(&mut self, step: usize, told: Definite, now: Time) -> bool {
        let was_off = matches!(self.steps[step].known, Some(Definite::Refused | Definite::Closed));
        // Where a close was refused and nothing was found in the end, an act that was carried out and undone meanwhile may still
        // be answered: to undo it once more does no harm.
        let may_appear = self.is_watched(step) || self.steps[step].refused_close;
        if !(was_off && told == Definite::Done && may_appear) {
            return false;
        }
        let can_be_undone = self.plan.gate().is_none_or(|gate| step < gate);
        let state = &mut self.steps[step];
        match self.phase {
            Phase::TurningBack if can_be_undone => state.known = Some(told),
            Phase::Watching | Phase::Cancelled => {
                state.known = Some(told);
                if can_be_undone {
                    state.ask(Operation::Undo, now);
                    self.phase = Phase::Watching;
                }
                self.suspended_for(Evidence::LateEffect { step });
            }
            Phase::Placed | Phase::Forward | Phase::TurningBack | Phase::Completed | Phase::Suspended | Phase::Settled => {
                return false;
            }
        }
        true
    }

    fn is_watched(&self, step: usize) -> bool {
        G::LATE_EFFECT_IS_UNDONE && self.plan.steps()[step].watch_ms.is_some() && !self.was_never_sent(step)
    }

    /// The saga ends without any effect, and keys at which one may appear all the same are watched.
    pub(super) fn end_in_neither(&mut self, now: Time) {
        self.phase = Phase::Cancelled;
        for step in 0..self.steps.len() {
            if self.is_watched(step) {
                self.steps[step].since = now;
                self.phase = Phase::Watching;
            }
        }
    }
}
