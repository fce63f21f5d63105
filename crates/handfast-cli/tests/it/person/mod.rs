//! A saga that needs a person, with real processes: what is taken back first, and the acts over HTTP, by the command line and
//! through the file of a store that a service has open.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]
#![expect(clippy::disallowed_methods, reason = "how long a test is ready to wait is counted in real time")]

mod acts;
mod plans;

use std::time::{Duration, Instant};

use handfast::store::{SqliteStore, Store as _};
use hyper::Method;
use serde_json::{Value, json};

use crate::serve::shop::{Caller, PATIENCE, Process, free_address, path};
use crate::support::{Ended, run};

/// Two payments and a dispatch, with everything in a folder of its own.
struct House {
    folder: tempfile::TempDir,
    addresses: [String; 3],
}

impl House {
    fn new() -> Self {
        let house = Self { folder: tempfile::tempdir().unwrap(), addresses: [free_address(), free_address(), free_address()] };
        let [first, second, dispatch] = &house.addresses;
        let step = |name: &str, kind: &str, url: String, send: &str| {
            format!("[[step]]\nname = \"{name}\"\nkind = \"{kind}\"\nurl = \"{url}\"\nsend = [{send}]\n\n")
        };
        let flow = format!(
            "name = \"house\"\n\n[input]\namount = \"money\"\ntoken = \"token\"\nlines = \"list\"\n\n{}{}{}",
            step("payment", "compensatable", format!("http://{first}/charges"), "\"amount\", \"token\""),
            step("hotel", "compensatable", format!("http://{second}/charges"), "\"amount\", \"token\""),
            step("dispatch", "pivot", format!("http://{dispatch}/shipments"), "\"lines\""),
        );
        std::fs::write(house.flow(), flow).unwrap();
        house
    }

    fn flow(&self) -> std::path::PathBuf {
        self.folder.path().join("house.toml")
    }

    fn store(&self) -> String {
        format!("sqlite:{}", self.folder.path().join("house.db").display())
    }

    fn services(&self) -> [Process; 3] {
        let start = |number: usize, kind: &str| {
            let store = format!("sqlite:{}", self.folder.path().join(format!("{number}.db")).display());
            Process::start(&[kind, "--listen", &self.addresses[number], "--store", &store])
        };
        [start(0, "payment"), start(1, "payment"), start(2, "dispatch")]
    }

    fn coordinator(&self) -> Process {
        let (flow, store) = (self.flow(), self.store());
        Process::start(&["serve", "--flow", path(&flow), "--listen", "127.0.0.1:0", "--store", &store])
    }

    /// Somebody else charges at the hotel under the key of this order.
    async fn take_the_key(&self, services: &[Process; 3], id: &str) {
        let store_id = SqliteStore::open(self.folder.path().join("house.db")).unwrap().store_id().to_owned();
        let body = json!({ "amount": { "minor": 500, "currency": "EUR" }, "token": "tok_visa" }).to_string();
        let headers = [("content-type", "application/json")];
        let key = format!("/charges/{store_id}.{id}.hotel");
        let reply = Caller::of(&services[1]).send(Method::PUT, &key, &headers, body).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    }
}

fn order(id: &str) -> Value {
    json!({ "id": id, "amount": { "minor": 1999, "currency": "EUR" }, "token": "tok_visa", "lines": [{ "sku": "mug", "quantity": 1 }] })
}

