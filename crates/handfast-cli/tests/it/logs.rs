//! Nothing is silent: what is in the way has a line in the log, a place in `/stats`, and says why the service is not ready.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]

use std::time::Duration;

use hyper::Method;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::serve::shop::{Caller, Process, Shop, order, path};
use crate::support::{Ended, handfast, run};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until something holds, and says what it was about if it never does.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..PATIENCE.as_millis() / 50 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what}");
}

async fn ready(caller: &Caller) -> (u16, String) {
    let reply = caller.get("/readyz").await;
    (reply.status.as_u16(), reply.text)
}

/// An order was refused for the store, and everything else has to say so too: the log, the counts, whoever asks whether orders are
/// taken, and the order `open` that is on its way.
async fn check_that_it_is_told(coordinator: &Process, caller: &Caller, (open, why): (&str, &str)) {
    until("it is not ready", async || ready(caller).await.0 == 503).await;
    until("the log has a line", async || !coordinator.events("store_refuses_writes").is_empty()).await;
    let line = coordinator.events("store_refuses_writes")[0].clone();
    assert_eq!(line["level"], "error", "{line}");
    assert!(line["why"].as_str().unwrap().contains(why), "{line}");
    let (_, text) = ready(caller).await;
    assert!(text.contains(why) && text.contains("store-unavailable"), "{text}");
    let stats = caller.get("/stats").await.json();
    assert!(stats["store_trouble"].as_str().unwrap().contains(why), "{stats}");
    let saga = caller.get(&format!("/sagas/{open}")).await.json();
    let trouble = saga["trouble"].as_str().unwrap_or_default();
    assert!(trouble.starts_with("the store is in trouble: ") && trouble.contains(why), "{saga:#}");
    assert_eq!(caller.get("/livez").await.status, 200, "it is not dead");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_another_process_has_locked_is_told_everywhere_until_it_is_free() {
    let shop = Shop::closed();
    let coordinator = shop.coordinator_after("true", &["--log", "json", "--retry-cap", "1s"]);
    let caller = Caller::of(&coordinator);
    assert_eq!(caller.place("key-0", &order("order-0"), &[]).await.status, 202);
    assert_eq!(ready(&caller).await.0, 200);
    let other = Connection::open(shop.store().strip_prefix("sqlite:").unwrap()).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let refused = caller.place("key-1", &order("order-1"), &[]).await;
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (503, "store-unavailable"), "{}", refused.text);
    check_that_it_is_told(&coordinator, &caller, ("order-0", "locked")).await;
    other.execute_batch("COMMIT").unwrap();
    until("it is ready again", async || ready(&caller).await.0 == 200).await;
    until("the log says so", async || !coordinator.events("store_takes_writes").is_empty()).await;
    assert_eq!(caller.get("/stats").await.json()["store_trouble"], Value::Null);
    let _services = shop.services();
    let placed = caller.place("key-1", &order("order-1"), &[("prefer", "wait=50")]).await;
    assert_eq!((placed.status.as_u16(), &placed.json()["outcome"]), (201, &json!("completed")), "{}", placed.text);
    assert_eq!(caller.outcome("order-0").await, "completed");
    assert_eq!(caller.get("/sagas/order-0").await.json()["trouble"], Value::Null);
}

/// Nobody is kept waiting for a cancel that cannot be written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancel_that_cannot_be_written_is_answered_and_may_be_asked_for_again() {
    let shop = Shop::closed();
    let coordinator = shop.coordinator_after("true", &["--log", "json"]);
    let caller = Caller::of(&coordinator);
    assert_eq!(caller.place("key-1", &order("order-1"), &[]).await.status, 202);
    let other = Connection::open(shop.store().strip_prefix("sqlite:").unwrap()).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let asked = tokio::time::timeout(PATIENCE, caller.cancel("order-1")).await;
    let refused = asked.expect("it is answered");
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (503, "store-unavailable"), "{}", refused.text);
    assert!(refused.text.contains("unknown"), "{}", refused.text);
    other.execute_batch("COMMIT").unwrap();
    until("it is taken in the end", async || caller.cancel("order-1").await.status == 202).await;
}

