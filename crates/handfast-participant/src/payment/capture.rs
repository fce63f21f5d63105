//! Captures: an act that takes for good what another key holds.

use handfast_protocol::Time;
use rusqlite::{Connection, OptionalExtension as _};
use serde_json::Value;

use crate::key::Key;
use crate::service::{Acted, ServiceError};

/// The key that holds what is to be captured, if the body is that of a capture: a whole key, or the name of another step
/// of the same saga, whose key differs from this one in its last part. The error is the refusal's detail.
pub(super) fn hold(key: &Key, body: &Value) -> Option<Result<Key, &'static str>> {
    let hold = body.get("hold")?;
    let Some(name) = hold.as_str() else { return Some(Err("hold_unusable")) };
    let whole = match key.as_str().rsplit_once('.') {
        Some((saga, _step)) if !name.contains('.') => format!("{saga}.{name}"),
        Some(_) | None => name.to_owned(),
    };
    Some(whole.parse().map_err(|_| "hold_unusable"))
}

/// Captures what `hold` holds, once.
pub(super) fn capture(transaction: &Connection, key: &Key, hold: &Key, now: Time) -> Result<Acted, ServiceError> {
    let state: Option<String> = transaction
        .prepare_cached("SELECT state FROM register JOIN charge USING (key) WHERE key = ?1")?
        .query_row([hold.as_str()], |row| row.get(0))
        .optional()?;
    match state.as_deref() {
        None => return Ok(Acted::refused("hold_unknown")),
        Some("done") => {}
        Some(_) => return Ok(Acted::refused("hold_lapsed")),
    }
    let at = i64::try_from(now.0)?;
    let written = transaction.prepare_cached("INSERT OR IGNORE INTO capture (key, hold, at) VALUES (?1, ?2, ?3)")?.execute((
        key.as_str(),
        hold.as_str(),
        at,
    ))?;
    Ok(if written == 1 { Acted::Done } else { Acted::refused("hold_captured") })
}

/// Whether this key holds what has been captured, or is itself a capture.
pub(super) fn is_lasting(transaction: &Connection, key: &Key) -> Result<bool, ServiceError> {
    let mut found = transaction.prepare_cached("SELECT 1 FROM capture WHERE key = ?1 OR hold = ?1")?;
    Ok(found.exists([key.as_str()])?)
}
