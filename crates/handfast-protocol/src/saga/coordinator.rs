//! The coordinator: the side that brings every step of a saga to *both* or *neither*.
//!
//! ```text
//!   placed --start--> forward: compensatable steps, stage by stage --all done--> the gate --done--> retriable steps --> completed
//!                        | refused, closed, deadline, cancel                        | refused or closed                  (both)
//!                        v                                                          v
//!                     turning back: close the gate's key ------------------> undo every compensatable step ----------> cancelled
//!                        | done after all                                                                                (neither)
//!                        \--> forward, and no way back
//!   a contradiction --> everything else is taken back, then suspended, with the evidence (unreachable while participants keep
//!                        their promises)
//!   suspended --a person--> back into the loop, or settled: neither of the two, and a person has said so
//! ```
//!
//! What is different for participants that promise less is in [`doubt`](super::doubt); what a person may say is in
//! [`person`](super::person).
//!
//! The *gate* is the pivot, or the first retriable step in a plan without one. Its key is the register in which the saga
//! is decided: turning back begins by closing it, whether or not this journal says that it was ever sent, since a newer
//! copy of the journal or a worker that is behind may have sent it.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::marker::PhantomData;

use super::due::Come;
use super::message::{Command, Evidence, Operation, Outcome, Told};
use super::moved::Moved;
use super::needs::Closing;
use super::person::Mark;
use super::plan::Plan;
use super::standing::Standing;
use super::undo::UndoState;
use crate::PROTOCOL_VERSION;
use crate::guards::{Deployed, Guards};
use crate::party::{Input, Party, Time};
use crate::register::{Answer, Definite};

/// Where the saga as a whole is. Private: whoever drives a saga reads its outbox, not its state.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum Phase {
    Placed,
    Forward,
    TurningBack,
    Completed,
    Cancelled,
    Suspended,
    /// Cancelled, and looking whether an effect appears after all.
    Watching,
    /// A person waits for nobody any longer.
    Settled,
}

/// What was asked of one key and what is known of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct StepState {
    /// The highest command whose intent is in the journal.
    pub(super) asked: Option<Operation>,
    /// The furthest state of the register that an answer has shown.
    pub(super) known: Option<Definite>,
    /// When its act was intended, from which its deadlines count; for an act that is sent once, when it was sent; once the
    /// saga is watched after its end, when that began.
    pub(super) since: Time,
    /// It is not safe to ask for it any more. Counts only as long as nothing is known of it.
    pub(super) is_given_up: bool,
    /// A look that left once nothing could be on the road any more has found nothing.
    pub(super) was_seen_off: bool,
    /// Its participant answered a close with a refusal that does not hold, so that nothing can close it.
    pub(super) refused_close: bool,
    /// What is in effect is not what was asked for: it counts as neither done nor off, and is undone. As long as nothing is known,
    /// that an answer spoke of something else, without saying that it is in effect.
    pub(super) is_other: bool,
    /// Its participant has contradicted itself: it counts as neither done nor off, whatever was known.
    pub(super) is_contradicted: bool,
    /// What a person has said of it. Counts only as long as nothing is known of it.
    pub(super) mark: Option<Mark>,
    /// A mark as not done counts only once nothing can be on the road any more.
    pub(super) mark_counts: bool,
    /// What is known of it was answered by a former life of its participant, and has to be read again.
    pub(super) is_void: bool,
    /// What is known of an undo that was asked for and is not done.
    pub(super) undo: Option<UndoState>,
    /// It was asked for at another address than it would be now.
    pub(super) moved: Option<Moved>,
}

impl StepState {
    const UNTOUCHED: Self = Self {
        asked: None,
        known: None,
        since: Time(0),
        is_given_up: false,
        was_seen_off: false,
        refused_close: false,
        is_other: false,
        is_contradicted: false,
        mark: None,
        mark_counts: false,
        is_void: false,
        undo: None,
        moved: None,
    };

    /// Only a person can find out what became of it, or undo it.
    pub(super) fn is_out_of_reach(self) -> bool {
        let nobody_knows = self.is_given_up && self.known.is_none() && self.mark.is_none();
        self.is_contradicted || nobody_knows || self.is_undo_out_of_reach() || self.is_lost_by_moving()
    }

    /// Nothing is known of it, and it may still be asked for.
    pub(super) fn is_waited_for(self) -> bool {
        self.known.is_none() && !self.is_given_up && !self.is_contradicted
    }

