//! Where sagas are kept: the trait that every store implements, and the shapes that cross it.
//!
//! A store knows nothing of the protocol. It keeps rows, answers *conflict* when another writer was faster, and a write whose
//! future has resolved to `Ok` is flushed.

mod error;
mod every_method;
mod examined;
mod filter;
mod flaky;
mod identity;
mod many;
mod memory;
mod naming;
mod shared;
#[cfg(feature = "sqlite")]
mod sqlite;
mod time;
mod timed;
mod unanswered;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use handfast_protocol::{Deployed, Time};

pub use error::StoreError;
pub use examined::{Damage, Examined};
use filter::Candidate;
pub use filter::{Filter, MOST_LOOKED_AT, Page};
pub use flaky::FlakyStore;
use identity::draw_store_id;
#[cfg(feature = "sqlite")]
use identity::is_store_id;
pub use many::{Counts, Ordered, OrderedPage, Summary};
pub use memory::MemoryStore;
pub use naming::{file_of, open, open_to_read};
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;
#[cfg(feature = "sqlite")]
#[doc(hidden)]
pub use sqlite::{SqliteOptions, Synchronous};
pub use time::{ClockMark, ClockVerdict, KeptTime, LONGEST_WAKE_UP_MS, StoreTime, TimeAcceptance, TimeAccepted};
pub(crate) use timed::TimedStore;
pub use unanswered::Unanswered;

use crate::flow::{is_of_flow, name_in};
pub use crate::turns::{Turn, Turns};

/// A boxed future, so that a store can be held behind `Arc<dyn Store>`.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Eight bytes of the SHA-256 of a coordinator's encoded state. Equal digests mean equal states.
pub type Digest = [u8; 8];

/// One entry of a saga's journal: an input that changed the state, and the digest of the state after it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Counted from 1, without gaps.
    pub seq: u64,
    /// When the input was taken, as the coordinator was told.
    pub at: Time,
    /// The input, as `docs/journal.md` describes it.
    pub input: String,
    /// Digest of the state after this entry.
    pub digest: Digest,
}

/// A saga as it is placed: kept exactly, whatever happens to flow files and code later.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewSaga {
    /// The user's id for it, unique in the store.
    pub id: String,
    /// SHA-256 of the key of the request that places it, if it has one. The key itself is kept nowhere: it is the
    /// caller's own text, and may say more than anybody should know.
    pub request_key_hash: Option<[u8; 32]>,
    /// SHA-256 of `flow_text`.
    pub flow_hash: [u8; 32],
    /// The whole definition of the flow; stored once per hash.
    pub flow_text: Arc<str>,
    /// The protocol version it is pinned to.
    pub version: u32,
    /// The order as it was submitted, byte for byte.
    pub input: Vec<u8>,
    /// The body of every step's act, byte for byte, in the flow's order. Those that are alike are best the same [`Bytes`].
    pub bodies: Vec<Bytes>,
    /// The first entries of its journal: the start, and whatever else is known at once. Counted from 1 without gaps.
    pub entries: Vec<Entry>,
    /// When it is to be looked at next; `None` once it has ended.
    pub wake_at: Option<Time>,
    /// How it stands, in the words of `Standing::name`, for lists and counts.
    pub standing: &'static str,
}

impl NewSaga {
    /// Whether that definition is this flow's: they have one name.
    pub(crate) fn is_of_flow(&self, text: &str) -> bool {
        *text == *self.flow_text || name_in(&self.flow_text).is_some_and(|name| is_of_flow(text, &name))
    }
}

/// What became of an attempt to create a saga.
///
/// A request's key stands for the first saga it came with, as long as that is kept: one that comes with the input of a
/// saga of the same flow's name that is there already stands for that one from then on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Created {
    /// It is new, and flushed.
    New,
    /// The id is taken, by this very input and flow.
    Same,
    /// The id is taken, by another input or flow.
    Different,
    /// The key of the request stands for a saga with another id; whether this one's id is taken was not looked at.
    KeyTaken {
        /// The saga that the key stands for.
        id: String,
    },
}

