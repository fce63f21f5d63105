//! Everything that may happen next in a saga's world.

use handfast_protocol::{Command, Definite, Input, Mark, Meaning, Named, Operation, Ruling, Standing, Told, UndoTold};

use super::action::{Action, Service};
use super::adversary::Person;
use super::automaton::{Automaton, Facts, OF_A_PERSON, told_nothing, told_still};
use super::behaviour::{Behaviour, When};
use super::network::{Left, Look, Message};
use super::world::{NOTHING_LOADED, OUR_BODY, Saga, World};

/// What somebody else may say in a participant's stead.
const STATES: [Definite; 4] = [Definite::Done, Definite::Refused, Definite::Closed, Definite::Undone];

/// What somebody else may say who was never asked to look.
const LOOKED: [Meaning; 3] = [Meaning::State(Definite::Done), Meaning::State(Definite::Refused), Meaning::Absent];

/// What can be said to a worker without a message.
const SPONTANEOUS: [Input<Told>; 2] = [Input::Timeout, Input::Receive(Told::Cancel)];

impl Saga {
    /// Everything that may happen next, in a fixed order. Some of it may turn out to change nothing.
    pub fn moves(&self, world: &World, into: &mut Vec<Action>) {
        for worker in 0..self.adversary.workers {
            let state = world.workers[worker];
            // Workers are alike: of those who hold the same state one stands for all.
            if worker == 0 || world.workers[worker - 1] != state {
                self.moves_of_worker(world, worker, into);
            }
        }
        for message in self.adversary.network.messages(world.under_way) {
            self.moves_of_message(world, message, into);
        }
        if world.restores > 0 {
            // Where another id is what comes true, that is what is looked for in every older journal.
            let is_another = self.behaviours.iter().any(|behaviour| matches!(behaviour.named, Named::ByIdOf(_)));
            match world.copy {
                None => into.push(Action::Copy),
                Some(_) if !is_another => into.push(Action::Restore),
                Some(_) => {}
            }
            into.extend(self.second_ids(world).map(|of| Action::RestoreBefore { of }));
        }
        for step in 0..self.plan.steps().len() {
            let forgets = match world.keys[step].state {
                Some(Definite::Closed) => !self.adversary.stores.keep_tombstones,
                Some(Definite::Done | Definite::Refused | Definite::Undone) => !self.adversary.stores.keep_keys,
                None => false,
            };
            if forgets {
                into.push(Action::Forget { step });
            }
            self.moves_of_time(world, step, into);
        }
    }

    /// The steps of which the older journal has not kept what the newer one has, and by whose answer a later step is asked for.
    fn second_ids(&self, world: &World) -> impl Iterator<Item = usize> {
        let kept = |state, of: usize| self.automaton.facts(state).steps[of].1.is_some();
        let names = |of: usize| {
            let is_it = |behaviour: &Behaviour| match behaviour.named {
                Named::ByKey => false,
                Named::ByIdOf(named) | Named::ByKeyAndIdOf(named) => named == of,
            };
            self.behaviours.iter().any(is_it)
        };
        let copy = world.copy;
        (0..self.behaviours.len())
            .filter(move |&of| names(of) && kept(world.journal, of) && copy.is_some_and(|copy| !kept(copy, of)))
    }

    /// What a participant does by itself, in time.
    fn moves_of_time(&self, world: &World, step: usize, into: &mut Vec<Action>) {
        let (key, behaviour) = (&world.keys[step], &self.behaviours[step]);
        let expires = match behaviour.expires(key.state) {
            When::Never => false,
            When::OnceQuiet => !self.is_asked(world, step),
            When::AnyTime => true,
        };
        if expires && !key.is_open_again {
            into.push(Action::Expire { step });
        }
        if key.undo == Some(UndoTold::Accepted) {
            into.extend([false, true].map(|fails| Action::EndUndo { step, fails }));
        }
        let is_lasting = |(captor, other): (usize, &Behaviour)| other.captures == Some(step) && world.keys[captor].is_in_effect();
        let lapses = match behaviour.lapses {
            When::Never => false,
            When::OnceQuiet => {
                !self.machine.rules.hold_is_committed_in_time
                    || self.is_turned_back_for_good(world)
                    || self.is_left_uncaptured(world, step)
            }
            When::AnyTime => true,
        };
        if self.may_be_undone_by_hand(world, step) {
            into.push(Action::UndoByHand { step });
        }
        if lapses && key.is_in_effect() && !self.behaviours.iter().enumerate().any(is_lasting) {
            into.push(Action::Lapse { step });
        }
    }

