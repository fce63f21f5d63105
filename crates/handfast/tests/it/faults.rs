//! A store that fails or crashes at every write in turn, roads that capture, workers side by side: every saga still ends,
//! in *both* or *neither*, and no message ever leaves before its entry.

use std::sync::Arc;
use std::time::Duration;

use handfast::store::{Append, BoxFuture, MemoryStore, Store, StoreError};
use handfast::{CancelError, CancelResult, Engine, Operation, Order, Outcome, SubmitError};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::support::{Road, World, forwarded_but_for_append, order};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Story {
    PaidAndDispatched,
    Declined,
    SoldOut,
    CancelledInFlight,
    /// The act never arrives.
    DeadlineUnpaid,
    /// The act arrives, and no answer to it does.
    DeadlinePaid,
    /// The act arrives when the deadline has long passed.
    DeadlineLate,
}

const STORIES: [Story; 7] = [
    Story::PaidAndDispatched,
    Story::Declined,
    Story::SoldOut,
    Story::CancelledInFlight,
    Story::DeadlineUnpaid,
    Story::DeadlinePaid,
    Story::DeadlineLate,
];

impl Story {
    fn world(self) -> World {
        let has_deadline = matches!(self, Self::DeadlineUnpaid | Self::DeadlinePaid | Self::DeadlineLate);
        let world = World::new(has_deadline.then_some(200));
        let acts_go = move |road| {
            move |request: &handfast::participant::Delivery<'_>| {
                if request.operation == Operation::Act { road } else { Road::Open(0) }
            }
        };
        match self {
            Self::PaidAndDispatched | Self::Declined | Self::SoldOut => {}
            Self::CancelledInFlight | Self::DeadlinePaid => world.bank.set_road(acts_go(Road::AnswerCaptured)),
            Self::DeadlineUnpaid => world.bank.set_road(acts_go(Road::RequestCaptured)),
            Self::DeadlineLate => world.bank.set_road(acts_go(Road::Late(1_000))),
        }
        world
    }

    fn order(self) -> Order {
        order(
            "order-1",
            if self == Self::Declined { "declined" } else { "visa" },
            if self == Self::SoldOut { "sold out" } else { "tea" },
        )
    }

    const fn outcome(self) -> Outcome {
        match self {
            Self::PaidAndDispatched | Self::DeadlinePaid => Outcome::Completed,
            Self::Declined | Self::SoldOut | Self::CancelledInFlight | Self::DeadlineUnpaid | Self::DeadlineLate => {
                Outcome::Cancelled
            }
        }
    }
}