/// A saga as it is loaded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredSaga {
    /// The user's id for it.
    pub id: String,
    /// SHA-256 of the flow's definition.
    pub flow_hash: [u8; 32],
    /// The flow's definition as it was when the saga was placed.
    pub flow_text: Arc<str>,
    /// The protocol version it is pinned to.
    pub version: u32,
    /// The order as it was submitted.
    pub input: Vec<u8>,
    /// The body of every step's act. Those that were stored once are the same [`Bytes`].
    pub bodies: Vec<Bytes>,
    /// When it was placed: the time of its first entry.
    pub created: Time,
    /// When it is to be looked at next; `None` once it has ended or is suspended.
    pub wake_at: Option<Time>,
    /// How it stood after the last entry, or `suspended` if [`Store::suspend`] was called since.
    pub standing: String,
    /// How many deliveries in a row went without a definite answer. Steers the back-off, decides nothing; an entry makes it 0.
    pub tries: u32,
    /// Why [`Store::suspend`] took it out of the wake-up index, if it did since the last entry.
    pub why: Option<String>,
    /// The definitions that a person has let it follow since, in order.
    pub adopted: Vec<Adopted>,
    /// The store came back from a backup that was made once it was placed: what its journal does not know may have happened.
    pub came_back: bool,
    /// Its journal, in order.
    pub entries: Vec<Entry>,
}

impl StoredSaga {
    /// How long its journal is: the number of its last entry, also where a row before that is missing.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.entries.last().map_or(0, |entry| entry.seq)
    }

    /// The definition that it follows: the one that it was placed with, or the last one that a person has let it follow since.
    #[must_use]
    pub fn follows(&self) -> ([u8; 32], &Arc<str>) {
        self.adopted.last().map_or((self.flow_hash, &self.flow_text), |adopted| (adopted.flow_hash, &adopted.flow_text))
    }

    /// Whether it has followed another definition than the one that it was placed with, whichever it follows now.
    #[must_use]
    pub fn has_moved(&self) -> bool {
        self.adopted.iter().any(|adopted| adopted.flow_hash != self.flow_hash)
    }

    /// Whether a person has said that it goes on with the definition it followed already, whatever addresses that one names.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        let mut latest_first = self.adopted.iter().rev();
        let Some(last) = latest_first.next() else { return false };
        let before = latest_first.next().map_or(self.flow_hash, |adopted| adopted.flow_hash);
        last.flow_hash == before && !last.same_books
    }
}

/// A definition that a saga follows since a person said so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Adopted {
    /// SHA-256 of the definition.
    pub flow_hash: [u8; 32],
    /// The definition.
    pub flow_text: Arc<str>,
    /// How long the saga's journal was then: what it asked for up to this entry, it asked by the definition before.
    pub seq: u64,
    /// A person has said that the addresses which are asked now keep the same books as those which were asked before.
    pub same_books: bool,
    /// Who has said so.
    pub by: String,
    /// Why.
    pub why: String,
}

/// That every open saga which follows one definition is to follow another, or to go on with its own. It is kept of those only
/// of which it was not known before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Adoption {
    /// SHA-256 of the definition that they were placed with.
    pub placed_with: [u8; 32],
    /// SHA-256 of the definition that they follow.
    pub follows: [u8; 32],
    /// SHA-256 of the definition that they are to follow; where it is the same, and no books are said to be, they are to go on
    /// with it wherever that leads.
    pub flow_hash: [u8; 32],
    /// That definition.
    pub flow_text: Arc<str>,
    /// Whether both are said to be kept in the same books.
    pub same_books: bool,
    /// When.
    pub at: Time,
    /// Who says so.
    pub by: String,
    /// Why.
    pub why: String,
}

/// A definition that open sagas follow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenFlow {
    /// SHA-256 of the definition that they were placed with.
    pub placed_with: [u8; 32],
    /// That definition.
    pub placed_text: Arc<str>,
    /// SHA-256 of the one that they follow: that one, or the last one that a person has let them follow since.
    pub follows: [u8; 32],
    /// The definition that they follow.
    pub text: Arc<str>,
    /// A person has said that they go on with it, whatever addresses it names.
    pub is_kept: bool,
    /// They have followed another one than the one that they were placed with, whichever they follow now.
    pub has_moved: bool,
    /// How many sagas.
    pub sagas: u64,
}

/// One entry to be appended, if the journal still ends where the writer thinks it does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Append {
    /// The saga.
    pub id: String,
    /// The digest of the entry before. An older journal that grew to the same length by another way does not match it.
    pub previous: Digest,
    /// The entry; its `seq` is the previous one's plus one.
    pub entry: Entry,
    /// How often a person has let the saga follow another definition, as far as the writer knows. A writer that does not know
    /// of the last time may have sent requests by a definition that the saga no longer follows.
    pub adoptions: u64,
    /// When the saga is to be looked at next; `None` once it has ended or is suspended.
    pub wake_at: Option<Time>,
    /// How it stands after the entry.
    pub standing: &'static str,
    /// How far the participant's store had come by its answer, if the entry is an answer.
    pub seen: Option<Seen>,
}

