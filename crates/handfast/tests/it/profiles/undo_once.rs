//! Undos by templates: one that is accepted and asked for by its own id, and one that a provider without keys carries out each
//! time that it is asked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use handfast::flow_file::FlowFile;
use handfast::journal::Said;
use handfast::{Act, Engine, NoOutcome, Outcome, SagaHandle};
use serde_json::json;

use super::provider::Provider;
use super::shop::{Road, Shop, ended, options, until, view};

/// How long a message may be on the road, in milliseconds.
const ON_THE_ROAD_MS: u64 = 700;

fn file(provider: &str, shipments: &str, profile: &str, undo: &str) -> FlowFile {
    let text = format!(
        r#"
name = "shop"
[assume]
message_lifetime = "{ON_THE_ROAD_MS}ms"
clock_error = "1ms"
longest_outage = "1ms"
[input]
amount = "money"
lines = "list"
[[step]]
name = "payment"
participant = "http"
send = ["amount"]
[step.profile]
idempotent = true
remembers = "for-ever"
sticky_refusal = true
{profile}
[step.http.act]
method = "PUT"
url = "{provider}/charges/{{key}}"
body = '{{"amount": {{input.amount.minor}}}}'
done = {{ status = 200, json = {{ "/state" = "charged" }} }}
[step.http.undo]
url = "{provider}/charges/{{key}}/refund"
{undo}
[[step]]
name = "dispatch"
kind = "pivot"
url = "{shipments}"
send = ["lines"]
"#
    );
    FlowFile::parse("shop.toml", &text).unwrap_or_else(|error| panic!("{error}"))
}

