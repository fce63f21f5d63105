//! A coordinator from outside this workspace is served like ours, and what it does not offer is said.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use handfast::flow_file::FlowFile;
use handfast::store::{Counts, MemoryStore, StoreError};
use handfast::{Engine, Order, SagaView, Stats, SubmitError};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::access::Callers;
use crate::test_support::{FLOW, asked};
use crate::{Asked, Coordinator, Followed, Server};

/// It takes orders and shows them, and has nothing for people who act.
struct Plain(Engine);

impl Coordinator for Plain {
    fn place(&self, order: Order) -> Asked<'_, Result<Box<dyn Followed>, SubmitError>> {
        Coordinator::place(&self.0, order)
    }

    fn watch<'a>(&'a self, id: &'a str) -> Asked<'a, Result<Option<Box<dyn Followed>>, StoreError>> {
        Coordinator::watch(&self.0, id)
    }

    fn look<'a>(&'a self, id: &'a str, with_tries: bool) -> Asked<'a, Result<Option<SagaView>, StoreError>> {
        Coordinator::look(&self.0, id, with_tries)
    }

    fn check_ready(&self) -> Asked<'_, Result<(), StoreError>> {
        Coordinator::check_ready(&self.0)
    }

    fn dead_part(&self) -> Option<&'static str> {
        None
    }

    fn store_trouble(&self) -> Option<String> {
        None
    }

    fn stats(&self) -> Asked<'_, Result<(Stats, Counts), StoreError>> {
        Coordinator::stats(&self.0)
    }

    fn shutdown(&self, longest: Duration) -> Asked<'_, bool> {
        Coordinator::shutdown(&self.0, longest)
    }
}

async fn ask(server: &Server, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
    let request = Request::builder().method(method).uri(path).header("idempotency-key", "key-1");
    let request = request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string())).unwrap();
    let (head, answer) = asked(server, request).await;
    (head.status, answer.unwrap_or(Value::Null))
}

#[tokio::test]
async fn what_a_coordinator_does_not_offer_is_said_and_the_rest_works() {
    let file = FlowFile::parse("shop.toml", FLOW).unwrap();
    let flow = file.flow::<&str>(&[]).unwrap();
    let engine = Engine::builder(Arc::new(MemoryStore::new())).flow(Arc::clone(&flow)).open().await.unwrap();
    let (_keeps_on, stop) = watch::channel(false);
    let server = Server::over(Arc::new(Plain(engine)), (file, flow), Callers::everybody(64), stop);
    let (status, placed) = ask(&server, Method::POST, "/sagas", json!({ "id": "order-1", "lines": [{ "sku": "tea" }] })).await;
    assert_eq!((status, &placed["id"]), (StatusCode::ACCEPTED, &json!("order-1")), "{placed}");
    let (status, shown) = ask(&server, Method::GET, "/sagas/order-1", Value::Null).await;
    assert_eq!((status, &shown["standing"]), (StatusCode::OK, &json!("acting")));
    let said = json!({ "act": "resume", "by": "ada", "reason": "x", "request_id": "1", "saw": 1 });
    let who = json!({ "by": "ada", "why": "x" });
    let accept = json!({ "participant": "p", "incarnation": "i", "by": "ada", "why": "x" });
    for (method, path, body) in [
        (Method::GET, "/sagas", Value::Null),
        (Method::POST, "/sagas/order-1/cancel", who.clone()),
        (Method::POST, "/sagas/order-1/acts", said),
        (Method::GET, "/plans?act=cancel", Value::Null),
        (Method::GET, "/definitions", Value::Null),
        (Method::POST, "/definitions/0123", json!({ "decides": "keep", "by": "ada", "why": "x" })),
        (Method::GET, "/participants", Value::Null),
        (Method::POST, "/participants/accept", accept),
        (Method::GET, "/participants/resting?incarnation=i", Value::Null),
        (Method::POST, "/clock/accept", who),
    ] {
        let (status, problem) = ask(&server, method, path, body).await;
        assert_eq!((status, &problem["type"]), (StatusCode::NOT_IMPLEMENTED, &json!("/problems/not-offered")), "{path}");
    }
}
