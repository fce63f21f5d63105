//! The text form of what a coordinator is told, the digest of what becomes of it, and the replay that checks both.
//!
//! The shapes here are the journal's own and are converted by hand: the protocol's types can change their names, a stored
//! journal cannot. `docs/journal.md` describes the format.

mod v1;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use handfast_protocol::{
    Answer, Command, Coordinator, Definite, DueAt, Guards, Input, Mark, Nature, Operation, PROTOCOL_VERSION, Party, Plan, Ruling,
    Time, Told, UndoTold,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::store::{Digest, Entry};

/// One line of a journal: an input, and what is worth keeping about it for people and for reconciliation.
///
/// Only [`told`](Self::told) decides anything; the rest explains.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Line {
    /// The saga was placed.
    Start,
    /// A deadline had passed.
    Timeout,
    /// One thing that is due had come, and others whose time had passed by some clock had not.
    Due(DueAt),
    /// A caller or a person asked for *neither*.
    Cancel {
        /// Who asked.
        by: Option<String>,
        /// The reason given.
        why: Option<String>,
        /// Of which request it is, where it was asked for so that it is done once: a plan's.
        request_id: Option<String>,
    },
    /// A person said something about a saga that cannot go on by itself.
    Person {
        /// What.
        ruling: Ruling,
        /// Who, why, and in which request.
        said: Said,
    },
    /// The act of a step that is sent once only is about to leave.
    Sent {
        /// The step, counted from 0.
        step: usize,
    },
    /// A look was answered, and when it left makes a difference.
    Looked {
        /// The step, counted from 0.
        step: usize,
        /// What was there; `None` for an answer that says that nothing was.
        found: Option<Definite>,
        /// When the request left.
        left: Time,
    },
    /// A person had accepted that a participant was put back to an older copy of its store: what it had answered about this
    /// step is evidence no more.
    Forgotten {
        /// The step, counted from 0.
        step: usize,
        /// The incarnation that was accepted.
        incarnation: String,
    },
    /// The step's key was asked for at one address, and its service is called at another from now on.
    Moved {
        /// The step, counted from 0.
        step: usize,
        /// The service at the new address can be asked whether it knows the key.
        can_be_looked_at: bool,
        /// The journal came back from a backup, so that the key counts as asked for though the journal does not know it.
        came_back: bool,
    },
    /// The service that is asked about this step now keeps the books of the one that was asked before.
    SameBooks {
        /// The step, counted from 0.
        step: usize,
        /// Who says so; `None` where it is the former address again.
        by: Option<String>,
        /// The reason given.
        why: Option<String>,
    },
    /// An undo may leave only once and is about to, was accepted and is under way, or has failed.
    Undo {
        /// The step, counted from 0.
        step: usize,
        /// Which of these.
        told: UndoTold,
        /// What the answer said beyond that.
        receipt: Receipt,
    },
    /// A participant gave a definite answer.
    Answer {
        /// The command that was answered.
        to: Command,
        /// The answer.
        answer: Answer,
        /// What the receipt said beyond that.
        receipt: Receipt,
    },
    /// An answer fits what was asked for but for a value that it was compared with.
    Differs {
        /// The command that was answered.
        to: Command,
        /// Something is in effect under the key, and it is not what was asked for.
        in_effect: bool,
        /// Where, what was asked for and what stands there, in words.
        what: String,
        /// What was kept of it, to undo what is in effect and to look at it.
        kept: BTreeMap<String, Scalar>,
    },
}

/// Who said something about a saga, why, and in which request: kept for people, and so that no request counts twice.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Said {
    /// Who.
    pub by: String,
    /// The reason given.
    pub reason: String,
    /// Drawn by the client that asked, and sent again with every repetition.
    pub request_id: String,
    /// The number of the last entry that they had seen.
    pub saw: u64,
    /// What shows it: a receipt's number at the bank, a page that was looked at.
    pub evidence: Option<String>,
    /// Of a step that is marked as done: what its answer would have brought and later requests name, as in the id of a charge.
    pub kept: BTreeMap<String, Scalar>,
}

/// What a receipt says beyond the state of the key.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Receipt {
    /// The participant's commit number.
    pub seq: Option<u64>,
    /// Drawn when the participant's store was created or declared restored.
    pub incarnation: Option<String>,
    /// Drawn for the change that `seq` is the number of.
    pub mark: Option<String>,
    /// Drawn when the participant's store was opened. No journal keeps it.
    pub opening: Option<String>,
    /// When the participant's register last changed, by the participant's own clock.
    pub at: Option<Time>,
    /// Why it refused, or anything else it had to say.
    pub detail: Option<String>,
    /// What was kept of the answer for later requests, by name, as in the id of a hold that is to be captured.
    pub kept: BTreeMap<String, Scalar>,
}