async fn order(engine: &Engine, file: &FlowFile, id: &str) -> SagaHandle {
    let order = format!(r#"{{"id":"{id}","amount":{{"minor":100,"currency":"EUR"}},"lines":[{{"sku":"mug","quantity":1}}]}}"#);
    engine.submit(file.parse_order(order.as_bytes()).unwrap()).await.unwrap()
}

/// An order that is paid, and then cancelled before its goods have left.
async fn turned_back(shop: &Shop, engine: &Engine, file: &FlowFile) -> SagaHandle {
    shop.to_dispatch.set(|_| Road::RequestCaptured);
    let saga = order(engine, file, "order-1").await;
    until("the dispatch is asked for", || async { shop.to_dispatch.count(&Method::PUT) > 0 }).await;
    engine.cancel("order-1", None, None).await.unwrap();
    shop.to_dispatch.set(|_| Road::Open);
    saga
}

const LATER: &str = r#"
accepted = { status = 202, json = { "/state" = "pending" } }
undone = { json = { "/state" = "refunded" } }
failed = { json = { "/state" = "failed" } }
keep = { refund = "/id" }
[step.http.undo_peek]
url = "PROVIDER/refunds/{receipt.payment.refund}"
accepted = { json = { "/state" = "pending" } }
undone = { json = { "/state" = "refunded" } }
failed = { json = { "/state" = "failed" } }
detail = "/reason"
"#;

/// A provider whose refund is pending for three looks, and then this, and from the look of this number on done.
async fn refunding_later(then: &'static str, done_from: usize) -> (Arc<Provider>, String) {
    Provider::start(move |books, _, method, path| {
        if *method == Method::PUT {
            books.charged = 100;
            return Some((200, json!({"state": "charged"})));
        }
        if *method == Method::POST {
            return Some((202, json!({"state": "pending", "id": "re-7"})));
        }
        let looks = books.asked.iter().filter(|(method, _)| *method == Method::GET).count();
        let state = match looks {
            _ if path != "/refunds/re-7" => "unknown",
            0..=3 => "pending",
            _ if looks < done_from => then,
            _ => "refunded",
        };
        books.charged = if state == "refunded" { 0 } else { books.charged };
        Some((200, json!({"state": state, "reason": "account_closed"})))
    })
    .await
}

#[tokio::test]
async fn an_accepted_refund_is_asked_for_by_its_own_id_until_it_is_done() {
    let shop = Shop::open(&[]).await;
    let (provider, url) = refunding_later("refunded", 0).await;
    let file = file(&url, &shop.urls[1], "", &LATER.replace("PROVIDER", &url));
    let flow = (*file.flow::<&str>(&[]).unwrap()).clone();
    assert_eq!(handfast::Flow::from_built_text(flow.text()).unwrap(), flow, "it is kept with every saga");
    let engine = shop.engine_of(flow, options()).await;
    let mut saga = turned_back(&shop, &engine, &file).await;
    assert_eq!(ended(&mut saga).await.unwrap(), Outcome::Cancelled);
    let asked = provider.asked();
    let count = |method: Method| asked.iter().filter(|(it, _)| *it == method).count();
    assert_eq!((count(Method::POST), count(Method::GET), provider.charged()), (1, 4, 0), "{asked:?}");
    let journal: Vec<String> = view(&engine, "order-1").await.entries.into_iter().map(|entry| entry.input).collect();
    assert!(
        journal.iter().any(|line| line == r#"{"undo":{"step":0,"told":"accepted","kept":{"refund":"re-7"}}}"#),
        "{journal:?}"
    );
}

#[tokio::test]
async fn a_refund_that_fails_is_told_and_found_done_after_all_once_a_person_has_it_looked_for() {
    let shop = Shop::open(&[]).await;
    let (provider, url) = refunding_later("failed", 5).await;
    let file = file(&url, &shop.urls[1], "", &LATER.replace("PROVIDER", &url));
    let engine = shop.engine_of((*file.flow::<&str>(&[]).unwrap()).clone(), options()).await;
    let mut saga = turned_back(&shop, &engine, &file).await;
    let stuck = ended(&mut saga).await.unwrap_err();
    assert!(matches!(&stuck, NoOutcome::Stuck { .. }), "{stuck}");
    let seen = view(&engine, "order-1").await;
    let trouble = seen.trouble.unwrap();
    for said in ["payment: its undo was under way and failed", "1.00 EUR", "account_closed", "payment is in effect"] {
        assert!(trouble.contains(said), "{trouble}");
    }
    let can: Vec<&str> = seen.can.iter().map(|possible| possible.act.name()).collect();
    assert_eq!(can, ["retry", "resume", "mark_done", "mark_undone", "settle"]);
    assert_eq!(provider.charged(), 100, "what failed counts as nothing");
    let said = Said {
        by: "ada".to_owned(),
        reason: "the bank says that it went through".to_owned(),
        request_id: "r-1".to_owned(),
        saw: seen.entries.len() as u64,
        ..Said::default()
    };
    engine.act("order-1", &Act::Retry, &said).await.unwrap();
    until("it is found undone", || async { view(&engine, "order-1").await.outcome == Some(Outcome::Cancelled) }).await;
    assert_eq!((provider.charged(), view(&engine, "order-1").await.trouble), (0, None));
}

/// A provider without keys for refunds gives the amount back each time that it is asked.
const ONCE: &str = r#"
undone = { json = { "/state" = "refunded" } }
[step.http.peek]
url = "PROVIDER/charges/{key}"
done = { json = { "/state" = "charged" } }
undone = { json = { "/state" = "refunded" } }
"#;

/// What becomes of the n-th refund (from 1) of a charge.
#[derive(Clone, Copy)]
enum Refund {
    Answered,
    AnswerLost,
    RequestLost,
}

async fn without_keys(fate: fn(usize) -> Refund) -> (Arc<Provider>, String) {
    Provider::start(move |books, _, method, path| {
        if *method == Method::PUT {
            let is_new = books.asked.iter().filter(|(_, asked)| asked == path).count() == 1;
            books.charged += if is_new { 100 } else { 0 };
            return Some((200, json!({"state": "charged"})));
        }
        let key = path.trim_end_matches("/refund");
        let refunds: Vec<usize> =
            (1..=books.asked.iter().filter(|(_, asked)| *asked == format!("{key}/refund")).count()).collect();
        let carried_out = refunds.iter().filter(|&&nth| !matches!(fate(nth), Refund::RequestLost)).count();
        if *method == Method::GET {
            let state = if carried_out > 0 { "refunded" } else { "charged" };
            return Some((200, json!({"state": state})));
        }
        match fate(refunds.len()) {
            Refund::Answered => {
                books.charged -= 100;
                Some((200, json!({"state": "refunded"})))
            }
            Refund::AnswerLost => {
                books.charged -= 100;
                None
            }
            Refund::RequestLost => None,
        }
    })
    .await
}

fn once(url: &str, shop: &Shop) -> FlowFile {
    let file = file(url, &shop.urls[1], "undo_idempotent = false", &ONCE.replace("PROVIDER", url));
    let error = file.flow::<&str>(&[]).unwrap_err().to_string();
    assert!(error.contains("risk undo-not-idempotent"), "{error}");
    file
}

fn refunds(provider: &Provider) -> BTreeMap<String, usize> {
    let mut refunds = BTreeMap::new();
    for (_, path) in provider.asked().into_iter().filter(|(method, _)| *method == Method::POST) {
        *refunds.entry(path).or_default() += 1;
    }
    refunds
}

#[tokio::test]
async fn a_refund_whose_answer_is_lost_is_looked_for_and_not_paid_twice() {
    let shop = Shop::open(&[]).await;
    let (provider, url) = without_keys(|_| Refund::AnswerLost).await;
    let file = once(&url, &shop);
    let engine = shop.engine_of((*file.flow(&["undo-not-idempotent"]).unwrap()).clone(), options()).await;
    let mut saga = turned_back(&shop, &engine, &file).await;
    assert_eq!(ended(&mut saga).await.unwrap(), Outcome::Cancelled);
    assert_eq!((refunds(&provider).values().sum::<usize>(), provider.charged()), (1, 0), "{:?}", provider.asked());
    let journal: Vec<String> = view(&engine, "order-1").await.entries.into_iter().map(|entry| entry.input).collect();
    assert!(journal.iter().any(|line| line == r#"{"undo":{"step":0,"told":"sent"}}"#), "{journal:?}");
}

#[tokio::test]
async fn a_refund_that_was_captured_leaves_again_only_once_nothing_of_it_can_be_on_the_road() {
    let shop = Shop::open(&[]).await;
    let (provider, url) = without_keys(|nth| if nth == 1 { Refund::RequestLost } else { Refund::Answered }).await;
    let file = once(&url, &shop);
    let engine = shop.engine_of((*file.flow(&["undo-not-idempotent"]).unwrap()).clone(), options()).await;
    let mut saga = turned_back(&shop, &engine, &file).await;
    assert_eq!(ended(&mut saga).await.unwrap(), Outcome::Cancelled);
    assert_eq!((refunds(&provider).values().sum::<usize>(), provider.charged()), (2, 0), "{:?}", provider.asked());
    let entries = view(&engine, "order-1").await.entries;
    let sent: Vec<u64> = entries.iter().filter(|entry| entry.input.contains("\"sent\"")).map(|entry| entry.at.0).collect();
    let [first, again] = sent[..] else { panic!("{entries:?}") };
    assert!(again >= first + ON_THE_ROAD_MS, "{first} {again}");
}

#[tokio::test]
async fn of_two_workers_only_the_one_that_marked_a_refund_sends_it() {
    const ORDERS: usize = 24;
    let shop = Shop::open(&[]).await;
    let (provider, url) = without_keys(|_| Refund::AnswerLost).await;
    let file = once(&url, &shop);
    let hasty = || options().with_patrol(Duration::from_millis(2));
    let flow = || (*file.flow(&["undo-not-idempotent"]).unwrap()).clone();
    let engines = [shop.engine_of(flow(), hasty()).await, shop.engine_of(flow(), hasty()).await];
    shop.to_dispatch.set(|_| Road::RequestCaptured);
    let mut sagas = Vec::new();
    for number in 0..ORDERS {
        sagas.push(order(&engines[number % 2], &file, &format!("order-{number}")).await);
    }
    until("they are paid", || async { provider.charged() == 100 * ORDERS as i64 }).await;
    for number in 0..ORDERS {
        engines[(number + 1) % 2].cancel(&format!("order-{number}"), None, None).await.unwrap();
    }
    shop.to_dispatch.set(|_| Road::Open);
    for saga in &mut sagas {
        assert_eq!(ended(saga).await.unwrap(), Outcome::Cancelled);
    }
    let refunds = refunds(&provider);
    assert_eq!((refunds.len(), refunds.values().max(), provider.charged()), (ORDERS, Some(&1), 0), "{refunds:?}");
}
