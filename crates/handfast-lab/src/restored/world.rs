//! The coordinator, the two keys, the road, and what may happen next.

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::sync::Arc;

use handfast_protocol::{
    Answer, Command, Coordinator, Definite, Deployed, Guards, Input, Kind, Mark, Operation, Outcome, Party as _, Ruling,
    StepPlan, Time, Told,
};

use crate::explorer::{Model, Property};
use crate::one_saga::{asked, come_to_count, has_just_ended, waits_or_is_told};

/// How many steps a plan of this world has.
pub(super) const STEPS: usize = 2;

/// How the keys of a participant stood at one moment, each at the place of its step.
pub type Snapshot = [Option<Definite>; STEPS];

/// What the saga does, and who takes its steps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Plan {
    /// A payment with a deadline, then a dispatch with a deadline.
    PaymentThenDispatch,
    /// A dispatch, then a notice that cannot refuse.
    DispatchThenNotice,
    /// A payment and a dispatch, both at one participant with one store.
    BothAtOneHouse,
}

impl Plan {
    /// What its steps are called.
    pub(super) const fn names(self) -> &'static [&'static str; STEPS] {
        match self {
            Self::PaymentThenDispatch | Self::BothAtOneHouse => &["payment", "dispatch"],
            Self::DispatchThenNotice => &["dispatch", "notice"],
        }
    }

    /// Which participant takes each step.
    pub(super) const fn participants(self) -> &'static [usize; STEPS] {
        match self {
            Self::PaymentThenDispatch | Self::DispatchThenNotice => &[0, 1],
            Self::BothAtOneHouse => &[0, 0],
        }
    }

    /// The step in which the saga is decided.
    const fn gate(self) -> usize {
        match self {
            Self::PaymentThenDispatch | Self::BothAtOneHouse => 1,
            Self::DispatchThenNotice => 0,
        }
    }

    fn of_the_protocol(self) -> handfast_protocol::Plan {
        let steps = match self {
            Self::PaymentThenDispatch | Self::BothAtOneHouse => {
                return handfast_protocol::Plan::payment_then_dispatch(Some(0), Some(0)).at_any_moment();
            }
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
    /// Whether a participant is put back first, and accepted later.
    pub is_accepted_later: bool,
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
        Self {
            plan,
            deployed: Arc::new(plan.of_the_protocol()),
            restores: 1,
            has_person: false,
            is_accepted_later: false,
            guards: PhantomData,
        }
    }

    /// The same with a person.
    #[must_use]
    pub const fn with_a_person(mut self) -> Self {
        self.has_person = true;
        self
    }

    /// The same, but a participant that was put back is accepted later. Until then it does nothing for anybody, and whoever asks
    /// it is told so.
    #[must_use]
    pub const fn accepted_later(mut self) -> Self {
        self.is_accepted_later = true;
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

/// A participant with its store.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct House {
    /// How its keys stood before, in order: it may be put back to each.
    copies: Vec<Snapshot>,
    /// How often it was put back.
    life: u8,
    /// It was put back and nobody has accepted it; and whether that is known.
    away: Option<bool>,
}

impl House {
    /// The life of which answers count.
    fn life_that_counts(&self) -> u8 {
        self.life - u8::from(self.away.is_some())
    }

    /// It was put back, and nobody knows.
    fn is_away_unknown(&self) -> bool {
        self.away == Some(false)
    }
}

/// Everything at one moment.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct World<G> {
    /// What the journal replays to.
    pub coordinator: Coordinator<G>,
    /// The states of the participants' registers, by their steps.
    pub keys: Snapshot,
    /// The participants.
    pub houses: [House; 2],
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
    /// A participant is put back to when its keys stood like this, and a person accepts it, or does so later.
    Restore(usize, Snapshot),
    /// A person accepts a participant that was put back.
    Accept(usize),
}

impl<G: Guards> World<G> {
    fn is_in_effect(&self, step: usize) -> bool {
        self.keys[step] == Some(Definite::Done)
    }

    /// Nobody is put back without that being known and accepted.
    fn is_as_accepted(&self) -> bool {
        self.houses.iter().all(|house| house.away.is_none())
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
        let is_there = |step: usize| before.is_in_effect(step) || self.house_of(before, step).is_away_unknown();
        !matches!(action, Action::Send(command) if acts(command)) || (0..gate).all(is_there)
    }

    /// No undo leaves while the step that decides may still come into effect.
    fn undoes_nothing_that_was_decided(&self, before: &World<G>, action: &Action, _: &World<G>) -> bool {
        let gate = self.plan.gate();
        let undoes = |command: &Command| command.step < gate && command.operation == Operation::Undo;
        let is_off = matches!(before.keys[gate], Some(Definite::Refused | Definite::Closed | Definite::Undone));
        !matches!(action, Action::Send(command) if undoes(command)) || is_off || self.house_of(before, gate).is_away_unknown()
    }

