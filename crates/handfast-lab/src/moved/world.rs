//! The coordinator, the keys in two books each, the road, and what may happen next.

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::sync::Arc;

use handfast_protocol::{
    Answer, Command, Coordinator, Definite, Deployed, Due, DueAt, Guards, Input, Mark, Operation, Party as _, Ruling, Time, Told,
    UndoTold,
};

use super::action::{Action, Said, Sent};
use super::books::{Address, Books, Kept, empty};
use super::plan::Plan;
use crate::explorer::{Model, Property};
use crate::one_saga::come_to_count;

/// One saga whose services move.
#[derive(Clone, Debug)]
pub struct Moved<G = Deployed> {
    /// What it does.
    pub plan: Plan,
    pub(super) deployed: Arc<handfast_protocol::Plan>,
    /// The same where nothing is due.
    nothing_due: Arc<handfast_protocol::Plan>,
    /// How often a step's service moves, in all: to the new address, and back.
    pub moves: u8,
    /// Whether a new address begins with a copy of the former books. It keeps the same books or others where it does not.
    pub copies: bool,
    /// Whether no deadline passes and nobody cancels.
    pub is_patient: bool,
    /// How often an older journal comes back.
    pub restores: u8,
    /// Whether another worker goes on sending by what it knew.
    pub has_worker_behind: bool,
    /// Whether a person says what is true, at any moment.
    pub has_person: bool,
    /// Whether whoever answers at the new address can be looked at.
    pub can_be_looked_at: bool,
    guards: PhantomData<G>,
}

impl<G> Moved<G> {
    /// A payment, then a dispatch, one move, and nobody who says anything.
    #[must_use]
    pub fn new() -> Self {
        Self::of(Plan::PaymentThenDispatch)
    }

    /// The same with another plan.
    #[must_use]
    pub fn of(plan: Plan) -> Self {
        let deployed = Arc::new(plan.of_the_protocol(Some(0)));
        Self {
            plan,
            nothing_due: nothing_due(&deployed),
            deployed,
            moves: 1,
            copies: false,
            is_patient: false,
            restores: 0,
            has_worker_behind: false,
            has_person: false,
            can_be_looked_at: true,
            guards: PhantomData,
        }
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

    /// The same without deadlines and where nobody cancels: only a refusal turns the saga back.
    #[must_use]
    pub fn patient(mut self) -> Self {
        self.is_patient = true;
        self.deployed = Arc::new(self.plan.of_the_protocol(None));
        self.nothing_due = nothing_due(&self.deployed);
        self
    }

    /// The same where a new address begins with a copy of the former books, which go on beside it.
    #[must_use]
    pub const fn with_copies(mut self) -> Self {
        self.copies = true;
        self
    }

    /// The same where an older journal comes back so often.
    #[must_use]
    pub const fn restores(mut self, restores: u8) -> Self {
        self.restores = restores;
        self
    }

    /// The same beside a worker that goes on sending by the journal and the addresses that it knew.
    #[must_use]
    pub const fn beside_a_worker_behind(mut self) -> Self {
        self.has_worker_behind = true;
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

/// The same plan where nothing ever is due.
fn nothing_due(plan: &handfast_protocol::Plan) -> Arc<handfast_protocol::Plan> {
    Arc::new(plan.clone().with_only(usize::MAX, Due::Deadline))
}

/// By which definition a step may have been asked for more than a look, as far as a journal knows.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Asked {
    /// At which addresses.
    at: Vec<BTreeSet<Address>>,
    /// A person has said that the books of both addresses are the same.
    were_told_same: Vec<bool>,
    /// A person has said what became of it, and a journal that came back has forgotten that.
    has_forgotten_word: Vec<bool>,
}

/// What somebody has read of the journal, or a backup of it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Read<G> {
    coordinator: Coordinator<G>,
    asked: Asked,
    called_at: Vec<Address>,
}

/// Everything at one moment.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct World<G> {
    /// What the journal replays to.
    pub coordinator: Coordinator<G>,
    /// The participants' books.
    pub books: Vec<Books>,
    asked: Asked,
    /// Requests that were sent; each may arrive at any time, again and again, or never. What leaves once arrives once.
    requests: BTreeSet<Sent>,
    /// Answers that were sent, with the request.
    answers: BTreeSet<(Sent, Said)>,
    pub(super) moves: u8,
    restores: u8,
    /// A backup of the journal.
    backup: Option<Box<Read<G>>>,
    /// What the other worker knows.
    behind: Option<Box<Read<G>>>,
}

