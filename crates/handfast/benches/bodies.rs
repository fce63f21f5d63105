//! What large orders cost on a long flow: 300 of 61 kB, which each of 64 steps sends whole.
//!
//! `cargo bench -p handfast --bench bodies`. Nobody answers before all of them are placed. Prints how large the store's files become
//! and how much memory is taken at the most, each beside what the orders themselves have.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use handfast::participant::{Delivery, InMemory, Participant, Reply};
use handfast::store::{BoxFuture, SqliteStore};
use handfast::{Engine, Flow, Options, Order, Outcome};
use tokio::sync::Semaphore;

type Failure = Box<dyn std::error::Error + Send + Sync>;

const ORDERS: usize = 300;
const BYTES: usize = 61_000;
const STEPS: usize = 64;

/// A service that answers nobody before it is told to.
struct Waiting {
    gate: Arc<Semaphore>,
    service: InMemory,
}

impl Participant for Waiting {
    fn deliver<'a>(&'a self, request: Delivery<'a>) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            let _open = self.gate.acquire().await;
            self.service.deliver(request).await
        })
    }
}

fn main() -> Result<(), Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(measure())
}

async fn measure() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("shop.db");
    let gate = Arc::new(Semaphore::new(0));
    let mut flow = Flow::builder("long").compensatable("step-1", "service").compensatable("step-2", "service");
    for number in 3..STEPS {
        flow = flow.compensatable(&format!("step-{number}"), "service");
    }
    let waiting = Waiting { gate: Arc::clone(&gate), service: InMemory::new(|_, _| true) };
    let options = Options::default().with_try_timeout(Duration::from_secs(600));
    let engine = Engine::builder(Arc::new(SqliteStore::open(&path)?)).options(options);
    let engine = engine.flow(flow.pivot("last", "service").build()?).participant("service", waiting).open().await?;
    let (before, started) = (peak_bytes(), now());
    let mut sagas = Vec::new();
    for number in 0..ORDERS {
        sagas.push(engine.submit(order(number)).await?);
    }
    let placed = files(&path);
    gate.add_permits(Semaphore::MAX_PERMITS);
    for saga in &mut sagas {
        if saga.outcome().await? != Outcome::Completed {
            return Err("an order did not complete".into());
        }
    }
    let took = started.elapsed().as_secs_f64();
    let (memory, at_the_end) = (peak_bytes().saturating_sub(before), files(&path));
    let orders = ORDERS * BYTES;
    let report = |what: &str, bytes: usize| println!("{what:<34} {:>7.1} MB   x{:.2}", mega(bytes), mega(bytes) / mega(orders));
    println!("{ORDERS} orders of {BYTES} bytes, {STEPS} steps that send all of it, in {took:.1} s");
    report("the orders themselves", orders);
    report("a body a step would be", orders * STEPS);
    report("the store once all are placed", placed);
    report("the store once all have ended", at_the_end);
    report("memory at the most, all active", memory);
    engine.shutdown(Duration::from_secs(5)).await;
    Ok(())
}

/// The order as a flow file writes it, and a body for every step, each in memory of its own.
fn order(number: usize) -> Order {
    let id = format!("order-{number}");
    let fields = format!("\"note\":\"{}\"}}", "x".repeat(BYTES));
    let bodies = (0..STEPS).map(|_| format!("{{{fields}").into_bytes()).collect();
    Order::in_flow_order(&id, format!("{{\"id\":\"{id}\",{fields}"), bodies)
}

/// The store's file and its log, in bytes.
fn files(path: &Path) -> usize {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let bytes = |path: &Path| std::fs::metadata(path).map_or(0, |file| usize::try_from(file.len()).unwrap_or(usize::MAX));
    bytes(path) + bytes(Path::new(&log))
}

/// The most memory that this process has had, in bytes; nothing where the system does not say.
fn peak_bytes() -> usize {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap_or(0) * 1024
}

#[expect(clippy::cast_precision_loss, reason = "a count of bytes is far below 2^52")]
fn mega(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}

#[expect(clippy::disallowed_methods, reason = "a benchmark is about the clock")]
fn now() -> Instant {
    Instant::now()
}
