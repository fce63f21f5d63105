//! Looking at the participants, and accepting that one of them was put back to an older copy of its store.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use handfast::AcceptError;
use serde::Deserialize;
use serde_json::json;

use super::sagas::check_after;
use crate::problem::{self, Problem};
use crate::query::{Parameters, Sent};
use crate::request;
use crate::service::{Service, clock_problem, store_problem, unforeseen, unmet};
use crate::shapes::participants::MOST_PAGE;
use crate::shapes::{self, participants};

/// The most bytes of an acceptance: a participant's URL, an incarnation, and two texts as in a reason for cancelling.
const MOST_BYTES: usize = 24 * 1024;
/// How many sagas are on a page, if nothing else is asked for.
const PAGE: usize = 100;

/// `GET /participants`: who is called, which life of its store counts, and which other one it says it is.
pub(crate) async fn list(State(service): State<Arc<Service>>) -> Result<Response, Problem> {
    let participants = service.coordinator().participants().await;
    let participants = participants.map_err(|error| unmet(error, |error| store_problem(&error)))?;
    Ok(shapes::json(&participants::all(&participants)))
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
    let wanted = (problem::NOT_AN_ACCEPTANCE, "the texts participant, incarnation, by and why");
    let Act { participant, incarnation, by, why } =
        request::read_json(&headers, body, (MOST_BYTES, service.orders_budget()), wanted).await?;
    let accepted = service.coordinator().accept_participant((&participant, &incarnation), (&by, &why)).await;
    let accepted = accepted.map_err(|error| unmet(error, accept_problem))?;
    Ok(shapes::json(&participants::acceptance(&accepted.acceptance)))
}

/// `GET /participants/resting?incarnation=..`: the sagas that rest on what a former life had answered.
pub(crate) async fn resting(State(service): State<Arc<Service>>, query: Sent) -> Result<Response, Problem> {
    let wrong = |why: String| Problem::new(problem::QUERY, why);
    let mut said = Parameters::of(query, &["incarnation", "after", "limit"]).map_err(wrong)?;
    let limit = said.number("limit", 1..=MOST_PAGE).map_err(wrong)?.unwrap_or(PAGE);
    let after = said.text("after");
    let incarnation = said.text("incarnation").ok_or_else(|| {
        wrong("incarnation is missing; say the one of whose answers it is about, as /participants names it".to_owned())
    })?;
    check_after(&service, None, after.as_deref()).await?;
    let found = service.coordinator().resting_on(&incarnation, after.as_deref(), limit).await;
    let page = found.map_err(|error| unmet(error, |error| store_problem(&error)))?;
    let next = page
        .after
        .as_ref()
        .map(|after| format!("{}&after={after}&limit={limit}", participants::address_of_resting(&incarnation)));
    Ok(shapes::json(&json!({ "sagas": participants::all_resting(&page), "next": next })))
}

fn accept_problem(error: AcceptError) -> Problem {
    let words = error.to_string();
    match error {
        AcceptError::Clock { why } => clock_problem(why),
        AcceptError::Unknown { .. } => Problem::new(problem::NO_SUCH_PARTICIPANT, words),
        AcceptError::NothingOffered { .. } => Problem::new(problem::CANNOT_ACCEPT, words),
        AcceptError::Changed { offered, .. } => Problem::new(problem::CANNOT_ACCEPT, words).with("offered", offered),
        AcceptError::Reason { .. } => Problem::new(problem::NOT_AN_ACCEPTANCE, words),
        AcceptError::Store(error) => store_problem(&error),
        error => unforeseen(&error),
    }
}
