//! The world of one saga: the journal, the workers that drive it, the network, and a register per key.
//!
//! The driver is modelled as it is: *load* the journal, *append* one entry if the journal still ends where the worker
//! believes (compare and set), *send* what the state wants delivered. Each is an action of its own, so every worker may
//! pause between any two of them, for ever if need be. The coordinator and the registers are the deployed code.

use std::sync::Arc;

use handfast_protocol::{
    Answer, Command, Definite, Deployed, Doubt, Effect, Input, Mark, Meaning, Named, Operation, Outcome, Plan, Request, Told,
    UndoTold,
};

use super::action::{Action, Service};
use super::adversary::{Adversary, Person};
use super::automaton::{Alone, Automaton, Follows, StateId, left_at, told_nothing, told_still};
use super::behaviour::{Behaviour, When};
use super::machine::Machine;
use super::model::step_names;
use super::network::{FOUND_DONE, FOUND_REFUSED, FOUND_UNDONE, Left, Look, Message, UnderWay, operation_number};
use crate::explorer::Run;

/// The largest number of workers.
pub const MAX_WORKERS: usize = 3;
/// The largest number of steps.
pub const MAX_STEPS: usize = 4;
/// A worker that holds no state: it has just started, or crashed.
pub const NOTHING_LOADED: StateId = StateId::MAX;
pub(super) const OUR_BODY: u8 = 1;
const THEIR_BODY: u8 = 2;

/// The durable register of one key, and beside it what really happened, which no party can see.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Key {
    /// The register.
    pub state: Option<Definite>,
    /// The body it stands for; 0 for none.
    pub body: u8,
    /// How often the effect happened (2 stands for more than once).
    pub acts: u8,
    /// How often it was undone, or lapsed.
    pub undos: u8,
    /// The participant has forgotten what the register says: it would carry out an act again, and close the key as if nothing
    /// had been done under it. What was done can still be undone, by its reference.
    pub is_open_again: bool,
    /// What is in effect is not what was asked for.
    pub is_other: bool,
    /// An undo was accepted that is not done, or has failed.
    pub undo: Option<UndoTold>,
}

impl Key {
    /// The effect is there now.
    #[must_use]
    pub const fn is_in_effect(self) -> bool {
        self.acts > self.undos
    }

    /// An undo reaches a participant that accepts it and does it later, or does it again.
    fn undo_otherwise(&mut self, undo: Command) -> Message {
        match (self.state, self.undo) {
            (Some(Definite::Undone), _) => {
                self.undos = 2;
                Message::Answer(undo, Answer::State(Definite::Undone))
            }
            (_, told) => Message::Undo(undo.step, *self.undo.insert(told.unwrap_or(UndoTold::Accepted))),
        }
    }
}

/// One state of the world.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct World {
    /// The journal, as the state that it replays to.
    pub journal: StateId,
    /// An older copy of it, if one was taken.
    pub copy: Option<StateId>,
    /// What each worker has loaded, in order of number, since workers are alike.
    pub workers: [StateId; MAX_WORKERS],
    /// The participants' keys, one a step.
    pub keys: [Key; MAX_STEPS],
    /// The messages.
    pub under_way: UnderWay,
    /// What the shop's customer was told, if the saga has ended once.
    pub announced: Option<Outcome>,
    /// How many crashes are left.
    pub crashes: u8,
    /// How many returns of an older journal are left.
    pub restores: u8,
    /// Commands that were sent, where the driver of a mutant sends each once; otherwise empty.
    pub sent_once: u32,
}

/// A command on the road. Every look that a worker sends because its state wants one may leave early.
pub(super) const fn message_of(command: Command) -> Message {
    match command.operation {
        Operation::Look => Message::Look(Look { step: command.step, left: Left::Early }),
        Operation::Act | Operation::Close | Operation::Undo => Message::Command(command),
    }
}

/// One saga under an adversary.
#[derive(Debug)]
pub struct Saga {
    /// The plan.
    pub plan: Arc<Plan>,
    /// What may go wrong.
    pub adversary: Adversary,
    /// How the participants behave, one a step.
    pub behaviours: Vec<Behaviour>,
    /// What the steps are called, in order.
    pub names: Vec<String>,
    /// The coordinator.
    pub automaton: Automaton,
    pub(super) machine: Machine,
}

