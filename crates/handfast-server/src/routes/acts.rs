//! What a person does about a saga that cannot go on by itself, over HTTP.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use handfast::journal::{Said, Scalar};
use handfast::{Act, ActError, ActResult};
use serde::Deserialize;

use super::sagas::{self, Id};
use crate::access::{Caller, Scope};
use crate::operator::not_taken;
use crate::problem::{self, Problem};
use crate::request;
use crate::service::{Service, clock_problem, stopping, store_problem, unforeseen, unmet};

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

/// Why an act had no result, in the words of a caller.
pub(super) fn act_problem(id: &str, error: ActError) -> Problem {
    let words = error.to_string();
    match error {
        ActError::Text { .. } => Problem::new(problem::NOT_AN_ACT, words),
        ActError::Unreadable { .. } => Problem::new(problem::LEFT_ALONE, words).with("saga", id),
        ActError::Store(error) => store_problem(&error),
        ActError::Clock { why } => clock_problem(why),
        ActError::Stopping => stopping(),
        error => unforeseen(&error),
    }
}

/// `POST /sagas/{id}/acts`: a person does something. An answer of 2xx means that it is in the journal, and flushed.
pub(crate) async fn act(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    id: Id,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let id = sagas::id_of(id)?;
    sagas::check_flow(&service, &caller, &id).await?;
    let members = "act, step (of a mark), by, reason, request_id, saw and, if there is any, evidence and kept";
    let wanted = (problem::NOT_AN_ACT, members);
    let asked: Asked = request::read_json(&headers, body, (MOST_BYTES, service.orders_budget()), wanted).await?;
    let Some(act) = Act::from_name(&asked.act, asked.step.as_deref()) else {
        let names = Act::NAMES.join(", ");
        return Err(Problem::new(problem::NOT_AN_ACT, format!("act is one of {names}, and a mark needs its step")));
    };
    caller.check(&[Scope::of_act(&act)])?;
    let Asked { act: _, step: _, by, reason, request_id, saw, evidence, kept } = asked;
    let said = Said { by, reason, request_id, saw, evidence, kept };
    let result = service.coordinator().act(&id, &act, &said).await;
    let result = result.map_err(|error| unmet(error, |error| act_problem(&id, error)))?;
    let refused = |kind| {
        let why = not_taken(&id, &result).unwrap_or_default();
        Problem::new(kind, why)
    };
    match &result {
        ActResult::Taken { .. } => {
            let mut response = sagas::short(&service, &id).await?;
            *response.status_mut() = StatusCode::ACCEPTED;
            Ok(response)
        }
        ActResult::Repeated { .. } => sagas::short(&service, &id).await,
        ActResult::Moved { seq } => Err(refused(problem::MOVED).with("saga", id.as_str()).with("seq", *seq)),
        ActResult::RequestIdTaken => Err(refused(problem::REQUEST_ID_REUSED)),
        ActResult::Pointless { .. } => Err(refused(problem::POINTLESS)),
        ActResult::NeedsValues { names, .. } => {
            Err(refused(problem::NEEDS_VALUES).with("saga", id.as_str()).with("names", names.as_slice()))
        }
        ActResult::NoSuchStep { .. } => Err(refused(problem::NOT_AN_ACT)),
        ActResult::Unknown => Err(refused(problem::NO_SUCH_SAGA)),
    }
}
