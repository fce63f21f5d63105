//! Participants that promise less than the contract, for tests and demonstrations: what stands before a service that keeps
//! the contract, and breaks the promises it is told to break.
//!
//! What a weak participant forgets, the registers behind it keep: where an act on a key is carried out again, it gets a key
//! of its own (`key~1`), so that the books show every effect.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body as HttpBody, Bytes, to_bytes};
use axum::extract::{Path, Request as HttpRequest, State};
use axum::http::header::{CONTENT_LENGTH, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use axum::{Json, Router};
use handfast_protocol::{Definite, Time};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tower::ServiceExt as _;

use super::contract_router;
use super::problem::{self, Problem};
use crate::body::{BODY_LIMIT_BYTES, BodyHash};
use crate::clock::{Clock, system_clock};
use crate::key::{Key, KeyError};
use crate::receipt::{Receipt, Reply};
use crate::registers::{Registers, Request};

/// One promise of the contract that a participant does not keep.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Weakness {
    /// Keys cannot be closed, and an act is never too late.
    NoClose,
    /// Undoing what is not there does nothing, and is answered as if something had been undone.
    NoOpUndo,
    /// The first act on a key is refused, and any later one is taken as if it had not been.
    LooseRefusals,
    /// Every act on a key that is done or refused is carried out again.
    NotIdempotent,
    /// Keys are forgotten after this time: an act is carried out again.
    Remembers(Duration),
    /// Tombstones expire after this time: an act is carried out after all, however late it is.
    ClosesFor(Duration),
    /// What was done lapses after this time, unless it was undone before.
    HoldsFor(Duration),
    /// An act is taken on and carried out after this time; until then it is answered with 202.
    AnswersAfter(Duration),
}

/// Is told what became of an act that was taken on and carried out later: the key, and its state.
pub type Tell = Arc<dyn Fn(&str, Definite) + Send + Sync>;

/// The contract with these weaknesses; with none of them, the contract. The caller that is to `tell` it hears of every act that
/// [`Weakness::AnswersAfter`] carries out.
pub fn weak_contract_router(registers: &Registers, weaknesses: &[Weakness], tell: Option<&Tell>) -> Router {
    let contract = contract_router(registers);
    if weaknesses.is_empty() {
        return contract;
    }
    let (tell, clock) = (tell.cloned(), system_clock());
    let weak = Weak { contract, registers: registers.clone(), weaknesses: weaknesses.into(), tell, clock };
    let paths = Router::new().route("/{key}", any(answer)).route("/{key}/close", any(answer));
    super::with_problems(paths.with_state(Arc::new(Shared { weak, notes: Mutex::default() })))
}

/// Requests are taken one at a time, so that what was looked up of a key still holds when it is used.
struct Shared {
    weak: Weak,
    notes: Mutex<Notes>,
}

/// What is remembered of keys as long as the process lives.
#[derive(Default)]
struct Notes {
    /// Refused once, although nothing was settled.
    refused: BTreeSet<String>,
    /// Taken on, and carried out later.
    under_way: BTreeSet<String>,
}

struct Weak {
    contract: Router,
    registers: Registers,
    weaknesses: Box<[Weakness]>,
    tell: Option<Tell>,
    clock: Clock,
}

/// A request as it came.
#[derive(Clone)]
struct Asked {
    key: String,
    is_close: bool,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    Path(key): Path<String>,
    method: Method,
    uri: Uri,
    request: HttpRequest,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let body = super::read_body(body).await?;
    let is_close = uri.path().ends_with("/close");
    let asked = Asked { key, is_close, method, headers: parts.headers, body };
    let mut notes = shared.notes.lock().await;
    let found = shared.weak.find(&asked.key).await?;
    match (&asked.method, is_close) {
        (&Method::POST, true) if shared.weak.has(Weakness::NoClose) => {
            Err(Problem::new(problem::NOT_FOUND, "this participant closes no keys"))
        }
        (&Method::PUT, false) => act(&shared, &mut notes, asked, found).await,
        (&Method::DELETE, false) if found.receipt.is_none() && shared.weak.has(Weakness::NoOpUndo) => {
            let body_hash = asked.headers.get("handfast-body").and_then(|hash| hash.to_str().ok());
            shared.weak.made_up(StatusCode::OK, &asked.key, Definite::Undone, body_hash, "nothing_to_undo").await
        }
        _ => Ok(shared.weak.forward(&found.name, asked).await),
    }
}

