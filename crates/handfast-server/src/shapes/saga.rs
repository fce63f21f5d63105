//! The one shape of a saga: of the service's answers, of `handfast show --json`, of `handfast sagas`, and, in part, of the answer to
//! an order and of the lines of `handfast run`, which are too many to read each saga for. Members whose names end in `_ms` are
//! milliseconds since 1970 in UTC.

use std::collections::BTreeMap;

use handfast::journal::{Scalar, hex};
use handfast::store::{Entry as StoredEntry, Try as StoredTry};
use handfast::{Act, Outcome, Possible, SagaView, StepView};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::coordinator::Stands;

/// A saga: how it stands, what is known of its steps, and what a person can do about it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Saga {
    /// Its id.
    pub id: String,
    /// The name of its flow; null if its definition cannot be read by this program.
    #[serde(default)]
    pub flow: Option<String>,
    /// `acting`, `committed`, `cancelling`, `completed`, `cancelled`, `settled` or `suspended`.
    pub standing: String,
    /// `completed` (both), `cancelled` (neither), `settled` (a person has given up waiting for the participants), or null while
    /// it has not ended.
    pub outcome: Option<String>,
    /// It has neither ended nor waits for a person.
    #[serde(default)]
    pub in_doubt: bool,
    /// Nothing is sent for it before a person decides, or another program drives it; `trouble` says why. Only the service that
    /// drives it knows.
    #[serde(default)]
    pub held: bool,
    /// Why it cannot go on by itself, or what is in its way; of one that has ended, how a participant broke its promise
    /// afterwards.
    pub trouble: Option<String>,
    /// The first step of which a participant said why it was not done, and what it said: `payment: card_declined`.
    #[serde(default)]
    pub why: Option<String>,
    /// Where there is trouble, what remains in effect, or may.
    pub remains: Vec<Remains>,
    /// The number of its last entry, which an act names.
    pub seq: u64,
    /// What a person can do.
    pub can: Vec<Can>,
    /// What people have done.
    #[serde(default)]
    pub acts: Vec<Acted>,
    /// When it was placed.
    #[serde(default)]
    pub placed_ms: u64,
    /// When it is looked at next, if nothing is heard before; null where it need not be looked at.
    pub next_look_ms: Option<u64>,
    /// Of one that has ended: until when at least it is watched for an effect that comes late, or null.
    #[serde(default)]
    pub watched_until_ms: Option<u64>,
    /// What is known of its steps, in the flow's order.
    pub steps: Vec<Step>,
}

/// A saga with its order, its journal and its tries.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[non_exhaustive]
pub struct WholeSaga {
    /// How it stands.
    #[serde(flatten)]
    pub saga: Saga,
    /// The order in its one form; text where it is no JSON.
    pub order: Value,
    /// What it was told, in order.
    pub journal: Vec<Entry>,
    /// The latest deliveries without a definite answer, oldest first.
    pub tries: Vec<Try>,
}

/// What is known of a step.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Step {
    /// Its name.
    pub name: String,
    /// `compensatable`, `pivot` or `retriable`.
    pub kind: String,
    /// The URL of its participant.
    pub participant: String,
    /// Its key.
    pub key: String,
    /// The shorter names of its key that its requests use.
    pub short_keys: Vec<String>,
    /// What its act goes to.
    pub address: String,
    /// Where to look, or null where there is no way to.
    pub look_at: Option<String>,
    /// How much, as in `19.99 EUR`, where its body or the order has an amount.
    pub amount: Option<String>,
    /// The highest command asked for: `act`, `look`, `close`, `undo` or null.
    pub asked: Option<String>,
    /// When it was asked last.
    pub last_asked_ms: Option<u64>,
    /// The state of its key that an answer has shown: `done`, `refused`, `closed`, `undone` or null.
    pub state: Option<String>,
    /// Until when a step that a person has marked as not done is looked for before the mark counts, or null.
    #[serde(default)]
    pub mark_counts_ms: Option<u64>,
    /// Why `state` is not `done`, in the participant's own words, or null.
    pub detail: Option<String>,
    /// What was kept of its answers, by name.
    pub kept: BTreeMap<String, Scalar>,
    /// The latest answer.
    pub last_answer: Option<AnswerSeen>,
    /// The latest answer that meant nothing.
    pub not_understood: Option<AnswerSeen>,
}

/// An answer of a participant.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AnswerSeen {
    /// What it answered.
    pub operation: String,
    /// When it came.
    pub at_ms: u64,
    /// Its status, or null where it is not known any more.
    pub status: Option<u16>,
    /// The state that it proves, or how it begins: cleaned, and at most 400 bytes.
    pub said: String,
}

/// What remains in effect of a step, or may.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Remains {
    /// The step.
    pub step: String,
    /// `in effect`, `unknown`, or whose word it is that it is not.
    pub state: String,
    /// How much, where that is known.
    pub amount: Option<String>,
}

