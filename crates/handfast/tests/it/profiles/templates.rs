//! A service that knows nothing of the contract, called by templates.

use axum::http::Method;
use handfast::flow_file::FlowFile;
use handfast::{Outcome, SubmitError};
use handfast_participant::Weakness;

use super::shop::{Road, Shop, ended, now, options, order};

/// The payment service of a shop as somebody calls it who cannot close its keys.
const FLOW: &str = r#"
name = "shop"
[input]
amount = "money"
token = "token"
lines = "list"
[[step]]
name = "payment"
participant = "http"
deadline = "300ms"
send = ["amount", "token"]
[step.profile]
undo = "no-op-when-absent"
idempotent = true
remembers = "for-ever"
sticky_refusal = true
[step.http.act]
method = "PUT"
url = "CHARGES/{key}"
body = '{"amount": {input.amount}, "token": "{input.token}"}'
done = { status = 200, json = { "/state" = "done" } }
refused = { status = 409, json = { "/state" = "refused" } }
undone = { status = 410, json = { "/state" = "undone" } }
[step.http.undo]
method = "DELETE"
url = "CHARGES/{key}"
undone = { status = 200, json = { "/state" = "undone" } }
refused = { status = 200, json = { "/state" = "refused" } }
[[step]]
name = "dispatch"
kind = "pivot"
url = "SHIPMENTS"
send = ["lines"]
"#;

#[tokio::test]
async fn what_cannot_be_closed_is_asked_for_after_its_deadline_and_then_undone() {
    let shop = Shop::open(&[Weakness::NoClose, Weakness::NoOpUndo]).await;
    let flow = FLOW.replace("CHARGES", &shop.urls[0]).replace("SHIPMENTS", &shop.urls[1]);
    let file = FlowFile::parse("shop.toml", &flow).unwrap_or_else(|error| panic!("{error}"));
    let engine = shop.engine_of((*file.flow::<&str>(&[]).unwrap()).clone(), options()).await;
    let placed = now();
    // The charge is made at once, and until after the deadline nobody hears of it.
    shop.to_payment.set(move |_| if now() < placed.after(600) { Road::AnswerCaptured } else { Road::Open });
    let order =
        r#"{"id":"order-1","amount":{"minor":100,"currency":"EUR"},"token":"tok_visa","lines":[{"sku":"mug","quantity":1}]}"#;
    let mut saga = engine.submit(file.parse_order(order.as_bytes()).unwrap()).await.unwrap();
    assert_eq!(ended(&mut saga).await.unwrap(), Outcome::Cancelled);
    let last_act = *shop.to_payment.times(&Method::PUT).last().unwrap();
    assert!(last_act > placed.after(300), "{placed:?} {:?}", shop.to_payment.sent());
    assert_eq!((shop.charges().await, shop.shipments().await), ((1, 1), 0), "charged, and refunded");
}

/// A program that makes its bodies itself meets the same door as one that reads orders.
#[tokio::test]
async fn a_body_that_no_request_can_carry_is_refused_at_the_door() {
    let shop = Shop::open(&[]).await;
    let flow = FLOW.replace("CHARGES/{key}\"\nbody", "CHARGES/{input.token}/{key}\"\nbody");
    let flow = flow.replace("CHARGES", &shop.urls[0]).replace("SHIPMENTS", &shop.urls[1]);
    let file = FlowFile::parse("shop.toml", &flow).unwrap_or_else(|error| panic!("{error}"));
    let engine = shop.engine_of((*file.flow::<&str>(&[]).unwrap()).clone(), options()).await;
    for (body, why) in [
        (&br#"{"amount":{"minor":100,"currency":"EUR"},"token":".."}"#[..], "the one of step payment: token: [step.http.act]"),
        (br#"{"amount":{"minor":100,"currency":"EUR"}}"#, "the one of step payment: token: [step.http.act]"),
        (b"amount=100", "the one of step payment: it is not JSON"),
    ] {
        let mut wrong = order("order-1");
        wrong.bodies[0] = body.to_vec().into();
        let error = engine.submit(wrong).await.unwrap_err();
        assert!(matches!(&error, SubmitError::Bodies { why: said, .. } if said.starts_with(why)), "{error}");
    }
    assert!(engine.list(&handfast::ListFilter::all(None, 10)).await.unwrap().sagas.is_empty());
    assert!(engine.submit(order("order-1")).await.is_ok());
}
