//! Plan, then apply, with real processes: what a person reads before and after an outage, and a plan that is killed in the middle.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use handfast::participant::{Delivery, InMemory, Participant, Reply};
use handfast::store::{BoxFuture, SqliteStore, Store};
use handfast::{Engine, Flow, Order};
use serde_json::{Value, json};

use super::{House, order, sagas};
use crate::serve::shop::{Caller, PATIENCE, path};
use crate::support::{Ended, handfast, run};

/// The lines of a plan before its token, which is another one every time.
fn without_token(text: &str) -> &str {
    text.split("\ntoken: plan-").next().unwrap()
}

/// Waits until the order's payment was taken.
async fn paid(caller: &Caller, id: &str) {
    let started = Instant::now();
    while caller.get(&format!("/sagas/{id}")).await.json()["steps"][0]["state"] != "done" {
        assert!(started.elapsed() < PATIENCE, "{id}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The hotel is down. What cancelling would come to is said in money, done to what still stands so, and read from the journals.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_an_outage_leaves_behind_is_planned_applied_and_read_from_the_journals() {
    let house = House::new();
    let [_payment, hotel, _dispatch] = house.services();
    hotel.kill();
    let coordinator = house.coordinator();
    let caller = Caller::of(&coordinator);
    for id in ["order-1", "order-2", "order-3"] {
        assert_eq!(caller.place(id, &order(id), &[]).await.status, 202);
        paid(&caller, id).await;
    }
    let file = house.folder.path().join("plan.json");
    let (url, hotel) = (coordinator.url.as_str(), format!("http://{}/charges", house.addresses[1]));
    let filter = ["--in-doubt", "--participant", &hotel, "--older-than", "1ms"];
    let why = ["--by", "ada", "--reason", "the hotel was down", "--out", path(&file), "cancel"];
    let planned = run([&["sagas", "plan", "--url", url][..], &filter, &why].concat());
    assert_eq!(planned.code, Some(0), "{planned:?}");
    assert_eq!(
        without_token(&planned.stdout),
        "cancel, 3 sagas\n\n  \
         order-1: refunds 19.99 EUR to 39.98 EUR, closes 1 to 2 keys\n  \
         order-2: refunds 19.99 EUR to 39.98 EUR, closes 1 to 2 keys\n  \
         order-3: refunds 19.99 EUR to 39.98 EUR, closes 1 to 2 keys\n\n\
         In sum, while participants keep their promises:\n  \
         is given back: 59.97 EUR to 119.94 EUR\n  \
         keys closed: 3 to 6 keys\n  \
         end in neither: 3 sagas\n"
    );
    assert!(planned.stderr.contains("nothing was done; to do it: handfast sagas apply"), "{planned:?}");
    check_wordy(url);
    // At the file of the store the same is foreseen.
    let at_file = run([&["sagas", "plan", "--store", &house.store()][..], &filter, &why[..4], &["cancel"]].concat());
    assert_eq!(without_token(&at_file.stdout), without_token(&planned.stdout), "{at_file:?}");

    let outcome = || run(["sagas", "outcome", path(&file), "--url", url]);
    let never_applied = outcome();
    assert_eq!(never_applied.code, Some(1), "{never_applied:?}");
    assert!(never_applied.stdout.starts_with("the plan has acted on 0 of 3 sagas\n"), "{never_applied:?}");

    let cancelled = run(["sagas", "cancel", "order-2", "--by", "cyd", "--reason", "r", "--yes", "--url", url]);
    assert_eq!(cancelled.code, Some(0), "{cancelled:?}");
    let apply = || run(["sagas", "apply", path(&file), "--by", "bea", "--yes", "--url", url]);
    let applied = apply();
    assert_eq!(applied.code, Some(1), "one has moved on: {applied:?}");
    let told = "acted on 2 sagas\n  order-2: nothing was done: saga order-2 has gone on since: its last entry is ";
    assert!(applied.stdout.starts_with(told), "{applied:?}");
    check_question(&applied);
    let under_way = outcome();
    assert_eq!(under_way.code, Some(4), "{under_way:?}");

    let store = format!("sqlite:{}", house.folder.path().join("1.db").display());
    let _hotel = crate::serve::shop::Process::start(&["payment", "--listen", &house.addresses[1], "--store", &store]);
    let ended = until_ended(outcome).await;
    assert_eq!(ended.code, Some(1), "one had moved on, which no exit code of a whole plan hides: {ended:?}");
    assert_eq!(
        ended.stdout,
        "the plan has acted on 2 of 3 sagas\nSo far, by the journals:\n  was given back: 39.98 EUR\n  keys closed: 4 keys\n  end in neither: 2 sagas\n"
    );
    let again = apply();
    assert_eq!(again.code, Some(1));
    assert!(
        again.stdout.starts_with("acted on 0 sagas\n2 sagas had been acted on by this plan before\n  order-2: "),
        "{again:?}"
    );
    assert!(again.stderr.contains("It has acted on 2 of them already, and acts on none twice"), "{again:?}");
    let shown = sagas(&["show", "order-1", "--json"], ["--url", url]);
    let acts = &serde_json::from_str::<Value>(&shown.stdout).unwrap()["acts"];
    assert_eq!(
        (&acts[0]["act"], &acts[0]["by"], &acts[0]["reason"]),
        (&json!("cancel"), &json!("bea"), &json!("the hotel was down"))
    );
    check_edited(&file, url);
}

/// What apply would refuse is refused before a plan is made.
fn check_wordy(url: &str) {
    let long = "x".repeat(300);
    let wordy = run(["sagas", "plan", "cancel", "--url", url, "--by", "ada", "--reason", &long]);
    assert_eq!((wordy.code, wordy.stdout.as_str()), (Some(2), ""), "{wordy:?}");
    assert!(wordy.stderr.contains("reason: it has more than 256 characters; say it otherwise"), "{wordy:?}");
}

/// What is done is said before, by whose plan, and why.
fn check_question(applied: &Ended) {
    let asked = "cancel, 3 sagas; in sum, while participants keep their promises:\n  \
                 is given back: 59.97 EUR to 119.94 EUR\n  keys closed: 3 to 6 keys\n  end in neither: 3 sagas\n\
                 The plan says that ada made it ";
    assert!(applied.stderr.contains(asked), "what is done is said before: {applied:?}");
    assert!(applied.stderr.contains(" ago, because: the hotel was down"), "{applied:?}");
    assert!(!applied.stderr.contains("It has acted on"), "{applied:?}");
}

/// Asks until everything has ended.
async fn until_ended(outcome: impl Fn() -> Ended) -> Ended {
    let started = Instant::now();
    loop {
        let ended = outcome();
        if ended.code != Some(4) {
            return ended;
        }
        assert!(started.elapsed() < PATIENCE, "{ended:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A plan that was edited is applied nowhere.
fn check_edited(file: &Path, url: &str) {
    let text = std::fs::read_to_string(file).unwrap().replace("\"act\":\"cancel\"", "\"act\":\"settle\"");
    std::fs::write(file, text).unwrap();
    let edited = run(["sagas", "apply", path(file), "--by", "bea", "--yes", "--url", url]);
    assert_eq!(edited.code, Some(2));
    assert!(edited.stderr.contains("the plan was changed since it was made"), "{edited:?}");
}

/// It never answers.
struct Down;

impl Participant for Down {
    fn deliver<'a>(&'a self, _request: Delivery<'a>) -> BoxFuture<'a, Reply> {
        Box::pin(std::future::pending())
    }
}

/// What is killed in the middle and applied again comes to the same: each saga is acted on once.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_plan_that_is_killed_in_the_middle_is_applied_again_and_comes_to_the_same() {
    const ORDERS: u64 = 400;
    let folder = tempfile::tempdir().unwrap();
    let (database, file) = (folder.path().join("shop.db"), folder.path().join("plan.json"));
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&database).unwrap());
    let flow = Flow::builder("shop").compensatable("payment", "bank").pivot("dispatch", "depot").build().unwrap();
    let engine = Engine::builder(Arc::clone(&store)).flow(flow).participant("bank", Down);
    let engine = engine.participant("depot", InMemory::new(|_, _| true)).open().await.unwrap();
    for order in 0..ORDERS {
        let payment = r#"{"amount":{"minor":1999,"currency":"EUR"}}"#;
        let order = Order::new(format!("order-{order}"), "{}").body("payment", payment).body("dispatch", "{}");
        engine.submit(order).await.unwrap();
    }
    assert!(engine.shutdown(PATIENCE).await);
    let place = format!("sqlite:{}", database.display());
    let planned = run([
        "sagas",
        "plan",
        "cancel",
        "--in-doubt",
        "--by",
        "ada",
        "--reason",
        "r",
        "--out",
        path(&file),
        "--store",
        &place,
        "--json",
    ]);
    let plan: Value = serde_json::from_str(&planned.stdout).unwrap();
    assert_eq!((&plan["head"]["sagas"], plan["pages"].as_array().map(Vec::len)), (&json!(ORDERS), Some(2)));
    assert_eq!(plan["head"]["sums"]["refunds"], json!({ "EUR": { "at_least": 0, "at_most": ORDERS * 1_999 } }));

    let words = ["sagas", "apply", path(&file), "--by", "bea", "--yes", "--store", &place, "--json"];
    let mut killed = handfast().args(words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let started = Instant::now();
    let cancelling = async || {
        let counts = store.counts().await.unwrap().by_standing;
        counts.into_iter().find(|(standing, _)| standing == "cancelling").map_or(0, |(_, sagas)| sagas)
    };
    while cancelling().await == 0 {
        assert!(started.elapsed() < PATIENCE, "it acts on none");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    killed.kill().unwrap();
    killed.wait().unwrap();

    let applied: Value = serde_json::from_str(&run(words).stdout).unwrap();
    let number = |name: &str| applied[name].as_u64().unwrap();
    assert_eq!((number("acted") + number("acted_before"), number("moved"), number("refused")), (ORDERS, 0, 0), "{applied}");
    assert!(number("acted_before") > 0, "{applied}");
    assert_eq!(applied["so_far"]["under_way"], json!({ "EUR": { "at_least": ORDERS * 1_999, "at_most": ORDERS * 1_999 } }));
    for order in 0..ORDERS {
        let saga = store.load(&format!("order-{order}")).await.unwrap().unwrap();
        assert_eq!(saga.entries.len(), 2, "it was placed, and cancelled once");
    }
}
