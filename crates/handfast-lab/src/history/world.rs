//! The store, the callers, the road, and what may happen next.

use std::collections::BTreeSet;
use std::convert::Infallible;

use handfast_protocol::{
    Change, Changes, Definite, Deployed, Guards, Memory, Register, Request as Asked, Sighting, Tip, is_behind,
};

use crate::explorer::{Model, Property};

/// The keys, each with the caller that it belongs to.
pub(super) const KEYS: [(&str, usize); 4] = [("a1", 0), ("a2", 0), ("a3", 0), ("b1", 1)];
/// The callers.
pub(super) const CALLERS: [&str; 2] = ["A", "B"];
/// The key that its caller may also undo.
const UNDONE: usize = 0;

/// Changes that were drawn, one bit each, by their marks.
type Marks = u32;
/// What a caller knows of the store's history.
type Known = Memory<u8, u8, u8>;
/// What an answer shows of it.
type Shown = Tip<u8, u8, u8>;
/// What is named of the store's history.
type Seen = Sighting<u8, u8>;

/// One participant, two callers, and a store that may be put back to an older copy.
#[derive(Clone, Copy, Debug)]
pub struct History {
    /// How many acts the first caller asks for.
    pub acts: usize,
    /// Whether it undoes the first of them.
    pub undoes: bool,
    /// How often the store is opened anew without having been put back.
    pub restarts: u8,
    /// How often it is put back.
    pub restores: u8,
    code: Code,
}

/// The decisions of participant and caller, compiled under one set of guards.
#[derive(Clone, Copy, Debug)]
struct Code {
    receive: fn(&World, &Request, bool) -> Option<Received>,
    learn: fn(&mut Known, Shown, &[Seen]) -> bool,
    commits_in_order: bool,
}

impl Code {
    fn of<G: Guards>() -> Self {
        Self {
            receive: receive::<G>,
            learn: |memory, shown, named| memory.learn::<G>(shown, named),
            commits_in_order: G::CHANGES_COMMIT_IN_ORDER,
        }
    }
}

impl History {
    /// Three acts, and a store that is put back once.
    #[must_use]
    pub fn new() -> Self {
        Self { acts: 3, undoes: false, restarts: 0, restores: 1, code: Code::of::<Deployed>() }
    }

    /// Two acts, one of which is undone, and a store that is opened anew once.
    #[must_use]
    pub fn honest() -> Self {
        Self { acts: 2, undoes: true, restarts: 1, restores: 0, code: Code::of::<Deployed>() }
    }

    /// The same with the code under other guards.
    pub(crate) fn under<G: Guards>(self) -> Self {
        Self { code: Code::of::<G>(), ..self }
    }
}

impl Default for History {
    fn default() -> Self {
        Self::new()
    }
}

/// The durable register of one key, with the changes that it keeps.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Key {
    /// Its state.
    pub state: Option<Definite>,
    /// The numbers and marks of its changes.
    pub changes: Changes<u8>,
}

/// What is durable at the participant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Store {
    /// The number of its last change.
    pub number: u64,
    /// A number that was left out and is filled by the next change; only where changes commit out of order.
    pub gap: Option<u64>,
    /// Its registers.
    pub keys: [Key; KEYS.len()],
    /// Every change in its history, which no party can see.
    history: Marks,
}

/// What is asked of a key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[expect(missing_docs, reason = "they are the contract's own")]
pub enum Operation {
    Act,
    Undo,
}

/// A request on the road.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Request {
    /// The key, which also says whose request it is.
    pub key: usize,
    /// What is asked.
    pub operation: Operation,
    /// What its caller named when it left.
    pub named: Vec<Seen>,
    /// Everything that its caller had seen by then, which the road does not carry.
    saw: Marks,
}

/// An answer on the road.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Answer {
    /// The change that it shows, and by which opening of the store.
    pub shown: Shown,
    /// What its request had named, and so is confirmed.
    pub named: Vec<Seen>,
}

/// What a caller has in its own store.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Caller {
    /// What it names.
    pub memory: Known,
    /// Every change that it saw.
    saw: Marks,
    /// It was told that the store is behind, and sends nothing any more.
    pub is_told: bool,
}

/// Everything at one moment.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct World {
    /// The participant's store.
    pub store: Store,
    /// Which opening of it this is.
    opening: u8,
    /// How many marks were drawn.
    drawn: u8,
    /// An older copy of it.
    pub copy: Option<Store>,
    /// The callers.
    pub callers: [Caller; CALLERS.len()],
    /// How often each act was sent, and the undo.
    sent: [u8; KEYS.len() + 1],
    requests: BTreeSet<Request>,
    answers: BTreeSet<Answer>,
    restarts: u8,
    restores: u8,
}

