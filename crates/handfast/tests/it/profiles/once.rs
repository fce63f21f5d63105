//! Acts that may not be repeated: each leaves at most once, and is looked for from then on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::http::Method;
use handfast::store::{Append, BoxFuture, SqliteStore, Store, StoreError, Unanswered};
use handfast::{Engine, NoOutcome, Outcome};
use handfast_participant::Weakness;
use handfast_protocol::{Close, Profile, Repeat};

use super::shop::{Road, Shop, ended, options, place, sleep, until, view};
use crate::support::forwarded_but_for_append;

pub(super) const ONCE: Profile = Profile { close: Close::Never, repeat: Repeat::Never, ..Profile::CONTRACT };
pub(super) const WEAK: [Weakness; 2] = [Weakness::NoClose, Weakness::NotIdempotent];
/// For those who see a person asked.
pub(super) const HORIZON_MS: u64 = 1_000;
/// For those who do not, however slow the machine is.
pub(super) const FAR_HORIZON_MS: u64 = 120_000;

async fn shop() -> Shop {
    Shop::open(&WEAK).await.declare(ONCE).margin(FAR_HORIZON_MS)
}

#[tokio::test]
async fn an_act_whose_answer_is_captured_is_looked_for_and_found() {
    let shop = shop().await;
    shop.to_payment.set(|act| if act.is_some() { Road::AnswerCaptured } else { Road::Open });
    let engine = shop.engine().await;
    assert_eq!(ended(&mut place(&engine, "order-1").await).await.unwrap(), Outcome::Completed);
    let asked: Vec<Method> = shop.to_payment.sent().into_iter().map(|sent| sent.method).collect();
    assert_eq!(asked, [Method::PUT, Method::GET]);
    assert_eq!((shop.charges().await, shop.shipments().await), ((1, 0), 1));
    let journal: Vec<String> = view(&engine, "order-1").await.entries.into_iter().map(|entry| entry.input).collect();
    assert_eq!(journal[1], r#"{"sent":{"step":0}}"#);
    assert!(journal[2].contains(r#""to":"look","state":"done""#), "{journal:?}");
}

#[tokio::test]
async fn an_act_that_is_answered_is_not_looked_for() {
    let shop = shop().await;
    let engine = shop.engine().await;
    assert_eq!(ended(&mut place(&engine, "order-1").await).await.unwrap(), Outcome::Completed);
    assert_eq!((shop.to_payment.count(&Method::PUT), shop.to_payment.count(&Method::GET)), (1, 0));
}

#[tokio::test]
async fn an_act_that_is_not_found_waits_for_a_person_and_never_leaves_again() {
    let shop = Shop::open(&WEAK).await.declare(ONCE).margin(HORIZON_MS);
    shop.to_payment.set(|act| if act.is_some() { Road::RequestCaptured } else { Road::Open });
    let engine = shop.engine().await;
    let mut saga = place(&engine, "order-1").await;
    let stuck = ended(&mut saga).await.unwrap_err();
    assert!(matches!(&stuck, NoOutcome::Stuck { reason, .. } if reason.contains("look it up at its participant")), "{stuck}");
    drop(engine);
    let engine = shop.engine().await;
    sleep(500).await;
    assert_eq!((shop.to_payment.count(&Method::PUT), shop.charges().await), (1, (0, 0)));
    assert!(shop.to_payment.count(&Method::GET) > 1);
    assert_eq!(engine.stats().totals.suspended, 1);
}

/// What becomes of the mark of an act that leaves once.
#[derive(Clone, Copy)]
enum Mark {
    /// It takes so many milliseconds.
    Slow(u64),
    /// The store takes it only after so many tries.
    Refused(u32),
}

/// A store that is in trouble when an act is to be marked as sent.
struct Troubled(SqliteStore, Mark, AtomicU32);

impl Store for Troubled {
    fn append(&self, append: Append) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let is_mark = append.entry.input.starts_with("{\"sent\"");
            match self.1 {
                Mark::Slow(time_ms) if is_mark => sleep(time_ms).await,
                Mark::Refused(times) if is_mark && self.2.fetch_add(1, Ordering::Relaxed) < times => {
                    sleep(50).await;
                    return Err(StoreError::Unavailable(Unanswered::MadeToFail));
                }
                Mark::Slow(_) | Mark::Refused(_) => {}
            }
            self.0.append(append).await
        })
    }
    forwarded_but_for_append!();
}