    fn house_of<'a>(&self, world: &'a World<G>, step: usize) -> &'a House {
        &world.houses[self.plan.participants()[step]]
    }

    /// Whether a command may leave: not while it rests on a participant that is known to have been put back.
    fn may_leave(&self, world: &World<G>, command: Command) -> bool {
        let rests_on = world.coordinator.rests_on(command);
        !rests_on.into_iter().any(|step| self.house_of(world, step).away == Some(true))
    }

    /// The steps that a participant takes.
    pub(super) fn steps_of(&self, house: usize) -> impl Iterator<Item = usize> {
        self.plan.participants().iter().enumerate().filter(move |(_, of)| **of == house).map(|(step, _)| step)
    }

    /// What of all keys is a participant's.
    fn of_house(&self, house: usize, keys: &Snapshot) -> Snapshot {
        let mut own = Snapshot::default();
        self.steps_of(house).for_each(|step| own[step] = keys[step]);
        own
    }

    fn arrive(&self, world: &World<G>, command: Command, accepts: bool) -> Option<World<G>> {
        let mut after = world.clone();
        let house = self.plan.participants()[command.step];
        if world.houses[house].away.is_some() {
            after.houses[house].away = Some(true);
            return Some(after);
        }
        let (state, life) = (world.keys[command.step], world.houses[house].life);
        let Some((answer, is_now)) = asked::<G>(state, command.operation, accepts) else {
            after.answers.insert((command, Answer::State(state?), life));
            return Some(after);
        };
        if is_now != state {
            after.houses[house].copies.push(self.of_house(house, &world.keys));
            after.keys[command.step] = is_now;
        }
        after.answers.insert((command, answer, life));
        Some(after)
    }

    /// A time-out. A step that was marked as not done counts as off only once a look that left after every act had died found
    /// nothing.
    fn deadline(world: &World<G>) -> Option<World<G>> {
        let mut after = world.tell(Input::Timeout);
        for step in come_to_count(&world.coordinator, &after.coordinator) {
            if world.is_in_effect(step) {
                return None;
            }
            after.requests.remove(&Command { step, operation: Operation::Act });
        }
        Some(after)
    }

    /// Whether what a person would say is true.
    fn is_true(world: &World<G>, ruling: Ruling) -> bool {
        let Ruling::Mark { step, mark } = ruling else { return true };
        let state = world.keys[step];
        match mark {
            Mark::Done => state == Some(Definite::Done),
            Mark::NotDone => matches!(state, None | Some(Definite::Refused | Definite::Closed)),
            Mark::Undone => state == Some(Definite::Undone),
        }
    }

    fn restore(&self, world: &World<G>, house: usize, to: &Snapshot) -> Option<World<G>> {
        let mut after = world.clone();
        self.steps_of(house).for_each(|step| after.keys[step] = to[step]);
        let at = world.houses[house].copies.iter().position(|copy| copy == to)?;
        after.houses[house].copies.truncate(at);
        after.houses[house].life += 1;
        after.houses[house].away = Some(false);
        after.restores -= 1;
        Some(if self.is_accepted_later { after } else { self.accept(&after, house) })
    }

    fn accept(&self, world: &World<G>, house: usize) -> World<G> {
        let forget = |world: World<G>, step: usize| world.tell(Input::Receive(Told::Forgotten { step }));
        let mut after = self.steps_of(house).fold(world.clone(), forget);
        after.houses[house].away = None;
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
            keys: Snapshot::default(),
            houses: Default::default(),
            requests: BTreeSet::new(),
            answers: BTreeSet::new(),
            restores: self.restores,
            was_ruled: false,
        }]
    }

    fn actions(&self, world: &World<G>, into: &mut Vec<Action>) {
        let outbox = world.coordinator.outbox().into_iter();
        into.extend(outbox.filter(|&command| self.may_leave(world, command)).map(Action::Send));
        into.extend(world.requests.iter().map(|&command| Action::Arrive(command, true)));
        let may_refuse = |command: &Command| {
            let can_refuse = self.deployed.steps()[command.step].kind != Kind::Retriable;
            can_refuse && command.operation == Operation::Act && world.keys[command.step].is_none()
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
        for (house, of) in world.houses.iter().enumerate() {
            into.extend(of.away.map(|_| Action::Accept(house)));
        }
        if world.restores > 0 {
            for (house, of) in world.houses.iter().enumerate() {
                into.extend(of.copies.iter().map(|&copy| Action::Restore(house, copy)));
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
            Action::Arrive(command, accepts) => self.arrive(world, command, accepts)?,
            Action::Hear(to, answer, life) => {
                // A late answer of a former life is unknown.
                if life != self.house_of(world, to.step).life_that_counts() {
                    return None;
                }
                world.tell(Input::Receive(Told::Answer { to, answer }))
            }
            Action::Deadline => Self::deadline(world)?,
            Action::Say(ruling) => world.tell(Input::Receive(Told::Ruled(ruling))),
            Action::Cancel => world.tell(Input::Receive(Told::Cancel)),
            Action::Restore(house, ref to) => self.restore(world, house, to)?,
            Action::Accept(house) => self.accept(world, house),
        };
        (after != *world).then_some(after)
    }

    fn kinds(&self) -> Vec<&'static str> {
        let said = self.has_person.then_some("a person says");
        let later = self.is_accepted_later.then_some("accept");
        ["send", "arrive", "hear", "deadline", "cancel", "restore"].into_iter().chain(said).chain(later).collect()
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
            Action::Accept(_) => "accept",
        }
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always_step("nothing irrevocable rests on what was forgotten", Self::rests_on_nothing_forgotten),
            Property::always_step("nothing is undone while the gate is open", Self::undoes_nothing_that_was_decided),
            Property::always_step("completed is both", |_: &Self, before: &World<G>, _: &Action, after: &World<G>| {
                let has_just_ended = has_just_ended(&before.coordinator, &after.coordinator, Outcome::Completed);
                !has_just_ended || (0..STEPS).all(|step| after.is_in_effect(step)) || !after.is_as_accepted()
            }),
            Property::always_step("cancelled is neither", |_: &Self, before: &World<G>, _: &Action, after: &World<G>| {
                let has_just_ended = has_just_ended(&before.coordinator, &after.coordinator, Outcome::Cancelled);
                !has_just_ended || !(0..STEPS).any(|step| after.is_in_effect(step)) || !after.is_as_accepted()
            }),
            Property::always("whoever waits for nobody has ended", |_: &Self, world: &World<G>| {
                waits_or_is_told(&world.coordinator)
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