/// One thing that may happen next.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Action {
    /// A caller sends a request, which names what it has seen by now.
    Send(usize, Operation),
    /// The second caller sends a request, which arrives and is answered at once: its part is to lift the store's number.
    AtOnce(usize),
    /// A request arrives, and a copy of it may arrive later.
    Arrive(Request),
    /// A mutant: the change commits before the one whose number comes before its own.
    ArriveAhead(Request),
    /// A caller hears an answer and keeps what it says.
    Hear(Answer),
    /// The service is started anew.
    Restart,
    /// A copy of the store is taken.
    Copy,
    /// The store is put back to the copy, and the service started.
    Restore,
}

/// What became of a request.
pub(super) enum Received {
    Behind,
    Answered(Box<Store>, Answer),
}

const fn bit(mark: u8) -> Marks {
    1 << mark
}

/// Takes a request to the store, as a participant does.
fn receive<G: Guards>(world: &World, request: &Request, is_ahead: bool) -> Option<Received> {
    let store = world.store;
    let changes_of = |key: &u8| Ok::<_, Infallible>(store.keys[usize::from(*key)].changes);
    let Ok(behind) = is_behind::<G, _, _, _>(&request.named, store.number, changes_of);
    if behind {
        return Some(Received::Behind);
    }
    let mut after = store;
    let key = &mut after.keys[request.key];
    let mut register = Register::<(), G>::stored(key.state, key.state.map(|_| ()));
    let asked = match request.operation {
        Operation::Act => Asked::Act { body: (), expired: false },
        Operation::Undo => Asked::Undo { body: None },
    };
    let Ok(_) = register.receive(asked, |_| Ok::<_, Infallible>(true));
    if register.peek() != key.state {
        let ahead = u64::from(is_ahead);
        let number = store.gap.unwrap_or(store.number + 1 + ahead);
        key.state = register.peek();
        key.changes = key.changes.then::<G>(Change { number, mark: world.drawn });
        after.number = after.number.max(number);
        after.gap = is_ahead.then_some(store.number + 1);
        after.history |= bit(world.drawn);
    } else if is_ahead {
        return None;
    }
    let change = after.keys[request.key].changes.last?;
    let key = u8::try_from(request.key).ok()?;
    let shown = Tip { sighting: Sighting { key, change }, opening: Some(world.opening) };
    Some(Received::Answered(Box::new(after), Answer { shown, named: request.named.clone() }))
}

impl History {
    pub(super) fn receive(&self, world: &World, request: &Request, is_ahead: bool) -> Option<Received> {
        (self.code.receive)(world, request, is_ahead)
    }

    fn send(world: &World, key: usize, operation: Operation) -> World {
        let mut after = world.clone();
        let caller = &world.callers[KEYS[key].1];
        after.sent[slot(key, operation)] += 1;
        after.requests.insert(Request { key, operation, named: caller.memory.named(), saw: caller.saw });
        after
    }

    fn arrive(&self, world: &World, request: &Request, is_ahead: bool) -> Option<World> {
        let mut after = world.clone();
        match self.receive(world, request, is_ahead)? {
            Received::Behind => after.callers[KEYS[request.key].1].is_told = true,
            Received::Answered(store, answer) => {
                after.drawn += u8::from(store.history != world.store.history);
                after.store = *store;
                after.answers.insert(answer);
            }
        }
        Some(after)
    }

    fn ask_at_once(&self, world: &World, key: usize) -> Option<World> {
        let sent = Self::send(world, key, Operation::Act);
        let request = sent.requests.iter().find(|request| request.key == key)?.clone();
        let mut after = self.arrive(&sent, &request, false)?;
        let answer = after.answers.iter().find(|answer| usize::from(answer.shown.sighting.key) == key).cloned();
        if let Some(answer) = answer {
            after = self.hear(&after, &answer);
            after.answers.remove(&answer);
        }
        after.requests.remove(&request);
        Some(after)
    }

    fn hear(&self, world: &World, answer: &Answer) -> World {
        let mut after = world.clone();
        let caller = &mut after.callers[KEYS[usize::from(answer.shown.sighting.key)].1];
        if (self.code.learn)(&mut caller.memory, answer.shown, &answer.named) {
            caller.saw |= bit(answer.shown.sighting.change.mark);
        }
        after
    }
}

const fn slot(key: usize, operation: Operation) -> usize {
    match operation {
        Operation::Act => key,
        Operation::Undo => KEYS.len(),
    }
}

/// The bounds of a restore: the store is another one, and so is its opening.
fn opened(world: &World, store: Store) -> World {
    World { store, opening: world.opening + 1, ..world.clone() }
}

impl Model for History {
    type State = World;
    type Action = Action;

