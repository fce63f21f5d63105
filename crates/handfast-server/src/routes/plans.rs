//! Plans over HTTP: a page of one is made, applied, and asked what has come of it. The service keeps nothing of them.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use handfast::store::StoreError;
use handfast::{ActError, ActResult, Deed, ForeseenPage, ListFilter};
use handfast_machine::clock;

use super::acts::act_problem;
use super::sagas::{self, check_after, check_flow};
use crate::access::{Caller, Scope};
use crate::coordinator::Unmet;
use crate::listing;
use crate::plans::{Applying, MOST_AGE_MS, Made, NoResult, apply_page, check_words, outcomes_of, page_of};
use crate::problem::{self, Problem};
use crate::query::Sent;
use crate::request;
use crate::service::{Service, store_problem, unmet};
use crate::shapes;

/// The most bytes of a page of a plan with its head: a thousand sagas on it, and thousands of pages.
const MOST_BYTES: usize = 2 * 1024 * 1024;

fn store_id(service: &Service) -> Result<&str, Problem> {
    service.coordinator().store_id().ok_or_else(|| unmet(Unmet::<StoreError>::NotOffered, |error| store_problem(&error)))
}

/// `GET /plans?act=..`: what would come of an act, of a page of sagas. It reads, and changes nothing.
pub(crate) async fn make(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    query: Sent,
) -> Result<Response, Problem> {
    let (filter, deed) = listing::plan(query).map_err(|why| Problem::new(problem::QUERY, why))?;
    let filter = sagas::own(&caller, filter)?;
    check_after(&service, caller.flow(), filter.after.as_deref()).await?;
    let page = foreseen(&service, &caller, &filter, &deed).await?;
    let next = page.next.clone().map(|next| listing::address_of_plan(&filter.with_after(Some(next)), &deed));
    Ok(shapes::json(&Made::of((store_id(&service)?, clock::now_ms()), page_of(&page), next)))
}

/// A page. For a caller that is bound to a flow the next one begins after a saga that it was shown, as in a list.
async fn foreseen(service: &Service, caller: &Caller, filter: &ListFilter, deed: &Deed) -> Result<ForeseenPage, Problem> {
    let mut wanted = filter.clone();
    loop {
        let asked = service.coordinator().foresee(&wanted, deed).await;
        let mut page = asked.map_err(|error| unmet(error, |error| store_problem(&error)))?;
        match (caller.flow(), &page.last, page.next.take()) {
            (Some(_), None, Some(next)) => wanted = wanted.with_after(Some(next)),
            (Some(_), Some(last), Some(_)) => {
                page.next = Some(last.clone());
                return Ok(page);
            }
            (None, _, next) | (Some(_), _, next @ None) => {
                page.next = next;
                return Ok(page);
            }
        }
    }
}

/// Reads a page of a plan of this service's store, and says what is to be done.
async fn page(service: &Service, headers: &HeaderMap, body: Body) -> Result<(Applying, Deed), Problem> {
    let wanted = (problem::NOT_A_PLAN, "token, head and page of a plan, and by where it is applied");
    let applying: Applying = request::read_json(headers, body, (MOST_BYTES, service.orders_budget()), wanted).await?;
    let Applying { token, head, page, not_older_than_ms, by } = &applying;
    // What has come of a plan can be asked for ever.
    let most_ms = if by.is_some() { not_older_than_ms.unwrap_or(MOST_AGE_MS) } else { u64::MAX };
    let deed = head.check(token, store_id(service)?, (clock::now_ms(), most_ms));
    let deed = deed.and_then(|deed| head.check_page(page).map(|()| deed));
    let deed = deed.map_err(|why| Problem::new(problem::NOT_THIS_PLAN, why.to_string()))?;
    Ok((applying, deed))
}

/// What a deed asks of its caller.
fn scopes(deed: &Deed) -> &'static [Scope] {
    match deed {
        // Taking back one order is a matter of who placed it, taking back many is not.
        Deed::Cancel => &[Scope::Money],
        Deed::Act(act) if Scope::of_act(act) == Scope::Operate => &[Scope::Operate],
        Deed::Act(_) => &[Scope::Money],
    }
}

/// `POST /plans/apply`: acts on each saga of a page that still stands as it stood.
pub(crate) async fn apply(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let (applying, deed) = page(&service, &headers, body).await?;
    caller.check(scopes(&deed))?;
    let by = applying.by.clone().ok_or_else(|| Problem::new(problem::NOT_A_PLAN, "by is missing; say who applies the plan"))?;
    check_words(&applying.head, &by).map_err(|error| act_problem("", error))?;
    let applied = apply_page((&applying, &deed), &by, |id, deed, said, digest| {
        let (service, caller) = (Arc::clone(&service), caller.clone());
        async move {
            let unknown = |problem: Problem| NoResult::Unknown(problem.detail().to_owned());
            if !is_there(&service, &caller, &id).await.map_err(unknown)? {
                return Ok(ActResult::Unknown);
            }
            let asked = service.coordinator().act_as_foreseen(&id, &deed, &said, digest).await;
            asked.map_err(|error| match error {
                Unmet::Error(error @ ActError::Unreadable { .. }) => NoResult::Refused(error.to_string()),
                error @ (Unmet::NotOffered | Unmet::Error(_)) => unknown(unmet(error, |error| act_problem(&id, error))),
            })
        }
    });
    Ok(shapes::json(&applied.await))
}

/// `POST /plans/outcome`: what has come so far of a page that was applied, read from the journals.
pub(crate) async fn outcome(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let (applying, _) = page(&service, &headers, body).await?;
    let outcomes = outcomes_of(&applying, |id, request_id| {
        let (service, caller) = (Arc::clone(&service), caller.clone());
        async move {
            if !is_there(&service, &caller, &id).await? {
                return Ok(None);
            }
            let asked = service.coordinator().outturn(&id, &request_id).await;
            asked.map_err(|error| unmet(error, |error| act_problem(&id, error)))
        }
    });
    Ok(shapes::json(&outcomes.await?))
}

/// Whether a saga is there for this caller.
async fn is_there(service: &Service, caller: &Caller, id: &str) -> Result<bool, Problem> {
    match check_flow(service, caller, id).await {
        Ok(()) => Ok(true),
        Err(problem) if problem.kind().slug() == problem::NO_SUCH_SAGA.slug() => Ok(false),
        Err(problem) => Err(problem),
    }
}
