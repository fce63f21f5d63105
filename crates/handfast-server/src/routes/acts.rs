//! What a person does about a saga that cannot go on by itself, over HTTP.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use handfast::journal::{Said, Scalar};
use handfast::{Act, ActError, ActResult};
use serde::Deserialize;

use super::sagas::{self, Id};
use crate::operator::{needs_values, what_can_be_done};
use crate::problem::{self, Problem};
use crate::request;
use crate::service::{Service, clock_problem, stopping, store_problem, unmet};

/// The most bytes of an act: texts of which every character may be written as two escapes.
const MOST_BYTES: usize = 16 * 1024;

/// The body of an act.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// One of [`Act::NAMES`].
    act: String,
    /// The step that a mark is about.
    step: Option<String>,
    by: String,
    reason: String,
    request_id: String,
    /// The number of the last entry that was seen.
    saw: u64,
    evidence: Option<String>,
    /// Of a mark as done: what the step's answer would have brought, by name.
    #[serde(default)]
    kept: BTreeMap<String, Scalar>,
}

/// `POST /sagas/{id}/acts`: a person does something. An answer of 2xx means that it is in the journal, and flushed.
pub(crate) async fn act(
    State(service): State<Arc<Service>>,
    id: Id,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let id = sagas::id_of(id)?;
    let bytes = request::json_body(&headers, body, MOST_BYTES, service.orders_budget()).await?;
    let asked: Asked = serde_json::from_slice(&bytes).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        let members = "act, step (of a mark), by, reason, request_id, saw and, if there is any, evidence and kept";
        Problem::new(problem::NOT_AN_ACT, format!("the body is no object with {members}: see {place}"))
    })?;
    let Some(act) = Act::from_name(&asked.act, asked.step.as_deref()) else {
        let names = Act::NAMES.join(", ");
        return Err(Problem::new(problem::NOT_AN_ACT, format!("act is one of {names}, and a mark needs its step")));
    };
    let Asked { act: _, step: _, by, reason, request_id, saw, evidence, kept } = asked;
    let said = Said { by, reason, request_id, saw, evidence, kept };
    let result = service.coordinator().act(&id, &act, &said).await;
    let result = result.map_err(|error| {
        unmet(error, |error| match error {
            error @ ActError::Text { .. } => Problem::new(problem::NOT_AN_ACT, error.to_string()),
            error @ ActError::Unreadable { .. } => Problem::new(problem::LEFT_ALONE, error.to_string()).with("saga", id.as_str()),
            ActError::Store(error) => store_problem(&error),
            ActError::Clock { why } => clock_problem(why),
            ActError::Stopping => stopping(),
        })
    })?;
    let conflict = |seq: u64, why: String| Err(Problem::new(problem::MOVED, why).with("saga", id.as_str()).with("seq", seq));
    match result {
        ActResult::Taken { .. } => {
            let mut response = sagas::short(&service, &id).await?;
            *response.status_mut() = StatusCode::ACCEPTED;
            Ok(response)
        }
        ActResult::Repeated { .. } => sagas::short(&service, &id).await,
        ActResult::Moved { seq } => {
            conflict(seq, format!("saga {id} has gone on since: its last entry is {seq}; look at it again"))
        }
        ActResult::RequestIdTaken => {
            Err(Problem::new(problem::REQUEST_ID_REUSED, format!("this request id stands for another act on saga {id}")))
        }
        ActResult::Pointless { can } => {
            let why = format!("it would change nothing of saga {id}; {}", what_can_be_done(&can));
            Err(Problem::new(problem::POINTLESS, why))
        }
        ActResult::NeedsValues { step, names } => {
            let why = needs_values(&id, &step, &names);
            Err(Problem::new(problem::NEEDS_VALUES, why).with("saga", id.as_str()).with("names", names))
        }
        ActResult::NoSuchStep { steps } => {
            Err(Problem::new(problem::NOT_AN_ACT, format!("the steps of saga {id} are {}", steps.join(", "))))
        }
        ActResult::Unknown => Err(sagas::no_such_saga(&id)),
    }
}
