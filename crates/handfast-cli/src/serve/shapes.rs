//! The JSON shapes of answers. They are the service's own, and converted by hand: the engine's types can change their
//! names, an answer cannot.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use handfast::journal::hex;
use handfast::store::{Counts, Entry, Try};
use handfast::webhook::WebhookStats;
use handfast::{
    Act, Acted, AnswerSeen, LineStats, Listed, NotMade, NotUnderstood, Outcome, Possible, Progress, Remains, SagaView, Standing,
    Stats, StepView,
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::service::Receivers;

/// An answer of 200 with a value.
pub(crate) fn json(value: &impl Serialize) -> Response {
    // Nothing that is answered here has a key that is no text, which is all that could go wrong.
    let text = serde_json::to_vec(value).unwrap_or_default();
    let mut response = text.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// How a saga stands, in short.
#[derive(Serialize)]
pub(crate) struct Short<'a> {
    id: &'a str,
    standing: &'a str,
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<&'a str>,
    /// Which step was not done, and what its participant said of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl<'a> Short<'a> {
    /// As its handle has heard.
    pub(crate) fn new(id: &'a str, progress: &'a Progress) -> Self {
        Self {
            id,
            standing: progress.standing().name(),
            outcome: progress.outcome().map(Outcome::name),
            trouble: progress.trouble(),
            why: None,
        }
    }

    /// The same with the reason that the journal has for it.
    pub(crate) fn because(mut self, view: &SagaView) -> Self {
        self.why = why(view);
        self
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

/// The first step of which a participant said why it was not done: `payment: card_declined`.
fn why(view: &SagaView) -> Option<String> {
    view.steps.iter().find_map(|step| Some(format!("{}: {}", step.name, step.detail.as_ref()?)))
}

/// Everything that is known of a saga.
pub(crate) fn saga(view: &SagaView) -> Value {
    json!({
        "id": view.id,
        "flow": view.flow,
        "standing": view.standing,
        "outcome": view.outcome.map(Outcome::name),
        "in_doubt": view.is_in_doubt(),
        "held": view.is_held,
        "trouble": view.trouble,
        "remains": view.remains.iter().map(remains).collect::<Vec<_>>(),
        "seq": view.entries.len(),
        "can": can(&view.can, view.cancel.as_deref()),
        "acts": view.acts.iter().map(acted).collect::<Vec<_>>(),
        "placed_ms": view.created.0,
        "next_look_ms": view.wake_at.map(|at| at.0),
        "watched_until_ms": view.watched_until.map(|at| at.0),
        "order": embedded(&view.input),
        "steps": view.steps.iter().map(step).collect::<Vec<_>>(),
        "journal": view.entries.iter().map(entry).collect::<Vec<_>>(),
        "tries": view.tries.iter().map(|attempt| tried(view, attempt)).collect::<Vec<_>>(),
    })
}

/// What remains in effect of a step, or may.
pub(crate) fn remains(left: &Remains) -> Value {
    json!({ "step": left.step, "state": left.state, "amount": left.amount })
}

/// What a person can do, also to ask for *neither*, which goes to an address of its own.
pub(crate) fn can(can: &[Possible], cancel: Option<&str>) -> Vec<Value> {
    let cancel = cancel.map(|does| json!({ "act": "cancel", "step": null, "does": does, "needs": [] }));
    can.iter().map(possible).chain(cancel).collect()
}

/// What a person has done.
pub(crate) fn acted(acted: &Acted) -> Value {
    json!({
        "seq": acted.seq,
        "at_ms": acted.at.0,
        "act": acted.act,
        "step": acted.step,
        "by": acted.by,
        "reason": acted.reason,
        "evidence": acted.evidence,
    })
}

fn possible(possible: &Possible) -> Value {
    json!({ "act": possible.act.name(), "step": possible.act.step(), "does": possible.does, "needs": possible.needs })
}

/// What is known of a step.
pub(crate) fn step(step: &StepView) -> Value {
    json!({
        "name": step.name,
        "kind": step.kind.name(),
        "participant": step.participant,
        "key": step.key,
        "short_keys": step.short_keys,
        "address": step.address,
        "look_at": step.look_at,
        "amount": step.amount,
        "asked": step.asked.map(|operation| operation.name()),
        "last_asked_ms": step.last_asked.map(|at| at.0),
        "state": step.known.map(|state| state.name()),
        "mark_counts_ms": step.mark_counts.map(|at| at.0),
        "detail": step.detail,
        "kept": step.kept,
        "last_answer": step.last_answer.as_ref().map(answer),
        "not_understood": step.not_understood.as_ref().map(answer),
    })
}

fn answer(seen: &AnswerSeen) -> Value {
    json!({ "operation": seen.operation, "at_ms": seen.at.0, "status": seen.status, "said": seen.said })
}

fn entry(entry: &Entry) -> Value {
    json!({
        "seq": entry.seq,
        "at_ms": entry.at.0,
        "input": embedded(entry.input.as_bytes()),
        "digest": hex(&entry.digest),
    })
}

fn tried(view: &SagaView, attempt: &Try) -> Value {
    json!({
        "number": attempt.number,
        "step": view.steps.get(attempt.step).map(|step| &step.name),
        "operation": attempt.operation,
        "sent_ms": attempt.sent.0,
        "ended_ms": attempt.ended.0,
        "seen": attempt.seen,
    })
}

/// What is JSON as it is, and anything else as text.
fn embedded(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|_| String::from_utf8_lossy(bytes).into())
}

/// A page of sagas, and where the next one is.
pub(crate) fn page(sagas: &[Listed], next: Option<String>) -> Value {
    json!({ "sagas": sagas.iter().map(listed).collect::<Vec<_>>(), "next": next })
}

/// One line of a list.
pub(crate) fn listed(saga: &Listed) -> Value {
    let can = |act: &Act| json!({ "act": act.name(), "step": act.step() });
    let cancel = saga.can_be_cancelled.then(|| json!({ "act": "cancel", "step": null }));
    json!({
        "id": saga.id,
        "standing": saga.standing,
        "placed_ms": saga.created.0,
        "changed_ms": saga.changed.0,
        "held": saga.is_held,
        "needs_person": saga.needs_person,
        "step": saga.step,
        "amount": saga.amount,
        "can": saga.can.iter().map(can).chain(cancel).collect::<Vec<_>>(),
    })
}

/// Whether a saga that stands so is on its way.
fn is_open(standing: &str) -> bool {
    [Standing::Placed, Standing::Acting, Standing::Committed, Standing::Cancelling].iter().any(|open| open.name() == standing)
}

/// What the engine is at.
pub(crate) fn stats(stats: &Stats, counts: &Counts, webhooks: &Receivers) -> Value {
    let sagas: Map<String, Value> =
        counts.by_standing.iter().map(|(standing, number)| (standing.clone(), json!(number))).collect();
    let named = |sagas: &[(String, String)]| sagas.iter().map(|(id, why)| json!({ "id": id, "why": why })).collect::<Vec<_>>();
    // Read from the store, which knows of those that another worker has placed, or that nobody was told of.
    let open = counts.by_standing.iter().filter(|(standing, _)| is_open(standing)).map(|(_, number)| number);
    let in_doubt: u64 = open.sum();
    json!({
        "sagas": sagas,
        "in_doubt": in_doubt,
        "active": stats.active,
        "parked": in_doubt.saturating_sub(stats.active),
        "in_flight": stats.in_flight,
        "suspended": named(&stats.suspended),
        "left_alone": named(&stats.left_alone),
        "unconfirmed": named(&stats.unconfirmed),
        "store_trouble": stats.store_trouble,
        "clock": {
            "turns": stats.clock.turns.count,
            "last_turn_ms": stats.clock.turns.last_by_ms,
            "trouble": stats.clock.trouble,
        },
        "webhooks": webhooks.iter().map(|(step, receiver)| webhook(step, receiver.stats())).collect::<Vec<_>>(),
        "participants": stats.participants.iter().map(participant).collect::<Vec<_>>(),
    })
}

fn webhook(step: &str, stats: WebhookStats) -> Value {
    let WebhookStats { taken, repeated, none_of_ours, refused } = stats;
    json!({ "step": step, "taken": taken, "repeated": repeated, "none_of_ours": none_of_ours, "refused": refused })
}

fn participant(line: &LineStats) -> Value {
    json!({
        "participant": line.participant,
        "breaker": line.breaker.name(),
        "in_flight": line.in_flight,
        "answered": line.answered,
        "indefinite": line.indefinite,
        "unanswered": line.unanswered,
        "meaningless_status": line.meaningless,
        "turned_away_status": line.turned_away,
        "behind": line.behind,
        "not_understood": line.not_understood.iter().map(not_understood).collect::<Vec<_>>(),
        "not_made": line.not_made.iter().map(not_made).collect::<Vec<_>>(),
    })
}

fn not_made(kind: &NotMade) -> Value {
    let NotMade { operation, why, times } = kind;
    json!({ "operation": operation, "why": why, "times": times })
}

fn not_understood(kind: &NotUnderstood) -> Value {
    let NotUnderstood { operation, status, times, seen } = kind;
    json!({ "operation": operation, "status": status, "times": times, "seen": seen })
}
