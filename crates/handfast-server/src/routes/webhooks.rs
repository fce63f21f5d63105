//! `POST /flows/{flow}/webhooks/{step}`, and `/webhooks/{step}` where no other flow has such a step: a service says that there may be news. What it says decides nothing; its participant is asked.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use handfast::webhook::{NotReceived, Reception, WebhookReceiver};

use crate::problem::{self, Problem};
use crate::request;
use crate::service::{Service, stopping, unforeseen};

/// The most bytes of a webhook's body.
const MOST_WEBHOOK_BYTES: usize = 256 * 1024;

/// Takes a webhook of a step, whichever flow has it: of several the one whose secret has signed it.
pub(crate) async fn receive(
    State(service): State<Arc<Service>>,
    step: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let step = step.map(|Path(step)| step).unwrap_or_default();
    let flows = service.flows();
    let takers: Vec<&WebhookReceiver> = flows.with_removed().filter_map(|flow| flow.webhooks().get(&step)).collect();
    if takers.is_empty() {
        let step: String = step.chars().take(32).collect();
        // Which flows there are is not for everybody to know.
        return Err(Problem::new(problem::NO_SUCH_PAGE, format!("there is no step {step:?} with [step.http.webhook]")));
    }
    take(&service, &takers, &headers, body).await
}

/// Takes a webhook of a step of this flow. Who cannot sign one does not learn from the answer which flows and steps there are.
pub(crate) async fn receive_named(
    State(service): State<Arc<Service>>,
    place: Result<Path<(String, String)>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    const UNSIGNED: &str = "the webhook is not signed by the secret of such a step, or was signed too long ago";
    let (flow, step) = place.map(|Path(place)| place).unwrap_or_default();
    let flows = service.flows();
    let taker = flows.named(&flow).or_else(|| flows.removed(&flow)).and_then(|flow| flow.webhooks().get(&step));
    let taken = match taker {
        Some(taker) => take(&service, &[taker], &headers, body).await,
        None => {
            let (flow, step): (String, String) = (flow.chars().take(32).collect(), step.chars().take(32).collect());
            tracing::warn!(name: "webhook_of_nothing", flow, step, "a webhook came for a step that there is not, or that takes none");
            Err(Problem::new(problem::NOT_SIGNED, UNSIGNED).challenge("webhook-signature"))
        }
    };
    taken.map_err(|refused| match refused.kind() == problem::NOT_SIGNED {
        true => Problem::new(problem::NOT_SIGNED, UNSIGNED).challenge("webhook-signature"),
        false => refused,
    })
}

/// Takes a webhook, if it is signed with the secret of one of these. One that was taken before, or that is about nothing of this
/// service, is answered with success as well: there is nothing left for its sender to do, and it should not be sent again.
async fn take(service: &Service, takers: &[&WebhookReceiver], headers: &HeaderMap, body: Body) -> Result<StatusCode, Problem> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    // The headers are checked before the body is read: any client may send requests here, as many as it likes.
    let Some(hinted) = service.coordinator().hinted() else {
        return Err(Problem::new(problem::NOT_OFFERED, "what runs the sagas of this service takes no hints"));
    };
    let (mut possible, mut refused) = (Vec::new(), None);
    for taker in takers {
        match taker.check_headers(hinted, header) {
            Ok(()) => possible.push(*taker),
            Err(error) => refused = Some(error),
        }
    }
    if let (true, Some(error)) = (possible.is_empty(), refused) {
        return Err(not_signed(error));
    }
    let body = request::any_body(body, MOST_WEBHOOK_BYTES, service.webhooks_budget()).await?;
    let mut refused = None;
    for taker in possible {
        match taker.receive(hinted, header, &body) {
            Ok(Reception::Taken | Reception::Repeated | Reception::NoneOfOurs) => return Ok(StatusCode::NO_CONTENT),
            // Another flow's step may have signed it.
            Err(error @ NotReceived::NotSigned(_)) => refused = Some(not_signed(error)),
            Err(error @ NotReceived::NotJson) => return Err(Problem::new(problem::NOT_JSON, error.to_string())),
            Err(error @ NotReceived::Busy) => return Err(Problem::new(problem::BUSY, error.to_string()).retry_after_s(5)),
            Err(NotReceived::Stopping) => return Err(stopping()),
            Err(error) => return Err(unforeseen(&error)),
        }
    }
    Err(refused
        .unwrap_or_else(|| Problem::new(problem::NOT_SIGNED, "no step of this name takes it").challenge("webhook-signature")))
}

fn not_signed(error: NotReceived) -> Problem {
    Problem::new(problem::NOT_SIGNED, error.to_string()).challenge("webhook-signature")
}
