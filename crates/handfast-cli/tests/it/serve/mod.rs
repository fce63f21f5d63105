//! `handfast serve` from outside: real processes, real HTTP, kill -9 and signals.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]
#![expect(clippy::disallowed_methods, reason = "how long a test is ready to wait is counted in real time")]

pub(crate) mod shop;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use hyper::Method;
use serde_json::{Value, json};
use shop::{Caller, PATIENCE, Process, Shop, order, path};

use crate::support;

/// One saga is one object, whoever shows it: the service, `show`, `sagas show`, and, in part, the answer to the order and the line of
/// `run`.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_saga_is_the_same_object_whoever_shows_it() {
    let (shop, _services, coordinator) = Shop::open();
    let caller = Caller::of(&coordinator);
    let declined = json!({ "token": "tok_declined" });
    for (id, changes) in [("both", json!({})), ("neither", declined)] {
        let mut order = order(id);
        order.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let placed = caller.place(&format!("key-{id}"), &order, &[("prefer", "wait=50")]).await.json();
        let served = caller.get(&format!("/sagas/{id}")).await.json();
        assert_is_part(&placed, &served, "placed");
        let store = shop.store();
        let said = |arguments: &[&str]| -> Value {
            let ended = support::run([arguments, &["--store", &store, "--json"]].concat());
            serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {}", ended.stderr))
        };
        let mut shown = said(&["show", id]);
        assert_eq!(shown.as_object_mut().unwrap().remove("messengers"), Some(json!([])));
        assert_eq!(shown, served, "show");
        // An operator's look leaves out what is long.
        let mut brief = served.clone();
        brief.as_object_mut().unwrap().retain(|name, _| !["order", "journal", "tries"].contains(&name.as_str()));
        assert_eq!(said(&["sagas", "show", id]), brief, "sagas show");
        // The line of `run` has fewer members, and none of another name or value.
        let orders = shop.folder.path().join("orders.jsonl");
        std::fs::write(&orders, format!("{order}\n")).unwrap();
        let flow = shop.flow();
        let mut line = said(&["run", "--flow", path(&flow), path(&orders)]);
        assert_eq!(line.as_object_mut().unwrap().remove("line"), Some(json!(1)));
        assert_is_part(&line, &served, "run");
    }
}