/// What a person can do.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Can {
    /// One of [`Act::NAMES`], or `cancel`, which goes to an address of its own.
    pub act: String,
    /// The step that a mark is about.
    pub step: Option<String>,
    /// What it does to the saga and to the money, in one sentence.
    pub does: String,
    /// The names of the values that have to be said with it.
    pub needs: Vec<String>,
}

/// What a person has done.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Acted {
    /// The number of its entry.
    pub seq: u64,
    /// When.
    pub at_ms: u64,
    /// What: as in [`Can::act`], or `same_books` of an address.
    pub act: String,
    /// The step that it is about.
    pub step: Option<String>,
    /// Who.
    pub by: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// What shows it.
    pub evidence: Option<String>,
}

/// An entry of a journal.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[non_exhaustive]
pub struct Entry {
    /// Its number, counted from 1.
    pub seq: u64,
    /// When it was written.
    pub at_ms: u64,
    /// What was told, as it is in the journal; text where it is no JSON.
    pub input: Value,
    /// The digest of the state after it, in hexadecimal digits.
    pub digest: String,
}

/// A delivery without a definite answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct Try {
    /// Which one of its command, counted from 1.
    pub number: u64,
    /// The step, or null where the definition cannot be read.
    pub step: Option<String>,
    /// `act`, `look`, `close` or `undo`.
    pub operation: &'static str,
    /// When it left.
    pub sent_ms: u64,
    /// When it was given up, or answered.
    pub ended_ms: u64,
    /// What came, in words.
    pub seen: String,
}

/// One line of a list of sagas.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Listed {
    /// Its id.
    pub id: String,
    /// As in [`Saga::standing`].
    pub standing: String,
    /// When it was placed.
    pub placed_ms: u64,
    /// When its last entry was written.
    pub changed_ms: u64,
    /// As in [`Saga::held`].
    pub held: bool,
    /// It does not go on before a person says something.
    #[serde(default)]
    pub needs_person: bool,
    /// The step of which it waits to hear.
    pub step: Option<String>,
    /// How much that step is about.
    pub amount: Option<String>,
    /// The acts that would change something.
    pub can: Vec<Able>,
}

/// An act that would change something.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Able {
    /// As in [`Can::act`].
    pub act: String,
    /// The step that a mark is about.
    pub step: Option<String>,
}

/// A page of a list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Page {
    /// The sagas, in the order of their placing.
    pub sagas: Vec<Listed>,
    /// The path of the next page, or null on the last.
    #[serde(default)]
    pub next: Option<String>,
}

impl Saga {
    /// What is known of a saga.
    #[must_use]
    pub fn of(view: &SagaView) -> Self {
        let cancel =
            view.cancel.as_ref().map(|does| Can { act: CANCEL.to_owned(), step: None, does: does.clone(), needs: Vec::new() });
        Self {
            id: view.id.clone(),
            flow: view.flow.clone(),
            standing: view.standing.clone(),
            outcome: view.outcome.map(|outcome| outcome.name().to_owned()),
            in_doubt: view.is_in_doubt(),
            held: view.is_held,
            trouble: view.trouble.clone(),
            why: why(view),
            remains: view.remains.iter().map(Remains::of).collect(),
            seq: view.seq(),
            can: view.can.iter().map(Can::of).chain(cancel).collect(),
            acts: view.acts.iter().map(Acted::of).collect(),
            placed_ms: view.created.0,
            next_look_ms: view.wake_at.map(|at| at.0),
            watched_until_ms: view.watched_until.map(|at| at.0),
            steps: view.steps.iter().map(Step::of).collect(),
        }
    }

    /// What asking for *neither* would do, if it would do anything.
    #[must_use]
    pub fn cancel_does(&self) -> Option<&str> {
        self.can.iter().find(|can| can.act == CANCEL).map(|can| can.does.as_str())
    }

    /// What this act would do, if it would do anything.
    #[must_use]
    pub fn does(&self, act: &Act) -> Option<&str> {
        let is_it = |can: &&Can| can.act == act.name() && can.step.as_deref() == act.step();
        self.can.iter().find(is_it).map(|can| can.does.as_str())
    }

    /// How it ended, if it has.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        let known = [Outcome::Completed, Outcome::Cancelled, Outcome::Settled];
        known.into_iter().find(|outcome| self.outcome.as_deref() == Some(outcome.name()))
    }
}

/// What a person can do about a saga beside the acts: ask for *neither*.
const CANCEL: &str = "cancel";

impl WholeSaga {
    /// Everything that is known of a saga.
    #[must_use]
    pub fn of(view: &SagaView) -> Self {
        Self {
            saga: Saga::of(view),
            order: embedded(&view.input),
            journal: view.entries.iter().map(Entry::of).collect(),
            tries: view.tries.iter().map(|attempt| Try::of(view, attempt)).collect(),
        }
    }
}