impl Saga {
    /// The world of one saga of this plan, among participants that speak the contract.
    ///
    /// # Panics
    /// If the plan has more steps, or the adversary more workers, than a world can hold.
    #[must_use]
    pub fn new(plan: Arc<Plan>, adversary: Adversary) -> Self {
        let behaviours = plan.steps().iter().map(|step| Behaviour::contract(step.kind)).collect();
        Self::among(behaviours, plan, adversary)
    }

    /// The same with one guard less, wherever that is.
    pub(super) fn with(machine: Machine, plan: Arc<Plan>, adversary: Adversary) -> Self {
        let behaviours = plan.steps().iter().map(|step| Behaviour::contract(step.kind)).collect();
        Self::of(machine, behaviours, plan, adversary)
    }

    /// The same among participants that behave like this, one a step.
    ///
    /// # Panics
    /// If the plan has more steps, or the adversary more workers, than a world can hold, or not one behaviour a step.
    #[must_use]
    pub fn among(behaviours: Vec<Behaviour>, plan: Arc<Plan>, adversary: Adversary) -> Self {
        Self::of(Machine::of::<Deployed>(), behaviours, plan, adversary)
    }

    pub(super) fn of(machine: Machine, behaviours: Vec<Behaviour>, plan: Arc<Plan>, adversary: Adversary) -> Self {
        let steps = MAX_STEPS.min(adversary.network.max_steps());
        assert!(plan.steps().len() <= steps, "a world holds {steps} steps on this network");
        assert_eq!(behaviours.len(), plan.steps().len(), "every step has a participant");
        assert!((1..=MAX_WORKERS).contains(&adversary.workers), "a world holds 1 to {MAX_WORKERS} workers");
        let names = step_names(&plan);
        let follows = Follows { person: adversary.person != Person::Nobody, foreign_key: adversary.foreign_key };
        let automaton = Automaton::among(machine, &plan, follows, |step| behaviours[step].does_other);
        Self { automaton, behaviours, names, plan, adversary, machine }
    }

    /// The same with other names for the steps.
    #[must_use]
    pub fn called(mut self, names: Vec<String>) -> Self {
        self.names = names;
        self
    }

    /// The world as it begins: the start is in the journal, and nobody has loaded it yet.
    #[must_use]
    pub fn beginning(&self) -> World {
        let mut keys = [Key::default(); MAX_STEPS];
        if let Some(step) = self.adversary.foreign_key {
            keys[step] = Key { state: Some(Definite::Done), body: THEIR_BODY, acts: 1, ..Key::default() };
        }
        World {
            journal: 0,
            copy: None,
            workers: [NOTHING_LOADED; MAX_WORKERS],
            keys,
            under_way: UnderWay::default(),
            announced: None,
            crashes: self.adversary.crashes,
            restores: self.adversary.restores,
            sent_once: 0,
        }
    }

    /// The world after an action; `None` if it cannot happen or changes nothing.
    #[must_use]
    pub fn after_move(&self, world: &World, action: &Action) -> Option<World> {
        let mut next = self.moved(world, action)?;
        next.workers[..self.adversary.workers].sort_unstable();
        (next != *world).then_some(next)
    }

