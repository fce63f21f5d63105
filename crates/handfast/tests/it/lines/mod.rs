//! Nothing is silent: what is in the way of an order has a line in the log when it begins, and most of it one when it ends.

mod everywhere;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use handfast::participant::{Delivery, InMemory, Reply};
use handfast::{BreakerState, Operation, Outcome};
use handfast_protocol::{Answer, Definite};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Dispatch, Event, Level, Metadata};

use crate::support::{Answering, Road, World, order, receipt};

/// For as long as it is kept everything that is reported on this thread is heard.
pub(crate) struct Listening(
    #[expect(dead_code, reason = "it is kept")] DefaultGuard,
    #[expect(dead_code, reason = "it is kept")] Dispatch,
);

/// Has everything that is reported on this thread heard. As long as there is only one dispatcher, `tracing` asks the thread that
/// comes to an event first whether anybody wants it, and another test's thread says no for all; so there is a second one.
pub(crate) fn listen(subscriber: impl tracing::Subscriber + Clone + Send + Sync) -> Listening {
    let second = Dispatch::new(subscriber.clone());
    Listening(tracing::subscriber::set_default(subscriber), second)
}

/// What the engine says on this thread, by level and name.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<(Level, &'static str)>>>);

impl Lines {
    pub(crate) fn listen() -> (Self, Listening) {
        let lines = Self::default();
        let guard = listen(lines.clone());
        (lines, guard)
    }

    fn count(&self, level: Level, name: &str) -> usize {
        self.0.lock().unwrap().iter().filter(|line| **line == (level, name)).count()
    }

    #[track_caller]
    pub(crate) fn check_once(&self, level: Level, name: &str) {
        assert_eq!(self.count(level, name), 1, "{level} {name} in {:?}", self.0.lock().unwrap());
    }
}

impl tracing::Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("handfast")
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        self.0.lock().unwrap().push((*event.metadata().level(), event.metadata().name()));
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[tokio::test(start_paused = true)]
async fn a_breaker_says_when_it_opens_and_when_it_closes() {
    let (lines, _guard) = Lines::listen();
    let world = World::new(None);
    world.bank.set_road(|_| Road::RequestCaptured);
    let engine = world.engine().await;
    let mut saga = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_ne!(engine.stats().participants[0].breaker, BreakerState::Closed);
    lines.check_once(Level::WARN, "participant_silent");
    world.bank.set_road(|_| Road::Open(1));
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
    lines.check_once(Level::INFO, "participant_answers");
}

#[tokio::test(start_paused = true)]
async fn whoever_turns_requests_away_is_not_said_to_be_silent() {
    let (lines, _guard) = Lines::listen();
    let world = World::new(None);
    let busy = Answering(|_: &Delivery<'_>| Reply::meaningless(503, "busy", None));
    let engine = world.builder().participant("bank", busy).open().await.unwrap();
    engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    tokio::time::sleep(Duration::from_hours(1)).await;
    lines.check_once(Level::WARN, "participant_turns_away");
    // Once for each kind, however often it comes.
    lines.check_once(Level::WARN, "answer_not_understood");
    assert_eq!(lines.count(Level::WARN, "participant_silent"), 0);
    let stats = engine.stats().participants.remove(0);
    assert!(stats.not_understood[0].times > 2, "{stats:?}");
}

/// Another history, and a key that stands for another body: both are for a person.
#[tokio::test(start_paused = true)]
async fn what_is_for_a_person_is_an_error() {
    let (lines, _guard) = Lines::listen();
    let world = World::new(None);
    let depot = Answering(|_: &Delivery<'_>| Reply::Definite { answer: Answer::OtherBody, receipt: receipt("i", 1) });
    let engine = world.builder().participant("depot", depot).open().await.unwrap();
    engine.submit(order("order-1", "visa", "tea")).await.unwrap().outcome().await.unwrap_err();
    lines.check_once(Level::ERROR, "person_needed");

    let world = World::new(None);
    let calls = AtomicU32::new(0);
    let bank = Answering(move |_: &Delivery<'_>| {
        let incarnation = if calls.fetch_add(1, Ordering::Relaxed) == 0 { "first" } else { "second" };
        Reply::Definite { answer: Answer::State(Definite::Done), receipt: receipt(incarnation, 7) }
    });
    let engine = world.builder().participant("bank", bank).open().await.unwrap();
    engine.submit(order("order-1", "visa", "tea")).await.unwrap().outcome().await.unwrap();
    assert_eq!(lines.count(Level::ERROR, "participant_behind"), 0);
    engine.submit(order("order-2", "visa", "tea")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(lines.count(Level::ERROR, "participant_behind") > 0);
    assert!(engine.stats().participants[0].behind.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_takes_no_writes_and_a_clock_that_is_set_are_said_once() {
    let (lines, _guard) = Lines::listen();
    let world = World::new(None);
    let engine = world.engine().await;
    world.ground.store.crash_at(2, false);
    let mut saga = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    tokio::time::sleep(Duration::from_mins(1)).await;
    lines.check_once(Level::ERROR, "store_refuses_writes");
    world.ground.store.restart();
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
    lines.check_once(Level::INFO, "store_takes_writes");

    world.ground.hand.turn_by_ms(-3_600_000);
    tokio::time::sleep(Duration::from_mins(1)).await;
    lines.check_once(Level::WARN, "clock_turned");
    assert_eq!(engine.stats().clock.turns.count, 1);
}

/// A request that lacks something is made for nobody, and that is said once.
#[tokio::test(start_paused = true)]
async fn a_request_that_cannot_be_made_is_said_once() {
    let (lines, _guard) = Lines::listen();
    let world = World::new(None);
    let service = InMemory::new(|_, _| true);
    let bank = Answering(move |request: &Delivery<'_>| match request.operation {
        Operation::Act => Reply::not_sent("there is no secret of this name"),
        Operation::Look | Operation::Close | Operation::Undo => service.receive(*request, false),
    });
    let engine = world.builder().participant("bank", bank).open().await.unwrap();
    engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    tokio::time::sleep(Duration::from_mins(1)).await;
    lines.check_once(Level::ERROR, "request_not_made");
    assert_eq!(lines.count(Level::WARN, "participant_silent"), 0, "nobody was asked, so nobody was silent");
}
