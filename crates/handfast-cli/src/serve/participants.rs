//! Looking at the participants, and accepting that one of them was put back to an older copy of its store.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use handfast::store::{Acceptance, Offer};
use handfast::{AcceptError, ParticipantView, Resting, RestingPage, amount_in_words};
use serde::Deserialize;
use serde_json::{Value, json};

use super::problem::{self, Problem};
use super::request;
use super::service::{Service, clock_problem, store_problem};
use super::shapes;

/// The most bytes of an acceptance: a participant's URL, an incarnation, and two texts as in a reason for cancelling.
const MOST_BYTES: usize = 24 * 1024;
/// So many sagas are on a page, if nothing else is asked for.
const PAGE: usize = 100;
/// So many are on one at most.
pub(crate) const MOST_PAGE: usize = 1_000;

/// `GET /participants`: who is called, which life of its store counts, and which other one it says it is.
pub(crate) async fn list(State(service): State<Arc<Service>>) -> Result<Response, Problem> {
    let participants = service.engine().participants().await.map_err(|error| store_problem(&error))?;
    Ok(shapes::json(&all(&participants)))
}

/// What is accepted, by whom, and why.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Act {
    participant: String,
    incarnation: String,
    by: String,
    why: String,
}

/// `POST /participants/accept`: lets the other life count.
pub(crate) async fn accept(State(service): State<Arc<Service>>, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let bytes = request::json_body(&headers, body, MOST_BYTES, service.orders_budget()).await?;
    let Act { participant, incarnation, by, why } = serde_json::from_slice(&bytes).map_err(|error| {
        // What was sent is not repeated: its own words for it would do that.
        let place = format!("line {}, column {}", error.line(), error.column());
        let members = "the texts participant, incarnation, by and why";
        Problem::new(problem::NOT_AN_ACCEPTANCE, format!("the body is no object with {members}: see {place}"))
    })?;
    let accepted = service.engine().accept_participant((&participant, &incarnation), (&by, &why)).await;
    let accepted = accepted.map_err(accept_problem)?;
    Ok(shapes::json(&acceptance(&accepted.acceptance)))
}

/// Which sagas are asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Page {
    incarnation: String,
    after: Option<String>,
    limit: Option<usize>,
}

/// `GET /participants/resting?incarnation=..`: the sagas that rest on what a former life had answered.
pub(crate) async fn resting(
    State(service): State<Arc<Service>>,
    query: Result<Query<Page>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(Page { incarnation, after, limit }) =
        query.map_err(|rejection| Problem::new(problem::QUERY, rejection.body_text()))?;
    let limit = limit.unwrap_or(PAGE);
    if !(1..=MOST_PAGE).contains(&limit) {
        return Err(Problem::new(problem::QUERY, format!("limit is 1 to {MOST_PAGE}, and not {limit}")));
    }
    let found = service.engine().resting_on(&incarnation, after.as_deref(), limit).await;
    let page = found.map_err(|error| store_problem(&error))?;
    let next = page.after.as_ref().map(|after| format!("{}&after={after}&limit={limit}", address_of_resting(&incarnation)));
    Ok(shapes::json(&json!({ "sagas": all_resting(&page), "next": next })))
}

/// Where the sagas are that rest on what an incarnation had answered.
pub(crate) fn address_of_resting(incarnation: &str) -> String {
    let escape = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    format!("/participants/resting?incarnation={}", incarnation.bytes().map(escape).collect::<String>())
}

fn accept_problem(error: AcceptError) -> Problem {
    let words = error.to_string();
    match error {
        AcceptError::Clock { why } => clock_problem(why),
        AcceptError::Unknown { .. } => Problem::new(problem::NO_SUCH_PARTICIPANT, words),
        AcceptError::NothingOffered { .. } => Problem::new(problem::CANNOT_ACCEPT, words),
        AcceptError::Changed { offered, .. } => Problem::new(problem::CANNOT_ACCEPT, words).with("offered", offered),
        AcceptError::NoReason | AcceptError::Reason(_) => Problem::new(problem::NOT_AN_ACCEPTANCE, words),
        AcceptError::Store(error) => store_problem(&error),
    }
}

/// The participants as data.
pub(crate) fn all(participants: &[ParticipantView]) -> Value {
    json!({ "participants": participants.iter().map(one).collect::<Vec<_>>() })
}

fn one(view: &ParticipantView) -> Value {
    json!({
        "participant": view.participant,
        "incarnation": view.incarnation,
        "seq": view.seq,
        "breaker": view.line.as_ref().map(|line| line.breaker.name()),
        "behind": view.line.as_ref().and_then(|line| line.behind.as_deref()),
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
pub(crate) fn acceptance(acceptance: &Acceptance) -> Value {
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
pub(crate) fn all_resting(page: &RestingPage) -> Vec<Value> {
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
