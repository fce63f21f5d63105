//! Looks through a whole store: its file, each saga's journal by replaying it, and whether each row says what its journal says.

use std::path::Path;

use handfast_protocol::{Coordinator, Party as _, Standing};

use crate::flow::Flow;
use crate::journal;
use crate::key::is_saga_id;
use crate::store::{self, Damage, SqliteStore, Store, StoreError, StoredSaga, Try};

/// How many sagas are asked for at once.
const PAGE: usize = 1_000;

/// The most findings that are told one by one.
pub const MOST_FINDINGS: usize = 100;

/// What was found in a store.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Verified {
    /// Drawn when the store was created; every key carries it. `None` where it is lost, or the file could not be opened.
    pub store_id: Option<String>,
    /// The format of its file; `None` where it could not be opened.
    pub format: Option<u32>,
    /// How many commits it has seen, as its file counts them; `None` where it could not be opened.
    pub generation: Option<u32>,
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

    const fn nothing() -> Self {
        Self { store_id: None, format: None, generation: None, sagas: 0, entries: 0, findings: Vec::new(), damaged: 0 }
    }

    fn find(&mut self, damage: Damage) {
        self.damaged += 1;
        if self.findings.len() < MOST_FINDINGS {
            self.findings.push(damage);
        }
    }
}

/// What helps where a saga's own rows cannot be what was written.
const ROWS_BACK: &str = "nothing is sent for it until its rows are put back from a backup (docs/journal.md, Backups)";

/// Reads all of a store: its pages as the database checks them, its tables, and every saga: its journal by replaying it, entry by
/// entry against its digest, and its row, which has to say what the journal says. Nothing is changed, and no more is in memory than one
/// page of ids and one saga. `progress` is told how many of how many sagas are read.
///
/// # Errors
/// There is no store in a file, or it cannot be opened. What is wrong inside is no error, but what was asked for.
pub async fn verify(url: &str, progress: &mut (dyn FnMut(u64, u64) + Send)) -> Result<Verified, StoreError> {
    let mut verified = Verified::nothing();
    let store = match SqliteStore::open_to_examine(Path::new(store::file_of(url)?)) {
        Ok(store) => store,
        Err(StoreError::Damaged { why, .. }) => {
            let cure = "nothing of it could be read on";
            verified.find(Damage::of_file(why, cure));
            return Ok(verified);
        }
        Err(error) => return Err(error),
    };
    let examined = match store.examine().await {
        Ok(examined) => examined,
        Err(error) => {
            verified.find(Damage::of_file(error.to_string(), "nothing of it could be read on"));
            return Ok(verified);
        }
    };
    let store::Examined { format, generation, sagas, damage } = examined;
    verified.store_id = Some(store.store_id().to_owned()).filter(|id| !id.is_empty());
    (verified.format, verified.generation) = (Some(format), Some(generation));
    damage.into_iter().for_each(|damage| verified.find(damage));
    let mut after = i64::MIN;
    loop {
        let (names, last) = match store.names(after, PAGE).await {
            Ok(page) => page,
            Err(error) => {
                let cure = "the sagas behind that place were not looked at; put a backup of the store in its place";
                verified.find(Damage::of_file(format!("`saga`: {error}"), cure));
                break;
            }
        };
        for name in &names {
            verify_one(&store, name, &mut verified).await;
        }
        progress(verified.sagas, sagas);
        let Some(last) = last else { break };
        after = last;
    }
    Ok(verified)
}

async fn verify_one(store: &SqliteStore, id: &str, verified: &mut Verified) {
    let saga = match store.load(id).await {
        Ok(Some(saga)) => saga,
        Ok(None) => return verified.find(Damage::of_saga(id, "it is listed and cannot be found", ROWS_BACK)),
        Err(StoreError::Corrupt { what, .. }) => return verified.find(Damage::of_saga(id, what, ROWS_BACK)),
        Err(error) => {
            let waits = "it waits, and is read again every few seconds, until the file is put right";
            return verified.find(Damage::of_saga(id, error.to_string(), waits));
        }
    };
    verified.sagas += 1;
    verified.entries += saga.entries.len() as u64;
    let replayed = replay(&saga);
    match &replayed {
        Ok((_, coordinator)) => disagreements(&saga, coordinator).into_iter().for_each(|damage| verified.find(damage)),
        Err(what) => verified.find(Damage::of_saga(id, what, ROWS_BACK)),
    }
    let steps = replayed.ok().map(|(flow, _)| flow.steps().len());
    match store.tries(id).await {
        Ok(tries) => {
            if let Some(what) = odd_try(&tries, steps) {
                verified.find(Damage::of_saga(id, what, "they are for pictures only; nothing depends on them"));
            }
        }
        Err(StoreError::Corrupt { what, .. }) => {
            verified.find(Damage::of_saga(id, what, "they are for pictures only; nothing depends on them"));
        }
        Err(error) => verified.find(Damage::of_saga(id, error.to_string(), ROWS_BACK)),
    }
}