/// The saga, once it stands so.
async fn standing(caller: &Caller, id: &str, standing: &str) -> Value {
    let started = Instant::now();
    loop {
        let saga = caller.get(&format!("/sagas/{id}")).await.json();
        if saga["standing"] == standing {
            return saga;
        }
        assert!(started.elapsed() < PATIENCE, "{saga:#}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn act(caller: &Caller, id: &str, body: &Value) -> crate::serve::shop::Reply {
    caller.send(Method::POST, &format!("/sagas/{id}/acts"), &[("content-type", "application/json")], body.to_string()).await
}

/// Another body under the key of the second step: the first is given back, and then a person is asked, who can end it.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_contradiction_keeps_nothing_else_and_is_no_dead_end() {
    let house = House::new();
    let services = house.services();
    house.take_the_key(&services, "order-1").await;
    let coordinator = house.coordinator();
    let caller = Caller::of(&coordinator);
    assert_eq!(caller.place("key-1", &order("order-1"), &[]).await.status, 202);
    let saga = standing(&caller, "order-1", "suspended").await;
    let states: Vec<&Value> = saga["steps"].as_array().unwrap().iter().map(|step| &step["state"]).collect();
    assert_eq!(states, [&json!("undone"), &Value::Null, &json!("closed")], "{saga:#}");
    let audit = Caller::of(&services[0]).get("/audit").await.json();
    assert_eq!((&audit["charges"], &audit["refunds"]), (&json!(1), &json!(1)), "{audit}");
    assert_eq!(saga["remains"], json!([{ "step": "hotel", "state": "unknown", "amount": "19.99 EUR" }]));
    assert!(saga["trouble"].as_str().unwrap().contains("hotel is unknown (19.99 EUR)"), "{saga:#}");
    let can: Vec<&Value> = saga["can"].as_array().unwrap().iter().map(|can| &can["act"]).collect();
    assert_eq!(can, ["resume", "mark_done", "mark_not_done", "mark_undone", "settle"]);

    let seq = saga["seq"].as_u64().unwrap();
    let said = |act: &str, request: &str, saw: u64| json!({ "act": act, "step": "hotel", "by": "ada", "reason": "asked them", "request_id": request, "saw": saw });
    let stale = act(&caller, "order-1", &said("mark_undone", "r-1", seq - 1)).await;
    assert_eq!((stale.status.as_u16(), stale.problem().as_str(), &stale.json()["seq"]), (409, "moved", &json!(seq)));
    let pointless = act(
        &caller,
        "order-1",
        &json!({ "act": "mark_done", "step": "payment", "by": "ada", "reason": "r", "request_id": "r-2", "saw": seq }),
    )
    .await;
    assert_eq!((pointless.status.as_u16(), pointless.problem().as_str()), (409, "pointless"));
    let card = act(
        &caller,
        "order-1",
        &json!({ "act": "resume", "by": "ada", "reason": "4242 4242 4242 4242", "request_id": "r-3", "saw": seq }),
    )
    .await;
    assert_eq!((card.status.as_u16(), card.problem().as_str()), (422, "not-an-act"));

    let taken = act(&caller, "order-1", &said("mark_undone", "r-4", seq)).await;
    assert_eq!(taken.status, 202, "{}", taken.text);
    let saga = standing(&caller, "order-1", "cancelled").await;
    assert_eq!(saga["journal"].as_array().unwrap().last().unwrap()["input"]["person"]["by"], "ada", "{saga:#}");
    assert!(saga["trouble"].as_str().unwrap().contains("hotel is undone by ada's word alone (19.99 EUR)"), "{saga:#}");
    let again = act(&caller, "order-1", &said("mark_undone", "r-4", seq)).await;
    assert_eq!(again.status, 200, "{}", again.text);
    let other = act(&caller, "order-1", &said("mark_not_done", "r-4", seq)).await;
    assert_eq!((other.status.as_u16(), other.problem().as_str()), (422, "request-id-reused"));
    let counted = caller.get("/stats").await.json();
    assert_eq!((&counted["sagas"]["cancelled"], &counted["suspended"]), (&json!(1), &json!([])), "{counted}");
}

fn sagas(arguments: &[&str], place: [&str; 2]) -> Ended {
    run([&["sagas"], arguments, &place].concat())
}

/// The columns of a table but for the times, one space apart.
fn columns(table: &str) -> Vec<String> {
    let is_time = |word: &&str| word.ends_with('Z') && word.starts_with("20") || matches!(*word, "PLACED" | "SINCE");
    table.lines().map(|line| line.split_whitespace().filter(|word| !is_time(word)).collect::<Vec<_>>().join(" ")).collect()
}

/// Both ways of looking say all that is needed to decide, and to ask the hotel by hand.
async fn check_what_is_shown(place: [&str; 2], house: &House, caller: &Caller) {
    let listed = sagas(&["list", "--standing", "suspended"], place);
    assert_eq!(
        (listed.code, columns(&listed.stdout)),
        (
            Some(0),
            vec![
                "STANDING ID STEP AMOUNT CAN".to_owned(),
                "suspended order-1 hotel 19.99 EUR resume, mark_done, mark_not_done, mark_undone, settle".to_owned(),
                "suspended order-2 hotel 19.99 EUR resume, mark_done, mark_not_done, mark_undone, settle".to_owned(),
            ]
        ),
        "{}",
        listed.stderr
    );
    let said = sagas(&["list", "--json"], place).stdout;
    let said: Value = serde_json::from_str(&said).unwrap();
    let by_api = caller.get("/sagas").await.json();
    assert_eq!(said["sagas"], by_api["sagas"], "both say the same, by the same names");
    let shown = sagas(&["show", "order-1"], place);
    assert_eq!(shown.code, Some(4), "{}", shown.stderr);
    assert!(
        shown.stdout.contains("settle: no participant is asked anything any more") && shown.stdout.contains("(19.99 EUR)"),
        "{}",
        shown.stdout
    );
    // All that is needed to ask the hotel by hand.
    let hotel = shown.stdout.split("  hotel: ").nth(1).unwrap_or_else(|| panic!("{}", shown.stdout));
    let address = format!("address        PUT http://{}/charges/", house.addresses[1]);
    for word in [
        ".order-1.hotel",
        &address,
        "to look        GET http",
        "last asked     20",
        "last answer    20",
        "its key is in use for another body",
    ] {
        assert!(hotel.contains(word), "{word}: {hotel}");
    }
    let said: Value = serde_json::from_str(&sagas(&["show", "order-1", "--json"], place).stdout).unwrap();
    assert_eq!(said["steps"], caller.get("/sagas/order-1").await.json()["steps"], "both say the same, by the same names");
}

/// A mark as not done waits, both ways say until when, and who has said why.
fn check_that_a_mark_says_until_when(words: &[&str], by_service: [&str; 2], by_file: [&str; 2]) {
    let mark = ["resolve", "order-2", "--not-done", "hotel", "--evidence", "mail of 4 May", "--yes"];
    let marked = sagas(&[&mark[..], words].concat(), by_service);
    assert_eq!(marked.code, Some(0), "{}", marked.stderr);
    for place in [by_service, by_file] {
        let shown = sagas(&["show", "order-2"], place).stdout;
        for said in
            ["as not done; it is looked for until 20", "mark_not_done hotel, by ada: the hotel is gone; evidence: mail of 4 May"]
        {
            assert!(shown.contains(said), "{said}: {shown}");
        }
        let said: Value = serde_json::from_str(&sagas(&["show", "order-2", "--json"], place).stdout).unwrap();
        assert!(
            said["steps"][1]["mark_counts_ms"].is_u64()
                && said["acts"].as_array().unwrap().last().unwrap()["evidence"] == "mail of 4 May",
            "{said:#}"
        );
    }
}

/// The picture says who has said what of the hotel, why and by what evidence, and that nothing else is known of it.
fn check_that_a_word_is_drawn(store: &str, words: &[&str]) {
    let undone = ["resolve", "order-3", "--undone", "hotel", "--evidence", "refund re_17", "--yes"];
    let marked = sagas(&[&undone[..], words].concat(), ["--store", store]);
    assert_eq!(marked.code, Some(0), "{}", marked.stderr);
    let drawn = run(["show", "order-3", "--store", store, "--svg", "-"]);
    assert_eq!(drawn.code, Some(3), "{}", drawn.stderr);
    let all = [
        "a person: hotel was undone (by ada: the hotel is gone; evidence: refund re_17)",
        "undone, by a word",
        "neither: nothing is done for good, and nothing ever will be, if it is as a person has said of hotel",
    ];
    for said in all {
        assert!(drawn.stdout.contains(said), "{said}: {}", drawn.stdout);
    }
    assert!(!drawn.stdout.contains("not known"), "{}", drawn.stdout);
}

/// What is not possible as the saga stands may be so when it arrives, and is asked about like any other act.
#[track_caller]
fn check_that_the_pointless_is_asked_about(words: &[&str], place: [&str; 2]) {
    let mark = [&["resolve", "order-1", "--undone", "payment", "--saw", "9"], words].concat();
    let unasked = sagas(&mark, place);
    let said = "mark_undone payment: it would change nothing now";
    assert!(unasked.code == Some(2) && unasked.stderr.starts_with(said), "{}", unasked.stderr);
    assert!(unasked.stderr.contains("say --yes to do it"), "{}", unasked.stderr);
}

/// The command line through the service, and through the file that the service has open, which goes on from there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_acts_through_the_service_and_through_its_file() {
    let house = House::new();
    let services = house.services();
    for id in ["order-1", "order-2", "order-3"] {
        house.take_the_key(&services, id).await;
    }
    let coordinator = house.coordinator();
    let caller = Caller::of(&coordinator);
    for id in ["order-1", "order-2"] {
        caller.place(id, &order(id), &[]).await;
        standing(&caller, id, "suspended").await;
    }
    let (url, store) = (coordinator.url.clone(), house.store());
    let by_service: [&str; 2] = ["--url", &url];
    let by_file: [&str; 2] = ["--store", &store];
    for place in [by_service, by_file] {
        check_what_is_shown(place, &house, &caller).await;
    }
    let words = ["--by", "ada", "--reason", "the hotel is gone"];
    for place in [by_service, by_file] {
        let cancelled = sagas(&[&["cancel", "order-1", "--yes"], &words[..]].concat(), place);
        assert_eq!(cancelled.code, Some(1), "{}", cancelled.stderr);
        assert!(cancelled.stderr.contains("suspended, so nothing was done"), "{}", cancelled.stderr);
        let open = sagas(&["list", "--standing", "acting", "--standing", "suspended"], place);
        assert!(open.stdout.contains("order-1") && open.stdout.contains("order-2"), "{}", open.stdout);
        let waiting = sagas(&["list", "--needs-person"], place);
        assert!(waiting.stdout.contains("order-2") && waiting.stderr.contains("2 sagas, 39.98 EUR in all"), "{}", waiting.stderr);
    }
    let unasked = sagas(&[&["resolve", "order-1", "--settle"], &words[..]].concat(), by_service);
    assert_eq!(unasked.code, Some(2), "nobody was asked: {}", unasked.stderr);
    assert!(unasked.stderr.contains("hotel is unknown (19.99 EUR)") && unasked.stderr.contains("--yes"), "{}", unasked.stderr);
    check_that_the_pointless_is_asked_about(&words, by_service);
    let settled = sagas(&[&["resolve", "order-1", "--settle", "--yes"], &words[..]].concat(), by_service);
    assert_eq!(settled.code, Some(0), "{}", settled.stderr);
    let saga = standing(&caller, "order-1", "settled").await;
    assert_eq!(saga["outcome"], "settled", "neither completed nor cancelled");
    assert_eq!(saga["remains"], json!([{ "step": "hotel", "state": "unknown", "amount": "19.99 EUR" }]), "{saga:#}");
    let trouble = saga["trouble"].as_str().unwrap();
    for said in ["a person has given up waiting for the participants", "hotel is unknown (19.99 EUR)"] {
        assert!(trouble.contains(said), "nothing is left behind without saying so: {said}: {trouble}");
    }

    let nearly = sagas(&[&["resolve", "order-22", "--resume", "--yes"], &words[..]].concat(), by_file);
    assert!(nearly.code == Some(2) && nearly.stderr.contains("did you mean order-2"), "{}", nearly.stderr);
    let stale = sagas(&[&["resolve", "order-2", "--undone", "hotel", "--saw", "1", "--yes"], &words[..]].concat(), by_file);
    assert_eq!(stale.code, Some(1), "{}", stale.stderr);
    // The participant is asked anew, by the service, and contradicts itself again.
    let entries = standing(&caller, "order-2", "suspended").await["seq"].as_u64().unwrap();
    let resumed = sagas(&[&["resolve", "order-2", "--resume", "--yes"], &words[..]].concat(), by_file);
    assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);
    let started = Instant::now();
    loop {
        let saga = standing(&caller, "order-2", "suspended").await;
        if saga["seq"].as_u64().unwrap() >= entries + 2 {
            break;
        }
        assert!(started.elapsed() < PATIENCE, "the service does not go on: {saga:#}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    check_that_a_mark_says_until_when(&words, by_service, by_file);
    caller.place("order-3", &order("order-3"), &[]).await;
    standing(&caller, "order-3", "suspended").await;
    check_that_a_word_is_drawn(&store, &words);
    let nobody = sagas(&["list"], ["--url", "http://127.0.0.1:9"]);
    assert_eq!(nobody.code, Some(5), "{}", nobody.stderr);
}