async fn act(shared: &Arc<Shared>, notes: &mut Notes, mut asked: Asked, found: Found) -> Result<Response, Problem> {
    let weak = &shared.weak;
    let closes_for = weak.time_of(|weakness| if let Weakness::ClosesFor(time) = weakness { Some(time) } else { None });
    if weak.has(Weakness::NoClose) || closes_for.is_some() {
        asked.headers.remove("handfast-not-after");
    }
    if found.receipt.is_none() && weak.has(Weakness::LooseRefusals) && notes.refused.insert(asked.key.clone()) {
        let hash = BodyHash::of(&asked.body).to_string();
        return weak.made_up(StatusCode::CONFLICT, &asked.key, Definite::Refused, Some(&hash), "not_now").await;
    }
    let is_again = found.receipt.as_ref().is_some_and(|receipt| weak.acts_again(receipt));
    let name = if is_again { found.next_name(&asked.key) } else { found.name };
    let is_new = is_again || found.receipt.is_none();
    let later = weak.time_of(|weakness| if let Weakness::AnswersAfter(time) = weakness { Some(time) } else { None });
    let holds = weak.time_of(|weakness| if let Weakness::HoldsFor(time) = weakness { Some(time) } else { None });
    let holds = holds.filter(|_| is_new);
    let Some(later) = later.filter(|_| is_new) else {
        let key = asked.key.clone();
        let response = weak.forward(&name, asked).await;
        lapse_after(shared, holds, key);
        return Ok(response);
    };
    if notes.under_way.insert(name.clone()) {
        let shared = Arc::clone(shared);
        tokio::spawn(async move {
            tokio::time::sleep(later).await;
            let mut notes = shared.notes.lock().await;
            let key = asked.key.clone();
            let _told_by_a_look = shared.weak.forward(&name, asked).await;
            notes.under_way.remove(&name);
            shared.weak.tell(&key).await;
            lapse_after(&shared, holds, key);
        });
    }
    let retry_after = [(RETRY_AFTER, HeaderValue::from_static("0"))];
    Ok((StatusCode::ACCEPTED, retry_after, Json(json!({ "status": "accepted" }))).into_response())
}

/// Lets what was just done lapse, even if no caller asks for it any more.
fn lapse_after(shared: &Arc<Shared>, holds: Option<Duration>, key: String) {
    let Some(holds) = holds else { return };
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        tokio::time::sleep(holds).await;
        let _turn = shared.notes.lock().await;
        // To find a key is to see to it that it has lapsed when its time is over.
        let _found = shared.weak.find(&key).await;
    });
}

/// Where a key's latest effect stands, among the registers that stand for it.
struct Found {
    name: String,
    number: u32,
    receipt: Option<Receipt>,
}

impl Found {
    fn next_name(&self, key: &str) -> String {
        format!("{key}~{}", self.number + 1)
    }
}

impl Weak {
    fn has(&self, weakness: Weakness) -> bool {
        self.weaknesses.contains(&weakness)
    }

    fn time_of(&self, time: impl Fn(Weakness) -> Option<Duration>) -> Option<Duration> {
        self.weaknesses.iter().copied().find_map(time)
    }

    fn is_over(&self, since: Time, time: Option<Duration>) -> bool {
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        time.is_some_and(|time| since.after(ms(time)) <= (self.clock)())
    }

