//! The books of a service, as it tells them.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use anyhow::{Context as _, Result};
use serde_json::Value;

/// What `GET /audit` says.
///
/// # Errors
/// It cannot be reached, or says no JSON.
pub(super) fn audit(address: &str) -> Result<Value> {
    ask(address, "GET", "/audit", None, "")
}

/// One request with a form, if it has any, and a key, if it wants one, and what its answer says in JSON.
///
/// # Errors
/// It cannot be reached, or says no JSON.
pub(super) fn ask(address: &str, method: &str, path: &str, key: Option<&str>, form: &str) -> Result<Value> {
    let place = address.trim_start_matches("http://");
    let mut stream = TcpStream::connect(place).with_context(|| format!("{address} cannot be reached"))?;
    let key = key.map(|key| format!("Authorization: Bearer {key}\r\n")).unwrap_or_default();
    let length = if form.is_empty() {
        String::new()
    } else {
        format!("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n", form.len())
    };
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: {place}\r\nConnection: close\r\n{key}{length}\r\n{form}")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (_, body) = answer.split_once("\r\n\r\n").context("the books are no answer")?;
    serde_json::from_str(body).context("the books are not JSON")
}
