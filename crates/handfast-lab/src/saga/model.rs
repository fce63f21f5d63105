//! The saga's world as a model for the explorer: its properties, and its actions in words.

use handfast_protocol::{Doubt, Due, Input, Kind, Outcome, Plan, Ruling, StepPlan, Told};

use super::action::{Action, Service};
use super::adversary::Person;
use super::automaton::left_at;
use super::behaviour::When;
use super::network::{Left, Look, Message, Network};
use super::world::{Saga, World};
use crate::explorer::{Model, Property};
use crate::told;

impl Model for Saga {
    type State = World;
    type Action = Action;

    fn initial(&self) -> Vec<World> {
        vec![self.beginning()]
    }

    fn actions(&self, state: &World, into: &mut Vec<Action>) {
        self.moves(state, into);
    }

    fn after(&self, state: &World, action: &Action) -> Option<World> {
        self.after_move(state, action)
    }

    fn kinds(&self) -> Vec<&'static str> {
        let adversary = &self.adversary;
        let steps = self.plan.steps();
        let has_deadline = steps.iter().any(|step| step.deadline_ms.is_some());
        let told_the_time = has_deadline || steps.iter().any(is_due_by_itself);
        let may_refuse = steps.iter().any(|step| step.kind != Kind::Retriable);
        let mut kinds = vec!["load", "append an answer", "send", "arrive, accepted"];
        let when = |condition: bool, kind| condition.then_some(kind);
        kinds.extend(
            [
                when(adversary.person != Person::Nobody || told_the_time, "append a time-out"),
                when(has_deadline, "arrive, expired"),
                when(may_refuse, "arrive, refused"),
                when(adversary.person != Person::Nobody || steps.iter().any(is_looked_at), "a look arrives"),
                when(adversary.person != Person::Nobody, "undone by hand"),
                when(self.behaviours.iter().any(|it| it.does_other), "arrive, done otherwise"),
                when(self.behaviours.iter().any(|it| it.is_spoken_for()), "arrive, answered by somebody else"),
                when(adversary.cancels, "append a cancel"),
                when(adversary.person != Person::Nobody, "append what a person says"),
                when(!adversary.driver.appends_before_sending, "send early"),
                when(!adversary.stores.commit_atomically, "arrive halfway"),
                when(matches!(adversary.network, Network::Multiset { .. }), "capture"),
                when(adversary.crashes > 0, "worker crashes"),
                when(adversary.crashes > 0 && matches!(adversary.network, Network::Multiset { .. }), "participant crashes"),
                when(adversary.restores > 0, "copy the journal"),
                when(adversary.restores > 0, "older journal comes back"),
                when(!adversary.stores.keep_keys || !adversary.stores.keep_tombstones, "forget"),
                when(self.behaviours.iter().any(|it| it.forgets != When::Never || it.reopens != When::Never), "expire"),
                when(self.behaviours.iter().any(|it| it.lapses != When::Never), "lapse"),
                when(self.behaviours.iter().any(|it| it.undoes_later), "an undo ends"),
            ]
            .into_iter()
            .flatten(),
        );
        kinds
    }

    fn kind(&self, action: &Action) -> &'static str {
        match action {
            Action::Load { .. } => "load",
            Action::Append { input, .. } => match input {
                Input::Start => "append the start",
                Input::Timeout => "append a time-out",
                Input::Receive(Told::Due(_)) => "append a time-out",
                Input::Receive(Told::Cancel) => "append a cancel",
                Input::Receive(Told::Ruled(_)) => "append what a person says",
                Input::Receive(
                    Told::Answer { .. }
                    | Told::Looked { .. }
                    | Told::Undo { .. }
                    | Told::Sent { .. }
                    | Told::Differs { .. }
                    | Told::Forgotten { .. }
                    | Told::Moved { .. }
                    | Told::SameBooks { .. },
                ) => "append an answer",
            },
            Action::AppendDue { .. } => "append a time-out",
            Action::Send { .. } | Action::SendLate { .. } => "send",
            Action::SendEarly { .. } => "send early",
            Action::Arrive { service, .. } => match service {
                Service::Accepts => "arrive, accepted",
                Service::DoesOther => "arrive, done otherwise",
                Service::Refuses | Service::RefusesAndRemembers => "arrive, refused",
                Service::FindsExpired => "arrive, expired",
                Service::IsSpokenFor(_) => "arrive, answered by somebody else",
            },
            Action::ArriveLook { .. } | Action::LookIsSpokenFor { .. } => "a look arrives",
            Action::ArriveHalfway { .. } => "arrive halfway",
            Action::Capture { .. } => "capture",
            Action::CrashWorker { .. } => "worker crashes",
            Action::CrashParticipant { .. } => "participant crashes",
            Action::Copy => "copy the journal",
            Action::Restore | Action::RestoreBefore { .. } => "older journal comes back",
            Action::Forget { .. } => "forget",
            Action::Expire { .. } => "expire",
            Action::Lapse { .. } => "lapse",
            Action::UndoByHand { .. } => "undone by hand",
            Action::EndUndo { .. } => "an undo ends",
        }
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let (adversary, steps) = (&self.adversary, self.plan.steps());
        let mut properties = vec![
            Property::always("dispatched only if paid", Self::is_dispatched_only_if_paid),
            Property::always("cancelled is never charged", Self::is_cancelled_never_charged),
            Property::always("completed is both", Self::is_completed_both),
            Property::always("at most once", Self::is_at_most_once),
            Property::always("final", Self::is_final),
            Property::always("armed", Self::is_armed),
            Property::always_step("knowledge never goes back", Self::is_never_unlearning),
            Property::always_step("commands are monotone", Self::is_monotone),
            Property::always_step("no way back", Self::is_without_way_back),
        ];
        let has_person = adversary.person != Person::Nobody;
        if has_person {
            properties.push(Property::always_step("nothing is undone while the gate is not off", Self::is_undone_through_gate));
            properties.push(Property::always_step("a mark is overruled", Self::is_overruled));
            properties.push(Property::can_always_reach("ends, with a person's help", Self::has_ended));
            properties.push(Property::sometimes("settled", Self::was_settled));
        }
        if adversary.person == Person::Lying {
            properties.push(Property::always("a word leaves nothing behind without saying so", Self::is_said_with_the_word));
        }
        if adversary.foreign_key.is_some() {
            properties.push(Property::always("hands off", Self::is_hands_off));
            properties.push(Property::always("a person gets nothing but what is out of reach", Self::is_taken_back));
            properties.push(Property::can_always_reach("ends, or a person has it", Self::has_ended_or_suspended));
            properties.push(Property::sometimes("suspended", |saga, world| !saga.is_without_contradiction(world)));
            return properties;
        }
        properties.push(Property::always("no contradiction", Self::is_without_contradiction));
        if steps.iter().any(|step| step.undo_after.is_some()) {
            properties.push(Property::always("undone in order", Self::is_undone_in_order));
        }
        if steps.iter().any(|step| step.watch_ms.is_some()) {
            properties.push(Property::can_always_reach("a late effect is undone", Self::is_without_late_effect));
            properties.push(Property::can_always_reach("every watch can end", Self::has_come_to_rest));
        }
        // What was done otherwise where there is no way back is for a person.
        let gate = self.plan.gate().unwrap_or(steps.len());
        let may_end_otherwise = self.behaviours[gate..].iter().any(|it| it.does_other);
        if may_end_otherwise {
            properties.push(Property::can_always_reach("ends, or a person has it", Self::has_ended_or_suspended));
        } else if self.plan.may_need_a_person() || self.may_lose_what_closes() {
            properties.push(Property::always("a person gets nothing but what is out of reach", Self::is_taken_back));
            properties.push(Property::can_always_reach("ends, or a person has it", Self::has_ended_or_suspended));
        } else {
            properties.push(Property::can_always_reach("can always end", Self::has_ended));
        }
        let all_keep_the_contract = self.behaviours.iter().zip(steps).all(|(behaviour, plan)| behaviour.keeps_contract(plan));
        if !all_keep_the_contract {
            properties.push(Property::sometimes("completed", Self::has_completed));
            return properties;
        }
        properties.push(Property::sometimes("completed", Self::has_completed));
        let compensatable = || self.plan.steps().iter().filter(|step| step.kind == Kind::Compensatable);
        if compensatable().next().is_some() && (adversary.cancels || self.plan.steps().len() > 1) {
            properties.push(Property::sometimes("refunded", Self::has_refunded));
        }
        if compensatable().any(|step| step.deadline_ms.is_some()) {
            properties.push(Property::sometimes("late act met a closed key", Self::has_refused_a_late_act));
        }
        if self.plan.gate().is_some() && adversary.cancels {
            properties.push(Property::sometimes("turned back, and forward again", Self::has_turned_forward_again));
        }
        if adversary.workers > 1 || adversary.restores > 0 {
            properties.push(Property::sometimes("a worker is behind", Self::has_worker_behind));
        }
        if adversary.restores > 0 {
            properties.push(Property::sometimes("the end was forgotten", Self::has_forgotten_its_end));
        }
        properties
    }
}

