//! The contract's table, whole: every request to a register in every state, through the real router and a real file.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use crate::support::{Answer, DECLINED, JSON, LAMP, OTHER, Subject, VISA, hash};

const STATES: [&str; 5] = ["absent", "done", "refused", "closed", "undone"];

/// Brings a key into a state, and says which body is its own.
async fn bring(subject: &Subject, key: &str, state: &str) -> &'static str {
    match state {
        "absent" => return VISA,
        "done" => subject.act(key, VISA).await,
        "refused" => {
            subject.act(key, DECLINED).await;
            return DECLINED;
        }
        "closed" => subject.close(key).await,
        "undone" => {
            subject.act(key, VISA).await;
            subject.undo(key).await
        }
        other => panic!("{other} is no state"),
    };
    VISA
}

async fn ask(subject: &Subject, key: &str, request: &str, own: &str) -> Answer {
    let path = subject.at(key);
    let close = format!("{path}/close");
    let (own_hash, other_hash) = (hash(own), hash(OTHER));
    match request {
        "act" => subject.act(key, own).await,
        "act, other body" => subject.act(key, OTHER).await,
        "act, in time" => subject.send("PUT", &path, &[JSON, ("handfast-not-after", "5000")], own).await,
        "act, too late" => subject.send("PUT", &path, &[JSON, ("handfast-not-after", "4999")], own).await,
        "close" => subject.close(key).await,
        "close, own body" => subject.send("POST", &close, &[("handfast-body", &own_hash)], "").await,
        "close, other body" => subject.send("POST", &close, &[("handfast-body", &other_hash)], "").await,
        "undo" => subject.undo(key).await,
        "undo, own body" => subject.send("DELETE", &path, &[("handfast-body", &own_hash)], "").await,
        "undo, other body" => subject.send("DELETE", &path, &[("handfast-body", &other_hash)], "").await,
        "peek" => subject.peek(key).await,
        other => panic!("{other} is no request"),
    }
}

/// For each request: status and state afterwards, for a key that is absent, done, refused, closed and undone.
const TABLE: [(&str, [(u16, &str); 5]); 11] = [
    ("act", [(200, "done"), (200, "done"), (409, "refused"), (410, "closed"), (410, "undone")]),
    ("act, other body", [(200, "done"), (422, "done"), (422, "refused"), (410, "closed"), (410, "undone")]),
    ("act, in time", [(200, "done"), (200, "done"), (409, "refused"), (410, "closed"), (410, "undone")]),
    ("act, too late", [(410, "closed"), (200, "done"), (409, "refused"), (410, "closed"), (410, "undone")]),
    ("close", [(200, "closed"), (200, "done"), (200, "refused"), (200, "closed"), (200, "undone")]),
    ("close, own body", [(200, "closed"), (200, "done"), (200, "refused"), (200, "closed"), (200, "undone")]),
    ("close, other body", [(200, "closed"), (422, "done"), (422, "refused"), (200, "closed"), (200, "undone")]),
    ("undo", [(200, "closed"), (200, "undone"), (200, "refused"), (200, "closed"), (200, "undone")]),
    ("undo, own body", [(200, "closed"), (200, "undone"), (200, "refused"), (200, "closed"), (200, "undone")]),
    ("undo, other body", [(200, "closed"), (422, "done"), (422, "refused"), (200, "closed"), (200, "undone")]),
    ("peek", [(404, "absent"), (200, "done"), (200, "refused"), (200, "closed"), (200, "undone")]),
];

#[tokio::test]
async fn every_request_in_every_state() {
    let subject = Subject::payment();
    for (row, (request, expected)) in TABLE.into_iter().enumerate() {
        for (column, (state, (status, after))) in STATES.into_iter().zip(expected).enumerate() {
            let what = format!("{request} at {state}");
            let key = format!("store.{row}.{column}");
            subject.clock.store(1_000, Ordering::SeqCst);
            let own = bring(&subject, &key, state).await;
            let before = subject.peek(&key).await;
            subject.clock.store(5_000, Ordering::SeqCst);
            let answer = ask(&subject, &key, request, own).await;
            assert_eq!((answer.status.as_u16(), answer.state()), (status, after), "{what}");
            assert_eq!(answer.content_type(), "application/json", "{what}");
            check_receipt(&answer.body, &before.body, &key, &what);
            // Asked again, the key says the same for ever, but for a peek that found nothing.
            let again = subject.peek(&key).await;
            assert_eq!(again.body, answer.body, "{what}: a peek afterwards");
        }
    }
    let audit = subject.audit().await;
    assert_eq!((&audit["balanced"], &audit["disagreements"]), (&json!(true), &json!(0)), "{audit}");
}

