//! What is found at the path: somebody else's file, a newer store, a damaged row, the store as it was left.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use handfast::participant::InMemory;
use handfast::store::{Filter, NewSaga, SqliteStore, Store, StoreError, open};
use handfast::{Engine, Flow};
use handfast_protocol::Time;
use rusqlite::Connection;
use tempfile::TempDir;

use super::{append, attempt, digest, entry, key_hash, saga, wait};

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a store ü%20?.db");
    (folder, path)
}

/// A store with a saga `a` of three entries, closed again.
fn filled(path: &Path) {
    let store = SqliteStore::open(path).unwrap();
    wait(async {
        store.create(NewSaga { request_key_hash: key_hash("key-17"), ..saga("a") }).await.unwrap();
        store.create(saga("b")).await.unwrap();
        store.append(append("a", 2)).await.unwrap();
        store.append(append("a", 3)).await.unwrap();
    });
}

fn everything_in(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut contents: Vec<_> = files.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect();
    contents.sort();
    contents
}

#[track_caller]
fn check_refused(folder: &TempDir, path: &Path, expected: &str) {
    let before = everything_in(folder.path());
    let error = SqliteStore::open(path).unwrap_err();
    assert!(matches!(error, StoreError::NotOurs { .. }), "{error:?}");
    assert!(error.to_string().contains(expected), "{error}");
    assert_eq!(everything_in(folder.path()), before, "nothing is touched, nothing is left behind");
}

#[test]
fn a_store_is_as_it_was_left() {
    let (_folder, path) = folder();
    filled(&path);
    let first_id = SqliteStore::open(&path).unwrap().store_id().to_owned();
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(store.store_id(), first_id, "the id is drawn once");
    assert_eq!(first_id.len(), 10);
    assert!(first_id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()), "{first_id}");
    let loaded = wait(store.load("a")).unwrap().unwrap();
    assert_eq!((loaded.entries.len(), loaded.wake_at), (3, Some(Time(200))));
}

/// The log was cut off in the middle of being copied into the file: the file's first page is new, the others are as before.
#[test]
fn a_checkpoint_that_was_cut_short_is_finished_by_the_next_opening() {
    let (folder, path) = folder();
    let log = |path: &Path| PathBuf::from(format!("{}-wal", path.display()));
    let killed = folder.path().join("killed.db");
    {
        let store = SqliteStore::open(&path).unwrap();
        wait(store.create(saga("a"))).unwrap();
        std::fs::copy(log(&path), log(&killed)).unwrap();
        std::fs::copy(&path, &killed).unwrap();
    }
    let whole = std::fs::read(&path).unwrap();
    let page = usize::from(u16::from_be_bytes([whole[16], whole[17]]));
    assert!(whole.len() > page, "closing the store has copied the log into the file");
    let mut begun = std::fs::read(&killed).unwrap();
    begun[..page].copy_from_slice(&whole[..page]);
    std::fs::write(&killed, begun).unwrap();
    let store = SqliteStore::open(&killed).unwrap();
    assert!(wait(store.load("a")).unwrap().is_some());
}

#[test]
fn two_stores_draw_two_ids() {
    let (folder, path) = folder();
    let other = folder.path().join("other.db");
    assert_ne!(SqliteStore::open(path).unwrap().store_id(), SqliteStore::open(other).unwrap().store_id());
}

#[test]
fn a_text_file_is_refused_untouched() {
    let (folder, path) = folder();
    std::fs::write(
        &path,
        "Dear diary, this is not a database, and it is longer than a header of a hundred bytes would be. ".repeat(9),
    )
    .unwrap();
    check_refused(&folder, &path, "not a SQLite database");
    std::fs::write(&path, "short").unwrap();
    check_refused(&folder, &path, "not a SQLite database");
}

#[test]
fn a_database_of_something_else_is_refused_untouched() {
    for wal in [false, true] {
        let (folder, path) = folder();
        let theirs = Connection::open(&path).unwrap();
        if wal {
            theirs.pragma_update(None, "journal_mode", "wal").unwrap();
        }
        theirs.execute_batch("CREATE TABLE diary (day TEXT); INSERT INTO diary VALUES ('monday')").unwrap();
        check_refused(&folder, &path, "something else");
        // Also as a crash leaves it, with a log beside it that only its owner may carry over.
        let crashed = tempfile::tempdir().unwrap();
        for (file, content) in everything_in(folder.path()) {
            std::fs::write(crashed.path().join(file.file_name().unwrap()), content).unwrap();
        }
        check_refused(&crashed, &crashed.path().join(path.file_name().unwrap()), "something else");
    }
}

