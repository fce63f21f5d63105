//! The store is the file: removed, moved, written over or damaged under a running service, copied and looked through.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]
#![expect(clippy::disallowed_methods, reason = "how long a test is ready to wait is counted in real time")]

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::serve::shop::{Caller, PATIENCE, Process, Shop, order, path};
use crate::support::run;

fn file(shop: &Shop, name: &str) -> PathBuf {
    shop.folder.path().join(name)
}

/// A backup is named as stores are everywhere else: a scheme is no part of the file's name.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_backup_is_named_as_a_store_is() {
    let shop = Shop::closed();
    let coordinator = shop.coordinator(&[]);
    let backup = file(&shop, "monday.db");
    let named = format!("sqlite:{}", path(&backup));
    let made = run(["store", "backup", &named, "--store", &shop.store()]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    assert!(backup.exists() && !Path::new(&named).exists());
    assert_eq!(run(["store", "verify", "--store", &named]).code, Some(0));
    for no_file in ["memory:", "postgres://localhost/shop", "postgres:shop.db", "sqlite:", ""] {
        let refused = run(["store", "backup", no_file, "--store", &shop.store()]);
        assert_eq!(refused.code, Some(2), "{no_file:?}: {}", refused.stderr);
        assert!(!Path::new(no_file).is_file(), "{no_file:?} is a file now");
    }
    drop(coordinator);
}

