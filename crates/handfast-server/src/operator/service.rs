//! The operator at a running service, over HTTP.

use std::time::Duration;

use bytes::Bytes;
use handfast::journal::Said;
use handfast::{Act, ListFilter};
use hyper::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Trouble;
use crate::listing;
use crate::shapes::saga::{Listed, Page, Saga};
use handfast_http::client::{HttpAnswer, HttpClient};

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) async fn list(client: &HttpClient, url: &str, filter: &ListFilter) -> Result<(Vec<Listed>, Option<String>), Trouble> {
    let page: Page = read(&ask(client, url, Method::GET, &listing::address(filter), None).await?)?;
    // The address of the next page is this one's with another saga in it, which is all that is wanted of it.
    let next = page.next.as_deref().map(listing::after_in);
    next.transpose().map(|next| (page.sagas, next)).map_err(Trouble::Broken)
}

pub(super) async fn look(client: &HttpClient, url: &str, id: &str) -> Result<Saga, Trouble> {
    read(&ask(client, url, Method::GET, &format!("/sagas/{id}"), None).await?)
}

pub(super) async fn act(client: &HttpClient, url: &str, id: &str, act: &Act, said: &Said) -> Result<bool, Trouble> {
    let body = json!({
        "act": act.name(), "step": act.step(), "by": said.by, "reason": said.reason, "request_id": said.request_id,
        "saw": said.saw, "evidence": said.evidence, "kept": said.kept,
    });
    let answer = ask(client, url, Method::POST, &format!("/sagas/{id}/acts"), Some(body)).await?;
    Ok(answer.status == 202)
}

pub(super) async fn cancel(client: &HttpClient, url: &str, id: &str, by: Option<&str>, why: Option<&str>) -> Result<(), Trouble> {
    let body = json!({ "by": by, "why": why });
    ask(client, url, Method::POST, &format!("/sagas/{id}/cancel"), Some(body)).await.map(drop)
}

/// One request, and its answer if that is of the 200s.
async fn ask(client: &HttpClient, url: &str, method: Method, path: &str, body: Option<Value>) -> Result<HttpAnswer, Trouble> {
    let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
    let url = format!("{}{path}", url.trim_end_matches('/'));
    let changes = method == Method::POST;
    let answer = client.ask(method, &url, &[], body, PATIENCE).await;
    let answer = answer.map_err(|error| match error.never_left() {
        false if changes => Trouble::InDoubt(format!("the request has left, and no answer has come: {error:#}")),
        false | true => Trouble::Unreachable(format!("{error:#}")),
    })?;
    if (200..300).contains(&answer.status) {
        return Ok(answer);
    }
    let said = answer.text("detail").unwrap_or_else(|| format!("{url} answers {}", answer.status));
    Err(match answer.status {
        401 => Trouble::Usage(format!("{said}; set HANDFAST_TOKEN, or HANDFAST_TOKEN_FILE to a file that holds it")),
        404 => Trouble::Unknown(said),
        409 => Trouble::Conflict(said),
        400..=499 => Trouble::Usage(said),
        503 => Trouble::InDoubt(said),
        _other => Trouble::Broken(said),
    })
}

fn read<T: DeserializeOwned>(answer: &HttpAnswer) -> Result<T, Trouble> {
    serde_json::from_slice(&answer.body)
        .map_err(|error| Trouble::Broken(format!("the service answers in another shape: {error}")))
}
