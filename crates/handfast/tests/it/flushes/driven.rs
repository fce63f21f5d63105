//! The engine itself over real sockets: no request leaves and nothing is told before the entry that causes it is flushed.

use std::convert::Infallible;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use handfast::store::{SqliteStore, Store};
use handfast::{Engine, Flow, Options, Outcome};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;

use super::{CALLS, Promise, durable_before_visible, options, run, under_strace};
use crate::over_http::sha256;
use crate::support::order;

const CHILD: &str = "HANDFAST_TEST_DRIVEN";
const ORDERS: usize = 36;

/// Every third order finds nothing in stock, so its payment is undone.
const SOLD_OUT: usize = ORDERS / 3;

/// An order is placed, charged, asked to be dispatched, and its outcome told; some are undone before that.
const MESSAGES: usize = 4 * ORDERS + SOLD_OUT;

/// What a message begins with, and the beginning of the text that its cause, and nothing before it, brought into the store.
/// Both go on with the order's id; the start is written together with the order, so the id alone shows it.
const CAUSES: [(&str, &str); 6] = [
    ("placed ", ""),
    ("PUT /payment/", ""),
    ("PUT /dispatch/", "done-payment-"),
    ("DELETE /payment/", "refused-dispatch-"),
    ("completed ", "done-dispatch-"),
    ("cancelled ", "undone-payment-"),
];

/// What the store must hold before a message with this data may leave.
fn cause(data: &str) -> Option<String> {
    let (_, text) = CAUSES.into_iter().find(|(begins, _)| data.contains(&format!("\"{begins}")))?;
    let start = data.find("order-")?;
    let length = data[start..].find("-end")? + "-end".len();
    Some(format!("{text}{}", &data[start..start + length]))
}

/// The child: an engine on a file with both services on loopback, and all orders at once. It tells whoever listens at the
/// last address what it was told itself.
#[test]
fn child_that_drives() {
    let Ok(arguments) = std::env::var(CHILD) else { return };
    let [synchronous, services, listener, path] = *arguments.splitn(4, ' ').collect::<Vec<_>>() else { panic!("{arguments}") };
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open_with(path, &options(synchronous)).unwrap());
    let listener = Arc::new(Mutex::new(TcpStream::connect(listener).unwrap()));
    let base = |step: &str| format!("http://{services}/{step}");
    let flow = Flow::builder("shop").compensatable("payment", base("payment").as_str());
    let flow = flow.pivot("dispatch", base("dispatch").as_str()).build().unwrap();
    // Under strace everything is slow, and a request that is sent again would be counted twice.
    let patience = Duration::from_mins(1);
    let patient = Options::default().with_try_timeout(patience).with_connect_timeout(patience);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let engine = Engine::builder(store).flow(flow).options(patient).open().await.unwrap();
        let orders = (0..ORDERS).map(|number| {
            let (engine, listener) = (engine.clone(), Arc::clone(&listener));
            tokio::spawn(async move {
                let tell = |what: &str, id: &str| listener.lock().unwrap().write_all(format!("{what} {id}").as_bytes()).unwrap();
                let id = format!("order-{number}-end");
                let item = if number % 3 == 0 { "sold out" } else { "tea" };
                let mut saga = engine.submit(order(&id, "visa", item)).await.unwrap();
                tell("placed", &id);
                match saga.outcome().await.unwrap() {
                    Outcome::Completed => tell("completed", &id),
                    Outcome::Cancelled => tell("cancelled", &id),
                    Outcome::Settled => panic!("nobody settles {id}"),
                }
            })
        });
        for order in orders.collect::<Vec<_>>() {
            order.await.unwrap();
        }
    });
}

/// Both services, for as long as the runtime lives. The `detail` of every receipt is a text of its own, which so gets into
/// the entry that the receipt becomes.
async fn services() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let commits = Arc::new(AtomicU64::new(0));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let commits = Arc::clone(&commits);
            let service = service_fn(move |request| answer(Arc::clone(&commits), request));
            // The child is gone before its connections are closed in order.
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}

async fn answer(commits: Arc<AtomicU64>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let key = request.uri().path().rsplit('/').next().unwrap().to_owned();
    let undone_hash = request.headers().get("handfast-body").map(|hash| hash.to_str().unwrap().to_owned());
    let method = request.method().clone();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let (status, state) = match method {
        Method::PUT if String::from_utf8_lossy(&body).contains("sold out") => (409, "refused"),
        Method::PUT => (200, "done"),
        Method::DELETE => (200, "undone"),
        other => panic!("{other} was not expected"),
    };
    let [_, order, step] = *key.split('.').collect::<Vec<_>>() else { panic!("{key}") };
    let receipt = serde_json::json!({
        "key": key, "state": state, "body_hash": undone_hash.unwrap_or_else(|| sha256(&body)),
        "seq": commits.fetch_add(1, Ordering::Relaxed) + 1, "incarnation": "first", "at": 1,
        "detail": format!("{state}-{step}-{order}"),
    });
    Ok(Response::builder().status(status).body(Full::new(receipt.to_string().into())).unwrap())
}

fn promise_of(synchronous: &str) -> Promise {
    let folder = tempfile::tempdir().unwrap();
    let (log, path) = (folder.path().join("strace.log"), folder.path().join("store.db"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let services = runtime.block_on(services());
    // Nobody reads what is told: it all fits into the socket's buffer, and that it left is seen in the log.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let told = listener.local_addr().unwrap();
    let mut child = under_strace("flushes::driven::child_that_drives", &log, &["-e", CALLS]);
    child.env(CHILD, format!("{synchronous} {services} {told} {}", path.display()));
    assert!(run(child).success());
    durable_before_visible(&std::fs::read_to_string(log).unwrap(), "store.db-wal", cause)
}

#[test]
fn a_request_leaves_after_the_flush_of_its_cause() {
    let promise = promise_of("full");
    assert_eq!(promise.messages, MESSAGES, "every message was looked at");
    assert_eq!(promise.broken, [""; 0]);
}

#[test]
fn an_engine_whose_store_does_not_flush_is_caught() {
    let promise = promise_of("off");
    assert_eq!((promise.messages, promise.broken.len()), (MESSAGES, MESSAGES), "{promise:?}");
    // Every entry is in the log; only its flush is missing.
    assert!(promise.broken.iter().all(|why| why.ends_with("was not flushed")), "{promise:?}");
}