/// Somebody may look at this step's key.
const fn is_looked_at(step: &StepPlan) -> bool {
    matches!(step.doubt, Doubt::Looks { .. })
        || step.reads_back
        || step.watch_ms.is_some()
        || step.refused_close_ms.is_some()
        || step.undoes_later
        || step.undo_leaves_once()
}

/// Something becomes due for this step even without a deadline.
const fn is_due_by_itself(step: &StepPlan) -> bool {
    step.may_need_a_person() || step.commit_within_ms.is_some() || step.watch_ms.is_some()
}

impl Saga {
    /// With an older journal nobody may know any more what a key is closed by.
    fn may_lose_what_closes(&self) -> bool {
        let by_another = |step: &StepPlan| step.kind == Kind::Compensatable && !step.close_needs.is_empty();
        self.adversary.restores > 0 && self.plan.steps().iter().any(by_another)
    }

    /// A world in words: the journal, and what really happened at each key.
    #[must_use]
    pub fn in_words(&self, world: &World) -> String {
        let facts = self.automaton.facts(world.journal);
        let keys = world.keys.iter().zip(&self.names).map(|(key, name)| {
            let state = told::state(key.state);
            let otherwise = if key.is_other { ", otherwise than asked for" } else { "" };
            format!("{name} {state} (done {}x{otherwise}, undone {}x)", key.acts, key.undos)
        });
        let told = world.announced.map_or("nothing", |outcome| match outcome {
            Outcome::Completed => "completed",
            Outcome::Cancelled => "cancelled",
            Outcome::Settled => "settled",
        });
        format!("journal: {}; customer told: {told}; {}", facts.standing.name(), keys.collect::<Vec<_>>().join("; "))
    }
}

