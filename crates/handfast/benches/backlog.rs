//! What a backlog costs: new orders beside orders that were put aside, and the waiting itself.
//!
//! `cargo bench -p handfast --bench backlog`. One participant of two goes away while orders are placed, and comes back. Prints how
//! long a new order takes without a backlog and beside one that drains, how fast that drains, and what processor time it takes
//! to wait. Compared are medians of orders that are placed alike, one after the other at the same rate: those alone once the first
//! order has ended, and those beside the drain once the first one that had waited was answered, so that neither has to wait for a
//! participant that nobody knows to be there. What comes before that is its own figure, how long the first one waits for it. New
//! ones are placed for as long as some of the backlog have not ended, and the drain ends where the engine says that the last has.
//! Then the same where new and old orders share all room, since what is kept for new ones must not make the drain slower.
//! `HANDFAST_BENCH_BACKLOG` says how many orders wait; 20,000 when left out.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use handfast::participant::{Delivery, InMemory, Participant, Reply};
use handfast::store::{BoxFuture, SqliteStore};
use handfast::{Engine, Flow, Happened, Options, Order, Outcome};
use tokio::task::JoinSet;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// New orders a second while something is measured.
const NEW_A_SECOND: u64 = 50;
/// At most this many of them.
const MEASURED: u64 = 400;
/// How long the waiting is looked at.
const WAITING: Duration = Duration::from_secs(30);
/// Nobody waits longer than this once the participant is back.
const LONGEST_DRAIN: Duration = Duration::from_mins(10);
/// How the orders that wait are called.
const WAITS: &str = "waits-";

/// A service that takes a millisecond, unless it is away.
struct Depot {
    service: InMemory,
    road: Arc<Road>,
}

/// Whether a service can be reached, when the first one that had waited reached it, whether that was answered, how many that had
/// waited have ended, and when the last of them did.
#[derive(Default)]
struct Road {
    is_cut: AtomicBool,
    first: Mutex<Option<Instant>>,
    is_warm: AtomicBool,
    ended: AtomicU64,
    last_end: Mutex<Option<Instant>>,
}

impl Road {
    /// Counts the ends of those that had waited, where they happen.
    fn observe(&self, happened: &Happened<'_>) {
        if let Happened::Ended { saga, .. } = happened
            && saga.starts_with(WAITS)
        {
            let mut last_end = self.last_end.lock().unwrap_or_else(PoisonError::into_inner);
            *last_end = Some(now());
            self.ended.fetch_add(1, Ordering::Release);
        }
    }
}

impl Participant for Depot {
    fn deliver<'a>(&'a self, request: Delivery<'a>) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            if self.road.is_cut.load(Ordering::Relaxed) {
                return Reply::unknown("nobody");
            }
            let has_waited = request.key.contains(WAITS);
            if has_waited {
                self.road.first.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(now);
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
            let reply = self.service.deliver(request).await;
            self.road.is_warm.fetch_or(has_waited, Ordering::Relaxed);
            reply
        })
    }
}

/// What was measured of one engine.
#[derive(Debug)]
struct Figures {
    /// New orders, without a backlog and beside one that drains: each once its first answer is there.
    alone: NewOrders,
    beside: NewOrders,
    /// How many waited still when the last of those new orders had ended.
    left: u64,
    /// Processors that were used while the participant was away.
    waiting_cores: f64,
    /// From when the participant was back until the first one that had waited was asked for, in seconds.
    first_s: f64,
    /// Orders a second that had waited, from when the participant was back until the last of them had ended.
    drained: f64,
}

/// How long new orders took, from being placed to their end.
#[derive(Debug)]
struct NewOrders {
    median_ms: f64,
    counted: usize,
}

fn main() -> Result<(), Failure> {
    let backlog = std::env::var("HANDFAST_BENCH_BACKLOG").ok().and_then(|number| number.parse().ok()).unwrap_or(20_000);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    println!(
        "{backlog} orders wait for a participant that is away; new ones are medians of up to {MEASURED}, {NEW_A_SECOND} a second"
    );
    let apart = runtime.block_on(measure(backlog, true))?;
    report("as shipped", &apart);
    let shared = runtime.block_on(measure(backlog, false))?;
    report("with all room shared (keeps_rooms_apart = false)", &shared);
    println!("\nthe drain as shipped    {:>9.2} of what it is with all room shared, target 1", apart.drained / shared.drained);
    Ok(())
}

