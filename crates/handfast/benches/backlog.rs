//! What a backlog costs: new orders beside orders that were put aside, and the waiting itself.
//!
//! `cargo bench -p handfast --bench backlog`. One participant of two goes away while orders are placed, and comes back. Prints how
//! long a new order takes without a backlog and beside one that drains, how fast that drains, and what processor time it takes
//! to wait. `HANDFAST_BENCH_BACKLOG` says how many orders wait; 20,000 when left out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use handfast::participant::{Delivery, InMemory, Participant, Reply};
use handfast::store::{BoxFuture, SqliteStore};
use handfast::{Engine, Flow, Order, Outcome};
use tokio::task::JoinSet;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// New orders a second while something is measured.
const NEW_A_SECOND: u64 = 50;
const MEASURED: u64 = 400;
/// How long the waiting is looked at.
const WAITING: Duration = Duration::from_secs(30);

/// A service that takes a millisecond, unless it is away.
struct Depot {
    service: InMemory,
    is_away: Arc<AtomicBool>,
}

impl Participant for Depot {
    fn deliver<'a>(&'a self, request: Delivery<'a>) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            if self.is_away.load(Ordering::Relaxed) {
                return Reply::unknown("nobody");
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
            self.service.deliver(request).await
        })
    }
}

fn main() -> Result<(), Failure> {
    let backlog = std::env::var("HANDFAST_BENCH_BACKLOG").ok().and_then(|number| number.parse().ok()).unwrap_or(20_000);
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(measure(backlog))
}

async fn measure(backlog: u64) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let is_away = Arc::new(AtomicBool::new(false));
    let flow = Flow::builder("shop").compensatable("payment", "bank").pivot("dispatch", "depot").build()?;
    let depot = |is_away: bool, switch: &Arc<AtomicBool>| {
        switch.store(is_away, Ordering::Relaxed);
        Depot { service: InMemory::new(|_, _| true), is_away: Arc::clone(switch) }
    };
    let engine = Engine::builder(Arc::new(SqliteStore::open(folder.path().join("shop.db"))?))
        .flow(flow)
        .participant("bank", depot(false, &Arc::new(AtomicBool::new(false))))
        .participant("depot", depot(false, &is_away))
        .open()
        .await?;
    let alone_ms = new_orders(&engine, "alone").await?;

    is_away.store(true, Ordering::Relaxed);
    place(&engine, backlog).await?;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let before = processor_seconds();
    tokio::time::sleep(WAITING).await;
    let cores = (processor_seconds() - before) / WAITING.as_secs_f64();

    let completed = || engine.totals().borrow().completed;
    let done = completed();
    is_away.store(false, Ordering::Relaxed);
    let started = now();
    let beside_ms = new_orders(&engine, "beside").await?;
    let left = engine.totals().borrow().in_doubt;
    while engine.totals().borrow().in_doubt > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let drained = per_second(completed() - done - MEASURED, started);
    println!("{backlog} orders waited for a participant that was away");
    println!("waiting took            {cores:>9.3} cores    target 0.1, x{:.2}", cores / 0.1);
    println!("a new order alone       {alone_ms:>9.1} ms       the median of {MEASURED}, {NEW_A_SECOND} a second");
    println!(
        "beside the drain        {beside_ms:>9.1} ms       x{:.1}, target x3; {left} waited still when it ended",
        beside_ms / alone_ms
    );
    println!("the drain               {drained:>9.0} /s       {NEW_A_SECOND} new ones a second beside it");
    engine.shutdown(Duration::from_secs(5)).await;
    Ok(())
}

fn order(id: String) -> Order {
    let bodies = vec![format!(r#"{{"order":"{id}","amount":1999}}"#).into_bytes(), format!(r#"{{"order":"{id}"}}"#).into_bytes()];
    Order::new(id, "{}", bodies)
}

/// Places orders so many at a time, and waits for none of them.
async fn place(engine: &Engine, number: u64) -> Result<(), Failure> {
    let mut placing = JoinSet::new();
    for next in 0..number {
        if placing.len() == 64
            && let Some(placed) = placing.join_next().await
        {
            placed??;
        }
        let engine = engine.clone();
        placing.spawn(async move { engine.submit(order(format!("waits-{next}"))).await.map(drop) });
    }
    while let Some(placed) = placing.join_next().await {
        placed??;
    }
    Ok(())
}

/// The median of how long new orders take, from being placed to their end, in milliseconds.
async fn new_orders(engine: &Engine, name: &str) -> Result<f64, Failure> {
    let mut customers = JoinSet::new();
    for next in 0..MEASURED {
        let (engine, order) = (engine.clone(), order(format!("{name}-{next}")));
        customers.spawn(async move {
            let started = now();
            let outcome = engine.submit(order).await?.outcome().await?;
            if outcome == Outcome::Completed { Ok(started.elapsed()) } else { Err(Failure::from("it did not complete")) }
        });
        tokio::time::sleep(Duration::from_millis(1000 / NEW_A_SECOND)).await;
    }
    let mut took_ms = Vec::new();
    while let Some(took) = customers.join_next().await {
        took_ms.push(took??.as_secs_f64() * 1e3);
    }
    took_ms.sort_by(f64::total_cmp);
    Ok(took_ms.get(took_ms.len() / 2).copied().unwrap_or(f64::NAN))
}

/// What this process has used of all processors, in seconds; nothing where the system does not say.
fn processor_seconds() -> f64 {
    const TICKS_A_SECOND: f64 = 100.0;
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = text.rsplit(") ").next().unwrap_or_default();
    let fields = after_name.split(' ').skip(11).take(2);
    fields.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / TICKS_A_SECOND
}

#[expect(clippy::cast_precision_loss, reason = "a count of orders is far below 2^52")]
fn per_second(count: u64, started: Instant) -> f64 {
    count as f64 / started.elapsed().as_secs_f64()
}

#[expect(clippy::disallowed_methods, reason = "a benchmark is about the clock")]
fn now() -> Instant {
    Instant::now()
}
