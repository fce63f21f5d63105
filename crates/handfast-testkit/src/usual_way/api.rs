//! The same requests as `handfast serve` takes, as far as the demo makes them.

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde_json::json;
use tokio::sync::watch;

use super::order::Progress;
use super::{Placed, Shop};

pub(super) fn router(shop: Shop) -> Router {
    Router::new()
        .route("/sagas", post(place))
        .route("/sagas/{id}", get(show))
        .route("/sagas/{id}/cancel", post(cancel))
        .route("/readyz", get(async || "ready\n"))
        .route("/stats", get(stats))
        .with_state(shop)
}

async fn place(State(shop): State<Shop>, headers: HeaderMap, body: Bytes) -> Response {
    let Some(id) = headers.get("idempotency-key").and_then(|value| value.to_str().ok()) else {
        return (StatusCode::BAD_REQUEST, "the header Idempotency-Key is missing\n").into_response();
    };
    match shop.place(id, body.into()).await {
        Ok(Placed::Taken(mut watched)) => {
            wait_for_end(&mut watched, &headers).await;
            let progress = *watched.borrow();
            let status = if progress.stage.outcome().is_some() { StatusCode::OK } else { StatusCode::ACCEPTED };
            answer(status, id, progress)
        }
        Ok(Placed::OtherOrder) => (StatusCode::UNPROCESSABLE_ENTITY, "this key stands for another order\n").into_response(),
        Err(error) => unavailable(&error),
    }
}

async fn show(State(shop): State<Shop>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let order = match shop.find(&id).await {
        Ok(Some(order)) => order,
        Ok(None) => return no_such_order(),
        Err(error) => return unavailable(&error),
    };
    let mut watched = order.subscribe();
    wait_for_end(&mut watched, &headers).await;
    let progress = *watched.borrow();
    answer(StatusCode::OK, &id, progress)
}

async fn cancel(State(shop): State<Shop>, Path(id): Path<String>) -> Response {
    let order = match shop.find(&id).await {
        Ok(Some(order)) => order,
        Ok(None) => return no_such_order(),
        Err(error) => return unavailable(&error),
    };
    if let Err(error) = shop.surroundings.book.cancel(&id).await {
        return unavailable(&error);
    }
    order.send_modify(|progress| progress.cancel = true);
    let progress = *order.borrow();
    answer(StatusCode::ACCEPTED, &id, progress)
}

async fn stats(State(shop): State<Shop>) -> Response {
    json_answer(StatusCode::OK, &json!({ "in_doubt": shop.unfinished() }))
}

async fn wait_for_end(watched: &mut watch::Receiver<Progress>, headers: &HeaderMap) {
    let preferred = headers.get("prefer").and_then(|value| value.to_str().ok()?.strip_prefix("wait=")?.parse().ok());
    if let Some(seconds) = preferred {
        let ended = watched.wait_for(|progress| progress.stage.outcome().is_some());
        // How it stands is read afterwards in any case.
        drop(tokio::time::timeout(Duration::from_secs(seconds), ended).await);
    }
}

fn answer(status: StatusCode, id: &str, progress: Progress) -> Response {
    json_answer(status, &json!({ "id": id, "standing": progress.stage.name(), "outcome": progress.stage.outcome() }))
}

fn json_answer(status: StatusCode, value: &serde_json::Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

fn no_such_order() -> Response {
    (StatusCode::NOT_FOUND, "there is no such order\n").into_response()
}

fn unavailable(error: &anyhow::Error) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, format!("{error:#}\n")).into_response()
}
