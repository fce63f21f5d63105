//! The description holds every route and nothing else, every problem, and is the one that is committed.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use handfast::Engine;
use handfast::flow_file::FlowFile;
use handfast::store::MemoryStore;
use serde_json::Value;
use tokio::sync::watch;

use super::*;
use crate::Server;
use crate::access::Callers;
use crate::flows::ServedFlow;
use crate::test_support::asked;

/// The shop of the examples.
fn shop() -> ServedFlow {
    let file = FlowFile::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/shop/flow.toml")).unwrap();
    let flow = file.flow::<&str>(&[]).unwrap();
    ServedFlow::new(file, flow)
}

#[test]
fn it_is_the_one_that_is_committed() {
    let text = serde_json::to_string_pretty(&document(&[&shop()], false)).unwrap() + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    if std::env::var_os("HANDFAST_WRITE_OPENAPI").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "docs/openapi.json is not what the code says: write it anew with HANDFAST_WRITE_OPENAPI=1 cargo test -p handfast-server openapi, and look at what has changed"
    );
}

#[test]
fn every_route_is_in_it_and_nothing_else() {
    let document = document(&[&shop()], false);
    let routes: BTreeSet<(String, String)> =
        ROUTES.iter().map(|route| (route.path.to_owned(), route.verb.method().as_str().to_ascii_lowercase())).collect();
    let paths = document["paths"].as_object().unwrap();
    let described: BTreeSet<(String, String)> = paths
        .iter()
        .flat_map(|(path, methods)| methods.as_object().unwrap().keys().map(move |method| (path.clone(), method.clone())))
        .collect();
    assert_eq!(described, routes);
    let ids: BTreeSet<&str> = ROUTES.iter().map(|route| route.about.id).collect();
    assert_eq!(ids.len(), ROUTES.len(), "each has a name of its own");
}

#[test]
fn every_problem_is_one_of_some_address_or_of_those_that_there_are_not() {
    let of_routes: BTreeSet<&str> =
        ROUTES.iter().flat_map(|route| route.about.all_problems(route.needs)).map(|kind| kind.uri).collect();
    let none: Vec<&str> = problem::ALL.iter().map(|kind| kind.uri).filter(|uri| !of_routes.contains(uri)).collect();
    assert_eq!(none, [problem::METHOD.uri], "an address answers no method that it has not");
}

#[test]
fn everything_that_is_referred_to_is_there() {
    let document = document(&[&shop()], true);
    let mut open = vec![&document];
    while let Some(value) = open.pop() {
        if let Some(Value::String(to)) = value.get("$ref") {
            assert!(document.pointer(to.trim_start_matches('#')).is_some(), "{to}");
        }
        match value {
            Value::Array(values) => open.extend(values),
            Value::Object(members) => open.extend(members.values()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

#[tokio::test]
async fn it_is_served_for_the_flow_at_hand() {
    let shop = shop();
    let engine = Engine::builder(Arc::new(MemoryStore::new())).flow(Arc::clone(shop.flow())).open().await.unwrap();
    let (_keeps_on, stop) = watch::channel(false);
    let expected = document(&[&shop], true);
    let server = Server::over(Arc::new(engine), shop, Callers::everybody(64), stop);
    let request = Request::builder().uri("/openapi.json").header(header::HOST, "localhost").body(Body::empty()).unwrap();
    let (head, answer) = asked(&server, request).await;
    assert_eq!((head.status, answer), (StatusCode::OK, Some(expected)));
}

#[test]
fn an_order_is_taken_up_to_each_bound_that_is_said_and_no_further() {
    let text = "name = \"all\"\n[input]\nnote = \"text\"\ncard = \"token\"\ncount = \"integer\"\namount = \"money\"\nlines = \"list\"\n\
                [[step]]\nname = \"ship\"\nkind = \"pivot\"\nurl = \"http://127.0.0.1:1\"\n";
    let file = FlowFile::parse("all.toml", text).unwrap();
    let nested = |depth: usize| (1..depth).fold(json!([1]), |inside, _| json!([inside]));
    let order = |field: &str, value: Value| {
        let mut order =
            json!({ "id": "o", "note": "", "card": "t", "count": 0, "amount": { "minor": 1, "currency": "EUR" }, "lines": [1] });
        order[field] = value;
        file.parse_order(order.to_string().as_bytes()).is_ok()
    };
    let money = |minor: i64| json!({ "minor": minor, "currency": "EUR" });
    for (field, last, beyond) in [
        ("note", json!("x".repeat(order::MOST_CHARACTERS)), json!("x".repeat(order::MOST_CHARACTERS + 1))),
        ("card", json!("x".repeat(order::MOST_OF_TOKEN)), json!("x".repeat(order::MOST_OF_TOKEN + 1))),
        ("count", json!(order::LARGEST), json!(order::LARGEST + 1)),
        ("count", json!(-order::LARGEST), json!(-order::LARGEST - 1)),
        ("amount", money(order::LARGEST), money(order::LARGEST + 1)),
        ("lines", json!(vec![1; order::MOST_ITEMS]), json!(vec![1; order::MOST_ITEMS + 1])),
        ("lines", nested(order::DEPTH), nested(order::DEPTH + 1)),
    ] {
        assert!(order(field, last), "{field} up to its bound");
        assert!(!order(field, beyond), "{field} beyond its bound");
    }
}
