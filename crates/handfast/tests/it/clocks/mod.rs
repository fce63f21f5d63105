//! Clocks that somebody sets, and processes whose clocks are not the same.

mod restarted;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use handfast::journal::Said;
use handfast::participant::{Delivery, Participant, Reply};
use handfast::store::Store;
use handfast::upkeep::AcceptTimeError;
use handfast::{
    Act, ActError, Assumptions, Backoff, Clock, Close, Engine, Flow, Operation, Order, Outcome, Profile, Repeat, SubmitError,
    Time,
};

use crate::support::{Answering, NOON, Road, World, order};

const HOUR_MS: u64 = 3_600_000;

async fn sleep_s(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

/// An engine on the world's store and participants that goes by this clock.
async fn engine_by(world: &World, clock: &Clock) -> Engine {
    world.builder().options(world.options().with_clock(clock.clone())).open().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_clock_set_back_an_hour_stops_nothing() {
    let world = World::new(Some(600_000));
    world.bank.set_road(|_| Road::RequestCaptured);
    let engine = world.engine().await;
    let mut saga = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    sleep_s(60).await;
    world.ground.hand.turn_by_ms(-3_600_000);
    let asked = world.bank.asked().len();
    sleep_s(60).await;
    assert!(world.bank.asked().len() > asked + 1, "it is asked again and again, as before");
    // Whoever is placed now goes its way, deadline and all.
    world.bank.set_road(|_| Road::Open(1));
    let mut other = engine.submit(order("order-2", "visa", "tea")).await.unwrap();
    assert_eq!(other.outcome().await.unwrap(), Outcome::Completed);
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
    // A deadline that was journaled before is kept after as much time as was meant.
    world.bank.set_road(|_| Road::RequestCaptured);
    let mut late = engine.submit(order("order-3", "visa", "tea")).await.unwrap();
    sleep_s(1).await;
    world.ground.hand.turn_by_ms(-3_600_000);
    sleep_s(590).await;
    assert_eq!(late.progress().outcome(), None);
    world.bank.set_road(|request| if request.operation == Operation::Act { Road::RequestCaptured } else { Road::Open(1) });
    sleep_s(60).await;
    assert_eq!(late.outcome().await.unwrap(), Outcome::Cancelled);
    let clock = engine.stats().clock;
    assert_eq!((clock.turns.count, clock.turns.last_by_ms, clock.trouble), (2, -3_600_000, None));
}

#[tokio::test(start_paused = true)]
async fn a_wake_up_that_no_pause_explains_is_due_now() {
    let world = World::new(None);
    world.bank.set_road(|_| Road::RequestCaptured);
    let engine = world.engine().await;
    engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    while engine.stats().active > 0 || world.ground.clock.now() < NOON.after(120_000) {
        sleep_s(1).await;
    }
    engine.shutdown(Duration::from_secs(1)).await;
    drop(engine);
    sleep_s(60).await;
    // The next process starts with a clock that was set back, and the saga lies an hour ahead.
    world.bank.set_road(|_| Road::Open(1));
    let clock = Clock::of_runtime(Time(NOON.0 - HOUR_MS));
    let engine = engine_by(&world, &clock).await;
    let started = clock.now();
    let mut saga = engine.follow("order-1").await.unwrap().unwrap();
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
    assert!(clock.now() < started.after(10_000), "{started:?} {:?}", clock.now());
}

#[tokio::test(start_paused = true)]
async fn a_clock_set_forward_is_discounted_for_a_plain_deadline() {
    let world = World::new(Some(60_000));
    world.bank.set_road(|_| Road::RequestCaptured);
    let engine = world.engine().await;
    let mut saga = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    let mut other = engine.submit(order("order-2", "visa", "tea")).await.unwrap();
    sleep_s(1).await;
    world.ground.hand.turn_by_ms(3_600_000);
    sleep_s(30).await;
    assert_eq!((saga.progress().outcome(), other.progress().outcome()), (None, None), "half of their time is left");
    assert!(world.bank.asked().iter().all(|operation| *operation == Operation::Act));
    // The participant goes by the wall clock, too, and takes what comes in time.
    world.bank.set_road(|request| if request.key.contains("order-1") { Road::Open(1) } else { Road::RequestCaptured });
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
    world.bank.set_road(|request| if request.operation == Operation::Act { Road::RequestCaptured } else { Road::Open(1) });
    let turned = engine.stats().clock.turns;
    assert_eq!((turned.count, turned.last_by_ms), (1, 3_600_000));
    assert_eq!(other.outcome().await.unwrap(), Outcome::Cancelled);
    let passed_ms = world.ground.clock.steady().0 - NOON.0;
    assert!((60_000..120_000).contains(&passed_ms), "{passed_ms} ms");
}

/// A payment that cannot be closed, and whose key is forgotten after a minute.
fn forgetful() -> Flow {
    let profile = Profile { close: Close::Never, repeat: Repeat::For(60_000), ..Profile::CONTRACT };
    let margin = Assumptions { message_lifetime_ms: Some(1_000), clock_error_ms: Some(0), longest_outage_ms: Some(0) };
    let flow = Flow::builder("forgetful").in_any_order().assume(margin).step("payment", "bank", profile);
    flow.step("dispatch", "depot", Profile::of_kind(handfast::Kind::Pivot)).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_last_send_goes_by_whichever_clock_is_further() {
    for (turned_ms, is_asked_still) in [(0, true), (3_600_000, false), (-3_600_000, true)] {
        let world = World::new(None);
        world.bank.set_road(|_| Road::RequestCaptured);
        let engine = world.builder().flow(forgetful()).open().await.unwrap();
        let _saga = engine.submit(order("order-1", "visa", "tea").of_flow("forgetful")).await.unwrap();
        sleep_s(10).await;
        world.ground.hand.turn_by_ms(turned_ms);
        sleep_s(1).await;
        let asked = world.bank.asked().len();
        sleep_s(40).await;
        assert_eq!(world.bank.asked().len() > asked, is_asked_still, "set by {turned_ms} ms");
        let asked = world.bank.asked().len();
        sleep_s(9).await;
        let before_last = world.bank.asked().len();
        sleep_s(120).await;
        // However the wall clock was set, a minute that has passed is over.
        let last = world.bank.requests.lock().unwrap().iter().map(|(_, _, _, at)| at.0).max().unwrap();
        assert!(before_last >= asked && last <= world.ground.clock.now().0 - 120_000, "set by {turned_ms} ms");
        assert_eq!(engine.stats().totals.suspended, 1, "a person has to find out");
    }
}

/// As a command beside the service writes it.
#[tokio::test(start_paused = true)]
async fn what_is_written_through_the_store_is_noticed_though_the_saga_is_in_memory() {
    let world = World::new(None);
    world.bank.set_road(|_| Road::RequestCaptured);
    let hour = Duration::from_hours(1);
    let options = world.options().with_park_after(10 * hour).with_backoff(Backoff { base: hour, cap: hour });
    let engine = world.builder().options(options).open().await.unwrap();
    let mut saga = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    sleep_s(5).await;
    assert_eq!(engine.stats().active, 1);
    world.bank.set_road(|_| Road::Open(1));
    let now = world.ground.clock.now();
    handfast::cancel_in(&*world.ground.store, "order-1", Some("anna"), None, now).await.unwrap();
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Cancelled);
    assert!(world.ground.clock.now() < now.after(30_000), "it is not waited for the next try");
}

/// A booking that may be asked for once, and is looked for at least for as long as a message may be on the road, beside a payment
/// that may be asked for for a time.
fn mixed() -> Flow {
    let booking = Profile { close: Close::Never, repeat: Repeat::Never, ..Profile::CONTRACT };
    let payment = Profile { close: Close::Never, repeat: Repeat::For(600_000), ..Profile::CONTRACT };
    let margin = Assumptions { message_lifetime_ms: Some(1_000), clock_error_ms: Some(0), longest_outage_ms: Some(300_000) };
    let flow = Flow::builder("mixed").in_any_order().assume(margin).step("booking", "inn", booking);
    let flow = flow.step("payment", "bank", payment).beside().accept_risk("not-idempotent");
    flow.step("dispatch", "depot", Profile::of_kind(handfast::Kind::Pivot)).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_leap_that_ends_one_thing_ends_nothing_that_has_to_be_waited_for() {
    let world = World::new(None);
    world.bank.set_road(|_| Road::RequestCaptured);
    let looks = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&looks);
    let inn = Answering(move |request: &Delivery<'_>| {
        counted.fetch_add(usize::from(request.operation == Operation::Look), Ordering::Relaxed);
        Reply::unknown("captured")
    });
    let engine = world.builder().flow(mixed()).participant("inn", inn).open().await.unwrap();
    let body = || b"{}".to_vec();
    engine.submit(Order::in_flow_order("order-1", "{}", vec![body(), body(), body()]).of_flow("mixed")).await.unwrap();
    sleep_s(10).await;
    world.ground.hand.turn_by_ms(400_000);
    sleep_s(1).await;
    let (looked, asked) = (looks.load(Ordering::Relaxed), world.bank.asked().len());
    assert!(looked > 0 && asked > 0);
    sleep_s(200).await;
    assert_eq!(world.bank.asked().len(), asked, "the payment may be forgotten by now");
    assert!(looks.load(Ordering::Relaxed) > looked, "the booking may still be on the road");
    let entries = engine.saga("order-1").await.unwrap().unwrap().entries;
    assert!(entries.iter().any(|entry| entry.input.contains(r#""nature":"stops""#)), "{entries:?}");
    assert!(entries.windows(2).all(|two| two[0].at <= two[1].at), "{entries:?}");
    sleep_s(1_000).await;
    assert_eq!(engine.stats().totals.suspended, 1, "in the end a person has to look for both");
}

/// The world's participants and store under an engine with another clock.
async fn newcomer(world: &World, offset_ms: i64) -> Engine {
    let now = world.ground.clock.now();
    engine_by(world, &Clock::of_runtime(Time(now.0.saturating_add_signed(offset_ms)))).await
}

#[tokio::test(start_paused = true)]
async fn a_newcomer_whose_clock_is_apart_takes_no_orders_and_cancels_nobodys() {
    let world = World::new(Some(60_000));
    let engine = world.engine().await;
    sleep_s(12).await;
    let (ahead, behind) = (newcomer(&world, 3_600_000).await, newcomer(&world, -3_600_000).await);
    let agreeing = newcomer(&world, 500).await;
    world.bank.set_road(|_| Road::Open(500));
    let mut sagas = Vec::new();
    for number in 0..100 {
        let place = if number % 2 == 0 { &engine } else { &agreeing };
        sagas.push(place.submit(order(&format!("order-{number}"), "visa", "tea")).await.unwrap());
    }
    for (other, says) in [(&ahead, "ahead of"), (&behind, "behind")] {
        let refused = other.submit(order("order-x", "visa", "tea")).await.unwrap_err();
        assert!(matches!(&refused, SubmitError::Clock { why } if why.contains(says)), "{refused}");
        assert!(other.stats().clock.trouble.is_some_and(|why| why.contains("3600 s")));
        assert_eq!(other.stats().active, 0);
        let act = other.act("order-0", &Act::Settle, &said(1)).await;
        assert!(matches!(&act, Err(ActError::Clock { why }) if why.contains(says)), "{act:?}");
    }
    for saga in &mut sagas {
        assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_whose_clock_is_believed_again_looks_into_its_store() {
    let world = World::new(None);
    let engine = world.engine().await;
    sleep_s(12).await;
    let (clock, hand) = Clock::by_hand(Time(world.ground.clock.now().0 - HOUR_MS));
    let apart = engine_by(&world, &clock).await;
    world.bank.set_road(|_| Road::RequestCaptured);
    engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    sleep_s(5).await;
    engine.shutdown(Duration::from_secs(1)).await;
    drop(engine);
    assert!(apart.stats().clock.trouble.is_some());
    world.bank.set_road(|_| Road::Open(1));
    let asked = world.bank.asked().len();
    hand.turn_by_ms(3_600_000);
    sleep_s(60).await;
    assert_eq!(apart.stats().clock.trouble, None);
    assert!(world.bank.asked().len() > asked, "it drives what lies in the store");
    let mut saga = apart.follow("order-1").await.unwrap().unwrap();
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
}

/// What a person says who has seen so many entries.
fn said(saw: u64) -> Said {
    let (by, reason, request_id) = ("anna".to_owned(), "looked".to_owned(), "one".to_owned());
    Said { by, reason, request_id, saw, ..Said::default() }
}

#[tokio::test(start_paused = true)]
async fn acts_and_tries_are_kept_by_the_time_of_journals() {
    let world = World::new(None);
    let engine = world.engine().await;
    world.ground.hand.turn_by_ms(3_600_000);
    world.bank.set_road(|_| Road::RequestCaptured);
    engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    sleep_s(1).await;
    engine.act("order-1", &Act::Retry, &said(1)).await.unwrap();
    let saga = engine.saga("order-1").await.unwrap().unwrap();
    assert_eq!(saga.entries.len(), 2);
    assert!(saga.entries.windows(2).all(|two| two[0].at <= two[1].at), "{:?}", saga.entries);
    assert!(!saga.tries.is_empty() && saga.tries.iter().all(|attempt| attempt.sent <= attempt.ended), "{:?}", saga.tries);
}

#[tokio::test(start_paused = true)]
async fn who_is_behind_the_latest_time_of_the_store_sends_nothing_bound_to_a_time() {
    let world = World::new(Some(86_400_000));
    world.bank.set_road(|_| Road::RequestCaptured);
    let untimed = || Flow::builder("untimed").compensatable("payment", "bank").pivot("dispatch", "depot").build().unwrap();
    let engine = world.builder().flow(untimed()).open().await.unwrap();
    engine.submit(order("order-1", "visa", "tea").of_flow("shop")).await.unwrap();
    sleep_s(30).await;
    engine.shutdown(Duration::from_secs(1)).await;
    drop(engine);
    sleep_s(60).await;
    world.bank.set_road(|_| Road::Open(1));
    let asked = world.bank.asked().len();
    let clock = Clock::of_runtime(Time(world.ground.clock.now().0 - HOUR_MS));
    let options = world.options().with_clock(clock);
    let engine = world.builder().flow(untimed()).options(options).open().await.unwrap();
    let why = engine.stats().clock.trouble.expect("it says so");
    assert!(why.contains("behind the latest time in the store"), "{why}");
    sleep_s(600).await;
    assert_eq!(world.bank.asked().len(), asked, "an act with a deadline does not leave");
    let refused = engine.submit(order("order-2", "visa", "tea").of_flow("shop")).await.unwrap_err();
    assert!(matches!(refused, SubmitError::Clock { .. }), "{refused}");
    let mut free: handfast::SagaHandle = engine.submit(order("order-3", "visa", "tea").of_flow("untimed")).await.unwrap();
    assert_eq!(free.outcome().await.unwrap(), Outcome::Completed);
    // Once the clock has come as far as the store had, everything goes on.
    let mut first = engine.follow("order-1").await.unwrap().unwrap();
    assert_eq!(first.outcome().await.unwrap(), Outcome::Completed);
}

/// A service that sends nothing because its store's time is ahead is put right by its operator while it runs.
#[tokio::test(start_paused = true)]
async fn a_person_lets_the_present_time_count_in_a_store_that_is_in_use() {
    let world = World::new(Some(86_400_000));
    let engine = world.engine().await;
    sleep_s(12).await;
    engine.shutdown(Duration::from_secs(1)).await;
    drop(engine);
    let clock = Clock::of_runtime(Time(world.ground.clock.now().0 - HOUR_MS));
    let options = world.options().with_clock(clock);
    let engine = world.builder().options(options).open().await.unwrap();
    let (by, why) = ("ada", "ntp was an hour ahead");
    let early = engine.accept_time(by, why, false).await.unwrap_err();
    assert!(matches!(early, AcceptTimeError::Driven), "whoever goes by it may be there yet: {early}");
    sleep_s(60).await;
    let refused = engine.submit(order("order-1", "visa", "tea")).await.unwrap_err();
    assert!(matches!(refused, SubmitError::Clock { .. }), "{refused}");
    let nobody = engine.accept_time(" ", why, false).await.unwrap_err();
    assert!(matches!(nobody, AcceptTimeError::Text { name: "by", .. }), "{nobody}");
    let before = engine.accept_time(by, why, false).await.unwrap();
    assert!(before > engine.now(), "{before:?}");
    assert_eq!(engine.stats().clock.trouble, None, "it is believed at once");
    let mut saga = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
    let again = engine.accept_time(by, why, false).await.unwrap_err();
    assert!(matches!(again, AcceptTimeError::NotLater), "{again}");
}

/// Both kinds of store read the index alike.
#[tokio::test]
async fn every_store_hands_out_what_lies_too_far_ahead() {
    let folder = tempfile::tempdir().unwrap();
    let stores: [Arc<dyn Store>; 2] = [
        Arc::new(handfast::store::MemoryStore::new()),
        Arc::new(handfast::store::SqliteStore::open(folder.path().join("s.db")).unwrap()),
    ];
    for store in stores {
        let bank = handfast::participant::InMemory::new(|_, _| true);
        let flow = Flow::builder("pay").compensatable("payment", "bank").build().unwrap();
        let engine = Engine::builder(Arc::clone(&store)).flow(flow).participant("bank", Silent(bank)).open().await.unwrap();
        for id in ["near", "soon", "far"] {
            engine.submit(Order::in_flow_order(id, "{}", vec![b"{}".to_vec()])).await.unwrap();
        }
        engine.shutdown(Duration::from_secs(5)).await;
        drop(engine);
        let now = Clock::system().now();
        for (id, ahead_ms) in [("near", 0), ("soon", 1_200_000), ("far", 2_400_000)] {
            store.park(id, None, now.after(ahead_ms), 0).await.unwrap();
        }
        let soon = Some(now.after(1_200_000));
        assert_eq!(store.due(now, 10).await.unwrap(), (vec!["near".to_owned(), "far".to_owned()], soon));
        assert_eq!(store.due(now, 2).await.unwrap().0.len(), 2);
        let (first, next) = store.due(now, 1).await.unwrap();
        assert!(first == ["near"] && next.is_some());
        assert_eq!(store.due(now.after(800_000), 10).await.unwrap().0.len(), 1, "far is explained by a pause now");
    }
}

/// Whoever is told that the clock is the trouble is told as well what the store has answered, since that is where the cure is.
#[tokio::test]
async fn what_the_store_said_is_told_where_the_clock_could_not_be_compared() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let store: Arc<dyn Store> = Arc::new(handfast::store::SqliteStore::open(&path).unwrap());
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let bank = handfast::participant::InMemory::new(|_, _| true);
    let flow = Flow::builder("pay").compensatable("payment", "bank").build().unwrap();
    let engine = Engine::builder(store).flow(flow).participant("bank", bank).open().await.unwrap();
    let trouble = engine.stats().clock.trouble.expect("it is not compared");
    assert!(trouble.contains("could not be compared") && trouble.contains("database is locked"), "{trouble}");
    let refused = engine.submit(Order::in_flow_order("order-1", "{}", vec![b"{}".to_vec()])).await;
    assert!(matches!(refused, Err(SubmitError::Clock { why }) if why == trouble), "an order is refused with the same words");
    other.execute_batch("ROLLBACK").unwrap();
    while engine.stats().clock.trouble.is_some() {
        sleep_s(1).await;
    }
}

/// Never answers.
struct Silent(handfast::participant::InMemory);

impl Participant for Silent {
    fn deliver<'a>(
        &'a self,
        _request: handfast::participant::Delivery<'a>,
    ) -> handfast::store::BoxFuture<'a, handfast::participant::Reply> {
        let _there = &self.0;
        Box::pin(std::future::pending())
    }
}
