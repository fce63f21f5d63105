//! `POST /flows/{flow}/webhooks/{step}`, and `/webhooks/{step}` where no other flow has such a step: a service says that there may be news. What it says decides nothing; its participant is asked.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use handfast::webhook::{NotReceived, Reception};

use crate::flows::ServedFlow;
use crate::problem::{self, Problem};
use crate::request;
use crate::service::{Service, stopping, unforeseen};

/// The most bytes of a webhook's body.
const MOST_WEBHOOK_BYTES: usize = 256 * 1024;

/// Takes a webhook of a step, whichever flow has it.
pub(crate) async fn receive(
    State(service): State<Arc<Service>>,
    step: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let step = step.map(|Path(step)| step).unwrap_or_default();
    let flows = service.flows();
    let takers: Vec<_> = flows.with_removed().filter(|flow| flow.webhooks().contains_key(&step)).collect();
    match takers.as_slice() {
        [flow] => take(&service, (flow, &step), &headers, body).await,
        [] => Err(no_such_step(&step)),
        several => {
            let at: Vec<String> = several.iter().map(|flow| format!("/flows/{}/webhooks/{step}", flow.name())).collect();
            let why = format!("several flows have a step {step:?} that takes webhooks; send them to {}", at.join(" or "));
            Err(Problem::new(problem::NO_SUCH_PAGE, why))
        }
    }
}

/// Takes a webhook of a step of this flow.
pub(crate) async fn receive_named(
    State(service): State<Arc<Service>>,
    place: Result<Path<(String, String)>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let (flow, step) = place.map(|Path(place)| place).unwrap_or_default();
    let flows = service.flows();
    match flows.named(&flow).or_else(|| flows.removed(&flow)) {
        Some(flow) => take(&service, (flow, &step), &headers, body).await,
        None => Err(no_such_step(&step)),
    }
}

fn no_such_step(step: &str) -> Problem {
    let step: String = step.chars().take(32).collect();
    Problem::new(problem::NO_SUCH_PAGE, format!("the flow has no step {step:?} with [step.http.webhook]"))
}

/// Takes a webhook, if it is signed with the step's secret. One that was taken before, or that is about nothing of this
/// service, is answered with success as well: there is nothing left for its sender to do, and it should not be sent again.
async fn take(
    service: &Service,
    (flow, step): (&ServedFlow, &str),
    headers: &HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let receiver = flow.webhooks().get(step).ok_or_else(|| no_such_step(step))?;
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    // The headers are checked before the body is read: any client may send requests here, as many as it likes.
    let Some(hinted) = service.coordinator().hinted() else {
        return Err(Problem::new(problem::NOT_OFFERED, "what runs the sagas of this service takes no hints"));
    };
    receiver.check_headers(hinted, header).map_err(not_signed)?;
    let body = request::any_body(body, MOST_WEBHOOK_BYTES, service.webhooks_budget()).await?;
    match receiver.receive(hinted, header, &body) {
        Ok(Reception::Taken | Reception::Repeated | Reception::NoneOfOurs) => Ok(StatusCode::NO_CONTENT),
        Err(error @ NotReceived::NotSigned(_)) => Err(not_signed(error)),
        Err(error @ NotReceived::NotJson) => Err(Problem::new(problem::NOT_JSON, error.to_string())),
        Err(error @ NotReceived::Busy) => Err(Problem::new(problem::BUSY, error.to_string()).retry_after_s(5)),
        Err(NotReceived::Stopping) => Err(stopping()),
        Err(error) => Err(unforeseen(&error)),
    }
}

fn not_signed(error: NotReceived) -> Problem {
    Problem::new(problem::NOT_SIGNED, error.to_string()).challenge("webhook-signature")
}