    /// Nothing is left to deliver for this key.
    pub(super) fn is_settled(self) -> bool {
        match self.asked {
            None => true,
            Some(_) if self.is_void => false,
            Some(Operation::Act | Operation::Look | Operation::Close) => self.known.is_some() || self.is_done() || self.is_off(),
            Some(Operation::Undo) => self.is_off(),
        }
    }

    /// The effect is not there, and never will be (again).
    pub(super) fn is_off(self) -> bool {
        match self.known {
            _ if self.is_contradicted || self.is_void => false,
            Some(Definite::Refused | Definite::Closed | Definite::Undone) => true,
            Some(Definite::Done) => false,
            None => self.is_marked(Mark::Undone) || (self.is_marked(Mark::NotDone) && self.mark_counts),
        }
    }

    /// It is done, as far as anybody knows.
    pub(super) fn is_done(self) -> bool {
        self.was_done() && !self.is_void
    }

    /// It is done, or was in a former life of its participant.
    pub(super) fn was_done(self) -> bool {
        !self.is_contradicted && (self.known == Some(Definite::Done) && !self.is_other || self.is_marked(Mark::Done))
    }

    pub(super) fn ask(&mut self, operation: Operation, now: Time) {
        if self.asked.is_none() {
            self.since = now;
        }
        self.asked = self.asked.max(Some(operation));
    }
}

/// The saga coordinator, as a pure machine. `G` is [`Deployed`] wherever money is at stake.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Coordinator<G = Deployed> {
    pub(super) plan: Arc<Plan>,
    pub(super) phase: Phase,
    pub(super) steps: Vec<StepState>,
    /// The time of the last input that changed anything; the next one is never taken as earlier.
    pub(super) clock: Time,
    pub(super) evidence: Option<Evidence>,
    /// The version of the transition function that it is pinned to.
    pub(super) version: u32,
    guards: PhantomData<G>,
}

impl<G: Guards> Coordinator<G> {
    /// A saga of this plan that nobody has been asked for yet. Its first input is [`Input::Start`].
    #[must_use]
    pub fn new(plan: Arc<Plan>) -> Self {
        Self::pinned(plan, PROTOCOL_VERSION)
    }

    /// The same by the transition function of the version that the saga started with. A version that does not exist yet is
    /// followed as the newest one: whoever reads a journal refuses it before.
    #[must_use]
    pub fn pinned(plan: Arc<Plan>, version: u32) -> Self {
        let steps = vec![StepState::UNTOUCHED; plan.steps().len()];
        Self { plan, phase: Phase::Placed, steps, clock: Time(0), evidence: None, version, guards: PhantomData }
    }

    /// The same state under other guards. A state says nothing of the guards that led to it.
    #[must_use]
    pub fn under<H: Guards>(self) -> Coordinator<H> {
        let Self { plan, phase, steps, clock, evidence, version, guards: PhantomData } = self;
        Coordinator { plan, phase, steps, clock, evidence, version, guards: PhantomData }
    }

    /// The plan it follows.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The same saga by a plan whose steps are the same but for their times. Whoever explores it with a clock that stands
    /// still makes one thing due and another not in this way.
    ///
    /// # Panics
    /// If the plan has another number of steps.
    #[must_use]
    pub fn timed_by(mut self, plan: Arc<Plan>) -> Self {
        assert_eq!(plan.steps().len(), self.steps.len(), "the steps are the same but for their times");
        self.plan = plan;
        self
    }

