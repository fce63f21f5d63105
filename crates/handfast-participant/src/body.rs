//! The body of an act: its bytes decide who it is, its JSON what it asks for.

use std::fmt;
use std::str::FromStr;

use serde::de::IgnoredAny;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// The largest body of an act, in bytes.
pub const BODY_LIMIT_BYTES: usize = 64 * 1024;

/// The SHA-256 of a body's bytes, exactly as they were sent. On the wire 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BodyHash([u8; 32]);

impl BodyHash {
    /// The hash of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for BodyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A text that is no [`BodyHash`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a body's hash is its SHA-256 in 64 hexadecimal digits")]
pub struct BodyHashError;

impl FromStr for BodyHash {
    type Err = BodyHashError;

    fn from_str(text: &str) -> Result<Self, BodyHashError> {
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(BodyHashError);
        }
        let mut hash = [0; 32];
        for (index, byte) in hash.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).map_err(|_| BodyHashError)?;
        }
        Ok(Self(hash))
    }
}

/// A body that is valid JSON. Whether a service can make anything of it is the service's to say.
#[derive(Clone, PartialEq, Debug)]
pub struct Body {
    hash: BodyHash,
    value: Option<Value>,
}

/// Bytes that are no JSON: not a request of the contract, and no reason to settle a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the body is not valid JSON")]
pub struct NotJson;

impl Body {
    /// Reads the bytes of a body.
    ///
    /// # Errors
    /// [`NotJson`] when they are not valid JSON. Valid JSON that cannot be held (a number beyond 64 bits of floating
    /// point, nesting deeper than 128, half a surrogate pair) is a body all the same, which every service refuses.
    pub fn parse(bytes: &[u8]) -> Result<Self, NotJson> {
        let hash = BodyHash::of(bytes);
        let text = std::str::from_utf8(bytes).map_err(|_| NotJson)?;
        match serde_json::from_str(text) {
            Ok(value) => Ok(Self { hash, value: Some(value) }),
            // Skipping a value checks its syntax and nothing else.
            Err(_) if serde_json::from_str::<IgnoredAny>(text).is_ok() => Ok(Self { hash, value: None }),
            Err(_) => Err(NotJson),
        }
    }

    /// The hash of its bytes.
    #[must_use]
    pub const fn hash(&self) -> BodyHash {
        self.hash
    }

    /// What it says, unless that is valid JSON which cannot be held.
    #[must_use]
    pub const fn value(&self) -> Option<&Value> {
        self.value.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_the_bytes_and_reads_back() {
        let hash = BodyHash::of(b"abc");
        assert_eq!(hash.to_string(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(hash.to_string().to_uppercase().parse(), Ok(hash));
        for bad in ["", "ba78", &"g".repeat(64), &"é".repeat(32), &format!("+{}", "a".repeat(63))] {
            assert_eq!(bad.parse::<BodyHash>(), Err(BodyHashError), "{bad:?}");
        }
    }

    #[test]
    fn valid_json_that_cannot_be_held_is_a_body_and_broken_json_is_none() {
        let deep = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
        for unreadable in ["1e999", deep.as_str(), r#""\ud800""#] {
            assert!(Body::parse(unreadable.as_bytes()).is_ok_and(|body| body.value().is_none()), "{unreadable:.20}");
        }
        assert!(Body::parse(b"null").is_ok_and(|body| body.value().is_some()));
        for broken in [&b""[..], b"{", b"{}{}", b"\"\xff\"", b"01"] {
            assert_eq!(Body::parse(broken), Err(NotJson), "{broken:?}");
        }
    }
}