    /// A person refunds by hand what nobody can be asked about, once nothing that cannot be taken back can happen any more.
    fn may_be_undone_by_hand(&self, world: &World, step: usize) -> bool {
        let (facts, key) = (self.automaton.facts(world.journal), &world.keys[step]);
        let gate_is_off = self.plan.gate().is_none_or(|gate| step < gate && facts.marks[gate].1);
        self.adversary.person != Person::Nobody
            && (facts.out_of_reach[step] || facts.unclear[step])
            && gate_is_off
            && key.body == OUR_BODY
            && key.is_in_effect()
    }

    /// What a person may say now. Of a step that is what is true at this moment, unless people may be wrong.
    fn rulings(&self, world: &World) -> impl Iterator<Item = Ruling> {
        let is_true = |step: usize, mark: Mark| {
            let key = &world.keys[step];
            let is_ours = key.body == OUR_BODY;
            match mark {
                Mark::Done => is_ours && key.is_in_effect(),
                Mark::NotDone => !is_ours || key.acts == 0,
                Mark::Undone => is_ours && key.acts > 0 && !key.is_in_effect(),
            }
        };
        let may_say = |step: usize, mark: Mark| match self.adversary.person {
            Person::Nobody => false,
            Person::Truthful => is_true(step, mark),
            Person::Lying => true,
        };
        let of_the_saga = OF_A_PERSON.into_iter().filter(|_| self.adversary.person != Person::Nobody);
        let of_steps = (0..self.plan.steps().len()).flat_map(|step| Mark::ALL.map(|mark| (step, mark)));
        let said = of_steps.filter(|&(step, mark)| may_say(step, mark)).map(|(step, mark)| Ruling::Mark { step, mark });
        of_the_saga.chain(said).collect::<Vec<_>>().into_iter()
    }

    /// Somebody would ask a step to act, or would close or undo its key in doubt, now or after having looked into the journal.
    /// Whoever lacks the rule to stop in time is not waited for.
    fn is_asked(&self, world: &World, step: usize) -> bool {
        let in_doubt = self.automaton.facts(world.journal).steps[step].1.is_none();
        Operation::ALL.into_iter().any(|operation| {
            let counts = match operation {
                Operation::Act => self.machine.rules.forgotten_key_is_left_alone,
                Operation::Close => self.machine.rules.forgotten_key_is_not_closed,
                Operation::Undo => self.machine.rules.forgotten_key_is_not_closed && in_doubt,
                Operation::Look => false,
            };
            counts && self.is_wanted(world, Command { step, operation })
        })
    }

    /// Somebody would send a command, now or after having looked into the journal.
    pub(super) fn is_wanted(&self, world: &World, command: Command) -> bool {
        let held = world.workers[..self.adversary.workers].iter().copied().filter(|&state| state != NOTHING_LOADED);
        held.chain([world.journal]).chain(world.copy).any(|state| self.automaton.facts(state).outbox.contains(&command))
    }

    /// Nobody asks for the step in which the saga is decided any more, and it is not done: nothing will rest on a hold.
    fn is_turned_back_for_good(&self, world: &World) -> bool {
        let Some(gate) = self.plan.gate() else { return true };
        // What was refused may be accepted yet where a refusal does not hold.
        let lasts = |state| state != Definite::Refused || self.behaviours[gate].refusal_holds;
        !self.is_wanted(world, Command { step: gate, operation: Operation::Act })
            && !world.keys[gate].is_in_effect()
            && (world.keys[gate].state.is_some_and(lasts) || self.has_ended(world))
    }