/// A value without parts, as JSON has it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Text.
    Text(String),
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Text(value) => f.write_str(value),
        }
    }
}

/// Why a line cannot be written or read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// The saga is pinned to a version of the protocol that this program does not have.
    #[error("it is pinned to version {0} of the protocol, which this handfast does not know; use a newer one")]
    UnknownVersion(u32),
    /// The text is not a line of a journal.
    #[error("its input cannot be read: {0}")]
    Unreadable(String),
}

/// Why a journal does not lead to a state that can be trusted.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// A row is missing or there twice.
    #[error("journal entry {expected} is missing: the next row says {found}")]
    Gap {
        /// The number that should have come.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// A row cannot be read.
    #[error("journal entry {seq}: {error}")]
    Line {
        /// The row.
        seq: u64,
        /// What is wrong with it.
        #[source]
        error: LineError,
    },
    /// The state after a row is not the one that was stored: the row, one before it, or the code was changed.
    #[error("journal entry {seq} leads to another state than when it was written (digest {stored}, now {replayed})", stored = hex(stored), replayed = hex(replayed))]
    Differs {
        /// The first row after which the state differs.
        seq: u64,
        /// The digest in the journal.
        stored: Digest,
        /// The digest of the state that the journal leads to now.
        replayed: Digest,
    },
}

impl Line {
    /// What the coordinator is told by it.
    #[must_use]
    pub const fn told(&self) -> Input<Told> {
        match self {
            Self::Start => Input::Start,
            Self::Timeout => Input::Timeout,
            Self::Due(due) => Input::Receive(Told::Due(*due)),
            Self::Cancel { .. } => Input::Receive(Told::Cancel),
            Self::Person { ruling, .. } => Input::Receive(Told::Ruled(*ruling)),
            Self::Sent { step } => Input::Receive(Told::Sent { step: *step }),
            Self::Looked { step, found, left } => Input::Receive(Told::Looked { step: *step, found: *found, left: *left }),
            Self::Forgotten { step, .. } => Input::Receive(Told::Forgotten { step: *step }),
            Self::Moved { step, can_be_looked_at, came_back } => {
                let (can_be_looked_at, came_back) = (*can_be_looked_at, *came_back);
                Input::Receive(Told::Moved { step: *step, can_be_looked_at, came_back })
            }
            Self::SameBooks { step, .. } => Input::Receive(Told::SameBooks { step: *step }),
            Self::Undo { step, told, .. } => Input::Receive(Told::Undo { step: *step, told: *told }),
            Self::Answer { to, answer, .. } => Input::Receive(Told::Answer { to: *to, answer: *answer }),
            Self::Differs { to, in_effect, .. } => Input::Receive(Told::Differs { step: to.step, in_effect: *in_effect }),
        }
    }

    /// Of which step it brings something that is kept for later requests, and what.
    #[must_use]
    pub const fn brought(&self) -> Option<(usize, &BTreeMap<String, Scalar>)> {
        match self {
            Self::Answer { to, receipt, .. } => Some((to.step, &receipt.kept)),
            Self::Undo { step, receipt, .. } => Some((*step, &receipt.kept)),
            Self::Differs { to, kept, .. } => Some((to.step, kept)),
            Self::Person { ruling: Ruling::Mark { step, .. }, said } => Some((*step, &said.kept)),
            Self::Person { ruling: Ruling::Retry | Ruling::Resume | Ruling::Settle, .. }
            | Self::Start
            | Self::Timeout
            | Self::Due(_)
            | Self::Cancel { .. }
            | Self::Sent { .. }
            | Self::Looked { .. }
            | Self::Forgotten { .. }
            | Self::Moved { .. }
            | Self::SameBooks { .. } => None,
        }
    }

    /// Whether it tells what a look has found.
    pub(crate) fn is_of_look(&self) -> bool {
        match self {
            Self::Looked { .. } => true,
            Self::Answer { to, .. } | Self::Differs { to, .. } => to.operation == Operation::Look,
            Self::Start
            | Self::Timeout
            | Self::Due(_)
            | Self::Cancel { .. }
            | Self::Person { .. }
            | Self::Sent { .. }
            | Self::Forgotten { .. }
            | Self::Moved { .. }
            | Self::SameBooks { .. }
            | Self::Undo { .. } => false,
        }
    }

    /// Whether a place at a participant is held until it is written, or a person waits for it.
    pub(crate) fn is_urgent(&self) -> bool {
        match self {
            Self::Sent { .. } | Self::Cancel { .. } | Self::Person { .. } | Self::SameBooks { .. } => true,
            Self::Undo { told, .. } => matches!(told, UndoTold::Sent),
            Self::Start
            | Self::Timeout
            | Self::Due(_)
            | Self::Looked { .. }
            | Self::Forgotten { .. }
            | Self::Moved { .. }
            | Self::Answer { .. }
            | Self::Differs { .. } => false,
        }
    }

