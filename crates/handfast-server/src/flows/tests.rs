//! Several flows: which go together, and which service takes whose orders.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use handfast::Engine;
use handfast::flow_file::FlowFile;
use handfast::participant::Secret;
use handfast::store::MemoryStore;
use handfast::webhook::{Names, Scheme, Webhook};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::*;
use crate::Server;
use crate::access::Callers;
use crate::test_support::{FLOW, asked};

fn served(file: &str, name: &str, more: &str) -> Arc<ServedFlow> {
    let text = FLOW.replace("\"shop\"", &format!("\"{name}\"")) + more;
    Arc::new(ServedFlow::with_secrets::<&str>(FlowFile::parse(file, &text).unwrap(), &[]).unwrap())
}

#[test]
fn flows_at_odds_are_refused_with_both_places() {
    let flows = [served("shop.toml", "shop", ""), served("cards.toml", "cards", "")];
    assert_eq!(Flows::of(flows).unwrap().to_string(), "flows: cards, shop");
    let same_name = [served("shop.toml", "shop", ""), served("old/shop.toml", "shop", "")];
    assert_eq!(
        Flows::of(same_name).unwrap_err().to_string(),
        "old/shop.toml:1:8: the flow \"shop\" is in shop.toml:1:8 as well; give one of the two another name, or leave out its file"
    );
    for (key, value) in [("in_flight", "7"), ("retry_base", "\"1s\""), ("retry_cap", "\"9s\"")] {
        let at_odds = [served("shop.toml", "shop", ""), served("cards.toml", "cards", &format!("{key} = {value}\n"))];
        assert_eq!(
            Flows::of(at_odds).unwrap_err().to_string(),
            format!(
                "cards.toml:4:1: shop.toml:4:1 has the same participant, http://127.0.0.1:1, with another {key}; give both the same"
            )
        );
        let more = format!("{key} = {value}\n");
        assert!(Flows::of([served("shop.toml", "shop", &more), served("cards.toml", "cards", &more)]).is_ok());
    }
}

#[test]
fn the_flows_of_a_folder_are_its_toml_files() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let read = || FlowSources::new(vec![folder.path().to_owned()], Vec::new()).read();
    let empty = read().unwrap_err().to_string();
    assert!(
        empty.ends_with("there is no flow file in it, which is one whose name ends in .toml; name another folder"),
        "{empty}"
    );
    write("shop.toml", FLOW);
    write("cards.toml", &FLOW.replace("\"shop\"", "\"cards\""));
    write(".shop.toml", "an editor's own");
    write("notes.txt", "no flow");
    assert_eq!(read().unwrap().names(), ["cards", "shop"]);
    // A risk is taken for a flow that is named, where there are several.
    let accepting = |said: &str| FlowSources::new(vec![folder.path().to_owned()], vec![said.parse().unwrap()]).read();
    assert!(accepting("shop:second-id").is_ok());
    let which = accepting("second-id").unwrap_err().to_string();
    assert!(which.contains("so write FLOW:second-id, as in cards:second-id"), "{which}");
    let none = accepting("shoop:second-id").unwrap_err().to_string();
    assert!(none.contains("there is no flow \"shoop\"; the flows are cards, shop"), "{none}");
    assert!("no-risk".parse::<AcceptedRisk>().unwrap_err().contains("\"no-risk\" is no risk"));
    // A file that is named as well is there twice.
    let twice = FlowSources::new(vec![folder.path().to_owned(), folder.path().join("shop.toml")], Vec::new()).read();
    assert!(matches!(twice, Err(FlowsError::TwoOfOneName { .. })), "{twice:?}");
    write("cards.toml", "name = \"cards\"");
    let wrong = read().unwrap_err().to_string();
    assert!(wrong.contains("cards.toml:1:1: a flow has no step"), "{wrong}");
}

async fn service(flows: impl IntoIterator<Item = Arc<ServedFlow>>) -> (Server, watch::Sender<bool>) {
    let flows = Flows::of(flows).unwrap();
    let engine = Engine::builder(Arc::new(MemoryStore::new()));
    let engine = flows.iter().fold(engine, |engine, served| engine.flow(Arc::clone(served.flow())));
    let (keeps_on, stop) = watch::channel(false);
    (Server::over(Arc::new(engine.open().await.unwrap()), flows, Callers::everybody(64), stop), keeps_on)
}

async fn ask(server: &Server, method: Method, path: &str, key: &str) -> (StatusCode, Value) {
    let request = Request::builder().method(method).uri(path).header(header::HOST, "localhost");
    let request = request.header("idempotency-key", key).header(header::CONTENT_TYPE, "application/json");
    let body = json!({ "id": key, "lines": [{ "sku": "tea" }] }).to_string();
    let (head, answer) = asked(server, request.body(Body::from(body)).unwrap()).await;
    (head.status, answer.unwrap_or(Value::Null))
}