    /// The same with every worker where it was.
    fn moved(&self, world: &World, action: &Action) -> Option<World> {
        let mut next = *world;
        match *action {
            Action::Load { worker } => next.workers[worker] = world.journal,
            Action::Append { worker, input, keeps } => self.append(&mut next, worker, input, keeps)?,
            Action::AppendDue { worker, step, due } => {
                let is_it = |alone: &&Alone| (alone.step, alone.due) == (step, due);
                let alone = self.automaton.alone(world.workers[worker]).iter().find(is_it)?;
                self.enter(&mut next, worker, alone.next)?;
                self.wait_with_marks(&mut next, world.workers[worker])?;
            }
            Action::Send { worker, command } => self.send(&mut next, worker, command)?,
            Action::SendLate { step, .. } => {
                if self.is_wanted(world, Command { step, operation: Operation::Act }) {
                    return None;
                }
                let under_way = self.without_undos(self.without_acts(world.under_way, step), step);
                next.under_way = self.sent(under_way, Message::Look(Look { step, left: Left::Late }));
            }
            Action::SendEarly { command, .. } => next.under_way = self.sent(world.under_way, message_of(command)),
            Action::Arrive { command, service, keeps } => self.arrive(&mut next, command, service, keeps),
            Action::LookIsSpokenFor { look, meaning } => {
                let to = Command { step: look.step, operation: Operation::Look };
                let answer = match meaning {
                    Meaning::State(state) => Message::Answer(to, Answer::State(state)),
                    Meaning::Absent => Message::Nothing(look),
                    Meaning::Accepted | Meaning::Failed => return None,
                };
                next.under_way = self.sent(self.consumed(world.under_way, Message::Look(look), false), answer);
            }
            Action::ArriveLook { look, sees, keeps } => self.arrive_look(&mut next, look, sees, keeps),
            Action::ArriveHalfway { command } => next.keys[command.step].acts = 2.min(world.keys[command.step].acts + 1),
            Action::Capture { message } => next.under_way = self.consumed(world.under_way, message, false),
            Action::CrashWorker { worker } => {
                next.workers[worker] = NOTHING_LOADED;
                next.crashes -= 1;
            }
            Action::CrashParticipant { command } => {
                next.under_way = self.consumed(world.under_way, Message::Command(command), false);
                next.crashes -= 1;
            }
            Action::Copy => next.copy = Some(world.journal),
            Action::Restore => {
                next.journal = world.copy?;
                next.copy = None;
                next.restores -= 1;
            }
            Action::RestoreBefore { of } => self.restore_before(&mut next, of)?,
            Action::Forget { step } => {
                next.keys[step].state = None;
                next.keys[step].body = 0;
            }
            Action::Expire { step } => {
                next.keys[step].is_open_again = true;
                if self.dies_first(step, world.keys[step].state) {
                    next.under_way = self.without_acts(next.under_way, step);
                }
            }
            Action::EndUndo { step, fails: true } => next.keys[step].undo = Some(UndoTold::Failed),
            Action::EndUndo { step, fails: false } => {
                let key = &mut next.keys[step];
                (key.state, key.undos, key.undo) = (Some(Definite::Undone), 2.min(key.undos + 1), None);
            }
            Action::Lapse { step } | Action::UndoByHand { step } => {
                let key = &mut next.keys[step];
                (key.state, key.undos) = (Some(Definite::Undone), 2.min(key.undos + 1));
            }
        }
        Some(next)
    }

    /// The actions of a run with every worker under one number from the beginning to the end, although the worlds in
    /// between keep them in order of what they hold.
    pub(super) fn with_lasting_numbers(&self, run: &Run<World, Action>) -> Vec<Action> {
        let mut numbers: Vec<usize> = (0..self.adversary.workers).collect();
        let mut before = run.initial;
        let mut actions = Vec::with_capacity(run.steps.len());
        for (action, after) in &run.steps {
            actions.push(action.by_worker(|worker| numbers[worker]));
            numbers = self.renumbered(&before, action, &numbers);
            before = *after;
        }
        actions
    }

    /// The workers' lasting numbers after an action, in the order in which the world then keeps them.
    pub(super) fn renumbered(&self, before: &World, action: &Action, numbers: &[usize]) -> Vec<usize> {
        let moved = self.moved(before, action).unwrap_or(*before);
        let mut held: Vec<(StateId, usize)> = moved.workers.into_iter().zip(numbers.iter().copied()).collect();
        held.sort_by_key(|&(state, _)| state);
        held.into_iter().map(|(_, number)| number).collect()
    }