impl<G: Guards> World<G> {
    pub(super) fn is_in_effect(&self, step: usize) -> bool {
        self.books[step].is_in_effect()
    }

    pub(super) fn was_told_same(&self) -> bool {
        self.asked.were_told_same.contains(&true)
    }

    fn tell(&mut self, told: Input<Told>) {
        self.coordinator.step(Time(0), told);
        self.note_asked();
    }

    /// The same world after it was told this.
    fn told(&self, told: Input<Told>) -> Self {
        let mut after = self.clone();
        after.tell(told);
        after
    }

    /// What is wanted now may leave for where it is called now.
    fn note_asked(&mut self) {
        for step in 0..self.books.len() {
            if self.coordinator.was_asked(step) && !self.coordinator.is_moved(step) {
                self.asked.at[step].insert(self.books[step].called_at);
            }
        }
    }

    /// Something leaves for other books than those in which the key was asked for.
    pub(super) fn leaves_for_other_books(&self, command: Command) -> bool {
        self.books[command.step].kept == Some(Kept::Others) && self.was_asked_elsewhere(command.step)
    }

    /// The key of a step was asked for at another address than it would be now, of which nobody has said that it keeps the same
    /// books.
    fn was_asked_elsewhere(&self, step: usize) -> bool {
        let is_elsewhere = |&address: &Address| address != self.books[step].called_at;
        !self.asked.were_told_same[step] && self.asked.at[step].iter().any(is_elsewhere)
    }

    /// Whoever looked late for an undo looked early for the one that leaves after it.
    fn is_early(&mut self, step: usize) {
        let early = |sent: Sent| Sent { is_late: sent.is_late && sent.command.step != step, ..sent };
        self.requests = self.requests.iter().map(|&sent| early(sent)).collect();
        self.answers = self.answers.iter().map(|&(to, said)| (early(to), said)).collect();
    }

    fn read(&self) -> Box<Read<G>> {
        Box::new(Read {
            coordinator: self.coordinator.clone(),
            asked: self.asked.clone(),
            called_at: self.books.iter().map(|books| books.called_at).collect(),
        })
    }
}

impl<G: Guards> Moved<G> {
    /// What leaves once is marked before.
    fn send(world: &World<G>, sent: Sent) -> World<G> {
        let Command { step, operation } = sent.command;
        let leaves_once = world.coordinator.leaves_once(step, operation);
        let mut after = match operation {
            _ if !leaves_once => world.clone(),
            Operation::Undo => world.told(Input::Receive(Told::Undo { step, told: UndoTold::Sent })),
            Operation::Act | Operation::Look | Operation::Close => world.told(Input::Receive(Told::Sent { step })),
        };
        if sent.is_late {
            let is_undo = |on_the_road: &Sent| on_the_road.command == Command { step, operation: Operation::Undo };
            after.requests.retain(|on_the_road| !is_undo(on_the_road));
        }
        if operation == Operation::Undo && leaves_once {
            after.is_early(step);
        }
        if operation != Operation::Look {
            after.asked.at[step].insert(sent.address);
        }
        after.requests.insert(sent);
        after
    }

    fn arrive(&self, world: &World<G>, sent: Sent, accepts: bool) -> World<G> {
        let mut after = world.clone();
        let Command { step, operation } = sent.command;
        if world.coordinator.leaves_once(step, operation) {
            after.requests.remove(&sent);
        }
        let plan = &self.deployed.steps()[step];
        let said = match after.books[step].arrive::<G>((operation, sent.address, accepts), plan) {
            Some(answer) => Said::Answer(answer),
            None => after.books[step].at(sent.address).map_or(Said::Nothing, |state| Said::Answer(Answer::State(state))),
        };
        after.answers.insert((sent, said));
        after
    }

