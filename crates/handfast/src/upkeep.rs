//! Looking after a store: a copy of it while it is in use, and whether all of it is what was written.

use std::path::{Path, PathBuf};

use handfast_protocol::Time;

use crate::clock::Clock;
use crate::engine::{Difference, what_is_wrong_if_said};
use crate::flow::Flow;
use crate::journal;
use crate::store::{self, ClockMark, Store, StoreError, StoredSaga, TimeAcceptance, TimeAccepted};

/// How many sagas are asked for at once.
const PAGE: usize = 1_000;

/// The most findings that are told one by one.
pub const MOST_FINDINGS: usize = 100;

/// What was found in a store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verified {
    /// Drawn when the store was created; every key carries it.
    pub store_id: String,
    /// The format of its file.
    pub format: u32,
    /// How many commits it has seen, as its file counts them.
    pub generation: u32,
    /// How many sagas were read.
    pub sagas: u64,
    /// How many entries of their journals.
    pub entries: u64,
    /// What is wrong, at most [`MOST_FINDINGS`] of it.
    pub findings: Vec<Damage>,
    /// How many findings there are in all.
    pub damaged: u64,
}

impl Verified {
    /// Whether everything is as it was written.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.damaged == 0
    }

    fn find(&mut self, saga: Option<&str>, what: String) {
        self.damaged += 1;
        if self.findings.len() < MOST_FINDINGS {
            self.findings.push(Damage { saga: saga.map(str::to_owned), what });
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Damage {
    /// The saga that it is about, if it is about one.
    pub saga: Option<String>,
    /// Which row or page, and what is wrong with it.
    pub what: String,
}

/// Copies the store that `url` names to a new file, while it may be in use: all of it at one moment. The copy is looked
/// through before it gets its name. `progress` is told how many of how many pages are copied.
///
/// # Errors
/// There is no store in a file, there is something at `to` already, or it cannot be read or written.
pub fn back_up(url: &str, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<(), StoreError> {
    store::SqliteStore::back_up(store::file_of(url)?, to, progress)
}

/// The file of a backup, named as stores are: a path, or `sqlite:PATH`.
///
/// # Errors
/// The text names no file.
pub fn file_of_backup(text: &str) -> Result<PathBuf, StoreError> {
    store::file_of(text).map(PathBuf::from)
}

/// Reads all of a store: its pages as the database checks them, and every journal by replaying it, entry by entry against its
/// digest. Nothing is changed. `progress` is told how many of how many sagas are read.
///
/// # Errors
/// There is no store in a file, or it cannot be opened. What is wrong inside is no error, but what was asked for.
pub async fn verify(url: &str, progress: &mut (dyn FnMut(u64, u64) + Send)) -> Result<Verified, StoreError> {
    let store = store::SqliteStore::open_to_read(store::file_of(url)?)?;
    let examined = store.examine().await?;
    let store::Examined { format, generation, sagas, damage } = examined;
    let store_id = store.store_id().to_owned();
    let mut verified = Verified { store_id, format, generation, sagas: 0, entries: 0, findings: Vec::new(), damaged: 0 };
    for what in damage {
        verified.find(None, what);
    }
    let mut last: Option<String> = None;
    loop {
        let page = match store.list(None, last.as_deref(), PAGE).await {
            Ok(page) => page,
            Err(error) => {
                verified.find(None, format!("the list of sagas cannot be read on: {error}"));
                break;
            }
        };
        for summary in &page {
            match store.load(&summary.id).await {
                Ok(Some(saga)) => {
                    verified.sagas += 1;
                    verified.entries += saga.entries.len() as u64;
                    if let Err(what) = replay(&saga) {
                        verified.find(Some(&summary.id), what);
                    }
                }
                Ok(None) => verified.find(Some(&summary.id), "it is listed and cannot be found".to_owned()),
                Err(StoreError::Corrupt { what, .. }) => verified.find(Some(&summary.id), what),
                Err(error) => verified.find(Some(&summary.id), error.to_string()),
            }
        }
        progress(verified.sagas, sagas);
        if page.len() < PAGE {
            break;
        }
        last = page.into_iter().next_back().map(|summary| summary.id);
    }
    Ok(verified)
}

/// Why the present time was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum AcceptTimeError {
    /// What was said about who accepts it, or why, is not kept.
    #[error("{name}: {what}; say it otherwise")]
    Text {
        /// `by` or `why`.
        name: &'static str,
        /// What is wrong with it.
        what: String,
    },
    /// The store's time is not later than the present one.
    #[error("the store's time is not later than the present one, so there is nothing to accept")]
    NotLater,
    /// Somebody goes by the store's time.
    #[error(
        "a process that drives this store was there within the last half minute; stop it, and say it again half a minute later"
    )]
    Driven,
    /// Open sagas count times from a moment that is still to come.
    #[error(
        "{number} open sagas have entries that were written at a later time and are bound to times, as {first}: what was to stop in \
         time would stop too late; wait until that time has come, settle them, or say that somebody has seen to them"
    )]
    SagasAhead {
        /// How many.
        number: usize,
        /// One of them.
        first: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A person lets the present time count in the store that `url` names, instead of a later one that a clock had shown which was
/// wrong. Who and why is kept. Nothing else may drive the store. Gives the time that had counted.
///
/// A saga whose journal has entries of that later time counts from it: its deadlines come as much later, and so does what has to
/// stop before a participant forgets a key. Where such a saga is open and bound to times this is refused, unless
/// `sagas_were_seen_to`.
///
/// # Errors
/// Why it does not.
pub async fn accept_time(url: &str, by: &str, why: &str, sagas_were_seen_to: bool) -> Result<Time, AcceptTimeError> {
    let store = store::SqliteStore::open(store::file_of(url)?)?;
    let mark = Clock::system().mark_by_wall(&uuid::Uuid::now_v7().to_string());
    accept_time_in(&store, mark, (by, why), sagas_were_seen_to).await
}

/// The same in a store that is open, for a process whose clock shows this.
pub(crate) async fn accept_time_in(
    store: &dyn Store,
    mark: ClockMark,
    (by, why): (&str, &str),
    sagas_were_seen_to: bool,
) -> Result<Time, AcceptTimeError> {
    for (name, text) in [("by", by), ("why", why)] {
        if let Some(what) = what_is_wrong_if_said(text) {
            return Err(AcceptTimeError::Text { name, what });
        }
    }
    let mut ahead = Vec::new();
    for id in store.stamped_after(mark.at).await? {
        let Some(saga) = store.load(&id).await? else { continue };
        // One that cannot be read here may be bound to anything.
        if Flow::from_built_text(&saga.flow_text).map_or(true, |flow| flow.plan().is_timed()) {
            ahead.push(id);
        }
    }
    if let Some(first) = ahead.first().filter(|_| !sagas_were_seen_to) {
        return Err(AcceptTimeError::SagasAhead { number: ahead.len(), first: first.clone() });
    }
    match store.accept_time(TimeAcceptance { mark, by: by.to_owned(), why: why.to_owned() }).await? {
        TimeAccepted::Taken { before } => Ok(before),
        TimeAccepted::NotLater => Err(AcceptTimeError::NotLater),
        TimeAccepted::Driven => Err(AcceptTimeError::Driven),
    }
}

/// A definition that open orders of a store follow, and in what it differs from one's own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Followed {
    /// The flow's name.
    pub flow: String,
    /// How many open orders follow it.
    pub orders: u64,
    /// In what it differs.
    pub difference: Difference,
}

