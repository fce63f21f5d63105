//! What is in the way of an order is told in three places: a line in the log, the counts of the engine, and the trouble of the
//! order itself. Of a store that fails the service's own tests look at all three, on a disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use handfast::participant::{Delivery, Reply};
use handfast::store::{SqliteStore, Store as _, StoreError};
use handfast::{BreakerState, Clock, Engine, LinkStats, Operation, Time};
use handfast_protocol::{Answer, Definite};
use tracing::Level;

use super::Lines;
use crate::driver::stored;
use crate::support::{Answering, NOON, Road, World, order, receipt};

/// The order that most of it is met by.
const ID: &str = "order-1";

/// One kind of what is in the way.
struct Kind {
    /// Its line.
    line: (Level, &'static str),
    /// Whether the counts tell of it.
    is_counted: fn(&Engine) -> bool,
    /// What the order says.
    trouble: &'static str,
}

impl Kind {
    async fn check(&self, lines: &Lines, (engine, id): (&Engine, &str)) {
        let (level, name) = self.line;
        lines.check_once(level, name);
        assert!((self.is_counted)(engine), "{name}: {:#?}", engine.stats());
        let trouble = trouble(engine, id).await.unwrap_or_default();
        assert!(trouble.contains(self.trouble), "{name}: {trouble}");
    }
}

async fn trouble(engine: &Engine, id: &str) -> Option<String> {
    match engine.saga(id).await {
        Ok(saga) => saga.unwrap().trouble,
        // Where a row is wrong there is nothing else to show.
        Err(StoreError::Corrupt { what, .. }) => Some(what),
        Err(other) => panic!("{other}"),
    }
}

fn bank(engine: &Engine) -> LinkStats {
    engine.stats().participants.into_iter().find(|line| line.participant == "bank").unwrap()
}

async fn place(engine: &Engine) {
    engine.submit(order(ID, "visa", "tea")).await.unwrap();
    tokio::time::sleep(Duration::from_mins(10)).await;
}

/// A bank that gives this reply to everything.
async fn engine_with(world: &World, reply: impl Fn(&Delivery<'_>) -> Reply + Send + Sync + 'static) -> Engine {
    world.builder().participant("bank", Answering(reply)).open().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_participant_that_is_behind() {
    let (lines, _guard) = Lines::listen();
    let world = World::new(None);
    let is_first = AtomicBool::new(true);
    let engine = engine_with(&world, move |_| {
        let incarnation = if is_first.swap(false, Ordering::Relaxed) { "first" } else { "second" };
        Reply::Definite { answer: Answer::State(Definite::Done), receipt: receipt(incarnation, 7) }
    });
    let engine = engine.await;
    engine.submit(order("order-0", "visa", "tea")).await.unwrap().outcome().await.unwrap();
    place(&engine).await;
    let kind = Kind {
        line: (Level::ERROR, "participant_behind"),
        is_counted: |engine| bank(engine).behind.is_some() && bank(engine).breaker == BreakerState::Behind,
        trouble: "step payment: bank is not called: ",
    };
    kind.check(&lines, (&engine, ID)).await;
}

#[tokio::test(start_paused = true)]
async fn an_order_that_is_suspended() {
    let (lines, _guard) = Lines::listen();
    let world = World::new(None);
    let engine = engine_with(&world, |_| Reply::Definite { answer: Answer::OtherBody, receipt: receipt("one", 1) }).await;
    place(&engine).await;
    let kind = Kind {
        line: (Level::ERROR, "person_needed"),
        is_counted: |engine| {
            let stats = engine.stats();
            stats.totals.suspended == 1 && stats.suspended.iter().any(|(id, why)| id == ID && why.contains("payment"))
        },
        trouble: "step payment: ",
    };
    kind.check(&lines, (&engine, ID)).await;
}

/// What the store reads back is none of its rows. A store in a file needs real time.
#[tokio::test]
async fn an_order_whose_row_is_damaged() {
    let (lines, _guard) = Lines::listen();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let world = World::new(None);
    let store = SqliteStore::open(&path).unwrap();
    store.create(stored(ID, &world.ground.flow, 2, [7; 8])).await.unwrap();
    drop(store);
    let damaged = rusqlite::Connection::open(&path).and_then(|store| store.execute("UPDATE journal SET digest = x'07'", []));
    assert_eq!(damaged.unwrap(), 1);
    let engine = Engine::builder(Arc::new(SqliteStore::open(&path).unwrap()))
        .flow(Arc::clone(&world.ground.flow))
        .participant("bank", Answering(|_: &Delivery<'_>| Reply::unknown("captured")))
        .participant("depot", Answering(|_: &Delivery<'_>| Reply::unknown("captured")));
    let engine = engine.open().await.unwrap();
    for _ in 0..1000 {
        if !engine.stats().suspended.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let kind = Kind {
        line: (Level::ERROR, "saga_suspended"),
        is_counted: |engine| engine.stats().suspended.iter().any(|(id, why)| id == ID && why.contains("journal entry 1")),
        trouble: "journal entry 1",
    };
    kind.check(&lines, (&engine, ID)).await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_fits_nothing() {
    let (lines, _guard) = Lines::listen();
    let world = World::new(None);
    let engine = engine_with(&world, |_| Reply::meaningless(400, "400 that means nothing: no such shop", None)).await;
    place(&engine).await;
    let kind = Kind {
        line: (Level::WARN, "answer_not_understood"),
        is_counted: |engine| {
            let kinds = bank(engine).not_understood;
            kinds.len() == 1 && (kinds[0].operation, kinds[0].status) == (Operation::Act.name(), 400) && kinds[0].times > 2
        },
        trouble: "seen last: 400 that means nothing: no such shop",
    };
    kind.check(&lines, (&engine, ID)).await;
    assert_eq!(bank(&engine).breaker, BreakerState::Closed, "who answers is not silent");
}

/// An order that came when the breaker was open already, so that it was asked for nothing yet.
async fn behind_an_open_breaker(world: &World, engine: &Engine) -> String {
    for number in 0..40 {
        engine.submit(order(&format!("before-{number}"), "visa", "tea")).await.unwrap();
    }
    tokio::time::sleep(Duration::from_mins(10)).await;
    assert_ne!(bank(engine).breaker, BreakerState::Closed);
    // The first of them may be let through, to see whether anybody is there.
    for number in 0..40 {
        let id = format!("behind-{number}");
        engine.submit(order(&id, "visa", "tea")).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1)).await;
        if world.ground.journal.tries(&id).await.unwrap().is_empty() {
            return id;
        }
    }
    panic!("the breaker lets everything through");
}

#[tokio::test(start_paused = true)]
async fn a_breaker_that_opens_since_nobody_answers_and_closes() {
    let (lines, _guard) = Lines::listen();
    let world = World::new(None);
    world.bank.set_road(|_| Road::RequestCaptured);
    let engine = world.engine().await;
    let id = behind_an_open_breaker(&world, &engine).await;
    let kind = Kind {
        line: (Level::WARN, "participant_silent"),
        is_counted: |engine| bank(engine).breaker != BreakerState::Closed && bank(engine).turned_away.is_none(),
        trouble: "step payment: no answer comes from bank",
    };
    kind.check(&lines, (&engine, &id)).await;
    world.bank.set_road(|_| Road::Open(1));
    tokio::time::sleep(Duration::from_mins(10)).await;
    lines.check_once(Level::INFO, "participant_answers");
    assert_eq!((bank(&engine).breaker, trouble(&engine, &id).await), (BreakerState::Closed, None));
}

#[tokio::test(start_paused = true)]
async fn a_breaker_that_opens_since_requests_are_turned_away() {
    let (lines, _guard) = Lines::listen();
    let world = World::new(None);
    let engine = engine_with(&world, |_| Reply::meaningless(503, "503 that means nothing", None)).await;
    let id = behind_an_open_breaker(&world, &engine).await;
    let kind = Kind {
        line: (Level::WARN, "participant_turns_away"),
        is_counted: |engine| bank(engine).turned_away == Some(503),
        trouble: "step payment: bank turns requests away with status 503",
    };
    kind.check(&lines, (&engine, &id)).await;
}

/// A clock that jumps is in nobody's way, since pauses go by another one: it is told, and the order goes on.
#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps() {
    // It is told, and is in the way of no order: what is in its way is its bank, as before.
    let (lines, _guard) = Lines::listen();
    let world = World::new(None);
    world.bank.set_road(|_| Road::RequestCaptured);
    let engine = world.engine().await;
    place(&engine).await;
    world.ground.hand.turn_by_ms(3_600_000);
    tokio::time::sleep(Duration::from_mins(1)).await;
    let kind = Kind {
        line: (Level::WARN, "clock_turned"),
        is_counted: |engine| engine.stats().clock.turns.count == 1 && engine.stats().clock.turns.last_by_ms == 3_600_000,
        trouble: "step payment: act was asked for ",
    };
    kind.check(&lines, (&engine, ID)).await;
    assert!(!trouble(&engine, ID).await.unwrap().contains("clock"));
}

/// Another worker's clock is an hour off: it drives nothing, and each order that it is asked about says why.
#[tokio::test(start_paused = true)]
async fn a_clock_that_is_not_believed() {
    let world = World::new(None);
    world.bank.set_road(|_| Road::RequestCaptured);
    let engine = world.engine().await;
    place(&engine).await;
    let (lines, _guard) = Lines::listen();
    let options = world.options().with_clock(Clock::of_runtime(Time(NOON.0 + 7_200_000)));
    let apart = world.builder().options(options).open().await.unwrap();
    tokio::time::sleep(Duration::from_mins(1)).await;
    let kind = Kind {
        line: (Level::ERROR, "clock_not_believed"),
        is_counted: |engine| engine.stats().clock.trouble.is_some(),
        trouble: "the clock is in trouble: this process's clock is ",
    };
    kind.check(&lines, (&apart, ID)).await;
    assert!(!trouble(&engine, ID).await.unwrap().contains("clock"), "whose clock is right goes on");
}
