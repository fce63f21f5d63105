//! A wall clock that is set while nobody is there to see it, or before somebody comes: the store tells who comes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use handfast::participant::{Delivery, Receipt, Reply};
use handfast::{
    AcceptError, ActError, Assumptions, CancelError, Clock, Close, Engine, EngineBuilder, Flow, Kind, Operation, Order, Outcome,
    Profile, Time,
};
use handfast_protocol::{Answer, Definite};

use super::{HOUR_MS, said, sleep_s};
use crate::support::{Answering, Road, World, order};

/// Nothing is on the road for longer than a minute, and nobody is away.
const MARGIN: Assumptions =
    Assumptions { message_lifetime_ms: Some(60_000), clock_error_ms: Some(1_000), longest_outage_ms: Some(1_000) };

fn definite(state: Definite) -> Reply {
    Reply::Definite { answer: Answer::State(state), receipt: Receipt::default() }
}

/// An engine that starts now, by a wall clock that is ahead of the world's by so much.
async fn started(world: &World, ahead_ms: u64, builder: EngineBuilder) -> (Engine, Clock) {
    let clock = Clock::of_runtime(world.ground.clock.wall().after(ahead_ms));
    let engine = builder.options(world.options().with_clock(clock.clone())).open().await.unwrap();
    (engine, clock)
}

async fn killed(engine: Engine) {
    engine.shutdown(Duration::from_secs(1)).await;
    drop(engine);
}

/// An inn that cannot close a booking, and whose refusals do not hold.
fn loose() -> Flow {
    let inn = Profile { close: Close::Never, sticky_refusal: false, ..Profile::CONTRACT };
    let flow = Flow::builder("loose").in_any_order().assume(MARGIN).step("booking", "inn", inn).accept_risk("loose-refusal");
    flow.step("dispatch", "depot", Profile::of_kind(Kind::Pivot)).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_watch_goes_on_after_a_restart_with_a_clock_that_has_leapt() {
    for pause_s in [5, 32] {
        let world = World::new(None);
        let is_booked = Arc::new(AtomicBool::new(false));
        let builder = || {
            let booked = Arc::clone(&is_booked);
            let inn = move |request: &Delivery<'_>| match (request.operation, booked.load(Ordering::Relaxed)) {
                (Operation::Undo, true) => {
                    booked.store(false, Ordering::Relaxed);
                    definite(Definite::Undone)
                }
                (_, true) => definite(Definite::Done),
                (_, false) => definite(Definite::Refused),
            };
            world.builder().flow(loose()).participant("inn", Answering(inn))
        };
        let engine = builder().open().await.unwrap();
        let placed = Order::in_flow_order("order-1", "{}", vec![b"{}".to_vec(), b"{}".to_vec()]).of_flow("loose");
        let mut saga = engine.submit(placed).await.unwrap();
        assert_eq!(saga.outcome().await.unwrap(), Outcome::Cancelled);
        sleep_s(1).await;
        killed(engine).await;
        sleep_s(pause_s).await;
        let (engine, _) = started(&world, HOUR_MS, builder()).await;
        sleep_s(12).await;
        // The act that was refused arrives a second time.
        is_booked.store(true, Ordering::Relaxed);
        sleep_s(90).await;
        assert!(!is_booked.load(Ordering::Relaxed), "after {pause_s} s: {:?}", engine.saga("order-1").await);
        let clock = engine.stats().clock;
        assert_eq!((clock.turns.count, clock.turns.last_by_ms, clock.trouble), (1, 3_600_000, None));
    }
}

/// A till that pays back each time that it is asked.
fn paying_back() -> Flow {
    let till = Profile { undo_idempotent: false, ..Profile::CONTRACT };
    let flow =
        Flow::builder("till").in_any_order().assume(MARGIN).step("payment", "till", till).accept_risk("undo-not-idempotent");
    flow.step("dispatch", "depot", Profile::of_kind(Kind::Pivot)).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_undo_that_leaves_once_does_not_leave_again_for_a_leap_that_nobody_saw() {
    let world = World::new(None);
    world.depot.set_road(|_| Road::RequestCaptured);
    let undos = Arc::new(AtomicUsize::new(0));
    let builder = || {
        let asked = Arc::clone(&undos);
        // The undo is on the road for as long as this test looks.
        let till = move |request: &Delivery<'_>| match request.operation {
            Operation::Undo => {
                asked.fetch_add(1, Ordering::Relaxed);
                Reply::unknown("captured")
            }
            Operation::Act | Operation::Close | Operation::Look => definite(Definite::Done),
        };
        world.builder().flow(paying_back()).participant("till", Answering(till))
    };
    let engine = builder().open().await.unwrap();
    let placed = Order::in_flow_order("order-1", "{}", vec![b"{}".to_vec(), b"{}".to_vec()]).of_flow("till");
    engine.submit(placed).await.unwrap();
    sleep_s(5).await;
    world.depot.set_road(|request| if request.operation == Operation::Act { Road::RequestCaptured } else { Road::Open(1) });
    engine.cancel("order-1", None, None).await.unwrap();
    sleep_s(2).await;
    assert_eq!(undos.load(Ordering::Relaxed), 1);
    killed(engine).await;
    sleep_s(32).await;
    let (_engine, _) = started(&world, HOUR_MS, builder()).await;
    sleep_s(20).await;
    assert_eq!(undos.load(Ordering::Relaxed), 1, "the first may still arrive");
    sleep_s(60).await;
    assert_eq!(undos.load(Ordering::Relaxed), 2, "by then it cannot");
}