    fn hear(&self, world: &World<G>, to: Sent, said: Said) -> Option<World<G>> {
        let Command { step, operation } = to.command;
        let is_look = operation == Operation::Look;
        // Whoever drives the saga drops it: nobody could tell whose books it is of.
        if is_look && to.address != world.books[step].called_at {
            return None;
        }
        let mut heard = match said {
            Said::Answer(answer) => world.told(Input::Receive(Told::Answer { to: to.command, answer })),
            Said::Nothing => world.clone(),
        };
        if !is_look {
            return Some(heard);
        }
        let found = match said {
            Said::Answer(Answer::State(found)) => Some(found),
            Said::Answer(Answer::OtherBody) | Said::Nothing => None,
        };
        // Time stands still: a look that left too early left before anything was due.
        let timed = [&self.deployed, &self.nothing_due][usize::from(!to.is_late)];
        heard.coordinator = heard.coordinator.timed_by(Arc::clone(timed));
        heard.tell(Input::Receive(Told::Looked { step, found, left: Time(0) }));
        heard.coordinator = heard.coordinator.timed_by(Arc::clone(&self.deployed));
        let is_confirmed = to.address == Address::New && world.books[step].confirms(world.coordinator.step_state(step).1);
        if !G::CONFIRMED_HISTORY_IS_NOT_SAME_BOOKS && is_confirmed {
            heard.tell(Input::Receive(Told::SameBooks { step }));
        }
        Some(heard)
    }

    /// A time has come. A step that was marked as not done counts as off only once every act has died, and whoever is looked at until
    /// then is seen to have it; and of an undo that leaves once a person is asked only once that has died.
    fn due(world: &World<G>, told: Input<Told>) -> Option<World<G>> {
        let mut after = world.told(told);
        let waited = |&step: &usize| {
            let is_marked = |saga: &Coordinator<G>| saga.step_mark(step) == Some(Mark::NotDone);
            is_marked(&world.coordinator) && !world.coordinator.is_step_off(step) && !is_marked(&after.coordinator)
        };
        let steps = 0..world.books.len();
        let mut died: Vec<Command> = come_to_count(&world.coordinator, &after.coordinator)
            .into_iter()
            .chain(steps.clone().filter(waited))
            .map(|step| Command { step, operation: Operation::Act })
            .collect();
        let wants = |command: &Command| world.behind.as_ref().is_some_and(|read| read.coordinator.outbox().contains(command));
        for act in &died {
            let books = world.books[act.step];
            let can_be_seen = !world.coordinator.is_lost_by_moving(act.step) || books.called_at == Address::Former;
            if wants(act) || (can_be_seen && books.is_seen_at(books.called_at)) {
                return None;
            }
        }
        let is_given_up = |&step: &usize| {
            let was = world.coordinator.is_undo_pending(step) && !world.coordinator.is_undo_out_of_reach(step);
            was && after.coordinator.is_undo_pending(step) && after.coordinator.is_undo_out_of_reach(step)
        };
        died.extend(steps.filter(is_given_up).map(|step| Command { step, operation: Operation::Undo }));
        after.requests.retain(|sent| !died.contains(&sent.command));
        Some(after)
    }

    /// Whether what a person would say is true.
    fn is_true(world: &World<G>, ruling: Ruling) -> bool {
        let Ruling::Mark { step, mark } = ruling else { return true };
        let books = world.books[step];
        match mark {
            Mark::Done => books.is_in_effect(),
            Mark::NotDone => !books.was_done(),
            Mark::Undone => !books.is_in_effect() && books.was_done(),
        }
    }

    fn change_address(&self, world: &World<G>, step: usize, kept: Kept) -> World<G> {
        let mut after = world.clone();
        let books = &mut after.books[step];
        books.kept = Some(kept);
        books.called_at = books.called_at.other();
        after.moves -= 1;
        self.tell_of_move(&mut after, step);
        after
    }

    /// The coordinator is told where the service of a step is called now.
    fn tell_of_move(&self, world: &mut World<G>, step: usize) {
        let can_be_looked_at = self.can_be_looked_at || world.books[step].called_at == Address::Former;
        let came_back = world.restores < self.restores;
        let is_unknown = came_back && !world.asked.were_told_same[step];
        let told = if is_unknown || world.was_asked_elsewhere(step) {
            Told::Moved { step, can_be_looked_at, came_back }
        } else {
            Told::SameBooks { step }
        };
        world.coordinator.step(Time(0), Input::Receive(told));
    }

