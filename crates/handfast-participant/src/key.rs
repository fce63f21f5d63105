//! What names things in the contract: a key, a store's incarnation, a position in its history.

use std::fmt;
use std::str::FromStr;

use handfast_protocol::{Change, Sighting};
#[cfg(feature = "sqlite")]
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
    /// A new one, which was never seen before.
    #[cfg(feature = "sqlite")]
    pub(crate) fn draw() -> Self {
        Self(Uuid::now_v7().simple().to_string())
    }

    /// One that was stored.
    #[cfg(feature = "sqlite")]
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

/// What one change of a register drew, or one opening of a store: 1 to 64 of the characters of a [`Key`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Mark(String);

impl Mark {
    /// The longest mark, in characters.
    pub const LONGEST: usize = 64;

    /// A new one, which cannot be guessed.
    #[cfg(feature = "sqlite")]
    pub(crate) fn draw() -> Self {
        Self(Uuid::now_v7().simple().to_string())
    }

    /// One that was stored.
    #[cfg(feature = "sqlite")]
    pub(crate) const fn stored(text: String) -> Self {
        Self(text)
    }

    /// The mark as it stands in a receipt.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a request names of a store's history: how far it went, and changes that only the same history can confirm.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
    /// The life of the store, and the highest number that its sender saw.
    pub position: Position,
    /// Changes that its sender saw, by key, number and mark.
    pub changes: Vec<Sighting<Key, Mark>>,
}

/// A text that names no changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "changes are `<key>:<number>:<mark>`, as receipts gave them, with commas between them, and {} at most",
    Seen::MOST_CHANGES
)]
pub struct SeenError;

impl Seen {
    /// At most this many changes are named.
    pub const MOST_CHANGES: usize = 128;

    /// Reads a list of changes, as it stands in a header.
    ///
    /// # Errors
    /// It is none.
    pub fn parse_changes(text: &str) -> Result<Vec<Sighting<Key, Mark>>, SeenError> {
        if text.split(',').count() > Self::MOST_CHANGES {
            return Err(SeenError);
        }
        text.split(',').map(|change| Self::parse_change(change.trim()).ok_or(SeenError)).collect()
    }

    fn parse_change(text: &str) -> Option<Sighting<Key, Mark>> {
        let mut parts = text.split(':');
        let (key, number, mark) = (parts.next()?, parts.next()?, parts.next()?);
        let is_whole = parts.next().is_none() && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let number = number.parse::<i64>().ok().and_then(|number| u64::try_from(number).ok()).filter(|_| is_whole)?;
        let plain = mark.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte));
        let mark = Some(mark).filter(|mark| plain && (1..=Mark::LONGEST).contains(&mark.len()))?;
        Some(Sighting { key: key.parse().ok()?, change: Change { number, mark: Mark(mark.to_owned()) } })
    }
}

/// How far a store's history goes, or how far a caller has seen it. On the wire `<incarnation>:<seq>`.
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
