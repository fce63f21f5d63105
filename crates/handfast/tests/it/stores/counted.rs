//! How many sagas stand how is kept by the file itself, whoever writes to it: a former version beside, a writer whose transaction
//! is taken back, and several at once.

use std::path::{Path, PathBuf};

use handfast::store::{Append, Filter, NewSaga, SqliteStore, Store};
use rusqlite::Connection;
use tempfile::TempDir;

use super::{append, entry, saga, wait};

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    (folder, path)
}

/// Makes of a store what the format before was.
fn to_format_4(path: &Path) {
    let sql = "DROP TRIGGER IF EXISTS saga_placed; DROP TRIGGER IF EXISTS saga_stands; DROP TRIGGER IF EXISTS saga_removed; \
         DROP INDEX saga_open; DROP TABLE counted; DELETE FROM refinery_schema_history WHERE version = 5";
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

/// What is kept is as the rows are, and `store verify` finds nothing wrong with it.
#[track_caller]
fn check_counted(path: &Path, expected: &[(&str, u64)]) {
    wait(async {
        let store = SqliteStore::open_to_read(path).unwrap();
        assert_eq!(store.examine().await.unwrap().damage, []);
        let listed = store.list(Filter::all(None, usize::MAX)).await.unwrap().sagas;
        let counts = store.counts().await.unwrap().by_standing;
        let expected: Vec<_> = expected.iter().map(|(standing, sagas)| ((*standing).to_owned(), *sagas)).collect();
        assert_eq!(counts, expected, "{listed:?}");
        assert_eq!(counts.iter().map(|(_, sagas)| sagas).sum::<u64>(), listed.len() as u64);
    });
}

#[test]
fn a_former_version_that_goes_on_writing_beside_is_counted() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    ["a", "b", "c"].into_iter().for_each(|id| drop(wait(store.create(saga(id))).unwrap()));
    drop(store);
    to_format_4(&path);
    // The words of format 4, prepared before the other version opens the file, and used on after it.
    let former = Connection::open(&path).unwrap();
    let mut place = former
        .prepare(
            "INSERT INTO saga (name, created, wake_at, standing, tries) VALUES (?1, 0, NULL, ?2, 0) ON CONFLICT (name) DO NOTHING",
        )
        .unwrap();
    let mut stand =
        former.prepare("UPDATE saga SET wake_at = NULL, standing = ?2, tries = 0, why = NULL WHERE name = ?1").unwrap();
    stand.execute(["c", "completed"]).unwrap();
    let store = SqliteStore::open(&path).unwrap();
    check_counted(&path, &[("acting", 2), ("completed", 1)]);
    place.execute(["d", "acting"]).unwrap();
    place.execute(["d", "acting"]).unwrap();
    stand.execute(["a", "cancelling"]).unwrap();
    stand.execute(["b", "acting"]).unwrap();
    former.execute_batch("BEGIN; UPDATE saga SET standing = 'suspended'; ROLLBACK").unwrap();
    wait(store.append(Append { standing: "completed", ..append("b", 2) })).unwrap();
    check_counted(&path, &[("acting", 1), ("cancelling", 1), ("completed", 2)]);
    former.execute("DELETE FROM saga WHERE name = 'd'", []).unwrap();
    check_counted(&path, &[("cancelling", 1), ("completed", 2)]);
}

#[test]
fn what_was_taken_back_is_not_counted() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    wait(store.create(saga("a"))).unwrap();
    let poison = "CREATE TRIGGER poison BEFORE INSERT ON journal WHEN new.seq = 13 BEGIN SELECT RAISE(ABORT, 'poisoned'); END";
    let other = Connection::open(&path).unwrap();
    other.execute_batch(poison).unwrap();
    let store = &store;
    wait(async {
        // Held back by another writer they queue up, and are committed together: with the one that cannot be done all is taken back,
        // and then each is tried by itself.
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let poisoned = NewSaga { entries: vec![entry(13, 100)], ..saga("b") };
        let writes = async {
            tokio::join!(
                store.create(saga("c")),
                store.create(poisoned),
                store.append(Append { standing: "completed", ..append("a", 2) }),
                store.suspend("c", 1, "for a reason"),
            )
        };
        let freed = async {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            other.execute_batch("COMMIT").unwrap();
        };
        let ((placed, poisoned, ended, suspended), ()) = tokio::join!(writes, freed);
        placed.unwrap();
        poisoned.unwrap_err();
        ended.unwrap();
        suspended.unwrap();
        other.execute_batch("DROP TRIGGER poison").unwrap();
    });
    check_counted(&path, &[("completed", 1), ("suspended", 1)]);
}

#[test]
fn two_writers_are_counted_together() {
    let (_folder, path) = folder();
    let stores = [SqliteStore::open(&path).unwrap(), SqliteStore::open(&path).unwrap()];
    std::thread::scope(|scope| {
        for (nth, store) in stores.iter().enumerate() {
            scope.spawn(move || {
                for number in 0..20 {
                    let id = format!("{nth}-{number}");
                    wait(store.create(saga(&id))).unwrap();
                    let standing = if number % 2 == 0 { "completed" } else { "acting" };
                    wait(store.append(Append { standing, ..append(&id, 2) })).unwrap();
                }
            });
        }
    });
    check_counted(&path, &[("acting", 20), ("completed", 20)]);
    // What is the same as before costs no write beside the row's own.
    let connection = Connection::open(&path).unwrap();
    let changes = connection.total_changes();
    connection.execute("UPDATE saga SET standing = 'acting', tries = 1 WHERE name = '0-1'", []).unwrap();
    assert_eq!(connection.total_changes(), changes + 1);
}
