//! The books of a service, as it tells them.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use anyhow::{Context as _, Result};
use serde_json::Value;

/// What `GET /audit` says.
pub(super) fn audit(address: &str) -> Result<Value> {
    let place = address.trim_start_matches("http://");
    let mut stream = TcpStream::connect(place).with_context(|| format!("{address} cannot be reached"))?;
    write!(stream, "GET /audit HTTP/1.1\r\nHost: {place}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (_, body) = answer.split_once("\r\n\r\n").context("the books are no answer")?;
    serde_json::from_str(body).context("the books are not JSON")
}
