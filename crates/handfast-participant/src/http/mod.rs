//! The contract over HTTP, for any axum service: act, close, undo and peek on one path per key.

mod headers;
mod problem;
mod weak;

use std::time::Duration;

use axum::body::{Body as HttpBody, Bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use handfast_http::bodies::{BodyError, Budget};
use handfast_protocol::{Definite, PROTOCOL_VERSION};
use rusqlite::Connection;
use serde::Serialize;
use serde_json::{Value, json};

use self::problem::Problem;
pub use self::weak::{Tell, Weakness, weak_contract_router};
use crate::body::{BODY_LIMIT_BYTES, Body};
use crate::key::{Key, Position};
use crate::receipt::{Receipt, Reply};
use crate::registers::{NotDefinite, Registers, Request};

/// How long a sender may take to deliver a body.
const BODY_PATIENCE: Duration = Duration::from_secs(20);

/// The contract: `PUT /{key}` acts, `POST /{key}/close` closes, `DELETE /{key}` undoes, `GET /{key}` peeks. Nest it under
/// the path that participants are known by (`/charges`). Whatever is no answer about a key is `application/problem+json`,
/// also what axum itself turns away below that path.
pub fn contract_router(registers: &Registers) -> Router {
    let paths = Router::new().route("/{key}", put(act).delete(undo).get(peek)).route("/{key}/close", post(close));
    with_problems(paths.with_state(registers.clone()))
}

/// What operators ask of any service: `/livez` (the process runs), `/readyz` (the store can be read and takes requests)
/// and `/version`.
pub fn about_router(registers: &Registers) -> Router {
    Router::new()
        .route("/livez", get(async || Json(json!({ "status": "live" }))))
        .route("/readyz", get(ready))
        .route("/version", get(version))
        .with_state(registers.clone())
}

/// Problems for every path that the router does not have, and every method that its paths do not take.
pub(crate) fn with_problems(router: Router) -> Router {
    router.method_not_allowed_fallback(problem::method_not_allowed).fallback(problem::not_found)
}

async fn ready(State(registers): State<Registers>) -> Response {
    match registers.position().await {
        Ok(position) => Json(json!({
            "status": "ready", "service": registers.service(), "incarnation": position.incarnation.as_str(), "seq": position.seq,
        }))
        .into_response(),
        Err(error) => Problem::from(error).into_response(),
    }
}

async fn version(State(registers): State<Registers>) -> Json<Value> {
    Json(json!({ "service": registers.service(), "version": env!("CARGO_PKG_VERSION"), "protocol": PROTOCOL_VERSION }))
}

type KeyInPath = Result<Path<String>, PathRejection>;

async fn act(
    State(registers): State<Registers>,
    key: KeyInPath,
    headers: HeaderMap,
    body: HttpBody,
) -> Result<Response, Problem> {
    let key = parse_key(key)?;
    headers::require_json(&headers)?;
    let not_after = headers::not_after(&headers)?;
    let seen = headers::seen(&headers)?;
    let body = Body::parse(&read_body(body).await?).map_err(|error| Problem::new(problem::BODY_INVALID, error.to_string()))?;
    let reply = registers.receive(key.clone(), Request::Act { body, not_after }, seen).await?;
    Ok(respond(&key, reply, |state| match state {
        Definite::Done => StatusCode::OK,
        Definite::Refused => StatusCode::CONFLICT,
        Definite::Closed | Definite::Undone => StatusCode::GONE,
    }))
}

async fn close(State(registers): State<Registers>, key: KeyInPath, headers: HeaderMap) -> Result<Response, Problem> {
    let key = parse_key(key)?;
    let body = headers::body_hash(&headers)?;
    let seen = headers::seen(&headers)?;
    let reply = registers.receive(key.clone(), Request::Close { body }, seen).await?;
    Ok(respond(&key, reply, |_| StatusCode::OK))
}

async fn undo(State(registers): State<Registers>, key: KeyInPath, headers: HeaderMap) -> Result<Response, Problem> {
    let key = parse_key(key)?;
    let body = headers::body_hash(&headers)?;
    let seen = headers::seen(&headers)?;
    let reply = registers.receive(key.clone(), Request::Undo { body }, seen).await?;
    Ok(respond(&key, reply, |_| StatusCode::OK))
}

async fn peek(State(registers): State<Registers>, key: KeyInPath, headers: HeaderMap) -> Result<Response, Problem> {
    let key = parse_key(key)?;
    let seen = headers::seen(&headers)?;
    let reply = registers.peek(key.clone(), seen).await?;
    Ok(respond(&key, reply, |_| StatusCode::OK))
}

/// A read-only page: what one snapshot of the store says, as JSON.
pub(crate) async fn page<T: Serialize + Send + 'static>(
    registers: &Registers,
    look: fn(&Connection) -> Result<T, rusqlite::Error>,
) -> Response {
    match registers.read(move |snapshot| Ok(look(snapshot)?)).await {
        Ok(found) => Json(found).into_response(),
        Err(error) => Problem::from(error).into_response(),
    }
}

fn parse_key(key: KeyInPath) -> Result<Key, Problem> {
    let Path(text) =
        key.map_err(|_| Problem::new(problem::KEY_INVALID, "the key in the path is not valid percent-encoded UTF-8"))?;
    text.parse().map_err(|error: crate::key::KeyError| Problem::new(problem::KEY_INVALID, error.to_string()))
}

pub(crate) async fn read_body(body: HttpBody) -> Result<Bytes, Problem> {
    // Everybody who calls is known to the operator of a participant, so that only one body at a time is bounded.
    let read = Budget::new(usize::MAX).read(body, BODY_LIMIT_BYTES, BODY_PATIENCE).await;
    read.map(|held| held.clone()).map_err(|error| {
        let kind = match error {
            BodyError::TooLarge { .. } => problem::BODY_TOO_LARGE,
            BodyError::TooSlow { .. } => problem::BODY_LATE,
            BodyError::Lost => problem::BODY_INVALID,
            BodyError::Crowded => problem::OVERLOADED,
        };
        Problem::new(kind, error.to_string())
    })
}

fn respond(key: &Key, reply: Reply, status_of: impl FnOnce(Definite) -> StatusCode) -> Response {
    let receipt = |status: StatusCode, receipt: Receipt| (status, Json(receipt)).into_response();
    match reply {
        Reply::State(state) => receipt(status_of(state.state), state),
        Reply::OtherBody(state) => receipt(StatusCode::UNPROCESSABLE_ENTITY, state),
        Reply::Absent(position) => nowhere(StatusCode::NOT_FOUND, key, "absent", &position),
        Reply::Behind(position) => nowhere(StatusCode::PRECONDITION_FAILED, key, "behind", &position),
    }
}

/// An answer that says nothing for good about the key, but where the store stands.
fn nowhere(status: StatusCode, key: &Key, state: &str, position: &Position) -> Response {
    let body = json!({ "key": key.as_str(), "state": state, "seq": position.seq, "incarnation": position.incarnation.as_str() });
    (status, Json(body)).into_response()
}

/// The problem that says why nothing is known.
pub(crate) fn problem_of(error: NotDefinite) -> Response {
    Problem::from(error).into_response()
}
