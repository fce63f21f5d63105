//! The `Idempotency-Key` of a request, and the id of the saga whose order names none.

use axum::http::HeaderMap;
use data_encoding::BASE32_NOPAD;
use sha2::{Digest as _, Sha256};

use crate::problem::{self, Problem};

/// The header of the IETF draft "The Idempotency-Key HTTP Header Field".
pub(crate) const NAME: &str = "idempotency-key";
/// Marks an answer to an order that was acknowledged before.
pub(crate) const REPLAYED: &str = "idempotency-replayed";

const MOST_CHARACTERS: usize = 255;

/// A key, without the quotes it may have come in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The key of a request.
    ///
    /// # Errors
    /// It is missing, there twice, or not 1 to 255 printable ASCII characters, bare or in double quotes.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut values = headers.get_all(NAME).iter();
        let Some(value) = values.next() else {
            return Err(Problem::new(problem::KEY_MISSING, "the header Idempotency-Key is missing"));
        };
        let malformed = |why| Problem::new(problem::KEY_MALFORMED, why);
        if values.next().is_some() {
            return Err(malformed("the header Idempotency-Key is there more than once"));
        }
        Self::parse(value.as_bytes()).map_err(malformed)
    }

    fn parse(value: &[u8]) -> Result<Self, &'static str> {
        let value = value.trim_ascii();
        if !value.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') {
            return Err("the key has a character that is not printable ASCII");
        }
        let text = String::from_utf8_lossy(value);
        let key = if text.starts_with('"') { unquote(&text)? } else { text.into_owned() };
        match key.len() {
            0 => Err("the key is empty"),
            1..=MOST_CHARACTERS => Ok(Self(key)),
            _ => Err("the key has more than 255 characters"),
        }
    }

    /// The key as that of an order of this flow: two flows whose callers draw the same key do not meet. No name of a flow has a
    /// slash in it.
    pub(crate) fn of_flow(&self, flow: &str) -> String {
        format!("{flow}/{}", self.0)
    }

    /// The id of a saga that was placed with this key and names no id: `k-` and 256 bits of the key's hash. It is the same whatever
    /// the flow, since callers have kept it from when there was one.
    pub(crate) fn saga_id(&self) -> String {
        format!("k-{}", BASE32_NOPAD.encode(&Sha256::digest(self.0.as_bytes())).to_ascii_lowercase())
    }
}

/// A string of structured fields (RFC 9651): in double quotes, with `\"` and `\\`.
fn unquote(text: &str) -> Result<String, &'static str> {
    const UNENDED: &str = "the key begins with a quote and does not end with one";
    let mut key = String::with_capacity(text.len());
    let mut characters = text[1..].chars();
    loop {
        match characters.next().ok_or(UNENDED)? {
            '"' => break,
            '\\' => match characters.next().ok_or(UNENDED)? {
                escaped @ ('"' | '\\') => key.push(escaped),
                _ => return Err("in quotes only a quote and a backslash may follow a backslash"),
            },
            character => key.push(character),
        }
    }
    // Parameters may follow a structured field; this one has none that mean anything.
    match characters.as_str().trim_start() {
        "" => Ok(key),
        rest if rest.starts_with(';') => Ok(key),
        _ => Err("something follows the closing quote of the key"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &str, expected: Option<&str>) {
        let key = IdempotencyKey::parse(value.as_bytes()).ok().map(|key| key.0);
        assert_eq!(key.as_deref(), expected, "{value}");
    }

    #[test]
    fn a_key_is_bare_or_quoted_and_the_same_either_way() {
        check("8e03978e-40d5", Some("8e03978e-40d5"));
        check("\"8e03978e-40d5\"", Some("8e03978e-40d5"));
        check("\"a \\\"b\\\" \\\\\"", Some("a \"b\" \\"));
        check("\"a\";version=1", Some("a"));
        check(&"x".repeat(255), Some(&"x".repeat(255)));
        check(&format!("\"{}\"", "x".repeat(255)), Some(&"x".repeat(255)));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        check("", None);
        check("\"\"", None);
        check("\"a", None);
        check("\"a\" b", None);
        check("\"a\\b\"", None);
        check("a\u{e9}", None);
        check("a\tb", None);
        check(&"x".repeat(256), None);
    }

    /// Callers have kept it, and a repetition has to come to the same saga.
    #[test]
    fn the_id_of_a_key_is_the_same_for_ever() {
        let id = IdempotencyKey("8e03978e-40d5".into()).saga_id();
        assert_eq!(id, "k-lr3xnfynjkuaw5p7mg22desl3wfmo4dphcqxa4yac6bv6zqwf7oa");
    }
}
