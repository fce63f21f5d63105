//! The reference services with a weakness, as processes, and what `handfast show` says of a saga that needs a person.

use std::io::Write as _;
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use handfast::store::{SqliteStore, Store};
use handfast::{Engine, Flow, NoOutcome, Order};
use serde_json::Value;

use crate::support::{Service, run};

const CHARGE: &str = r#"{"amount":{"minor":100,"currency":"EUR"},"token":"tok_visa"}"#;

/// Sends one request, and reads the status and the JSON of its answer.
fn ask(service: &Service, method: &str, path: &str, body: &str) -> (u16, Value) {
    let address = service.address.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("the service is there");
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).expect("the service listens");
    let answer = std::io::read_to_string(stream).expect("the service answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("an answer has a status");
    (status, serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}")))
}

fn start(folder: &Path, weak: &str) -> Service {
    Service::start("payment", &folder.join("payment.db"), &["--weak".as_ref(), weak.as_ref()])
}

#[test]
fn what_is_no_weakness_is_said_and_nothing_is_started() {
    let folder = tempfile::tempdir().expect("a directory");
    let store = folder.path().join("payment.db");
    for (weak, says) in [
        ("no-close=2s", "no-close takes no time"),
        ("remembers", "remembers needs a time, as in remembers=2s"),
        ("no-close,forgetful", "there is no weakness called \"forgetful\""),
        ("holds-for=soon", "soon"),
    ] {
        let ended = run(["payment", "--listen", "127.0.0.1:0", "--store", &store.display().to_string(), "--weak", weak]);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{weak}");
        assert!(ended.stderr.contains(says), "{weak}: {}", ended.stderr);
    }
    assert!(!store.exists());
}

#[test]
fn every_act_is_carried_out_again_and_the_books_show_it() {
    let folder = tempfile::tempdir().expect("a directory");
    let service = start(folder.path(), "not-idempotent,no-close");
    for charges in 1..=3 {
        let (status, receipt) = ask(&service, "PUT", "/charges/s.o-1.payment", CHARGE);
        assert_eq!((status, &receipt["key"], &receipt["state"]), (200, &"s.o-1.payment".into(), &"done".into()));
        let (_, audit) = ask(&service, "GET", "/audit", "");
        assert_eq!((&audit["charges"], &audit["disagreements"]), (&charges.into(), &0.into()));
    }
    let (status, problem) = ask(&service, "POST", "/charges/s.o-1.payment/close", "");
    assert_eq!((status, &problem["type"]), (404, &"urn:handfast:problem:not-found".into()));
    let (status, receipt) = ask(&service, "GET", "/charges/s.o-1.payment", "");
    assert_eq!((status, &receipt["key"]), (200, &"s.o-1.payment".into()));
    let (status, receipt) = ask(&service, "DELETE", "/charges/s.o-1.payment", "");
    assert_eq!((status, &receipt["state"]), (200, &"undone".into()));
}

#[test]
fn an_undo_of_nothing_and_a_refusal_leave_the_key_open() {
    let folder = tempfile::tempdir().expect("a directory");
    let service = start(folder.path(), "no-op-undo,loose-refusals");
    let (status, receipt) = ask(&service, "DELETE", "/charges/s.o-1.payment", "");
    assert_eq!((status, &receipt["state"]), (200, &"undone".into()));
    let (status, receipt) = ask(&service, "PUT", "/charges/s.o-1.payment", CHARGE);
    assert_eq!((status, &receipt["state"], &receipt["detail"]), (409, &"refused".into(), &"not_now".into()));
    let (status, receipt) = ask(&service, "PUT", "/charges/s.o-1.payment", CHARGE);
    assert_eq!((status, &receipt["state"]), (200, &"done".into()));
    let (_, audit) = ask(&service, "GET", "/audit", "");
    assert_eq!(audit["charges"], 1);
}

#[test]
fn what_was_taken_on_is_carried_out_later_and_lapses_by_itself() {
    let folder = tempfile::tempdir().expect("a directory");
    let service = start(folder.path(), "answers-after=100ms,holds-for=100ms");
    let (status, said) = ask(&service, "PUT", "/charges/s.o-1.payment", CHARGE);
    assert_eq!((status, &said["status"]), (202, &"accepted".into()));
    let refunded = (0..500).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        let (_, audit) = ask(&service, "GET", "/audit", "");
        audit["charges"] == 1 && audit["refunds"] == 1
    });
    assert!(refunded, "nobody asked again");
}

#[test]
fn show_says_why_a_person_has_to_look() {
    let folder = tempfile::tempdir().expect("a directory");
    let service = Service::start("payment", &folder.path().join("payment.db"), &[]);
    let path = folder.path().join("shop.db");
    let store = Arc::new(SqliteStore::open(&path).expect("a store"));
    // Somebody else has charged under the key of the order that is placed next.
    let key = format!("/charges/{}.order-1.payment", store.store_id());
    assert_eq!(ask(&service, "PUT", &key, &CHARGE.replace("100", "500")).0, 200);
    let flow = Flow::builder("shop").compensatable("payment", service.url.as_str()).build().expect("a flow");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let engine = Engine::builder(store).flow(flow).open().await.expect("an engine");
        let order = Order::in_flow_order("order-1", "{}", vec![CHARGE]);
        let mut saga = engine.submit(order).await.expect("it is taken");
        assert!(matches!(saga.outcome().await, Err(NoOutcome::Stuck { .. })));
    });
    drop(runtime);
    let why = "step payment: the answer to act said that its key is in use for another body, but nothing was known before";
    let store = format!("sqlite:{}", path.display());
    let drawn = run(["show", "order-1", "--store", &store]);
    assert_eq!(drawn.code, Some(4), "{}", drawn.stderr);
    let text = drawn.stdout.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
    assert!(text.contains(&format!("suspended: {why}")), "{}", drawn.stdout);
    let data: Value = serde_json::from_str(&run(["show", "order-1", "--store", &store, "--json"]).stdout).expect("JSON");
    assert_eq!((&data["standing"], &data["outcome"]), (&"suspended".into(), &Value::Null));
    // Beside it stands what remains, as everywhere.
    assert!(data["trouble"].as_str().is_some_and(|trouble| trouble.starts_with(why)), "{data:#}");
}
