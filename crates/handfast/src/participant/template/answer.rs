//! What an answer of a service means: exactly one of the states that its template describes, or nothing.

use std::collections::BTreeMap;

use handfast_protocol::{Answer, Definite};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::secret::{LONG_SECRET, Secrets};
use crate::flow::has_card_number;
use crate::journal::{Receipt, Scalar};
use crate::key::leads_elsewhere;
use crate::participant::Reply;
use crate::participant::receipts::{MAX_ANSWER_BYTES, Received, shorten};

/// The longest text that is kept of an answer, in bytes.
const MAX_KEPT: usize = 255;

/// When an answer means one thing: its status is one of these, and each of these places holds one of its values.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Statuses; any status where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<u16>,
    /// What stands where in the JSON of the body: places as JSON pointers (RFC 6901).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub json: BTreeMap<String, Vec<Scalar>>,
}

impl Condition {
    fn holds(&self, status: u16, body: Option<&Json>) -> bool {
        let there = |pointer: &str| body.and_then(|body| body.pointer(pointer)).and_then(scalar);
        let status_fits = self.status.is_empty() || self.status.contains(&status);
        status_fits && self.json.iter().all(|(pointer, values)| there(pointer).is_some_and(|value| values.contains(&value)))
    }
}

/// What an answer can mean.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Meaning {
    /// The key stands so, for good.
    State(Definite),
    /// Whoever was asked to look has looked, and found nothing. It proves nothing.
    Absent,
}

impl Meaning {
    pub(super) fn from_name(name: &str) -> Option<Self> {
        if name == "absent" { Some(Self::Absent) } else { Definite::from_name(name).map(Self::State) }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::State(state) => state.name(),
            Self::Absent => "absent",
        }
    }
}

/// How the answers of one operation are read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Reading {
    pub(super) states: Vec<(Meaning, Condition)>,
    /// What is kept: name and place.
    pub(super) keep: BTreeMap<String, String>,
    /// The state in which it is kept.
    pub(super) kept_in: Option<Definite>,
    /// Where the reason stands.
    pub(super) detail: Option<String>,
}

impl Reading {
    /// What `received` means. What fits no state, or more than one, proves nothing.
    pub(super) fn read(&self, received: Received<'_>, secrets: &Secrets) -> Reply {
        let status = received.status;
        let unknown = |seen: String| Reply::meaningless(status, seen, received.retry_after);
        let Some(body) = received.body else {
            return unknown(format!("{status} with a body of more than {MAX_ANSWER_BYTES} bytes"));
        };
        let body: Option<Json> = serde_json::from_slice(body).ok();
        let mut fits = self.states.iter().filter(|(_, condition)| condition.holds(status, body.as_ref()));
        let state = match (fits.next(), fits.next()) {
            (Some((Meaning::State(state), _)), None) => *state,
            (Some((Meaning::Absent, _)), None) => {
                let seen = format!("{status} that means absent, which proves nothing");
                return Reply::Absent { seen, retry_after: received.retry_after };
            }
            (None, _) => return unknown(format!("{status} that means nothing that the flow describes")),
            (Some((one, _)), Some((other, _))) => {
                return unknown(format!("{status} that means {} and {} at once", one.name(), other.name()));
            }
        };
        let at = |pointer: &str| body.as_ref().and_then(|body| body.pointer(pointer)).and_then(scalar);
        let mut kept = BTreeMap::new();
        if self.kept_in == Some(state) {
            for (name, pointer) in &self.keep {
                let means = || format!("{status} that means {}", state.name());
                let Some(value) = at(pointer).filter(can_be_kept) else {
                    return unknown(format!("{} but brings no {name} that can be kept", means()));
                };
                if repeats_a_secret(&value, secrets) {
                    return unknown(format!("{} but its {name} repeats a secret, which is not kept", means()));
                }
                kept.insert(name.clone(), value);
            }
        }
        let detail = self.detail.as_deref().filter(|_| state != Definite::Done).and_then(at).map(|detail| detail.to_string());
        let detail = detail
            .map(|detail| shorten(&detail).to_owned())
            .filter(|detail| !secrets.are_in(detail) && !has_card_number(detail) && !detail.chars().any(char::is_control));
        Reply::Definite { answer: Answer::State(state), receipt: Receipt { detail, kept, ..Receipt::default() } }
    }
}

/// A value without parts; numbers that are not whole are none.
fn scalar(value: &Json) -> Option<Scalar> {
    match value {
        Json::Bool(value) => Some(Scalar::Bool(*value)),
        Json::Number(number) => number.as_i64().map(Scalar::Integer),
        Json::String(text) => Some(Scalar::Text(text.clone())),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// Whether it can be used later, wherever that may be: a part of a path can be neither empty nor one of those that lead elsewhere.
fn can_be_kept(value: &Scalar) -> bool {
    match value {
        Scalar::Bool(_) | Scalar::Integer(_) => true,
        Scalar::Text(text) => {
            (1..=MAX_KEPT).contains(&text.len()) && !text.chars().any(char::is_control) && !leads_elsewhere(text)
        }
    }
}

/// Whether it gives a secret away. A number that is as short as a secret may be the same by chance.
fn repeats_a_secret(value: &Scalar, secrets: &Secrets) -> bool {
    match value {
        Scalar::Bool(_) => false,
        Scalar::Integer(number) => {
            let text = number.to_string();
            text.len() >= LONG_SECRET && secrets.are_told_by(&text)
        }
        Scalar::Text(text) => secrets.are_told_by(text),
    }
}
