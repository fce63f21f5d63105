//! What the coordinator is told and what it wants delivered.

use super::due::DueAt;
use super::person::Ruling;
use crate::party::Time;
use crate::register::{Answer, Definite};

/// The operations on a key, in their order: once a later one was asked for, an earlier one never is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Operation {
    /// Do it, once.
    Act,
    /// Has it happened? It changes nothing, and only what is there proves anything: not found is not not-done. It is
    /// asked of those alone who may not be asked to act again.
    Look,
    /// If it was not done, it never will be.
    Close,
    /// If it was done, undo it; if not, it never will be.
    Undo,
}

impl Operation {
    /// Every operation, in order.
    pub const ALL: [Self; 4] = [Self::Act, Self::Look, Self::Close, Self::Undo];

    /// The word for it on the wire and on the screen.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Act => "act",
            Self::Look => "look",
            Self::Close => "close",
            Self::Undo => "undo",
        }
    }

    /// The operation that [`name`](Self::name) gave this word to, if any did.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.name() == name)
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
    /// A person has accepted that the participant of a step was put back to an older copy of its store, and nothing that it
    /// answered in its former life is evidence any more.
    Forgotten {
        /// The step.
        step: usize,
    },
    /// A step's key was asked for at one address, and its service is called at another from now on, of which nobody has said that
    /// it keeps the same books. Told *before* anything leaves for the new one; see the table in `moved.rs`.
    Moved {
        /// The step.
        step: usize,
        /// Whoever answers there can be asked whether the key is known.
        can_be_looked_at: bool,
        /// The journal came back from a backup, so that the key counts as asked for though the journal does not know it.
        came_back: bool,
    },
    /// Whoever is asked for a step's key now keeps the books of whoever was asked before: a person has said so, or it is the same
    /// address again and nothing was asked for at any other.
    SameBooks {
        /// The step.
        step: usize,
    },
    /// Somebody who may do so asks for the saga to end in *neither*, if it still can.
    Cancel,
    /// Whoever was asked to look has looked, and this is what was there: for as long as nothing else may be on the road that is
    /// no evidence, so it says when it left. What an answer proves by itself is told as an [`Answer`](Self::Answer) before.
    /// Means nothing to a saga of version 1.
    Looked {
        /// The step.
        step: usize,
        /// What was there; `None` for an answer that says that nothing was.
        found: Option<Definite>,
        /// When the request left, by the clock of whoever sent it.
        left: Time,
    },
    /// A person says something about a saga that cannot go on by itself.
    Ruled(Ruling),
    /// An undo may leave only once and is about to, was accepted and is under way, or has failed. Means nothing to a saga of version 1.
    Undo {
        /// The step.
        step: usize,
        /// Which of these.
        told: UndoTold,
    },
    /// The act of a step that may be sent once only is on its way out. Told *before* it leaves, so that it never leaves
    /// twice: after a crash in between nobody knows whether it left, and it is looked for instead.
    Sent {
        /// The step.
        step: usize,
    },
    /// One thing that is due after a time has come, and nothing else has: somebody has set a clock, and whoever drives the saga
    /// knows which of the clocks counts for what. Where everything whose time has passed has come a time-out says so.
    Due(DueAt),
    /// An answer about a step's key fits what was asked for but for a value that it was compared with.
    Differs {
        /// The step.
        step: usize,
        /// Something is in effect under the key, and it is not what was asked for. Otherwise the answer is about something
        /// else, and says nothing of the key.
        in_effect: bool,
    },
}

/// What there is to say of an undo that is not done yet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum UndoTold {
    /// It may leave only once, and is on its way out. Told *before* it leaves, so that it never leaves twice.
    Sent,
    /// It will be undone, or the attempt will fail: nothing is undone yet.
    Accepted,
    /// The attempt has failed for good, and what was done is still there.
    Failed,
}

impl UndoTold {
    /// Every one of them.
    pub const ALL: [Self; 3] = [Self::Sent, Self::Accepted, Self::Failed];

    /// The word for it in a flow file, in a journal and on the screen.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Accepted => "accepted",
            Self::Failed => "failed",
        }
    }

    /// What [`name`](Self::name) gave this word to, if anything.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|told| told.name() == name)
    }
}

/// How a saga ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Outcome {
    /// *Both*: every step is done.
    Completed,
    /// *Neither*: no step is done for good, and none ever will be.
    Cancelled,
    /// A person waits for nobody any longer: nobody has made sure of either.
    Settled,
}

impl Outcome {
    /// The word for it on the wire and on the screen, the same as that of the standing it leads to.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Settled => "settled",
        }
    }
}

/// Why a person has to look at a saga, with what there is to show.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Evidence {
    /// An answer that cannot be true together with what is known: a participant broke its contract, or the key is not ours.
    Contradiction {
        /// The command that was answered.
        to: Command,
        /// What was known of the key before.
        known: Option<Definite>,
        /// What the participant said.
        answer: Answer,
    },
    /// A step is in doubt, and asking again is not safe any more: its participant may have forgotten the key, or nothing
    /// was found of an act that may be sent only once.
    OutOfReach {
        /// The step.
        step: usize,
    },
    /// A step whose refusals do not hold refused to close its key: what is on the road may still take effect. It is looked at
    /// until nothing can be there any more, and the rest is taken back meanwhile.
    RefusedClose {
        /// The step.
        step: usize,
    },
    /// A step that comes after the one which decides refused for good: what cannot be undone was done, and this will not be.
    RefusedForGood {
        /// The step.
        step: usize,
    },
    /// An undo was under way and failed: what was done is still there.
    UndoFailed {
        /// The step.
        step: usize,
    },
    /// A step's key was asked for at another address than it is now, and whoever answers there does not know it, or cannot be asked:
    /// that proves nothing.
    Moved {
        /// The step.
        step: usize,
    },
    /// An effect appeared after the saga had ended without it.
    LateEffect {
        /// The step.
        step: usize,
    },
    /// An answer spoke of other values than were asked for. The saga turns back, and suspends only where there is no way back.
    OtherValues {
        /// The step.
        step: usize,
    },
    /// A look that left after the saga had ended in *both* was answered that there is nothing. It proves nothing, and it is told.
    NotFound {
        /// The step.
        step: usize,
    },
}