#[test]
fn a_path_that_cannot_be_a_file_says_why() {
    let (folder, path) = folder();
    let message = |path: &Path| match SqliteStore::open(path) {
        Err(StoreError::Open { why, .. }) => why,
        other => panic!("{other:?}"),
    };
    assert!(message(folder.path()).contains("folder"));
    assert!(message(&path.join("x.db")).contains("does not exist"));
    std::fs::write(&path, "").unwrap();
    SqliteStore::open(&path).expect("an empty file is as good as none");
}

#[test]
fn a_newer_store_is_refused() {
    let (folder, path) = folder();
    filled(&path);
    let newer = "INSERT INTO refinery_schema_history (version, name, applied_on, checksum) \
         VALUES (1000, 'later', '2030-01-01T00:00:00Z', '1')";
    Connection::open(&path).unwrap().execute(newer, []).unwrap();
    let before = everything_in(folder.path());
    let error = SqliteStore::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 1000, known: 5, .. }), "{error:?}");
    assert_eq!(everything_in(folder.path()), before);
}

async fn length_of_a(store: &SqliteStore) -> u64 {
    store.lengths(vec!["a".into()]).await.unwrap()[0].1
}

#[tokio::test]
async fn a_saga_whose_journal_lacks_a_row_is_put_aside() {
    let (_folder, path) = folder();
    let flow = Flow::builder("shop").compensatable("payment", "bank").pivot("dispatch", "depot").build().unwrap();
    let store = SqliteStore::open(&path).unwrap();
    store.create(NewSaga { entries: vec![entry(1, 100)], ..crate::driver::stored("a", &flow, 1, digest(1)) }).await.unwrap();
    store.append(append("a", 2)).await.unwrap();
    store.append(append("a", 3)).await.unwrap();
    assert_eq!(Connection::open(&path).unwrap().execute("DELETE FROM journal WHERE seq = 2", []).unwrap(), 1);
    // Its length is the number of its last entry.
    let loaded = store.load("a").await.unwrap().unwrap();
    assert_eq!((loaded.entries.len(), loaded.length(), length_of_a(&store).await), (2, 3, 3));
    assert!(matches!(store.park("a", Some(2), Time(200), 0).await, Err(StoreError::Conflict)));
    store.park("a", Some(3), Time(200), 0).await.unwrap();
    drop(store);
    let store = Arc::new(SqliteStore::open(&path).unwrap());
    let engine = Engine::builder(Arc::clone(&store) as Arc<dyn Store>).flow(flow).participant("bank", InMemory::new(|_, _| true));
    let engine = engine.participant("depot", InMemory::new(|_, _| true)).open().await.unwrap();
    let put_aside = async {
        while store.load("a").await.unwrap().unwrap().wake_at <= Some(Time(200)) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), put_aside).await.expect("it is looked at on and on");
    assert_eq!(engine.stats().left_alone.len(), 1);
}

/// Damages the store by SQL, and returns what loading `a` says then. `b` must not suffer.
fn damaged(sql: &str) -> String {
    let (_folder, path) = folder();
    filled(&path);
    let connection = Connection::open(&path).unwrap();
    // STRICT tables keep wrong types out of reach of an honest mistake; a flipped bit does not ask.
    connection.pragma_update(None, "writable_schema", "on").unwrap();
    connection.execute("UPDATE sqlite_schema SET sql = replace(sql, 'STRICT, ', '')", []).unwrap();
    connection.execute("UPDATE sqlite_schema SET sql = replace(sql, ') STRICT', ')')", []).unwrap();
    drop(connection);
    assert!(Connection::open(&path).unwrap().execute(sql, []).unwrap() > 0, "{sql}");
    let store = SqliteStore::open(&path).unwrap();
    wait(async {
        assert!(store.load("b").await.unwrap().is_some());
        // Whoever adds up all orders is told that this one cannot be read, and not that there is nothing in it.
        let (orders, _) = store.orders(Filter::all(None, 9)).await.unwrap();
        let unreadable: Vec<bool> = orders.iter().map(|one| one.order.is_none()).collect();
        assert_eq!(unreadable, [sql.contains(" placed "), false], "{sql}");
        match store.load("a").await {
            Err(StoreError::Corrupt { id, what }) => {
                assert_eq!(id, "a");
                store.suspend(&id, length_of_a(&store).await, &what).await.unwrap();
                assert_eq!(store.due(Time(u64::MAX), 9).await.unwrap().0, ["b"]);
                what
            }
            other => panic!("{sql}: {other:?}"),
        }
    })
}

