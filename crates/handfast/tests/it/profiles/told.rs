//! What a service says for good that nobody can go on from is told to a person at once, with the amount and its own words.

use axum::http::Method;
use handfast::journal::Said;
use handfast::{Act, ActResult, Fate, Mark, NoOutcome};
use serde_json::json;

use super::provider::{Provider, UNDONE, flow, order, order_at_risk, read, text};
use super::shop::{Road, Shop, ended, until, view};

const CHARGED: &str = "done = { status = 200, json = { \"/state\" = \"charged\" } }";

/// The step that captures what the payment holds.
const CAPTURE: &str = r#"
[[step]]
name = "capture"
participant = "http"
captures = "payment"
send = ["amount"]
[step.profile]
may_refuse = false
idempotent = true
remembers = "for-ever"
[step.http.act]
url = "PROVIDER/captures/{key}"
done = { json = { "/state" = "captured" } }
refused = { status = 409, json = { "/state" = "gone" } }
detail = "/reason"
"#;

/// The goods are on their way, and the hold is gone: the capture is refused for good, and asking again would not help.
#[tokio::test]
async fn a_capture_that_is_refused_for_good_is_told_at_once() {
    let shop = Shop::open(&[]).await;
    let (provider, url) = Provider::start(|_, _, _, path| {
        let is_capture = path.starts_with("/captures");
        let gone = (409, json!({"state": "gone", "reason": "hold_lapsed"}));
        Some(if is_capture { gone } else { (200, json!({"state": "charged"})) })
    })
    .await;
    let held = text(&url, &shop.urls[1], CHARGED, &UNDONE.replace("PROVIDER", &url));
    let held = held.replacen("[step.profile]\n", "[step.profile]\nhold_expires = \"7d\"\n", 1);
    let file = read(&format!("{held}{}", CAPTURE.replace("PROVIDER", &url)));
    let (engine, mut saga) = order_at_risk(&shop, &file, &["hold-lapse"]).await;
    assert!(matches!(ended(&mut saga).await, Err(NoOutcome::Stuck { .. })));
    let saga = view(&engine, "order-1").await;
    let trouble = saga.trouble.expect("somebody is told");
    assert!(trouble.starts_with("step capture: it refused") && trouble.contains("1.00 EUR"), "{trouble}");
    assert_eq!(saga.steps[2].detail.as_deref(), Some("hold_lapsed"), "in its own words");
    assert_eq!(shop.shipments().await, 1);
    let captures = provider.asked().iter().filter(|(_, path)| path.starts_with("/captures")).count();
    assert_eq!(captures, 1, "asking again would not help");
}

/// What becomes of a saga at the very entry by which a person acts has come of that act, and was not there before.
#[tokio::test]
async fn what_a_person_marks_as_done_has_come_of_that_word() {
    let shop = Shop::open(&[]).await;
    let answers = |path: &str| (!path.starts_with("/captures")).then(|| (200, json!({"state": "charged"})));
    let (_provider, url) = Provider::start(move |_, _, _, path| answers(path)).await;
    let held = text(&url, &shop.urls[1], CHARGED, &UNDONE.replace("PROVIDER", &url));
    let held = held.replacen("[step.profile]\n", "[step.profile]\nhold_expires = \"7d\"\n", 1);
    let assumed = "[assume]\nmessage_lifetime = \"300ms\"\nclock_error = \"1ms\"\nlongest_outage = \"1ms\"\n[input]";
    let once = CAPTURE.replace("idempotent = true\nremembers = \"for-ever\"", "idempotent = false");
    let file = read(&format!("{}{}", held.replace("[input]", assumed), once.replace("PROVIDER", &url)));
    let (engine, mut saga) = order_at_risk(&shop, &file, &["hold-lapse", "not-idempotent"]).await;
    assert!(matches!(ended(&mut saga).await, Err(NoOutcome::Stuck { .. })));
    let act = Act::Mark { step: "capture".to_owned(), mark: Mark::Done };
    let saw = view(&engine, "order-1").await.entries.len() as u64;
    let (by, reason, request_id) = ("ada".to_owned(), "their books say so".to_owned(), "r-1".to_owned());
    let said = Said { by, reason, request_id, saw, ..Said::default() };
    assert!(matches!(engine.act("order-1", &act, &said).await.unwrap(), ActResult::Taken { .. }));
    let come = engine.outturn("order-1", "r-1").await.unwrap().unwrap();
    assert_eq!(come.end.fates, [Fate::StillDone, Fate::StillDone, Fate::Done]);
}

/// A refund is taken on, and comes to nothing: that is no cancelled order.
#[tokio::test]
async fn an_undo_that_is_taken_on_and_fails_later_is_told() {
    let shop = Shop::open(&[]).await;
    shop.to_dispatch.set(|_| Road::RequestCaptured);
    let (provider, url) = Provider::start(|books, _, method, _| {
        if *method != Method::POST {
            books.charged = 100;
            return Some((200, json!({"state": "charged"})));
        }
        let refunds = books.asked.iter().filter(|(method, _)| *method == Method::POST).count();
        let pending = (202, json!({"state": "pending", "id": "re-1"}));
        Some(if refunds < 4 { pending } else { (200, json!({"state": "failed", "id": "re-1", "reason": "account_closed"})) })
    })
    .await;
    let undo = format!(
        "{}\nrefused = {{ status = 200, json = {{ \"/state\" = \"failed\" }} }}\ndetail = \"/reason\"",
        UNDONE.replace("PROVIDER", &url)
    );
    let file = flow(&url, &shop.urls[1], CHARGED, &undo);
    let (engine, mut saga) = order(&shop, &file).await;
    until("the dispatch is asked for", || async { shop.to_dispatch.count(&Method::PUT) > 0 }).await;
    engine.cancel("order-1", None, None).await.unwrap();
    shop.to_dispatch.set(|_| Road::Open);
    assert!(matches!(ended(&mut saga).await, Err(NoOutcome::Stuck { .. })), "a refund that is pending is none");
    let saga = view(&engine, "order-1").await;
    let trouble = saga.trouble.expect("somebody is told");
    assert!(trouble.starts_with("step payment: the answer to undo said refused") && trouble.contains("1.00 EUR"), "{trouble}");
    let journal = format!("{:?}", saga.entries);
    assert!(journal.contains("account_closed"), "its own words are kept: {journal}");
    assert_eq!((provider.charged(), shop.shipments().await), (100, 0));
}