    /// How it stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match self.phase {
            Phase::Placed => Standing::Placed,
            Phase::Forward if self.waits_where_it_moved() => Standing::Suspended,
            Phase::Forward if self.is_committed() => Standing::Committed,
            Phase::Forward => Standing::Acting,
            Phase::TurningBack => Standing::Cancelling,
            Phase::Completed => Standing::Completed,
            Phase::Cancelled | Phase::Watching => Standing::Cancelled,
            Phase::Suspended => Standing::Suspended,
            Phase::Settled => Standing::Settled,
        }
    }

    /// What is known of a step's key, and the highest command that was asked for it.
    #[must_use]
    pub fn step_state(&self, step: usize) -> (Option<Operation>, Option<Definite>) {
        self.steps.get(step).map_or((None, None), |state| (state.asked, state.known))
    }

    /// What is known of a step's key was answered by a former life of its participant, and has not been confirmed since.
    #[must_use]
    pub fn is_unconfirmed(&self, step: usize) -> bool {
        self.steps.get(step).is_some_and(|state| state.is_void && !state.is_contradicted)
    }

    /// Some command may be under way, and no definite answer to it is known.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        (0..self.steps.len()).any(|step| self.wanted(step).is_some())
    }

    /// Why a person has to look at it, if one has to. A saga that had ended before stays ended.
    #[must_use]
    pub const fn evidence(&self) -> Option<Evidence> {
        self.evidence
    }

    pub(super) fn is_committed(&self) -> bool {
        self.plan.gate().is_some_and(|gate| self.steps[gate].was_done())
    }

    pub(super) fn has_ended(&self) -> bool {
        matches!(self.phase, Phase::Completed | Phase::Cancelled | Phase::Watching | Phase::Settled)
    }

    /// The evidence of what a person has to look at. That other values were seen keeps nobody from going on, so it is none, but
    /// for where there is no way back.
    pub(super) fn in_the_way(&self) -> Option<Evidence> {
        self.evidence.filter(|evidence| match *evidence {
            Evidence::OtherValues { step } => {
                self.steps.get(step).is_some_and(|state| state.is_contradicted || state.is_undo_out_of_reach())
            }
            Evidence::Contradiction { .. }
            | Evidence::OutOfReach { .. }
            | Evidence::LateEffect { .. }
            | Evidence::RefusedClose { .. }
            | Evidence::RefusedForGood { .. }
            | Evidence::NotFound { .. }
            | Evidence::UndoFailed { .. }
            | Evidence::Moved { .. } => true,
        })
    }

    /// It says that nothing was seen, which anything that was seen is more than.
    pub(super) fn is_weak(&self, evidence: Evidence) -> bool {
        matches!(evidence, Evidence::NotFound { .. }) || (matches!(evidence, Evidence::Moved { .. }) && self.has_ended())
    }

    /// Something is told where what was told before is in the way still: the first counts, but for what is weak.
    pub(super) fn tell(&mut self, evidence: Evidence) {
        self.evidence = self.in_the_way();
        self.tell_beside(evidence);
    }

    /// The same beside anything that was told before, in the way or not.
    pub(super) fn tell_beside(&mut self, evidence: Evidence) {
        let gives_way = |told: Evidence| self.is_weak(told) && !self.is_weak(evidence);
        self.evidence = self.evidence.filter(|&told| !gives_way(told)).or(Some(evidence));
    }

    pub(super) fn suspended_for(&mut self, evidence: Evidence) {
        self.tell(evidence);
        if !self.has_ended() {
            self.phase = Phase::Suspended;
        }
    }

    fn start(&mut self) {
        if self.phase == Phase::Placed {
            self.phase = Phase::Forward;
        }
    }

    fn cancel(&mut self) {
        // Where the gate is known to be done this leads forward again at once.
        if matches!(self.phase, Phase::Placed | Phase::Forward) {
            self.turn_back();
        }
    }

    /// Closes the keys of steps whose deadline has passed: not known is neither done nor refused. Says whether any had.
    pub(super) fn expire_steps(&mut self, come: Come, now: Time) -> bool {
        let mut any = false;
        for step in 0..self.steps.len() {
            if !come.has(self.deadline_of(step), self.steps[step].since, self.nature_of_deadline(step)) {
                continue;
            }
            any = true;
            let closes = self.plan.steps()[step].closes();
            let state = &mut self.steps[step];
            if !G::UNKNOWN_IS_NOT_DONE {
                state.known = Some(Definite::Done);
            } else if !G::UNKNOWN_IS_NOT_REFUSED {
                state.known = Some(Definite::Refused);
            } else if closes {
                state.ask(Operation::Close, now);
            } else {
                self.turn_back();
            }
        }
        any
    }

    /// When a step's key is closed for want of an answer.
    pub(super) fn deadline_of(&self, step: usize) -> Option<Time> {
        let state = self.steps[step];
        let waiting = matches!(state.asked, Some(Operation::Act | Operation::Look)) && state.is_waited_for();
        self.plan.steps()[step].deadline_ms.filter(|_| waiting).map(|deadline_ms| state.since.after(deadline_ms))
    }

    /// Takes a definite answer, ordered by the register's own arrows rather than by its arrival.
    fn learn(&mut self, to: Command, answer: Answer, now: Time) {
        // Of whom it contradicted itself a participant is believed nothing more, until a person has seen to it.
        let told_of = self.steps.get(to.step).filter(|state| !state.is_contradicted);
        let Some(known) = told_of.map(|state| state.known) else { return };
        let evidence = Evidence::Contradiction { to, known, answer };
        if self.took_word_from_elsewhere(to, answer) {
            return self.check_promises(evidence);
        }
        if self.steps[to.step].is_void {
            return self.read_again(to, answer, evidence);
        }
        if to.operation == Operation::Look {
            self.find(to.step, answer, now);
            return self.check_promises(evidence);
        }
        if self.is_of_a_duplicate(to) {
            return;
        }
        let Answer::State(told) = answer else { return self.contradicted(to.step, evidence) };
        if self.took_loose_refusal(to, told, now) || self.took_late_effect(to.step, told, now) {
            return;
        }
        if self.took_word_on_mark(to.step, told, now) {
            return;
        }
        let undo_was_refused = to.operation == Operation::Undo && told == Definite::Done;
        let state = &mut self.steps[to.step];
        match (known, told) {
            _ if undo_was_refused => self.contradicted(to.step, evidence),
            (None, _) | (Some(Definite::Done), Definite::Undone) => state.know(told),
            (Some(known), _) if known == told => {}
            (Some(Definite::Undone), Definite::Done) => {
                if !G::STALE_ANSWER_IS_IGNORED {
                    state.known = Some(told);
                }
            }
            // Its refusals do not hold, and what was refused was closed later, as by an act after its time, or accepted and undone:
            // off either way.
            (Some(Definite::Refused), Definite::Closed | Definite::Undone) if state.refused_close => {}
            (Some(_), _) => self.contradicted(to.step, evidence),
        }
        self.check_promises(evidence);
    }

    /// Where there is no way back nothing may be missing: a step that is off after all is a broken promise.
    pub(super) fn check_promises(&mut self, evidence: Evidence) {
        let decided = self.is_committed() || self.phase == Phase::Completed;
        let is_broken = |&step: &usize| self.steps[step].is_off() && (decided || self.plan.is_after_gate(step));
        if let Some(step) = (0..self.steps.len()).find(is_broken) {
            self.contradicted(step, self.refused_for_good(evidence).unwrap_or(evidence));
        }
    }

    pub(super) fn turn_back(&mut self) {
        self.phase = Phase::TurningBack;
    }

    /// Goes on until nothing changes without a further input.
    fn proceed(&mut self, now: Time) {
        loop {
            let before = self.phase;
            match self.phase {
                Phase::Forward => self.go_forward(now),
                Phase::TurningBack => self.go_back(now),
                Phase::Placed | Phase::Completed | Phase::Cancelled | Phase::Watching | Phase::Suspended | Phase::Settled => {}
            }
            if self.phase == before {
                self.rest_on_moves();
                return self.rest_on_a_person();
            }
        }
    }

    fn go_forward(&mut self, now: Time) {
        if let Some(step) = self.done_otherwise().filter(|_| self.is_committed()) {
            return self.suspended_for(Evidence::OtherValues { step });
        }
        let lost = !self.is_committed() && self.steps.iter().any(|state| state.is_off());
        if G::CLOSED_ELSEWHERE_TURNS_BACK && lost {
            return self.turn_back();
        }
        if !self.is_committed() && self.is_late_by_moving() {
            return self.turn_back();
        }
        let plan = Arc::clone(&self.plan);
        for stage in plan.stages() {
            for step in stage.clone() {
                if !self.steps[step].is_done() {
                    self.steps[step].ask(Operation::Act, now);
                }
            }
            let decides_next = !G::DECISION_BEFORE_PIVOT && plan.gate() == Some(stage.end);
            if !decides_next && !self.steps[stage].iter().all(|state| state.is_done()) {
                return;
            }
        }
        if self.steps.iter().all(|state| state.is_done()) {
            self.phase = Phase::Completed;
        }
    }

    fn go_back(&mut self, now: Time) {
        let gate = self.plan.gate();
        if let Some(gate) = gate {
            if self.steps[gate].was_done() && G::DONE_PIVOT_MEANS_FORWARD {
                self.phase = Phase::Forward;
                return;
            }
            let can_be_closed = self.plan.steps()[gate].closes() && self.closing(gate) == Closing::Possible;
            if can_be_closed && (G::UNSENT_PIVOT_IS_CLOSED || self.steps[gate].asked.is_some()) {
                self.steps[gate].ask(Operation::Close, now);
            }
        }
        let shut = gate.is_none_or(|gate| {
            let state = self.steps[gate];
            self.is_off_for_good(gate)
                || (!G::UNSENT_PIVOT_IS_CLOSED && state.asked.is_none())
                || !G::DONE_PIVOT_MEANS_FORWARD && state.was_done()
        });
        let undo = shut || !G::PIVOT_CLOSED_BEFORE_UNDO;
        let compensatable = gate.unwrap_or(self.steps.len());
        for step in 0..compensatable {
            self.take_back(step, undo, now);
        }
        let undone = !G::UNDO_IS_AWAITED || (0..compensatable).all(|step| self.is_off_for_good(step));
        if shut && undone {
            self.end_in_neither(now);
        }
    }
}

