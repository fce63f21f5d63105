//! The registry of active sagas: which are in memory, each with its mailbox, and which come there when there is room.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustc_hash::FxHashMap;
use tokio::sync::{Notify, Semaphore, SemaphorePermit, mpsc, oneshot};

use super::drive;
use super::hints::{HintResult, Hints, Noted};
use super::journaled::Journaled;
use super::options::Options;
use super::room::Rooms;
use super::shared::{CancelResult, Shared};
use super::stats::Places;
use crate::delivery::Class;
use handfast_machine::locked;

/// What an active saga is told from outside.
pub(crate) enum Mail {
    /// A caller asks for *neither*.
    Cancel { by: Option<String>, why: Option<String>, reply: oneshot::Sender<CancelResult> },
    /// A person has said something that is in the journal.
    Reload,
    /// Other flows are at hand: perhaps what it follows is held back now.
    Flows,
    /// Its journal has this many entries in the store: perhaps another process has appended to it there.
    Length(u64),
    /// There is a hint for it to take. Of several that are not taken yet only the first one is told.
    Hint,
    /// The engine stops.
    Stop,
}

/// Why a saga comes into memory.
pub(crate) enum Arrival {
    /// It was just placed.
    Placed(Box<Journaled>),
    /// It was just placed, and had to wait until there was room.
    Waited,
    /// It is due, or a caller asks something of it.
    Due,
    /// There is a hint for it, and nothing else: steps without a hint wait for their own time.
    Hinted,
}

impl Arrival {
    /// Which room in memory it takes a place of, and whose turn it is in the lines to participants.
    pub(crate) const fn class(&self) -> Class {
        match self {
            Self::Placed(_) | Self::Waited => Class::New,
            Self::Due | Self::Hinted => Class::Backlog,
        }
    }

    /// How many bytes its bodies take, as far as that is known.
    fn bytes(&self) -> usize {
        match self {
            Self::Placed(saga) => saga.bytes(),
            Self::Due | Self::Hinted | Self::Waited => 0,
        }
    }
}

/// Who is active. What is done with the sagas is up to the driver, so a driver is started through [`Shared`] only.
pub(super) struct Registry {
    active: Mutex<Active>,
    /// Turns to load a saga that was just placed, and one that was put aside.
    loads: (Semaphore, Semaphore),
    /// Turns to write of a saga that was put aside.
    writes: Semaphore,
    /// Tells the caller that stops the engine that the last saga has left memory.
    pub(super) idle: Notify,
}

impl Registry {
    pub(super) fn new(options: &Options) -> Self {
        let loads = (Semaphore::new(LOADS_AT_ONCE), Semaphore::new(LOADS_AT_ONCE));
        let writes = Semaphore::new(if options.keeps_rooms_apart { WRITES_AT_ONCE } else { Semaphore::MAX_PERMITS });
        Self { active: Mutex::new(Active::new(options)), loads, writes, idle: Notify::new() }
    }

    /// Waits until a saga may be written. One that is new never waits, and nothing does once the engine stops.
    async fn turn_to_write(&self, class: Class) -> Option<SemaphorePermit<'_>> {
        match class {
            Class::New => None,
            Class::Backlog => self.writes.acquire().await.ok(),
        }
    }
}

/// The sagas in memory, and the hints for those that are to come there.
struct Active {
    mailboxes: FxHashMap<Arc<str>, Present>,
    rooms: Rooms,
    hints: Hints,
    /// Sagas that were just placed and found no room, in the order of their placing. All of them are in the index, too.
    placed: VecDeque<Arc<str>>,
}

impl Active {
    fn new(options: &Options) -> Self {
        Self { mailboxes: FxHashMap::default(), rooms: Rooms::new(options), hints: Hints::default(), placed: VecDeque::new() }
    }
}

/// A saga in memory.
struct Present {
    mailbox: mpsc::UnboundedSender<Mail>,
    class: Class,
    /// How many bytes its bodies take; 0 until it is loaded.
    bytes: usize,
}

/// At most this many sagas are being loaded at once, since how large one is shows only then.
const LOADS_AT_ONCE: usize = 16;

/// At most this many sagas that were put aside are written at once. What is written together is committed together, and a saga that
/// is new waits for one such commit at each of its entries. More of them would drain only a little faster.
const WRITES_AT_ONCE: usize = 24;

/// How often it is looked whether there is room in memory for a saga that is to be loaded.
const ROOM_PAUSE: Duration = Duration::from_millis(20);

/// At most this many sagas that were just placed wait for room, in their order; any further one is found in the index.
const MOST_PLACED: usize = 4096;

impl Shared {
    // --- who is active ---

    pub(crate) fn active(&self) -> usize {
        locked(&self.registry.active).mailboxes.len()
    }

