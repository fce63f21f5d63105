//! What the coordinator is told and what it wants delivered.

use crate::register::{Answer, Definite};

/// The operations on a key that change something, in their order: once a later one was asked for, an earlier one never is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Operation {
    /// Do it, once.
    Act,
    /// If it was not done, it never will be.
    Close,
    /// If it was done, undo it; if not, it never will be.
    Undo,
}

impl Operation {
    /// The word for it on the wire and on the screen.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Act => "act",
            Self::Close => "close",
            Self::Undo => "undo",
        }
    }

    /// The operation that [`name`](Self::name) gave this word to, if any did.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Act, Self::Close, Self::Undo].into_iter().find(|operation| operation.name() == name)
    }
}

/// What the coordinator wants delivered: one operation on the key of one step.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Command {
    /// The step, counted from 0 in the plan's order.
    pub step: usize,
    /// The operation on its key.
    pub operation: Operation,
}

/// What the coordinator is told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Told {
    /// A definite answer to one of its commands. What is not definite is not told at all.
    Answer {
        /// The command that was answered.
        to: Command,
        /// What the participant said.
        answer: Answer,
    },
    /// Somebody who may do so asks for the saga to end in *neither*, if it still can.
    Cancel,
}

/// How a saga ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Outcome {
    /// *Both*: every step is done.
    Completed,
    /// *Neither*: no step is done for good, and none ever will be.
    Cancelled,
}

impl Outcome {
    /// The word for it on the wire and on the screen, the same as that of the standing it leads to.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// An answer that cannot be true together with what is known: a participant broke its contract, or the key is not ours.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Evidence {
    /// The command that was answered.
    pub to: Command,
    /// What was known of the key before.
    pub known: Option<Definite>,
    /// What the participant said.
    pub answer: Answer,
}
