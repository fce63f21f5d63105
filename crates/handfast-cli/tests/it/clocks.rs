//! Workers on one store whose clocks are not the same: real processes, each with a clock of its own.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]
#![expect(clippy::disallowed_methods, reason = "how long a test is ready to wait is counted in real time")]

use std::time::{Duration, Instant};

use serde_json::json;

use crate::serve::shop::{Caller, PATIENCE, Process, Shop, order};

/// What gives a process another clock: the library of the package `faketime`.
fn library() -> String {
    let folders = std::fs::read_dir("/usr/lib").unwrap().filter_map(|entry| Some(entry.ok()?.path()));
    let candidates = folders.chain(["/usr/lib".into()]).map(|folder| folder.join("faketime/libfaketime.so.1"));
    let found = candidates.into_iter().find(|library| library.exists());
    found.expect("install the package faketime").to_str().unwrap().to_owned()
}

fn worker(shop: &Shop, library: &str, turned: &str) -> Process {
    // Only the wall clock is another; whatever waits goes by the one clock that all of them have.
    shop.coordinator_in(&[("LD_PRELOAD", library), ("FAKETIME", turned), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")])
}

/// A clock that leapt has put the store an hour ahead: whoever operates the service puts it right while it runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_operator_lets_the_present_time_count_in_a_running_service() {
    let shop = Shop::closed().with_a_deadline();
    let services = shop.services();
    let coordinator = shop.coordinator(&[]);
    let accept = async |caller: &Caller, body: serde_json::Value| {
        let headers = [("content-type", "application/json")];
        caller.send(hyper::Method::POST, "/clock/accept", &headers, body.to_string()).await
    };
    let right = json!({ "by": "ada", "why": "ntp was an hour ahead" });
    let refused = accept(&Caller::of(&coordinator), right.clone()).await;
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (409, "cannot-accept-time"), "{}", refused.text);
    coordinator.signal("TERM");
    assert!(coordinator.wait().success());
    let ahead = handfast::Clock::system().now().0 + 3_600_000;
    rusqlite::Connection::open(shop.folder.path().join("shop.db"))
        .and_then(|store| store.execute("UPDATE meta SET value = ?1 WHERE name = 'clock'", [format!("{ahead} 5 elsewhere gone")]))
        .unwrap();
    let coordinator = shop.coordinator(&[]);
    let caller = Caller::of(&coordinator);
    let refused = caller.place("key-1", &order("order-1"), &[]).await;
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (503, "clock"), "{}", refused.text);
    let nobody = accept(&caller, json!({ "by": "", "why": "x" })).await;
    assert_eq!((nobody.status.as_u16(), nobody.problem().as_str()), (422, "not-a-reason"), "{}", nobody.text);
    let accepted = accept(&caller, right).await;
    assert_eq!((accepted.status.as_u16(), &accepted.json()["instead_of_ms"]), (200, &json!(ahead)), "{}", accepted.text);
    let placed = caller.place("key-1", &order("order-1"), &[("prefer", "wait=20")]).await;
    assert_eq!((placed.status.as_u16(), &placed.json()["outcome"]), (201, &json!("completed")), "{}", placed.text);
    drop(services);
}

