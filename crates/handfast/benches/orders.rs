//! How fast orders go through: two processes on loopback, the default store, a stub that keeps nothing.
//!
//! `cargo bench -p handfast --bench orders`. Prints medians of several runs, beside what the same machine does without an
//! engine in the same minute: writes to a store of its own, and exchanges with the stub over bare sockets.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use handfast::store::SqliteStore;
use handfast::{Engine, Flow, Order, Outcome};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Set in the environment of the second process.
const STUB: &str = "HANDFAST_BENCH_STUB";
const RUNS: usize = 5;
const ORDERS: u64 = 16_000;
const IN_FLIGHT: u64 = 128;
const SINGLE_ORDERS: u64 = 1_000;
const EXCHANGES: u64 = 60_000;
const COMMITS: u64 = 1_000;

fn main() -> Result<(), Failure> {
    if std::env::var_os(STUB).is_some() {
        return tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(stub());
    }
    let runs = std::env::var("HANDFAST_BENCH_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(RUNS);
    println!("machine: {}", machine());
    let (mut child, address) = spawn_stub()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let measured = runtime.block_on(measure(address, runs));
    child.kill()?;
    child.wait()?;
    report(&measured?);
    Ok(())
}

/// One run of everything.
#[derive(Debug, Default)]
struct Figures {
    orders: Vec<f64>,
    latency_us: Vec<f64>,
    exchanges: Vec<f64>,
    commits: Vec<f64>,
}

async fn measure(stub: SocketAddr, runs: usize) -> Result<Figures, Failure> {
    let mut figures = Figures::default();
    for run in 0..runs {
        let directory = tempfile::tempdir()?;
        figures.commits.push(commits_a_second(&directory.path().join("bare.db"))?);
        figures.exchanges.push(exchanges_a_second(stub, run).await?);
        figures.latency_us.push(single_order_us(stub, &directory.path().join("single.db")).await?);
        figures.orders.push(orders_a_second(stub, &directory.path().join("many.db")).await?);
        eprintln!(
            "run {}: {:.0} orders/s, {:.0} us, {:.0} exchanges/s, {:.0} commits/s",
            run + 1,
            figures.orders[run],
            figures.latency_us[run],
            figures.exchanges[run],
            figures.commits[run]
        );
    }
    Ok(figures)
}

fn report(figures: &Figures) {
    let [orders, latency_us, exchanges, commits] =
        [&figures.orders, &figures.latency_us, &figures.exchanges, &figures.commits].map(|values| median(values));
    println!("medians of {} runs", figures.orders.len());
    println!("orders, {IN_FLIGHT} in flight   {orders:>9.0} /s     target 8000, x{:.2}", orders / 8000.0);
    println!("one order at a time     {latency_us:>9.0} us     target 2000, x{:.2}", latency_us / 2000.0);
    println!("bare exchanges          {exchanges:>9.0} /s     an order has 2: {:.0} % of them", 200.0 * orders / exchanges);
    println!(
        "bare commits, one a row {commits:>9.0} /s     an order has 3: {:.1} orders a flush if each were alone",
        orders * 3.0 / commits
    );
    let floor_us = 3.0 * 1e6 / commits;
    println!("three commits in a row  {floor_us:>9.0} us     one order at a time takes x{:.2}", latency_us / floor_us);
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| info.lines().find(|line| line.starts_with(name)).and_then(|line| line.split(": ").nth(1));
    let model = field("model name").unwrap_or("unknown");
    format!("{cores} cores, {model}, family {} model {}", field("cpu family").unwrap_or("?"), field("model\t").unwrap_or("?"))
}

// --- the engine ---

async fn engine(stub: SocketAddr, path: &Path) -> Result<Engine, Failure> {
    let flow = Flow::builder("shop")
        .compensatable("payment", format!("http://{stub}/payments"))
        .deadline(Duration::from_secs(30))
        .pivot("dispatch", format!("http://{stub}/dispatches"))
        .build()?;
    Ok(Engine::builder(Arc::new(SqliteStore::open(path)?)).flow(flow).open().await?)
}

fn order(number: u64) -> Order {
    let payment = format!(r#"{{"amount":{{"minor":{},"currency":"EUR"}},"token":"tok_visa"}}"#, 100 + number);
    let dispatch = format!(r#"{{"lines":[{{"sku":"TEA-{}","quantity":1}},{{"sku":"CUP-2","quantity":2}}]}}"#, number % 50);
    let input = format!(r#"{{"id":"order-{number}","payment":{payment},"dispatch":{dispatch}}}"#);
    Order::in_flow_order(format!("order-{number}"), input, vec![payment.into_bytes(), dispatch.into_bytes()])
}

async fn drive(engine: &Engine, number: u64) -> Result<(), Failure> {
    let outcome = engine.submit(order(number)).await?.outcome().await?;
    if outcome == Outcome::Completed { Ok(()) } else { Err(format!("order {number} ended {outcome:?}").into()) }
}

async fn orders_a_second(stub: SocketAddr, path: &Path) -> Result<f64, Failure> {
    let engine = engine(stub, path).await?;
    // Connections are made and code is warm before the clock runs.
    together(&engine, 0, 2_000).await?;
    let started = now();
    together(&engine, 1_000_000, ORDERS).await?;
    let rate = per_second(ORDERS, started);
    engine.shutdown(Duration::from_secs(5)).await;
    Ok(rate)
}

async fn together(engine: &Engine, first: u64, count: u64) -> Result<(), Failure> {
    let next = Arc::new(AtomicU64::new(0));
    let mut customers = JoinSet::new();
    for _ in 0..IN_FLIGHT {
        let (engine, next) = (engine.clone(), Arc::clone(&next));
        customers.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return Ok::<_, Failure>(());
                }
                drive(&engine, first + number).await?;
            }
        });
    }
    while let Some(customer) = customers.join_next().await {
        customer??;
    }
    Ok(())
}

