//! The coordinator, the two keys, the road, and what may happen next.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::marker::PhantomData;
use std::sync::Arc;

use handfast_protocol::{
    Answer, Command, Coordinator, Definite, Deployed, Guards, Input, Operation, Outcome, Party as _, Plan, Register, Request,
    Time, Told,
};

use crate::explorer::{Model, Property};

/// The steps of the plan.
pub(super) const STEPS: [&str; 2] = ["payment", "dispatch"];
/// The step in which the saga is decided.
pub(super) const GATE: usize = 1;

/// One saga whose participants are put back and accepted.
#[derive(Clone, Debug)]
pub struct Restored<G = Deployed> {
    plan: Arc<Plan>,
    /// How often a participant is put back and accepted, in all.
    pub restores: u8,
    guards: PhantomData<G>,
}

impl<G> Restored<G> {
    /// A payment with a deadline, then a dispatch with a deadline, and one restore.
    #[must_use]
    pub fn new() -> Self {
        let plan = Arc::new(Plan::payment_then_dispatch(Some(0), Some(0)));
        Self { plan, restores: 1, guards: PhantomData }
    }
}

impl<G> Default for Restored<G> {
    fn default() -> Self {
        Self::new()
    }
}

/// A participant's register, and which life of its store it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Key {
    /// Its state.
    pub state: Option<Definite>,
    /// It was done before it was undone, so that an older copy may hold it as done.
    pub was_done: bool,
    /// How often it was put back and accepted.
    pub life: u8,
}

/// Everything at one moment.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct World<G> {
    /// What the journal replays to.
    pub coordinator: Coordinator<G>,
    /// The participants' registers.
    pub keys: [Key; STEPS.len()],
    /// Requests that were sent; each may arrive at any time, again and again, or never.
    requests: BTreeSet<Command>,
    /// Answers that were sent, with the life that gave them.
    answers: BTreeSet<(Command, Answer, u8)>,
    restores: u8,
}

/// One thing that may happen next.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Action {
    /// A command of the outbox leaves.
    Send(Command),
    /// A command reaches its participant, which accepts the act or declines.
    Arrive(Command, bool),
    /// An answer is journaled, if it is of the present life.
    Hear(Command, Answer, u8),
    /// A deadline passes.
    Deadline,
    /// Somebody cancels.
    Cancel,
    /// The participant of a step is put back to when its key stood like this, and a person accepts it.
    Restore(usize, Option<Definite>),
}

impl<G: Guards> World<G> {
    fn is_in_effect(&self, step: usize) -> bool {
        self.keys[step].state == Some(Definite::Done)
    }

    pub(super) fn tell(&self, told: Input<Told>) -> Self {
        let mut after = self.clone();
        after.coordinator.step(Time(0), told);
        after
    }
}

impl<G: Guards> Restored<G> {
    fn arrive(world: &World<G>, command: Command, accepts: bool) -> Option<World<G>> {
        let mut after = world.clone();
        let key = &mut after.keys[command.step];
        let mut register = Register::<(), G>::stored(key.state, key.state.map(|_| ()));
        let request = match command.operation {
            Operation::Act => Request::Act { body: (), expired: false },
            Operation::Look => {
                let found = Answer::State(key.state?);
                after.answers.insert((command, found, key.life));
                return Some(after);
            }
            Operation::Close => Request::Close { body: None },
            Operation::Undo => Request::Undo { body: None },
        };
        let Ok(answer) = register.receive(request, |_| Ok::<_, Infallible>(accepts));
        key.was_done |= register.peek() == Some(Definite::Done);
        key.state = register.peek();
        after.answers.insert((command, answer, key.life));
        Some(after)
    }

    fn restore(&self, world: &World<G>, step: usize, to: Option<Definite>) -> World<G> {
        let mut after = world.tell(Input::Receive(Told::Forgotten { step }));
        let life = after.keys[step].life + 1;
        after.keys[step] = Key { state: to, was_done: to == Some(Definite::Done), life };
        after.restores -= 1;
        after
    }
}

impl<G: Guards> Model for Restored<G> {
    type State = World<G>;
    type Action = Action;