/// Measures an engine; `keeps_rooms_apart` as in [`Options`].
async fn measure(backlog: u64, keeps_rooms_apart: bool) -> Result<Figures, Failure> {
    let folder = tempfile::tempdir()?;
    let road = Arc::new(Road::default());
    let flow = Flow::builder("shop").compensatable("payment", "bank").pivot("dispatch", "depot").build()?;
    let depot = |road: &Arc<Road>| Depot { service: InMemory::new(|_, _| true), road: Arc::clone(road) };
    let engine = Engine::builder(Arc::new(SqliteStore::open(folder.path().join("shop.db"))?))
        .flow(flow)
        .participant("bank", depot(&Arc::default()))
        .participant("depot", depot(&road))
        .observer({
            let road = Arc::clone(&road);
            move |happened| road.observe(happened)
        })
        .options(Options::default().with_keeps_rooms_apart(keeps_rooms_apart))
        .open()
        .await?;
    engine.submit(order("warm".to_owned())).await?.outcome().await?;
    let alone = new_orders(&engine, "alone", || true).await?;

    road.is_cut.store(true, Ordering::Relaxed);
    place(&engine, backlog).await?;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let before = processor_seconds();
    tokio::time::sleep(WAITING).await;
    let waiting_cores = (processor_seconds() - before) / WAITING.as_secs_f64();

    *road.first.lock().unwrap_or_else(PoisonError::into_inner) = None;
    road.is_cut.store(false, Ordering::Relaxed);
    let started = now();
    while !road.is_warm.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(1)).await;
        if started.elapsed() > LONGEST_DRAIN {
            return Err("nobody who waited was answered".into());
        }
    }
    let ended = || road.ended.load(Ordering::Acquire);
    let beside = new_orders(&engine, "beside", || ended() < backlog).await?;
    let left = backlog.saturating_sub(ended());
    while ended() < backlog {
        tokio::time::sleep(Duration::from_millis(20)).await;
        if started.elapsed() > LONGEST_DRAIN {
            return Err(format!("{} orders wait still", backlog.saturating_sub(ended())).into());
        }
    }
    let last_end = *road.last_end.lock().unwrap_or_else(PoisonError::into_inner);
    let drained = last_end.map_or(f64::NAN, |last_end| per_second(backlog, last_end.duration_since(started)));
    let first = *road.first.lock().unwrap_or_else(PoisonError::into_inner);
    let first_s = first.map_or(f64::NAN, |first| first.duration_since(started).as_secs_f64());
    engine.shutdown(Duration::from_secs(5)).await;
    Ok(Figures { alone, beside, left, waiting_cores, first_s, drained })
}

fn report(name: &str, figures: &Figures) {
    let Figures { alone, beside, left, waiting_cores, first_s, drained } = figures;
    println!("\n{name}");
    println!("  waiting took          {waiting_cores:>9.3} cores    target 0.1, x{:.2}", waiting_cores / 0.1);
    let (alone_ms, beside_ms) = (alone.median_ms, beside.median_ms);
    println!("  a new order alone     {alone_ms:>9.1} ms       median of {}, from being placed to its end", alone.counted);
    println!(
        "  beside the drain      {beside_ms:>9.1} ms       x{:.1}, target x3; median of {}, {left} waited still when the last had ended",
        beside_ms / alone_ms,
        beside.counted
    );
    println!("  the first that waited {first_s:>9.1} s        after the participant was back, target 5");
    println!("  the drain             {drained:>9.0} /s       {NEW_A_SECOND} new ones a second beside it");
}

fn order(id: String) -> Order {
    let bodies = vec![format!(r#"{{"order":"{id}","amount":1999}}"#).into_bytes(), format!(r#"{{"order":"{id}"}}"#).into_bytes()];
    Order::in_flow_order(id, "{}", bodies)
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
        placing.spawn(async move { engine.submit(order(format!("{WAITS}{next}"))).await.map(drop) });
    }
    while let Some(placed) = placing.join_next().await {
        placed??;
    }
    Ok(())
}

/// Places new orders for as long as it `goes_on`, and waits until they have ended.
async fn new_orders(engine: &Engine, name: &str, goes_on: impl Fn() -> bool) -> Result<NewOrders, Failure> {
    let mut customers = JoinSet::new();
    for next in 0..MEASURED {
        if !goes_on() {
            break;
        }
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
    let median_ms = took_ms.get(took_ms.len() / 2).copied();
    let median_ms = median_ms.ok_or_else(|| format!("no new order was placed ({name}): let more of them wait"))?;
    Ok(NewOrders { median_ms, counted: took_ms.len() })
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
fn per_second(count: u64, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

#[expect(clippy::disallowed_methods, reason = "a benchmark is about the clock")]
fn now() -> Instant {
    Instant::now()
}