async fn single_order_us(stub: SocketAddr, path: &Path) -> Result<f64, Failure> {
    let engine = engine(stub, path).await?;
    for number in 0..100 {
        drive(&engine, number).await?;
    }
    let mut each_us = Vec::new();
    for number in 0..SINGLE_ORDERS {
        let started = now();
        drive(&engine, 1_000_000 + number).await?;
        each_us.push(started.elapsed().as_secs_f64() * 1e6);
    }
    engine.shutdown(Duration::from_secs(5)).await;
    Ok(median(&each_us))
}

// --- what the machine does without an engine ---

/// Rows that are flushed one by one, in the mode that the default store uses.
fn commits_a_second(path: &Path) -> Result<f64, Failure> {
    let connection = rusqlite::Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute("CREATE TABLE rows (number INTEGER PRIMARY KEY, text TEXT)", [])?;
    let mut insert =
        connection.prepare("INSERT INTO rows VALUES (?, 'a line of a journal, of about the length that one has')")?;
    let started = now();
    for number in 0..COMMITS {
        insert.execute([i64::try_from(number)?])?;
    }
    Ok(per_second(COMMITS, started))
}

/// Requests as the engine sends them, over as many bare sockets as it has calls in flight.
async fn exchanges_a_second(stub: SocketAddr, run: usize) -> Result<f64, Failure> {
    let next = Arc::new(AtomicU64::new(0));
    let mut sockets = JoinSet::new();
    let started = now();
    for _ in 0..IN_FLIGHT {
        let next = Arc::clone(&next);
        sockets.spawn(async move {
            let mut stream = TcpStream::connect(stub).await?;
            stream.set_nodelay(true)?;
            let mut answer = vec![0; 4096];
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= EXCHANGES {
                    return Ok::<_, Failure>(());
                }
                let body = r#"{"amount":{"minor":1999,"currency":"EUR"},"token":"tok_visa"}"#;
                let request = format!(
                    "PUT /bare/run-{run}.order-{number}.payment HTTP/1.1\r\nhost: {stub}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                );
                stream.write_all(request.as_bytes()).await?;
                // An answer of the stub is small and comes in one piece.
                if stream.read(&mut answer).await? == 0 {
                    return Err("the stub hung up".into());
                }
            }
        });
    }
    while let Some(socket) = sockets.join_next().await {
        socket??;
    }
    Ok(per_second(EXCHANGES, started))
}

#[expect(clippy::cast_precision_loss, reason = "a count of orders is far below 2^52")]
fn per_second(count: u64, started: Instant) -> f64 {
    count as f64 / started.elapsed().as_secs_f64()
}

#[expect(clippy::disallowed_methods, reason = "a benchmark is about the clock")]
fn now() -> Instant {
    Instant::now()
}

// --- the second process ---

fn spawn_stub() -> Result<(Child, SocketAddr), Failure> {
    let mut child = Command::new(std::env::current_exe()?).env(STUB, "1").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().ok_or("the stub has no output")?).read_line(&mut line)?;
    Ok((child, line.trim().parse()?))
}

/// A service that speaks the contract and keeps its registers in memory only, on one thread.
#[derive(Default)]
struct Keys {
    registers: BTreeMap<String, String>,
    seq: u64,
}

async fn stub() -> Result<(), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    // Ends with whoever started it, even if that one was killed.
    std::thread::spawn(|| {
        let _ended = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    let keys = Arc::new(Mutex::new(Keys::default()));
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let keys = Arc::clone(&keys);
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&keys), request));
            // A connection that breaks is the client's business.
            let _broken = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(keys: Arc<Mutex<Keys>>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let key = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
    let acts = request.method() == Method::PUT;
    let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let (status, text) = if acts { act(&keys, key, &body) } else { (StatusCode::NOT_IMPLEMENTED, String::new()) };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    Ok(response)
}

fn act(keys: &Mutex<Keys>, key: String, body: &[u8]) -> (StatusCode, String) {
    let hash: String = Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
    let mut keys = keys.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    keys.seq += 1;
    let seq = keys.seq;
    let kept = keys.registers.entry(key.clone()).or_insert_with(|| hash.clone());
    let status = if *kept == hash { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let text =
        format!(r#"{{"key":"{key}","state":"done","body_hash":"{kept}","seq":{seq},"incarnation":"stub","at":1,"detail":null}}"#);
    (status, text)
}
