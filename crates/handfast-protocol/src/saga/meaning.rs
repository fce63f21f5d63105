//! What the answers of a participant can mean, and a set of such meanings.

use super::message::{Operation, UndoTold};
use crate::register::Definite;

/// What an answer can mean.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Meaning {
    /// The key stands so, for good.
    State(Definite),
    /// Whoever was asked to look has looked, and found nothing. It proves nothing.
    Absent,
    /// An undo was accepted, and is not done yet.
    Accepted,
    /// An undo has failed for good.
    Failed,
}

impl Meaning {
    /// Every meaning.
    pub const ALL: [Self; 7] = [
        Self::State(Definite::Done),
        Self::State(Definite::Refused),
        Self::State(Definite::Closed),
        Self::State(Definite::Undone),
        Self::Absent,
        Self::Accepted,
        Self::Failed,
    ];

    /// The word for it in a flow and on the screen.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::State(state) => state.name(),
            Self::Absent => "absent",
            Self::Accepted => UndoTold::Accepted.name(),
            Self::Failed => UndoTold::Failed.name(),
        }
    }

    /// The meaning that [`name`](Self::name) gave this word to, if any did.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|meaning| meaning.name() == name)
    }

    const fn number(self) -> u32 {
        match self {
            Self::State(Definite::Done) => 0,
            Self::State(Definite::Refused) => 1,
            Self::State(Definite::Closed) => 2,
            Self::State(Definite::Undone) => 3,
            Self::Absent => 4,
            Self::Accepted => 5,
            Self::Failed => 6,
        }
    }
}

/// A set of meanings, each of the answers to one operation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Meanings(u32);

impl Meanings {
    /// None of them.
    pub const NONE: Self = Self(0);

    /// The same, and this meaning of the answers to this operation.
    #[must_use]
    pub const fn with(self, operation: Operation, meaning: Meaning) -> Self {
        Self(self.0 | Self::bit(operation, meaning))
    }

    /// Whether this meaning of the answers to this operation is among them.
    #[must_use]
    pub const fn has(self, operation: Operation, meaning: Meaning) -> bool {
        self.0 & Self::bit(operation, meaning) != 0
    }

    /// Every one of them, by operation.
    pub fn iter(self) -> impl Iterator<Item = (Operation, Meaning)> {
        let all = Operation::ALL.into_iter().flat_map(|operation| Meaning::ALL.map(|meaning| (operation, meaning)));
        all.filter(move |(operation, meaning)| self.has(*operation, *meaning))
    }

    const fn bit(operation: Operation, meaning: Meaning) -> u32 {
        let first = match operation {
            Operation::Act => 0,
            Operation::Look => 7,
            Operation::Close => 14,
            Operation::Undo => 21,
        };
        1 << (first + meaning.number())
    }
}
