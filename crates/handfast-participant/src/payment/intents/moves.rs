//! What becomes of an intent, each within the transaction that also holds the register of its key.

use handfast_protocol::Time;
use rusqlite::{Connection, OptionalExtension as _};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::state::{Intent, Status};
use crate::key::Key;
use crate::payment::order::Order;
use crate::payment::{capture, ledger};
use crate::service::{Acted, ServiceError};

/// How long a refund stays pending that does so.
const PENDING_MS: u64 = 1_000;

/// A change of an intent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "move", rename_all = "snake_case", deny_unknown_fields)]
pub(in crate::payment) enum Move {
    Create {
        id: String,
        minor: i64,
        currency: String,
        token: String,
        manual: bool,
        reference: Option<String>,
    },
    Confirm {
        id: String,
    },
    Capture {
        id: String,
    },
    /// Of what was declined.
    GiveUp {
        id: String,
    },
    Refund {
        id: String,
    },
    /// Decides a refund that was pending.
    Settle {
        id: String,
    },
}

impl Move {
    /// The move that the face of intents asks for.
    ///
    /// # Errors
    /// It asks for none.
    pub(in crate::payment) fn of(body: &Value) -> Result<Self, serde_json::Error> {
        serde_json::from_value(body["intent"].clone())
    }

    fn parts(&self) -> (&str, &'static str) {
        match self {
            Self::Create { id, .. } => (id, ".create"),
            Self::Confirm { id } => (id, ""),
            Self::Capture { id } => (id, ".capture"),
            Self::GiveUp { id } => (id, ".cancel"),
            Self::Refund { id } => (id, ".refund"),
            Self::Settle { id } => (id, ".settle"),
        }
    }

    /// The key of its register: the intent's own for its confirmation, another for each other move.
    pub(super) fn key(&self) -> String {
        let (id, suffix) = self.parts();
        format!("{id}{suffix}")
    }
}

/// Carries it out, or says why it cannot be.
pub(in crate::payment) fn carry_out(transaction: &Connection, key: &Key, what: &Move, now: Time) -> Result<Acted, ServiceError> {
    if key.as_str() != what.key() {
        return Ok(Acted::refused("intent_of_another_key"));
    }
    let (id, suffix) = what.parts();
    if let Move::Create { id, minor, currency, token, manual, reference } = what {
        transaction
            .prepare_cached(
                "INSERT INTO intent (id, minor, currency, token, manual, reference, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute((id, minor, currency, token, manual, reference, i64::try_from(now.0)?))?;
    }
    let Some(intent) = Intent::read(transaction, id)? else { return Ok(Acted::refused("intent_unknown")) };
    if !suffix.is_empty() {
        transaction.prepare_cached("INSERT INTO intent_move (key, intent) VALUES (?1, ?2)")?.execute((key.as_str(), id))?;
    }
    match what {
        Move::Create { .. } => Ok(Acted::Done),
        Move::Confirm { .. } => confirm(transaction, key, &intent, now),
        Move::Capture { .. } => capture::capture(transaction, key, &id.parse()?, now),
        Move::GiveUp { .. } if intent.status == Status::RequiresPaymentMethod => Ok(Acted::Done),
        Move::Refund { .. } if intent.status == Status::Succeeded => refund(transaction, &intent, now),
        Move::Settle { .. } if intent.is_refund_due(now) => settle(transaction, &intent, now),
        Move::GiveUp { .. } | Move::Refund { .. } | Move::Settle { .. } => Ok(Acted::refused("intent_in_another_state")),
    }
}

fn confirm(transaction: &Connection, key: &Key, intent: &Intent, now: Time) -> Result<Acted, ServiceError> {
    let body = intent.to_order();
    let order = match Order::parse(&body) {
        Ok(order) => order,
        Err(reason) => return Ok(Acted::refused(reason)),
    };
    if let Some(reason) = order.decline() {
        return Ok(Acted::refused(reason));
    }
    ledger::charge(transaction, key, &order, now)?;
    Ok(Acted::Done)
}

fn refund(transaction: &Connection, intent: &Intent, now: Time) -> Result<Acted, ServiceError> {
    let status = if intent.token.starts_with("tok_refund_pending") {
        "pending"
    } else if intent.refund_will_fail() {
        "failed"
    } else {
        ledger::refund(transaction, &intent.id.parse()?, now)?;
        "succeeded"
    };
    let due = i64::try_from(now.0.saturating_add(PENDING_MS))?;
    transaction
        .prepare_cached("INSERT INTO intent_refund (intent, status, due) VALUES (?1, ?2, ?3)")?
        .execute((&intent.id, status, due))?;
    Ok(Acted::Done)
}

fn settle(transaction: &Connection, intent: &Intent, now: Time) -> Result<Acted, ServiceError> {
    let status = if intent.refund_will_fail() {
        "failed"
    } else {
        ledger::refund(transaction, &intent.id.parse()?, now)?;
        "succeeded"
    };
    transaction.prepare_cached("UPDATE intent_refund SET status = ?2 WHERE intent = ?1")?.execute((&intent.id, status))?;
    Ok(Acted::Done)
}

/// Whether this key is that of an intent whose confirmation took the amount for good.
pub(in crate::payment) fn is_lasting(transaction: &Connection, key: &Key) -> Result<bool, ServiceError> {
    let mut found = transaction.prepare_cached("SELECT manual FROM intent WHERE id = ?1")?;
    let manual: Option<bool> = found.query_row([key.as_str()], |row| row.get(0)).optional()?;
    Ok(manual == Some(false))
}