/// Every member of the one is in the other, by name, with the same value.
#[track_caller]
fn assert_is_part(part: &Value, whole: &Value, place: &str) {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => {
            part.iter().for_each(|(name, value)| assert_is_part(value, &whole[name], &format!("{place}.{name}")));
        }
        (Value::Array(part), Value::Array(whole)) => {
            assert_eq!(part.len(), whole.len(), "{place}");
            part.iter().zip(whole).for_each(|(part, whole)| assert_is_part(part, whole, place));
        }
        _ => assert_eq!(part, whole, "{place}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_order_is_taken_and_ends_in_both() {
    let (_shop, _services, coordinator) = Shop::open();
    let caller = Caller::of(&coordinator);
    let reply = caller.place("key-1", &order("order-1"), &[("prefer", "wait=50")]).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    assert_eq!(reply.header("location"), Some("/sagas/order-1"));
    assert_eq!(reply.header("preference-applied"), Some("wait=50"));
    assert_eq!(reply.header("idempotency-replayed"), None);
    assert_eq!((&reply.json()["standing"], &reply.json()["outcome"]), (&json!("completed"), &json!("completed")));

    let saga = caller.get("/sagas/order-1").await.json();
    assert_eq!(saga["id"], "order-1");
    assert_eq!(saga["flow"], "shop");
    assert_eq!(saga["in_doubt"], false);
    let steps: Vec<_> =
        saga["steps"].as_array().unwrap().iter().map(|step| (&step["name"], &step["kind"], &step["state"])).collect();
    let expected = [("payment", "compensatable", "done"), ("dispatch", "pivot", "done")]
        .map(|(name, kind, state)| (json!(name), json!(kind), json!(state)));
    assert_eq!(steps, expected.iter().map(|(name, kind, state)| (name, kind, state)).collect::<Vec<_>>());
    let journal = saga["journal"].as_array().unwrap();
    assert_eq!(journal.iter().map(|entry| entry["seq"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_declined_card_ends_in_neither() {
    let (_shop, _services, coordinator) = Shop::open();
    let caller = Caller::of(&coordinator);
    let mut declined = order("order-1");
    declined["token"] = json!("tok_declined");
    let reply = caller.place("key-1", &declined, &[("prefer", "wait=50")]).await;
    assert_eq!(reply.json()["why"], "payment: card_declined", "the answer says why");
    assert_eq!((reply.status.as_u16(), &reply.json()["outcome"]), (201, &json!("cancelled")), "{}", reply.text);
    let saga = caller.get("/sagas/order-1").await.json();
    let [payment, dispatch] = [0, 1].map(|step| (&saga["steps"][step]["state"], &saga["steps"][step]["detail"]));
    assert_eq!(payment, (&json!("refused"), &json!("card_declined")));
    assert_eq!(dispatch, (&json!("closed"), &Value::Null));
    assert_eq!(saga["journal"][1]["input"]["answer"]["detail"], "card_declined", "{saga}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_repeated_order_is_taken_once() {
    let (_shop, _services, coordinator) = Shop::open();
    let caller = Caller::of(&coordinator);
    assert_eq!(caller.place("key-1", &order("order-1"), &[]).await.status, 202);
    assert_eq!(caller.outcome("order-1").await, "completed");
    // Quoted, and written another way, behind a byte-order mark: the same key, the same order.
    let body = format!("\u{feff}  {}", serde_json::to_string_pretty(&order("order-1")).unwrap());
    let headers = [("content-type", "application/json; charset=utf-8"), ("idempotency-key", "\"key-1\"")];
    let again = caller.send(Method::POST, "/sagas", &headers, body).await;
    assert_eq!(again.status, 200, "{}", again.text);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.header("location"), Some("/sagas/order-1"));
    assert_eq!(again.json()["outcome"], "completed");
    let saga = caller.get("/sagas/order-1").await.json();
    assert_eq!(saga["journal"].as_array().unwrap().len(), 3, "{saga}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn of_repetitions_side_by_side_one_takes_the_order() {
    let shop = Shop::closed();
    let coordinator = shop.coordinator(&[]);
    let caller = Caller::of(&coordinator);
    let place = |key: String, order: Value| {
        let caller = caller.clone();
        tokio::spawn(async move { caller.place(&key, &order, &[]).await })
    };
    for round in 0..10 {
        let (key, id) = (format!("key-{round}"), format!("order-{round}"));
        let same: Vec<_> = (0..8).map(|_| place(key.clone(), order(&id))).collect();
        let other = place(key.clone(), order(&format!("other-{round}")));
        let mut taken = 0;
        for reply in same {
            let reply = reply.await.unwrap();
            match reply.status.as_u16() {
                202 => taken += u32::from(reply.header("idempotency-replayed").is_none()),
                status => assert_eq!((status, reply.problem().as_str()), (422, "idempotency-key-reused")),
            }
        }
        taken += u32::from(other.await.unwrap().status == 202);
        assert_eq!(taken, 1, "round {round}");
    }
    assert_eq!(caller.get("/sagas").await.json()["sagas"].as_array().unwrap().len(), 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn another_order_under_the_same_key_or_id_is_not_taken() {
    let (_shop, _services, coordinator) = Shop::open();
    let caller = Caller::of(&coordinator);
    assert_eq!(caller.place("key-1", &order("order-1"), &[]).await.status, 202);
    let mut dearer = order("order-1");
    dearer["amount"]["minor"] = json!(2000);
    let reply = caller.place("key-1", &dearer, &[]).await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (422, "idempotency-key-reused"));
    let reply = caller.place("key-2", &dearer, &[]).await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (422, "idempotency-key-reused"));
    let reply = caller.place("key-1", &order("order-2"), &[]).await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (422, "idempotency-key-reused"));
    // Whose order that is, is not for every caller to know.
    let detail = reply.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("stands for another order") && !detail.contains("order-1"), "{detail}");
    assert_eq!(caller.get("/sagas/order-2").await.status, 404);
    // A key whose order was not taken is still free, and an order that needs no key of its own keeps the one it came with.
    assert_eq!(caller.place("key-2", &order("order-2"), &[]).await.status, 202);
    assert_eq!(caller.place("key-3", &order("order-1"), &[]).await.header("idempotency-replayed"), Some("true"));
    assert_eq!(caller.place("key-3", &order("order-3"), &[]).await.problem(), "idempotency-key-reused");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_key_stands_for_its_order_across_kill_9() {
    let shop = Shop::closed();
    let coordinator = shop.coordinator(&[]);
    assert_eq!(Caller::of(&coordinator).place("key-1", &order("order-1"), &[]).await.status, 202);
    coordinator.kill();
    let coordinator = shop.coordinator(&[]);
    let caller = Caller::of(&coordinator);
    let reply = caller.place("key-1", &order("order-2"), &[]).await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (422, "idempotency-key-reused"));
    let again = caller.place("key-1", &order("order-1"), &[]).await;
    assert_eq!((again.status.as_u16(), again.header("idempotency-replayed")), (202, Some("true")), "{}", again.text);
    assert_eq!(again.json()["id"], "order-1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_order_without_an_id_is_named_after_its_key() {
    let (_shop, _services, coordinator) = Shop::open();
    let caller = Caller::of(&coordinator);
    let mut nameless = order("");
    nameless.as_object_mut().unwrap().remove("id");
    let first = caller.place("key-1", &nameless, &[("prefer", "wait=50")]).await;
    assert_eq!(first.status, 201, "{}", first.text);
    let id = first.json()["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("k-"), "{id}");
    let again = caller.place("key-1", &nameless, &[]).await;
    assert_eq!(
        (again.status.as_u16(), again.header("idempotency-replayed"), &again.json()["id"]),
        (200, Some("true"), &json!(id))
    );
    // The same order with an id is another one.
    assert_eq!(caller.place("key-1", &order("order-1"), &[]).await.problem(), "idempotency-key-reused");
    let other = caller.place("key-2", &nameless, &[]).await;
    assert_ne!(other.json()["id"], json!(id));
    nameless["token"] = json!("tok_other");
    let reply = caller.place("key-1", &nameless, &[]).await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (422, "idempotency-key-reused"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_order_that_does_not_end_in_time_is_answered_as_on_its_way() {
    let shop = Shop::closed();
    let coordinator = shop.coordinator(&[]);
    let caller = Caller::of(&coordinator);
    let started = Instant::now();
    let reply = caller.place("key-1", &order("order-1"), &[("prefer", "wait=1")]).await;
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(reply.status, 202, "{}", reply.text);
    assert_eq!(reply.header("location"), Some("/sagas/order-1"));
    assert_eq!((&reply.json()["standing"], &reply.json()["outcome"]), (&json!("acting"), &Value::Null));
    let saga = caller.get("/sagas/order-1").await.json();
    assert_eq!(saga["in_doubt"], true);
    let stats = caller.get("/stats").await.json();
    assert_eq!((&stats["sagas"]["acting"], &stats["in_doubt"]), (&json!(1), &json!(1)), "{stats}");
    // The services come up, and whoever waits then learns the end.
    let _services = shop.services();
    assert_eq!(caller.outcome("order-1").await, "completed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_saga_in_flight_can_be_cancelled_and_one_that_has_ended_in_both_cannot() {
    let shop = Shop::closed();
    let coordinator = shop.coordinator(&[]);
    let caller = Caller::of(&coordinator);
    assert_eq!(caller.place("key-1", &order("order-1"), &[]).await.status, 202);
    let body = json!({ "by": "ada", "why": "bought by mistake" }).to_string();
    let reply = caller.send(Method::POST, "/sagas/order-1/cancel", &[("content-type", "application/json")], body).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["standing"]), (202, &json!("cancelling")), "{}", reply.text);
    let _services = shop.services();
    assert_eq!(caller.outcome("order-1").await, "cancelled");
    let reply = caller.cancel("order-1").await;
    assert_eq!((reply.status.as_u16(), &reply.json()["standing"]), (200, &json!("cancelled")), "{}", reply.text);
    let saga = caller.get("/sagas/order-1").await;
    assert!(saga.text.contains("bought by mistake") && saga.text.contains("ada"), "{}", saga.text);

    caller.place("key-2", &order("order-2"), &[("prefer", "wait=50")]).await;
    let reply = caller.cancel("order-2").await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (409, "too-late-to-cancel"));
    assert_eq!(caller.outcome("order-2").await, "completed");
    let reply = caller.cancel("order-3").await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (404, "no-such-saga"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_was_acknowledged_survives_kill_9() {
    let shop = Shop::closed();
    let coordinator = shop.coordinator(&[]);
    let caller = Caller::of(&coordinator);
    let mut acknowledged = Vec::new();
    let mut under_way = Vec::new();
    for number in 0..40 {
        let id = format!("order-{number}");
        // Half of them are known to be taken; the others are on the wire when the power goes.
        if number < 20 {
            assert_eq!(caller.place(&id, &order(&id), &[]).await.status, 202);
            acknowledged.push(id);
        } else {
            let caller = caller.clone();
            under_way.push(tokio::spawn(async move {
                let headers = [("content-type", "application/json"), ("idempotency-key", id.as_str())];
                let reply = caller.try_send(Method::POST, "/sagas", &headers, order(&id).to_string()).await;
                reply.is_ok_and(|reply| reply.status == 202).then_some(id)
            }));
        }
    }
    coordinator.kill();
    for order in under_way {
        acknowledged.extend(order.await.unwrap());
    }
    let _services = shop.services();
    let coordinator = shop.coordinator(&[]);
    let caller = Caller::of(&coordinator);
    for id in acknowledged {
        assert_eq!(caller.outcome(&id).await, "completed", "{id}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn sagas_are_listed_in_pages() {
    let (_shop, _services, coordinator) = Shop::open();
    let caller = Caller::of(&coordinator);
    for number in 0..5 {
        let mut placed = order(&format!("order-{number}"));
        if number == 3 {
            placed["token"] = json!("tok_declined");
        }
        caller.place(&format!("key-{number}"), &placed, &[("prefer", "wait=50")]).await;
    }
    let mut seen = Vec::new();
    let mut next = Some("/sagas?limit=2".to_owned());
    while let Some(page) = next {
        let page = caller.get(&page).await.json();
        seen.extend(page["sagas"].as_array().unwrap().iter().map(|saga| saga["id"].as_str().unwrap().to_owned()));
        next = page["next"].as_str().map(str::to_owned);
    }
    assert_eq!(seen, ["order-0", "order-1", "order-2", "order-3", "order-4"]);
    let cancelled = caller.get("/sagas?standing=cancelled").await.json();
    assert_eq!((&cancelled["sagas"][0]["id"], &cancelled["next"]), (&json!("order-3"), &Value::Null));
}

type Headers<'a> = &'a [(&'a str, &'a str)];

/// Sends what cannot be taken, expects its problem, and that no card's number is repeated in it.
async fn check_problem(caller: &Caller, request: (Method, &str, Headers<'_>, &str), status: u16, problem: &str) {
    let (method, path, headers, body) = request;
    let reply = caller.send(method.clone(), path, headers, body.to_owned()).await;
    let place = format!("{method} {path} {headers:?} {}: {}", body.chars().take(100).collect::<String>(), reply.text);
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (status, problem), "{place}");
    assert_eq!(reply.header("allow").is_some(), status == 405, "{place}");
    assert!(!reply.text.contains("4111"), "{place}");
}

const JSON: (&str, &str) = ("content-type", "application/json");
const KEY: (&str, &str) = ("idempotency-key", "key-1");

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_no_order_is_refused_and_nothing_is_taken() {
    let shop = Shop::closed();
    let coordinator = shop.coordinator(&[]);
    let caller = Caller::of(&coordinator);
    let changed = |path: &str, value: Value| {
        let mut order = order("order-1");
        *order.pointer_mut(path).unwrap() = value;
        order.to_string()
    };
    let mut with_unknown_field = order("order-1");
    with_unknown_field["amuont"] = json!(1);
    for (body, status, problem) in [
        ("{".to_owned(), 400, "not-json"),
        (String::new(), 422, "not-an-order"),
        ("[]".to_owned(), 422, "not-an-order"),
        ("{}".to_owned(), 422, "not-an-order"),
        (changed("/amount/minor", json!(-1)), 422, "not-an-order"),
        (changed("/amount/minor", json!(u64::MAX)), 422, "not-an-order"),
        (changed("/amount/minor", json!(19.99)), 422, "not-an-order"),
        (changed("/amount/currency", json!("EURO")), 422, "not-an-order"),
        (changed("/id", json!("a/b")), 422, "not-an-order"),
        (changed("/id", json!(".")), 422, "not-an-order"),
        (changed("/id", json!("..")), 422, "not-an-order"),
        (changed("/id", json!(7)), 422, "not-an-order"),
        (changed("/id", Value::Null), 422, "not-an-order"),
        (changed("/token", json!("4111111111111111")), 422, "not-an-order"),
        (with_unknown_field.to_string(), 422, "not-an-order"),
        ("x".repeat(65_537), 413, "too-large"),
    ] {
        check_problem(&caller, (Method::POST, "/sagas", &[JSON, KEY], &body), status, problem).await;
    }
    assert_eq!(caller.get("/sagas").await.json()["sagas"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_request_that_cannot_be_understood_is_refused_and_nothing_is_taken() {
    let shop = Shop::closed();
    let coordinator = shop.coordinator(&[]);
    let caller = Caller::of(&coordinator);
    let good = order("order-1").to_string();
    let long = "x".repeat(256);
    let headers: [(Headers<'_>, u16, &str); 10] = [
        (&[JSON], 400, "idempotency-key-missing"),
        (&[JSON, ("idempotency-key", "")], 400, "idempotency-key-malformed"),
        (&[JSON, ("idempotency-key", &long)], 400, "idempotency-key-malformed"),
        (&[JSON, ("idempotency-key", "\"a")], 400, "idempotency-key-malformed"),
        (&[JSON, KEY, ("idempotency-key", "b")], 400, "idempotency-key-malformed"),
        (&[KEY], 415, "media-type"),
        (&[KEY, ("content-type", "text/plain")], 415, "media-type"),
        (&[JSON, KEY, ("content-encoding", "gzip")], 415, "media-type"),
        (&[JSON, KEY, ("origin", "http://shop.example")], 403, "foreign-origin"),
        (&[JSON, KEY, ("host", "shop.example")], 421, "foreign-host"),
    ];
    for (headers, status, problem) in headers {
        check_problem(&caller, (Method::POST, "/sagas", headers, &good), status, problem).await;
    }
    for (method, path, body, status, problem) in [
        (Method::PUT, "/sagas", good.as_str(), 405, "method-not-allowed"),
        (Method::POST, "/sagas/order-1", &good, 405, "method-not-allowed"),
        (Method::GET, "/saga", "", 404, "no-such-page"),
        (Method::GET, "/problems/none", "", 404, "no-such-page"),
        (Method::GET, "/sagas/order-1", "", 404, "no-such-saga"),
        (Method::GET, "/sagas/%ff", "", 404, "no-such-saga"),
        (Method::GET, "/sagas?limit=0", "", 400, "query"),
        (Method::GET, "/sagas?limit=many", "", 400, "query"),
        (Method::GET, "/sagas?page=2", "", 400, "query"),
        (Method::GET, "/sagas?standing=lost", "", 400, "query"),
        (Method::GET, "/sagas?after=nope", "", 400, "query"),
        (Method::GET, "/participants/resting", "", 400, "query"),
        (Method::GET, "/participants/resting?incarnation=i&limit=x", "", 400, "query"),
        (Method::GET, "/participants/resting?incarnation=i&after=nope", "", 400, "query"),
        (Method::POST, "/sagas/order-1/cancel", "{\"by\": 1}", 422, "not-a-reason"),
        (Method::POST, "/sagas/order-1/cancel", "{\"who\": \"ada\"}", 422, "not-a-reason"),
        (Method::POST, "/sagas/order-1/cancel", "{\"by\": 4111111111111111}", 422, "not-a-reason"),
        (Method::POST, "/sagas/order-1/cancel", "{\"why\": \"card 4111 1111 1111 1111\"}", 422, "not-a-reason"),
        (Method::POST, "/sagas/order-1/cancel", "{\"by\": \"\\u001b[2J\"}", 422, "not-a-reason"),
        (Method::POST, "/sagas/order-1/cancel", &format!("{{\"why\": \"{}\"}}", "\u{fc}".repeat(257)), 422, "not-a-reason"),
        (Method::POST, "/sagas/order-1/cancel", "", 404, "no-such-saga"),
    ] {
        check_problem(&caller, (method, path, &[JSON, KEY], body), status, problem).await;
    }
    assert_eq!(caller.get("/sagas").await.json()["sagas"], json!([]));
    for (path, said) in [
        ("/sagas?limit=many", "limit is a whole number from 1 to 1000, and not \"many\""),
        ("/sagas?after=nope", "there is no saga \"nope\"; leave it out for the first page"),
        ("/participants/resting?limit=1", "incarnation is missing; say the one"),
    ] {
        let detail = caller.get(path).await.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(said), "{path}: {detail}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_problem_has_a_place_and_a_page() {
    let shop = Shop::closed();
    let coordinator = shop.coordinator(&[]);
    let caller = Caller::of(&coordinator);
    let mut wrong = order("order-1");
    wrong["amount"]["minor"] = json!(0);
    let problem = caller.place("key-1", &wrong, &[]).await.json();
    assert_eq!(problem["field"], "amount.minor");
    let page = caller.get(problem["type"].as_str().unwrap()).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("not an order of this flow"), "{}", page.text);
    let headers = [("content-type", "application/json"), ("idempotency-key", "key-1")];
    let problem = caller.send(Method::POST, "/sagas", &headers, "{\"id\": x").await.json();
    assert_eq!(problem["column"], 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_order_whose_request_could_never_be_made_is_refused_with_its_field() {
    let shop = Shop::closed();
    let flow = "name = \"tiny\"\n[input]\nplace = \"token\"\n[[step]]\nname = \"dispatch\"\nparticipant = \"http\"\n\
                [step.profile]\nidempotent = true\nremembers = \"for-ever\"\n\
                [step.http.act]\nurl = \"http://127.0.0.1:9/to/{input.place}/{key}\"\ndone = { json = { \"/state\" = \"done\" } }\n";
    std::fs::write(shop.flow(), flow).unwrap();
    let coordinator = shop.coordinator(&[]);
    let caller = Caller::of(&coordinator);
    let reply = caller.place("key-1", &json!({ "id": "order-1", "place": ".." }), &[]).await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (422, "not-an-order"), "{}", reply.text);
    assert_eq!(reply.json()["field"], "place");
    assert_eq!(caller.get("/sagas").await.json()["sagas"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn it_says_that_it_lives_is_ready_and_which_version_it_is() {
    let shop = Shop::closed();
    let coordinator = shop.coordinator(&[]);
    let caller = Caller::of(&coordinator);
    assert_eq!(caller.get("/livez").await.status, 200);
    assert_eq!(caller.get("/readyz").await.status, 200);
    let version = caller.get("/version").await.json();
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(version["flow"], "shop");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn sigterm_answers_whoever_waits_and_loses_nothing() {
    let shop = Shop::closed();
    let coordinator = shop.coordinator(&[]);
    let caller = Caller::of(&coordinator);
    let waiting = {
        let caller = caller.clone();
        tokio::spawn(async move { caller.place("key-1", &order("order-1"), &[("prefer", "wait=50")]).await })
    };
    let started = Instant::now();
    while caller.get("/sagas/order-1").await.status == 404 {
        assert!(started.elapsed() < PATIENCE);
    }
    coordinator.signal("TERM");
    let reply = waiting.await.unwrap();
    assert_eq!((reply.status.as_u16(), &reply.json()["standing"]), (202, &json!("acting")), "{}", reply.text);
    assert_eq!(coordinator.wait().code(), Some(0));

    let _services = shop.services();
    let coordinator = shop.coordinator(&[]);
    assert_eq!(Caller::of(&coordinator).outcome("order-1").await, "completed");
}

/// Begins a request whose body never comes, so that stopping in good order takes as long as it may.
fn hold_a_request_open(coordinator: &Process) -> TcpStream {
    let mut stream = TcpStream::connect(coordinator.url.strip_prefix("http://").unwrap()).unwrap();
    let head = "POST /sagas HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nIdempotency-Key: a\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    // The service asks for the body only once it is reading it.
    let mut asked = [0; 12];
    stream.read_exact(&mut asked).unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100");
    stream
}

#[test]
fn stopping_takes_no_longer_than_it_may() {
    let shop = Shop::closed();
    let coordinator = shop.coordinator(&["--shutdown-timeout", "500ms"]);
    let _held = hold_a_request_open(&coordinator);
    coordinator.signal("TERM");
    assert_eq!(coordinator.wait().code(), Some(0));
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let shop = Shop::closed();
    let coordinator = shop.coordinator(&["--shutdown-timeout", "1h"]);
    let held = hold_a_request_open(&coordinator);
    coordinator.signal("TERM");
    // Once nobody can connect any more the first signal has arrived.
    let address = coordinator.url.strip_prefix("http://").unwrap().to_owned();
    let started = Instant::now();
    while TcpStream::connect(&address).is_ok() {
        assert!(started.elapsed() < PATIENCE);
    }
    coordinator.signal("TERM");
    assert_eq!(coordinator.wait().code(), Some(4));
    drop(held);
}

#[track_caller]
fn check_refused(arguments: &[&str], said: &[&str]) {
    let ended = support::run([&["serve"], arguments].concat());
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert_eq!((ended.stdout.as_str(), ended.stderr.trim_end().lines().count()), ("", 1), "{ended:?}");
    for part in said {
        assert!(ended.stderr.contains(part), "{ended:?}");
    }
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_done() {
    let shop = Shop::closed();
    let (flow, store) = (shop.flow(), shop.store());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken_address = taken.local_addr().unwrap().to_string();
    let with = ["--flow", path(&flow), "--store", &store, "--listen"];
    check_refused(&[&with[..], &[&taken_address]].concat(), &[&taken_address, "--listen"]);
    check_refused(&[&with[..], &["0.0.0.0:7070"]].concat(), &["0.0.0.0:7070", "loopback"]);
    let missing = shop.folder.path().join("none.toml");
    check_refused(&["--flow", path(&missing), "--store", &store, "--listen", "127.0.0.1:0"], &["none.toml"]);
    assert!(!shop.folder.path().join("shop.db").exists());
    let foreign = shop.folder.path().join("foreign.db");
    std::fs::write(&foreign, "this is somebody else's file, and no database at all").unwrap();
    let foreign_store = format!("sqlite:{}", path(&foreign));
    check_refused(&["--flow", path(&flow), "--store", &foreign_store, "--listen", "127.0.0.1:0"], &["foreign.db"]);
}
