//! The coordinator, the two keys in two books each, the road, and what may happen next.

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::sync::Arc;

use handfast_protocol::{
    Answer, Command, Coordinator, Definite, Deployed, Guards, Input, Mark, Operation, Outcome, Party as _, Ruling, Time, Told,
};

use crate::explorer::{Model, Property};
use crate::one_saga::{asked, come_to_count, has_just_ended, waits_or_is_told};

/// How many steps the plan has.
pub(super) const STEPS: usize = 2;

/// What the steps are called.
pub(super) const NAMES: [&str; STEPS] = ["payment", "dispatch"];

/// One saga whose services move.
#[derive(Clone, Debug)]
pub struct Moved<G = Deployed> {
    deployed: Arc<handfast_protocol::Plan>,
    /// How often a step's service moves, in all: to the new address, and back.
    pub moves: u8,
    /// Whether a person says what is true, at any moment.
    pub has_person: bool,
    /// Whether whoever answers at the new address can be looked at.
    pub can_be_looked_at: bool,
    guards: PhantomData<G>,
}

impl<G> Moved<G> {
    /// One move, and nobody who says anything.
    #[must_use]
    pub fn new() -> Self {
        let deployed = handfast_protocol::Plan::payment_then_dispatch(Some(0), Some(0)).at_any_moment();
        Self { deployed: Arc::new(deployed), moves: 1, has_person: false, can_be_looked_at: true, guards: PhantomData }
    }

    /// The same with a person.
    #[must_use]
    pub const fn with_a_person(mut self) -> Self {
        self.has_person = true;
        self
    }

    /// The same with so many moves.
    #[must_use]
    pub const fn moves(mut self, moves: u8) -> Self {
        self.moves = moves;
        self
    }

    /// The same where nobody can be looked at where it has moved.
    #[must_use]
    pub const fn without_looks(mut self) -> Self {
        self.can_be_looked_at = false;
        self
    }
}

impl<G> Default for Moved<G> {
    fn default() -> Self {
        Self::new()
    }
}

/// Which of a service's two addresses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Address {
    /// Where it was called first.
    #[default]
    Former,
    /// Where it has moved to.
    New,
}

/// What is kept of one step's key, at both addresses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Books {
    /// The key's state in the books of the former address.
    pub former: Option<Definite>,
    /// The key's state in other books, if the new address keeps others.
    pub other: Option<Definite>,
    /// Whether the new address keeps the same books; the adversary says so with the first move.
    pub are_same: Option<bool>,
    /// Where the step's service is called now.
    pub called_at: Address,
    /// How often it was done.
    pub times_done: u8,
}

impl Books {
    /// The key's state in the books that are kept at an address.
    fn at(&mut self, address: Address) -> &mut Option<Definite> {
        if address == Address::New && self.are_same == Some(false) { &mut self.other } else { &mut self.former }
    }

    /// It is done in one of the books.
    fn is_in_effect(self) -> bool {
        [self.former, self.other].contains(&Some(Definite::Done))
    }
}

/// What is answered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Said {
    /// Something definite.
    Answer(Answer),
    /// A look has found nothing.
    Nothing,
}

/// Everything at one moment.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct World<G> {
    /// What the journal replays to.
    pub coordinator: Coordinator<G>,
    /// The participants' books.
    pub books: [Books; STEPS],
    /// By the journal, at which addresses each step's key may have been asked for more than a look.
    asked_at: [BTreeSet<Address>; STEPS],
    /// Requests that were sent; each may arrive at any time, again and again, or never.
    requests: BTreeSet<(Command, Address)>,
    /// Answers that were sent, with the address that gave them.
    answers: BTreeSet<(Command, Said, Address)>,
    moves: u8,
    /// A person has said that books are the same.
    was_told_same: bool,
}

/// One thing that may happen next.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Action {
    /// A command of the outbox leaves for where its step is called now.
    Send(Command),
    /// A command reaches an address, which accepts the act or declines.
    Arrive(Command, Address, bool),
    /// An answer is journaled.
    Hear(Command, Said, Address),
    /// A deadline passes.
    Deadline,
    /// Somebody cancels.
    Cancel,
    /// A person says something that is true.
    Say(Ruling),
    /// A person says that a step's two addresses keep the same books, and they do.
    SameBooks(usize),
    /// A step's service is called at its other address from now on, where the same books are kept, or others.
    Move(usize, bool),
}

impl<G: Guards> World<G> {
    fn is_in_effect(&self, step: usize) -> bool {
        self.books[step].is_in_effect()
    }

