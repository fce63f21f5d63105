//! Draws a saga from its journal, and from whatever else is known of it: tries, receipts, the messengers' own logs.

mod attempts;
mod draw;

use std::sync::Arc;

use handfast_protocol::{Input, Operation, Plan, Told};

use super::Diagram;

/// All that is known of one saga. The journal alone gives a picture; everything else makes it richer.
///
/// All times are milliseconds since the epoch. Clocks may disagree: an arrival is never drawn before its sending.
#[derive(Clone, Debug)]
pub struct SagaStory {
    /// The heading of the picture.
    pub title: String,
    /// The name of the coordinator's life line.
    pub coordinator: String,
    /// The steps, in the plan's order: one life line each.
    pub steps: Vec<StoryStep>,
    /// The plan that the saga follows.
    pub plan: Arc<Plan>,
    /// The version of the protocol that it is pinned to.
    pub version: u32,
    /// Its journal. Every entry is durable.
    pub entries: Vec<StoryEntry>,
    /// Tries that brought no definite answer, as the engine saw them. Those of a command whose messengers are in
    /// `flights` are not drawn: the road knows better.
    pub tries: Vec<StoryTry>,
    /// What became of the messengers, where the road kept a log of it.
    pub flights: Vec<Flight>,
    /// Processes that were killed.
    pub kills: Vec<Kill>,
    /// Why the saga cannot go on by itself, where its journal does not say so.
    pub trouble: Option<String>,
    /// What is worth saying below the picture.
    pub notes: Vec<String>,
}

/// One step of a saga.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoryStep {
    /// Its name.
    pub name: String,
    /// What people call it when it is done: "charged". Empty for plain "done".
    pub done: String,
    /// What people call it when it was undone: "refunded". Empty for plain "undone".
    pub undone: String,
}

/// One entry of the journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoryEntry {
    /// When it was taken.
    pub at: u64,
    /// What the coordinator was told.
    pub input: Input<Told>,
    /// For an answer: when the participant's register last changed, by the participant's clock.
    pub changed_at: Option<u64>,
    /// Why it was refused, who asked for a cancel and why, or whatever else is worth reading.
    pub detail: Option<String>,
}

/// A try without a definite answer, as its sender saw it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoryTry {
    /// Which step.
    pub step: usize,
    /// What was asked.
    pub operation: Operation,
    /// Which try of it this was.
    pub number: u64,
    /// When it left.
    pub sent: u64,
    /// When its sender gave up on an answer.
    pub ended: u64,
    /// What an answer that proves nothing is called in the picture, as in `400, not understood`; `None` if there was none.
    pub answer: Option<String>,
    /// What was seen instead of an answer.
    pub seen: String,
}

/// What became of one messenger, as the road knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Flight {
    /// Which step's key it was about.
    pub step: usize,
    /// What was asked with it, or answered by it.
    pub operation: Operation,
    /// Requests and replies with the same number belong together (within one step and operation).
    pub number: u64,
    /// It was on its way back.
    pub is_reply: bool,
    /// It was the second copy, or the reply to that.
    pub is_copy: bool,
    /// What the reply says, if that is known: the state of the key.
    pub says: String,
    /// When it left.
    pub left: u64,
    /// What became of it.
    pub fate: Fate,
}

/// How a messenger ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It arrived at this time.
    Arrived(u64),
    /// It arrived at this time, long after its sender had given up.
    Late(u64),
    /// It never arrived; the word says why: "captured", "cut".
    Lost(String),
    /// Whether it arrived is not known; the word says what was seen: "nobody there".
    Unknown(String),
}

/// A process was killed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kill {
    /// The participant of that step, or the coordinator.
    pub step: Option<usize>,
    /// When.
    pub at: u64,
    /// When it was back.
    pub back: Option<u64>,
}

impl SagaStory {
    /// The picture of it.
    #[must_use]
    pub fn diagram(&self) -> Diagram {
        draw::draw(self)
    }
}
