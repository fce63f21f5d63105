//! How an intent stands, read from its row and its registers, and how it is shown.

use handfast_protocol::Time;
use rusqlite::{Connection, Error, OptionalExtension as _, Row};
use serde_json::{Value, json};

/// The status that an intent is shown with.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Status {
    RequiresConfirmation,
    /// It was declined.
    RequiresPaymentMethod,
    RequiresCapture,
    Succeeded,
    Canceled,
}

impl Status {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::RequiresConfirmation => "requires_confirmation",
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::RequiresCapture => "requires_capture",
            Self::Succeeded => "succeeded",
            Self::Canceled => "canceled",
        }
    }
}

/// An intent as it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Intent {
    pub(super) id: String,
    minor: i64,
    currency: String,
    pub(super) token: String,
    manual: bool,
    reference: Option<String>,
    at: i64,
    pub(super) status: Status,
    /// Why the card was declined.
    pub(super) decline: Option<String>,
    /// The status of its refund and when that is decided.
    pub(super) refund: Option<(String, i64)>,
}

const READ: &str = "
    SELECT i.id, i.minor, i.currency, i.token, i.manual, i.reference, i.at, r.state, r.detail,
           EXISTS (SELECT 1 FROM capture c WHERE c.hold = i.id),
           EXISTS (SELECT 1 FROM register g WHERE g.key = i.id || '.cancel' AND g.state = 'done'),
           f.status, f.due
    FROM intent i LEFT JOIN register r ON r.key = i.id LEFT JOIN intent_refund f ON f.intent = i.id WHERE i.id = ?1";

impl Intent {
    pub(super) fn read(snapshot: &Connection, id: &str) -> Result<Option<Self>, Error> {
        snapshot.prepare_cached(READ)?.query_row([id], Self::of).optional()
    }

    fn of(row: &Row<'_>) -> Result<Self, Error> {
        let manual = row.get(4)?;
        let (state, is_captured, is_given_up): (Option<String>, bool, bool) = (row.get(7)?, row.get(9)?, row.get(10)?);
        let status = match state.as_deref() {
            None => Status::RequiresConfirmation,
            Some("done") if manual && !is_captured => Status::RequiresCapture,
            Some("done") => Status::Succeeded,
            Some("refused") if !is_given_up => Status::RequiresPaymentMethod,
            // Given up, closed before it was confirmed, or undone.
            Some(_) => Status::Canceled,
        };
        let refund: (Option<String>, Option<i64>) = (row.get(11)?, row.get(12)?);
        Ok(Self {
            id: row.get(0)?,
            minor: row.get(1)?,
            currency: row.get(2)?,
            token: row.get(3)?,
            manual,
            reference: row.get(5)?,
            at: row.get(6)?,
            status,
            decline: row.get(8)?,
            refund: refund.0.zip(refund.1),
        })
    }

    /// What is charged when it is confirmed, as the body of an act has it.
    pub(super) fn to_order(&self) -> Value {
        json!({ "amount": { "minor": self.minor, "currency": self.currency }, "token": self.token })
    }

    pub(super) fn refund_will_fail(&self) -> bool {
        self.token.starts_with("tok_refund_fails") || self.token.starts_with("tok_refund_pending_fails")
    }

    pub(super) fn is_refund_due(&self, now: Time) -> bool {
        let now = i64::try_from(now.0).unwrap_or(i64::MAX);
        self.refund.as_ref().is_some_and(|(status, due)| status == "pending" && *due <= now)
    }

    pub(super) fn to_json(&self) -> Value {
        let received = if self.status == Status::Succeeded { self.minor } else { 0 };
        let capturable = if self.status == Status::RequiresCapture { self.minor } else { 0 };
        let decline = self.decline.as_ref().map(|code| json!({ "type": "card_error", "code": code }));
        json!({
            "id": self.id, "object": "payment_intent", "status": self.status.name(), "amount": self.minor,
            "amount_capturable": capturable, "amount_received": received, "currency": self.currency.to_ascii_lowercase(),
            "capture_method": if self.manual { "manual" } else { "automatic" }, "payment_method": self.token,
            "metadata": self.reference.as_ref().map_or_else(|| json!({}), |order| json!({ "order": order })),
            "created": self.at / 1000, "last_payment_error": decline,
        })
    }

    pub(super) fn refund_to_json(&self) -> Option<Value> {
        let (status, _) = self.refund.as_ref()?;
        Some(json!({
            "id": format!("re_{}", self.id.trim_start_matches("pi_")), "object": "refund", "payment_intent": self.id,
            "amount": self.minor, "currency": self.currency.to_ascii_lowercase(), "status": status,
            "failure_reason": (status == "failed").then_some("expired_or_canceled_card"),
        }))
    }
}