#[tokio::test]
async fn an_order_names_its_flow_where_there_are_several() {
    let (server, _keeps_on) = service([served("shop.toml", "shop", ""), served("cards.toml", "cards", "")]).await;
    for name in ["shop", "cards"] {
        let (status, answer) = ask(&server, Method::POST, &format!("/flows/{name}/sagas"), name).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        let (_, saga) = ask(&server, Method::GET, &format!("/sagas/{name}"), "").await;
        assert_eq!(saga["flow"], name);
        let (_, listed) = ask(&server, Method::GET, &format!("/sagas?flow={name}"), "").await;
        assert_eq!((&listed["sagas"][0]["id"], &listed["sagas"][1]), (&json!(name), &Value::Null));
    }
    // Ids are one space over all flows, and keys are each flow's own.
    let placed = async |flow: &str, id: &str| {
        let request =
            Request::builder().method(Method::POST).uri(format!("/flows/{flow}/sagas")).header(header::HOST, "localhost");
        let request = request.header("idempotency-key", "one").header(header::CONTENT_TYPE, "application/json");
        let body = json!({ "id": id, "lines": [{ "sku": "tea" }] }).to_string();
        asked(&server, request.body(Body::from(body)).unwrap()).await.0.status
    };
    assert_eq!((placed("shop", "one").await, placed("cards", "two").await), (StatusCode::ACCEPTED, StatusCode::ACCEPTED));
    assert_eq!(placed("cards", "one").await, StatusCode::UNPROCESSABLE_ENTITY);
    let (status, problem) = ask(&server, Method::POST, "/sagas", "order-1").await;
    assert_eq!(
        (status, &problem["type"], &problem["flows"]),
        (StatusCode::BAD_REQUEST, &json!("/problems/which-flow"), &json!(["cards", "shop"]))
    );
    let said = problem["detail"].as_str().unwrap();
    assert!(said.contains("place it at /flows/cards/sagas") && said.contains("the flows are cards, shop"), "{said}");
    let (status, problem) = ask(&server, Method::POST, "/flows/toys/sagas", "order-1").await;
    assert_eq!((status, &problem["type"]), (StatusCode::NOT_FOUND, &json!("/problems/no-such-flow")), "{problem}");
    let (status, _) = ask(&server, Method::GET, "/sagas/order-1", "").await;
    assert_eq!(status, StatusCode::NOT_FOUND, "nothing was taken");
    let (_, version) = ask(&server, Method::GET, "/version", "").await;
    assert_eq!((&version["flow"], &version["flows"][1]["flow"]), (&Value::Null, &json!("shop")), "{version}");
}

#[tokio::test]
async fn the_only_flow_need_not_be_named() {
    let (server, _keeps_on) = service([served("shop.toml", "shop", "")]).await;
    for (path, key) in [("/sagas", "order-1"), ("/flows/shop/sagas", "order-2")] {
        let (status, answer) = ask(&server, Method::POST, path, key).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{path}: {answer}");
    }
    // It is the same order by either address.
    let (status, answer) = ask(&server, Method::POST, "/flows/shop/sagas", "order-1").await;
    assert_eq!((status, &answer["id"]), (StatusCode::ACCEPTED, &json!("order-1")));
    let (_, version) = ask(&server, Method::GET, "/version", "").await;
    assert_eq!((&version["flow"], &version["flow_hash"]), (&json!("shop"), &version["flows"][0]["hash"]), "{version}");
}

/// A flow whose step takes webhooks that are signed with this secret.
fn with_webhooks(name: &str, secret: &str) -> Arc<ServedFlow> {
    let file = FlowFile::parse("a.toml", &FLOW.replace("\"shop\"", &format!("\"{name}\""))).unwrap();
    let flow = file.flow::<&str>(&[]).unwrap();
    let webhook = Webhook::new(Scheme::StandardWebhooks, Names::Saga, "/order", "SECRET");
    let receiver = webhook.receiver("dispatch", &Secret::new(secret)).unwrap().of_flow(name);
    Arc::new(ServedFlow { file, flow, webhooks: Receivers::from([("dispatch".to_owned(), receiver)]) })
}

#[tokio::test]
async fn a_webhook_is_taken_by_the_flow_whose_secret_has_signed_it() {
    let secrets = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"];
    let (server, _keeps_on) = service([with_webhooks("shop", secrets[0]), with_webhooks("cards", secrets[1])]).await;
    let send = async |path: &str, id: &str, secret: Option<&str>| {
        let body = r#"{"order":"order-1"}"#;
        let mut request = Request::builder().method(Method::POST).uri(path).header(header::HOST, "localhost");
        if let Some(secret) = secret {
            let at = handfast::Time(handfast_machine::clock::now_ms());
            for (name, value) in Scheme::StandardWebhooks.sign(&Secret::new(secret), id, at, body.as_bytes()).unwrap() {
                request = request.header(name, value);
            }
        }
        let (head, problem) = asked(&server, request.body(Body::from(body)).unwrap()).await;
        (head.status, problem.unwrap_or_default())
    };
    // The address that its service knows from when there was one flow goes on working.
    for (number, secret) in secrets.into_iter().enumerate() {
        let (status, problem) = send("/webhooks/dispatch", &format!("msg_{number}"), Some(secret)).await;
        assert_eq!(status, StatusCode::NO_CONTENT, "{problem}");
    }
    let (_, stats) = ask(&server, Method::GET, "/stats", "").await;
    let taken: Vec<_> = stats["webhooks"].as_array().unwrap().iter().map(|of| (&of["flow"], &of["taken"])).collect();
    assert_eq!(taken, [(&json!("cards"), &json!(1)), (&json!("shop"), &json!(1))], "{stats}");
    for (path, secret) in [
        ("/webhooks/dispatch", None),
        ("/flows/shop/webhooks/dispatch", Some(secrets[1])),
        ("/flows/shop/webhooks/payment", None),
        ("/flows/toys/webhooks/dispatch", None),
    ] {
        let (status, problem) = send(path, "msg_7", secret).await;
        assert_eq!((status, &problem["type"]), (StatusCode::UNAUTHORIZED, &json!("/problems/not-signed")), "{path}");
    }
    let (status, problem) = send("/webhooks/payment", "msg_8", None).await;
    assert_eq!((status, problem.to_string().contains("cards")), (StatusCode::NOT_FOUND, false), "{problem}");
}
