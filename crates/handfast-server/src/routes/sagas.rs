//! Placing an order, looking at a saga, listing them, and asking for *neither*.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use handfast::flow_file::MAX_ORDER_BYTES;
use handfast::store::StoreError;
use handfast::{CancelError, CancelResult, ListFilter, ListPage, Outcome, SagaView};
use handfast_http::bodies;
use serde::Deserialize;

use crate::access::Caller;
use crate::coordinator::Followed;
use crate::key::{self, IdempotencyKey};
use crate::listing;
use crate::operator::{self, not_cancelled};
use crate::prefer::{self, Wait};
use crate::problem::{self, Problem};
use crate::query::Sent;
use crate::request;
use crate::routes::flows;
use crate::service::{NotPlaced, Service, clock_problem, read_order, stopping, store_problem, unforeseen, unmet};
use crate::shapes;
use crate::shapes::saga::{Listed, Short, WholeSaga};

/// The most bytes of a reason for cancelling: two texts of which every character may be written as two escapes.
const MOST_REASON_BYTES: usize = 16 * 1024;
/// How long a cancel may take to be written. It is written all the same where that takes longer.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the answer to an order, or to a person, waits for what is in the way to be read. What was asked is done, whatever comes
/// of that.
const LOOK_TIMEOUT: Duration = Duration::from_secs(1);

/// How often an order is read by the flow that is at hand then.
const MOST_READINGS: usize = 8;

/// What a caller that is bound to a flow is told of a saga that may be another flow's.
const UNREADABLE: &str = "what is stored of this saga cannot be read; who runs the service can look into it with handfast show";

/// The id in a path. What cannot be read as one is the id of no saga.
pub(crate) type Id = Result<Path<String>, PathRejection>;

pub(super) fn id_of(id: Id) -> Result<String, Problem> {
    id.map(|Path(id)| id).map_err(|_| no_such_saga("of this name"))
}

pub(super) fn no_such_saga(id: &str) -> Problem {
    Problem::new(problem::NO_SUCH_SAGA, operator::no_such_saga(id))
}

/// Whether the saga is there for this caller: one of another flow than its token's is not, as one that was never placed.
///
/// # Errors
/// It is not there.
pub(super) async fn check_flow(service: &Service, caller: &Caller, id: &str) -> Result<(), Problem> {
    if caller.flow().is_none() {
        return Ok(());
    }
    look_for(service, caller, id, false).await.map(drop)
}

/// The saga, if it is there for this caller. Of one that cannot be read it is not known of which flow it is either, so a caller
/// that is bound to one is told none of the store's words.
async fn look_for(service: &Service, caller: &Caller, id: &str, with_tries: bool) -> Result<SagaView, Problem> {
    let view = service.coordinator().look(id, with_tries).await.map_err(|error| {
        let is_hidden = caller.flow().is_some() && matches!(error, StoreError::Corrupt { .. });
        if is_hidden { Problem::new(problem::BROKEN, UNREADABLE) } else { store_problem(&error) }
    })?;
    let is_there = |view: &SagaView| caller.flow().is_none_or(|own| view.flow.as_deref() == Some(own));
    view.filter(is_there).ok_or_else(|| no_such_saga(id))
}

/// `POST /sagas`: takes an order of the only flow there is.
pub(crate) async fn place(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    place_in(service, (caller, None), headers, body).await
}

/// `POST /flows/{flow}/sagas`: takes an order of this flow.
pub(crate) async fn place_named(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    name: flows::Name,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let name = name.map(|Path(name)| name).unwrap_or_default();
    place_in(service, (caller, Some(name)), headers, body).await
}

