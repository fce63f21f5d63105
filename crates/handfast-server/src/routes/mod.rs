//! What the service answers, one module for each kind of thing that is asked about.

pub(crate) mod acts;
mod clock;
mod definitions;
mod pages;
mod participants;
mod sagas;
mod webhooks;

use std::sync::Arc;

use axum::Router;
use axum::middleware;
use axum::routing::{get, post};

use crate::request;
use crate::service::Service;

/// Every address, with what stands before it.
pub(crate) fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/sagas", post(sagas::place).get(sagas::list))
        .route("/sagas/{id}", get(sagas::show))
        .route("/sagas/{id}/cancel", post(sagas::cancel))
        .route("/sagas/{id}/acts", post(acts::act))
        .route("/definitions", get(definitions::list))
        .route("/definitions/{hash}", post(definitions::choose))
        .route("/participants", get(participants::list))
        .route("/participants/accept", post(participants::accept))
        .route("/participants/resting", get(participants::resting))
        .route("/clock/accept", post(clock::accept))
        .route("/webhooks/{step}", post(webhooks::receive))
        .route("/livez", get(pages::live))
        .route("/readyz", get(pages::ready))
        .route("/version", get(pages::version))
        .route("/stats", get(pages::stats))
        .route("/problems/{slug}", get(pages::about_problem))
        .fallback(pages::no_such_page)
        .method_not_allowed_fallback(pages::other_method)
        .layer(middleware::from_fn(request::keep_pages_out))
        .with_state(service)
}
