//! The coordinator, the two keys, the road, and what may happen next.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::marker::PhantomData;
use std::sync::Arc;

use handfast_protocol::{
    Answer, Command, Coordinator, Definite, Deployed, Guards, Input, Kind, Mark, Operation, Outcome, Party as _, Register,
    Request, Ruling, StepPlan, Time, Told,
};

use crate::explorer::{Model, Property};

/// How many steps a plan of this world has.
pub(super) const STEPS: usize = 2;

/// What the saga does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Plan {
    /// A payment with a deadline, then a dispatch with a deadline.
    PaymentThenDispatch,
    /// A dispatch, then a notice that cannot refuse.
    DispatchThenNotice,
}

impl Plan {
    /// What its steps are called.
    pub(super) const fn names(self) -> [&'static str; STEPS] {
        match self {
            Self::PaymentThenDispatch => ["payment", "dispatch"],
            Self::DispatchThenNotice => ["dispatch", "notice"],
        }
    }

    /// The step in which the saga is decided.
    const fn gate(self) -> usize {
        match self {
            Self::PaymentThenDispatch => 1,
            Self::DispatchThenNotice => 0,
        }
    }

    fn of_the_protocol(self) -> handfast_protocol::Plan {
        let steps = match self {
            Self::PaymentThenDispatch => return handfast_protocol::Plan::payment_then_dispatch(Some(0), Some(0)).at_any_moment(),
            Self::DispatchThenNotice => vec![StepPlan::new(Kind::Pivot).deadline(Some(0)), StepPlan::new(Kind::Retriable)],
        };
        handfast_protocol::Plan::new(steps).expect("the steps are in sound order").at_any_moment()
    }
}

/// One saga whose participants are put back and accepted.
#[derive(Clone, Debug)]
pub struct Restored<G = Deployed> {
    /// What it does.
    pub plan: Plan,
    deployed: Arc<handfast_protocol::Plan>,
    /// How often a participant is put back and accepted, in all.
    pub restores: u8,
    /// Whether a person says what is true, at any moment.
    pub has_person: bool,
    guards: PhantomData<G>,
}

impl<G> Restored<G> {
    /// A payment, then a dispatch, and one restore.
    #[must_use]
    pub fn new() -> Self {
        Self::of(Plan::PaymentThenDispatch)
    }

    /// This plan, and one restore.
    #[must_use]
    pub fn of(plan: Plan) -> Self {
        Self { plan, deployed: Arc::new(plan.of_the_protocol()), restores: 1, has_person: false, guards: PhantomData }
    }

    /// The same with a person.
    #[must_use]
    pub const fn with_a_person(mut self) -> Self {
        self.has_person = true;
        self
    }

    /// The same with so many restores.
    #[must_use]
    pub const fn restores(mut self, restores: u8) -> Self {
        self.restores = restores;
        self
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
    pub keys: [Key; STEPS],
    /// Requests that were sent; each may arrive at any time, again and again, or never.
    requests: BTreeSet<Command>,
    /// Answers that were sent, with the life that gave them.
    answers: BTreeSet<(Command, Answer, u8)>,
    restores: u8,
    /// A person has said something.
    was_ruled: bool,
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
    /// A person says something that is true.
    Say(Ruling),
    /// The participant of a step is put back to when its key stood like this, and a person accepts it.
    Restore(usize, Option<Definite>),
}

impl<G: Guards> World<G> {
    fn is_in_effect(&self, step: usize) -> bool {
        self.keys[step].state == Some(Definite::Done)
    }

    fn has_just_ended(&self, before: &Self, outcome: Outcome) -> bool {
        before.coordinator.decision() != self.coordinator.decision() && self.coordinator.decision() == Some(outcome)
    }

    pub(super) fn tell(&self, told: Input<Told>) -> Self {
        let mut after = self.clone();
        after.was_ruled |= matches!(told, Input::Receive(Told::Ruled(_)));
        after.coordinator.step(Time(0), told);
        after
    }
}

impl<G: Guards> Restored<G> {
    /// No act leaves for the step that decides, or one after it, while a step before the one that decides is not in effect.
    fn rests_on_nothing_forgotten(&self, before: &World<G>, action: &Action, _: &World<G>) -> bool {
        let gate = self.plan.gate();
        let acts = |command: &Command| command.step >= gate && command.operation == Operation::Act;
        !matches!(action, Action::Send(command) if acts(command)) || (0..gate).all(|step| before.is_in_effect(step))
    }

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

