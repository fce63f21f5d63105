//! Orders under way that follow another definition than the one at hand: what differs, and what a person lets them follow.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use handfast::{AdoptError, Chosen, Decided, OtherDefinition, StepDifference};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::problem::{self, Problem};
use crate::request;
use crate::service::{Service, store_problem, unforeseen, unmet};
use crate::shapes;

/// The most bytes of a decision: two texts of which every character may be written as two escapes.
const MOST_BYTES: usize = 16 * 1024;

/// `GET /definitions`: which definitions open orders follow, other than the one at hand.
pub(crate) async fn list(State(service): State<Arc<Service>>) -> Result<Response, Problem> {
    let others = service.coordinator().other_definitions().await;
    let others = others.map_err(|error| unmet(error, |error| store_problem(&error)))?;
    Ok(shapes::json(&json!({ "definitions": others.iter().map(shape).collect::<Vec<_>>() })))
}

fn shape(other: &OtherDefinition) -> Value {
    let OtherDefinition { flow, hash, orders, difference, is_held, is_kept, is_adopted, .. } = other;
    let step = |step: &StepDifference| json!({ "name": step.step, "moved": step.is_moved, "identity": step.identity, "reading": step.reading });
    json!({
        "hash": hash,
        "flow": flow,
        "orders": orders,
        "held": is_held,
        "kept": is_kept,
        "adopted": is_adopted,
        "plan": difference.plan,
        "addresses": difference.addresses,
        "steps": difference.steps.iter().map(step).collect::<Vec<_>>(),
    })
}

/// What a person decides.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decision {
    /// `adopt` or `keep`.
    decides: Decides,
    by: String,
    why: String,
    #[serde(default)]
    same_books: bool,
}

#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Decides {
    Adopt,
    Keep,
}

/// `POST /definitions/{hash}`: lets its open orders follow the definition at hand, or go on with their own. Says how many of them
/// go on so, and what stays as it is.
pub(crate) async fn choose(
    State(service): State<Arc<Service>>,
    hash: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let hash = hash.map(|Path(hash)| hash).unwrap_or_default();
    let members = "decides (adopt or keep), the texts by and why and, where it is so, same_books";
    let wanted = (problem::NOT_A_REASON, members);
    let Decision { decides, by, why, same_books } =
        request::read_json(&headers, body, (MOST_BYTES, service.orders_budget()), wanted).await?;
    let chosen = Chosen { by, why, same_books };
    let decided = service.coordinator().choose_definition(&hash, decides == Decides::Adopt, &chosen).await;
    let decided = decided.map_err(|error| {
        unmet(error, |error| {
            let words = error.to_string();
            match error {
                AdoptError::Reason { .. } => Problem::new(problem::NOT_A_REASON, words),
                AdoptError::Unknown { .. } => Problem::new(problem::NO_SUCH_DEFINITION, words),
                AdoptError::Impossible { .. } => Problem::new(problem::CANNOT_ADOPT, words),
                AdoptError::Store(error) => store_problem(&error),
                error => unforeseen(&error),
            }
        })
    })?;
    Ok(shapes::json(&came_to(&decided)))
}

/// How many orders really go on, and what stays as it is, and why.
fn came_to(decided: &Decided) -> Value {
    let Decided { go_on, looked_for, held, named, is_partly_read, .. } = decided;
    let named: Vec<Value> = named.iter().map(|(id, why)| json!({ "id": id, "why": why })).collect();
    json!({ "orders": go_on, "looked_for": looked_for, "held": held, "held_orders": named, "partly_read": is_partly_read })
}