    /// The journal comes back, and its saga follows the definition at hand: who would be called elsewhere by it than by the older
    /// one has moved. It does not come back where a service has moved and moved back since, and was asked meanwhile.
    fn restore(&self, world: &World<G>) -> Option<World<G>> {
        let Read { coordinator, asked, called_at } = world.backup.clone().map(|read| *read)?;
        // Nobody can know then that it was asked elsewhere, and so nothing is claimed.
        let has_been_away = |step: usize| {
            let knows_of_a_move = coordinator.is_moved(step) || called_at[step] != world.books[step].called_at;
            !knows_of_a_move && world.asked.at[step].iter().any(|at| *at != called_at[step] && !asked.at[step].contains(at))
        };
        if (0..world.books.len()).any(has_been_away) {
            return None;
        }
        let mut after = World { coordinator, asked, backup: None, restores: world.restores - 1, ..world.clone() };
        for step in 0..world.books.len() {
            let mark = world.coordinator.step_mark(step);
            after.asked.has_forgotten_word[step] = mark.is_some() && mark != after.coordinator.step_mark(step);
        }
        let is_moved: Vec<bool> = (0..world.books.len()).map(|step| after.coordinator.is_moved(step)).collect();
        let has_moved = |&step: &usize| is_moved[step] || called_at[step] != world.books[step].called_at;
        for step in (0..world.books.len()).filter(has_moved) {
            self.tell_of_move(&mut after, step);
        }
        Some(after)
    }

    fn sends(&self, world: &World<G>, into: &mut Vec<Action>) {
        for command in world.coordinator.outbox() {
            let address = world.books[command.step].called_at;
            let is_look = command.operation == Operation::Look;
            let may_be_late = is_look && world.coordinator.watch_ends_at(command.step).is_some();
            for is_late in [false, true].into_iter().take(1 + usize::from(may_be_late)) {
                into.push(Action::Send(Sent { command, address, is_late }));
            }
        }
        let Some(read) = &world.behind else { return };
        let may_leave = |command: &Command| !world.coordinator.leaves_once(command.step, command.operation);
        into.extend(read.coordinator.outbox().into_iter().filter(may_leave).map(Action::SendBehind));
    }

    fn moves_of_services(&self, world: &World<G>, into: &mut Vec<Action>) {
        for step in 0..world.books.len() {
            let books = world.books[step];
            let choices = match books.kept {
                _ if world.moves == 0 => vec![],
                Some(kept) => vec![kept],
                None if self.copies => {
                    into.push(Action::Copy(step));
                    vec![]
                }
                None => vec![Kept::Same, Kept::Others],
            };
            into.extend(choices.into_iter().map(|kept| Action::Move(step, kept)));
        }
    }

    fn moves_of_store(&self, world: &World<G>, into: &mut Vec<Action>) {
        if world.restores > 0 {
            into.push(if world.backup.is_some() { Action::Restore } else { Action::BackUp });
        }
        if self.has_worker_behind && world.behind.is_none() {
            into.push(Action::FallBehind);
        }
    }

    fn says_of_person(&self, world: &World<G>, into: &mut Vec<Action>) {
        if !self.has_person {
            return;
        }
        let rulings = world.coordinator.rulings().into_iter();
        into.extend(rulings.filter(|&ruling| Self::is_true(world, ruling)).map(Action::Say));
        // Who has said before what became of it does not let it be asked for instead: that is claimed of nobody else.
        let is_same = |&step: &usize| {
            let is_about_it = world.coordinator.is_moved(step) && !world.asked.has_forgotten_word[step];
            is_about_it && world.books[step].kept == Some(Kept::Same)
        };
        into.extend((0..world.books.len()).filter(is_same).map(Action::SameBooks));
    }
}

impl<G: Guards> Model for Moved<G> {
    type State = World<G>;
    type Action = Action;

    fn initial(&self) -> Vec<World<G>> {
        let books = empty(self.plan);
        let asked = Asked {
            at: vec![BTreeSet::new(); books.len()],
            were_told_same: vec![false; books.len()],
            has_forgotten_word: vec![false; books.len()],
        };
        let world = World {
            coordinator: Coordinator::new(Arc::clone(&self.deployed)),
            books,
            asked,
            requests: BTreeSet::new(),
            answers: BTreeSet::new(),
            moves: self.moves,
            restores: self.restores,
            backup: None,
            behind: None,
        };
        vec![world.told(Input::Start)]
    }

