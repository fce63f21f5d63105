//! Webhooks over real HTTP, between real processes: each is a hint to ask, and decides nothing.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]

mod shop;

use hyper::Method;
use serde_json::{Value, json};
use shop::{Gate, SECRET, Shop, about, key_of, long_enough_for_a_hint, send, send_signed, until};

use crate::serve::shop::{Caller, Process, free_address, order, path};
use crate::support::{handfast, run};

/// How a saga stands, and how many entries its journal has.
async fn standing(caller: &Caller, id: &str) -> (String, usize) {
    let saga = caller.get(&format!("/sagas/{id}")).await.json();
    (saga["standing"].as_str().unwrap().to_owned(), saga["journal"].as_array().unwrap().len())
}

async fn webhooks(caller: &Caller) -> Value {
    caller.get("/stats").await.json()["webhooks"][0].clone()
}

/// A shop, its coordinator, and somebody who asks that.
async fn open(payment: &[&str]) -> (Shop, Process, Caller) {
    let shop = Shop::open(payment).await;
    let coordinator = shop.coordinator();
    let caller = Caller::of(&coordinator);
    (shop, coordinator, caller)
}

fn acting() -> (String, usize) {
    ("acting".to_owned(), 1)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_ends_with_the_webhook_of_a_service_that_answers_later() {
    let (shop, _coordinator, caller) = open(&["--weak", "answers-after=3s", "--webhook", "{shop}"]).await;
    let reply = caller.place("order-1", &order("order-1"), &[("prefer", "wait=50")]).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["outcome"]), (201, &json!("completed")), "{}", reply.text);
    assert_eq!((shop.acts(), shop.charges().await), (2, (1, 0)), "asked once, and once more since the webhook came");
    let said = webhooks(&caller).await;
    assert_eq!((&said["step"], &said["taken"], &said["refused"]), (&json!("payment"), &json!(1), &json!(0)), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_webhook_it_waits_and_with_one_nobody_waits_any_longer() {
    let (shop, _coordinator, caller) = open(&["--weak", "answers-after=300ms"]).await;
    let acts = shop.place(&caller, "order-1").await;
    until("the charge is made", async || shop.charges().await == (1, 0)).await;
    long_enough_for_a_hint().await;
    assert_eq!((shop.acts(), standing(&caller, "order-1").await), (acts, acting()), "nobody knows, so nobody asks");
    assert_eq!(send(&caller, "msg_1", &about(&key_of(&caller, "order-1").await, "done")).await, 204);
    assert_eq!(caller.outcome("order-1").await, "completed");
    assert_eq!((shop.acts(), shop.charges().await), (acts + 1, (1, 0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_hold_the_secret_moves_nothing() {
    let (shop, _coordinator, caller) = open(&[]).await;
    shop.set(Gate::CarriedOut);
    let acts = shop.place(&caller, "order-1").await;
    shop.set(Gate::Open);
    let body = about(&key_of(&caller, "order-1").await, "done");
    let other = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    let mut refused = vec![
        send_signed(&caller, other, "msg_1", &body, 0).await,
        send_signed(&caller, SECRET, "msg_2", &body, 301).await,
        caller.send(Method::POST, "/webhooks/payment", &[], body.clone()).await,
    ];
    // A signature of another body.
    let at = [("webhook-id", "msg_3"), ("webhook-timestamp", "1"), ("webhook-signature", "v1,AAAA")];
    refused.push(caller.send(Method::POST, "/webhooks/payment", &at, body.clone()).await);
    let elsewhere = caller.send(Method::POST, "/flows/cards/webhooks/payment", &[], body.clone()).await;
    let unsigned = caller.send(Method::POST, "/flows/shop/webhooks/payment", &[], body.clone()).await;
    assert_eq!((elsewhere.status, elsewhere.text), (unsigned.status, unsigned.text), "who cannot sign learns of no flow");
    for reply in &refused {
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (401, "not-signed"), "{}", reply.text);
        assert_eq!(reply.header("www-authenticate"), Some("webhook-signature"));
        assert!(!reply.text.contains("whsec_"), "{}", reply.text);
    }
    long_enough_for_a_hint().await;
    assert_eq!((shop.acts(), standing(&caller, "order-1").await), (acts, acting()), "not one request went out");
    let said = webhooks(&caller).await;
    assert_eq!((&said["taken"], &said["refused"]), (&json!(0), &json!(5)), "{said}");
    assert_eq!(send(&caller, "msg_1", &body).await, 204, "what was refused is not known");
    assert_eq!(caller.outcome("order-1").await, "completed");
    assert_eq!(shop.acts(), acts + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_that_comes_again_costs_nothing() {
    let (shop, _coordinator, caller) = open(&[]).await;
    shop.set(Gate::Shut);
    let acts = shop.place(&caller, "order-1").await;
    let body = about(&key_of(&caller, "order-1").await, "done");
    assert_eq!(send(&caller, "msg_1", &body).await, 204);
    until("it is asked", async || shop.acts() > acts).await;
    let acts = shop.left_alone(&caller, "order-1").await;
    for _ in 0..20 {
        assert_eq!(send(&caller, "msg_1", &body).await, 204);
    }
    long_enough_for_a_hint().await;
    assert_eq!((shop.acts(), standing(&caller, "order-1").await), (acts, acting()));
    assert_eq!(webhooks(&caller).await["repeated"], 20);
    shop.set(Gate::Open);
    assert_eq!(send(&caller, "msg_2", &body).await, 204);
    assert_eq!(caller.outcome("order-1").await, "completed");
    assert_eq!((shop.acts(), shop.charges().await), (acts + 1, (1, 0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_webhook_says_only_the_answer_counts() {
    let (shop, _coordinator, caller) = open(&[]).await;
    // It says that nothing was charged, and something was.
    shop.set(Gate::CarriedOut);
    let acts = shop.place(&caller, "order-1").await;
    assert_eq!(shop.charges().await, (1, 0));
    let key = key_of(&caller, "order-1").await;
    for (number, state) in ["refused", "closed", "undone", "failed"].into_iter().enumerate() {
        assert_eq!(send(&caller, &format!("msg_{number}"), &about(&key, state)).await, 204);
    }
    until("it is asked", async || shop.acts() > acts).await;
    assert_eq!(standing(&caller, "order-1").await, acting(), "what it was answered is no answer yet");
    shop.set(Gate::Open);
    assert_eq!(send(&caller, "msg_late", &about(&key, "failed")).await, 204);
    assert_eq!(caller.outcome("order-1").await, "completed");
    assert_eq!(shop.charges().await, (1, 0));

    // It says that something was charged, and nothing was, or ever will be.
    shop.set(Gate::Shut);
    let mut declined = order("order-2");
    declined["token"] = json!("tok_declined");
    assert_eq!(caller.place("order-2", &declined, &[]).await.status, 202);
    shop.left_alone(&caller, "order-2").await;
    let key = key_of(&caller, "order-2").await;
    assert_eq!(send(&caller, "msg_early", &about(&key, "done")).await, 204);
    long_enough_for_a_hint().await;
    assert_eq!(standing(&caller, "order-2").await, acting(), "nothing was dispatched");
    shop.set(Gate::Open);
    assert_eq!(send(&caller, "msg_done", &about(&key, "done")).await, 204);
    assert_eq!(caller.outcome("order-2").await, "cancelled");
    assert_eq!(shop.charges().await, (1, 0));
    // After the end nobody is asked any more.
    let acts = shop.acts();
    assert_eq!(send(&caller, "msg_after", &about(&key, "done")).await, 204);
    long_enough_for_a_hint().await;
    assert_eq!((shop.acts(), shop.charges().await), (acts, (1, 0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_that_overtakes_the_first_answer_is_not_lost() {
    let (shop, _coordinator, caller) = open(&[]).await;
    shop.set(Gate::Silent);
    assert_eq!(caller.place("order-1", &order("order-1"), &[]).await.status, 202);
    until("it is asked", async || shop.acts() == 1).await;
    assert_eq!(send(&caller, "msg_1", &about(&key_of(&caller, "order-1").await, "done")).await, 204);
    // Only now the act is answered, with "accepted"; the next one would come in an hour.
    shop.set(Gate::Open);
    assert_eq!(caller.outcome("order-1").await, "completed");
    assert_eq!((shop.acts(), shop.charges().await), (2, (1, 0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_finds_the_coordinator_that_was_killed_meanwhile() {
    let (shop, coordinator, caller) = open(&[]).await;
    shop.set(Gate::Shut);
    let acts = shop.place(&caller, "order-1").await;
    let body = about(&key_of(&caller, "order-1").await, "done");
    coordinator.kill();
    let coordinator = shop.coordinator();
    let caller = Caller::of(&coordinator);
    // Whoever starts asks for what is in doubt, is told "accepted" once more, and leaves it alone again.
    until("it is asked", async || shop.acts() == acts + 1).await;
    assert_eq!(shop.left_alone(&caller, "order-1").await, acts + 1);
    shop.set(Gate::Open);
    assert_eq!(send(&caller, "msg_1", &body).await, 204);
    assert_eq!(caller.outcome("order-1").await, "completed");
    assert_eq!((shop.acts(), shop.charges().await), (acts + 2, (1, 0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_that_finds_nobody_comes_again() {
    let shop = Shop::open(&["--weak", "answers-after=2s", "--webhook", "{shop}"]).await;
    let coordinator = shop.coordinator();
    assert_eq!(Caller::of(&coordinator).place("order-1", &order("order-1"), &[]).await.status, 202);
    until("it is asked", async || shop.acts() == 1).await;
    coordinator.kill();
    until("the charge is made", async || shop.charges().await == (1, 0)).await;
    let coordinator = shop.coordinator();
    let caller = Caller::of(&coordinator);
    assert_eq!(caller.outcome("order-1").await, "completed");
    until("the webhook comes", async || webhooks(&caller).await["taken"] == 1).await;
    assert_eq!(shop.charges().await, (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_about_nothing_here_is_taken_and_what_is_none_is_refused() {
    let (shop, _coordinator, caller) = open(&[]).await;
    for (number, body) in
        [about(&json!("other12345.order-1.payment"), "done"), r#"{"type":"balance.changed"}"#.to_owned(), "[]".to_owned()]
            .into_iter()
            .enumerate()
    {
        assert_eq!(send(&caller, &format!("msg_{number}"), &body).await, 204, "{body}");
    }
    assert_eq!(webhooks(&caller).await["none_of_ours"], 3);
    let reply = send_signed(&caller, SECRET, "msg_9", "not JSON", 0).await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (400, "not-json"));
    let large = format!("\"{}\"", "x".repeat(256 * 1024));
    let reply = send_signed(&caller, SECRET, "msg_10", &large, 0).await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (413, "too-large"));
    for step in ["dispatch", "nobody", "%ff", "Payment"] {
        let reply = caller.send(Method::POST, &format!("/webhooks/{step}"), &[], "{}").await;
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (404, "no-such-page"), "{step}");
    }
    let reply = caller.get("/webhooks/payment").await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (405, "method-not-allowed"));
    assert_eq!(shop.acts(), 0);
}

#[test]
fn who_takes_webhooks_needs_their_secret_and_who_sends_them_too() {
    let folder = tempfile::tempdir().unwrap();
    let flow = folder.path().join("shop.toml");
    let text = include_str!("flow.toml").replace("{gate}", "127.0.0.1:9").replace("{dispatch}", "http://127.0.0.1:9");
    std::fs::write(&flow, text).unwrap();
    let store = format!("sqlite:{}", folder.path().join("shop.db").display());
    let serve = |secret: Option<&str>| {
        let mut command = handfast();
        command.args(["serve", "--flow", path(&flow), "--listen", &free_address(), "--store", &store]);
        let ended = command.envs(secret.map(|secret| ("PAYMENT_WEBHOOK", secret))).output().unwrap();
        (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
    };
    let (code, said) = serve(None);
    assert_eq!(code, Some(2));
    assert!(
        said.contains("shop.toml:10:1: step payment, [step.http.webhook]: the secret PAYMENT_WEBHOOK is not there"),
        "{said}"
    );
    let (code, said) = serve(Some("a secret of another kind"));
    assert_eq!(code, Some(2));
    assert!(
        said.contains("PAYMENT_WEBHOOK: a secret of standard-webhooks is whsec_") && !said.contains("another kind"),
        "{said}"
    );
    assert!(!folder.path().join("shop.db").exists());

    let store = format!("sqlite:{}", folder.path().join("payment.db").display());
    let payment = |more: &[&str]| run([&["payment", "--listen", "127.0.0.1:0", "--store", &store], more].concat());
    let (url, secret) = (["--webhook", "http://127.0.0.1:9/x"], ["--webhook-secret", SECRET]);
    let later = ["--weak", "answers-after=1s"];
    for (more, says) in [
        ([url.as_slice(), &later].concat(), "--webhook-secret"),
        ([url.as_slice(), &secret].concat(), "add --weak answers-after=TIME"),
        ([["--webhook", "https://x.example"].as_slice(), &secret, &later].concat(), "plain http"),
        ([url.as_slice(), &["--webhook-secret", "secret"], &later].concat(), "whsec_ and 24 to 64 bytes"),
    ] {
        let ended = payment(&more);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{more:?}");
        assert!(ended.stderr.contains(says), "{more:?}: {}", ended.stderr);
    }
    assert!(!folder.path().join("payment.db").exists());
}