#[test]
fn a_damaged_row_is_named() {
    for (sql, expected) in [
        ("UPDATE journal SET digest = x'00' WHERE saga = 1 AND seq = 2", "journal entry 2"),
        ("UPDATE journal SET input = x'ff' WHERE saga = 1 AND seq = 3", "journal entry 3"),
        ("UPDATE journal SET at = 'noon' WHERE saga = 1 AND seq = 1", "journal entry 1"),
        ("UPDATE placed SET input = x'00' WHERE saga = 1", "`placed`"),
        ("UPDATE placed SET bodies = replace(bodies, '1', '2') WHERE saga = 1", "`placed`"),
        ("UPDATE placed SET version = 2 WHERE saga = 1", "`placed`"),
        ("DELETE FROM placed WHERE saga = 1", "`placed` is missing"),
        ("UPDATE saga SET tries = -1 WHERE id = 1", "`saga`"),
    ] {
        let what = damaged(sql);
        assert!(what.contains(expected), "{sql}: {what}");
    }
}

#[test]
fn a_damaged_flow_is_named() {
    for (sql, expected) in [("UPDATE flow SET text = 'steps = [1]'", "hash differs"), ("DELETE FROM flow", "missing")] {
        let (_folder, path) = folder();
        filled(&path);
        Connection::open(&path).unwrap().execute(sql, []).unwrap();
        let error = wait(SqliteStore::open(&path).unwrap().load("a")).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn a_url_names_a_store() {
    let (folder, _) = folder();
    let path = folder.path().join("plain.db");
    let plain = path.to_str().unwrap();
    let id = open(plain).unwrap().store_id().to_owned();
    for url in [format!("sqlite:{plain}"), format!("sqlite://{plain}")] {
        assert_eq!(open(&url).unwrap().store_id(), id, "{url}");
    }
    assert_ne!(open("memory:").unwrap().store_id(), open("memory:").unwrap().store_id());
    for wrong in ["", "sqlite:", "postgres://localhost/x", ":memory:"] {
        assert!(matches!(open(wrong).map(drop), Err(StoreError::Open { .. })), "{wrong}");
    }
}

#[test]
fn sagas_that_have_ended_cost_nothing_at_start_up() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    wait(async {
        for number in 0..200 {
            store.create(NewSaga { wake_at: None, ..saga(&format!("ended-{number}")) }).await.unwrap();
        }
        store.create(saga("alive")).await.unwrap();
    });
    drop(store);
    let connection = Connection::open(&path).unwrap();
    let entries: i64 = connection
        .query_row("SELECT count(*) FROM saga INDEXED BY saga_wake_at WHERE wake_at IS NOT NULL", [], |row| row.get(0))
        .unwrap();
    assert_eq!(entries, 1, "the index that is read at start-up holds who is awake, and nobody else");
}

#[test]
fn tries_that_nobody_asks_for_are_kept_when_the_store_closes() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    wait(store.create(saga("a"))).unwrap();
    store.record_try(attempt("a", 1));
    drop(store);
    assert_eq!(wait(SqliteStore::open(&path).unwrap().tries("a")).unwrap(), [attempt("a", 1)]);
}

/// The SQL blocks of the format's document, and its text.
fn document() -> (Vec<String>, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/journal.md");
    let text = std::fs::read_to_string(path).unwrap();
    let blocks = text.split("```sql").skip(1).map(|block| block.split("```").next().unwrap().to_owned()).collect();
    (blocks, text)
}

#[test]
fn the_document_describes_the_file() {
    let (_folder, path) = folder();
    filled(&path);
    let connection = Connection::open(&path).unwrap();
    let (blocks, text) = document();
    assert_eq!(blocks.len(), 4);
    let mut rows = Vec::new();
    for statement in blocks.iter().flat_map(|block| block.split(';')).filter(|statement| !statement.trim().is_empty()) {
        let mut sql = connection.prepare(&statement.replace("order-17", "a")).unwrap();
        rows.push(sql.query_map([], |_| Ok(())).unwrap().count());
    }
    let expected = "the journal of `a`, what it was placed with, the order of `key-17`, who is awake, who is suspended";
    assert_eq!(rows, [3, 1, 1, 2, 0], "{expected}");
    let columns = "SELECT tables.name, columns.name FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns \
         WHERE tables.type = 'table' AND tables.name <> 'refinery_schema_history'";
    let mut sql = connection.prepare(columns).unwrap();
    let columns = sql.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))).unwrap();
    for (table, column) in columns.map(Result::unwrap) {
        let section = text.split(&format!("### `{table}`")).nth(1).unwrap_or_else(|| panic!("no section for {table}"));
        let section = section.split("\n##").next().unwrap();
        assert!(section.contains(&format!("`{column}`")), "{table}.{column} is not described");
    }
}
