//! Many orders wait for a participant that is away: once it is back all of them go on, and so do those that came meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use handfast::participant::{Delivery, InMemory, Participant, Reply};
use handfast::store::BoxFuture;

use crate::support::{World, order};

/// A participant that is silent for a while before it says nothing, so that requests are out when it comes back.
struct Depot {
    is_away: Arc<AtomicBool>,
    service: InMemory,
}

impl Participant for Depot {
    fn deliver<'a>(&'a self, request: Delivery<'a>) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            if self.is_away.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(700)).await;
                return Reply::unknown("nobody");
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
            self.service.deliver(request).await
        })
    }
}

/// So many wait that each is put aside for minutes. Nobody is forgotten there, whenever he was put aside.
#[tokio::test(start_paused = true)]
async fn nobody_who_was_put_aside_as_a_participant_came_back_stays_there() {
    const WAITING: u64 = 3_000;
    const NEW: u64 = 600;
    let world = World::new(None);
    let is_away = Arc::new(AtomicBool::new(true));
    let depot = Depot { is_away: Arc::clone(&is_away), service: InMemory::new(|_, _| true) };
    let options = world.options().with_max_active(64);
    let engine = world.builder().participant("depot", depot).options(options).open().await.unwrap();
    for number in 0..WAITING {
        engine.submit(order(&format!("waits-{number}"), "visa", "tea")).await.unwrap();
    }
    tokio::time::sleep(Duration::from_mins(5)).await;
    for number in 0..NEW {
        if number == NEW / 2 {
            is_away.store(false, Ordering::Relaxed);
        }
        engine.submit(order(&format!("new-{number}"), "visa", "tea")).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_secs(30)).await;
    let totals = *engine.totals().borrow();
    assert_eq!((totals.completed, totals.in_doubt), (WAITING + NEW, 0), "half a minute after it came back");
}