/// Takes an order of a flow. An answer of 2xx means that it is flushed.
async fn place_in(
    service: Arc<Service>,
    (caller, name): (Caller, Option<String>),
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    // Whose flow there is not is told before the body is read.
    flows::of_order(&service.flows(), &caller, name.as_deref())?;
    let wait = Wait::of(&headers);
    let key = IdempotencyKey::of(&headers)?;
    let body = request::json_body(&headers, body, MAX_ORDER_BYTES, service.orders_budget()).await?;
    // Until it is written, or is not, it takes its room; it may be waited for much longer.
    let (placing, bytes) = (Arc::clone(&service), Bytes::clone(&body));
    let placed = body.until(async move { place_by_name(&placing, (&caller, name.as_deref()), &key, &bytes).await }).await;
    let mut handle =
        placed.unwrap_or_else(|| Err(Problem::new(problem::STORE, "placing the order broke off").retry_after_s(1)))?;
    let again = handle.was_placed_before();
    let wait = wait_for_end(&service, &mut *handle, wait).await;
    let stands = handle.stands();
    // Where all is well, or no caller has waited, nothing is read: orders are many. Otherwise a caller is told what is in the way, or
    // why it came to neither, without a second request.
    let is_short_of_both = stands.outcome != Some(Outcome::Completed) && (wait.is_some() || stands.outcome.is_some());
    let view = if is_short_of_both || stands.trouble.is_some() { look_in_time(&service, handle.id()).await } else { None };
    let short = view.as_ref().map_or_else(|| Short::new(handle.id(), &stands), Short::of);
    let mut response = shapes::json(&short);
    // It may have ended since it was heard of: status and body say the same.
    *response.status_mut() = match (short.has_ended(), again) {
        (false, _) => StatusCode::ACCEPTED,
        (true, true) => StatusCode::OK,
        (true, false) => StatusCode::CREATED,
    };
    let headers = response.headers_mut();
    if let Ok(location) = HeaderValue::try_from(format!("/sagas/{}", handle.id())) {
        headers.insert(header::LOCATION, location);
    }
    if again {
        headers.insert(key::REPLAYED, HeaderValue::from_static("true"));
    }
    say_waited(headers, wait);
    Ok(response)
}

/// Reads an order by the flow that is at hand, and places it. Where that flow is read anew meanwhile, so is the order.
async fn place_by_name(
    service: &Service,
    (caller, name): (&Caller, Option<&str>),
    key: &IdempotencyKey,
    body: &[u8],
) -> Result<Box<dyn Followed>, Problem> {
    for _ in 0..MOST_READINGS {
        let flow = flows::of_order(&service.flows(), caller, name)?;
        let order = read_order(&flow, key, bodies::without_mark(body))?;
        match service.place(key, order).await {
            Ok(handle) => return Ok(handle),
            Err(NotPlaced::Refused(problem)) => return Err(problem),
            Err(NotPlaced::Overtaken) => service.settled().await,
        }
    }
    let why = "the flow was read anew again and again while the order was placed, which was not taken; send it again";
    Err(Problem::new(problem::STORE, why).retry_after_s(1))
}

/// What is known of a saga, with what is in its way by its tries, if the store says so in time.
async fn look_in_time(service: &Service, id: &str) -> Option<SagaView> {
    let looked = tokio::time::timeout(LOOK_TIMEOUT, service.coordinator().look(id, true)).await;
    looked.ok()?.ok()?
}

/// Waits for the end of a saga as long as the caller would, unless the service stops, the saga cannot end by itself, or all
/// places for waiting callers are taken, so that other callers can still be served. Says what the caller was granted.
async fn wait_for_end(service: &Service, handle: &mut dyn Followed, wait: Option<Wait>) -> Option<Wait> {
    let wait = wait?;
    let _place = service.place_to_wait()?;
    tokio::select! {
        () = handle.wait(wait.duration()) => {}
        () = service.stopped() => {}
    }
    Some(wait)
}

fn say_waited(headers: &mut HeaderMap, wait: Option<Wait>) {
    if let Some(wait) = wait {
        headers.insert(prefer::APPLIED, wait.applied());
    }
}

/// `GET /sagas/{id}`: everything that is known of a saga.
pub(crate) async fn show(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    id: Id,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = id_of(id)?;
    let mut wait = Wait::of(&headers);
    if wait.is_some() {
        check_flow(&service, &caller, &id).await?;
        let handle = service.coordinator().watch(&id).await.map_err(|error| store_problem(&error))?;
        wait = wait_for_end(&service, &mut *handle.ok_or_else(|| no_such_saga(&id))?, wait).await;
    }
    let view = look_for(&service, &caller, &id, true).await?;
    let mut response = shapes::json(&WholeSaga::of(&view));
    say_waited(response.headers_mut(), wait);
    Ok(response)
}

/// Whether a page begins after a saga that there is for a caller of this flow, or of all: an empty page would say that no more follow.
pub(super) async fn check_after(service: &Service, own: Option<&str>, after: Option<&str>) -> Result<(), Problem> {
    let Some(after) = after else { return Ok(()) };
    match service.coordinator().look(after, false).await {
        Ok(Some(view)) if own.is_none_or(|own| view.flow.as_deref() == Some(own)) => Ok(()),
        Ok(_) => Err(Problem::new(problem::QUERY, listing::no_such_after(after))),
        // One that cannot be read is there.
        Err(_) => Ok(()),
    }
}

async fn page_of(service: &Service, filter: &ListFilter) -> Result<ListPage, Problem> {
    service.coordinator().list(filter).await.map_err(|error| unmet(error, |error| store_problem(&error)))
}