    /// Its text in the journal of a saga that is pinned to `version`.
    ///
    /// # Errors
    /// [`LineError::UnknownVersion`].
    pub fn write(&self, version: u32) -> Result<String, LineError> {
        match version {
            1..=PROTOCOL_VERSION => v1::write(self),
            unknown => Err(LineError::UnknownVersion(unknown)),
        }
    }

    /// The line that this text stands for in the journal of a saga that is pinned to `version`.
    ///
    /// # Errors
    /// The version is unknown, or the text is not a line of it.
    pub fn read(version: u32, text: &str) -> Result<Self, LineError> {
        match version {
            1..=PROTOCOL_VERSION => v1::read(text),
            unknown => Err(LineError::UnknownVersion(unknown)),
        }
    }
}

/// The first eight bytes of the SHA-256 of [`Coordinator::encode`].
#[must_use]
pub fn digest<G: Guards>(coordinator: &Coordinator<G>) -> Digest {
    let mut digest = Digest::default();
    let length = digest.len();
    digest.copy_from_slice(&Sha256::digest(coordinator.encode())[..length]);
    digest
}

/// The state that a journal leads to, if every row is there, can be read, and leads to the state it was written with.
///
/// # Errors
/// The first row that does not, by its number.
pub fn replay_checked(plan: Arc<Plan>, version: u32, entries: &[Entry]) -> Result<Coordinator, ReplayError> {
    let mut coordinator = Coordinator::pinned(plan, version);
    for (entry, expected) in entries.iter().zip(1..) {
        (coordinator, _) = follow(&coordinator, version, entry, expected)?;
    }
    Ok(coordinator)
}

/// The state that an entry leads to, if it is the one of this number, can be read, and leads to the state it was written with;
/// and what it says.
///
/// # Errors
/// It is not, cannot be, or does not.
pub fn follow(before: &Coordinator, version: u32, entry: &Entry, expected: u64) -> Result<(Coordinator, Line), ReplayError> {
    let line = read_in_turn(version, entry, expected)?;
    let mut after = before.clone();
    after.step(entry.at, line.told());
    check(entry, &after)?;
    Ok((after, line))
}

#[cfg(test)]
thread_local! {
    /// How many entries were read on this thread to be followed.
    pub(crate) static READ: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// The line of an entry, which has to be the one of this number.
pub(crate) fn read_in_turn(version: u32, entry: &Entry, expected: u64) -> Result<Line, ReplayError> {
    #[cfg(test)]
    READ.set(READ.get() + 1);
    if entry.seq != expected {
        return Err(ReplayError::Gap { expected, found: entry.seq });
    }
    Line::read(version, &entry.input).map_err(|error| ReplayError::Line { seq: entry.seq, error })
}

/// Whether this is the state that an entry was written with.
pub(crate) fn check(entry: &Entry, coordinator: &Coordinator) -> Result<(), ReplayError> {
    let replayed = digest(coordinator);
    if replayed == entry.digest {
        return Ok(());
    }
    Err(ReplayError::Differs { seq: entry.seq, stored: entry.digest, replayed })
}

/// Why the key of a step is in this state and not done, in its participant's own words, where it gave any: `card_declined`.
#[must_use]
pub fn why_not_done<'a>(lines: impl IntoIterator<Item = &'a Line>, step: usize, known: Definite) -> Option<&'a str> {
    lines.into_iter().filter(|_| known != Definite::Done).find_map(|line| match line {
        Line::Answer { to, answer, receipt } if to.step == step && *answer == Answer::State(known) => receipt.detail.as_deref(),
        Line::Answer { .. }
        | Line::Undo { .. }
        | Line::Looked { .. }
        | Line::Start
        | Line::Timeout
        | Line::Due(_)
        | Line::Cancel { .. }
        | Line::Person { .. }
        | Line::Sent { .. }
        | Line::Differs { .. }
        | Line::Forgotten { .. }
        | Line::Moved { .. }
        | Line::SameBooks { .. } => None,
    })
}

/// What was kept of a step's answers, or given by a person in their place, by name. Of a value that several brought the last one
/// counts; one of an answer about something else than was asked for is there only where no other is.
#[must_use]
pub fn kept_by<'a>(lines: impl IntoIterator<Item = &'a Line>, step: usize) -> BTreeMap<String, Scalar> {
    let (mut kept, mut otherwise) = (BTreeMap::new(), BTreeMap::new());
    for line in lines {
        match line.brought() {
            Some((of, brought)) if of == step => {
                let into = if matches!(line, Line::Differs { .. }) { &mut otherwise } else { &mut kept };
                into.extend(brought.clone());
            }
            Some(_) | None => {}
        }
    }
    otherwise.extend(kept);
    otherwise
}

/// Lower-case hexadecimal digits, as digests and hashes are shown.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}
