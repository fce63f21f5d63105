//! What names things in the contract: a key, a store's incarnation, a position in its history.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// The name of one effect: 1 to 200 of the characters `A-Z a-z 0-9 . _ ~ -`, which need no escaping in a path. Not `.` and
/// not `..`, which clients and proxies take for folders.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Key(String);

/// A text that is no [`Key`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a key is 1 to {} characters of A-Z, a-z, 0-9, '.', '_', '~' and '-', and neither '.' nor '..'", Key::LONGEST)]
pub struct KeyError;

impl Key {
    /// The longest key, in characters.
    pub const LONGEST: usize = 200;

    /// The key as it stands in a path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte));
        let folder = text == "." || text == "..";
        if plain && !folder && (1..=Self::LONGEST).contains(&text.len()) { Ok(Self(text.to_owned())) } else { Err(KeyError) }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which life of a store an answer belongs to: drawn when the store is created or declared restored, kept over restarts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Incarnation(String);

impl Incarnation {
    /// A new one, which nobody has seen before.
    pub(crate) fn draw() -> Self {
        Self(Uuid::now_v7().simple().to_string())
    }

    /// One that was stored.
    pub(crate) const fn stored(text: String) -> Self {
        Self(text)
    }

    /// The incarnation as it stands in a receipt.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How far a store's history goes, or how far somebody has seen it. On the wire `<incarnation>:<seq>`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Position {
    /// The life of the store.
    pub incarnation: Incarnation,
    /// The number of changes since the store was created; each change of a register raises it by one.
    pub seq: u64,
}

/// A text that is no [`Position`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a position is `<incarnation>:<seq>`: what the store's own receipts said, the number at most {}", i64::MAX)]
pub struct PositionError;

impl Position {
    /// Whether a store at this position has forgotten something that `seen` proves it once knew.
    #[must_use]
    pub fn is_behind(&self, seen: &Self) -> bool {
        self.incarnation != seen.incarnation || self.seq < seen.seq
    }
}

impl FromStr for Position {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        let (incarnation, seq) = text.split_once(':').ok_or(PositionError)?;
        let named = (1..=64).contains(&incarnation.len()) && incarnation.bytes().all(|byte| byte.is_ascii_graphic());
        let digits = !seq.is_empty() && seq.bytes().all(|byte| byte.is_ascii_digit());
        let seq: i64 = seq.parse().map_err(|_| PositionError)?;
        let seq = u64::try_from(seq).map_err(|_| PositionError)?;
        if named && digits { Ok(Self { incarnation: Incarnation(incarnation.to_owned()), seq }) } else { Err(PositionError) }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.incarnation, self.seq)
    }
}