    /// The saga is decided, a person has it, and nobody ever asked for what the step holds to be captured.
    fn is_left_uncaptured(&self, world: &World, step: usize) -> bool {
        let facts = self.automaton.facts(world.journal);
        if self.plan.gate().is_none_or(|gate| facts.steps[gate].1 != Some(Definite::Done)) {
            return false;
        }
        let mut captors = (0..self.behaviours.len()).filter(|&captor| self.behaviours[captor].captures == Some(step));
        facts.standing == Standing::Suspended && captors.all(|captor| facts.steps[captor].0.is_none())
    }

    fn moves_of_worker(&self, world: &World, worker: usize, into: &mut Vec<Action>) {
        let state = world.workers[worker];
        if state != world.journal {
            into.push(Action::Load { worker });
        }
        if state == NOTHING_LOADED {
            return;
        }
        let network = self.adversary.network;
        let answers = network.messages(world.under_way).filter_map(|message| match message {
            Message::Answer(to, answer) => Some(Input::Receive(Told::Answer { to, answer })),
            Message::Differs { step } => Some(Input::Receive(Told::Differs { step, in_effect: true })),
            Message::Nothing(look) => Some(told_nothing(look)),
            Message::Undo(step, told) => Some(Input::Receive(Told::Undo { step, told })),
            Message::Still(look) => Some(told_still(look)),
            Message::Command(_) | Message::Look(_) => None,
        });
        let spontaneous = SPONTANEOUS.into_iter().filter(|input| self.adversary.cancels || *input == Input::Timeout);
        let ruled = self.rulings(world).map(|ruling| Input::Receive(Told::Ruled(ruling)));
        // Not every answer about something else says whose it is. What that leads to is followed where a person may say so.
        let is_there = |step: usize| network.copies(world.under_way, Message::Differs { step }) > 0;
        let unclear = (0..self.plan.steps().len()).filter(|&step| self.may_be_unclear(step) && is_there(step));
        let unclear = unclear.map(|step| Input::Receive(Told::Differs { step, in_effect: false }));
        for input in spontaneous.chain(ruled).chain(answers).chain(unclear) {
            let is_answer = matches!(
                input,
                Input::Receive(Told::Answer { .. } | Told::Looked { .. } | Told::Undo { .. } | Told::Differs { .. })
            );
            into.push(Action::Append { worker, input, keeps: false });
            if is_answer && self.duplicates_copies() {
                into.push(Action::Append { worker, input, keeps: true });
            }
            if !self.adversary.driver.appends_before_sending {
                let next = self.automaton.after(state, Automaton::input_number(input));
                into.extend(self.automaton.facts(next).outbox.iter().map(|&command| Action::SendEarly {
                    worker,
                    input,
                    command,
                }));
            }
        }
        let facts = self.automaton.facts(state);
        let can_be_written = |command: &&Command| self.can_be_written(facts, **command);
        into.extend(facts.outbox.iter().filter(can_be_written).map(|&command| Action::Send { worker, command }));
        let beside = self.automaton.facts(state).reads_back.iter().map(|&step| Command { step, operation: Operation::Look });
        into.extend(beside.map(|command| Action::Send { worker, command }));
        let looks = self.automaton.facts(state).outbox.iter().filter(|command| command.operation == Operation::Look);
        let counts = |step: usize| {
            let look = Look { step, left: Left::Late };
            [told_nothing(look), told_still(look)]
                .into_iter()
                .any(|told| self.automaton.after(state, Automaton::input_number(told)) != state)
        };
        into.extend(looks.filter(|look| counts(look.step)).map(|look| Action::SendLate { worker, step: look.step }));
        let alone = self.automaton.alone(state).iter();
        into.extend(alone.map(|alone| Action::AppendDue { worker, step: alone.step, due: alone.due }));
        if world.crashes > 0 {
            into.push(Action::CrashWorker { worker });
        }
    }