impl<G: Guards> Party for Coordinator<G> {
    type Inbound = Told;
    type Outbound = Command;
    type Decision = Outcome;

    fn step(&mut self, now: Time, input: Input<Told>) {
        let now = now.max(self.clock);
        let mut next = self.clone();
        match input {
            Input::Start => next.start(),
            Input::Receive(Told::Cancel) => next.cancel(),
            Input::Receive(Told::Ruled(ruling)) => next.rule(ruling, now),
            Input::Receive(Told::Forgotten { step }) => next.forget(step),
            Input::Receive(Told::Moved { step, can_be_looked_at, came_back }) => {
                next.take_move(step, can_be_looked_at, came_back)
            }
            Input::Receive(Told::SameBooks { step }) => next.take_same_books(step),
            Input::Receive(Told::Sent { step }) => next.mark_as_sent(step, now),
            Input::Receive(Told::Answer { to, answer }) => next.learn(to, answer, now),
            Input::Receive(Told::Undo { step, told }) => next.heard_of_undo(step, told, now),
            Input::Receive(Told::Looked { step, found, left }) => next.looked(step, found, left, now),
            Input::Receive(Told::Differs { step, in_effect }) => next.take_other_values(step, in_effect, now),
            Input::Receive(Told::Due(due)) => next.expire(Come::Only(due), now),
            Input::Timeout => next.expire(Come::Until(now), now),
        }
        next.go_on_after(self);
        next.proceed(now);
        next.end_watch();
        // An input that means nothing leaves no trace, not even of when it came.
        if next != *self {
            next.clock = now;
            *self = next;
        }
    }

