//! What is answered to an order, and to a person, is a part of the one object that a saga is: by name, and with the same values.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use handfast::flow_file::FlowFile;
use handfast::participant::{Delivery, Participant, Reply};
use handfast::store::{BoxFuture, MemoryStore};
use handfast::{Answer, Backoff, Definite, Engine, Operation, Options, journal::Receipt};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::Server;
use crate::access::Callers;
use crate::test_support::asked;

const FLOW: &str = "name = \"shop\"\n[input]\ncard = \"text\"\n\
    [[step]]\nname = \"payment\"\nkind = \"compensatable\"\nparticipant = \"inproc\"\n\
    [[step]]\nname = \"dispatch\"\nkind = \"pivot\"\nparticipant = \"inproc\"\n";

/// Answers by what the order says: `declined`, `silent`, `reused` (its key stands for something else), or anything else.
struct ByCard;

impl Participant for ByCard {
    fn deliver<'a>(&'a self, request: Delivery<'a>) -> BoxFuture<'a, Reply> {
        let body = String::from_utf8_lossy(request.body).into_owned();
        let is_payment = request.key.ends_with("payment");
        let state = match request.operation {
            Operation::Close => Definite::Closed,
            Operation::Undo => Definite::Undone,
            Operation::Act | Operation::Look => Definite::Done,
        };
        let receipt = Receipt { incarnation: Some("i".to_owned()), ..Receipt::default() };
        let answer = Answer::State(state);
        Box::pin(async move {
            if is_payment && body.contains("silent") {
                return Reply::unknown("no answer");
            }
            if is_payment && body.contains("declined") {
                let receipt = Receipt { detail: Some("card_declined".to_owned()), ..receipt };
                return Reply::Definite { answer: Answer::State(Definite::Refused), receipt };
            }
            let answer = if !is_payment && body.contains("reused") { Answer::OtherBody } else { answer };
            Reply::Definite { answer, receipt }
        })
    }
}

async fn ask(server: &Server, method: Method, path: &str, body: &Value) -> (StatusCode, Value) {
    let request =
        Request::builder().method(&method).uri(path).header("idempotency-key", body["id"].to_string().trim_matches('"'));
    // Who only looks does not wait: time stands still between an answer and the whole that it is compared with.
    let wait = if method == Method::POST { "wait=2" } else { "wait=0" };
    let request = request.header("prefer", wait).header(header::CONTENT_TYPE, "application/json");
    let (head, answer) = asked(server, request.body(Body::from(body.to_string())).unwrap()).await;
    (head.status, answer.expect("an answer in JSON"))
}

#[track_caller]
fn assert_is_part(part: &Value, whole: &Value) {
    let (part, whole) = (part.as_object().unwrap(), whole.as_object().unwrap());
    for (name, value) in part {
        assert_eq!(Some(value), whole.get(name), "{name} of {part:?}");
    }
    for name in ["trouble", "why"].into_iter().filter(|name| !part.contains_key(*name)) {
        assert_eq!(whole[name], Value::Null, "what is left out is null: {name}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_member_of_a_short_answer_is_the_one_of_the_whole() {
    let file = FlowFile::parse("shop.toml", FLOW).unwrap();
    let flow = file.flow::<&str>(&[]).unwrap();
    let engine = Engine::builder(Arc::new(MemoryStore::new())).flow(Arc::clone(&flow));
    // One try and no other, however long a busy machine takes between two answers.
    let hours = Duration::from_hours(100_000);
    let engine = engine.options(Options::default().with_backoff(Backoff { base: hours, cap: hours }));
    let engine = engine.participant("payment", ByCard).participant("dispatch", ByCard).open().await.unwrap();
    let (_keeps_on, stop) = watch::channel(false);
    let server = Server::over(Arc::new(engine), (file, flow), Callers::everybody(64), stop);
    for (card, status, standing) in [
        ("good", StatusCode::CREATED, "completed"),
        ("declined", StatusCode::CREATED, "cancelled"),
        ("silent", StatusCode::ACCEPTED, "acting"),
        ("reused", StatusCode::ACCEPTED, "suspended"),
    ] {
        let order = json!({ "id": card, "card": card });
        let (said, placed) = ask(&server, Method::POST, "/sagas", &order).await;
        assert_eq!((said, &placed["standing"]), (status, &json!(standing)), "{card}: {placed}");
        assert_eq!(placed.get("why").is_some(), card == "declined");
        assert_eq!(placed.get("trouble").is_some(), ["silent", "reused"].contains(&card));
        let (_, whole) = ask(&server, Method::GET, &format!("/sagas/{card}"), &Value::Null).await;
        assert_is_part(&placed, &whole);
        let (_, again) = ask(&server, Method::POST, "/sagas", &order).await;
        let (_, whole) = ask(&server, Method::GET, &format!("/sagas/{card}"), &Value::Null).await;
        assert_is_part(&again, &whole);
    }
    let (status, cancelled) = ask(&server, Method::POST, "/sagas/declined/cancel", &json!({ "by": "ada" })).await;
    assert_eq!(status, StatusCode::OK);
    let (_, whole) = ask(&server, Method::GET, "/sagas/declined", &Value::Null).await;
    assert_is_part(&cancelled, &whole);
    let act = json!({ "act": "settle", "by": "ada", "reason": "seen to", "request_id": "one", "saw": 3 });
    let (status, settled) = ask(&server, Method::POST, "/sagas/reused/acts", &act).await;
    assert_eq!((status, &settled["outcome"]), (StatusCode::ACCEPTED, &json!("settled")), "{settled}");
    let (_, whole) = ask(&server, Method::GET, "/sagas/reused", &Value::Null).await;
    assert_is_part(&settled, &whole);
}