    /// What room there is in memory.
    pub(crate) fn places(&self) -> Places {
        let active = locked(&self.registry.active);
        let left = |class| active.rooms.places_left(class) as u64;
        let waiting = active.placed.len() as u64;
        Places { left_for_new: left(Class::New), left_for_backlog: left(Class::Backlog), waiting }
    }

    /// Whether there is room for a saga that was put aside.
    pub(crate) fn has_room(&self) -> bool {
        locked(&self.registry.active).rooms.has_place(Class::Backlog, 0)
    }

    /// Waits until a saga may be loaded. `None` if the engine stops meanwhile.
    pub(crate) async fn turn_to_load(&self, class: Class) -> Option<SemaphorePermit<'_>> {
        let loads = match class {
            Class::New => &self.registry.loads.0,
            Class::Backlog => &self.registry.loads.1,
        };
        let turn = loads.acquire().await.ok()?;
        loop {
            if self.is_stopping() {
                return None;
            }
            if locked(&self.registry.active).rooms.has_bytes(class) {
                return Some(turn);
            }
            tokio::time::sleep(ROOM_PAUSE).await;
        }
    }

    /// Waits until a saga may be written.
    pub(crate) async fn turn_to_write(&self, class: Class) -> Option<SemaphorePermit<'_>> {
        self.registry.turn_to_write(class).await
    }

    /// Nothing waits for its turn to write from now on: whatever is under way is brought to where it can be left.
    pub(super) fn end_turns_to_write(&self) {
        self.registry.writes.close();
    }

    /// Takes note of how many bytes the bodies of an active saga take.
    pub(crate) fn takes(&self, id: &str, bytes: usize) {
        let mut active = locked(&self.registry.active);
        let Some(present) = active.mailboxes.get_mut(id) else { return };
        let (class, before) = (present.class, std::mem::replace(&mut present.bytes, bytes));
        active.rooms.takes(class, before, bytes);
    }

    pub(crate) fn is_active(&self, id: &str) -> bool {
        locked(&self.registry.active).mailboxes.contains_key(id)
    }

    /// Makes a saga active, unless it is or there is no room. Says whether it is active now.
    pub(crate) fn start(self: &Arc<Self>, id: &Arc<str>, arrival: Arrival) -> bool {
        let mut active = locked(&self.registry.active);
        if active.mailboxes.contains_key(id) {
            return true;
        }
        if !active.rooms.has_place(arrival.class(), arrival.bytes()) || self.is_stopping() || self.is_apart() {
            if matches!(arrival, Arrival::Placed(_)) && active.placed.len() < MOST_PLACED {
                active.placed.push_back(Arc::clone(id));
            }
            return false;
        }
        self.spawn(&mut active, id, arrival);
        true
    }

    /// Makes sagas active that were just placed and had to wait for room.
    pub(crate) fn start_placed(self: &Arc<Self>) {
        let mut active = locked(&self.registry.active);
        while active.rooms.has_place(Class::New, 0) && !self.is_stopping() && !self.is_apart() {
            let Some(id) = active.placed.pop_front() else { return };
            // One that was found in the index is under way already.
            if !active.mailboxes.contains_key(&id) {
                self.spawn(&mut active, &id, Arrival::Waited);
            }
        }
    }

    /// The sagas in memory.
    pub(crate) fn active_ids(&self) -> Vec<Arc<str>> {
        locked(&self.registry.active).mailboxes.keys().cloned().collect()
    }

    /// Tells active sagas how long their journals are in the store.
    pub(crate) fn tell_lengths(&self, lengths: Vec<(Arc<str>, u64)>) {
        let active = locked(&self.registry.active);
        for (id, length) in lengths {
            if let Some(Present { mailbox, .. }) = active.mailboxes.get(&id) {
                // It is read as in `tell`.
                let _left = mailbox.send(Mail::Length(length));
            }
        }
    }

    /// Hands a saga something from outside, and makes it active for that even where there is no room.
    pub(crate) fn tell(self: &Arc<Self>, id: &Arc<str>, mail: Mail) {
        let mut active = locked(&self.registry.active);
        if self.is_stopping() || self.is_apart() {
            return;
        }
        if !active.mailboxes.contains_key(id) {
            self.spawn(&mut active, id, Arrival::Due);
        }
        if let Some(Present { mailbox, .. }) = active.mailboxes.get(id) {
            // A driver leaves under this lock and with an empty mailbox only, so this mail is read.
            let _left = mailbox.send(mail);
        }
    }

    /// Takes a hint for a step of a saga, which comes into memory for it as soon as there is room.
    pub(crate) fn hint(self: &Arc<Self>, id: &Arc<str>, step: &str) -> HintResult {
        let mut active = locked(&self.registry.active);
        if self.is_stopping() {
            return HintResult::Stopping;
        }
        if self.is_apart() {
            return HintResult::Busy;
        }
        match active.hints.note(id, step) {
            Noted::NoRoom => return HintResult::Busy,
            Noted::Again => return HintResult::Taken,
            Noted::First => {}
        }
        if let Some(Present { mailbox, .. }) = active.mailboxes.get(id) {
            // It is read as in `tell`.
            let _left = mailbox.send(Mail::Hint);
        } else if active.rooms.has_place(Class::Backlog, 0) {
            self.spawn(&mut active, id, Arrival::Hinted);
        } else {
            active.hints.wait(id);
        }
        HintResult::Taken
    }

    /// The steps of a saga that there are hints for. Each is taken once.
    pub(crate) fn take_hints(&self, id: &str) -> BTreeSet<Box<str>> {
        locked(&self.registry.active).hints.take(id)
    }

    /// Makes sagas active that wait for nothing but room to take a hint.
    pub(crate) fn start_hinted(self: &Arc<Self>) {
        let mut active = locked(&self.registry.active);
        while active.rooms.has_place(Class::Backlog, 0) && !self.is_stopping() {
            let Some(id) = active.hints.next_waiting() else { return };
            // One that came for another reason has taken its hints, or is about to.
            if !active.mailboxes.contains_key(&id) {
                self.spawn(&mut active, &id, Arrival::Hinted);
            }
        }
    }

    fn spawn(self: &Arc<Self>, active: &mut Active, id: &Arc<str>, arrival: Arrival) {
        let (sender, mailbox) = mpsc::unbounded_channel();
        let (class, bytes) = (arrival.class(), arrival.bytes());
        active.rooms.enter(class, bytes);
        active.mailboxes.insert(Arc::clone(id), Present { mailbox: sender, class, bytes });
        tokio::spawn(drive::drive(Arc::clone(self), Arc::clone(id), arrival, mailbox));
    }

    /// Lets a saga leave, unless something has arrived for it meanwhile.
    pub(crate) fn leave(&self, id: &str, mailbox: &mut mpsc::UnboundedReceiver<Mail>) -> Result<(), Mail> {
        let mut active = locked(&self.registry.active);
        if let Ok(mail) = mailbox.try_recv() {
            return Err(mail);
        }
        self.remove(&mut active, id);
        Ok(())
    }

    /// Takes a saga out whose task is gone, and the hints that it took no more.
    pub(crate) fn vanished(&self, id: &str) {
        let mut active = locked(&self.registry.active);
        active.hints.take(id);
        self.remove(&mut active, id);
    }

    /// Lets every saga leave memory, since others drive it. It is where it was.
    pub(crate) fn put_all_aside(&self) {
        for Present { mailbox, .. } in locked(&self.registry.active).mailboxes.values() {
            // A saga that has just left needs no telling.
            let _left = mailbox.send(Mail::Stop);
        }
    }

    fn remove(&self, active: &mut Active, id: &str) {
        let gone = active.mailboxes.remove(id);
        let was_full = gone.is_some_and(|gone| active.rooms.leave(gone.class, gone.bytes));
        if active.mailboxes.is_empty() {
            self.registry.idle.notify_waiters();
        }
        if was_full || self.wakes.next() <= self.now() {
            self.wakes.wake_up.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    /// What comes of it at once; `None` where it waits.
    fn at_once<T>(of: impl Future<Output = T>) -> Option<T> {
        match pin!(of).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(came) => Some(came),
            Poll::Pending => None,
        }
    }

    #[test]
    fn what_was_put_aside_waits_for_its_turn_to_write_and_what_is_new_never_does() {
        let registry = Registry::new(&Options::default());
        let turns: Vec<_> = (0..WRITES_AT_ONCE).map(|_| at_once(registry.turn_to_write(Class::Backlog))).collect();
        assert!(turns.iter().all(|turn| matches!(turn, Some(Some(_)))), "so many at once");
        assert!(at_once(registry.turn_to_write(Class::Backlog)).is_none(), "one more waits");
        assert!(matches!(at_once(registry.turn_to_write(Class::New)), Some(None)), "a new one does not");
        drop(turns);
        assert!(at_once(registry.turn_to_write(Class::Backlog)).is_some(), "it has its turn");
        let turns: Vec<_> = (0..WRITES_AT_ONCE).map(|_| at_once(registry.turn_to_write(Class::Backlog))).collect();
        registry.writes.close();
        assert!(matches!(at_once(registry.turn_to_write(Class::Backlog)), Some(None)), "the engine stops");
        drop(turns);
        let shared = Registry::new(&Options::default().with_keeps_rooms_apart(false));
        let turns: Vec<_> = (0..=WRITES_AT_ONCE).map(|_| at_once(shared.turn_to_write(Class::Backlog))).collect();
        assert!(turns.iter().all(|turn| matches!(turn, Some(Some(_)))), "first come, first served");
    }
}