    fn append(&self, world: &mut World, worker: usize, input: Input<Told>, keeps: bool) -> Option<()> {
        let state = world.workers[worker];
        let next = self.automaton.after(state, Automaton::input_number(input));
        self.enter(world, worker, next)?;
        self.wait_with_marks(world, state)?;
        let taken = match input {
            Input::Receive(Told::Answer { to, answer }) => Message::Answer(to, answer),
            Input::Receive(Told::Looked { step, found: Some(_), left }) => Message::Still(Look { step, left: left_at(left) }),
            Input::Receive(Told::Looked { step, left, .. }) => Message::Nothing(Look { step, left: left_at(left) }),
            Input::Receive(Told::Differs { step, .. }) => Message::Differs { step },
            Input::Receive(Told::Undo { told: UndoTold::Sent, .. }) => return Some(()),
            Input::Receive(Told::Undo { step, told }) => Message::Undo(step, told),
            Input::Start
            | Input::Timeout
            | Input::Receive(
                Told::Cancel
                | Told::Due(_)
                | Told::Ruled(_)
                | Told::Sent { .. }
                | Told::Forgotten { .. }
                | Told::Moved { .. }
                | Told::SameBooks { .. },
            ) => return Some(()),
        };
        world.under_way = self.consumed(world.under_way, taken, keeps);
        Some(())
    }

    /// A mark as not done counts once nothing is on the road any more, and what is there is seen before.
    fn wait_with_marks(&self, world: &mut World, before_all: StateId) -> Option<()> {
        let (before, after) = (&self.automaton.facts(before_all).marks, &self.automaton.facts(world.journal).marks);
        let waited = |step: &usize| before[*step] == (Some(Mark::NotDone), false) && after[*step] == (Some(Mark::NotDone), true);
        for step in (0..self.plan.steps().len()).filter(waited) {
            let is_ours = world.keys[step].body == OUR_BODY;
            let act_is_wanted = self.is_wanted(world, Command { step, operation: Operation::Act });
            if (act_is_wanted || (is_ours && world.keys[step].is_in_effect())) && self.machine.rules.mark_is_overruled {
                return None;
            }
            world.under_way = self.without_acts(world.under_way, step);
        }
        self.give_up_undos(world, before_all);
        Some(())
    }

    /// A person is asked what became of an undo only once nothing of it is on the road any more.
    fn give_up_undos(&self, world: &mut World, before: StateId) {
        let (before, after) = (self.automaton.facts(before), self.automaton.facts(world.journal));
        let is_given_up = |step: &usize| {
            before.undo_is_pending[*step]
                && !before.out_of_reach[*step]
                && after.undo_is_pending[*step]
                && after.out_of_reach[*step]
        };
        for step in (0..self.plan.steps().len()).filter(is_given_up) {
            world.under_way = self.without_undos(world.under_way, step);
        }
    }

    /// A worker appends the entry that leads to this state, unless somebody was faster or it changes nothing.
    fn enter(&self, world: &mut World, worker: usize, next: StateId) -> Option<()> {
        let state = world.workers[worker];
        let was_too_slow = self.adversary.driver.fences_writers && state != world.journal;
        if was_too_slow || next == state {
            return None;
        }
        world.workers[worker] = next;
        world.journal = next;
        if let Some(outcome) = self.automaton.facts(next).decision {
            world.announced = world.announced.or(Some(outcome));
        }
        Some(())
    }

    fn send(&self, world: &mut World, worker: usize, command: Command) -> Option<()> {
        if !self.adversary.driver.delivers_again {
            let bit = 1 << (command.step as u32 * 4 + operation_number(command.operation));
            if world.sent_once & bit != 0 {
                return None;
            }
            world.sent_once |= bit;
        }
        let facts = self.automaton.facts(world.workers[worker]);
        let is_beside = command.operation == Operation::Look && facts.reads_back.contains(&command.step);
        debug_assert!(is_beside || facts.outbox.contains(&command), "only what the state wants is sent");
        let plan = self.plan.steps()[command.step];
        let is_sent_once = matches!(plan.doubt, Doubt::Looks { .. });
        if is_sent_once && command.operation == Operation::Act && self.machine.rules.act_is_marked_as_sent {
            let mark = Input::Receive(Told::Sent { step: command.step });
            self.append(world, worker, mark, false)?;
        }
        if plan.undo_leaves_once() && command.operation == Operation::Undo && self.machine.rules.undo_is_marked_as_sent {
            let mark = Input::Receive(Told::Undo { step: command.step, told: UndoTold::Sent });
            self.append(world, worker, mark, false)?;
            world.under_way = self.with_looks_made_early(world.under_way, command.step);
        }
        world.under_way = self.sent(world.under_way, message_of(command));
        Some(())
    }