    /// A time-out. A step that was marked as not done counts as off only once a look that left after every act had died found
    /// nothing.
    fn deadline(world: &World<G>) -> Option<World<G>> {
        let mut after = world.tell(Input::Timeout);
        let marked = |world: &World<G>, step: usize| world.coordinator.step_mark(step) == Some(Mark::NotDone);
        for step in 0..STEPS {
            let counts = marked(&after, step) && after.coordinator.is_step_off(step) && !world.coordinator.is_step_off(step);
            if counts && world.is_in_effect(step) {
                return None;
            }
            if counts {
                after.requests.remove(&Command { step, operation: Operation::Act });
            }
        }
        Some(after)
    }

    /// Whether what a person would say is true.
    fn is_true(world: &World<G>, ruling: Ruling) -> bool {
        let Ruling::Mark { step, mark } = ruling else { return true };
        let state = world.keys[step].state;
        match mark {
            Mark::Done => state == Some(Definite::Done),
            Mark::NotDone => matches!(state, None | Some(Definite::Refused | Definite::Closed)),
            Mark::Undone => state == Some(Definite::Undone),
        }
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
        let mut coordinator = Coordinator::new(Arc::clone(&self.deployed));
        coordinator.step(Time(0), Input::Start);
        vec![World {
            coordinator,
            keys: [Key::default(); STEPS],
            requests: BTreeSet::new(),
            answers: BTreeSet::new(),
            restores: self.restores,
            was_ruled: false,
        }]
    }

    fn actions(&self, world: &World<G>, into: &mut Vec<Action>) {
        into.extend(world.coordinator.outbox().into_iter().map(Action::Send));
        into.extend(world.requests.iter().map(|&command| Action::Arrive(command, true)));
        let may_refuse = |command: &Command| {
            let can_refuse = self.deployed.steps()[command.step].kind != Kind::Retriable;
            can_refuse && command.operation == Operation::Act && world.keys[command.step].state.is_none()
        };
        into.extend(world.requests.iter().copied().filter(may_refuse).map(|command| Action::Arrive(command, false)));
        into.extend(world.answers.iter().map(|&(command, answer, life)| Action::Hear(command, answer, life)));
        if world.coordinator.deadline().is_some() {
            into.push(Action::Deadline);
        }
        into.push(Action::Cancel);
        if self.has_person {
            let rulings = world.coordinator.rulings().into_iter();
            into.extend(rulings.filter(|&ruling| Self::is_true(world, ruling)).map(Action::Say));
        }
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
            Action::Deadline => Self::deadline(world)?,
            Action::Say(ruling) => world.tell(Input::Receive(Told::Ruled(ruling))),
            Action::Cancel => world.tell(Input::Receive(Told::Cancel)),
            Action::Restore(step, to) => self.restore(world, step, to),
        };
        (after != *world).then_some(after)
    }

    fn kinds(&self) -> Vec<&'static str> {
        let said = self.has_person.then_some("a person says");
        ["send", "arrive", "hear", "deadline", "cancel", "restore"].into_iter().chain(said).collect()
    }

    fn kind(&self, action: &Action) -> &'static str {
        match action {
            Action::Send(_) => "send",
            Action::Arrive(..) => "arrive",
            Action::Hear(..) => "hear",
            Action::Deadline => "deadline",
            Action::Cancel => "cancel",
            Action::Say(_) => "a person says",
            Action::Restore(..) => "restore",
        }
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always_step("nothing irrevocable rests on what was forgotten", Self::rests_on_nothing_forgotten),
            Property::always_step("completed is both", |_: &Self, before: &World<G>, _: &Action, after: &World<G>| {
                !after.has_just_ended(before, Outcome::Completed) || (0..STEPS).all(|step| after.is_in_effect(step))
            }),
            Property::always_step("cancelled is neither", |_: &Self, before: &World<G>, _: &Action, after: &World<G>| {
                !after.has_just_ended(before, Outcome::Cancelled) || !(0..STEPS).any(|step| after.is_in_effect(step))
            }),
            Property::always("whoever waits for nobody has ended", |_: &Self, world: &World<G>| {
                let is_silent = world.coordinator.outbox().is_empty();
                !is_silent || world.coordinator.decision().is_some() || world.coordinator.evidence().is_some()
            }),
            Property::sometimes("what was put back is confirmed, and the saga completes", |model: &Self, world: &World<G>| {
                world.restores < model.restores && world.coordinator.decision() == Some(Outcome::Completed)
            }),
            Property::sometimes("a person has to look", |_: &Self, world: &World<G>| world.coordinator.evidence().is_some()),
        ];
        if self.has_person {
            properties.push(Property::can_always_reach("ends, with a person's help", |_: &Self, world: &World<G>| {
                world.coordinator.decision().is_some()
            }));
            properties.push(Property::sometimes("a person ends what nobody confirms", |model: &Self, world: &World<G>| {
                world.restores < model.restores && world.was_ruled && world.coordinator.decision().is_some()
            }));
        }
        properties
    }
}