/// Waits until the service says so of a saga.
async fn until(caller: &Caller, id: &str, what: impl Fn(&Value) -> bool) {
    let started = Instant::now();
    loop {
        let saga = caller.get(&format!("/sagas/{id}")).await.json();
        if what(&saga) {
            return;
        }
        assert!(started.elapsed() < PATIENCE, "{saga}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn is_paid(saga: &Value) -> bool {
    saga["steps"][0]["state"] == "done"
}

/// A shop whose warehouse does not answer yet, with so many orders that are paid.
async fn waiting_for_dispatch(orders: usize) -> (Shop, Process, Process, Caller) {
    let shop = Shop::closed();
    let payment = shop.payment();
    let coordinator = shop.coordinator(&["--retry-cap", "100ms"]);
    let caller = Caller::of(&coordinator);
    for number in 0..orders {
        let id = format!("order-{number}");
        assert_eq!(caller.place(&id, &order(&id), &[]).await.status, 202);
    }
    for number in 0..orders {
        until(&caller, &format!("order-{number}"), is_paid).await;
    }
    (shop, payment, coordinator, caller)
}

/// Lets something happen to the store of a running service, from when on it acknowledges and sends nothing.
async fn check_gone(happens: impl FnOnce(&Path)) -> (Shop, Process, Process) {
    let (shop, payment, coordinator, caller) = waiting_for_dispatch(1).await;
    let store = file(&shop, "shop.db");
    let backup = run(["store", "backup", path(&file(&shop, "backup.db")), "--store", &shop.store()]);
    assert_eq!(backup.code, Some(0), "{}", backup.stderr);
    happens(&store);
    for again in 0..2 {
        let refused = caller.place(&format!("late-{again}"), &order(&format!("late-{again}")), &[]).await;
        assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (503, "store-unavailable"), "{}", refused.text);
        assert_eq!(
            caller.place("order-0", &order("order-0"), &[]).await.status,
            503,
            "not even what was taken is promised again"
        );
        let ready = caller.get("/readyz").await;
        assert_eq!(ready.status, 503);
        assert!(ready.text.contains("is not the one that was opened"), "{}", ready.text);
        assert_eq!(caller.get("/livez").await.status, 200);
    }
    let dispatch = shop.dispatch();
    // Ten times the longest pause between two tries.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let audit = Caller::of(&dispatch).get("/audit").await.json();
    assert_eq!(audit["shipments"], 0, "nothing leaves any more: {audit}");
    coordinator.signal("TERM");
    assert!(coordinator.wait().success());
    (shop, payment, dispatch)
}

/// A service that goes on with the store brings the one order to its end, and nobody has taken the others.
async fn check_goes_on(shop: &Shop) {
    let coordinator = shop.coordinator(&[]);
    let caller = Caller::of(&coordinator);
    assert_eq!(caller.outcome("order-0").await, "completed");
    assert_eq!(caller.get("/sagas/late-0").await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_store_that_was_removed_acknowledges_and_sends_nothing() {
    let (shop, _payment, _dispatch) = check_gone(|store| fs::remove_file(store).unwrap()).await;
    assert!(!file(&shop, "shop.db").exists(), "nor is it made anew");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_store_that_was_moved_away_goes_on_where_it_was_put_back() {
    let (shop, _payment, _dispatch) = check_gone(|store| fs::rename(store, store.with_extension("old")).unwrap()).await;
    fs::rename(file(&shop, "shop.old"), file(&shop, "shop.db")).unwrap();
    check_goes_on(&shop).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_backup_that_is_copied_over_the_store_is_noticed_and_goes_on_after_a_restart() {
    let (shop, _payment, _dispatch) = check_gone(|store| {
        fs::copy(store.with_file_name("backup.db"), store).unwrap();
    })
    .await;
    check_goes_on(&shop).await;
}

/// Where the pages of the journal are, by the database itself.
fn pages_of_the_journal(store: &Path) -> Vec<u64> {
    let connection = rusqlite::Connection::open(store).unwrap();
    let root: u32 =
        connection.query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'journal'", [], |row| row.get(0)).unwrap();
    vec![u64::from(root - 1) * 4096]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn damage_of_a_page_suspends_nobody_and_everything_goes_on_once_it_is_put_right() {
    const ORDERS: usize = 50;
    let (shop, _payment, coordinator, _caller) = waiting_for_dispatch(ORDERS).await;
    coordinator.signal("TERM");
    assert!(coordinator.wait().success());
    let store = file(&shop, "shop.db");
    let whole = fs::read(&store).unwrap();
    let pages = pages_of_the_journal(&store);
    let write = |bytes: &dyn Fn(u64) -> Vec<u8>| {
        let file = fs::OpenOptions::new().write(true).open(&store).unwrap();
        pages.iter().for_each(|&at| file.write_all_at(&bytes(at), at).unwrap());
    };
    write(&|_| vec![0xff; 4096]);
    let verified = run(["store", "verify", "--store", &shop.store(), "--json"]);
    assert_eq!(verified.code, Some(1), "{}", verified.stderr);
    let found: Value = serde_json::from_str(&verified.stdout).unwrap();
    assert!(found["holds"] == false && found["damaged"].as_u64() > Some(0), "{found}");

    let coordinator = shop.coordinator(&["--retry-cap", "100ms"]);
    let caller = Caller::of(&coordinator);
    let started = Instant::now();
    let stats = loop {
        let stats = caller.get("/stats").await.json();
        if stats["store_trouble"].as_str().is_some_and(|trouble| trouble.contains(&format!("{ORDERS} cannot be read"))) {
            break stats;
        }
        assert!(started.elapsed() < PATIENCE, "{stats}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!((&stats["suspended"], &stats["sagas"]["suspended"]), (&json!([]), &Value::Null), "{stats}");
    assert_eq!(caller.get("/sagas/order-7").await.status, 503);

    write(&|at| whole[at as usize..at as usize + 4096].to_vec());
    let _dispatch = shop.dispatch();
    for number in 0..ORDERS {
        until(&caller, &format!("order-{number}"), |saga| saga["outcome"] == "completed").await;
    }
    assert_eq!(caller.get("/stats").await.json()["store_trouble"], Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_store_in_use_is_copied_and_looked_through() {
    let (shop, _services, coordinator) = Shop::open();
    let caller = Caller::of(&coordinator);
    for number in 0..3 {
        let id = format!("order-{number}");
        caller.place(&id, &order(&id), &[]).await;
        assert_eq!(caller.outcome(&id).await, "completed");
    }
    let copy = file(&shop, "copy.db");
    let copied = run(["store", "backup", path(&copy), "--store", &shop.store(), "--json"]);
    assert_eq!(copied.code, Some(0), "{}", copied.stderr);
    let again = run(["store", "backup", path(&copy), "--store", &shop.store()]);
    assert!(again.code == Some(2) && again.stderr.contains("something already"), "{}", again.stderr);
    for store in [shop.store(), path(&copy).to_owned()] {
        let verified = run(["store", "verify", "--store", &store, "--json"]);
        assert_eq!(verified.code, Some(0), "{} {}", verified.stdout, verified.stderr);
        let found: Value = serde_json::from_str(&verified.stdout).unwrap();
        assert_eq!((&found["sagas"], &found["entries"], &found["findings"]), (&json!(3), &json!(9), &json!([])), "{found}");
    }
    let shown = run(["show", "order-1", "--store", path(&copy)]);
    assert_eq!(shown.code, Some(0), "{}", shown.stderr);
    assert!(shown.stdout.contains("order-1"), "{}", shown.stdout);
}

/// What is wrong is told with its saga and what to do, in words and as data, and a file that was cut off is wrong and no wrong usage.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_row_that_says_otherwise_and_a_file_that_was_cut_off_end_with_1() {
    let (shop, _payment, coordinator, _caller) = waiting_for_dispatch(1).await;
    coordinator.signal("TERM");
    assert!(coordinator.wait().success());
    let bent = file(&shop, "bent.db");
    assert_eq!(run(["store", "backup", path(&bent), "--store", &shop.store()]).code, Some(0));
    rusqlite::Connection::open(&bent).unwrap().execute("UPDATE saga SET wake_at = NULL", []).unwrap();
    let told = run(["store", "verify", "--store", path(&bent)]);
    let line = "saga order-0: it is `acting` and not in the wake-up index (`wake_at`): it is never driven; let `sqlite3` do: \
                UPDATE saga SET standing = 'acting', wake_at = 0";
    assert!(told.code == Some(1) && told.stdout.contains(line), "{told:?}");
    let verified = run(["store", "verify", "--store", path(&bent), "--json"]);
    let found: Value = serde_json::from_str(&verified.stdout).unwrap();
    let finding = &found["findings"][0];
    assert!(finding["saga"] == "order-0" && finding["cure"].as_str().unwrap().contains("wake_at = 0"), "{found}");

    let whole = fs::read(&bent).unwrap();
    fs::write(&bent, &whole[..whole.len() / 2 - 7]).unwrap();
    let cut = run(["store", "verify", "--store", path(&bent), "--json"]);
    let found: Value = serde_json::from_str(&cut.stdout).unwrap();
    assert!(cut.code == Some(1) && found["holds"] == false && found["findings"][0]["cure"].is_string(), "{cut:?}");
    let driven = run(["sagas", "list", "--store", path(&bent)]);
    assert!(driven.code == Some(1) && driven.stderr.contains("damaged"), "{driven:?}");
}