/// A receipt that changed nothing is the earlier one; one that changed something has a new number and a new time.
fn check_receipt(receipt: &Value, before: &Value, key: &str, what: &str) {
    assert_eq!(receipt["key"], key, "{what}");
    assert_eq!(receipt["incarnation"], before["incarnation"], "{what}");
    if receipt["state"] == before["state"] {
        assert_eq!(receipt, before, "{what}");
    } else {
        assert!(receipt["seq"].as_u64() > before["seq"].as_u64(), "{what}: {receipt} after {before}");
        assert_eq!(receipt["at"], 5_000, "{what}");
    }
}

#[tokio::test]
async fn receipts_say_which_body_and_why() {
    let subject = Subject::payment();
    let done = subject.act("done", VISA).await.body;
    assert_eq!((&done["body_hash"], &done["detail"]), (&json!(hash(VISA)), &Value::Null));
    let refused = subject.act("refused", DECLINED).await.body;
    assert_eq!((&refused["body_hash"], &refused["detail"]), (&json!(hash(DECLINED)), &json!("card_declined")));
    let closed = subject.close("closed").await.body;
    assert_eq!((closed.get("body_hash"), &closed["detail"]), (Some(&Value::Null), &Value::Null));
    let expired = subject.send("PUT", &subject.at("expired"), &[JSON, ("handfast-not-after", "999")], VISA).await;
    assert_eq!((expired.status.as_u16(), &expired.body["detail"]), (410, &json!("expired")));
    let undone = subject.undo("done").await.body;
    assert_eq!(undone["body_hash"], json!(hash(VISA)));
}

#[tokio::test]
async fn a_shipment_is_not_called_back_but_its_key_can_be_closed() {
    let subject = Subject::dispatch("lamp=1");
    assert_eq!(subject.act("shipped", LAMP).await.status, 200);
    let undo = subject.undo("shipped").await;
    assert_eq!((undo.status.as_u16(), undo.state()), (200, "done"));
    assert_eq!(subject.undo("closed").await.state(), "closed");
    assert_eq!(subject.act("closed", LAMP).await.status, 410);
    let refused = subject.act("refused", LAMP).await;
    assert_eq!((refused.status.as_u16(), &refused.body["detail"]), (409, &json!("out_of_stock: lamp")));
}

#[tokio::test]
async fn an_undo_that_overtakes_its_act_leaves_a_tombstone() {
    let subject = Subject::payment();
    assert_eq!(subject.undo("key").await.state(), "closed");
    let late = subject.act("key", VISA).await;
    assert_eq!((late.status.as_u16(), late.state()), (410, "closed"));
    subject.act("key", VISA).await;
    subject.act("again", VISA).await;
    subject.undo("again").await;
    subject.act("again", VISA).await;
    let audit = subject.audit().await;
    assert_eq!((&audit["charges"], &audit["late_acts"], &audit["late_acts_at_closed_keys"]), (&json!(1), &json!(2), &json!(1)));
    assert_eq!(subject.sql::<i64>("SELECT times FROM late_act WHERE key = 'key'"), 2);
}

#[tokio::test]
async fn a_store_that_is_behind_does_nothing_and_says_so() {
    let subject = Subject::payment();
    let receipt = subject.act("first", VISA).await.body;
    let incarnation = receipt["incarnation"].as_str().unwrap();
    for seen in [format!("{incarnation}:2"), format!("not-{incarnation}:0")] {
        for (method, suffix) in [("PUT", ""), ("POST", "/close"), ("DELETE", ""), ("GET", "")] {
            let path = format!("{}{suffix}", subject.at("second"));
            let answer = subject.send(method, &path, &[JSON, ("handfast-seen", &seen)], VISA).await;
            assert_eq!((answer.status.as_u16(), answer.state()), (412, "behind"), "{method} {seen}");
            assert_eq!((&answer.body["key"], &answer.body["seq"]), (&json!("second"), &json!(1)));
            assert_eq!(answer.body["incarnation"], incarnation);
        }
        // Had it done anything, the key would not be absent.
        assert_eq!(subject.peek("second").await.state(), "absent", "{seen}");
    }
    let seen = format!("{incarnation}:1");
    let answer = subject.send("PUT", &subject.at("second"), &[JSON, ("handfast-seen", &seen)], VISA).await;
    assert_eq!((answer.status.as_u16(), &answer.body["seq"]), (200, &json!(2)));
}