    /// Whether an act on a key that stands like this is carried out again.
    fn acts_again(&self, receipt: &Receipt) -> bool {
        let remembers = self.time_of(|weakness| if let Weakness::Remembers(time) = weakness { Some(time) } else { None });
        let closes_for = self.time_of(|weakness| if let Weakness::ClosesFor(time) = weakness { Some(time) } else { None });
        match receipt.state {
            Definite::Closed => self.is_over(receipt.at, closes_for),
            Definite::Done | Definite::Refused if self.has(Weakness::NotIdempotent) => true,
            Definite::Done | Definite::Refused | Definite::Undone => self.is_over(receipt.at, remembers),
        }
    }

    /// The latest register that stands for a key, once what it holds has lapsed if its time is over.
    async fn find(&self, key: &str) -> Result<Found, Problem> {
        let mut found = Found { name: key.to_owned(), number: 0, receipt: None };
        for number in 0.. {
            let name = if number == 0 { key.to_owned() } else { format!("{key}~{number}") };
            let parsed: Key = name.parse().map_err(|error: KeyError| Problem::new(problem::KEY_INVALID, error.to_string()))?;
            let Reply::State(receipt) = self.registers.peek(parsed, None).await? else { break };
            found = Found { name, number, receipt: Some(receipt) };
        }
        let holds = self.time_of(|weakness| if let Weakness::HoldsFor(time) = weakness { Some(time) } else { None });
        if let Some(receipt) = &mut found.receipt
            && receipt.state == Definite::Done
            && self.is_over(receipt.at, holds)
            && let Reply::State(lapsed) = self.registers.receive(receipt.key.clone(), Request::Undo { body: None }, None).await?
        {
            *receipt = lapsed;
        }
        Ok(found)
    }

    /// Says what became of a key that was taken on.
    async fn tell(&self, key: &str) {
        let Some(tell) = &self.tell else { return };
        // What the store does not say cannot be told; a caller that asks again hears of it.
        if let Ok(Found { receipt: Some(receipt), .. }) = self.find(key).await {
            tell(key, receipt.state);
        }
    }

    /// An answer that nothing in the store stands behind.
    async fn made_up(
        &self,
        status: StatusCode,
        key: &str,
        state: Definite,
        body_hash: Option<&str>,
        detail: &str,
    ) -> Result<Response, Problem> {
        let position = self.registers.position().await?;
        let (seq, incarnation, at) = (position.seq, position.incarnation.as_str(), (self.clock)().0);
        let receipt = json!({
            "key": key, "state": state.name(), "body_hash": body_hash, "seq": seq, "incarnation": incarnation, "at": at,
            "detail": detail,
        });
        Ok((status, Json(receipt)).into_response())
    }

    /// Asks the service behind under one of a key's names, and answers under the key's own.
    async fn forward(&self, name: &str, asked: Asked) -> Response {
        let Asked { key, is_close, method, headers, body } = asked;
        let mut request = HttpRequest::new(HttpBody::from(body));
        *request.method_mut() = method;
        *request.headers_mut() = headers;
        let path = if is_close { format!("/{name}/close") } else { format!("/{name}") };
        let Ok(uri) = path.parse() else {
            return Problem::new(problem::KEY_INVALID, KeyError.to_string()).into_response();
        };
        *request.uri_mut() = uri;
        let response = match self.contract.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let (mut parts, body) = response.into_parts();
        let Ok(body) = to_bytes(body, BODY_LIMIT_BYTES).await else {
            return Problem::new(problem::STORE_ERROR, problem::STORE_ERROR.page).into_response();
        };
        let Ok(mut said) = serde_json::from_slice::<Value>(&body) else { return (parts, body).into_response() };
        if said["key"] == name {
            said["key"] = key.into();
            // What it makes up has no place in the store's history, so it says nothing of that: as an older service does.
            if let Some(said) = said.as_object_mut() {
                said.retain(|member, _| member != "mark" && member != "opening");
            }
        }
        parts.headers.remove(CONTENT_LENGTH);
        (parts, said.to_string()).into_response()
    }
}
