//! Payment intents at the payment service: their states, that cancelling is for good, and that the books agree.

use serde_json::{Value, json};

use crate::support::{Answer, Subject};

async fn create(subject: &Subject, capture: &str, token: &str) -> String {
    let form = format!("amount=1999&currency=eur&capture_method={capture}&payment_method={token}&metadata%5Border%5D=o-1");
    let created = subject.send("POST", "/v1/payment_intents", &[], &form).await;
    assert_eq!((created.status.as_u16(), &created.body["status"]), (200, &json!("requires_confirmation")), "{}", created.body);
    assert_eq!((&created.body["metadata"]["order"], &created.body["amount"]), (&json!("o-1"), &json!(1999)));
    created.body["id"].as_str().unwrap().to_owned()
}

async fn ask(subject: &Subject, id: &str, what: &str) -> Answer {
    subject.send("POST", &format!("/v1/payment_intents/{id}/{what}"), &[], "").await
}

/// The status of an answer, and that of the intent in it, nested or not.
fn told(answer: &Answer) -> (u16, &str, &str) {
    let nested = &answer.body["error"]["payment_intent"]["status"];
    let status = answer.body["status"].as_str().or_else(|| nested.as_str()).unwrap_or("none");
    (answer.status.as_u16(), answer.body["error"]["code"].as_str().unwrap_or("none"), status)
}

const UNEXPECTED: &str = "payment_intent_unexpected_state";

async fn books(subject: &Subject) -> (Value, Value, Value) {
    let audit = subject.audit().await;
    assert_eq!((&audit["balanced"], &audit["disagreements"]), (&json!(true), &json!(0)), "{audit}");
    (audit["charges"].clone(), audit["refunds"].clone(), audit["captures"].clone())
}

#[tokio::test]
async fn an_intent_is_confirmed_held_captured_and_said_to_be_so_ever_after() {
    let subject = Subject::payment();
    let id = create(&subject, "manual", "tok_visa").await;
    let another = create(&subject, "manual", "tok_visa").await;
    assert_ne!(id, another, "to create is harmless, and done again each time");
    assert_eq!(books(&subject).await, (json!(0), json!(0), json!(0)));
    assert_eq!(told(&ask(&subject, &id, "capture").await), (400, UNEXPECTED, "requires_confirmation"));
    assert_eq!(told(&ask(&subject, &id, "confirm").await), (200, "none", "requires_capture"));
    assert_eq!(told(&ask(&subject, &id, "confirm").await), (400, UNEXPECTED, "requires_capture"));
    assert_eq!(told(&ask(&subject, &id, "capture").await), (200, "none", "succeeded"));
    for what in ["capture", "confirm", "cancel"] {
        assert_eq!(told(&ask(&subject, &id, what).await), (400, UNEXPECTED, "succeeded"), "{what}");
    }
    let read = subject.send("GET", &format!("/v1/payment_intents/{id}"), &[], "").await;
    assert_eq!((told(&read), &read.body["amount_received"]), ((200, "none", "succeeded"), &json!(1999)));
    assert_eq!(books(&subject).await, (json!(1), json!(0), json!(1)));
}

#[tokio::test]
async fn what_is_cancelled_stays_so_whatever_comes_later() {
    let subject = Subject::payment();
    let early = create(&subject, "manual", "tok_visa").await;
    let held = create(&subject, "manual", "tok_visa").await;
    assert_eq!(told(&ask(&subject, &held, "confirm").await), (200, "none", "requires_capture"));
    for id in [&early, &held] {
        assert_eq!(told(&ask(&subject, id, "cancel").await), (200, "none", "canceled"));
        for what in ["confirm", "capture", "cancel"] {
            assert_eq!(told(&ask(&subject, id, what).await), (400, UNEXPECTED, "canceled"), "{what}");
        }
    }
    assert_eq!(books(&subject).await, (json!(1), json!(1), json!(0)));
}

