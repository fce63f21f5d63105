//! `POST /webhooks/{step}`: a service says that there may be news. What it says decides nothing; its participant is asked.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use handfast::webhook::{NotReceived, Reception};

use crate::problem::{self, Problem};
use crate::request;
use crate::service::{Service, stopping, unforeseen};

/// The most bytes of a webhook's body.
const MOST_WEBHOOK_BYTES: usize = 256 * 1024;

/// Takes a webhook, if it is signed with the step's secret. One that was taken before, or that is about nothing of this
/// service, is answered with success as well: there is nothing left for its sender to do, and it should not be sent again.
pub(crate) async fn receive(
    State(service): State<Arc<Service>>,
    step: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let step = step.map(|Path(step)| step).unwrap_or_default();
    let Some(receiver) = service.webhook(&step) else {
        let step: String = step.chars().take(32).collect();
        let detail = format!("the flow has no step {step:?} with [step.http.webhook]");
        return Err(Problem::new(problem::NO_SUCH_PAGE, detail));
    };
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