#[tokio::test(start_paused = true)]
async fn a_second_worker_discounts_the_turn_that_the_first_one_saw() {
    let world = World::new(Some(600_000));
    world.bank.set_road(|_| Road::RequestCaptured);
    let engine = world.engine().await;
    for number in 0..5 {
        engine.submit(order(&format!("order-{number}"), "visa", "tea")).await.unwrap();
    }
    sleep_s(12).await;
    world.ground.hand.turn_by_ms(3_600_000);
    sleep_s(12).await;
    let (second, _) = started(&world, 0, world.builder()).await;
    assert_eq!(second.stats().clock.trouble, None);
    sleep_s(8).await;
    killed(engine).await;
    sleep_s(60).await;
    for number in 0..5 {
        let entries = second.saga(&format!("order-{number}")).await.unwrap().unwrap().entries;
        assert_eq!(entries.len(), 1, "{entries:?}");
    }
    sleep_s(540).await;
    let entries = second.saga("order-0").await.unwrap().unwrap().entries;
    assert!(entries.len() > 1, "after ten minutes its time is over: {entries:?}");
}

#[tokio::test(start_paused = true)]
async fn a_plain_deadline_is_not_over_for_whoever_starts_after_a_leap() {
    let world = World::new(Some(600_000));
    world.bank.set_road(|_| Road::RequestCaptured);
    let engine = world.engine().await;
    let placed = world.ground.clock.now();
    engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    killed(engine).await;
    sleep_s(32).await;
    let (engine, clock) = started(&world, HOUR_MS, world.builder()).await;
    sleep_s(60).await;
    assert_eq!(world.entries("order-1").await, 1);
    killed(engine).await;
    // The clock is set right again while nobody is there. The participant goes by its own, which was never wrong.
    sleep_s(32).await;
    assert!(clock.now() > placed.after(HOUR_MS));
    let (engine, clock) = started(&world, 0, world.builder()).await;
    assert!(engine.stats().clock.trouble.is_some_and(|why| why.contains("behind")));
    assert!(clock.now() > placed.after(HOUR_MS + 120_000), "what it writes has its place among what was written before");
    for refused in [
        matches!(engine.cancel("order-1", None, None).await, Err(CancelError::Clock { .. })),
        matches!(engine.act("order-1", &handfast::Act::Retry, &said(1)).await, Err(ActError::Clock { .. })),
        matches!(engine.accept_participant(("bank", "two"), ("ann", "seen")).await, Err(AcceptError::Clock { .. })),
    ] {
        assert!(refused, "an act of a person is refused while the clock is not believed");
    }
    assert_eq!(world.entries("order-1").await, 1);
}

#[tokio::test(start_paused = true)]
async fn who_starts_again_after_its_clock_was_set_back_goes_on() {
    let world = World::new(Some(600_000));
    world.bank.set_road(|_| Road::RequestCaptured);
    let engine = world.engine().await;
    engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    sleep_s(5).await;
    world.ground.hand.turn_by_ms(-3_600_000);
    sleep_s(12).await;
    let now = world.ground.clock.now();
    killed(engine).await;
    world.bank.set_road(|_| Road::Open(1));
    let (engine, clock) = started(&world, 0, world.builder()).await;
    assert!(clock.now() >= now && clock.wall() < Time(now.0 - HOUR_MS + 10_000));
    assert_eq!(engine.stats().clock.trouble, None);
    let mut saga = engine.follow("order-1").await.unwrap().unwrap();
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
}

#[tokio::test(start_paused = true)]
async fn who_is_ready_takes_orders_by_a_clock_that_is_behind_too() {
    for (deadline_ms, is_ready) in [(None, true), (Some(600_000), false)] {
        let world = World::new(deadline_ms);
        killed(world.engine().await).await;
        sleep_s(60).await;
        let clock = Clock::of_runtime(Time(world.ground.clock.wall().0 - HOUR_MS));
        let engine = world.builder().options(world.options().with_clock(clock)).open().await.unwrap();
        assert!(engine.stats().clock.trouble.is_some_and(|why| why.contains("behind")));
        assert_eq!(engine.check_ready().await.is_ok(), is_ready);
        assert_eq!(engine.submit(order("order-1", "visa", "tea")).await.is_ok(), is_ready);
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_nobody_watches_any_more_is_a_dead_part() {
    let world = World::new(None);
    let engine = world.engine().await;
    sleep_s(30).await;
    assert_eq!(engine.dead_part(), None);
    world.ground.store.panic_at_the_time();
    sleep_s(30).await;
    assert_eq!(engine.dead_part(), Some("the watch over the clock"));
    killed(engine).await;
}