/// Orders are placed under a coordinator whose disk fails at some time, until it does. Nobody answers them.
async fn check_a_disk_that_fails(shell: &str, why: &str) {
    let shop = Shop::closed();
    let coordinator = shop.coordinator_after(shell, &["--log", "json"]);
    let caller = Caller::of(&coordinator);
    assert_eq!(ready(&caller).await.0, 200);
    let mut taken = 0;
    let refused = loop {
        let mut large = order(&format!("order-{taken}"));
        large["lines"] = (0..400).map(|_| json!({ "sku": "m".repeat(60), "quantity": 1 })).collect();
        let reply = caller.place(&format!("key-{taken}"), &large, &[]).await;
        if reply.status != 202 {
            break reply;
        }
        taken += 1;
        assert!(taken < 200, "it never ends");
    };
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (503, "store-unavailable"), "{}", refused.text);
    assert!(taken > 0, "it was full from the beginning");
    check_that_it_is_told(&coordinator, &caller, ("order-0", why)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_told_everywhere() {
    // Counted for each thread: the store's writer writes more than whoever opens the file.
    let full = "inject=pwrite64:error=ENOSPC:when=100+";
    let strace = format!("exec strace -D -f -qq -o /dev/null -e trace=pwrite64 -e {full} \"$0\" \"$@\"");
    check_a_disk_that_fails(&strace, "database or disk is full").await;
}

/// To the system a file that may not grow is none that can be written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_fails_is_told_everywhere() {
    // Of 512 or of 1,024 bytes, as the shell has it.
    check_a_disk_that_fails("trap '' XFSZ; ulimit -f 800", "disk I/O error").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_log_json_everything_that_is_said_is_a_line_of_json() {
    let shop = Shop::closed();
    let coordinator = shop.coordinator_after("true", &["--log", "json"]);
    let caller = Caller::of(&coordinator);
    let mut with_card = order("order-1");
    with_card["token"] = json!("4111 1111 1111 1111");
    assert_eq!(caller.place("key-1", &with_card, &[]).await.status, 422);
    let reply = caller.send(Method::POST, "/sagas/4111111111111111/cancel", &[], "").await;
    assert_eq!(reply.status, 404);
    coordinator.signal("TERM");
    let log = loop {
        let log = coordinator.log();
        if log.contains("listening") {
            break log;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert!(!log.contains("4111"), "{log}");
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(["at", "level", "event", "message", "target"].iter().all(|name| line[name].is_string()), "{line}");
    }
    assert_eq!(coordinator.wait().code(), Some(0));
}

/// A service that answers everything with a status and a body that the flow knows nothing of.
async fn puzzling(body: &'static str) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let router = axum::Router::new().fallback(async move || (axum::http::StatusCode::BAD_REQUEST, body));
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_means_nothing_is_told_with_its_status() {
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let folder = tempfile::tempdir().unwrap();
    let service = puzzling("{\"error\": \"no such merchant\",\n \"token\": \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"}").await;
    let flow = include_str!("webhooks/flow.toml").replace("{gate}", &service).replace("{dispatch}", "http://127.0.0.1:1");
    // Asked again soon, and for long.
    let flow =
        flow.replace("retry_base = \"30d\"", "retry_base = \"10ms\"").replace("retry_cap = \"30d\"", "retry_cap = \"50ms\"");
    std::fs::write(folder.path().join("shop.toml"), flow).unwrap();
    let store = format!("sqlite:{}", folder.path().join("shop.db").display());
    let mut command = handfast();
    command.args(["serve", "--json", "--log", "json", "--listen", "127.0.0.1:0", "--store", &store, "--flow"]);
    command.arg(folder.path().join("shop.toml")).env("PAYMENT_WEBHOOK", SECRET);
    let coordinator = Process::of(command);
    let caller = Caller::of(&coordinator);
    assert_eq!(caller.place("key-1", &order("order-1"), &[]).await.status, 202);
    let trouble = async || caller.get("/sagas/order-1").await.json()["trouble"].as_str().unwrap_or_default().to_owned();
    let said = "seen last: 400 that means nothing that the flow describes: {\"error\": \"no such merchant\"";
    until("the saga says so", async || trouble().await.contains(said)).await;
    assert!(trouble().await.starts_with("step payment: act was asked for"), "{}", trouble().await);
    until("it is asked more than once", async || {
        let stats = caller.get("/stats").await.json();
        let kinds = &stats["participants"][1]["not_understood"];
        let kinds = if kinds[0].is_null() { &stats["participants"][0]["not_understood"] } else { kinds };
        kinds[0]["status"] == 400 && kinds[0]["operation"] == "act" && kinds[0]["times"].as_u64() > Some(2)
    })
    .await;
    let lines = coordinator.events("answer_not_understood");
    assert_eq!(lines.len(), 1, "once for each kind: {lines:?}");
    assert_eq!((&lines[0]["status"], &lines[0]["operation"]), (&json!(400), &json!("act")), "{}", lines[0]);
    assert!(lines[0]["seen"].as_str().unwrap().contains("no such merchant"), "{}", lines[0]);
    assert!(!coordinator.log().contains("whsec_"), "{}", coordinator.log());
    let shown = run(["show", "--store", &store, "order-1"]);
    assert!(shown.stdout.contains("400, not understood"), "{}", shown.stdout);
}

/// What `run` says on standard error of a system that lets it open few files, which is a warning, with these words of its own and
/// these in its environment.
fn said_by_run(more: &[&str], environment: &[(&str, &str)]) -> Vec<String> {
    let shop = Shop::closed();
    let orders = shop.folder.path().join("orders.jsonl");
    std::fs::write(&orders, format!("{}\n", order("order-1"))).unwrap();
    let (flow, store, binary) = (shop.flow(), shop.store(), handfast());
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "ulimit -n 160; exec \"$0\" \"$@\""]).arg(binary.get_program());
    command.args(["run", "--flow", path(&flow), "--store", &store, "--give-up-after", "200ms"]).args(more).arg(path(&orders));
    let ended: Ended = command.envs(environment.iter().copied()).output().unwrap().into();
    assert_eq!(ended.code, Some(4), "{}", ended.stderr);
    ended.stderr.lines().filter(|line| line.contains("open few files")).map(str::to_owned).collect()
}

#[test]
fn run_logs_in_the_form_and_at_the_level_that_is_wanted() {
    let is_json = |line: &String| serde_json::from_str::<Value>(line).is_ok_and(|line| line["event"] == "few_open_files");
    let form = |more: &[&str], environment: &[(&str, &str)]| -> Vec<bool> {
        said_by_run(more, environment).iter().map(is_json).collect()
    };
    assert_eq!(form(&["--log", "json"], &[]), [true]);
    assert_eq!(form(&[], &[("HANDFAST_LOG", "json")]), [true]);
    assert_eq!(form(&["--log", "json", "--log-level", "error"], &[]), [false; 0]);
    assert_eq!(form(&["--log", "json", "--quiet"], &[]), [false; 0]);
    assert_eq!(form(&["--log-level", "warn"], &[]), [false], "text");
    assert_eq!(form(&[], &[("HANDFAST_LOG_LEVEL", "info")]), [false]);
    assert_eq!(form(&[], &[]), [false; 0], "run tells people in its own words");
    let text = said_by_run(&["--log-level", "warn"], &[]).remove(0);
    assert!(text.contains(" WARN ") && text.ends_with(" limit=160 calls=48"), "{text}");
}

#[test]
fn a_level_that_is_none_is_refused() {
    let ended = run(["serve", "--flow", "x.toml", "--log-level", "loud"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("--log-level"), "{}", ended.stderr);
}