async fn engine_in_trouble(shop: &Shop, mark: Mark) -> Engine {
    let store = Troubled(SqliteStore::open(shop.store_path()).unwrap(), mark, AtomicU32::new(0));
    Engine::builder(Arc::new(store)).flow(shop.flow()).options(options()).open().await.unwrap()
}

#[tokio::test]
async fn an_act_whose_mark_took_longer_than_its_time_does_not_leave() {
    let shop = Shop::open(&WEAK).await.declare(ONCE).margin(HORIZON_MS).deadline(200);
    let engine = engine_in_trouble(&shop, Mark::Slow(400)).await;
    let stuck = ended(&mut place(&engine, "order-1").await).await.unwrap_err();
    assert!(matches!(&stuck, NoOutcome::Stuck { reason, .. } if reason.contains("look it up at its participant")), "{stuck}");
    assert!(shop.to_payment.count(&Method::GET) > 0, "the mark says that it was sent, so it is looked for");
    assert_eq!((shop.to_payment.count(&Method::PUT), shop.charges().await, shop.shipments().await), (0, (0, 0), 0));
}

#[tokio::test]
async fn an_act_whose_time_passed_before_it_was_marked_has_not_left_and_the_saga_turns_back() {
    let shop = shop().await.deadline(200);
    let engine = engine_in_trouble(&shop, Mark::Refused(8)).await;
    assert_eq!(ended(&mut place(&engine, "order-1").await).await.unwrap(), Outcome::Cancelled);
    assert!(shop.to_payment.sent().is_empty(), "nothing was sent, so nobody is asked: {:?}", shop.to_payment.sent());
    assert_eq!((shop.charges().await, shop.shipments().await), ((0, 0), 0));
}

#[tokio::test]
async fn an_act_that_is_marked_in_time_leaves_although_the_store_was_in_trouble() {
    let shop = shop().await.deadline(20_000);
    let engine = engine_in_trouble(&shop, Mark::Refused(3)).await;
    assert_eq!(ended(&mut place(&engine, "order-1").await).await.unwrap(), Outcome::Completed);
    assert_eq!((shop.to_payment.count(&Method::PUT), shop.charges().await, shop.shipments().await), (1, (1, 0), 1));
}

#[tokio::test]
async fn a_look_that_finds_nothing_does_not_shut_the_line() {
    let shop = shop().await;
    // With every look counted against it, the line to the payment service would be shut most of the time.
    shop.to_payment.set(|act| if act.is_some_and(|act| act <= 40) { Road::RequestCaptured } else { Road::Open });
    let mut hasty = options();
    hasty.breaker.threshold = 60;
    hasty.breaker.pause = Duration::from_secs(30);
    let engine = shop.engine_with(hasty).await;
    for number in 0..40 {
        place(&engine, &format!("order-{number}")).await;
    }
    until("they are looked for", async || shop.to_payment.count(&Method::GET) > 200).await;
    assert_eq!(ended(&mut place(&engine, "order-last").await).await.unwrap(), Outcome::Completed);
}

#[tokio::test]
async fn of_two_workers_only_the_one_that_marked_an_act_sends_it() {
    let shop = shop().await;
    shop.to_payment.set(|act| if act.is_some_and(|act| act % 2 == 0) { Road::AnswerCaptured } else { Road::Open });
    let hasty = || options().with_patrol(Duration::from_millis(10));
    let engines = [shop.engine_with(hasty()).await, shop.engine_with(hasty()).await];
    let mut sagas = Vec::new();
    for number in 0..60 {
        sagas.push(place(&engines[number % 2], &format!("order-{number}")).await);
    }
    for saga in &mut sagas {
        assert_eq!(ended(saga).await.unwrap(), Outcome::Completed);
    }
    let mut acts = BTreeMap::<String, u32>::new();
    for sent in shop.to_payment.sent().into_iter().filter(|sent| sent.method == Method::PUT) {
        *acts.entry(sent.path).or_default() += 1;
    }
    assert_eq!((acts.len(), acts.values().max()), (60, Some(&1)), "{acts:?}");
    assert_eq!((shop.charges().await, shop.shipments().await), ((60, 0), 60));
}