/// A change of a participant's register that an answer has shown: key, number and mark.
pub type Sighting = handfast_protocol::Sighting<String, String>;

/// Such a change, and the opening of the participant's store that has shown it, where the participant says.
pub type Tip = handfast_protocol::Tip<String, String, String>;

/// What a request to one incarnation of a participant has to name: see [`handfast_protocol::Memory`].
pub type Memory = handfast_protocol::Memory<String, String, String>;

/// What an answer has shown of a participant's store, or all that is kept of that, to notice when the store was restored.
///
/// The number is kept for the first incarnation that was seen of a participant, and only ever raised. An answer of another
/// incarnation changes nothing here: the next request then names what is kept, and the participant answers that it is behind.
/// The changes are kept by incarnation, which several addresses may share.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Seen {
    /// The participant, by its base URL.
    pub participant: String,
    /// Drawn when the participant's store was created or declared restored.
    pub incarnation: String,
    /// Its commit number.
    pub seq: u64,
    /// The change that was shown, or every one that is kept; none where the participant draws no marks.
    pub shown: Vec<Tip>,
    /// What the request had named, which its answer confirms.
    pub named: Vec<Sighting>,
}

impl Seen {
    /// Adds what was shown to what is kept of its incarnation. What has no place there stays beside it: nothing that was kept
    /// is ever forgotten.
    pub(crate) fn remember_in(&self, memory: &mut Memory) {
        for tip in &self.shown {
            if !memory.learn::<Deployed>(tip.clone(), &self.named) {
                memory.join(std::slice::from_ref(tip));
            }
        }
    }
}

/// Another incarnation than the one that is known, which a participant's answers name. It counts for nothing until a person
/// accepts it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offer {
    /// The participant, by its base URL.
    pub participant: String,
    /// The incarnation that it says it is.
    pub incarnation: String,
    /// How far that has come.
    pub seq: u64,
    /// When it was last said.
    pub at: Time,
}

/// A person's act: the participant was put back to an older copy of its store, and another incarnation of it counts from now on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Acceptance {
    /// The participant, by its base URL.
    pub participant: String,
    /// The incarnation that counts from now on.
    pub incarnation: String,
    /// The one that counted before: what it had answered is evidence no more.
    pub former: String,
    /// How far the accepted one had come when it was last seen.
    pub seq: u64,
    /// When it was accepted.
    pub at: Time,
    /// Who accepted it.
    pub by: String,
    /// The reason given.
    pub why: String,
}

/// A delivery that brought no definite answer, kept for the pictures. Tries are not inputs: nothing depends on them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Try {
    /// The saga.
    pub id: String,
    /// Which step.
    pub step: usize,
    /// `act`, `close` or `undo`.
    pub operation: &'static str,
    /// The number of the try, the same that the request carried.
    pub number: u64,
    /// When it left.
    pub sent: Time,
    /// When the engine gave up on its answer.
    pub ended: Time,
    /// What was seen instead of an answer, in plain words.
    pub seen: String,
}

/// The ids of sagas to be looked at now, and when the next one after them is.
pub type Due = (Vec<String>, Option<Time>);

/// Definitions of flows, each with its SHA-256 and in the order of those.
pub type FlowTexts = Vec<([u8; 32], Arc<str>)>;

/// Sagas, and how many entries their journals have.
pub type Lengths = Vec<(Arc<str>, u64)>;

/// How many tries are kept of each saga.
pub const TRIES_KEPT: usize = 64;

