//! The flows whose orders are taken here: which there are, and which one a request is about.

use std::sync::Arc;

use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use handfast::journal::hex;
use serde_json::{Value, json};

use crate::access::Caller;
use crate::flows::{Flows, ServedFlow};
use crate::problem::{self, Problem};
use crate::service::Service;
use crate::shapes;

/// The name in a path. What cannot be read as one is the name of no flow.
pub(crate) type Name = Result<Path<String>, PathRejection>;

/// The flow of this name, as one whose orders this caller may place.
///
/// # Errors
/// The caller's token is for another flow, or there is none of this name.
pub(super) fn named(flows: &Flows, caller: &Caller, name: &str) -> Result<Arc<ServedFlow>, Problem> {
    // Whose token is of one flow is not told which others there are.
    check(caller, name)?;
    flows.named(name).cloned().ok_or_else(|| no_such_flow(flows, caller, name))
}

/// The flow of an order that names none.
///
/// # Errors
/// There are several, or the caller's token is for another one.
pub(super) fn unnamed(flows: &Flows, caller: &Caller) -> Result<Arc<ServedFlow>, Problem> {
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

/// `GET /flows`: the flows whose orders are taken here.
pub(crate) async fn list(State(service): State<Arc<Service>>, Extension(caller): Extension<Caller>) -> Response {
    let flows = service.flows();
    let seen = flows.iter().filter(|flow| caller.may_see(flow.name()));
    shapes::json(&json!({ "flows": seen.map(|flow| shape(flow)).collect::<Vec<_>>() }))
}
