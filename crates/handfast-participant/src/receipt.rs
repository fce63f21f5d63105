//! What a store answers: a receipt, or that it has forgotten something.

use handfast_protocol::{Definite, Time};
use serde::{Serialize, Serializer};

use crate::body::BodyHash;
use crate::key::{Incarnation, Key, Mark, Position};

/// A definite answer: where the key stands, for good or until it is undone.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Receipt {
    /// The key.
    #[serde(serialize_with = "as_text")]
    pub key: Key,
    /// Its state.
    #[serde(serialize_with = "state_name")]
    pub state: Definite,
    /// The hash of the body that was acted on or refused; none where no act came first.
    #[serde(serialize_with = "as_optional_text")]
    pub body_hash: Option<BodyHash>,
    /// The number of the change that made the register what it is.
    pub seq: u64,
    /// The life of the store that answers.
    #[serde(serialize_with = "as_text")]
    pub incarnation: Incarnation,
    /// Drawn for that change alone. A caller that names it with its key and number can be answered by this history only.
    #[serde(serialize_with = "as_text")]
    pub mark: Mark,
    /// Drawn when the store was opened: all answers of one opening are of one history.
    #[serde(serialize_with = "as_text")]
    pub opening: Mark,
    /// When the register last changed, in milliseconds since the Unix epoch.
    #[serde(serialize_with = "milliseconds")]
    pub at: Time,
    /// Why it was refused, or closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What a store says to one request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// The state of the key, after the request took its effect.
    State(Receipt),
    /// The key is in use for another body, and the request did nothing. The receipt shows the register.
    OtherBody(Receipt),
    /// Only to a peek: the key was never asked for. This proves nothing, since an act may still be under way.
    Absent(Position),
    /// The sender has seen more than this store knows: it was restored from a backup, and did nothing.
    Behind(Position),
}

fn as_text<S: Serializer>(value: &impl ToString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&value.to_string())
}

fn as_optional_text<S: Serializer>(value: &Option<BodyHash>, serializer: S) -> Result<S::Ok, S::Error> {
    value.map(|value| value.to_string()).serialize(serializer)
}

fn state_name<S: Serializer>(state: &Definite, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(state.name())
}

fn milliseconds<S: Serializer>(time: &Time, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(time.0)
}
