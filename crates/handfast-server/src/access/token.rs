//! A token: the secret that a caller sends, and what a file keeps instead of it.

use std::fmt;
use std::io;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};
use handfast::journal::hex;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

/// With what every token begins, so that people and programs that look for secrets know one.
const PREFIX: &str = "handfast_";
/// Drawn bytes of a token. They cannot be guessed, which is why one round of SHA-256 is enough to keep it by.
const BYTES: usize = 32;
/// The longest text that is looked at as a token.
const LONGEST: usize = 256;

/// What a caller sends. It is shown once, when it is drawn, and never printed by `Debug`.
pub struct Secret(String);

impl Secret {
    /// Draws one.
    ///
    /// # Errors
    /// The system has no randomness to give.
    pub fn draw() -> io::Result<Self> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        Ok(Self(format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&bytes))))
    }

    /// The text of the token, which is to be shown once.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What a file keeps of it.
    #[must_use]
    pub fn hash(&self) -> Hash {
        Hash::of(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// The SHA-256 of a token.
#[derive(Clone, Copy, Debug)]
pub struct Hash([u8; 32]);

impl Hash {
    /// The hash of what a caller has sent.
    #[must_use]
    pub fn of(sent: &str) -> Self {
        Self(Sha256::digest(sent.as_bytes()).into())
    }

    /// Reads it as 64 hexadecimal digits.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?.try_into().ok().map(Self)
    }

    /// Whether two are the same, in a time that does not tell where they differ.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.compared(other).into()
    }

    /// The same, as a value that is not branched on.
    pub(super) fn compared(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// The token in a header `Authorization: Bearer ..` (RFC 6750, 2.1); the scheme's case does not matter.
pub(super) fn of_header(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim_matches(' ');
    // What does not begin so was never drawn, and could be guessed.
    let is_one = token.starts_with(PREFIX) && token.len() <= LONGEST && token.bytes().all(|byte| byte.is_ascii_graphic());
    (scheme.eq_ignore_ascii_case("bearer") && is_one).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_token_is_another_and_is_known_by_its_hash() {
        let (one, other) = (Secret::draw().unwrap(), Secret::draw().unwrap());
        assert!(one.as_str().starts_with("handfast_") && one.as_str().len() == "handfast_".len() + 43);
        assert_ne!(one.as_str(), other.as_str());
        assert!(one.hash().is(&Hash::of(one.as_str())));
        assert!(!one.hash().is(&other.hash()));
        assert_eq!(format!("{one:?}"), "Secret(..)");
        let read = Hash::from_hex(&one.hash().to_string()).unwrap();
        assert!(read.is(&one.hash()));
        for wrong in ["", "ab", &"g".repeat(64), &"a".repeat(63), &"a".repeat(66)] {
            assert!(Hash::from_hex(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_token_is_read_from_its_header() {
        for (header, token) in [
            ("Bearer handfast_abc", Some("handfast_abc")),
            ("bearer  handfast_abc ", Some("handfast_abc")),
            ("Basic handfast_abc", None),
            ("Bearer test", None),
            ("Bearer", None),
            ("Bearer ", None),
            ("Bearer handfast_a b", None),
            ("Bearer handfast_\u{e9}", None),
            ("handfast_abc", None),
        ] {
            assert_eq!(of_header(header), token, "{header:?}");
        }
        assert_eq!(of_header(&format!("Bearer handfast_{}", "a".repeat(257))), None);
    }
}
