//! The operator at a running service, over HTTP.

use std::time::Duration;

use bytes::Bytes;
use handfast::journal::Said;
use handfast::{Act, Deed, ListFilter};
use hyper::Method;
use hyper::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Trouble;
use crate::listing;
use crate::plans::{Applied, Made, Outcomes, Page, Plan};
use crate::shapes::saga::{self, Listed, Saga};
use handfast_http::client::{HttpAnswer, HttpClient};
use handfast_http::problem::MEDIA_TYPE;
use handfast_http::service_url::ServiceUrl;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) async fn list(
    client: &HttpClient,
    url: &ServiceUrl,
    filter: &ListFilter,
) -> Result<(Vec<Listed>, Option<String>), Trouble> {
    let page: saga::Page = read(url, &request(client, url, Method::GET, &listing::address(filter), None).await?)?;
    // The address of the next page is this one's with another saga in it, which is all that is wanted of it.
    let next = page.next.as_deref().map(listing::after_in);
    next.transpose().map(|next| (page.sagas, next)).map_err(Trouble::Broken)
}

pub(super) async fn look(client: &HttpClient, url: &ServiceUrl, id: &str) -> Result<Saga, Trouble> {
    read(url, &request(client, url, Method::GET, &format!("/sagas/{id}"), None).await?)
}

pub(super) async fn act(client: &HttpClient, url: &ServiceUrl, id: &str, act: &Act, said: &Said) -> Result<bool, Trouble> {
    let body = json!({
        "act": act.name(), "step": act.step(), "by": said.by, "reason": said.reason, "request_id": said.request_id,
        "saw": said.saw, "evidence": said.evidence, "kept": said.kept,
    });
    let answer = request(client, url, Method::POST, &format!("/sagas/{id}/acts"), Some(body)).await?;
    Ok(answer.status == 202)
}

pub(super) async fn cancel(
    client: &HttpClient,
    url: &ServiceUrl,
    id: &str,
    by: Option<&str>,
    why: Option<&str>,
) -> Result<(), Trouble> {
    let body = json!({ "by": by, "why": why });
    request(client, url, Method::POST, &format!("/sagas/{id}/cancel"), Some(body)).await.map(drop)
}

pub(super) async fn plan(
    client: &HttpClient,
    url: &ServiceUrl,
    filter: &ListFilter,
    deed: &Deed,
) -> Result<(Made, Option<String>), Trouble> {
    let made: Made = read(url, &request(client, url, Method::GET, &listing::address_of_plan(filter, deed), None).await?)?;
    let next = made.next.as_deref().map(listing::after_in);
    next.transpose().map(|next| (made, next)).map_err(Trouble::Broken)
}

pub(super) async fn apply(
    client: &HttpClient,
    url: &ServiceUrl,
    plan: (&Plan, &Page),
    (by, most_age_ms): (&str, u64),
) -> Result<Applied, Trouble> {
    let body = json!(super::applying(plan, Some(by), Some(most_age_ms)));
    read(url, &request(client, url, Method::POST, "/plans/apply", Some(body)).await?)
}

pub(super) async fn outcomes(client: &HttpClient, url: &ServiceUrl, plan: (&Plan, &Page)) -> Result<Outcomes, Trouble> {
    let body = json!(super::applying(plan, None, None));
    read(url, &request(client, url, Method::POST, "/plans/outcome", Some(body)).await?)
}

/// Asks a service for something else than a saga, and brings what it answers in JSON.
///
/// # Errors
/// Why there is no such answer.
pub async fn ask(
    client: &HttpClient,
    url: &ServiceUrl,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> Result<Value, Trouble> {
    read(url, &request(client, url, method, path, body).await?)
}

/// One request, and its answer if that is of the 200s.
async fn request(
    client: &HttpClient,
    url: &ServiceUrl,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> Result<HttpAnswer, Trouble> {
    let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
    let changes = method == Method::POST;
    let answer = client.ask(method, &format!("{}{path}", url.as_str()), &[], body, PATIENCE).await;
    let answer = answer.map_err(|error| {
        if changes && !error.never_left() {
            Trouble::InDoubt(format!("the request has left, and no answer has come: {error:#}"))
        } else {
            Trouble::Unreachable(format!("{error:#}"))
        }
    })?;
    if (200..300).contains(&answer.status) {
        return Ok(answer);
    }
    let is_problem = answer.headers.get(CONTENT_TYPE).is_some_and(|of| of.as_bytes().starts_with(MEDIA_TYPE.as_bytes()));
    let said = match answer.text("detail").filter(|_| is_problem) {
        Some(said) => said,
        // What stands between, and has reached no service, answers so.
        None if answer.status >= 500 => {
            let said = format!("{url} answers {}, and not as handfast does", answer.status);
            return Err(if changes { Trouble::InDoubt(said) } else { Trouble::Unreachable(said) });
        }
        None => return Err(not_handfast(url, &format!("it answers {} to {path}", answer.status))),
    };
    Err(match answer.status {
        401 => Trouble::NotLetIn(said),
        404 => Trouble::Unknown(said),
        409 => Trouble::Conflict(said),
        400..=499 => Trouble::Usage(said),
        503 => Trouble::InDoubt(said),
        _other => Trouble::Broken(said),
    })
}

fn read<T: DeserializeOwned>(url: &ServiceUrl, answer: &HttpAnswer) -> Result<T, Trouble> {
    serde_json::from_slice(&answer.body).map_err(|error| not_handfast(url, &format!("what it answers cannot be read ({error})")))
}

fn not_handfast(url: &ServiceUrl, why: &str) -> Trouble {
    Trouble::NoService(format!("{url} is no coordinator of handfast, or one of another version: {why}"))
}
