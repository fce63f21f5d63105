//! How long requests to one participant took, by what was asked and what came of it: no more kinds than the protocol has words for.

use std::collections::BTreeMap;
use std::time::Duration;

use handfast_protocol::{Answer, Operation};

use crate::durations::Durations;
use crate::participant::{Heard, Reply};

/// How long the requests of one kind took.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct RequestStats {
    /// What was asked for: `act`, `look`, `close` or `undo`.
    pub operation: &'static str,
    /// What came of it: the state of the key that the answer has shown (`done`, `refused`, `closed`, `undone`), `other_body`,
    /// `undo` (under way, or failed), `absent`, `mismatch`, `behind`, or what was heard instead: `meaningless` (an answer that
    /// means nothing), `no_answer`, `no_connection` or `not_sent`.
    pub result: &'static str,
    /// How often, and how long it took until then.
    pub took: Durations,
}

/// All kinds that there were.
#[derive(Debug, Default)]
pub(super) struct Asked(BTreeMap<(&'static str, &'static str), Durations>);

impl Asked {
    pub(super) fn note(&mut self, operation: Operation, reply: &Reply, took: Duration) {
        self.0.entry((operation.name(), result(reply))).or_default().note(took);
    }

    pub(super) fn all(&self) -> Vec<RequestStats> {
        let kinds = self.0.iter();
        kinds.map(|(&(operation, result), took)| RequestStats { operation, result, took: took.clone() }).collect()
    }
}

/// The word for what came of a request.
const fn result(reply: &Reply) -> &'static str {
    match reply {
        Reply::Definite { answer: Answer::State(state), .. } => state.name(),
        Reply::Definite { answer: Answer::OtherBody, .. } => "other_body",
        Reply::Undo { .. } => "undo",
        Reply::Absent { .. } => "absent",
        Reply::Mismatch { .. } => "mismatch",
        Reply::Behind { .. } => "behind",
        Reply::Unknown { heard: Heard::NotSent, .. } => "not_sent",
        Reply::Unknown { heard: Heard::NoConnection, .. } => "no_connection",
        Reply::Unknown { heard: Heard::Nothing, .. } => "no_answer",
        Reply::Unknown { heard: Heard::Status(_), .. } => "meaningless",
    }
}
