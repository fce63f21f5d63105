//! The coordinator: the side that brings every step of a saga to *both* or *neither*.
//!
//! ```text
//!   placed --start--> forward: compensatable steps, stage by stage --all done--> the gate --done--> retriable steps --> completed
//!                        | refused, closed, deadline, cancel                        | refused or closed                  (both)
//!                        v                                                          v
//!                     turning back: close the gate's key ------------------> undo every compensatable step ----------> cancelled
//!                        | done after all                                                                                (neither)
//!                        \--> forward, and no way back
//!   a contradiction --> suspended, with the evidence (unreachable while participants keep their promises)
//! ```
//!
//! The *gate* is the pivot, or the first retriable step in a plan without one. Its key is the register in which the saga
//! is decided: turning back begins by closing it, whether or not this journal says that it was ever sent, since a newer
//! copy of the journal or a worker that is behind may have sent it.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::marker::PhantomData;

use super::message::{Command, Evidence, Operation, Outcome, Told};
use super::plan::Plan;
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
}

/// What was asked of one key and what is known of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct StepState {
    /// The highest command whose intent is in the journal.
    pub(super) asked: Option<Operation>,
    /// The furthest state of the register that an answer has shown.
    pub(super) known: Option<Definite>,
    /// When its act was intended, from which its deadline counts.
    pub(super) since: Time,
}

impl StepState {
    const UNTOUCHED: Self = Self { asked: None, known: None, since: Time(0) };

    /// Nothing is left to deliver for this key.
    fn is_settled(self) -> bool {
        match self.asked {
            None => true,
            Some(Operation::Act | Operation::Close) => self.known.is_some(),
            Some(Operation::Undo) => self.is_off(),
        }
    }

    /// The effect is not there, and never will be (again).
    fn is_off(self) -> bool {
        match self.known {
            Some(Definite::Refused | Definite::Closed | Definite::Undone) => true,
            Some(Definite::Done) | None => false,
        }
    }

    fn is_done(self) -> bool {
        self.known == Some(Definite::Done)
    }

    fn ask(&mut self, operation: Operation, now: Time) {
        if self.asked.is_none() {
            self.since = now;
        }
        self.asked = self.asked.max(Some(operation));
    }
}

/// The saga coordinator, as a pure machine. `G` is [`Deployed`] wherever money is at stake.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Coordinator<G = Deployed> {
    plan: Arc<Plan>,
    pub(super) phase: Phase,
    pub(super) steps: Vec<StepState>,
    /// The time of the last input that changed anything; the next one is never taken as earlier.
    pub(super) clock: Time,
    pub(super) evidence: Option<Evidence>,
    guards: PhantomData<G>,
}

/// How a saga stands, in the words that people read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Standing {
    /// Nothing was asked of anybody yet.
    Placed,
    /// On its way to *both*, and may still turn back.
    Acting,
    /// The gate is done: it can only go forward.
    Committed,
    /// On its way to *neither*.
    Cancelling,
    /// Ended: *both*.
    Completed,
    /// Ended: *neither*.
    Cancelled,
    /// A participant contradicted itself; a person has to look at the evidence.
    Suspended,
}

impl Standing {
    /// The word for it on the wire and on the screen.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Acting => "acting",
            Self::Committed => "committed",
            Self::Cancelling => "cancelling",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Suspended => "suspended",
        }
    }
}

impl<G: Guards> Coordinator<G> {
    /// A saga of this plan that nobody has been asked for yet. Its first input is [`Input::Start`].
    #[must_use]
    pub fn new(plan: Arc<Plan>) -> Self {
        let steps = vec![StepState::UNTOUCHED; plan.steps().len()];
        Self { plan, phase: Phase::Placed, steps, clock: Time(0), evidence: None, guards: PhantomData }
    }

