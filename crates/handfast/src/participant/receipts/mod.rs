//! What an HTTP answer proves: a pure function from status and body to a reply.
//!
//! A status alone proves nothing, since proxies, frameworks and rate limiters use the same numbers. An answer is definite
//! only if its body is a receipt for this key and this body, and agrees with the status:
//!
//! | to | status | the receipt says | reply |
//! | --- | --- | --- | --- |
//! | act | 200 | done | done |
//! | act | 409 | refused | refused |
//! | act | 410 | closed or undone, whatever the body | that |
//! | close, undo | 200 | done, refused, closed or undone | that |
//! | any | 200, 409, 422 | done, refused or undone, with another body's hash | another body |
//! | any | 412 | behind | behind |
//! | look | 404 | absent | absent |
//! | any | anything else | | unknown |

use std::borrow::Cow;
use std::collections::BTreeMap;

use handfast_protocol::{Answer, Definite, Operation, Time};
use serde::Deserialize;

use super::cleaned::shorten;
use super::{ABSENT, Delivery, Receipt, Reply, json};

/// The longest answer that is read, in bytes. A longer one proves nothing.
pub const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// How much of a word that was not understood is repeated, in bytes.
const MAX_WORD: usize = 200;

/// An answer as it came over HTTP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Received<'a> {
    /// The status.
    pub status: u16,
    /// The body, or `None` if it was longer than [`MAX_ANSWER_BYTES`].
    pub body: Option<&'a [u8]>,
    /// How long the participant wants to be left alone.
    pub retry_after: Option<std::time::Duration>,
}

/// The wire's shape of a receipt. Fields that a later version may add are no reason to doubt it.
#[derive(Deserialize)]
struct Shape<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow)]
    state: Cow<'a, str>,
    #[serde(borrow, default)]
    body_hash: Option<Cow<'a, str>>,
    seq: u64,
    #[serde(borrow)]
    incarnation: Cow<'a, str>,
    #[serde(borrow, default)]
    mark: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    opening: Option<Cow<'a, str>>,
    #[serde(default)]
    at: Option<u64>,
    #[serde(borrow, default)]
    detail: Option<Cow<'a, str>>,
}

/// Whose effect a receipt speaks of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Body {
    Nobodys,
    Ours,
    Anothers,
}

/// What `received` says about `request`.
#[must_use]
pub fn read_answer(request: &Delivery<'_>, received: Received<'_>) -> Reply {
    let status = received.status;
    let unknown = |seen: String| Reply::meaningless(status, seen, received.retry_after);
    let Some(body) = received.body else {
        return unknown(format!("{status} with a body of more than {MAX_ANSWER_BYTES} bytes"));
    };
    let json = json::read(body);
    let Some(shape) = json.as_ref().and_then(|json| Shape::deserialize(json).ok()) else {
        return unknown(format!("{status} without a receipt"));
    };
    if shape.key != request.key {
        return unknown(format!("{status} with a receipt for another key"));
    }
    if !is_incarnation(&shape.incarnation) {
        return unknown(format!("{status} with {:?} in the place of an incarnation", shorten(&shape.incarnation, MAX_WORD)));
    }
    if status == 412 && shape.state == "behind" {
        return Reply::Behind { seq: shape.seq, incarnation: shape.incarnation.into_owned() };
    }
    if request.operation == Operation::Look && status == 404 && shape.state == "absent" {
        // It carries no mark, so all that it can prove is which life says so.
        if request.seen.is_some_and(|seen| seen.incarnation != shape.incarnation) {
            return Reply::Behind { seq: shape.seq, incarnation: shape.incarnation.into_owned() };
        }
        let seen = format!("404 {ABSENT}");
        return Reply::Absent { seen, retry_after: received.retry_after };
    }
    let Some(state) = Definite::from_name(&shape.state) else {
        return unknown(format!("{status} with state {:?}", shorten(&shape.state, MAX_WORD)));
    };
    let whose = match shape.body_hash.as_deref() {
        None => Body::Nobodys,
        Some(hash) if hash.eq_ignore_ascii_case(request.body_hash) => Body::Ours,
        Some(hash) if is_hash(hash) => Body::Anothers,
        Some(hash) => return unknown(format!("{status} with {:?} in the place of a hash", shorten(hash, MAX_WORD))),
    };
    if let Some(drawn) = [&shape.mark, &shape.opening].into_iter().flatten().find(|text| !is_mark(text)) {
        return unknown(format!("{status} with {:?} in the place of a mark", shorten(drawn, MAX_WORD)));
    }
    match judge(request.operation, status, state, whose) {
        Some(answer) => Reply::Definite { answer, receipt: receipt(shape) },
        None => unknown(format!("{status} with a receipt that says {}", state.name())),
    }
}

/// The table of the module's documentation: the only place where an answer becomes definite.
fn judge(operation: Operation, status: u16, state: Definite, whose: Body) -> Option<Answer> {
    let is_act = operation == Operation::Act;
    let agrees = match state {
        Definite::Done => status == 200,
        Definite::Refused => status == if is_act { 409 } else { 200 },
        Definite::Closed | Definite::Undone => status == if is_act { 410 } else { 200 },
    };
    match (state, whose) {
        (Definite::Closed, _) if agrees => Some(Answer::State(state)),
        (Definite::Undone, _) if agrees && is_act => Some(Answer::State(state)),
        (Definite::Closed, _) => None,
        (Definite::Done | Definite::Refused | Definite::Undone, Body::Anothers) if agrees || status == 422 => {
            Some(Answer::OtherBody)
        }
        (Definite::Done | Definite::Refused | Definite::Undone, Body::Ours) if agrees => Some(Answer::State(state)),
        (Definite::Undone, Body::Nobodys) if agrees => Some(Answer::State(state)),
        (Definite::Done | Definite::Refused | Definite::Undone, Body::Nobodys | Body::Ours | Body::Anothers) => None,
    }
}

fn receipt(shape: Shape<'_>) -> Receipt {
    Receipt {
        seq: Some(shape.seq),
        incarnation: Some(shape.incarnation.into_owned()),
        mark: shape.mark.map(Cow::into_owned),
        opening: shape.opening.map(Cow::into_owned),
        at: shape.at.map(Time),
        detail: shape.detail.map(Cow::into_owned),
        kept: BTreeMap::new(),
    }
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What a request can name in a header, before a colon and a number.
fn is_incarnation(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What can be named in a header as it is.
fn is_mark(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte))
}

#[cfg(test)]
mod tests;