/// A word for each step of a plan, by what it can promise, numbered where there are several of a kind.
#[must_use]
pub fn step_names(plan: &Plan) -> Vec<String> {
    let word = |kind| match kind {
        Kind::Compensatable => "payment",
        Kind::Pivot => "dispatch",
        Kind::Retriable => "notice",
    };
    let kinds: Vec<Kind> = plan.steps().iter().map(|step| step.kind).collect();
    let name = |(step, &kind): (usize, &Kind)| {
        let alone = kinds.iter().filter(|&&other| other == kind).count() == 1;
        let number = kinds[..=step].iter().filter(|&&other| other == kind).count();
        if alone { word(kind).to_owned() } else { format!("{} {number}", word(kind)) }
    };
    kinds.iter().enumerate().map(name).collect()
}

/// What is due, in words.
pub(super) const fn due_in_words(due: Due) -> &'static str {
    match due {
        Due::Deadline => "the deadline",
        Due::Commit => "the time to commit",
        Due::GiveUp => "the last time to ask",
        Due::Watch => "the end of the watch",
        Due::Mark => "the time after which a mark counts",
    }
}

/// What a person says, in words.
pub(super) fn ruling_in_words(ruling: Ruling, names: &[String]) -> String {
    match ruling {
        Ruling::Retry => "a person says: ask again".to_owned(),
        Ruling::Resume => "a person says: go on".to_owned(),
        Ruling::Mark { step, mark } => format!("a person says: {} was {}", names[step], mark.name().replace('_', " ")),
        Ruling::Settle => "a person waits for nobody any longer".to_owned(),
    }
}

/// How a service takes what arrives, in words.
fn taken_in_words(service: Service) -> String {
    match service {
        Service::Accepts => String::new(),
        Service::DoesOther => ", and the service does something else".to_owned(),
        Service::Refuses => ", and the service declines".to_owned(),
        Service::RefusesAndRemembers => ", and the service declines and remembers it".to_owned(),
        Service::FindsExpired => ", after its own time".to_owned(),
        Service::IsSpokenFor(state) => format!(" nowhere: somebody else answers {}", state.name()),
    }
}

/// A look in words.
fn look_in_words(look: Look, names: &[String]) -> String {
    match look.left {
        Left::Early => format!("look {}", names[look.step]),
        Left::Late => format!("look {}, which left after the end of the watch", names[look.step]),
    }
}