    /// The plan it follows.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// How it stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match self.phase {
            Phase::Placed => Standing::Placed,
            Phase::Forward if self.is_committed() => Standing::Committed,
            Phase::Forward => Standing::Acting,
            Phase::TurningBack => Standing::Cancelling,
            Phase::Completed => Standing::Completed,
            Phase::Cancelled => Standing::Cancelled,
            Phase::Suspended => Standing::Suspended,
        }
    }

    /// What is known of a step's key, and the highest command that was asked for it.
    #[must_use]
    pub fn step_state(&self, step: usize) -> (Option<Operation>, Option<Definite>) {
        self.steps.get(step).map_or((None, None), |state| (state.asked, state.known))
    }

    /// Some command may be under way, and no definite answer to it is known.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        self.steps.iter().any(|step| !step.is_settled())
    }

    /// The contradiction, if a participant was caught in one. A saga that had ended before stays ended.
    #[must_use]
    pub const fn evidence(&self) -> Option<Evidence> {
        self.evidence
    }

    fn is_committed(&self) -> bool {
        self.plan.gate().is_some_and(|gate| self.steps[gate].is_done())
    }

    fn has_ended(&self) -> bool {
        matches!(self.phase, Phase::Completed | Phase::Cancelled)
    }

    fn contradicted(&mut self, evidence: Evidence) {
        self.evidence = self.evidence.or(Some(evidence));
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

    /// Closes the keys of steps whose deadline has passed: not known is neither done nor refused.
    fn expire(&mut self, now: Time) {
        if self.phase != Phase::Forward {
            return;
        }
        for step in 0..self.steps.len() {
            if self.deadline_of(step).is_some_and(|deadline| deadline <= now) {
                let state = &mut self.steps[step];
                if !G::UNKNOWN_IS_NOT_DONE {
                    state.known = Some(Definite::Done);
                } else if !G::UNKNOWN_IS_NOT_REFUSED {
                    state.known = Some(Definite::Refused);
                } else {
                    state.ask(Operation::Close, now);
                }
            }
        }
    }

    /// When a step's key is closed for want of an answer.
    fn deadline_of(&self, step: usize) -> Option<Time> {
        let state = self.steps[step];
        let waiting = state.asked == Some(Operation::Act) && state.known.is_none();
        self.plan.steps()[step].deadline_ms.filter(|_| waiting).map(|deadline_ms| state.since.after(deadline_ms))
    }

    /// Takes a definite answer, ordered by the register's own arrows rather than by its arrival.
    fn learn(&mut self, to: Command, answer: Answer) {
        let Some(state) = self.steps.get_mut(to.step) else { return };
        let known = state.known;
        let evidence = Evidence { to, known, answer };
        let Answer::State(told) = answer else { return self.contradicted(evidence) };
        let undo_was_refused = to.operation == Operation::Undo && told == Definite::Done;
        match (known, told) {
            _ if undo_was_refused => self.contradicted(evidence),
            (None, _) | (Some(Definite::Done), Definite::Undone) => state.known = Some(told),
            (Some(known), _) if known == told => {}
            (Some(Definite::Undone), Definite::Done) => {
                if !G::STALE_ANSWER_IS_IGNORED {
                    state.known = Some(told);
                }
            }
            (Some(_), _) => self.contradicted(evidence),
        }
        self.check_promises(evidence);
    }

    /// Where there is no way back nothing may be missing: a step that is off after all is a broken promise.
    fn check_promises(&mut self, evidence: Evidence) {
        let decided = self.is_committed() || self.phase == Phase::Completed;
        let broken = (0..self.steps.len()).any(|step| self.steps[step].is_off() && (decided || self.plan.is_after_gate(step)));
        if broken {
            self.contradicted(evidence);
        }
    }

    fn turn_back(&mut self) {
        self.phase = Phase::TurningBack;
    }

    /// Goes on until nothing changes without a further input.
    fn proceed(&mut self, now: Time) {
        loop {
            let before = self.phase;
            match self.phase {
                Phase::Forward => self.go_forward(now),
                Phase::TurningBack => self.go_back(now),
                Phase::Placed | Phase::Completed | Phase::Cancelled | Phase::Suspended => {}
            }
            if self.phase == before {
                return;
            }
        }
    }

    fn go_forward(&mut self, now: Time) {
        let lost = !self.is_committed() && self.steps.iter().any(|state| state.is_off());
        if G::CLOSED_ELSEWHERE_TURNS_BACK && lost {
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
            if self.steps[gate].is_done() && G::DONE_PIVOT_MEANS_FORWARD {
                self.phase = Phase::Forward;
                return;
            }
            if G::UNSENT_PIVOT_IS_CLOSED || self.steps[gate].asked.is_some() {
                self.steps[gate].ask(Operation::Close, now);
            }
        }
        let shut = gate.is_none_or(|gate| {
            let state = self.steps[gate];
            state.is_off()
                || (!G::UNSENT_PIVOT_IS_CLOSED && state.asked.is_none())
                || !G::DONE_PIVOT_MEANS_FORWARD && state.is_done()
        });
        let undo = shut || !G::PIVOT_CLOSED_BEFORE_UNDO;
        let compensatable = gate.unwrap_or(self.steps.len());
        for state in &mut self.steps[..compensatable] {
            if undo && !state.is_off() {
                state.ask(Operation::Undo, now);
            } else if state.known.is_none() {
                // Even while the gate is silent nobody is charged any more.
                state.ask(Operation::Close, now);
            }
        }
        let undone = !G::UNDO_IS_AWAITED || self.steps[..compensatable].iter().all(|state| state.is_off());
        if shut && undone {
            self.phase = Phase::Cancelled;
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
            Input::Receive(Told::Answer { to, answer }) => next.learn(to, answer),
            Input::Timeout => next.expire(now),
        }
        next.proceed(now);
        // An input that means nothing leaves no trace, not even of when it came.
        if next != *self {
            next.clock = now;
            *self = next;
        }
    }

    fn outbox(&self) -> Vec<Command> {
        let silent = match self.phase {
            Phase::Placed | Phase::Suspended => true,
            Phase::Completed | Phase::Cancelled => G::UNDO_IS_AWAITED,
            Phase::Forward | Phase::TurningBack => false,
        };
        if silent {
            return Vec::new();
        }
        let mut outbox = Vec::new();
        for (step, state) in self.steps.iter().enumerate().filter(|(_, state)| !state.is_settled()) {
            if let Some(operation) = state.asked {
                outbox.push(Command { step, operation });
                if !G::COMMANDS_ARE_MONOTONE && operation != Operation::Act {
                    outbox.push(Command { step, operation: Operation::Act });
                }
            }
        }
        outbox
    }

    fn deadline(&self) -> Option<Time> {
        match self.phase {
            Phase::Forward => (0..self.steps.len()).filter_map(|step| self.deadline_of(step)).min(),
            Phase::Placed | Phase::TurningBack | Phase::Completed | Phase::Cancelled | Phase::Suspended => None,
        }
    }

    fn decision(&self) -> Option<Outcome> {
        match self.phase {
            Phase::Completed => Some(Outcome::Completed),
            Phase::Cancelled => Some(Outcome::Cancelled),
            Phase::Placed | Phase::Forward | Phase::TurningBack | Phase::Suspended => None,
        }
    }
}