    fn initial(&self) -> Vec<World<G>> {
        let mut coordinator = Coordinator::new(Arc::clone(&self.plan));
        coordinator.step(Time(0), Input::Start);
        vec![World {
            coordinator,
            keys: [Key::default(); STEPS.len()],
            requests: BTreeSet::new(),
            answers: BTreeSet::new(),
            restores: self.restores,
        }]
    }

    fn actions(&self, world: &World<G>, into: &mut Vec<Action>) {
        into.extend(world.coordinator.outbox().into_iter().map(Action::Send));
        into.extend(world.requests.iter().map(|&command| Action::Arrive(command, true)));
        let may_refuse = |command: &Command| command.operation == Operation::Act && world.keys[command.step].state.is_none();
        into.extend(world.requests.iter().copied().filter(may_refuse).map(|command| Action::Arrive(command, false)));
        into.extend(world.answers.iter().map(|&(command, answer, life)| Action::Hear(command, answer, life)));
        if world.coordinator.deadline().is_some() {
            into.push(Action::Deadline);
        }
        into.push(Action::Cancel);
        if world.restores > 0 {
            for (step, key) in world.keys.iter().enumerate() {
                // To have forgotten nothing is no restore.
                into.extend(key.state.map(|_| Action::Restore(step, None)));
                if key.was_done && key.state != Some(Definite::Done) {
                    into.push(Action::Restore(step, Some(Definite::Done)));
                }
            }
        }
    }

    fn after(&self, world: &World<G>, action: &Action) -> Option<World<G>> {
        let after = match *action {
            Action::Send(command) => {
                let mut after = world.clone();
                after.requests.insert(command);
                after
            }
            Action::Arrive(command, accepts) => Self::arrive(world, command, accepts)?,
            Action::Hear(to, answer, life) => {
                // A late answer of a former life is unknown.
                if life != world.keys[to.step].life {
                    return None;
                }
                world.tell(Input::Receive(Told::Answer { to, answer }))
            }
            Action::Deadline => world.tell(Input::Timeout),
            Action::Cancel => world.tell(Input::Receive(Told::Cancel)),
            Action::Restore(step, to) => self.restore(world, step, to),
        };
        (after != *world).then_some(after)
    }

    fn kinds(&self) -> Vec<&'static str> {
        vec!["send", "arrive", "hear", "deadline", "cancel", "restore"]
    }

    fn kind(&self, action: &Action) -> &'static str {
        match action {
            Action::Send(_) => "send",
            Action::Arrive(..) => "arrive",
            Action::Hear(..) => "hear",
            Action::Deadline => "deadline",
            Action::Cancel => "cancel",
            Action::Restore(..) => "restore",
        }
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always_step(
                "nothing irrevocable rests on what was forgotten",
                |_: &Self, before: &World<G>, action: &Action, _: &World<G>| {
                    let acts = Command { step: GATE, operation: Operation::Act };
                    *action != Action::Send(acts) || (0..GATE).all(|step| before.is_in_effect(step))
                },
            ),
            Property::always_step("completed is both", |_: &Self, before: &World<G>, _: &Action, after: &World<G>| {
                let ends = before.coordinator.decision() != after.coordinator.decision();
                !ends
                    || after.coordinator.decision() != Some(Outcome::Completed)
                    || (0..STEPS.len()).all(|step| after.is_in_effect(step))
            }),
            Property::always_step("cancelled is neither", |_: &Self, before: &World<G>, _: &Action, after: &World<G>| {
                let ends = before.coordinator.decision() != after.coordinator.decision();
                !ends
                    || after.coordinator.decision() != Some(Outcome::Cancelled)
                    || !(0..STEPS.len()).any(|step| after.is_in_effect(step))
            }),
            Property::always("whoever waits for nobody has ended", |_: &Self, world: &World<G>| {
                let is_silent = world.coordinator.outbox().is_empty();
                !is_silent || world.coordinator.decision().is_some() || world.coordinator.evidence().is_some()
            }),
            Property::sometimes("what was put back is confirmed, and the saga completes", |model: &Self, world: &World<G>| {
                world.restores < model.restores && world.coordinator.decision() == Some(Outcome::Completed)
            }),
            Property::sometimes("a person has to look", |_: &Self, world: &World<G>| world.coordinator.evidence().is_some()),
        ]
    }
}
