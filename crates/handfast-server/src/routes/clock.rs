//! Accepting the present time, where a clock that was wrong has put the store ahead.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use handfast::upkeep::AcceptTimeError;
use serde::Deserialize;
use serde_json::json;

use crate::problem::{self, Problem};
use crate::request;
use crate::service::{Service, store_problem, unforeseen, unmet};
use crate::shapes;

/// The most bytes of an acceptance: two texts of which every character may be written as two escapes.
const MOST_BYTES: usize = 16 * 1024;

/// Who accepts it, and why.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Accepts {
    by: String,
    why: String,
    /// A person has checked the open sagas that count from the later time: they can do no harm.
    #[serde(default)]
    seen_to: bool,
}

/// `POST /clock/accept`: lets the present time of this service count in its store, instead of a later one.
pub(crate) async fn accept(State(service): State<Arc<Service>>, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let wanted = (problem::NOT_A_REASON, "the texts by and why and, where it is so, seen_to");
    let Accepts { by, why, seen_to } = request::read_json(&headers, body, (MOST_BYTES, service.orders_budget()), wanted).await?;
    let accepted = service.coordinator().accept_time(&by, &why, seen_to).await;
    let before = accepted.map_err(|error| {
        unmet(error, |error| {
            let words = error.to_string();
            match error {
                AcceptTimeError::Text { .. } => Problem::new(problem::NOT_A_REASON, words),
                AcceptTimeError::NotLater | AcceptTimeError::Driven | AcceptTimeError::SagasAhead { .. } => {
                    Problem::new(problem::CANNOT_ACCEPT_TIME, words)
                }
                AcceptTimeError::Store(error) => store_problem(&error),
                error => unforeseen(&error),
            }
        })
    })?;
    Ok(shapes::json(&json!({ "instead_of_ms": before.0, "by": by, "why": why })))
}
