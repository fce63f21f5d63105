//! What an operator does with sagas, in a store's file or through a running service, in the same shapes either way.

mod file;
mod service;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use handfast::journal::Said;
use handfast::store::{Store, StoreError};
use handfast::{Act, Outcome};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::http_client::HttpClient;

/// Where the sagas are.
pub(crate) enum Desk {
    /// In the file of a store. A service that has it open goes on from what is written here.
    File(Arc<dyn Store>),
    /// Behind a service at this URL.
    Service(HttpClient, String),
}

/// Why nothing came back.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// There is no such saga.
    Unknown(String),
    /// What was asked for makes no sense as it is; nothing was done.
    Usage(String),
    /// The saga has gone on since, or the act would change nothing; nothing was done.
    Conflict(String),
    /// Nobody answered; whether anything was done is unknown.
    Unreachable(String),
    /// The store or the service failed; whether anything was done is unknown.
    InDoubt(String),
    /// It cannot be done here; nothing was done.
    Broken(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Unknown(text)
        | Self::Usage(text)
        | Self::Conflict(text)
        | Self::Unreachable(text)
        | Self::InDoubt(text)
        | Self::Broken(text)) = self;
        f.write_str(text)
    }
}

impl std::error::Error for Trouble {}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) | StoreError::Conflict => Self::InDoubt(error.to_string()),
            StoreError::Gone { .. }
            | StoreError::Newer { .. }
            | StoreError::NotOurs { .. }
            | StoreError::Open { .. }
            | StoreError::Corrupt { .. } => Self::Broken(error.to_string()),
        }
    }
}

/// One line of a list.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Listed {
    pub(crate) id: String,
    pub(crate) standing: String,
    pub(crate) placed_ms: u64,
    pub(crate) changed_ms: u64,
    /// Nothing is sent for it by the service before a person decides.
    pub(crate) held: bool,
    /// It does not go on before a person says something.
    #[serde(default)]
    pub(crate) needs_person: bool,
    /// The step of which it waits to hear.
    pub(crate) step: Option<String>,
    pub(crate) amount: Option<String>,
    pub(crate) can: Vec<Able>,
}

/// An act that would change something.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Able {
    pub(crate) act: String,
    pub(crate) step: Option<String>,
}

/// A saga as an operator sees it. Members that the service says beside these are left out.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Looked {
    pub(crate) id: String,
    pub(crate) standing: String,
    pub(crate) outcome: Option<String>,
    pub(crate) trouble: Option<String>,
    /// Nothing is sent for it by the service before a person decides.
    #[serde(default)]
    pub(crate) held: bool,
    /// The number of its last entry.
    pub(crate) seq: u64,
    /// When it is looked at next, and, if it has ended, until when at least it is watched for what comes late.
    pub(crate) next_look_ms: Option<u64>,
    #[serde(default)]
    pub(crate) watched_until_ms: Option<u64>,
    pub(crate) steps: Vec<Step>,
    pub(crate) remains: Vec<Left>,
    pub(crate) can: Vec<Can>,
    #[serde(default)]
    pub(crate) acts: Vec<Acted>,
}

/// What a person has done.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Acted {
    pub(crate) seq: u64,
    pub(crate) at_ms: u64,
    pub(crate) act: String,
    pub(crate) step: Option<String>,
    pub(crate) by: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) evidence: Option<String>,
}

/// What is known of a step.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) participant: String,
    pub(crate) key: String,
    /// The shorter names of its key that its requests use.
    pub(crate) short_keys: Vec<String>,
    /// What an act goes to, and a look.
    pub(crate) address: String,
    pub(crate) look_at: Option<String>,
    pub(crate) amount: Option<String>,
    pub(crate) asked: Option<String>,
    pub(crate) last_asked_ms: Option<u64>,
    pub(crate) state: Option<String>,
    /// When a mark as not done counts, while that is waited for.
    #[serde(default)]
    pub(crate) mark_counts_ms: Option<u64>,
    pub(crate) detail: Option<String>,
    pub(crate) kept: BTreeMap<String, Value>,
    pub(crate) last_answer: Option<Answer>,
    /// The latest answer that meant nothing.
    pub(crate) not_understood: Option<Answer>,
}

/// An answer of a participant.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) operation: String,
    pub(crate) at_ms: u64,
    pub(crate) status: Option<u16>,
    pub(crate) said: String,
}

/// What remains in effect, or may.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Left {
    pub(crate) step: String,
    pub(crate) state: String,
    pub(crate) amount: Option<String>,
}

/// What can be done.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Can {
    pub(crate) act: String,
    pub(crate) step: Option<String>,
    pub(crate) does: String,
    /// What has to be said with it, by name.
    pub(crate) needs: Vec<String>,
}

impl Looked {
    /// What asking for *neither* would do, if it would do anything.
    pub(crate) fn cancel_does(&self) -> Option<&str> {
        self.can.iter().find(|can| can.act == "cancel").map(|can| can.does.as_str())
    }

    /// What this act would do, if it would do anything.
    pub(crate) fn does(&self, act: &Act) -> Option<&str> {
        let is_it = |can: &&Can| can.act == act.name() && can.step.as_deref() == act.step();
        self.can.iter().find(is_it).map(|can| can.does.as_str())
    }

    /// How it ended, if it has.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        let known = [Outcome::Completed, Outcome::Cancelled, Outcome::Settled];
        known.into_iter().find(|outcome| self.outcome.as_deref() == Some(outcome.name()))
    }
}

impl Desk {
    /// Sagas in the order of their placing, after the one named; those that stand so only where `standing` is given.
    ///
    /// # Errors
    /// Why there is no list.
    pub(crate) async fn list(&self, standing: Option<&str>, after: Option<&str>, limit: usize) -> Result<Vec<Listed>, Trouble> {
        match self {
            Self::File(store) => file::list(store.as_ref(), standing, after, limit).await,
            Self::Service(client, url) => service::list(client, url, standing, after, limit).await,
        }
    }

    /// One saga.
    ///
    /// # Errors
    /// Why it is not shown.
    pub(crate) async fn look(&self, id: &str) -> Result<Looked, Trouble> {
        match self {
            Self::File(store) => file::look(store.as_ref(), id).await,
            Self::Service(client, url) => service::look(client, url, id).await,
        }
    }

    /// Does something about a saga. Says whether it was done now, and not by the same request before.
    ///
    /// # Errors
    /// Why it was not done.
    pub(crate) async fn act(&self, id: &str, act: &Act, said: &Said) -> Result<bool, Trouble> {
        match self {
            Self::File(store) => file::act(store.as_ref(), id, act, said).await,
            Self::Service(client, url) => service::act(client, url, id, act, said).await,
        }
    }

    /// Asks for *neither*.
    ///
    /// # Errors
    /// Why the saga does not turn back.
    pub(crate) async fn cancel(&self, id: &str, by: Option<&str>, why: Option<&str>) -> Result<(), Trouble> {
        match self {
            Self::File(store) => file::cancel(store.as_ref(), id, by, why).await,
            Self::Service(client, url) => service::cancel(client, url, id, by, why).await,
        }
    }
}