    /// The older journal has kept no id of this step, and the next one that it keeps is another. What was asked for by the first
    /// one is left behind as it is: by the second one nothing was asked for yet, and where the key is sent beside it, its
    /// participant finds that the key stands for something else. Nothing of the former process is on the road any more.
    fn restore_before(&self, world: &mut World, of: usize) -> Option<()> {
        world.journal = world.copy?;
        world.copy = None;
        world.restores -= 1;
        world.workers = [NOTHING_LOADED; MAX_WORKERS];
        world.under_way = self.adversary.network.without_step(world.under_way, of);
        for (step, behaviour) in self.behaviours.iter().enumerate() {
            let key = &mut world.keys[step];
            match behaviour.named {
                Named::ByIdOf(named) if named == of => *key = Key { acts: key.acts, undos: key.undos, ..Key::default() },
                Named::ByKeyAndIdOf(named) if named == of && key.body == OUR_BODY => key.body = THEIR_BODY,
                Named::ByKey | Named::ByIdOf(_) | Named::ByKeyAndIdOf(_) => continue,
            }
            world.under_way = self.adversary.network.without_step(world.under_way, step);
        }
        Some(())
    }

    /// Somebody may look what became of the undo of this step.
    fn is_looked_for_undone(&self, step: usize) -> bool {
        let plan = self.plan.steps()[step];
        plan.undoes_later || plan.undo_leaves_once()
    }

    /// What a look finds. Nothing that it finds is a refusal or a tombstone that holds, but what was done.
    fn arrive_look(&self, world: &mut World, look: Look, sees: bool, keeps: bool) {
        world.under_way = self.consumed(world.under_way, Message::Look(look), keeps);
        let state = world.keys[look.step].state.filter(|_| sees);
        let to = Command { step: look.step, operation: Operation::Look };
        let mut answers = match state {
            // What is there is somebody else's.
            Some(_) if world.keys[look.step].body == THEIR_BODY => Vec::new(),
            Some(Definite::Done) if world.keys[look.step].is_other => vec![Message::Differs { step: look.step }],
            Some(Definite::Done) => vec![Message::Answer(to, FOUND_DONE), Message::Still(look)],
            Some(Definite::Refused) => vec![Message::Answer(to, FOUND_REFUSED), Message::Nothing(look)],
            Some(Definite::Undone) if self.is_looked_for_undone(look.step) => {
                vec![Message::Answer(to, FOUND_UNDONE), Message::Nothing(look)]
            }
            None | Some(Definite::Closed | Definite::Undone) => vec![Message::Nothing(look)],
        };
        if let Some(UndoTold::Failed) = world.keys[look.step].undo {
            answers.push(Message::Undo(look.step, UndoTold::Failed));
        }
        // What could only be told in vain is not put on the road.
        let means_nothing = |message: &Message| {
            let told = match *message {
                Message::Nothing(look) => told_nothing(look),
                Message::Still(look) => told_still(look),
                Message::Answer(to, answer @ FOUND_UNDONE) => Input::Receive(Told::Answer { to, answer }),
                Message::Answer(..) | Message::Command(_) | Message::Look(_) | Message::Undo(..) | Message::Differs { .. } => {
                    return false;
                }
            };
            !self.automaton.means_something(Automaton::input_number(told))
        };
        answers.retain(|message| !means_nothing(message));
        world.under_way = answers.into_iter().fold(world.under_way, |under_way, answer| self.sent(under_way, answer));
    }

