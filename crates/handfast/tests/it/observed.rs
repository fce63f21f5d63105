//! What the application's observer is told, and that it breaks nothing off.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use handfast::journal::{Receipt, Said};
use handfast::participant::{Delivery, InMemory, Reply};
use handfast::store::{MemoryStore, Store};
use handfast::{Act, ActResult, Assumptions, Engine, EngineBuilder, Flow, Happened, Operation, Outcome};
use handfast_protocol::{Answer, Definite};
use tracing::Level;

use crate::lines::Lines;
use crate::support::{Answering, Road, World, order, receipt};

/// How sagas have ended, as an observer was told.
#[derive(Clone, Default)]
struct Ends(Arc<Mutex<Vec<Outcome>>>);

impl Ends {
    fn watching(&self, engine: EngineBuilder) -> EngineBuilder {
        let ends = self.clone();
        engine.observer(move |happened| {
            if let Happened::Ended { outcome, .. } = happened {
                ends.0.lock().unwrap().push(*outcome);
            }
        })
    }

    fn all(&self) -> Vec<Outcome> {
        self.0.lock().unwrap().clone()
    }
}

/// Placed is placed, what was answered is written, and nothing is asked for twice.
#[tokio::test(start_paused = true)]
async fn an_observer_that_panics_costs_nothing() {
    let (lines, _guard) = Lines::listen();
    let world = World::new(None);
    let told = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&told);
    let engine = world.builder().observer(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        panic!("this panic belongs to the test");
    });
    let engine = engine.open().await.unwrap();
    let mut saga = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_mins(10), saga.outcome()).await;
    assert_eq!(ended.unwrap().unwrap(), Outcome::Completed);
    assert_eq!((world.bank.asked(), world.depot.asked()), (vec![Operation::Act], vec![Operation::Act]));
    assert_eq!(told.load(Ordering::Relaxed), 4, "it is told of everything all the same: placed, two answers, ended");
    lines.check_once(Level::ERROR, "observer_panicked");
}

/// It is told when it is decided, and not when nothing is looked at any more.
#[tokio::test(start_paused = true)]
async fn the_end_of_a_saga_that_is_watched_is_told_once() {
    let world = World::new(None);
    let assumptions = Assumptions { message_lifetime_ms: Some(600_000), clock_error_ms: Some(0), longest_outage_ms: Some(0) };
    let flow = Flow::builder("shop").compensatable("payment", "bank").closes_for(Duration::from_mins(1));
    let flow = flow
        .deadline(Duration::from_secs(1))
        .pivot("dispatch", "depot")
        .assume(assumptions)
        .accept_risk("short-tombstone")
        .build()
        .unwrap();
    let bank = Answering(|request: &Delivery<'_>| match request.operation {
        Operation::Act => Reply::unknown("captured"),
        Operation::Close | Operation::Look | Operation::Undo => {
            Reply::Definite { answer: Answer::State(Definite::Closed), receipt: Receipt::default() }
        }
    });
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let ends = Ends::default();
    let engine = Engine::builder(store).flow(flow).participant("bank", bank).participant("depot", InMemory::new(|_, _| true));
    let engine = ends.watching(engine.options(world.options())).open().await.unwrap();
    let mut saga = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Cancelled);
    let view = engine.saga("order-1").await.unwrap().unwrap();
    assert!(view.wake_at.is_some() && view.watched_until.is_some(), "it is watched: {view:?}");
    assert_eq!(ends.all(), [Outcome::Cancelled]);
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!(engine.saga("order-1").await.unwrap().unwrap().wake_at, None, "nothing is looked at any more");
    assert_eq!(ends.all(), [Outcome::Cancelled]);
}

/// A suspended saga has no driver when a person ends it.
#[tokio::test(start_paused = true)]
async fn the_end_of_a_saga_that_a_person_settles_is_told_once() {
    let world = World::new(None);
    let other_body = Answering(|_: &Delivery<'_>| Reply::Definite { answer: Answer::OtherBody, receipt: receipt("i", 1) });
    let ends = Ends::default();
    let engine = ends.watching(world.builder().participant("depot", other_body)).open().await.unwrap();
    engine.submit(order("order-1", "visa", "tea")).await.unwrap().outcome().await.unwrap_err();
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!((engine.stats().active, ends.all()), (0, vec![]));
    let saw = engine.saga("order-1").await.unwrap().unwrap().seq();
    let said = Said { by: "anna".to_owned(), reason: "seen to".to_owned(), request_id: "one".to_owned(), saw, ..Said::default() };
    assert_eq!(engine.act("order-1", &Act::Settle, &said).await.unwrap(), ActResult::Taken { seq: saw + 1 });
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(ends.all(), [Outcome::Settled]);
    let _followed = engine.follow("order-1").await.unwrap();
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!(ends.all(), [Outcome::Settled]);
}

/// The road stays shut, so that its driver is there when it is cancelled.
#[tokio::test(start_paused = true)]
async fn the_end_of_a_saga_that_is_cancelled_is_told_once() {
    let world = World::new(None);
    world.bank.set_road(|_| Road::RequestCaptured);
    let ends = Ends::default();
    let engine = ends.watching(world.builder()).open().await.unwrap();
    let mut saga = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    engine.cancel("order-1", None, None).await.unwrap();
    world.bank.set_road(|_| Road::Open(1));
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Cancelled);
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!(ends.all(), [Outcome::Cancelled]);
}

/// Whoever counts what is told counts what a restart would find.
#[tokio::test(start_paused = true)]
async fn what_is_told_is_in_the_journal() {
    let world = World::new(None);
    world.bank.set_road(|request| if request.number == 1 { Road::AnswerCaptured } else { Road::Open(1) });
    let (journal, told) = (Arc::clone(&world.ground.journal), Arc::new(Mutex::new(Vec::new())));
    let (kept, seen) = (Arc::clone(&told), Arc::clone(&journal));
    let engine = world.builder().observer(move |happened| {
        let stored = at_once(seen.load("order-1")).unwrap().unwrap();
        let what = match happened {
            Happened::Placed { .. } => "placed".to_owned(),
            Happened::Tried { step, reply, .. } => format!("{step} {}", reply.kind()),
            Happened::Ended { outcome, .. } => outcome.name().to_owned(),
            _ => unreachable!("there is nothing else"),
        };
        kept.lock().unwrap().push((what, stored.entries.len()));
    });
    let engine = engine.open().await.unwrap();
    let mut saga = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
    let expected = [("placed", 1), ("payment unknown", 1), ("payment definite", 2), ("dispatch definite", 3), ("completed", 3)];
    let expected: Vec<_> = expected.iter().map(|(what, entries)| ((*what).to_owned(), *entries)).collect();
    assert_eq!(*told.lock().unwrap(), expected);
}

/// What waits for nothing.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut context = Context::from_waker(Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a store in memory answers at once"),
    }
}
