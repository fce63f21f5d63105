//! A store in a file: copied while it is in use, and looked through to its last entry.

use std::path::{Path, PathBuf};

use crate::flow::Flow;
use crate::journal;
use crate::store::{self, Filter, Store, StoreError, StoredSaga};

/// How many sagas are asked for at once.
const PAGE: usize = 1_000;

/// The most findings that are told one by one.
pub const MOST_FINDINGS: usize = 100;

/// What was found in a store.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
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
#[non_exhaustive]
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
        let page = match store.list(Filter::all(last.as_deref(), PAGE)).await {
            Ok(page) => page,
            Err(error) => {
                verified.find(None, format!("the list of sagas cannot be read on: {error}"));
                break;
            }
        };
        for summary in &page.sagas {
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
        last = page.next;
        if last.is_none() {
            break;
        }
    }
    Ok(verified)
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
