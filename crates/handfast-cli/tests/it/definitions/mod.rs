//! A flow file that was edited under open orders: nothing is sent to an address that it does not name before somebody decides.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]
#![expect(clippy::disallowed_methods, reason = "how long a test is ready to wait is counted in real time")]

mod words;

use std::fs;
use std::time::{Duration, Instant};

use hyper::Method;
use serde_json::{Value, json};

use crate::serve::shop::{Caller, PATIENCE, Process, Shop, free_address, order};
use crate::support::run;

/// A shop with an order that is paid and whose warehouse was asked, and a flow file that names another warehouse since.
async fn moved() -> (Shop, Process, String) {
    let shop = Shop::closed();
    let payment = shop.payment();
    let coordinator = shop.coordinator(&["--retry-cap", "100ms"]);
    let caller = Caller::of(&coordinator);
    assert_eq!(caller.place("order-1", &order("order-1"), &[]).await.status, 202);
    let started = Instant::now();
    while caller.get("/sagas/order-1").await.json()["steps"][0]["state"] != "done" {
        assert!(started.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    coordinator.signal("TERM");
    assert!(coordinator.wait().success());
    let new = free_address();
    let text = fs::read_to_string(shop.flow()).unwrap();
    let (before, after) = text.split_once("name = \"dispatch\"").unwrap();
    let old = after.split("url = \"").nth(1).unwrap().split('"').next().unwrap();
    fs::write(shop.flow(), format!("{before}name = \"dispatch\"{}", after.replace(old, &format!("http://{new}/shipments"))))
        .unwrap();
    (shop, payment, new)
}

async fn decide(caller: &Caller, hash: &str, decision: &Value) -> crate::serve::shop::Reply {
    let headers = [("content-type", "application/json")];
    caller.send(Method::POST, &format!("/definitions/{hash}"), &headers, decision.to_string()).await
}

async fn ends_in_both(caller: &Caller) {
    let started = Instant::now();
    while caller.get("/sagas/order-1").await.json()["outcome"] != "completed" {
        assert!(started.elapsed() < PATIENCE, "{}", caller.get("/sagas/order-1").await.text);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn orders_that_would_call_an_address_that_the_file_does_not_name_wait_for_a_decision() {
    let (shop, _payment, new) = moved().await;
    let flow = shop.flow();
    let checked = run(["check", flow.to_str().unwrap(), "--store", &shop.store(), "--json"]);
    assert_eq!(checked.code, Some(0), "{}", checked.stderr);
    let said: Value = serde_json::from_str(checked.stdout.lines().last().unwrap()).unwrap();
    let followed = &said["followed"][0];
    assert_eq!((&followed["orders"], &followed["plan"], &followed["identity"]), (&json!(1), &Value::Null, &json!([])), "{said}");
    assert!(!followed["addresses"].to_string().contains(&new), "those that they call: {said}");
    let old = shop.dispatch();
    let coordinator = shop.coordinator(&["--retry-cap", "100ms"]);
    let caller = Caller::of(&coordinator);
    let listed = caller.get("/definitions").await.json();
    let other = &listed["definitions"][0];
    assert_eq!((&other["orders"], &other["held"], &other["plan"]), (&json!(1), &json!(true), &Value::Null), "{listed}");
    assert_eq!((&other["steps"][0]["name"], &other["steps"][0]["moved"]), (&json!("dispatch"), &json!(true)), "{listed}");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(Caller::of(&old).get("/audit").await.json()["shipments"], 0, "nothing was sent");
    assert!(caller.get("/sagas/order-1").await.json()["trouble"].as_str().unwrap().contains("--adopt"));
    let hash = other["hash"].as_str().unwrap();
    let nobody = decide(&caller, hash, &json!({ "decides": "keep", "by": "", "why": "x" })).await;
    assert_eq!(nobody.problem(), "not-a-reason");
    let unknown = decide(&caller, "ab", &json!({ "decides": "keep", "by": "anna", "why": "x" })).await;
    assert_eq!((unknown.status.as_u16(), unknown.problem().as_str()), (404, "no-such-definition"));
    let kept = decide(&caller, hash, &json!({ "decides": "keep", "by": "anna", "why": "the old one still ships" })).await;
    let one = json!({ "orders": 1, "looked_for": 0, "held": 0, "held_orders": [], "partly_read": false });
    assert_eq!((kept.status.as_u16(), kept.json()), (200, one), "{}", kept.text);
    ends_in_both(&caller).await;
    assert_eq!(Caller::of(&old).get("/audit").await.json()["shipments"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn orders_follow_the_file_once_somebody_adopts_it_and_answers_for_the_books() {
    let (shop, _payment, new) = moved().await;
    let store = format!("sqlite:{}", shop.folder.path().join("new.db").display());
    let warehouse = Process::start(&["dispatch", "--listen", &new, "--store", &store]);
    let arguments = ["--adopt", "--same-books", "--by", "anna", "--why", "the warehouse has moved, books and all"];
    let coordinator = shop.coordinator(&arguments);
    ends_in_both(&Caller::of(&coordinator)).await;
    assert_eq!(Caller::of(&warehouse).get("/audit").await.json()["shipments"], 1);
}

/// The same decision as a command, at the service that is running.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_command_lists_the_definitions_of_a_running_service_and_decides() {
    let (shop, _payment, _new) = moved().await;
    let old = shop.dispatch();
    let coordinator = shop.coordinator(&["--retry-cap", "100ms"]);
    let caller = Caller::of(&coordinator);
    let url = coordinator.url.clone();
    let listed = run(["definitions", "list", "--url", &url, "--json"]);
    assert_eq!(listed.code, Some(0), "{}", listed.stderr);
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    let hash = listed["definitions"][0]["hash"].as_str().unwrap();
    let shown = run(["definitions", "list", "--url", &url]).stdout;
    for word in [hash, "held", "dispatch: its address", "calls"] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    let unasked = run(["definitions", "keep", &hash[..12], "--by", "anna", "--why", "x", "--url", &url]);
    assert_eq!(unasked.code, Some(2), "{}", unasked.stdout);
    assert!(unasked.stderr.contains("keep: 1 open order of shop") && unasked.stderr.contains("say --yes"), "{}", unasked.stderr);
    let said = ["--by", "anna", "--why", "the old one still ships", "--yes", "--url", &url, "--json"];
    let unknown = run(["definitions", "keep", "zz"].iter().chain(&said));
    assert_eq!(unknown.code, Some(2), "{}", unknown.stdout);
    let kept = run(["definitions", "keep", &hash[..12]].iter().chain(&said));
    assert_eq!(kept.code, Some(0), "{}", kept.stderr);
    let kept: Value = serde_json::from_str(&kept.stdout).unwrap();
    assert_eq!((&kept["hash"], &kept["decides"], &kept["orders"]), (&json!(hash), &json!("keep"), &json!(1)), "{kept}");
    assert_eq!((&kept["held"], &kept["held_orders"]), (&json!(0), &json!([])), "{kept}");
    ends_in_both(&caller).await;
    assert_eq!(Caller::of(&old).get("/audit").await.json()["shipments"], 1);
    let nobody = run(["definitions", "list", "--url", &format!("http://{}", free_address())]);
    assert_eq!(nobody.code, Some(5), "{}", nobody.stderr);
}

/// Nothing is sent for it, and who wants neither is heard all the same; only a journal that cannot be followed takes nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_order_that_is_held_is_cancelled_or_it_is_said_what_helps() {
    let (shop, _payment, _new) = moved().await;
    let old = shop.dispatch();
    let coordinator = shop.coordinator(&["--retry-cap", "100ms"]);
    let caller = Caller::of(&coordinator);
    let held = caller.get("/sagas/order-1").await.json();
    assert_eq!((&held["held"], &held["standing"]), (&json!(true), &json!("acting")), "{held:#}");
    assert_eq!((&held["can"][0]["act"], &held["can"][1]), (&json!("cancel"), &Value::Null), "{held:#}");
    assert_eq!((&held["steps"][0]["state"], &held["steps"][1]["asked"]), (&json!("done"), &json!("act")), "{held:#}");
    let listed = run(["sagas", "list", "--url", &coordinator.url]);
    assert!(listed.stdout.contains("acting    order-1") && listed.stdout.contains("held: decide"), "{}", listed.stdout);
    let waiting = run(["sagas", "list", "--needs-person", "--url", &coordinator.url]);
    assert!(waiting.stdout.contains("acting    order-1") && waiting.stderr.contains("1 saga, 19.99 EUR"), "{}", waiting.stderr);
    let unasked = run(["sagas", "cancel", "order-1", "--by", "ada", "--reason", "r", "--url", &coordinator.url]);
    assert_eq!(unasked.code, Some(2), "{}", unasked.stderr);
    assert!(
        unasked.stderr.contains("neither is wanted") && unasked.stderr.contains("nothing is sent before"),
        "{}",
        unasked.stderr
    );
    // The same beside the service, in its file.
    let store = shop.store();
    let listed = run(["sagas", "list", "--needs-person", "--store", &store]);
    assert!(listed.stdout.contains("acting    order-1") && listed.stdout.contains("held: decide"), "{}", listed.stdout);
    let shown: Value = serde_json::from_str(&run(["sagas", "show", "order-1", "--store", &store, "--json"]).stdout).unwrap();
    assert_eq!((&shown["held"], &shown["can"], &shown["trouble"]), (&held["held"], &held["can"], &held["trouble"]), "{shown:#}");
    for place in [["--url", &coordinator.url], ["--store", &store]] {
        let words = ["sagas", "retry", "order-1", "--by", "ada", "--reason", "r", "--yes"];
        let hurried = run(words.iter().chain(&place));
        assert!(hurried.code == Some(1) && hurried.stderr.contains("it would change nothing"), "{}", hurried.stderr);
    }
    let headers = [("content-type", "application/json")];
    let cancelled = caller.send(Method::POST, "/sagas/order-1/cancel", &headers, json!({ "by": "ada" }).to_string()).await;
    assert_eq!((cancelled.status.as_u16(), &cancelled.json()["standing"]), (202, &json!("cancelling")), "{}", cancelled.text);
    let hash = caller.get("/definitions").await.json()["definitions"][0]["hash"].as_str().unwrap().to_owned();
    let kept = decide(&caller, &hash, &json!({ "decides": "keep", "by": "anna", "why": "the old one answers" })).await;
    assert_eq!(kept.status, 200, "{}", kept.text);
    let started = Instant::now();
    while caller.get("/sagas/order-1").await.json()["outcome"].is_null() {
        assert!(started.elapsed() < PATIENCE, "{}", caller.get("/sagas/order-1").await.text);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The warehouse may have taken the act that was on the road; then it is both, and not half of it.
    let audit = Caller::of(&old).get("/audit").await.json();
    let both = caller.get("/sagas/order-1").await.json()["outcome"] == "completed";
    assert_eq!(audit["shipments"] == json!(1), both, "{audit}");

    assert_eq!(caller.place("order-2", &order("order-2"), &[]).await.status, 202);
    coordinator.signal("TERM");
    assert!(coordinator.wait().success());
    rusqlite::Connection::open(shop.folder.path().join("shop.db"))
        .and_then(|store| {
            store.execute(
                "UPDATE journal SET digest = x'0000000000000000' WHERE seq = 1 AND saga = (SELECT id FROM saga WHERE name = 'order-2')",
                [],
            )
        })
        .unwrap();
    let coordinator = shop.coordinator(&[]);
    let caller = Caller::of(&coordinator);
    let act = json!({ "act": "settle", "by": "ada", "reason": "r", "request_id": "r-1", "saw": 1 });
    for (path, body) in [("/sagas/order-2/cancel", json!({ "by": "ada" })), ("/sagas/order-2/acts", act)] {
        let refused = caller.send(Method::POST, path, &headers, body.to_string()).await;
        assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (409, "left-alone"), "{}", refused.text);
        assert!(refused.text.contains("entry 1"), "it says where: {}", refused.text);
    }
}

#[test]
fn a_decision_has_a_name_and_a_reason() {
    for arguments in [&["--adopt"][..], &["--adopt", "--by", "anna"], &["--same-books"], &["--adopt", "--keep-definitions"]] {
        let ended = run(["serve", "--flow", "shop.toml"].iter().chain(arguments));
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.stderr);
    }
}