/// Does what a customer does who has seen nothing but an error: the same again.
async fn place_and_follow(world: &World, story: Story) -> (Engine, Outcome) {
    let mut engine = world.engine().await;
    loop {
        match try_once(&engine, story).await {
            Ok(outcome) => return (engine, outcome),
            Err(()) if world.ground.store.has_crashed() => {
                // The process is gone; another one starts on what the store holds.
                drop(engine);
                tokio::time::sleep(Duration::from_millis(50)).await;
                world.ground.store.restart();
                engine = world.engine().await;
            }
            Err(()) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
}

async fn try_once(engine: &Engine, story: Story) -> Result<Outcome, ()> {
    let mut handle = match engine.submit(story.order()).await {
        Ok(handle) => handle,
        Err(SubmitError::Store(_)) => return Err(()),
        Err(other) => panic!("{other}"),
    };
    if story == Story::CancelledInFlight {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let cancel = tokio::time::timeout(Duration::from_secs(5), engine.cancel("order-1", Some("a test"), None)).await;
        match cancel.map_err(|_elapsed| ())? {
            Ok(CancelResult::Accepted | CancelResult::Ended(Outcome::Cancelled)) => {}
            Ok(other) => panic!("{other:?}"),
            Err(CancelError::Store(_) | CancelError::Stopping) => return Err(()),
            Err(other) => panic!("{other}"),
        }
    }
    let waited = tokio::time::timeout(Duration::from_mins(10), handle.outcome()).await;
    // After a crash nothing moves any more, and a customer's patience ends.
    waited.map_err(|_elapsed| ())?.map_err(|_stopped| ())
}

/// One story with at most one fault. How many writes there were, and what went wrong.
async fn tell(story: Story, fault: Option<(u64, bool, bool)>) -> (u64, Vec<String>) {
    let world = story.world();
    if let Some((at, lands, crash)) = fault {
        if crash {
            world.ground.store.crash_at(at, lands);
        } else {
            world.ground.store.fail_at(at, lands);
        }
    }
    let (engine, outcome) = place_and_follow(&world, story).await;
    world.bank.let_the_late_arrive().await;
    let mut wrongs = world.wrongs("order-1", outcome);
    if outcome != story.outcome() {
        wrongs.push(format!("it ended {outcome:?} instead of {:?}", story.outcome()));
    }
    let view = engine.saga("order-1").await.unwrap().unwrap();
    if view.outcome != Some(outcome) || view.wake_at.is_some() || view.trouble.is_some() {
        wrongs.push(format!("the store has it as {} to be woken at {:?}: {:?}", view.standing, view.wake_at, view.trouble));
    }
    assert!(engine.shutdown(Duration::from_secs(10)).await, "every saga leaves memory");
    (world.ground.store.writes(), wrongs)
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_or_crashes_at_every_write_in_turn() {
    for story in STORIES {
        let (writes, wrongs) = tell(story, None).await;
        assert_eq!(wrongs, [""; 0], "{story:?} without any fault");
        assert!(writes >= 2, "{story:?} has writes to fail");
        let mut faults = 0;
        for at in 1..=writes {
            for lands in [false, true] {
                for crash in [false, true] {
                    let (_, wrongs) = tell(story, Some((at, lands, crash))).await;
                    assert_eq!(wrongs, [""; 0], "{story:?}: write {at} of {writes}, lands: {lands}, crash: {crash}");
                    faults += 1;
                }
            }
        }
        assert_eq!(faults, 4 * writes);
    }
}

/// Draws a road for every delivery.
fn random_road(seed: u64) -> impl FnMut(&handfast::participant::Delivery<'_>) -> Road + Send + 'static {
    let mut random = StdRng::seed_from_u64(seed);
    move |_| match random.random_range(0..10) {
        0..=4 => Road::Open(random.random_range(0..40)),
        5 => Road::Open(random.random_range(0..3_000)),
        6 | 7 => Road::RequestCaptured,
        8 => Road::AnswerCaptured,
        _ => Road::Late(random.random_range(0..5_000)),
    }
}

/// Several orders over random roads with a store that fails again and again, `workers` engines on one store.
async fn random_run(seed: u64, workers: usize) -> Vec<String> {
    let mut random = StdRng::seed_from_u64(seed);
    let world = World::new(seed.is_multiple_of(2).then_some(400));
    world.bank.set_road(random_road(seed ^ 1));
    world.depot.set_road(random_road(seed ^ 2));
    let mut engines = Vec::new();
    for _ in 0..workers {
        engines.push(world.engine().await);
    }
    let orders: Vec<Order> = (0..6)
        .map(|number| {
            let card = if random.random_range(0..5) == 0 { "declined" } else { "visa" };
            order(&format!("order-{number}"), card, if random.random_range(0..5) == 0 { "sold out" } else { "tea" })
        })
        .collect();
    for order in &orders {
        for engine in &engines {
            if random.random_range(0..4) == 0 {
                world.ground.store.fail_at(random.random_range(1..6), random.random_range(0..2) == 0);
            }
            while engine.submit(order.clone()).await.is_err() {}
            if random.random_range(0..6) == 0 {
                tokio::time::sleep(Duration::from_millis(random.random_range(0..100))).await;
                // It may well be too late, or fail: whatever comes of it must be consistent.
                let _whatever = engine.cancel(&order.id, Some("a customer"), Some("changed their mind")).await;
            }
        }
    }
    let mut wrongs = Vec::new();
    for order in &orders {
        let mut outcomes = Vec::new();
        for engine in &engines {
            let mut handle = engine.follow(&order.id).await.unwrap().unwrap();
            let ended = tokio::time::timeout(Duration::from_hours(1), handle.outcome()).await;
            match ended {
                Ok(Ok(outcome)) => outcomes.push(outcome),
                other => wrongs.push(format!("{}: {other:?}", order.id)),
            }
        }
        world.bank.let_the_late_arrive().await;
        world.depot.let_the_late_arrive().await;
        outcomes.dedup();
        if let [outcome] = outcomes[..] {
            wrongs.extend(world.wrongs(&order.id, outcome));
        } else {
            wrongs.push(format!("{} ended {outcomes:?}", order.id));
        }
    }
    wrongs
}

#[tokio::test(start_paused = true)]
async fn random_roads_and_a_failing_store() {
    for seed in 0..200 {
        assert_eq!(random_run(seed, 1).await, [""; 0], "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_workers_on_one_store() {
    for seed in 0..100 {
        assert_eq!(random_run(seed, 2).await, [""; 0], "seed {seed}");
    }
}

/// Answers before it has written, as a driver that sends before it appends would not even notice.
struct Hasty(Arc<MemoryStore>);

impl Store for Hasty {
    forwarded_but_for_append!();

    fn append(&self, append: Append) -> BoxFuture<'_, Result<(), StoreError>> {
        let store = Arc::clone(&self.0);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            store.append(append).await
        });
        Box::pin(async { Ok(()) })
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_leaves_for_a_saga_that_another_worker_has() {
    let world = World::new(None);
    let engine = world.engine().await;
    world.ground.store.lend_all(true);
    let mut saga = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(world.bank.asked().is_empty() && world.depot.asked().is_empty(), "{:?}", world.bank.asked());
    assert_eq!(engine.stats().store_trouble, None, "the store is as it should be");
    world.ground.store.lend_all(false);
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
    assert_eq!(world.wrongs("order-1", Outcome::Completed), [""; 0]);
}

/// The check that every other test here relies on is no empty one: a message that leaves before its entry is seen by the
/// participant that gets it.
#[tokio::test(start_paused = true)]
async fn a_message_that_leaves_before_its_entry_is_caught() {
    let world = World::new(None);
    let hasty = Arc::new(Hasty(Arc::clone(&world.ground.journal)));
    let engine = Engine::builder(hasty)
        .flow(Arc::clone(&world.ground.flow))
        .shared_participant("bank", Arc::clone(&world.bank) as _)
        .shared_participant("depot", Arc::clone(&world.depot) as _)
        .options(world.options())
        .open()
        .await
        .unwrap();
    let mut saga = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
    let wrongs = world.wrongs("order-1", Outcome::Completed);
    assert_eq!(wrongs.len(), 1, "the dispatch left before the payment was in the journal: {wrongs:?}");
    assert!(wrongs[0].contains("dispatch Act after 1 entries"), "{wrongs:?}");
}
