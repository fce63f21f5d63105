//! What is known of each step of a saga, for the person who has to ask its participant by hand: by which names, where, when it
//! was asked last, and what it said.

use std::collections::BTreeMap;

use handfast_protocol::{Answer, Coordinator, Definite, Kind, Mark, Nature, Operation, Ruling, Time};

use super::came::Came;
use super::money;
use super::trail::Trail;
use crate::flow::{Flow, FlowStep};
use crate::journal::{Line, Scalar, kept_by, why_not_done};
use crate::key::KeyParts;
use crate::participant::Names;
use crate::store::{StoredSaga, Try};

/// What is known of one step.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct StepView {
    /// Its name.
    pub name: String,
    /// What it can promise.
    pub kind: Kind,
    /// Who takes it.
    pub participant: String,
    /// Its key at the participant.
    pub key: String,
    /// The shorter names of its key that its requests use.
    pub short_keys: Vec<String>,
    /// What an act goes to, as in `PUT http://127.0.0.1:7071/charges/{key}`, with the gaps filled that are no secret and nothing
    /// of the order; of a participant that is no URL its name.
    pub address: String,
    /// The same of a look that changes nothing, where there is one.
    pub look_at: Option<String>,
    /// How much it is about, as in `19.99 EUR`, where its body or the order says so.
    pub amount: Option<String>,
    /// The highest command that was asked for it.
    pub asked: Option<Operation>,
    /// When a request for it left last, as far as that was kept: of those that a definite answer came to, when it was first
    /// wanted.
    pub last_asked: Option<Time>,
    /// The furthest state of its key that an answer has shown.
    pub known: Option<Definite>,
    /// Of a step that is marked as not done, and looked for until nothing can be on the road any more: when that is.
    pub mark_counts: Option<Time>,
    /// Why that is not `done`, in the participant's own words, where it gave any: `card_declined`.
    pub detail: Option<String>,
    /// What was kept of its answers, by name.
    pub kept: BTreeMap<String, Scalar>,
    /// The latest answer of its participant, whatever it was worth.
    pub last_answer: Option<AnswerSeen>,
    /// The latest answer that meant nothing, also where other answers have come since.
    pub not_understood: Option<AnswerSeen>,
}

/// An answer, as people see it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct AnswerSeen {
    /// What had been asked for.
    pub operation: &'static str,
    /// When it was heard.
    pub at: Time,
    /// Its HTTP status, where that was kept.
    pub status: Option<u16>,
    /// What it said: the state of the key that it proves, or how it begins, cleaned and bounded.
    pub said: String,
}

/// What a saga's store, journal and tries say of its steps, in order.
pub(super) struct Known<'a> {
    pub(super) stored: &'a StoredSaga,
    pub(super) store_id: &'a str,
    /// What its journal says.
    pub(super) trail: &'a Trail,
    pub(super) coordinator: &'a Coordinator,
    pub(super) tries: &'a [Try],
}