/// What adopting this flow would change for the open orders of the store that `url` names: the definitions of flows of its name
/// that they follow, but for the flow itself. Nothing is changed.
///
/// # Errors
/// There is no store in a file, it cannot be read, or is of the first format, which knows nothing of adopting.
pub async fn followed(url: &str, flow: &Flow) -> Result<Vec<Followed>, StoreError> {
    let store = store::SqliteStore::open_to_read(store::file_of(url)?)?;
    let mut followed = Vec::new();
    for open in store.open_flows().await? {
        // One that cannot be read here is of another handfast, and cannot be adopted by this one either.
        let Ok(other) = Flow::from_built_text(&open.text) else { continue };
        if open.follows != flow.hash() && other.name() == flow.name() {
            let difference = Difference::between(&other, Some(flow));
            followed.push(Followed { flow: other.name().to_owned(), orders: open.sagas, difference });
        }
    }
    Ok(followed)
}

/// Whether a saga's journal leads to the states that it was written with.
fn replay(saga: &StoredSaga) -> Result<(), String> {
    let flow = Flow::from_built_text(&saga.flow_text).map_err(|error| format!("its flow cannot be read: {error}"))?;
    let steps = flow.steps().len();
    if saga.bodies.len() != steps {
        return Err(format!("it has {} bodies, but its flow {steps} steps", saga.bodies.len()));
    }
    journal::replay_checked(flow.plan().clone(), saga.version, &saga.entries).map(drop).map_err(|error| error.to_string())
}