    fn actions(&self, world: &World<G>, into: &mut Vec<Action>) {
        self.sends(world, into);
        into.extend(world.requests.iter().map(|&sent| Action::Arrive(sent, true)));
        let may_refuse =
            |sent: &&Sent| sent.command.operation == Operation::Act && world.books[sent.command.step].at(sent.address).is_none();
        into.extend(world.requests.iter().filter(may_refuse).map(|&sent| Action::Arrive(sent, false)));
        into.extend(world.answers.iter().map(|&(to, said)| Action::Hear(to, said)));
        if world.coordinator.deadline().is_some() {
            into.push(Action::Deadline);
        }
        if !self.is_patient {
            into.push(Action::Cancel);
        }
        let dues: BTreeSet<DueAt> = world.coordinator.dues().into_iter().collect();
        if dues.len() > 1 {
            into.extend(dues.into_iter().map(Action::Due));
        }
        self.says_of_person(world, into);
        self.moves_of_services(world, into);
        self.moves_of_store(world, into);
    }

    fn after(&self, world: &World<G>, action: &Action) -> Option<World<G>> {
        let after = match *action {
            Action::Send(sent) => Self::send(world, sent),
            Action::SendBehind(command) => {
                let mut after = world.clone();
                let address = world.behind.as_ref()?.called_at[command.step];
                after.requests.insert(Sent { command, address, is_late: false });
                after
            }
            Action::Arrive(sent, accepts) => self.arrive(world, sent, accepts),
            Action::Hear(to, said) => self.hear(world, to, said)?,
            Action::Deadline => Self::due(world, Input::Timeout)?,
            Action::Due(due) => Self::due(world, Input::Receive(Told::Due(due)))?,
            Action::Cancel => world.told(Input::Receive(Told::Cancel)),
            Action::Say(ruling) => world.told(Input::Receive(Told::Ruled(ruling))),
            Action::SameBooks(step) => {
                let mut after = world.clone();
                after.asked.were_told_same[step] = true;
                after.tell(Input::Receive(Told::SameBooks { step }));
                after
            }
            Action::Copy(step) => {
                let mut after = world.clone();
                after.books[step] = after.books[step].copied();
                after
            }
            Action::Move(step, kept) => self.change_address(world, step, kept),
            Action::BackUp => World { backup: Some(world.read()), ..world.clone() },
            Action::Restore => self.restore(world)?,
            Action::FallBehind => World { behind: Some(world.read()), ..world.clone() },
        };
        (after != *world).then_some(after)
    }

    fn kinds(&self) -> Vec<&'static str> {
        let when = |is_there: bool, kind| is_there.then_some(kind);
        let may_be_due = !self.is_patient || self.has_person || self.deployed.may_need_a_person();
        let others = [
            when(may_be_due, "deadline"),
            when(!self.is_patient, "cancel"),
            when(self.has_person, "a person says"),
            when(self.copies, "copy"),
            when(self.restores > 0, "an older journal comes back"),
            when(self.has_worker_behind, "a worker is behind"),
        ];
        ["send", "arrive", "hear", "move"].into_iter().chain(others.into_iter().flatten()).collect()
    }

    fn kind(&self, action: &Action) -> &'static str {
        match action {
            Action::Send(_) => "send",
            Action::Arrive(..) => "arrive",
            Action::Hear(..) => "hear",
            Action::Deadline | Action::Due(_) => "deadline",
            Action::Cancel => "cancel",
            Action::Say(_) | Action::SameBooks(_) => "a person says",
            Action::Copy(_) => "copy",
            Action::Move(..) => "move",
            Action::BackUp | Action::Restore => "an older journal comes back",
            Action::SendBehind(_) | Action::FallBehind => "a worker is behind",
        }
    }

    fn properties(&self) -> Vec<Property<Self>> {
        self.claims()
    }
}

/// The key's state, as far as the journal knows.
pub(super) fn known<G: Guards>(world: &World<G>, step: usize) -> Option<Definite> {
    world.coordinator.step_state(step).1
}
