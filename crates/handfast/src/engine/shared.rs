//! What the tasks of one engine share: who is active, who waits for whom, and the counts.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use handfast_protocol::{Outcome, Standing, Time};
use rustc_hash::FxHashMap;
use tokio::sync::{Notify, Semaphore, SemaphorePermit, mpsc, oneshot, watch};

use super::clocks;
use super::definitions::Definitions;
use super::drive;
use super::handle::Progress;
use super::hints::{HintResult, Hints, Noted};
use super::journaled::{Journaled, Ruled};
use super::named::Named;
use super::options::{LONGEST_PARK, Options};
use super::room::Rooms;
use super::stats::Totals;
use super::trouble::Trouble;
use crate::clock::whole_ms;
use crate::delivery::{Class, Jitter, Memories};
use crate::lock::locked;
use crate::store::{LONGEST_WAKE_UP_MS, Store};

/// What an active saga is told from outside.
pub(crate) enum Mail {
    /// Somebody asks for *neither*.
    Cancel { by: Option<String>, why: Option<String>, reply: oneshot::Sender<CancelResult> },
    /// A person has said something that is in the journal.
    Reload,
    /// Its journal has so many entries in the store: perhaps somebody has added to it there.
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
    /// Its time has come, or somebody asks something of it.
    Due,
    /// There is a hint for it, and nothing else: what nobody hints at waits for its own time.
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

/// What came of asking for *neither*.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum CancelResult {
    /// The saga is turning back. It may still end in *both*, if the gate turns out to be done already.
    Accepted,
    /// There is no way back any more.
    TooLate,
    /// The saga had ended before.
    Ended(Outcome),
    /// A contradiction or a damaged journal waits for a person.
    Suspended,
    /// There is no such saga.
    Unknown,
}

pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) options: Options,
    pub(crate) definitions: Definitions,
    /// What was seen of the participants' stores.
    pub(crate) memories: Arc<Memories>,
    pub(crate) jitter: Jitter,
    pub(crate) totals: watch::Sender<Totals>,
    pub(crate) suspended: Named,
    pub(crate) left_alone: Named,
    /// Sagas on their way that rest on what nobody has confirmed.
    pub(crate) unconfirmed: Named,
    pub(crate) trouble: Trouble,
    /// What the store cannot read for now, by the saga's id. It is trouble of the store: nothing is suspended for it.
    pub(crate) unreadable: Named,
    /// When a step of a saga that has ended was looked at for a hint, as far as that was a moment ago.
    looks_after_the_end: Mutex<BTreeMap<(Arc<str>, usize), Time>>,
    /// Wakes the scheduler.
    pub(crate) wake_up: Notify,
    /// Tells whoever stops the engine that the last saga has left.
    pub(crate) idle: Notify,
    active: Mutex<Active>,
    /// Turns to load a saga that was just placed, and one that was put aside.
    loads: (Semaphore, Semaphore),
    watched: Mutex<FxHashMap<Arc<str>, watch::Sender<Progress>>>,
    /// When this was opened, and up to which entry a person's word was counted since, by saga.
    opened_at: Time,
    ruled: Mutex<FxHashMap<Arc<str>, u64>>,
    next_wake: AtomicU64,
    /// How many sagas may be woken before their time, since somebody who was silent answers again.
    early: AtomicU64,
    /// How often that has happened.
    recoveries: AtomicU64,
    stopping: AtomicBool,
    /// When a write that only tries was last taken, in milliseconds.
    pub(crate) tried_at: AtomicU64,
    /// Whether the scheduler runs. It ends with the engine only.
    pub(crate) is_scheduled: AtomicBool,
    /// Whether the clock is looked at again and again. That ends with the engine only, too.
    pub(crate) is_clock_watched: AtomicBool,
    pub(super) clock_watch: clocks::Watch,
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

/// So many sagas are being loaded at once, since how large one is shows only then.
const LOADS_AT_ONCE: usize = 16;

/// How often it is looked whether there is room in memory for a saga that is to be loaded.
const ROOM_PAUSE: Duration = Duration::from_millis(20);

/// So many sagas that were just placed wait for room in their order; any further one is found in the index.
const MOST_PLACED: usize = 4096;