    fn may_be_unclear(&self, step: usize) -> bool {
        self.adversary.person != Person::Nobody && !self.plan.steps()[step].closes()
    }

    /// Whether everything that a request names has come: a close may name what an earlier step's answer brings.
    fn can_be_written(&self, facts: &Facts, command: Command) -> bool {
        let has_come = |needed: usize| matches!(facts.steps[needed].1, Some(Definite::Done | Definite::Undone));
        command.operation != Operation::Close || self.plan.steps()[command.step].close_needs.iter().all(has_come)
    }

    fn moves_of_message(&self, world: &World, message: Message, into: &mut Vec<Action>) {
        if self.keeps_copies() {
            into.push(Action::Capture { message });
        }
        let command = match message {
            Message::Command(command) => command,
            Message::Look(look) => return self.moves_of_look(look, into),
            Message::Answer(..) | Message::Nothing(_) | Message::Undo(..) | Message::Still(_) | Message::Differs { .. } => return,
        };
        let (step, behaviour, key) = (self.plan.steps()[command.step], &self.behaviours[command.step], &world.keys[command.step]);
        let absent = key.state.is_none();
        let is_act = command.operation == Operation::Act;
        let has_lapsed = behaviour.captures.is_some_and(|held| !world.keys[held].is_in_effect());
        let is_refused = key.state == Some(Definite::Refused) && !behaviour.refusal_holds;
        let spoken_for = STATES.map(Service::IsSpokenFor);
        let own = [Service::Accepts, Service::DoesOther, Service::Refuses, Service::RefusesAndRemembers, Service::FindsExpired];
        for service in own.into_iter().chain(spoken_for) {
            let possible = match service {
                // What has lapsed is captured no more, whatever was said of it before.
                Service::Accepts => !(is_act && (absent || is_refused) && has_lapsed),
                Service::DoesOther => behaviour.does_other && is_act && absent && !has_lapsed,
                Service::Refuses => {
                    let is_free = absent || is_refused || key.is_open_again || !self.machine.rules.refusal_is_sticky;
                    is_act && (behaviour.may_refuse && is_free || absent && has_lapsed)
                }
                Service::RefusesAndRemembers => {
                    is_act && behaviour.may_refuse && !behaviour.refusal_holds && (absent || key.is_open_again)
                }
                Service::FindsExpired => is_act && absent && step.deadline_ms.is_some() && step.closes(),
                Service::IsSpokenFor(state) => behaviour.impostor.has(command.operation, Meaning::State(state)),
            };
            if possible {
                into.push(Action::Arrive { command, service, keeps: false });
                if self.duplicates_copies() {
                    into.push(Action::Arrive { command, service, keeps: true });
                }
            }
        }
        if is_act && absent && !self.adversary.stores.commit_atomically {
            into.push(Action::ArriveHalfway { command });
        }
        if world.crashes > 0 && self.keeps_copies() {
            into.push(Action::CrashParticipant { command });
        }
    }

    /// A look arrives. One that left early may be answered from an older copy, or before an act arrives that is on the road.
    fn moves_of_look(&self, look: Look, into: &mut Vec<Action>) {
        let blind = (look.left == Left::Early).then_some(false);
        for sees in [true].into_iter().chain(blind) {
            into.push(Action::ArriveLook { look, sees, keeps: false });
            if self.duplicates_copies() {
                into.push(Action::ArriveLook { look, sees, keeps: true });
            }
        }
        let impostor = self.behaviours[look.step].impostor;
        let said = LOOKED.into_iter().filter(|meaning| impostor.has(Operation::Look, *meaning));
        into.extend(said.map(|meaning| Action::LookIsSpokenFor { look, meaning }));
    }

    /// A set keeps every message anyway.
    fn keeps_copies(&self) -> bool {
        matches!(self.adversary.network, super::network::Network::Multiset { .. })
    }

    fn duplicates_copies(&self) -> bool {
        self.keeps_copies() && self.adversary.duplicates
    }
}
