//! The saga as data: the stable shape of `handfast show --json`.

use handfast::journal::why_not_done;
use serde::Serialize;
use serde_json::Value;

use super::story::Told;
use crate::messenger;

#[derive(Debug, Serialize)]
pub(super) struct Shown<'a> {
    id: &'a str,
    flow: &'a str,
    standing: &'static str,
    /// `completed` or `cancelled`, or null while it has not ended.
    outcome: Option<&'static str>,
    /// Milliseconds since the epoch, like all times here.
    placed_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<&'a str>,
    steps: Vec<Step<'a>>,
    journal: Vec<Entry>,
    tries: Vec<Try<'a>>,
    /// The lines of the roads' logs that are about this saga.
    messengers: Vec<&'a messenger::Line>,
}

#[derive(Debug, Serialize)]
struct Step<'a> {
    name: &'a str,
    participant: &'a str,
    key: &'a str,
    asked: Option<&'static str>,
    state: Option<&'static str>,
    /// Why that is not `done`, in the participant's own words.
    detail: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Entry {
    seq: u64,
    at_ms: u64,
    /// As it is in the journal; a text where it is no JSON.
    input: Value,
}

#[derive(Debug, Serialize)]
struct Try<'a> {
    step: &'a str,
    operation: &'static str,
    number: u64,
    sent_ms: u64,
    ended_ms: u64,
    seen: &'a str,
}

impl<'a> Shown<'a> {
    pub(super) fn new(told: &'a Told) -> Self {
        let steps = told.flow.steps().iter().zip(&told.keys).zip(&told.steps).enumerate();
        let steps = steps.map(|(index, ((step, key), (asked, known)))| Step {
            name: &step.name,
            participant: step.participant.as_str(),
            key,
            asked: asked.map(handfast::Operation::name),
            state: known.map(handfast_protocol::Definite::name),
            detail: known.and_then(|known| why_not_done(&told.lines, index, known)),
        });
        let journal = told.stored.entries.iter().map(|entry| Entry {
            seq: entry.seq,
            at_ms: entry.at.0,
            input: serde_json::from_str(&entry.input).unwrap_or_else(|_| Value::String(entry.input.clone())),
        });
        let tries = told.tries.iter().map(|attempt| Try {
            step: told.flow.steps().get(attempt.step).map_or("", |step| &step.name),
            operation: attempt.operation,
            number: attempt.number,
            sent_ms: attempt.sent.0,
            ended_ms: attempt.ended.0,
            seen: &attempt.seen,
        });
        Self {
            id: &told.stored.id,
            flow: told.flow.name(),
            standing: told.standing.name(),
            outcome: told.outcome.map(handfast::Outcome::name),
            placed_ms: told.stored.created.0,
            trouble: told.trouble.as_deref(),
            steps: steps.collect(),
            journal: journal.collect(),
            tries: tries.collect(),
            messengers: told.messengers.iter().map(|messenger| &messenger.line).collect(),
        }
    }
}
