//! What a service has to say to get the contract: what its effect is, and whether it can be undone.

use handfast_protocol::Time;
use rusqlite::Connection;
use serde_json::Value;

use crate::key::Key;

/// Whatever went wrong in a service. Nothing happened then: the transaction is rolled back and the caller told to come again.
pub type ServiceError = Box<dyn std::error::Error + Send + Sync>;

/// What became of an act.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Acted {
    /// The effect is in the transaction.
    Done,
    /// The service declines, for ever; what it wrote meanwhile is taken back.
    Refused {
        /// Why, in a word that a program can tell apart (`card_declined`). It is stored and shown: no card data.
        detail: String,
    },
}

impl Acted {
    /// A refusal with its reason.
    #[must_use]
    pub fn refused(detail: impl Into<String>) -> Self {
        Self::Refused { detail: detail.into() }
    }
}

/// What became of an undo.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reverted {
    /// The reversal is in the transaction.
    Undone,
    /// The effect cannot be reverted: the key stays done.
    Irrevocable,
}

/// One step of a service's schema, applied once, in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Migration {
    /// `V<number>__<name>`, numbered from 1.
    pub name: &'static str,
    /// The statements. Once released they never change; a later migration corrects them.
    pub sql: &'static str,
}

/// A service whose effect can be asked for by key. It is called inside the transaction that also holds the key's
/// register, at most once per key for [`act`](Service::act) and at most once, after it, for [`undo`](Service::undo).
///
/// An effect is what it writes through the connection it is handed. It must not begin or end transactions, and it must
/// not reach outside (no call to another service): what cannot be rolled back cannot be part of the register's step.
/// The body is not kept. What an undo needs, the act writes into the service's own tables under the key; so nothing is
/// stored that the service did not choose to store.
pub trait Service: Send + Sync + 'static {
    /// What kind of store this is. A file made by one service is refused by every other.
    fn name(&self) -> &'static str;

    /// The service's own tables, beside those of the registers.
    fn migrations(&self) -> &'static [Migration];

    /// Called at every opening, in a transaction of its own, after the migrations.
    ///
    /// # Errors
    /// Whatever failed; the store is then not opened.
    fn prepare(&self, transaction: &Connection) -> Result<(), ServiceError> {
        let _ = transaction;
        Ok(())
    }

    /// Performs the effect, or refuses it for good.
    ///
    /// # Errors
    /// Whatever failed. The key stays as it was, and the act can be asked for again.
    fn act(&self, transaction: &Connection, key: &Key, body: &Value, now: Time) -> Result<Acted, ServiceError>;

    /// Performs what a face of the service itself asks for beside the contract, or refuses it for good. Whatever a caller of the
    /// contract sends never comes here.
    ///
    /// # Errors
    /// As [`Service::act`]. A service without such a face has nothing of the kind.
    fn act_own(&self, transaction: &Connection, key: &Key, body: &Value, now: Time) -> Result<Acted, ServiceError> {
        let _ = (transaction, key, body, now);
        Err("the service asks nothing of itself".into())
    }

    /// Reverts the effect of an act that was done, or says that it cannot be reverted.
    ///
    /// # Errors
    /// Whatever failed. The key stays done, and the undo can be asked for again.
    fn undo(&self, transaction: &Connection, key: &Key, now: Time) -> Result<Reverted, ServiceError>;
}
