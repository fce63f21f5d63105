//! What is said about the service itself: whether it lives, is ready, which version it is, and what its problems mean.

use std::sync::Arc;

use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{Uri, header};
use axum::response::{IntoResponse, Response};
use handfast::journal::hex;
use handfast_protocol::PROTOCOL_VERSION;
use serde_json::json;

use crate::access::{Access, Caller};
use crate::flows::ServedFlow;
use crate::metrics;
use crate::openapi;
use crate::problem::{self, Problem};
use crate::service::Service;
use crate::shapes;

/// `GET /livez`: the process answers, and everything runs in it that it cannot do without.
pub(crate) async fn live(State(service): State<Arc<Service>>) -> Result<&'static str, Problem> {
    match service.coordinator().dead_part() {
        None => Ok("alive\n"),
        Some(part) => Err(Problem::new(problem::DEAD, format!("{part} has stopped"))),
    }
}

/// `GET /readyz`: orders are taken.
pub(crate) async fn ready(State(service): State<Arc<Service>>) -> Result<&'static str, Problem> {
    match (service.check_ready().await, service.access()) {
        (Ok(()), _) => Ok("ready\n"),
        (Err(problem), Access::Everybody) => Err(problem),
        // A probe has no token, and strangers are told no paths and no words of the store.
        (Err(problem), Access::Tokens(_)) => {
            let why = "orders are not taken; the log says why, and so does /stats to those who have a token";
            Err(Problem::new(problem.kind(), why).retry_after_s(1))
        }
    }
}

/// `GET /version`. The flow is null where there are several; each stands in `flows`.
pub(crate) async fn version(State(service): State<Arc<Service>>, Extension(caller): Extension<Caller>) -> Response {
    let flows = service.flows();
    let only = flows.only().filter(|flow| caller.may_see(flow.name()));
    let seen = flows.iter().filter(|flow| caller.may_see(flow.name()));
    shapes::json(&json!({
        "version": env!("CARGO_PKG_VERSION"),
        "protocol_version": PROTOCOL_VERSION,
        "flow": only.map(|flow| flow.name()),
        "flow_hash": only.map(|flow| hex(&flow.flow().hash())),
        "flows": seen.map(|flow| super::flows::shape(flow)).collect::<Vec<_>>(),
    }))
}

/// `GET /stats`.
pub(crate) async fn stats(State(service): State<Arc<Service>>) -> Result<Response, Problem> {
    Ok(shapes::json(&service.stats().await?))
}

/// `GET /metrics`: the same as numbers, for Prometheus.
pub(crate) async fn metrics(State(service): State<Arc<Service>>) -> Response {
    ([(header::CONTENT_TYPE, metrics::MEDIA_TYPE)], metrics::written(&service).await).into_response()
}

/// `GET /openapi.json`: what the addresses take and answer.
pub(crate) async fn openapi(State(service): State<Arc<Service>>, Extension(caller): Extension<Caller>) -> Response {
    let flows = service.flows();
    let seen: Vec<&ServedFlow> = flows.iter().map(|flow| &**flow).filter(|flow| caller.may_see(flow.name())).collect();
    shapes::json(&openapi::document(&seen, matches!(service.access(), Access::Everybody)))
}

/// `GET /problems/{slug}`: the page that a problem's `type` leads to.
pub(crate) async fn about_problem(slug: Result<Path<String>, PathRejection>, uri: Uri) -> Response {
    // What cannot be read as text is the name of no problem.
    let slug = slug.map(|Path(slug)| slug).unwrap_or_default();
    let Some(kind) = problem::ALL.iter().find(|kind| kind.slug() == slug) else {
        return no_such_page(uri).await.into_response();
    };
    let page = format!("{} ({})\n\n{}\n", kind.title, kind.status.as_u16(), kind.page);
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], page).into_response()
}

/// Everything that has no page.
pub(crate) async fn no_such_page(uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(100).collect();
    Problem::new(problem::NO_SUCH_PAGE, format!("there is nothing at {path}"))
}

/// Everything that has a page which does not take this method; `Allow` is added by the router.
pub(crate) async fn other_method(method: axum::http::Method, uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(100).collect();
    Problem::new(problem::METHOD, format!("{path} does not take {method}"))
}