#[tokio::test]
async fn a_declined_intent_is_told_once_and_can_be_given_up() {
    let subject = Subject::payment();
    let id = create(&subject, "automatic", "tok_declined").await;
    assert_eq!(told(&ask(&subject, &id, "confirm").await), (402, "card_declined", "requires_payment_method"));
    assert_eq!(told(&ask(&subject, &id, "confirm").await), (400, UNEXPECTED, "requires_payment_method"));
    assert_eq!(told(&ask(&subject, &id, "cancel").await), (200, "none", "canceled"));
    assert_eq!(told(&ask(&subject, &id, "confirm").await), (400, UNEXPECTED, "canceled"));
    assert_eq!(books(&subject).await, (json!(0), json!(0), json!(0)));
}

#[tokio::test]
async fn a_refund_succeeds_waits_or_fails_as_its_token_says() {
    for (token, at_once, later, refunds) in [
        ("tok_visa", "succeeded", "succeeded", 1),
        ("tok_refund_pending", "pending", "succeeded", 1),
        ("tok_refund_pending_fails", "pending", "failed", 0),
        ("tok_refund_fails", "failed", "failed", 0),
    ] {
        let subject = Subject::payment();
        let id = create(&subject, "automatic", token).await;
        let form = format!("payment_intent={id}");
        let early = subject.send("POST", "/v1/refunds", &[], &form).await;
        assert_eq!(told(&early), (400, UNEXPECTED, "requires_confirmation"));
        assert_eq!(told(&ask(&subject, &id, "confirm").await), (200, "none", "succeeded"));
        let refund = subject.send("POST", "/v1/refunds", &[], &form).await;
        assert_eq!((refund.status.as_u16(), &refund.body["status"]), (200, &json!(at_once)), "{token}");
        assert_eq!(told(&subject.send("POST", "/v1/refunds", &[], &form).await).1, "charge_already_refunded");
        subject.clock.store(5_000, std::sync::atomic::Ordering::SeqCst);
        let path = format!("/v1/refunds/{}", refund.body["id"].as_str().unwrap());
        assert_eq!(subject.send("GET", &path, &[], "").await.body["status"], later, "{token}");
        assert_eq!(books(&subject).await, (json!(1), json!(refunds), json!(0)), "{token}");
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_makes_nothing() {
    let subject = Subject::payment();
    for form in [
        "",
        "amount=0&currency=eur&payment_method=tok_visa",
        "amount=19.99&currency=eur&payment_method=tok_visa",
        "amount=1&currency=xyz&payment_method=tok_visa",
        "amount=1&currency=eur",
        "amount=1&currency=eur&payment_method=4242424242424242",
        "amount=1&currency=eur&payment_method=tok_visa&capture_method=never",
        "amount=1&amount=2&currency=eur&payment_method=tok_visa",
        "amount=1&currency=eur&payment_method=tok_visa&confirm=true",
        "amount=%zz",
    ] {
        let answer = subject.send("POST", "/v1/payment_intents", &[], form).await;
        assert_eq!(answer.status, 400, "{form}: {}", answer.body);
        assert!(!answer.body.to_string().contains("4242"), "{form}");
    }
    assert_eq!(subject.sql::<u32>("SELECT count(*) FROM intent"), 0);
    for path in ["/v1/payment_intents/pi_none", "/v1/refunds/re_none", "/v1/refunds/none"] {
        assert_eq!(subject.send("GET", path, &[], "").await.status, 404, "{path}");
    }
    // The contract's own routes cannot move an intent past its own register.
    let id = create(&subject, "manual", "tok_visa").await;
    let body = format!(r#"{{"intent": {{"move": "confirm", "id": "{id}"}}}}"#);
    assert_eq!(subject.act("another", &body).await.body["detail"], "amount_missing");
    assert_eq!(subject.act(&id, &body).await.body["detail"], "amount_missing");
    assert_eq!(books(&subject).await, (json!(0), json!(0), json!(0)));
    // Other fields are ignored, whatever they are called.
    let body = r#"{"amount": {"minor": 5, "currency": "EUR"}, "token": "tok_visa", "intent": {"move": "confirm", "id": "x"}}"#;
    assert_eq!(subject.act("charge", body).await.body["state"], "done");
}