impl Known<'_> {
    /// The steps of a saga that is reached and read as `flow` says.
    pub(super) fn steps(&self, flow: &Flow) -> Vec<StepView> {
        let all = flow.steps().iter().zip(flow.plan().steps()).enumerate();
        all.map(|(at, (step, plan))| self.step(at, step, plan.kind)).collect()
    }

    fn step(&self, at: usize, step: &FlowStep, kind: Kind) -> StepView {
        let (asked, known) = self.coordinator.step_state(at);
        let key = KeyParts { store: self.store_id, saga: &self.stored.id, step: &step.name }.key();
        let tries = || self.tries.iter().filter(|attempt| attempt.step == at);
        let heard = || tries().filter_map(|attempt| Some((Came::of(attempt), Came::of(attempt).status()?, attempt)));
        let seen = |(_, status, attempt): (Came, u16, &Try)| AnswerSeen {
            operation: attempt.operation,
            at: attempt.ended,
            status: Some(status),
            said: attempt.seen.clone(),
        };
        let not_understood = heard().filter(|(came, ..)| matches!(came, Came::Meaningless(_))).map(seen).max_by_key(by_time);
        let last_answer = heard().map(seen).chain(self.definite(at)).max_by_key(by_time);
        let left = tries().filter(|attempt| Came::of(attempt) != Came::NotSent).map(|attempt| attempt.sent);
        let lines = &self.trail.lines;
        let kept = kept_by(lines, at);
        let names = Names { key: &key, saga: &self.stored.id, step: &step.name, kept: &kept };
        StepView {
            name: step.name.clone(),
            kind,
            participant: step.participant.to_string(),
            short_keys: step.http.as_deref().map(|http| http.short_keys(&key)).unwrap_or_default(),
            address: address(step, Operation::Act, names).unwrap_or_else(|| step.participant.to_string()),
            look_at: address(step, Operation::Look, names),
            amount: money::of(self.stored, at),
            asked,
            last_asked: left.chain(self.trail.wanted_since(at)).max(),
            known,
            mark_counts: self.mark_counts(at),
            detail: known.and_then(|known| why_not_done(lines, at, known)).map(str::to_owned),
            last_answer,
            not_understood,
            kept: kept.clone(),
            key: key.clone(),
        }
    }

    /// When a step that is marked as not done is taken as not done, while that is waited for.
    fn mark_counts(&self, of: usize) -> Option<Time> {
        if self.coordinator.step_mark(of) != Some(Mark::NotDone) || self.coordinator.is_step_off(of) {
            return None;
        }
        let is_mark = |line: &Line| matches!(line, Line::Person { ruling: Ruling::Mark { step, .. }, .. } if *step == of);
        let (marked, _) = self.stored.entries.iter().zip(&self.trail.lines).rev().find(|(_, line)| is_mark(line))?;
        self.coordinator.dues().into_iter().find(|due| due.nature == Nature::Waits && due.since == marked.at).map(|due| due.at)
    }

    /// The definite answers about a step.
    fn definite(&self, of: usize) -> impl Iterator<Item = AnswerSeen> {
        self.stored.entries.iter().zip(&self.trail.lines).filter_map(move |(entry, line)| {
            let (step, operation, said, detail) = match line {
                Line::Answer { to, answer: Answer::State(state), receipt } => {
                    (to.step, to.operation, state.name(), receipt.detail.as_deref())
                }
                Line::Answer { to, answer: Answer::OtherBody, .. } => {
                    (to.step, to.operation, "its key is in use for another body", None)
                }
                Line::Undo { step, told, receipt } if *told != handfast_protocol::UndoTold::Sent => {
                    (*step, Operation::Undo, told.name(), receipt.detail.as_deref())
                }
                Line::Differs { to, what, .. } => (to.step, to.operation, what.as_str(), None),
                Line::Undo { .. }
                | Line::Looked { .. }
                | Line::Start
                | Line::Timeout
                | Line::Due(_)
                | Line::Cancel { .. }
                | Line::Person { .. }
                | Line::Sent { .. }
                | Line::Forgotten { .. }
                | Line::Moved { .. }
                | Line::SameBooks { .. } => return None,
            };
            let said = detail.map_or_else(|| said.to_owned(), |detail| format!("{said}: {detail}"));
            (step == of).then(|| AnswerSeen { operation: operation.name(), at: entry.at, status: None, said })
        })
    }
}

fn by_time(seen: &AnswerSeen) -> Time {
    seen.at
}

/// What an operation of this step goes to.
fn address(step: &FlowStep, operation: Operation, names: Names<'_>) -> Option<String> {
    let of_contract = || {
        let (method, end) = match operation {
            Operation::Act => ("PUT", ""),
            Operation::Look => ("GET", ""),
            Operation::Close => ("POST", "/close"),
            Operation::Undo => ("DELETE", ""),
        };
        step.participant.is_url().then(|| format!("{method} {}/{}{end}", step.participant, names.key))
    };
    step.http.as_ref().map_or_else(of_contract, |http| http.address(operation, names))
}