/// A page for a caller that is bound to the flow of the filter. The next one begins after a saga that it was shown: a page that ends
/// where enough was looked at would name one of another flow. So where none was found yet, it is looked on.
async fn page_of_own(service: &Service, filter: &ListFilter) -> Result<ListPage, Problem> {
    let mut wanted = filter.clone();
    loop {
        let mut page = page_of(service, &wanted).await?;
        let Some(next) = page.next.take() else { return Ok(page) };
        if let Some(last) = page.sagas.last() {
            page.next = Some(last.id.clone());
            return Ok(page);
        }
        wanted = wanted.with_after(Some(next));
    }
}

/// The same filter, of the one flow to which a caller is bound.
pub(super) fn own(caller: &Caller, mut filter: ListFilter) -> Result<ListFilter, Problem> {
    let Some(own) = caller.flow() else { return Ok(filter) };
    if filter.flow.as_deref().is_some_and(|flow| flow != own) {
        let why = format!("the token is for the flow {own} alone, and the list is of another");
        return Err(caller.refuse("a token of the flow that was listed", why));
    }
    filter.flow = Some(own.to_owned());
    Ok(filter)
}

/// `GET /sagas`: a page of sagas, in the order of their placing.
pub(crate) async fn list(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    query: Sent,
) -> Result<Response, Problem> {
    let filter = own(&caller, listing::filter(query).map_err(|why| Problem::new(problem::QUERY, why))?)?;
    // Whose token is of one flow is not told which sagas of others there are.
    check_after(&service, caller.flow(), filter.after.as_deref()).await?;
    let page = match caller.flow() {
        None => page_of(&service, &filter).await?,
        Some(_) => page_of_own(&service, &filter).await?,
    };
    let next = page.next.map(|next| listing::address(&filter.with_after(Some(next))));
    Ok(shapes::json(&shapes::saga::Page { sagas: page.sagas.iter().map(Listed::of).collect(), next }))
}

/// Who asks for *neither*, and why.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Reason {
    by: Option<String>,
    why: Option<String>,
}

/// `POST /sagas/{id}/cancel`: asks for *neither*.
pub(crate) async fn cancel(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    id: Id,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let id = id_of(id)?;
    check_flow(&service, &caller, &id).await?;
    let Reason { by, why } = reason(&service, &headers, body).await?;
    let asked = service.coordinator().cancel(&id, by.as_deref(), why.as_deref());
    let result = tokio::time::timeout(CANCEL_TIMEOUT, asked).await.map_err(|_elapsed| {
        let why = service.coordinator().store_trouble().unwrap_or_else(|| "the store takes long".to_owned());
        let unknown = format!("whether saga {id} is cancelled is unknown, and it may be yet: {why}; ask again");
        Problem::new(problem::STORE, unknown).retry_after_s(5)
    })?;
    let result = result.map_err(|error| {
        unmet(error, |error| {
            let words = error.to_string();
            match error {
                CancelError::Reason { .. } => Problem::new(problem::NOT_A_REASON, words),
                CancelError::Store(error) => store_problem(&error),
                CancelError::LeftAlone { .. } => Problem::new(problem::LEFT_ALONE, words).with("saga", id.as_str()),
                CancelError::Stopping => stopping(),
                CancelError::Clock { why } => clock_problem(why),
                error => unforeseen(&error),
            }
        })
    })?;
    if let Some(why) = not_cancelled(&id, &result) {
        let kind = if result == CancelResult::Unknown { problem::NO_SUCH_SAGA } else { problem::TOO_LATE };
        return Err(Problem::new(kind, why).with("saga", id.as_str()));
    }
    let mut response = short(&service, &id).await?;
    if result == CancelResult::Accepted {
        *response.status_mut() = StatusCode::ACCEPTED;
    }
    Ok(response)
}

/// How a saga stands, read from its journal.
pub(super) async fn short(service: &Service, id: &str) -> Result<Response, Problem> {
    let view = match look_in_time(service, id).await {
        Some(view) => Some(view),
        // Tries are written before they are read; what a person has done is written already.
        None => service.coordinator().look(id, false).await.map_err(|error| store_problem(&error))?,
    };
    Ok(shapes::json(&Short::of(&view.ok_or_else(|| no_such_saga(id))?)))
}

async fn reason(service: &Service, headers: &HeaderMap, body: Body) -> Result<Reason, Problem> {
    let body = request::any_body(body, MOST_REASON_BYTES, service.orders_budget()).await?;
    let bytes = bodies::without_mark(&body);
    if bytes.is_empty() {
        return Ok(Reason::default());
    }
    request::check_json(headers)?;
    request::from_json(bytes, problem::NOT_A_REASON, "the texts by and why")
}