    /// The deployed register takes the command; its row and the effect change together.
    fn arrive(&self, world: &mut World, command: Command, service: Service, keeps: bool) {
        world.under_way = self.consumed(world.under_way, Message::Command(command), keeps);
        if let Service::IsSpokenFor(state) = service {
            world.under_way = self.sent(world.under_way, Message::Answer(command, Answer::State(state)));
            return;
        }
        let behaviour = self.behaviours[command.step];
        let key = &mut world.keys[command.step];
        let body = (key.body != 0).then_some(key.body);
        let is_forgotten = match command.operation {
            Operation::Act => {
                key.is_open_again
                    || !behaviour.idempotent && key.state != Some(Definite::Closed)
                    || !behaviour.refusal_holds && key.state == Some(Definite::Refused)
            }
            Operation::Close => key.is_open_again,
            Operation::Look | Operation::Undo => false,
        };
        let state = key.state.filter(|_| !is_forgotten);
        let is_other = key.is_other || service == Service::DoesOther;
        let answers = |answer| match answer {
            Answer::State(Definite::Done) if is_other => Message::Differs { step: command.step },
            Answer::State(_) | Answer::OtherBody => Message::Answer(command, answer),
        };
        let request = match command.operation {
            Operation::Act => Request::Act { body: OUR_BODY, expired: service == Service::FindsExpired },
            // A look is a message of its own kind.
            Operation::Look => return,
            Operation::Close if !behaviour.closes => return,
            Operation::Undo if !behaviour.undo_closes && key.state.is_none() => {
                return world.under_way = self.sent(world.under_way, answers(Answer::State(Definite::Undone)));
            }
            Operation::Undo if behaviour.undoes_otherwise(key) => {
                let answer = key.undo_otherwise(command);
                return world.under_way = self.sent(world.under_way, answer);
            }
            Operation::Close => Request::Close { body: Some(OUR_BODY) },
            Operation::Undo => Request::Undo { body: Some(OUR_BODY) },
        };
        let (mut acts, mut undos) = (key.acts, key.undos);
        let (answer, register) = (self.machine.receive)((state, body), request, &mut |effect| {
            let happens = match effect {
                Effect::Act => matches!(service, Service::Accepts | Service::DoesOther),
                Effect::Undo => true,
            };
            if happens {
                match effect {
                    Effect::Act => acts = 2.min(acts + 1),
                    Effect::Undo => undos = 2.min(undos + 1),
                }
            }
            happens
        });
        key.state = register.0;
        key.body = register.1.unwrap_or_default();
        key.is_other |= service == Service::DoesOther;
        (key.acts, key.undos) = (acts, undos);
        if matches!(command.operation, Operation::Act | Operation::Close) {
            key.is_open_again = false;
        }
        let is_refused = command.operation == Operation::Act && key.state == Some(Definite::Refused);
        if is_refused && !behaviour.refusal_holds && service != Service::RefusesAndRemembers {
            (key.state, key.body) = (None, 0);
        }
        world.under_way = self.sent(world.under_way, answers(answer));
    }

    /// Whether every act on the road dies before the participant of this step forgets a key that is in this state: whoever is
    /// too quick to open what was closed may keep what was done for long enough, and the other way round.
    fn dies_first(&self, step: usize, state: Option<Definite>) -> bool {
        self.behaviours[step].expires(state) != When::AnyTime
    }

    /// Acts and closes of a step have died of old age.
    fn without_acts(&self, under_way: UnderWay, step: usize) -> UnderWay {
        let died = |under_way, operation| self.adversary.network.died(under_way, Message::Command(Command { step, operation }));
        [Operation::Act, Operation::Close].into_iter().fold(under_way, died)
    }

    /// Whoever looks late for an undo looks early for the one that leaves after it.
    fn with_looks_made_early(&self, under_way: UnderWay, step: usize) -> UnderWay {
        let network = self.adversary.network;
        [Message::Look, Message::Still].into_iter().fold(under_way, |under_way, message| {
            let [early, late] = Left::ALL.map(|left| message(Look { step, left }));
            if network.copies(under_way, late) == 0 { under_way } else { self.sent(network.died(under_way, late), early) }
        })
    }

    /// So have undos of a step that may leave only once. Any other may be asked for again at any moment.
    fn without_undos(&self, under_way: UnderWay, step: usize) -> UnderWay {
        let command = Command { step, operation: Operation::Undo };
        let dies = self.plan.steps()[step].undo_leaves_once();
        if dies { self.adversary.network.died(under_way, Message::Command(command)) } else { under_way }
    }

    fn sent(&self, under_way: UnderWay, message: Message) -> UnderWay {
        self.adversary.network.sent(under_way, message)
    }

    fn consumed(&self, under_way: UnderWay, message: Message, keeps: bool) -> UnderWay {
        if keeps { under_way } else { self.adversary.network.consumed(under_way, message) }
    }
}
