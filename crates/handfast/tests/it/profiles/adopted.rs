//! Orders under way whose templates were edited: how a service is read can be put right, what carries the key cannot be changed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use handfast::flow_file::FlowFile;
use handfast::store::{SqliteStore, Store};
use handfast::{Chosen, Engine, OtherDefinitions, Outcome};
use serde_json::json;

use super::provider::{Provider, UNDONE, flow, order, read, text};
use super::shop::{Shop, ended, options, sleep, until, view};

/// Another engine on the shop's store, with an edited file at hand.
async fn reopened(shop: &Shop, file: &FlowFile, others: OtherDefinitions) -> Engine {
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(shop.store_path()).unwrap());
    let engine = Engine::builder(store).flow((*file.flow::<&str>(&[]).unwrap()).clone());
    engine.options(options()).other_definitions(others).open().await.unwrap()
}

fn adopt() -> OtherDefinitions {
    adopting(true)
}

fn adopting(same_books: bool) -> OtherDefinitions {
    OtherDefinitions::Adopt(Chosen { by: "anna".to_owned(), why: "the file was wrong".to_owned(), same_books })
}

async fn stop(engine: Engine) {
    assert!(engine.shutdown(Duration::from_secs(10)).await);
}

/// The provider says *charged*, and the file waits for another word.
#[tokio::test]
async fn a_typo_in_a_condition_is_put_right_for_orders_under_way() {
    let shop = Shop::open(&[]).await;
    let (provider, url) = Provider::start(|books, _, _, _| {
        books.charged = 100;
        Some((200, json!({"state": "charged"})))
    })
    .await;
    let undo = UNDONE.replace("PROVIDER", &url);
    let waits_for = |state: &str| {
        flow(&url, &shop.urls[1], &format!("done = {{ status = 200, json = {{ \"/state\" = \"{state}\" }} }}"), &undo)
    };
    let (engine, _saga) = order(&shop, &waits_for("chargd")).await;
    until("it is asked", async || provider.asked().len() > 1).await;
    stop(engine).await;

    let engine = reopened(&shop, &waits_for("charged"), OtherDefinitions::Hold).await;
    let others = engine.other_definitions().await.unwrap();
    let [other] = others.as_slice() else { panic!("{others:?}") };
    let [step] = other.difference.steps.as_slice() else { panic!("{others:?}") };
    assert!(!step.reading.is_empty() && step.identity.is_empty() && !step.is_moved && !other.is_held, "{step:?}");
    let asked = provider.asked().len();
    until("it is asked again", async || provider.asked().len() > asked + 1).await;
    assert_eq!(view(&engine, "order-1").await.outcome, None, "it follows what it was placed with");
    stop(engine).await;

    let engine = reopened(&shop, &waits_for("charged"), adopt()).await;
    assert_eq!(ended(&mut engine.follow("order-1").await.unwrap().unwrap()).await.unwrap(), Outcome::Completed);
    assert_eq!((provider.charged(), shop.shipments().await), (100, 1));
}

/// The charge is made and its answer lost. Asked by another name it would be made a second time, whoever adopts that.
#[tokio::test]
async fn what_carries_the_key_of_what_was_asked_is_never_adopted() {
    let shop = Shop::open(&[]).await;
    let answers = Arc::new(AtomicBool::new(false));
    let is_back = Arc::clone(&answers);
    let (provider, url) = Provider::start(move |books, number, _, path| {
        let was_charged = books.asked[..number - 1].iter().any(|(_, asked)| asked == path);
        books.charged += if was_charged { 0 } else { 100 };
        is_back.load(Ordering::Relaxed).then(|| (200, json!({"state": "charged"})))
    })
    .await;
    let undo = UNDONE.replace("PROVIDER", &url);
    let former = text(&url, &shop.urls[1], "done = { status = 200, json = { \"/state\" = \"charged\" } }", &undo);
    let edited = former.replace("/charges/{key}\"", "/charges/{saga}\"");
    assert_ne!(former, edited);
    let (engine, _saga) = order(&shop, &read(&former)).await;
    until("it is charged", async || provider.charged() == 100).await;
    stop(engine).await;

    answers.store(true, Ordering::Relaxed);
    let asked = provider.asked().len();
    let engine = reopened(&shop, &read(&edited), adopt()).await;
    until("it is left alone", async || !engine.stats().left_alone.is_empty()).await;
    let trouble = view(&engine, "order-1").await.trouble.unwrap_or_default();
    let said = "step payment (1.00 EUR) was asked already, and the definition that it was let follow since differs in act: the gaps of its URL";
    assert!(trouble.contains(said), "{trouble}");
    sleep(300).await;
    assert_eq!((provider.asked().len(), provider.charged()), (asked, 100), "nobody is asked by the other name");
    stop(engine).await;

    let engine = reopened(&shop, &read(&former), adopt()).await;
    until("it goes on as it was", async || view(&engine, "order-1").await.outcome.is_some()).await;
    let outcome = view(&engine, "order-1").await.outcome;
    assert_eq!((outcome, provider.charged(), shop.shipments().await), (Some(Outcome::Completed), 100, 1));
}

/// The charge is made and its answer lost, and the file now names another account at the same address. Asked for there it would be
/// made a second time; a header that only says who asks chooses nobody's books.
#[tokio::test]
async fn a_constant_header_that_chooses_an_account_is_a_move() {
    let shop = Shop::open(&[]).await;
    let answers = Arc::new(AtomicBool::new(false));
    let is_back = Arc::clone(&answers);
    let (provider, url) = Provider::start(move |books, _, _, _| {
        books.charged = 100;
        is_back.load(Ordering::Relaxed).then(|| (200, json!({"state": "charged"})))
    })
    .await;
    let undo = UNDONE.replace("PROVIDER", &url);
    let of = |account: &str, agent: &str| {
        let headers = format!("headers = {{ Stripe-Account = \"{account}\", User-Agent = \"{agent}\" }}");
        let done = "done = { status = 200, json = { \"/state\" = \"charged\" } }";
        read(&text(&url, &shop.urls[1], &format!("{headers}\n{done}"), &undo))
    };
    let (engine, _saga) = order(&shop, &of("acct_1", "a")).await;
    until("it is charged", async || provider.charged() == 100).await;
    stop(engine).await;

    let engine = reopened(&shop, &of("acct_1", "b"), adopting(false)).await;
    let asked = provider.asked().len();
    until("it is asked again", async || provider.asked().len() > asked).await;
    stop(engine).await;

    answers.store(true, Ordering::Relaxed);
    let asked = provider.asked().len();
    let engine = reopened(&shop, &of("acct_2", "b"), adopting(false)).await;
    until("a person is told", async || !engine.stats().suspended.is_empty()).await;
    sleep(300).await;
    assert_eq!(provider.asked().len(), asked, "nobody is charged in another account");
    let others = engine.other_definitions().await.unwrap();
    let reading: Vec<_> = others.iter().flat_map(|other| &other.difference.steps).flat_map(|step| &step.reading).collect();
    assert!(reading.iter().any(|said| *said == "act: a header that may choose an account"), "{others:?}");
    stop(engine).await;

    let engine = reopened(&shop, &of("acct_2", "b"), adopt()).await;
    until("it goes on", async || view(&engine, "order-1").await.outcome == Some(Outcome::Completed)).await;
    assert!(provider.asked().len() > asked);
    stop(engine).await;
}
