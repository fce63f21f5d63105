//! Nothing is silent: what is in the way has a line in the log, a place in `/stats`, and says why the service is not ready.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]

use std::time::Duration;

use hyper::Method;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::serve::shop::{Caller, Process, Shop, order};
use crate::support::run;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until something holds, and says what it was about if it never does.
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..PATIENCE.as_millis() / 50 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what}");
}

async fn ready(caller: &Caller) -> (u16, String) {
    let reply = caller.get("/readyz").await;
    (reply.status.as_u16(), reply.text)
}

/// An order that is told as unavailable, and everything that has to say so too.
async fn check_that_it_is_told(coordinator: &Process, caller: &Caller, why: &str) {
    until("it is not ready", async || ready(caller).await.0 == 503).await;
    until("the log has a line", async || !coordinator.events("store_refuses_writes").is_empty()).await;
    let line = coordinator.events("store_refuses_writes")[0].clone();
    assert_eq!(line["level"], "error", "{line}");
    assert!(line["why"].as_str().unwrap().contains(why), "{line}");
    let (_, text) = ready(caller).await;
    assert!(text.contains(why) && text.contains("store-unavailable"), "{text}");
    let stats = caller.get("/stats").await.json();
    assert!(stats["store_trouble"].as_str().unwrap().contains(why), "{stats}");
    assert_eq!(caller.get("/livez").await.status, 200, "it is not dead");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_another_process_has_locked_is_told_everywhere_until_it_is_free() {
    let shop = Shop::closed();
    let _services = shop.services();
    let coordinator = shop.coordinator_after("true", &["--log", "json"]);
    let caller = Caller::of(&coordinator);
    assert_eq!(ready(&caller).await.0, 200);
    let other = Connection::open(shop.store().strip_prefix("sqlite:").unwrap()).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let refused = caller.place("key-1", &order("order-1"), &[]).await;
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (503, "store-unavailable"), "{}", refused.text);
    check_that_it_is_told(&coordinator, &caller, "locked").await;
    other.execute_batch("COMMIT").unwrap();
    until("it is ready again", async || ready(&caller).await.0 == 200).await;
    until("the log says so", async || !coordinator.events("store_takes_writes").is_empty()).await;
    assert_eq!(caller.get("/stats").await.json()["store_trouble"], Value::Null);
    let placed = caller.place("key-1", &order("order-1"), &[("prefer", "wait=50")]).await;
    assert_eq!((placed.status.as_u16(), &placed.json()["outcome"]), (201, &json!("completed")), "{}", placed.text);
}

/// A file that may not grow is as good as a full disk.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_told_everywhere() {
    let shop = Shop::closed();
    let _services = shop.services();
    // Of 512 or of 1,024 bytes, as the shell has it.
    let coordinator = shop.coordinator_after("trap '' XFSZ; ulimit -f 800", &["--log", "json"]);
    let caller = Caller::of(&coordinator);
    assert_eq!(ready(&caller).await.0, 200);
    let mut taken = 0;
    let refused = loop {
        let mut large = order(&format!("order-{taken}"));
        large["lines"] = (0..400).map(|_| json!({ "sku": "m".repeat(60), "quantity": 1 })).collect();
        let reply = caller.place(&format!("key-{taken}"), &large, &[]).await;
        if reply.status != 202 {
            break reply;
        }
        taken += 1;
        assert!(taken < 200, "it never ends");
    };
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (503, "store-unavailable"), "{}", refused.text);
    check_that_it_is_told(&coordinator, &caller, "").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_log_json_everything_that_is_said_is_a_line_of_json() {
    let shop = Shop::closed();
    let coordinator = shop.coordinator_after("true", &["--log", "json"]);
    let caller = Caller::of(&coordinator);
    let mut with_card = order("order-1");
    with_card["token"] = json!("4111 1111 1111 1111");
    assert_eq!(caller.place("key-1", &with_card, &[]).await.status, 422);
    let reply = caller.send(Method::POST, "/sagas/4111111111111111/cancel", &[], "").await;
    assert_eq!(reply.status, 404);
    coordinator.signal("TERM");
    let log = loop {
        let log = coordinator.log();
        if log.contains("listening") {
            break log;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert!(!log.contains("4111"), "{log}");
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(["at", "level", "event", "message", "target"].iter().all(|name| line[name].is_string()), "{line}");
    }
    assert_eq!(coordinator.wait().code(), Some(0));
}

#[test]
fn a_level_that_is_none_is_refused() {
    let ended = run(["serve", "--flow", "x.toml", "--log-level", "loud"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("--log-level"), "{}", ended.stderr);
}