    fn initial(&self) -> Vec<World> {
        let store = Store { number: 0, gap: None, keys: [Key::default(); KEYS.len()], history: 0 };
        vec![World {
            store,
            opening: 0,
            drawn: 0,
            copy: None,
            callers: Default::default(),
            sent: [0; KEYS.len() + 1],
            requests: BTreeSet::new(),
            answers: BTreeSet::new(),
            restarts: self.restarts,
            restores: self.restores,
        }]
    }

    fn actions(&self, world: &World, into: &mut Vec<Action>) {
        for (key, (_, caller)) in KEYS.iter().enumerate() {
            // The keys of one caller are asked for in their order: which is which makes no difference.
            let is_next = key == 0 || KEYS[key - 1].1 != *caller || world.sent[key - 1] > 0;
            if world.callers[*caller].is_told || !is_next || world.sent[key] > 0 {
                continue;
            }
            match caller {
                0 if key < self.acts => into.push(Action::Send(key, Operation::Act)),
                0 => {}
                _ => into.push(Action::AtOnce(key)),
            }
        }
        let owner = &world.callers[KEYS[UNDONE].1];
        let was_seen = |answer: &Answer| {
            usize::from(answer.shown.sighting.key) == UNDONE && owner.saw & bit(answer.shown.sighting.change.mark) != 0
        };
        if self.undoes && !owner.is_told && world.sent[KEYS.len()] == 0 && world.answers.iter().any(was_seen) {
            into.push(Action::Send(UNDONE, Operation::Undo));
        }
        into.extend(world.requests.iter().cloned().map(Action::Arrive));
        if !self.code.commits_in_order && world.store.gap.is_none() {
            into.extend(world.requests.iter().cloned().map(Action::ArriveAhead));
        }
        into.extend(world.answers.iter().cloned().map(Action::Hear));
        if world.restarts > 0 {
            into.push(Action::Restart);
        }
        if world.restores > 0 {
            into.push(if world.copy.is_some() { Action::Restore } else { Action::Copy });
        }
    }

    fn after(&self, world: &World, action: &Action) -> Option<World> {
        let after = match action {
            Action::Send(key, operation) => Self::send(world, *key, *operation),
            Action::AtOnce(key) => self.ask_at_once(world, *key)?,
            Action::Arrive(request) => self.arrive(world, request, false)?,
            Action::ArriveAhead(request) => self.arrive(world, request, true)?,
            Action::Hear(answer) => self.hear(world, answer),
            Action::Restart => World { restarts: world.restarts - 1, ..opened(world, world.store) },
            Action::Copy => World { copy: Some(world.store), ..world.clone() },
            Action::Restore => World { copy: None, restores: world.restores - 1, ..opened(world, world.copy?) },
        };
        (after != *world).then_some(after)
    }

    fn kinds(&self) -> Vec<&'static str> {
        let mut kinds = vec!["send", "ask at once", "arrive", "hear"];
        if self.restarts > 0 {
            kinds.push("restart");
        }
        if self.restores > 0 {
            kinds.extend(["copy", "restore"]);
        }
        if !self.code.commits_in_order {
            kinds.push("arrive ahead");
        }
        kinds
    }

    fn kind(&self, action: &Action) -> &'static str {
        match action {
            Action::Send(..) => "send",
            Action::AtOnce(_) => "ask at once",
            Action::Arrive(_) => "arrive",
            Action::ArriveAhead(_) => "arrive ahead",
            Action::Hear(_) => "hear",
            Action::Restart => "restart",
            Action::Copy => "copy",
            Action::Restore => "restore",
        }
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always_step(
                "nothing is done for whoever saw what was forgotten",
                |_: &Self, before: &World, action: &Action, after: &World| {
                    let forgotten = request_of(action).map_or(0, |request| request.saw & !before.store.history);
                    forgotten == 0 || before.store == after.store
                },
            ),
            Property::always_step(
                "a store that has forgotten nothing is not behind",
                |_: &Self, before: &World, action: &Action, after: &World| {
                    let forgotten = request_of(action).map_or(1, |request| request.saw & !before.store.history);
                    forgotten != 0 || before.callers == after.callers
                },
            ),
            Property::sometimes("somebody is told, wherever there is something to tell", |history: &Self, world: &World| {
                history.restores == 0 || world.callers.iter().any(|caller| caller.is_told)
            }),
            Property::sometimes("whoever saw nothing that was forgotten goes on", |history: &Self, world: &World| {
                let saw_all = |caller: &Caller| caller.saw != 0 && caller.saw & !world.store.history == 0;
                world.restores <= history.restores.saturating_sub(1) && world.callers.iter().any(saw_all)
            }),
        ]
    }
}

fn request_of(action: &Action) -> Option<&Request> {
    match action {
        Action::Arrive(request) | Action::ArriveAhead(request) => Some(request),
        Action::Send(..) | Action::AtOnce(_) | Action::Hear(_) | Action::Restart | Action::Copy | Action::Restore => None,
    }
}
