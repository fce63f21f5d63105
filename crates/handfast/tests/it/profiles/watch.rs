//! Sagas that have ended and are watched: what appears after all is undone and reported.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::Method;
use handfast::journal::Receipt;
use handfast::participant::{Delivery, InMemory, Participant, Reply};
use handfast::store::{BoxFuture, MemoryStore};
use handfast::{CancelResult, Clock, Engine, ListFilter, Operation, Outcome, Time};
use handfast_participant::Weakness;
use handfast_protocol::{Answer, Assumptions, Close, Definite, Profile};

use super::shop::{Road, Shop, ended, flow, now, options, place, sleep, until, view};
use crate::support::NOON;

/// A tombstone that is shorter than a message may live.
async fn shop() -> Shop {
    let profile = Profile { close: Close::For(300), ..Profile::CONTRACT };
    let shop = Shop::open(&[Weakness::ClosesFor(Duration::from_millis(300))]).await;
    let shop = shop.declare(profile).margin(2_500).deadline(400);
    // The first act arrives when its key is open again.
    shop.to_payment.set(|act| match act {
        Some(1) => Road::Late(1_500),
        Some(_) => Road::RequestCaptured,
        None => Road::Open,
    });
    shop
}

#[tokio::test]
async fn a_late_effect_is_undone_and_reported() {
    let shop = shop().await;
    let engine = shop.engine().await;
    let placed = now();
    let mut saga = place(&engine, "order-1").await;
    assert_eq!(ended(&mut saga).await.unwrap(), Outcome::Cancelled);
    assert!(now() < placed.after(1_500), "the end is told at once, not when nobody looks any more");
    let totals = *engine.totals().borrow();
    assert_eq!((totals.cancelled, totals.in_doubt, totals.suspended), (1, 0, 0));
    let watched = view(&engine, "order-1").await;
    assert!(watched.wake_at.is_some() && watched.trouble.is_none() && !watched.is_in_doubt(), "{watched:?}");
    assert_eq!(engine.cancel("order-1", None, None).await.unwrap(), CancelResult::Ended(Outcome::Cancelled));

    until("the charge is there and refunded", async || shop.charges().await == (1, 1)).await;
    until("it is told", async || view(&engine, "order-1").await.trouble.is_some()).await;
    let found = view(&engine, "order-1").await;
    assert!(found.trouble.unwrap().contains("payment: it was done after all"));
    assert_eq!((found.standing.as_str(), found.outcome), ("cancelled", Some(Outcome::Cancelled)));
    assert!(engine.stats().suspended[0].1.contains("done after all"), "{:?}", engine.stats().suspended);
    let totals = *engine.totals().borrow();
    assert_eq!((totals.placed, totals.cancelled, totals.in_doubt, totals.suspended), (1, 1, 0, 0));
    // A look through all journals finds what the list of those that need a person has, also after the end.
    let listed = engine.list(&ListFilter::all(None, 9).with_needs_person(Some(true))).await.unwrap().sagas;
    let looked = engine.look_through(true).await.unwrap().unwrap();
    assert_eq!((looked.needs_person["cancelled"], looked.needs_person.get("acting")), (listed.len() as u64, None));
    until("nobody looks any more", async || view(&engine, "order-1").await.wake_at.is_none()).await;
    assert_eq!(shop.shipments().await, 0);
}

/// A bank whose only act arrives long after its key was closed, and that holds the answer to its first look.
struct LateBank {
    /// What it does not have it says is not there, instead of how its key stands.
    says_absent: bool,
    clock: Clock,
    arrives: Time,
    answers_the_first_look: Time,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// When looks left, and what each of them found.
    looks: Vec<(Time, Definite)>,
    undos: u32,
}

impl LateBank {
    fn looks(&self) -> Vec<(Time, Definite)> {
        self.seen.lock().unwrap().looks.clone()
    }

    fn state(&self) -> Definite {
        let is_undone = self.seen.lock().unwrap().undos > 0;
        let is_charged = self.clock.now() >= self.arrives;
        if is_undone {
            Definite::Undone
        } else if is_charged {
            Definite::Done
        } else {
            Definite::Closed
        }
    }
}

impl Participant for LateBank {
    fn deliver<'a>(&'a self, request: Delivery<'a>) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            if request.operation == Operation::Undo {
                self.seen.lock().unwrap().undos += 1;
            }
            let found = self.state();
            match request.operation {
                Operation::Act => return Reply::unknown("captured"),
                Operation::Look => {
                    self.seen.lock().unwrap().looks.push((self.clock.now(), found));
                    if self.looks().len() == 1 {
                        let rest_ms = self.answers_the_first_look.0 - self.clock.now().0;
                        sleep(rest_ms).await;
                    }
                }
                Operation::Close | Operation::Undo => {}
            }
            if self.says_absent && request.operation == Operation::Look && found == Definite::Closed {
                return Reply::Absent { seen: "nothing under this key".to_owned(), retry_after: None };
            }
            Reply::Definite { answer: Answer::State(found), receipt: Receipt::default() }
        })
    }
}

/// What a look saw before the late act arrived ends no watch, however late its answer comes.
#[tokio::test(start_paused = true)]
async fn a_look_counts_from_when_it_left() {
    for says_absent in [false, true] {
        the_late_effect_is_found(says_absent).await;
    }
}