/// A durable (or, for tests and pictures, forgetful) home for sagas.
///
/// Every write is atomic, and flushed when its future resolves to `Ok`. No method has a body here: a store that stands before another
/// one would forget to pass it on. The table in `every_method.rs` names each once more, for those.
///
/// ```
/// use handfast::store::{self, Store as _};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let store = store::open("memory:")?;
/// assert!(store.load("order-1").await?.is_none());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub trait Store: Send + Sync + 'static {
    /// Drawn when the store was created; every key carries it.
    fn store_id(&self) -> &str;
    /// Whether it is still the store that was opened. Asked before a message leaves and before anybody is told that orders are
    /// taken; every write asks by itself before it is answered. Cheap, and blocks for no longer than looking at a file takes.
    ///
    /// # Errors
    /// [`StoreError::Gone`].
    fn intact(&self) -> Result<(), StoreError>;
    /// Whether a message may leave for this saga now: the store is [intact](Self::intact), and where it lends sagas to one worker at a
    /// time, this one has it still. Asked right before each message, so what is needed for the answer is at hand; it does not block.
    ///
    /// # Errors
    /// [`StoreError::Gone`], or [`StoreError::Conflict`] where another worker may have the saga by now.
    fn may_send(&self, id: &str) -> Result<(), StoreError>;
    /// Whether it answers: something of it is read, as a saga would be. What a store has read before may answer for it, as pages
    /// that SQLite keeps in memory do, until it has met an error.
    fn reachable(&self) -> BoxFuture<'_, Result<(), StoreError>>;
    /// Writes and flushes `bytes` bytes that are never read, to find out whether the store would take a write of that size now.
    fn probe(&self, bytes: usize) -> BoxFuture<'_, Result<(), StoreError>>;
    /// What of it has stopped for good, so that only a restart helps: its writer, for instance.
    fn dead_part(&self) -> Option<&'static str>;
    /// Places a saga with its first entries, unless its id or the key of its request is taken.
    fn create(&self, saga: NewSaga) -> BoxFuture<'_, Result<Created, StoreError>>;
    /// Appends one entry, or answers [`StoreError::Conflict`] if the journal does not end where `append` says.
    fn append(&self, append: Append) -> BoxFuture<'_, Result<(), StoreError>>;
    /// Loads one saga with its journal.
    fn load<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<StoredSaga>, StoreError>>;
    /// The ids of up to `limit` sagas to be looked at by `now`, the most overdue first, and when the next one after them is. A
    /// wake-up further ahead than [`LONGEST_WAKE_UP_MS`] is due, too: no pause explains it, so another clock wrote it.
    fn due(&self, now: Time, limit: usize) -> BoxFuture<'_, Result<Due, StoreError>>;
    /// Puts a saga aside until `wake_at`, after `tries` deliveries in a row without a definite answer. No journal entry. A saga
    /// that is out of the wake-up index, or unknown, stays so: another process has ended it meanwhile. One whose journal is
    /// longer than `length`, where that is given, stays where it is, with [`StoreError::Conflict`]: another writer has appended
    /// to it.
    fn park<'a>(&'a self, id: &'a str, length: Option<u64>, wake_at: Time, tries: u32) -> BoxFuture<'a, Result<(), StoreError>>;
    /// How long the journals of these sagas are, of those that are known.
    fn lengths(&self, ids: Vec<Arc<str>>) -> BoxFuture<'_, Result<Lengths, StoreError>>;
    /// Takes a saga out of the wake-up index, since its journal cannot be trusted, and keeps the reason. One whose journal is longer
    /// than `length`, which is what was read of it, stays where it is, with [`StoreError::Conflict`]: another writer has appended to it,
    /// so it could follow what could not be followed here. One that is unknown stays so.
    fn suspend<'a>(&'a self, id: &'a str, length: u64, reason: &'a str) -> BoxFuture<'a, Result<(), StoreError>>;
    /// Keeps a try for the pictures, the newest [`TRIES_KEPT`] a saga. No caller waits for it and nothing depends on it.
    fn record_try(&self, attempt: Try);
    /// The tries that were kept of a saga, oldest first.
    fn tries<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Vec<Try>, StoreError>>;
    /// A page of sagas, in the order of their placing.
    fn list(&self, filter: Filter) -> BoxFuture<'_, Result<Page, StoreError>>;
    /// What the sagas of the same page were ordered with: nothing of their journals is read. Of large orders there may be fewer than
    /// the limit on a page that is not the last. After a saga that is unknown nothing is read, which is an error here: an engine that adds up
    /// all of them would take what was read so far for all.
    fn orders(&self, filter: Filter) -> BoxFuture<'_, Result<OrderedPage, StoreError>>;
    /// Every definition that a saga was placed with or was let follow, by its hash.
    fn flows(&self) -> BoxFuture<'_, Result<FlowTexts, StoreError>>;
    /// How many sagas stand how.
    fn counts(&self) -> BoxFuture<'_, Result<Counts, StoreError>>;
    /// Lets the present time count instead of a later one that the store keeps, and keeps who said so and why.
    fn accept_time(&self, acceptance: TimeAcceptance) -> BoxFuture<'_, Result<TimeAccepted, StoreError>>;
    /// The open sagas of which an entry was written at a later time than this.
    fn stamped_after(&self, now: Time) -> BoxFuture<'_, Result<Vec<String>, StoreError>>;
    /// Compares a process's clock with the store's, and keeps its time if they agree within `error_ms`, with every turn of the
    /// wall clock that shows: in one transaction, so that it is one turn for all who tell of it.
    fn keep_time(&self, mark: ClockMark, error_ms: u64) -> BoxFuture<'_, Result<KeptTime, StoreError>>;
    /// What [`keep_time`](Self::keep_time) would say of a clock, and what the time of journals is now; nothing is kept.
    fn judge_time(&self, mark: ClockMark, error_ms: u64) -> BoxFuture<'_, Result<(ClockVerdict, Time), StoreError>>;
    /// Keeps the definitions at hand in the process that drives the sagas of this store. Nothing is sent to an address that
    /// none of them names before a person decides. The list is empty where nothing is held back so. What the process that
    /// opened the store last has written counts.
    fn keep_at_hand(&self, flows: Vec<Arc<str>>) -> BoxFuture<'_, Result<(), StoreError>>;
    /// What was kept so last.
    fn at_hand(&self) -> BoxFuture<'_, Result<Vec<Arc<str>>, StoreError>>;
    /// The definitions that open sagas follow: those in the wake-up index, and those that are suspended.
    fn open_flows(&self) -> BoxFuture<'_, Result<Vec<OpenFlow>, StoreError>>;
    /// The open sagas that were placed with one definition and that a person has let follow another, or the same, in the order of
    /// their ids, after the one named.
    fn open_of<'a>(
        &'a self,
        placed_with: [u8; 32],
        follows: [u8; 32],
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>>;
    /// Lets every open saga that was placed with one definition and follows another one, or the same, follow a third from now
    /// on. Says of how many that was not known before. That books are the same is not said of those that have followed the same one
    /// all along.
    fn adopt(&self, adoption: Adoption) -> BoxFuture<'_, Result<u64, StoreError>>;
    /// What was seen of every participant, with everything that is kept of its incarnation.
    fn seen(&self) -> BoxFuture<'_, Result<Vec<Seen>, StoreError>>;
    /// Keeps what a look has shown of a participant's store, of which no saga is told.
    fn remember(&self, seen: Seen) -> BoxFuture<'_, Result<(), StoreError>>;
    /// Keeps which other incarnation a participant has named, the latest of each.
    fn offer(&self, offer: Offer) -> BoxFuture<'_, Result<(), StoreError>>;
    /// Forgets that a participant has named this other incarnation: an answer of it was as it should be since. Where it has named
    /// yet another one by now, that stays.
    fn withdraw<'a>(&'a self, participant: &'a str, incarnation: &'a str) -> BoxFuture<'a, Result<(), StoreError>>;
    /// What was offered and neither accepted nor withdrawn since, by participant.
    fn offers(&self) -> BoxFuture<'_, Result<Vec<Offer>, StoreError>>;
    /// Lets another incarnation count, or answers [`StoreError::Conflict`] if it is not the one that was offered last, or another
    /// one than `former` counts by now.
    fn accept(&self, acceptance: Acceptance) -> BoxFuture<'_, Result<(), StoreError>>;
    /// Everything that was ever accepted, in order, by participant.
    fn acceptances(&self) -> BoxFuture<'_, Result<Vec<Acceptance>, StoreError>>;
}

/// What stands for a saga whose journal cannot be trusted, in lists and counts.
const SUSPENDED: &str = "suspended";

/// The largest number that every store can keep and compare; later times and higher commit numbers are kept as this one.
const LARGEST: u64 = i64::MAX as u64;

fn storable(time: Time) -> Time {
    Time(time.0.min(LARGEST))
}

/// A saga whose first entries are not numbered from 1 is a mistake of the caller, and would be read as damage later.
fn check_new(saga: &NewSaga) -> Result<(), StoreError> {
    match saga.entries.iter().zip(1..).find(|(entry, seq)| entry.seq != *seq) {
        None => Ok(()),
        Some((entry, seq)) => Err(StoreError::Corrupt {
            id: saga.id.clone(),
            what: format!("its first entries must be numbered from 1, but entry {seq} says {}; nothing was written", entry.seq),
        }),
    }
}