/// What a worker is told, in words.
fn input_in_words(input: Input<Told>, names: &[String]) -> String {
    let (command, answer) = (|command| told::command(command, names), told::answer);
    let look = |look| look_in_words(look, names);
    match input {
        Input::Start => "start".into(),
        Input::Timeout => "deadline".into(),
        Input::Receive(Told::Due(_)) => "one deadline has passed".into(),
        Input::Receive(Told::Cancel) => "cancel".into(),
        Input::Receive(Told::Ruled(ruling)) => ruling_in_words(ruling, names),
        Input::Receive(Told::Forgotten { step }) => format!("what {} had answered is evidence no more", names[step]),
        Input::Receive(Told::Moved { step, .. }) => format!("{} is called at another address", names[step]),
        Input::Receive(Told::SameBooks { step }) => format!("{} keeps the same books there", names[step]),
        Input::Receive(Told::Sent { step }) => format!("act {} is marked as sent", names[step]),
        Input::Receive(Told::Differs { step, in_effect: true }) => format!("{} -> something else is in effect", names[step]),
        Input::Receive(Told::Differs { step, in_effect: false }) => format!("{} -> an answer about something else", names[step]),
        Input::Receive(Told::Answer { to, answer: said }) => format!("{} -> {}", command(to), answer(said)),
        Input::Receive(Told::Undo { step, told }) => format!("undo {} -> {}", names[step], told.name()),
        Input::Receive(Told::Looked { step, found: Some(_), left }) => {
            format!("{} -> still there", look(Look { step, left: left_at(left) }))
        }
        Input::Receive(Told::Looked { step, left, .. }) => format!("{} -> nothing", look(Look { step, left: left_at(left) })),
    }
}

/// An action in words, as it stands in a kept run.
#[must_use]
pub fn in_words(saga: &Saga, action: &Action) -> String {
    let names = &saga.names;
    let (command, answer) = (|command| told::command(command, names), told::answer);
    let look = |look| look_in_words(look, names);
    let input = |input: Input<Told>| input_in_words(input, names);
    let again = |keeps: bool| if keeps { ", and a copy stays on the road" } else { "" };
    match *action {
        Action::Load { worker } => format!("worker {} loads the journal", worker + 1),
        Action::Append { worker, input: told, keeps } => {
            format!("worker {} appends: {}{}", worker + 1, input(told), again(keeps))
        }
        Action::AppendDue { worker, step, due } => {
            format!("worker {} appends: {} of {} alone", worker + 1, due_in_words(due), names[step])
        }
        Action::Send { worker, command: sent } => format!("worker {} sends: {}", worker + 1, command(sent)),
        Action::SendLate { worker, step } => {
            format!("worker {} sends: {}", worker + 1, look(Look { step, left: Left::Late }).replace("which left ", ""))
        }
        Action::SendEarly { worker, input: told, command: sent } => {
            format!("worker {} sends before it appends ({}): {}", worker + 1, input(told), command(sent))
        }
        Action::Arrive { command: arrived, service, keeps } => {
            format!("arrives: {}{}{}", command(arrived), taken_in_words(service), again(keeps))
        }
        Action::ArriveLook { look: arrived, sees, keeps } => {
            let how = if sees { "" } else { ", and an older copy is read" };
            format!("arrives: {}{how}{}", look(arrived), again(keeps))
        }
        Action::LookIsSpokenFor { look: lost, meaning } => {
            format!("arrives: {} nowhere: somebody else answers {}", look(lost), meaning.name())
        }
        Action::ArriveHalfway { command: arrived } => {
            format!("arrives: {}; the effect is committed, then a crash before the register is", command(arrived))
        }
        Action::Capture { message: Message::Command(captured) } => format!("captured: {}", command(captured)),
        Action::Capture { message: Message::Differs { step } } => {
            format!("captured: {} -> something else is in effect", names[step])
        }
        Action::Capture { message: Message::Answer(to, said) } => format!("captured: {} -> {}", command(to), answer(said)),
        Action::EndUndo { step, fails: true } => format!("the undo of {} fails", names[step]),
        Action::EndUndo { step, fails: false } => format!("the undo of {} is done", names[step]),
        Action::Capture { message: Message::Undo(step, told) } => format!("captured: undo {} -> {}", names[step], told.name()),
        Action::Capture { message: Message::Still(captured) } => format!("captured: {} -> still there", look(captured)),
        Action::Capture { message: Message::Look(captured) } => format!("captured: {}", look(captured)),
        Action::Capture { message: Message::Nothing(captured) } => format!("captured: {} -> nothing", look(captured)),
        Action::CrashWorker { worker } => format!("worker {} crashes", worker + 1),
        Action::CrashParticipant { command: lost } => format!("{} crashes and forgets: {}", names[lost.step], command(lost)),
        Action::Copy => "a copy of the journal is taken".into(),
        Action::Restore => "the coordinator comes back with the older journal".into(),
        Action::RestoreBefore { of } => {
            format!("the coordinator comes back with the older journal, and will keep another answer of {}", names[of])
        }
        Action::Forget { step } => format!("{} forgets its key", names[step]),
        Action::Expire { step } => format!("{} does not remember its key any more", names[step]),
        Action::Lapse { step } => format!("what {} holds lapses", names[step]),
        Action::UndoByHand { step } => format!("a person undoes {} by hand", names[step]),
    }
}