/// For each saga that was put aside, how much longer all of them wait for a participant that is away: about a hundred of them a
/// second are looked at, however many there are.
const SPREAD: Duration = Duration::from_millis(20);

impl Shared {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        options: Options,
        (definitions, memories): (Definitions, Arc<Memories>),
        jitter: Jitter,
        totals: Totals,
    ) -> Self {
        let (active, opened_at) = (Mutex::new(Active::new(&options)), options.clock.now());
        Self {
            store,
            options,
            definitions,
            memories,
            jitter,
            totals: watch::Sender::new(totals),
            suspended: Named::default(),
            left_alone: Named::default(),
            unconfirmed: Named::default(),
            trouble: Trouble::default(),
            unreadable: Named::default(),
            looks_after_the_end: Mutex::default(),
            wake_up: Notify::new(),
            idle: Notify::new(),
            active,
            loads: (Semaphore::new(LOADS_AT_ONCE), Semaphore::new(LOADS_AT_ONCE)),
            watched: Mutex::default(),
            opened_at,
            ruled: Mutex::default(),
            next_wake: AtomicU64::new(0),
            early: AtomicU64::new(totals.in_doubt),
            recoveries: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
            tried_at: AtomicU64::new(0),
            is_scheduled: AtomicBool::new(true),
            is_clock_watched: AtomicBool::new(true),
            clock_watch: clocks::Watch::new(),
        }
    }

    /// Steady time, in which pauses are counted: it goes on whatever becomes of the wall clock.
    pub(crate) fn now(&self) -> Time {
        self.options.clock.steady()
    }

    /// The time of journals and of the wake-up index.
    pub(crate) fn journal_now(&self) -> Time {
        self.options.clock.now()
    }

    /// Where a moment of steady time lies in the wake-up index.
    pub(crate) fn in_index(&self, at: Time) -> Time {
        self.journal_now().after(at.0.saturating_sub(self.now().0))
    }

    /// When a time of the wake-up index comes, in steady time.
    pub(crate) fn out_of_index(&self, at: Time) -> Time {
        self.now().after(at.0.saturating_sub(self.journal_now().0))
    }

    /// Why the store does not take what is written to it, or what it cannot read; `None` while it does as it is asked.
    pub(crate) fn store_trouble(&self) -> Option<String> {
        self.trouble.what().or_else(|| {
            let unreadable = self.unreadable.all();
            let (_, why) = unreadable.first()?;
            Some(format!("{} cannot be read for now, and wait until they can; the first: {why}", unreadable.len()))
        })
    }

    /// Whether the store is still the one that was opened; if it is not, nothing leaves.
    pub(crate) fn is_store_intact(&self) -> bool {
        self.store.intact().map_err(|error| self.trouble.note(&error)).is_ok()
    }

    // --- who is active ---

    pub(crate) fn active(&self) -> usize {
        locked(&self.active).mailboxes.len()
    }

    /// Whether there is room for a saga that was put aside.
    pub(crate) fn has_room(&self) -> bool {
        locked(&self.active).rooms.has_place(Class::Backlog, 0)
    }

    /// The longest time for which a saga is put aside.
    pub(crate) fn longest_pause(&self) -> Duration {
        self.spread_of_backlog().clamp(LONGEST_PARK, Duration::from_millis(LONGEST_WAKE_UP_MS))
    }

    /// The longest pause of those who wait for a participant that is away.
    pub(crate) fn spread_of_backlog(&self) -> Duration {
        let put_aside = self.totals.borrow().in_doubt.saturating_sub(self.active() as u64);
        SPREAD.saturating_mul(u32::try_from(put_aside).unwrap_or(u32::MAX)).saturating_mul(2)
    }

    /// Waits until a saga may be loaded. `None` if the engine stops meanwhile.
    pub(crate) async fn turn_to_load(&self, class: Class) -> Option<SemaphorePermit<'_>> {
        let loads = match class {
            Class::New => &self.loads.0,
            Class::Backlog => &self.loads.1,
        };
        let turn = loads.acquire().await.ok()?;
        loop {
            if self.is_stopping() {
                return None;
            }
            if locked(&self.active).rooms.has_bytes(class) {
                return Some(turn);
            }
            tokio::time::sleep(ROOM_PAUSE).await;
        }
    }

    /// Takes note of how many bytes the bodies of an active saga take.
    pub(crate) fn takes(&self, id: &str, bytes: usize) {
        let mut active = locked(&self.active);
        let Some(present) = active.mailboxes.get_mut(id) else { return };
        let (class, before) = (present.class, std::mem::replace(&mut present.bytes, bytes));
        active.rooms.takes(class, before, bytes);
    }

    pub(crate) fn is_active(&self, id: &str) -> bool {
        locked(&self.active).mailboxes.contains_key(id)
    }

    /// Makes a saga active, unless it is or there is no room. Says whether it is active now.
    pub(crate) fn start(self: &Arc<Self>, id: &Arc<str>, arrival: Arrival) -> bool {
        let mut active = locked(&self.active);
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
        let mut active = locked(&self.active);
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
        locked(&self.active).mailboxes.keys().cloned().collect()
    }

    /// Tells active sagas how long their journals are in the store.
    pub(crate) fn tell_lengths(&self, lengths: Vec<(Arc<str>, u64)>) {
        let active = locked(&self.active);
        for (id, length) in lengths {
            if let Some(Present { mailbox, .. }) = active.mailboxes.get(&id) {
                // It is read as in `tell`.
                let _left = mailbox.send(Mail::Length(length));
            }
        }
    }

    /// Hands a saga something from outside, and makes it active for that even where there is no room.
    pub(crate) fn tell(self: &Arc<Self>, id: &Arc<str>, mail: Mail) {
        let mut active = locked(&self.active);
        if self.is_stopping() || self.is_apart() {
            return;
        }
        if !active.mailboxes.contains_key(id) {
            self.spawn(&mut active, id, Arrival::Due);
        }
        if let Some(Present { mailbox, .. }) = active.mailboxes.get(id) {
            // Whoever leaves does so under this lock and with an empty mailbox, so this one is read.
            let _left = mailbox.send(mail);
        }
    }

    /// Takes a hint for a step of a saga, which comes into memory for it as soon as there is room.
    pub(crate) fn hint(self: &Arc<Self>, id: &Arc<str>, step: &str) -> HintResult {
        let mut active = locked(&self.active);
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
        locked(&self.active).hints.take(id)
    }

    /// When a step of a saga that has ended was last looked at for a hint, if that was a moment ago.
    pub(crate) fn looked_after_the_end(&self, id: &Arc<str>, step: usize) -> Option<Time> {
        locked(&self.looks_after_the_end).get(&(Arc::clone(id), step)).copied()
    }

    /// Takes note that it is looked at now. What was long ago is forgotten, so that there are no more of them than leave in a
    /// moment.
    pub(crate) fn note_look_after_the_end(&self, id: &Arc<str>, step: usize, now: Time) {
        let pause_ms = whole_ms(self.options.hint_pause);
        let mut looks = locked(&self.looks_after_the_end);
        looks.retain(|_, at| at.after(pause_ms) > now);
        looks.insert((Arc::clone(id), step), now);
    }

    /// Makes sagas active that wait for nothing but room to take a hint.
    pub(crate) fn start_hinted(self: &Arc<Self>) {
        let mut active = locked(&self.active);
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
        let mut active = locked(&self.active);
        if let Ok(mail) = mailbox.try_recv() {
            return Err(mail);
        }
        self.remove(&mut active, id);
        Ok(())
    }

    /// Takes a saga out whose task is gone, and the hints that it took no more.
    pub(crate) fn vanished(&self, id: &str) {
        let mut active = locked(&self.active);
        active.hints.take(id);
        self.remove(&mut active, id);
    }

    /// Lets every saga leave memory, since others drive it. It is where it was.
    pub(crate) fn put_all_aside(&self) {
        for Present { mailbox, .. } in locked(&self.active).mailboxes.values() {
            // A saga that has just left needs no telling.
            let _left = mailbox.send(Mail::Stop);
        }
    }

    fn remove(&self, active: &mut Active, id: &str) {
        let gone = active.mailboxes.remove(id);
        let was_full = gone.is_some_and(|gone| active.rooms.leave(gone.class, gone.bytes));
        if active.mailboxes.is_empty() {
            self.idle.notify_waiters();
        }
        if was_full || self.next_wake.load(Ordering::Relaxed) <= self.now().0 {
            self.wake_up.notify_one();
        }
    }

    // --- when to look into the wake-up index ---

    /// Notes that something is due at this time.
    pub(crate) fn note_wake(&self, at: Time) {
        if self.next_wake.fetch_min(at.0, Ordering::AcqRel) > at.0 {
            self.wake_up.notify_one();
        }
    }

    pub(crate) fn next_wake(&self) -> Time {
        Time(self.next_wake.load(Ordering::Acquire))
    }

    /// Forgets what is due, right before the index is read: what is noted during the reading is kept.
    pub(crate) fn forget_wake(&self) {
        self.next_wake.store(u64::MAX, Ordering::Release);
    }

    /// Somebody who was silent answers again: all that were put aside by now may be tried before their time, once.
    pub(crate) fn wake_early(&self) {
        self.wake_early_at_least(0);
    }

    /// The same where it is known that so many were put aside, whoever placed them.
    pub(crate) fn wake_early_at_least(&self, sagas: u64) {
        self.recoveries.fetch_add(1, Ordering::AcqRel);
        // Those in memory count, too: perhaps they are just about to be put aside, and the index has them last.
        self.early.store(self.totals.borrow().in_doubt.max(sagas), Ordering::Release);
        self.note_wake(Time(0));
    }

    /// How often somebody who was silent has answered again. Whoever found a line shut before the latest of them must not be put
    /// aside for that.
    pub(crate) fn recoveries(&self) -> u64 {
        self.recoveries.load(Ordering::Acquire)
    }

    pub(crate) fn early(&self) -> u64 {
        self.early.load(Ordering::Acquire)
    }

    /// So many were woken; none are left to be woken early if it was none.
    pub(crate) fn woke_early(&self, number: usize) {
        let left = if number == 0 { 0 } else { self.early().saturating_sub(number as u64) };
        self.early.store(left, Ordering::Release);
    }

    // --- who waits for whom ---

    /// Follows a saga's progress from now on.
    pub(crate) fn watch(&self, id: &Arc<str>) -> watch::Receiver<Progress> {
        let mut watched = locked(&self.watched);
        watched.entry(Arc::clone(id)).or_insert_with(|| watch::Sender::new(Progress::STARTED)).subscribe()
    }

    /// One of those who follow a saga is about to stop.
    pub(crate) fn unwatch(&self, id: &str) {
        let mut watched = locked(&self.watched);
        if watched.get(id).is_some_and(|sender| sender.receiver_count() <= 1) {
            watched.remove(id);
        }
    }

    /// Tells those who follow a saga how it stands.
    pub(crate) fn publish(&self, id: &str, progress: Progress) {
        let mut watched = locked(&self.watched);
        if progress.is_at_rest() {
            if let Some(sender) = watched.remove(id) {
                sender.send_replace(progress);
            }
        } else if let Some(sender) = watched.get(id) {
            sender.send_if_modified(|known| {
                let is_news = !progress.is_no_news_to(known);
                if is_news {
                    *known = progress;
                }
                is_news
            });
        }
    }

    /// What a person has said of a saga since this engine was opened and what was not taken before: it was not counted here.
    pub(crate) fn take_rulings(&self, id: &Arc<str>, rulings: &[Ruled]) -> Vec<Ruled> {
        let since_opened: Vec<Ruled> = rulings.iter().copied().filter(|ruled| ruled.at >= self.opened_at).collect();
        let Some(last) = since_opened.last().map(|ruled| ruled.seq) else { return Vec::new() };
        let taken = locked(&self.ruled).insert(Arc::clone(id), last).unwrap_or(0);
        since_opened.into_iter().filter(|ruled| ruled.seq > taken).collect()
    }

    /// Counts a saga whose standing has changed.
    pub(crate) fn count(&self, before: Option<Standing>, after: Standing) {
        self.totals.send_modify(|totals| totals.count(before, after));
    }

    // --- stopping ---

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        for Present { mailbox, .. } in locked(&self.active).mailboxes.values() {
            // A saga that has just left needs no telling.
            let _left = mailbox.send(Mail::Stop);
        }
        // Whoever waits for an outcome learns that there will be none from here.
        locked(&self.watched).clear();
        self.wake_up.notify_one();
    }
}