/// A part of [`Saga`]: each member is the one of that name there, and one that is left out is null. It is the answer to an order, and
/// to what a person has done.
#[derive(Serialize)]
pub(crate) struct Short<'a> {
    id: &'a str,
    standing: &'a str,
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl<'a> Short<'a> {
    /// As its handle has heard: nothing is read for it.
    pub(crate) fn new(id: &'a str, stands: &'a Stands) -> Self {
        let Stands { standing, outcome, trouble } = stands;
        Self { id, standing: standing.name(), outcome: outcome.map(Outcome::name), trouble: trouble.as_deref(), why: None }
    }

    /// Whether it says that the saga has ended.
    pub(crate) const fn has_ended(&self) -> bool {
        self.outcome.is_some()
    }

    /// As its journal says.
    pub(crate) fn of(view: &'a SagaView) -> Self {
        Self {
            id: &view.id,
            standing: &view.standing,
            outcome: view.outcome.map(Outcome::name),
            trouble: view.trouble.as_deref(),
            why: why(view),
        }
    }
}

fn why(view: &SagaView) -> Option<String> {
    view.steps.iter().find_map(|step| Some(format!("{}: {}", step.name, step.detail.as_ref()?)))
}

impl Step {
    fn of(step: &StepView) -> Self {
        Self {
            name: step.name.clone(),
            kind: step.kind.name().to_owned(),
            participant: step.participant.clone(),
            key: step.key.clone(),
            short_keys: step.short_keys.clone(),
            address: step.address.clone(),
            look_at: step.look_at.clone(),
            amount: step.amount.clone(),
            asked: step.asked.map(|operation| operation.name().to_owned()),
            last_asked_ms: step.last_asked.map(|at| at.0),
            state: step.known.map(|state| state.name().to_owned()),
            mark_counts_ms: step.mark_counts.map(|at| at.0),
            detail: step.detail.clone(),
            kept: step.kept.clone(),
            last_answer: step.last_answer.as_ref().map(AnswerSeen::of),
            not_understood: step.not_understood.as_ref().map(AnswerSeen::of),
        }
    }
}

impl AnswerSeen {
    fn of(seen: &handfast::AnswerSeen) -> Self {
        Self { operation: seen.operation.to_owned(), at_ms: seen.at.0, status: seen.status, said: seen.said.clone() }
    }
}

impl Remains {
    fn of(left: &handfast::Remains) -> Self {
        Self { step: left.step.clone(), state: left.state.clone(), amount: left.amount.clone() }
    }
}

impl Can {
    fn of(possible: &Possible) -> Self {
        let Possible { act, does, needs, .. } = possible;
        let step = act.step().map(str::to_owned);
        Self { act: act.name().to_owned(), step, does: does.clone(), needs: needs.clone() }
    }
}

impl Acted {
    fn of(acted: &handfast::Acted) -> Self {
        Self {
            seq: acted.seq,
            at_ms: acted.at.0,
            act: acted.act.to_string(),
            step: acted.step.clone(),
            by: acted.by.clone(),
            reason: acted.reason.clone(),
            evidence: acted.evidence.clone(),
        }
    }
}

impl Entry {
    fn of(entry: &StoredEntry) -> Self {
        let input = embedded(entry.input.as_bytes());
        Self { seq: entry.seq, at_ms: entry.at.0, input, digest: hex(&entry.digest) }
    }
}

impl Try {
    fn of(view: &SagaView, attempt: &StoredTry) -> Self {
        Self {
            number: attempt.number,
            step: view.steps.get(attempt.step).map(|step| step.name.clone()),
            operation: attempt.operation,
            sent_ms: attempt.sent.0,
            ended_ms: attempt.ended.0,
            seen: attempt.seen.clone(),
        }
    }
}

impl Listed {
    /// One line of a list.
    #[must_use]
    pub fn of(saga: &handfast::Listed) -> Self {
        let able = |act: &Act| Able { act: act.name().to_owned(), step: act.step().map(str::to_owned) };
        let cancel = saga.can_be_cancelled.then(|| Able { act: CANCEL.to_owned(), step: None });
        Self {
            id: saga.id.clone(),
            standing: saga.standing.clone(),
            placed_ms: saga.created.0,
            changed_ms: saga.changed.0,
            held: saga.is_held,
            needs_person: saga.needs_person,
            step: saga.step.clone(),
            amount: saga.amount.clone(),
            can: saga.can.iter().map(able).chain(cancel).collect(),
        }
    }
}

/// What is JSON as it is, and anything else as text.
fn embedded(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|_| String::from_utf8_lossy(bytes).into())
}