    fn outbox(&self) -> Vec<Command> {
        let silent = match self.phase {
            Phase::Placed | Phase::Suspended | Phase::Settled => true,
            Phase::Completed | Phase::Cancelled => G::UNDO_IS_AWAITED,
            Phase::Forward | Phase::TurningBack | Phase::Watching => false,
        };
        if silent {
            return Vec::new();
        }
        let mut outbox = Vec::new();
        for step in 0..self.steps.len() {
            if let Some(operation) = self.wanted(step) {
                outbox.push(Command { step, operation });
                if !G::COMMANDS_ARE_MONOTONE && operation != Operation::Act {
                    outbox.push(Command { step, operation: Operation::Act });
                }
            }
        }
        outbox
    }

    fn deadline(&self) -> Option<Time> {
        let steps = 0..self.steps.len();
        match self.phase {
            Phase::Forward => {
                let of_steps = steps.flat_map(|step| [self.deadline_of(step), self.gives_up_at(step), self.mark_counts_at(step)]);
                of_steps.flatten().chain(self.commit_by().map(|(by, _)| by)).min()
            }
            Phase::TurningBack => {
                let of_step = |step| [self.gives_up_at(step), self.undo_gives_up_at(step), self.mark_counts_at(step)];
                steps.flat_map(of_step).flatten().min()
            }
            Phase::Watching => {
                let of_undos = steps.filter_map(|step| self.undo_gives_up_at(step));
                of_undos.chain(self.watched_until().map(|(until, _)| until)).min()
            }
            Phase::Placed | Phase::Completed | Phase::Cancelled | Phase::Suspended | Phase::Settled => None,
        }
    }

    fn decision(&self) -> Option<Outcome> {
        match self.phase {
            Phase::Completed => Some(Outcome::Completed),
            Phase::Cancelled | Phase::Watching => Some(Outcome::Cancelled),
            Phase::Settled => Some(Outcome::Settled),
            Phase::Placed | Phase::Forward | Phase::TurningBack | Phase::Suspended => None,
        }
    }
}