/// A worker whose wall clock is what a file says, so that it can be set while it runs.
fn set_by(shop: &Shop, library: &str, file: &std::path::Path) -> Process {
    let file = file.to_str().unwrap();
    shop.coordinator_in(&[
        ("LD_PRELOAD", library),
        ("FAKETIME_TIMESTAMP_FILE", file),
        ("FAKETIME_NO_CACHE", "1"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ])
}

async fn until(what: &str, caller: &Caller, holds: impl Fn(&serde_json::Value) -> bool) {
    let since = Instant::now();
    loop {
        let stats = caller.get("/stats").await.json();
        if holds(&stats) {
            return;
        }
        assert!(since.elapsed() < PATIENCE, "{what}: {stats}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_comes_after_a_clock_was_set_closes_nobodys_orders() {
    const ORDERS: u64 = 5;
    let (shop, library) = (Shop::closed().with_a_deadline(), library());
    let (folder, turned) = (tempfile::tempdir().unwrap(), "+1h\n");
    let file = folder.path().join("clock");
    std::fs::write(&file, "+0\n").unwrap();
    let first = set_by(&shop, &library, &file);
    let caller = Caller::of(&first);
    for number in 0..ORDERS {
        let placed = caller.place(&format!("key-{number}"), &order(&format!("order-{number}")), &[]).await;
        assert_eq!(placed.status.as_u16(), 202, "{}", placed.text);
    }
    std::fs::write(&file, turned).unwrap();
    until("the first sees it", &caller, |stats| stats["clock"]["turns"] == json!(1)).await;
    let second = set_by(&shop, &library, &file);
    let other = Caller::of(&second);
    // As soon as the first has told the store of it.
    until("the second agrees", &other, |stats| stats["clock"]["trouble"] == json!(null)).await;
    first.kill();
    tokio::time::sleep(Duration::from_secs(2)).await;
    for number in 0..ORDERS {
        let saga = other.get(&format!("/sagas/order-{number}")).await;
        assert!(!saga.text.contains("timeout"), "{}", saga.text);
    }
    let _services = shop.services();
    until("all are completed", &other, |stats| stats["sagas"]["completed"] == json!(ORDERS)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_act_beside_a_service_is_judged_by_its_clock_as_the_service_is() {
    let (shop, library) = (Shop::closed(), library());
    let service = shop.coordinator(&[]);
    let caller = Caller::of(&service);
    let placed = caller.place("key-1", &order("order-1"), &[]).await;
    assert_eq!(placed.status.as_u16(), 202, "{}", placed.text);
    let store = shop.store();
    let act = |turned: &str, arguments: &[&str]| {
        let mut command = crate::support::handfast();
        command.args(arguments).args(["--store", &store]);
        command.envs([("LD_PRELOAD", library.as_str()), ("FAKETIME", turned), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")]);
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let cancel = ["sagas", "cancel", "order-1", "--by", "ada", "--reason", "seen", "--yes"];
    let accept =
        ["participants", "accept", "http://127.0.0.1:1", "--incarnation", "two", "--by", "ann", "--why", "seen", "--yes"];
    for (turned, says) in [("+5h", "ahead of"), ("-5h", "behind")] {
        for arguments in [&cancel[..], &accept[..]] {
            let (code, said) = act(turned, arguments);
            assert!(code == Some(1) && said.contains("this process's clock is") && said.contains(says), "{code:?} {said}");
        }
    }
    let (code, said) = act("+0", &cancel);
    assert!(code == Some(0) && said.contains("neither is wanted"), "{code:?} {said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn workers_whose_clocks_differ_by_an_hour_cancel_nobodys_orders() {
    const ORDERS: u64 = 100;
    let (shop, library) = (Shop::closed().with_a_deadline(), library());
    let right = shop.coordinator(&[]);
    let caller = Caller::of(&right);
    for number in 0..ORDERS {
        let placed = caller.place(&format!("key-{number}"), &order(&format!("order-{number}")), &[]).await;
        assert_eq!(placed.status.as_u16(), 202, "{}", placed.text);
    }
    let others = [("+1h", "ahead of"), ("-1h", "behind")].map(|(turned, says)| (worker(&shop, &library, turned), says));
    for (other, says) in &others {
        let other = Caller::of(other);
        let refused = other.place("key-x", &order("order-x"), &[]).await;
        assert_eq!((refused.status.as_u16(), refused.problem()), (503, "clock".to_owned()), "{}", refused.text);
        assert!(refused.text.contains(says), "{}", refused.text);
        let trouble = other.get("/stats").await.json()["clock"]["trouble"].clone();
        assert!(trouble.as_str().is_some_and(|trouble| trouble.contains(says)), "{trouble}");
    }
    // Long enough for each of them to have looked at what is due.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let _services = shop.services();
    let since = Instant::now();
    loop {
        let stats = caller.get("/stats").await.json();
        if stats["in_doubt"] == json!(0) {
            assert_eq!(stats["sagas"]["completed"], json!(ORDERS), "{stats}");
            assert_eq!(stats["clock"]["trouble"], json!(null), "{stats}");
            return;
        }
        assert!(since.elapsed() < PATIENCE, "{stats}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