async fn the_late_effect_is_found(says_absent: bool) {
    const DEADLINE_MS: u64 = 400;
    const WATCHED_MS: u64 = 2_500;
    let (clock, _hand) = Clock::by_hand(NOON);
    let bank = Arc::new(LateBank {
        says_absent,
        clock: clock.clone(),
        arrives: NOON.after(1_500),
        answers_the_first_look: NOON.after(DEADLINE_MS + WATCHED_MS + 1_000),
        seen: Mutex::default(),
    });
    let lifetime = Assumptions { message_lifetime_ms: Some(WATCHED_MS), clock_error_ms: Some(0), longest_outage_ms: Some(0) };
    let profile = Profile { close: Close::For(300), ..Profile::CONTRACT };
    let engine = Engine::builder(Arc::new(MemoryStore::new()))
        .flow(flow(profile, Some(DEADLINE_MS), lifetime, &["bank".to_owned(), "depot".to_owned()]))
        .shared_participant("bank", Arc::clone(&bank) as Arc<dyn Participant>)
        .participant("depot", InMemory::new(|_, _| true))
        .options(options().with_try_timeout(Duration::from_secs(10)).with_clock(clock))
        .open()
        .await
        .unwrap();
    assert_eq!(ended(&mut place(&engine, "order-1").await).await.unwrap(), Outcome::Cancelled);
    until("nobody looks any more", async || view(&engine, "order-1").await.wake_at.is_none()).await;
    let looks = bank.looks();
    assert!(looks.len() >= 2, "one that had left before the end of the watch ended it: {looks:?}");
    assert!(looks[0].0 < bank.arrives && looks[0].1 == Definite::Closed, "the first saw nothing: {looks:?}");
    assert!(looks[1].0 >= bank.answers_the_first_look && looks[1].1 == Definite::Done, "and the next one was needed: {looks:?}");
    assert_eq!(bank.state(), Definite::Undone);
    let trouble = view(&engine, "order-1").await.trouble;
    assert!(trouble.as_ref().is_some_and(|trouble| trouble.contains("it was done after all")), "{trouble:?}");
}

#[tokio::test]
async fn a_saga_is_watched_across_a_restart() {
    let shop = shop().await;
    let engine = shop.engine().await;
    assert_eq!(ended(&mut place(&engine, "order-1").await).await.unwrap(), Outcome::Cancelled);
    assert!(engine.shutdown(Duration::from_secs(10)).await);
    drop(engine);
    let engine = shop.engine().await;
    let totals = *engine.totals().borrow();
    assert_eq!((totals.cancelled, totals.in_doubt), (1, 0));
    until("the charge is there and refunded", async || shop.charges().await == (1, 1)).await;
    until("it is told", async || !engine.stats().suspended.is_empty()).await;
    assert_eq!(ended(&mut engine.follow("order-1").await.unwrap().unwrap()).await.unwrap(), Outcome::Cancelled);
}

#[tokio::test]
async fn a_watched_key_is_looked_at_less_and_less_often_and_once_more_at_the_end() {
    let shop = shop().await;
    shop.to_payment.set(|act| if act.is_some() { Road::RequestCaptured } else { Road::Open });
    let engine = shop.engine().await;
    assert_eq!(ended(&mut place(&engine, "order-1").await).await.unwrap(), Outcome::Cancelled);
    let from = now();
    until("nobody looks any more", async || view(&engine, "order-1").await.wake_at.is_none()).await;
    sleep(300).await;
    let looks: Vec<Time> = shop.to_payment.times(&Method::GET);
    assert!((2..30).contains(&looks.len()), "{looks:?}");
    // The pauses are drawn at random up to a limit that doubles, so the last look is the one that is certain.
    let last = looks.last().unwrap();
    assert!(*last >= from.after(2_500 - 300), "{from:?} {looks:?}");
    let seen = view(&engine, "order-1").await;
    assert_eq!((seen.trouble, shop.charges().await), (None, (0, 0)));
}

#[tokio::test]
async fn a_watch_whose_time_passed_while_nobody_ran_ends_with_a_look() {
    let shop = shop().await;
    let engine = shop.engine().await;
    assert_eq!(ended(&mut place(&engine, "order-1").await).await.unwrap(), Outcome::Cancelled);
    assert!(engine.shutdown(Duration::from_secs(10)).await);
    drop(engine);
    sleep(3_500).await;
    assert_eq!(shop.charges().await, (1, 0), "it came late, and nobody looked");
    let engine = shop.engine().await;
    until("it is refunded", async || shop.charges().await == (1, 1)).await;
    until("it is told", async || !engine.stats().suspended.is_empty()).await;
}

#[tokio::test]
async fn a_last_look_that_nobody_answers_is_none() {
    let shop = shop().await;
    let engine = shop.engine().await;
    assert_eq!(ended(&mut place(&engine, "order-1").await).await.unwrap(), Outcome::Cancelled);
    // From here on nobody answers, until long after the watch should be over.
    shop.to_payment.set(|_| Road::RequestCaptured);
    sleep(4_000).await;
    assert_eq!(shop.charges().await, (1, 0), "it came late, and nobody could see it");
    assert!(view(&engine, "order-1").await.wake_at.is_some(), "nobody has looked, so somebody still has to");
    shop.to_payment.set(|_| Road::Open);
    until("the charge is refunded", async || shop.charges().await == (1, 1)).await;
    until("it is told", async || !engine.stats().suspended.is_empty()).await;
    until("nobody looks any more", async || view(&engine, "order-1").await.wake_at.is_none()).await;
}
