//! The headers of the contract, read strictly: a header that says nothing sensible is an error, not an absence.

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use handfast_protocol::Time;

use super::problem::{self, Problem};
use crate::body::BodyHash;
use crate::key::{Position, PositionError, Seen, SeenError};

const NOT_AFTER: &str = "handfast-not-after";
const SEEN: &str = "handfast-seen";
const SEEN_CHANGES: &str = "handfast-seen-changes";
const BODY: &str = "handfast-body";

/// Turns away every body that does not say it is JSON.
pub(super) fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let said = single(headers, CONTENT_TYPE.as_str())?.unwrap_or_default();
    let media_type = said.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(Problem::new(problem::MEDIA_TYPE, "the body of an act is `Content-Type: application/json`"))
    }
}

/// The time after which an act must not take effect any more.
pub(super) fn not_after(headers: &HeaderMap) -> Result<Option<Time>, Problem> {
    let Some(text) = single(headers, NOT_AFTER)? else { return Ok(None) };
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let time = text.parse().ok().filter(|_| digits).map(Time);
    time.map(Some).ok_or_else(|| invalid("Handfast-Not-After is a number of milliseconds since the Unix epoch"))
}

/// What the sender has seen of this store's history: the furthest point, and changes that only the same history can confirm.
pub(super) fn seen(headers: &HeaderMap) -> Result<Option<Seen>, Problem> {
    let changes = single(headers, SEEN_CHANGES)?
        .map_or(Ok(Vec::new()), Seen::parse_changes)
        .map_err(|error: SeenError| invalid(format!("Handfast-Seen-Changes: {error}")))?;
    let Some(text) = single(headers, SEEN)? else {
        return if changes.is_empty() { Ok(None) } else { Err(invalid("Handfast-Seen-Changes goes with Handfast-Seen")) };
    };
    let position: Position = text.parse().map_err(|error: PositionError| invalid(format!("Handfast-Seen: {error}")))?;
    Ok(Some(Seen { position, changes }))
}

/// The hash of the body that the sender believes the key to stand for.
pub(super) fn body_hash(headers: &HeaderMap) -> Result<Option<BodyHash>, Problem> {
    let Some(text) = single(headers, BODY)? else { return Ok(None) };
    text.parse().map(Some).map_err(|error: crate::body::BodyHashError| invalid(format!("Handfast-Body: {error}")))
}

fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(invalid(format!("the header {name} is given more than once")));
    }
    first
        .map(|value| value.to_str().map(str::trim).map_err(|_| invalid(format!("the header {name} is not plain text"))))
        .transpose()
}

fn invalid(detail: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    Problem::new(problem::HEADER_INVALID, detail)
}