    fn tell(&self, told: Input<Told>) -> Self {
        let mut after = self.clone();
        after.coordinator.step(Time(0), told);
        for step in 0..STEPS {
            if after.coordinator.was_asked(step) && !after.coordinator.is_moved(step) {
                after.asked_at[step].insert(after.books[step].called_at);
            }
        }
        after
    }

    /// Something leaves for other books than those in which the key was asked for.
    fn leaves_for_other_books(&self, command: Command) -> bool {
        let are_others = self.books[command.step].are_same == Some(false);
        command.operation != Operation::Look && are_others && self.was_asked_elsewhere(command.step)
    }

    /// The key of a step was asked for at another address than it would be now.
    fn was_asked_elsewhere(&self, step: usize) -> bool {
        self.asked_at[step].iter().any(|&address| address != self.books[step].called_at)
    }
}

impl<G: Guards> Moved<G> {
    fn arrive(world: &World<G>, command: Command, address: Address, accepts: bool) -> World<G> {
        let mut after = world.clone();
        let books = &mut after.books[command.step];
        let key = books.at(address);
        let Some((answer, state)) = asked::<G>(*key, command.operation, accepts) else {
            let said = key.map_or(Said::Nothing, |state| Said::Answer(Answer::State(state)));
            after.answers.insert((command, said, address));
            return after;
        };
        let is_news = *key != state && state == Some(Definite::Done);
        *key = state;
        books.times_done += u8::from(is_news);
        after.answers.insert((command, Said::Answer(answer), address));
        after
    }

    fn hear(world: &World<G>, to: Command, said: Said, address: Address) -> Option<World<G>> {
        let is_look = to.operation == Operation::Look;
        // Whoever drives the saga drops it: nobody could tell whose books it is of.
        if is_look && address != world.books[to.step].called_at {
            return None;
        }
        let heard = match said {
            Said::Answer(answer) => world.tell(Input::Receive(Told::Answer { to, answer })),
            Said::Nothing => world.clone(),
        };
        if !is_look {
            return Some(heard);
        }
        let found = match said {
            Said::Answer(Answer::State(found)) => Some(found),
            Said::Answer(Answer::OtherBody) | Said::Nothing => None,
        };
        Some(heard.tell(Input::Receive(Told::Looked { step: to.step, found, left: Time(0) })))
    }

    /// A time-out. A step that was marked as not done counts as off only once every act has died.
    fn deadline(world: &World<G>) -> Option<World<G>> {
        let mut after = world.tell(Input::Timeout);
        for step in come_to_count(&world.coordinator, &after.coordinator) {
            if world.is_in_effect(step) {
                return None;
            }
            after.requests.retain(|(sent, _)| *sent != Command { step, operation: Operation::Act });
        }
        Some(after)
    }

    /// Whether what a person would say is true.
    fn is_true(world: &World<G>, ruling: Ruling) -> bool {
        let Ruling::Mark { step, mark } = ruling else { return true };
        let books = world.books[step];
        match mark {
            Mark::Done => books.is_in_effect(),
            Mark::NotDone => !books.is_in_effect() && books.times_done == 0,
            Mark::Undone => !books.is_in_effect() && books.times_done > 0,
        }
    }

    fn change_address(&self, world: &World<G>, step: usize, are_same: bool) -> World<G> {
        let mut after = world.clone();
        let books = &mut after.books[step];
        books.are_same = Some(are_same);
        books.called_at = if books.called_at == Address::Former { Address::New } else { Address::Former };
        after.moves -= 1;
        let was_asked_elsewhere = after.was_asked_elsewhere(step);
        let can_be_looked_at = self.can_be_looked_at || after.books[step].called_at == Address::Former;
        let told = if was_asked_elsewhere { Told::Moved { step, can_be_looked_at } } else { Told::SameBooks { step } };
        // Nothing was asked for at the new address yet.
        let asked_at = after.asked_at.clone();
        World { asked_at, ..after.tell(Input::Receive(told)) }
    }
}

impl<G: Guards> Model for Moved<G> {
    type State = World<G>;
    type Action = Action;

    fn initial(&self) -> Vec<World<G>> {
        let world = World {
            coordinator: Coordinator::new(Arc::clone(&self.deployed)),
            books: [Books::default(); STEPS],
            asked_at: Default::default(),
            requests: BTreeSet::new(),
            answers: BTreeSet::new(),
            moves: self.moves,
            was_told_same: false,
        };
        vec![world.tell(Input::Start)]
    }

