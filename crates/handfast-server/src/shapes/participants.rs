//! The shapes of participants, of their acceptances, and of the sagas that rest on a former life.

use crate::listing::escaped;
use handfast::store::{Acceptance, Offer};
use handfast::{ParticipantView, Resting, RestingPage, amount_in_words};
use serde_json::{Value, json};

/// At most this many of the sagas that rest on a former life are on one page.
pub const MOST_PAGE: usize = 1_000;

/// The participants as data.
#[must_use]
pub fn all(participants: &[ParticipantView]) -> Value {
    json!({ "participants": participants.iter().map(one).collect::<Vec<_>>() })
}

fn one(view: &ParticipantView) -> Value {
    json!({
        "participant": view.participant,
        "incarnation": view.incarnation,
        "seq": view.seq,
        "breaker": view.link.as_ref().map(|link| link.breaker.name()),
        "behind": view.link.as_ref().and_then(|link| link.behind.as_deref()),
        "way_out": view.way_out(),
        "offered": view.offered.as_ref().map(|offered| offer(offered, view)),
        "accepted": view.accepted.iter().map(acceptance).collect::<Vec<_>>(),
    })
}

fn offer(offer: &Offer, view: &ParticipantView) -> Value {
    json!({
        "incarnation": offer.incarnation,
        "seq": offer.seq,
        "at_ms": offer.at.0,
        "counted_before": view.counted_before(&offer.incarnation),
    })
}

/// A person's act as data.
#[must_use]
pub fn acceptance(acceptance: &Acceptance) -> Value {
    json!({
        "participant": acceptance.participant,
        "incarnation": acceptance.incarnation,
        "former": acceptance.former,
        "seq": acceptance.seq,
        "at_ms": acceptance.at.0,
        "by": acceptance.by,
        "why": acceptance.why,
    })
}

/// A page of sagas that rest on a former life as data.
#[must_use]
pub fn all_resting(page: &RestingPage) -> Vec<Value> {
    let line = |saga: &Resting| {
        let money: Vec<Value> = saga
            .money
            .iter()
            .map(|(field, minor, currency)| {
                let amount = amount_in_words(*minor, currency);
                json!({ "field": field, "minor": minor, "currency": currency, "amount": amount })
            })
            .collect();
        json!({
            "id": saga.id, "standing": saga.standing, "has_ended": saga.has_ended, "seq": saga.seq,
            "above_copy": saga.is_above_copy, "money": money,
        })
    };
    page.sagas.iter().map(line).collect()
}

/// Where the sagas are that rest on what an incarnation had answered.
#[must_use]
pub fn address_of_resting(incarnation: &str) -> String {
    format!("/participants/resting?incarnation={}", incarnation.bytes().map(escaped).collect::<String>())
}
