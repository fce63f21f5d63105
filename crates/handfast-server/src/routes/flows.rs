//! The flows whose orders are taken here: which there are, and which one a request is about.

use std::sync::Arc;

use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use handfast::journal::hex;
use serde_json::{Value, json};

use crate::access::Caller;
use crate::flows::{Flows, Reloaded, ServedFlow};
use crate::problem::{self, Problem};
use crate::service::Service;
use crate::shapes;

/// The name in a path. What cannot be read as one is the name of no flow.
pub(crate) type Name = Result<Path<String>, PathRejection>;

/// The flow of this name, as one whose orders this caller may place.
///
/// # Errors
/// The caller's token is for another flow, or there is none of this name.
fn named(flows: &Flows, caller: &Caller, name: &str) -> Result<Arc<ServedFlow>, Problem> {
    // Whose token is of one flow is not told which others there are.
    check(caller, name)?;
    flows.named(name).cloned().ok_or_else(|| match flows.removed(name) {
        Some(_) => {
            let why = format!(
                "the flow {name} was taken out of this service, so that no order of it is taken any more; those under way go on"
            );
            Problem::new(problem::FLOW_REMOVED, why)
        }
        None => no_such_flow(flows, caller, name),
    })
}

/// The flow that an order follows, by the name in its address, if there is one.
///
/// # Errors
/// As [`named`] and [`unnamed`].
pub(super) fn of_order(flows: &Flows, caller: &Caller, name: Option<&str>) -> Result<Arc<ServedFlow>, Problem> {
    match name {
        Some(name) => named(flows, caller, name),
        None => unnamed(flows, caller),
    }
}

/// The flow of an order that names none.
///
/// # Errors
/// There are several, or the caller's token is for another one.
fn unnamed(flows: &Flows, caller: &Caller) -> Result<Arc<ServedFlow>, Problem> {
    let Some(only) = flows.only() else {
        let known = seen_by(flows, caller);
        let at = known.first().map_or_else(|| "/flows/NAME/sagas".to_owned(), |name| format!("/flows/{name}/sagas"));
        let why = format!(
            "this service takes the orders of several flows, and the order does not say which it follows: place it at {at}; the flows \
             are {}",
            known.join(", ")
        );
        return Err(Problem::new(problem::WHICH_FLOW, why).with("flows", known));
    };
    check(caller, only.name())?;
    Ok(Arc::clone(only))
}

fn check(caller: &Caller, name: &str) -> Result<(), Problem> {
    if caller.may_see(name) {
        return Ok(());
    }
    Err(caller.refuse("a token of this flow", "the token is for another flow than the one whose orders are taken here"))
}

/// The flows that this caller is told of.
fn seen_by<'a>(flows: &'a Flows, caller: &Caller) -> Vec<&'a str> {
    flows.names().into_iter().filter(|name| caller.may_see(name)).collect()
}

fn no_such_flow(flows: &Flows, caller: &Caller, name: &str) -> Problem {
    let known = seen_by(flows, caller);
    let name: String = name.chars().take(64).collect();
    let why = match known.as_slice() {
        [] => format!("this service takes no orders of a flow {name:?}"),
        known => format!("this service takes no orders of a flow {name:?}; the flows are {}", known.join(", ")),
    };
    Problem::new(problem::NO_SUCH_FLOW, why).with("flows", known)
}

/// What a caller is told of a flow.
pub(super) fn shape(flow: &ServedFlow) -> Value {
    json!({ "flow": flow.name(), "hash": hex(&flow.flow().hash()), "file": flow.file().file() })
}

/// `GET /flows`: the flows whose orders are taken here, those that were taken out, and what does not check.
pub(crate) async fn list(State(service): State<Arc<Service>>, Extension(caller): Extension<Caller>) -> Response {
    let last = service.reloading.troubles();
    let flows = shapes::flows::all(&service.flows(), &last, |flow| match flow {
        Some(flow) => caller.may_see(flow),
        None => caller.flow().is_none(),
    });
    shapes::json(&json!({ "flows": flows, "trouble": last.why.filter(|_| caller.flow().is_none()) }))
}

/// `POST /flows/reload`: reads every flow anew. What does not check is said, and leaves what was there.
pub(crate) async fn reload(State(service): State<Arc<Service>>) -> Result<Response, Problem> {
    // It is read to its end, whether the caller waits for it or not.
    let reading = Arc::clone(&service);
    let reloaded = tokio::spawn(async move { reading.reload().await }).await;
    let reloaded = reloaded.unwrap_or_else(|_panic| Some(Reloaded::refused("reading the flows broke off")));
    match reloaded {
        Some(reloaded) => Ok(shapes::json(&shapes::flows::reloaded(&reloaded))),
        None => Err(Problem::new(problem::NOT_OFFERED, "this service was made with flows of the program that it is a part of")),
    }
}