/// The state that a saga's journal leads to, if it leads to those that it was written with.
fn replay(saga: &StoredSaga) -> Result<(Flow, Coordinator), String> {
    let flow = Flow::from_built_text(&saga.flow_text).map_err(|error| format!("its flow cannot be read: {error}"))?;
    let steps = flow.steps().len();
    if saga.bodies.len() != steps {
        return Err(format!("it has {} bodies, but its flow {steps} steps", saga.bodies.len()));
    }
    if saga.entries.is_empty() {
        return Err("it has no journal: not even that it was placed stands there".to_owned());
    }
    let replayed = journal::replay_checked(flow.plan().clone(), saga.version, &saga.entries);
    replayed.map(|coordinator| (flow, coordinator)).map_err(|error| error.to_string())
}

/// Where a saga's rows say something else than its journal.
fn disagreements(saga: &StoredSaga, coordinator: &Coordinator) -> Vec<Damage> {
    let row = what_its_row_says(saga, coordinator).map(|what| Damage::of_saga(&saga.id, what, as_its_journal(saga, coordinator)));
    let first = saga.entries.first().map_or(saga.created, |entry| entry.at);
    let created = (saga.created != first).then(|| {
        let what = format!(
            "its row in `saga` says that it was `created` at {}, and its first entry is of {first}",
            saga.created.0,
            first = first.0
        );
        Damage::of_saga(&saga.id, what, sql_of(&saga.id, &format!("created = {}", first.0)))
    });
    let named = other_name(saga).map(|what| {
        let cure = "every key is made of its name: under another one participants would do again what they have done; put its row in \
                    `saga` back from a backup before anything drives the store";
        Damage::of_saga(&saga.id, what, cure)
    });
    let length = saga.length();
    let adopted = saga.adopted.iter().find(|adopted| adopted.seq > length).map(|adopted| {
        let what = format!("its row in `adopted` is of entry {}, and its journal has {length}", adopted.seq);
        Damage::of_saga(&saga.id, what, ROWS_BACK)
    });
    [row, created, named, adopted].into_iter().flatten().collect()
}

/// Nothing will happen of itself any more: no wake-up is kept.
fn is_at_rest(coordinator: &Coordinator) -> bool {
    coordinator.outbox().is_empty() && coordinator.deadline().is_none()
}

/// What its row in `saga` says otherwise than the journal: how it stands, and whether it is looked at again.
fn what_its_row_says(saga: &StoredSaga, coordinator: &Coordinator) -> Option<String> {
    let standing = coordinator.standing();
    if saga.why.is_some() {
        // It was taken out since its rows could not be trusted, which is no entry. It stands so until a person says something.
        let is_out = saga.standing == Standing::Suspended.name() && saga.wake_at.is_none();
        let stands = &saga.standing;
        return (!is_out).then(|| format!("its row in `saga` has a `why` it is suspended, and says that it is `{stands}`"));
    }
    if saga.standing != standing.name() {
        let (row, journal) = (&saga.standing, standing.name());
        return Some(format!("its row in `saga` says that it is `{row}`, and its journal that it is `{journal}`"));
    }
    match (saga.wake_at, is_at_rest(coordinator)) {
        (None, false) => {
            Some(format!("it is `{}` and not in the wake-up index (`wake_at`): it is never driven", standing.name()))
        }
        (Some(at), true) => Some(format!("nothing is to be done for it, and its row in `saga` has a `wake_at` ({})", at.0)),
        (None, true) if saga.tries > 0 => {
            Some(format!("nothing is to be done for it, and its row in `saga` counts `tries` ({})", saga.tries))
        }
        (None, true) | (Some(_), false) => None,
    }
}

/// How its row would say what the journal says. A saga that goes on is then looked at as soon as anything drives the store.
fn as_its_journal(saga: &StoredSaga, coordinator: &Coordinator) -> String {
    let (standing, wake_at) = (coordinator.standing().name(), if is_at_rest(coordinator) { "NULL" } else { "0" });
    sql_of(&saga.id, &format!("standing = '{standing}', wake_at = {wake_at}, tries = 0, why = NULL"))
}

fn sql_of(id: &str, sets: &str) -> String {
    let id = id.replace('\'', "''");
    format!("let `sqlite3` do: UPDATE saga SET {sets} WHERE name = '{id}'")
}

/// A name that the saga cannot have been placed under. An order that came through a flow file names itself first of all; where a
/// program places orders of its own it can do as it likes.
fn other_name(saga: &StoredSaga) -> Option<String> {
    let name = &saga.id;
    if !is_saga_id(name) {
        return Some(format!("its row in `saga` names it {name:?}, which no order can be called"));
    }
    let rest = saga.input.strip_prefix(br#"{"id":""#)?;
    let end = rest.iter().position(|&byte| byte == b'"')?;
    let said = std::str::from_utf8(&rest[..end]).ok()?;
    let is_of_file = is_saga_id(said) && saga.flow_text.contains(r#""participant":"http"#);
    (is_of_file && said != name).then(|| format!("its row in `saga` names it {name}, and its order {said}"))
}

/// A try that no saga with that many steps can have made.
fn odd_try(tries: &[Try], steps: Option<usize>) -> Option<String> {
    let odd = tries.iter().find(|attempt| steps.is_some_and(|steps| attempt.step >= steps))?;
    Some(format!("its rows in `try`: there is no step {}", odd.step))
}
