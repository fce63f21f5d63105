//! Whoever asks may go away, and may ask one of several workers: what was begun is done, and what is answered is true.

use std::sync::Arc;
use std::time::Duration;

use handfast::participant::{Delivery, Participant, Reply};
use handfast::store::{BoxFuture, Store as _};
use handfast::{CancelResult, Outcome};

use crate::support::{World, order};

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_leaves_nothing_half_placed() {
    let world = World::new(None);
    let engine = world.engine().await;
    world.ground.store.delay_answers(Duration::from_millis(200));
    // It goes away while its order is being written.
    let placing = engine.submit(order("order-1", "visa", "tea"));
    assert!(tokio::time::timeout(Duration::from_millis(100), placing).await.is_err());
    tokio::time::sleep(Duration::from_millis(150)).await;
    let totals = *engine.totals().borrow();
    assert_eq!((totals.placed, totals.in_doubt), (1, 1), "it is counted as soon as it is placed");
    // Long before anybody would have looked into the index by himself.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!((engine.totals().borrow().completed, world.entries("order-1").await), (1, 3));
    let again = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    assert!(again.was_placed_before());
    assert_eq!(engine.totals().borrow().placed, 1);
}

/// Never says anything.
struct Silent;

impl Participant for Silent {
    fn deliver<'a>(&'a self, _request: Delivery<'a>) -> BoxFuture<'a, Reply> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancel_is_answered_by_what_it_changed_and_not_by_what_another_worker_wrote() {
    let world = World::new(None);
    let slow = world.builder().shared_participant("bank", Arc::new(Silent)).open().await.unwrap();
    slow.submit(order("order-1", "visa", "tea")).await.unwrap();
    // Another worker on the same store brings it to its end, and the one that placed it has not noticed.
    let quick = world.engine().await;
    assert_eq!(quick.follow("order-1").await.unwrap().unwrap().outcome().await.unwrap(), Outcome::Completed);
    assert_eq!(slow.stats().active, 1, "it is still in the memory of the slow one");
    assert_eq!(slow.cancel("order-1", None, None).await.unwrap(), CancelResult::Ended(Outcome::Completed));
    assert_eq!(world.ground.journal.load("order-1").await.unwrap().unwrap().standing, "completed");
    assert_eq!(world.wrongs("order-1", Outcome::Completed), [""; 0]);
}