    fn actions(&self, world: &World<G>, into: &mut Vec<Action>) {
        into.extend(world.coordinator.outbox().into_iter().map(Action::Send));
        into.extend(world.requests.iter().map(|&(command, address)| Action::Arrive(command, address, true)));
        let may_refuse = |&&(command, address): &&(Command, Address)| {
            let mut books = world.books[command.step];
            command.operation == Operation::Act && books.at(address).is_none()
        };
        into.extend(world.requests.iter().filter(may_refuse).map(|&(command, address)| Action::Arrive(command, address, false)));
        into.extend(world.answers.iter().map(|&(command, said, address)| Action::Hear(command, said, address)));
        if world.coordinator.deadline().is_some() {
            into.push(Action::Deadline);
        }
        into.push(Action::Cancel);
        if self.has_person {
            let rulings = world.coordinator.rulings().into_iter();
            into.extend(rulings.filter(|&ruling| Self::is_true(world, ruling)).map(Action::Say));
            let is_same = |&step: &usize| world.coordinator.is_moved(step) && world.books[step].are_same == Some(true);
            into.extend((0..STEPS).filter(is_same).map(Action::SameBooks));
        }
        for step in (0..STEPS).filter(|_| world.moves > 0) {
            let choices = world.books[step].are_same.map_or(vec![true, false], |are_same| vec![are_same]);
            into.extend(choices.into_iter().map(|are_same| Action::Move(step, are_same)));
        }
    }

    fn after(&self, world: &World<G>, action: &Action) -> Option<World<G>> {
        let after = match *action {
            Action::Send(command) => {
                let mut after = world.clone();
                after.requests.insert((command, world.books[command.step].called_at));
                after
            }
            Action::Arrive(command, address, accepts) => Self::arrive(world, command, address, accepts),
            Action::Hear(to, said, address) => Self::hear(world, to, said, address)?,
            Action::Deadline => Self::deadline(world)?,
            Action::Cancel => world.tell(Input::Receive(Told::Cancel)),
            Action::Say(ruling) => world.tell(Input::Receive(Told::Ruled(ruling))),
            Action::SameBooks(step) => {
                let mut after = world.tell(Input::Receive(Told::SameBooks { step }));
                after.was_told_same = true;
                after
            }
            Action::Move(step, are_same) => self.change_address(world, step, are_same),
        };
        (after != *world).then_some(after)
    }

    fn kinds(&self) -> Vec<&'static str> {
        let said = self.has_person.then_some("a person says");
        ["send", "arrive", "hear", "deadline", "cancel", "move"].into_iter().chain(said).collect()
    }

    fn kind(&self, action: &Action) -> &'static str {
        match action {
            Action::Send(_) => "send",
            Action::Arrive(..) => "arrive",
            Action::Hear(..) => "hear",
            Action::Deadline => "deadline",
            Action::Cancel => "cancel",
            Action::Say(_) | Action::SameBooks(_) => "a person says",
            Action::Move(..) => "move",
        }
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always("nothing is done twice, in whatever books", |_: &Self, world: &World<G>| {
                world.books.iter().all(|books| books.times_done <= 1)
            }),
            Property::always("dispatched only if paid", |_: &Self, world: &World<G>| {
                !world.is_in_effect(1) || world.is_in_effect(0)
            }),
            Property::always("cancelled is neither, in whatever books", |_: &Self, world: &World<G>| {
                let is_cancelled = world.coordinator.decision() == Some(Outcome::Cancelled);
                !is_cancelled || !(0..STEPS).any(|step| world.is_in_effect(step))
            }),
            Property::always_step("completed is both", |_: &Self, before: &World<G>, _: &Action, after: &World<G>| {
                !has_just_ended(&before.coordinator, &after.coordinator, Outcome::Completed)
                    || (0..STEPS).all(|step| after.is_in_effect(step))
            }),
            Property::always_step(
                "nothing but a look leaves for other books",
                |_: &Self, before, action: &Action, _| !matches!(action, Action::Send(command) if World::leaves_for_other_books(before, *command)),
            ),
            Property::always("whoever waits for nobody has ended", |_: &Self, world: &World<G>| {
                waits_or_is_told(&world.coordinator)
            }),
            Property::sometimes("a saga completes after a move", |model: &Self, world: &World<G>| {
                world.moves < model.moves && world.coordinator.decision() == Some(Outcome::Completed)
            }),
            Property::sometimes("a person has to look", |_: &Self, world: &World<G>| world.coordinator.evidence().is_some()),
        ];
        if self.has_person {
            properties.push(Property::can_always_reach("ends, with a person's help", |_: &Self, world: &World<G>| {
                world.coordinator.decision().is_some()
            }));
            properties.push(Property::sometimes("the same books, by name, let a saga complete", |_: &Self, world: &World<G>| {
                world.was_told_same && world.coordinator.decision() == Some(Outcome::Completed)
            }));
        }
        properties
    }
}
