//! The engine as a process of its own that is killed with SIGKILL: what must not be sent is not sent afterwards either.

use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use axum::http::Method;
use handfast::Engine;
use handfast::store::{Append, BoxFuture, SqliteStore, Store, StoreError};
use handfast_protocol::{Assumptions, Profile};

use super::shop::{Road, Shop, flow, options, order, sleep, until, view};
use super::{once, time};
use crate::support::forwarded_but_for_append;

const CHILD: &str = "HANDFAST_TEST_PROFILES";

/// Kills its process once it has written that an act is about to leave.
struct KillsAtSent(SqliteStore);

impl Store for KillsAtSent {
    forwarded_but_for_append!();

    fn append(&self, append: Append) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let is_sent = append.entry.input.contains("\"sent\"");
            let written = self.0.append(append).await;
            if is_sent {
                kill(std::process::id());
            }
            written
        })
    }
}

/// Ends a process as the kernel does that is out of memory.
fn kill(process: u32) {
    let killed = Command::new("kill").args(["-9", &process.to_string()]).status();
    assert!(killed.unwrap().success());
    loop {
        std::thread::park();
    }
}

/// The profile and the margin that a child is told by name.
fn profile(name: &str) -> (Profile, Assumptions) {
    let (profile, margin_ms) = match name {
        "once" | "once-killed" => (once::ONCE, once::HORIZON_MS),
        "once-patient" => (once::ONCE, once::FAR_HORIZON_MS),
        "forgets" => (time::FORGETS, time::MARGIN_MS),
        other => panic!("{other}"),
    };
    let zero = Some(0);
    (profile, Assumptions { message_lifetime_ms: Some(margin_ms), clock_error_ms: zero, longest_outage_ms: zero })
}

/// The child: an engine that drives what is in its store, and one order.
#[test]
fn child_that_drives() {
    let Ok(arguments) = std::env::var(CHILD) else { return };
    let [name, payment, dispatch, path] = *arguments.splitn(4, ' ').collect::<Vec<_>>() else { panic!("{arguments}") };
    let (profile, assumptions) = profile(name);
    let flow = flow(profile, None, assumptions, &[payment.to_owned(), dispatch.to_owned()]);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let store = SqliteStore::open(path).unwrap();
        let store: Arc<dyn Store> = if name == "once-killed" { Arc::new(KillsAtSent(store)) } else { Arc::new(store) };
        let engine = Engine::builder(store).flow(flow).options(options()).open().await.unwrap();
        engine.submit(order("order-1")).await.unwrap();
        std::future::pending::<()>().await;
    });
}

/// A child, which is killed at the latest when it goes out of scope.
struct Process(Mutex<Child>);

impl Process {
    fn spawn(name: &str, shop: &Shop) -> Self {
        let [payment, dispatch] = &shop.urls;
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["profiles::killed::child_that_drives", "--exact", "--nocapture", "--test-threads=1"])
            .env(CHILD, format!("{name} {payment} {dispatch} {}", shop.store_path().display()))
            .stdout(Stdio::null())
            .spawn();
        Self(Mutex::new(child.unwrap()))
    }

    /// How it ended, if it has.
    fn ended(&self) -> Option<ExitStatus> {
        self.0.lock().unwrap().try_wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let child = self.0.get_mut().unwrap();
        // It may have ended by itself.
        drop(child.kill());
        child.wait().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_between_the_mark_and_the_act_leaves_it_unsent() {
    let shop = Shop::open(&once::WEAK).await.declare(once::ONCE).margin(once::HORIZON_MS);
    let child = Process::spawn("once-killed", &shop);
    until("it is killed where it is meant to be", async || child.ended().is_some_and(|ended| !ended.success())).await;
    assert_eq!(shop.to_payment.sent(), []);
    let child = Process::spawn("once", &shop);
    until("it is looked for", async || shop.to_payment.count(&Method::GET) > 0).await;
    sleep(2 * once::HORIZON_MS).await;
    drop(child);
    assert_eq!((shop.to_payment.count(&Method::PUT), shop.charges().await), (0, (0, 0)));
    let engine = shop.engine().await;
    let view = view(&engine, "order-1").await;
    assert_eq!(
        (view.standing.as_str(), view.wake_at, view.entries.len()),
        ("suspended", None, 4),
        "its dispatch was closed before"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_after_the_act_has_left_lets_nobody_send_it_again() {
    let shop = Shop::open(&once::WEAK).await.declare(once::ONCE).margin(once::FAR_HORIZON_MS);
    shop.to_payment.set(|act| if act.is_some() { Road::AnswerCaptured } else { Road::Open });
    let child = Process::spawn("once-patient", &shop);
    until("it is charged", async || shop.charges().await == (1, 0)).await;
    drop(child);
    let child = Process::spawn("once-patient", &shop);
    until("it is dispatched", async || shop.shipments().await == 1).await;
    drop(child);
    assert_eq!((shop.to_payment.count(&Method::PUT), shop.charges().await), (1, (1, 0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopping_time_that_passes_while_nobody_runs_holds() {
    let shop = Shop::open(&time::WEAK).await.declare(time::FORGETS).margin(time::MARGIN_MS);
    shop.to_payment.set(|act| if act.is_some() { Road::AnswerCaptured } else { Road::Open });
    let child = Process::spawn("forgets", &shop);
    until("it is charged", async || shop.charges().await == (1, 0)).await;
    drop(child);
    let sent = shop.to_payment.sent();
    // Long enough for the key to be forgotten: one more act would charge again.
    sleep(2_000).await;
    let child = Process::spawn("forgets", &shop);
    let store = SqliteStore::open(shop.store_path()).unwrap();
    until("a person is asked", async || {
        store.load("order-1").await.unwrap().is_some_and(|stored| stored.standing == "suspended")
    })
    .await;
    sleep(500).await;
    drop(child);
    assert_eq!((shop.to_payment.sent(), shop.charges().await), (sent, (1, 0)), "not one more");
}
