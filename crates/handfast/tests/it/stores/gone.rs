//! The store is the file: what was removed, moved away or written over takes nothing any more, and a copy is itself.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use handfast::store::{NewSaga, SqliteOptions, SqliteStore, Store, StoreError};
use handfast::upkeep;
use tempfile::TempDir;

use super::{append, saga, wait};

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    (folder, path)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}{ending}", path.display()))
}

fn place(store: &SqliteStore, ids: std::ops::Range<u32>) {
    ids.for_each(|id| drop(wait(store.create(saga(&format!("s-{id}")))).unwrap()));
}

fn back_up(from: &Path, to: &Path) {
    SqliteStore::back_up(from, to, &mut |_, _| {}).unwrap();
}

/// Lets something happen to the files of an open store of ten sagas, after which it takes nothing.
#[track_caller]
fn check_gone(expected: &str, happens: impl FnOnce(&Path, &SqliteStore)) -> PathBuf {
    let (folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    place(&store, 0..10);
    store.intact().unwrap();
    happens(&path, &store);
    for again in 0..2 {
        let told = [
            wait(store.create(saga(&format!("lost-{again}")))).map(drop).unwrap_err(),
            wait(store.create(saga("s-1"))).map(drop).unwrap_err(),
            wait(store.append(append("s-1", 2))).unwrap_err(),
            wait(store.load("s-1")).map(drop).unwrap_err(),
            store.intact().unwrap_err(),
        ];
        for error in told {
            assert!(matches!(error, StoreError::Gone { .. }), "{error:?}");
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
    drop(store);
    folder.keep().join("shop.db")
}

#[test]
fn a_store_that_was_removed_takes_nothing() {
    check_gone("was moved away or removed", |path, _| fs::remove_file(path).unwrap());
    check_gone("-wal was moved away or removed", |path, _| fs::remove_file(beside(path, "-wal")).unwrap());
    check_gone("-shm was moved away or removed", |path, _| fs::remove_file(beside(path, "-shm")).unwrap());
}

#[test]
fn a_store_that_was_moved_away_takes_nothing_even_if_another_stands_there() {
    check_gone("was moved away or removed", |path, _| fs::rename(path, beside(path, ".old")).unwrap());
    check_gone("another file", |path, _| {
        back_up(path, &beside(path, ".copy"));
        fs::rename(beside(path, ".copy"), path).unwrap();
    });
    // What belongs to somebody else is left as it is when the old store is closed.
    let path = check_gone("another file", |path, _| {
        for ending in ["", "-wal", "-shm"] {
            fs::rename(beside(path, ending), beside(path, &format!("{ending}.old"))).unwrap();
        }
        let new = SqliteStore::open(path).unwrap();
        place(&new, 90..95);
        // As a crash of its process would leave it, with a log.
        std::mem::forget(new);
    });
    assert!(fs::metadata(beside(&path, "-wal")).unwrap().len() > 0);
    assert!(wait(SqliteStore::open(&path).unwrap().load("s-92")).unwrap().is_some());
    fs::remove_dir_all(path.parent().unwrap()).unwrap();
}

#[test]
fn a_backup_that_was_copied_over_it_is_noticed_and_left_as_it_is() {
    // One that is older than the file, and one that is newer since the log was not carried over meanwhile.
    let path = check_gone("was written over", |path, store| {
        back_up(path, &beside(path, ".backup"));
        place(store, 10..20);
        fs::copy(beside(path, ".backup"), path).unwrap();
    });
    assert_eq!(fs::read(&path).unwrap(), fs::read(beside(&path, ".backup")).unwrap(), "closing writes nothing into it");
    check_gone("was written over", |path, store| {
        fs::copy(path, beside(path, ".backup")).unwrap();
        let other = SqliteStore::open_with(path, &SqliteOptions { checkpoint_pages: 1, ..SqliteOptions::default() }).unwrap();
        place(&other, 10..20);
        // The log is carried over after the answer, and must not be while the copy is made.
        drop(other);
        store.intact().expect("carrying the log over is no change of the store");
        let generation = |path: &Path| fs::read(path).unwrap()[60..64].to_vec();
        assert_ne!(generation(path), generation(&beside(path, ".backup")), "the log was carried over");
        fs::copy(beside(path, ".backup"), path).unwrap();
    });
}

/// What `.restore` of the sqlite3 shell does: neither inode nor header shows it, since it goes by the log.
#[test]
fn a_backup_that_is_put_back_through_sqlite_is_noticed_by_the_next_commit() {
    check_gone("an older copy was put in its place", |path, store| {
        let backup = beside(path, ".backup");
        back_up(path, &backup);
        place(store, 10..20);
        let from = rusqlite::Connection::open(&backup).unwrap();
        let mut into = rusqlite::Connection::open(path).unwrap();
        let restore = rusqlite::backup::Backup::new(&from, &mut into).unwrap();
        restore.run_to_completion(1_000, Duration::ZERO, None).unwrap();
    });
}

/// Of the file's header nobody had seen what the log made of it, so that a copy from in between looked younger.
#[test]
fn a_backup_that_is_copied_over_it_right_after_the_log_was_carried_over_is_noticed() {
    let (_folder, path) = folder();
    let store = SqliteStore::open_with(&path, &SqliteOptions { checkpoint_pages: 60, ..SqliteOptions::default() }).unwrap();
    place(&store, 0..2);
    let copy = beside(&path, ".backup");
    back_up(&path, &copy);
    let generation = |path: &Path| fs::read(path).unwrap()[60..64].to_vec();
    let copied = generation(&copy);
    let is_carried_over = || generation(&path) > copied;
    let mut placed = 2;
    while !is_carried_over() {
        assert!(placed < 100, "the log is never carried over");
        place(&store, placed..placed + 1);
        placed += 1;
        // It is carried over after the answer.
        for _ in 0..20 {
            if is_carried_over() {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    fs::copy(&copy, &path).unwrap();
    let mut found = store.intact();
    for _ in 0..1_000 {
        if found.is_err() {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
        found = store.intact();
    }
    assert!(matches!(&found, Err(StoreError::Gone { why, .. }) if why.contains("written over")), "{found:?}");
}

/// Two stores on one file that carry the log over all the time, read while they do.
#[test]
fn what_stores_do_themselves_is_never_taken_for_a_replacement() {
    let (_folder, path) = folder();
    let options = SqliteOptions { checkpoint_pages: 1, ..SqliteOptions::default() };
    let stores = [SqliteStore::open_with(&path, &options).unwrap(), SqliteStore::open(&path).unwrap()];
    for round in 0..100 {
        place(&stores[round as usize % 2], round * 2..round * 2 + 2);
        stores.iter().for_each(|store| store.intact().unwrap());
    }
    let done = &std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let looker = scope.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                stores.iter().for_each(|store| store.intact().unwrap());
            }
        });
        let writers = [(&stores[0], 1_000), (&stores[1], 2_000)]
            .map(|(store, first)| scope.spawn(move || place(store, first..first + 100)));
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        looker.join().unwrap();
    });
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    stores.iter().for_each(|store| store.intact().unwrap());
}

#[test]
fn a_copy_of_the_file_alone_is_the_same_store() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    let copy = beside(&path, ".copy");
    fs::copy(&path, &copy).unwrap();
    place(&store, 0..3);
    assert_eq!(SqliteStore::open(&copy).unwrap().store_id(), store.store_id());
}

#[test]
fn a_backup_of_a_store_in_use_is_whole_and_for_its_owner_only() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    place(&store, 0..50);
    let copy = beside(&path, ".copy");
    let mut told = Vec::new();
    SqliteStore::back_up(&path, &copy, &mut |pages, of| told.push((pages, of))).unwrap();
    assert!(matches!(told.last(), Some((pages, of)) if pages == of && *of > 0), "{told:?}");
    let error = SqliteStore::back_up(&path, &copy, &mut |_, _| {}).unwrap_err();
    assert!(error.to_string().contains("something already"), "{error}");
    for ending in ["", "-wal", "-shm", ".copy"] {
        let mode = fs::metadata(beside(&path, ending)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{ending}");
    }
    let left: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left.len(), 4, "nothing else is left: {left:?}");
    let copied = SqliteStore::open_to_read(&copy).unwrap();
    assert_eq!((copied.store_id(), wait(copied.counts()).unwrap()), (store.store_id(), wait(store.counts()).unwrap()));
}

#[test]
fn a_backup_beside_a_newer_log_is_explained_with_its_cure() {
    let (_folder, path) = folder();
    let backup = beside(&path, ".backup");
    let options = SqliteOptions { checkpoint_pages: 20, ..SqliteOptions::default() };
    let store = SqliteStore::open_with(&path, &options).unwrap();
    place(&store, 0..10);
    back_up(&path, &backup);
    place(&store, 10..40);
    // As kill -9 leaves it.
    let (file, log) = (fs::read(&path).unwrap(), fs::read(beside(&path, "-wal")).unwrap());
    drop(store);
    fs::write(beside(&path, "-wal"), &log).unwrap();
    fs::copy(&backup, &path).unwrap();
    let error = SqliteStore::open(&path).unwrap_err().to_string();
    assert!(error.contains("an older copy") && error.contains("move") && error.contains("-wal"), "{error}");
    assert!(SqliteStore::open_to_read(&path).is_err());
    assert_eq!(fs::read(beside(&path, "-wal")).unwrap(), log, "nothing is changed");
    // The file that the log belongs to goes on, and so does the backup without the log.
    fs::write(&path, file).unwrap();
    assert!(wait(SqliteStore::open(&path).unwrap().load("s-39")).unwrap().is_some());
    let restored = SqliteStore::open(&backup).unwrap();
    assert!(wait(restored.load("s-9")).unwrap().is_some() && wait(restored.load("s-10")).unwrap().is_none());
}

#[test]
fn a_log_whose_file_is_lost_is_not_taken_for_an_empty_store() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    place(&store, 0..3);
    let log = fs::read(beside(&path, "-wal")).unwrap();
    drop(store);
    fs::remove_file(&path).unwrap();
    fs::write(beside(&path, "-wal"), log).unwrap();
    let error = SqliteStore::open(&path).unwrap_err().to_string();
    assert!(error.contains("put the file back"), "{error}");
    assert!(!path.exists());
}

/// A folder that nothing can be written in: what would be made beside the file is in the way.
#[test]
fn an_archived_store_is_looked_into_where_nothing_can_be_written() {
    let (folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    place(&store, 0..3);
    let archive = folder.path().join("archive.db");
    back_up(&path, &archive);
    fs::create_dir(beside(&archive, "-wal")).unwrap();
    fs::create_dir(beside(&archive, "-shm")).unwrap();
    let refused = SqliteStore::open(&archive).unwrap_err().to_string();
    assert!(refused.contains("archive.db") && refused.contains("have to be writable"), "{refused}");
    let before = fs::read(&archive).unwrap();
    let read = SqliteStore::open_to_read(&archive).unwrap();
    assert_eq!(read.store_id(), store.store_id());
    assert!(wait(read.load("s-2")).unwrap().is_some() && wait(read.tries("s-2")).unwrap().is_empty());
    assert!(matches!(wait(read.create(saga("x"))), Err(StoreError::Unavailable(_))));
    drop(read);
    assert_eq!(fs::read(&archive).unwrap(), before);
}

/// Writes rubbish over the page that holds the journal, and hands back what was there.
fn damage(path: &Path) -> (u64, Vec<u8>) {
    let connection = rusqlite::Connection::open(path).unwrap();
    let page: u32 =
        connection.query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'journal'", [], |row| row.get(0)).unwrap();
    drop(connection);
    let at = u64::from(page - 1) * 4096;
    let whole = fs::read(path).unwrap();
    write_at(path, at, &[0xff; 4096]);
    (at, whole[at as usize..at as usize + 4096].to_vec())
}

fn write_at(path: &Path, at: u64, bytes: &[u8]) {
    use std::os::unix::fs::FileExt as _;
    fs::OpenOptions::new().write(true).open(path).unwrap().write_all_at(bytes, at).unwrap();
}

#[test]
fn what_cannot_be_read_is_trouble_of_the_store_until_it_can() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    place(&store, 0..3);
    drop(store);
    let (at, page) = damage(&path);
    let store = SqliteStore::open(&path).unwrap();
    for _again in 0..2 {
        let error = wait(store.load("s-1")).unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
        assert!(error.to_string().contains("s-1"), "{error}");
    }
    let verified = wait(upkeep::verify(path.to_str().unwrap(), &mut |_, _| {})).unwrap();
    assert!(!verified.holds());
    write_at(&path, at, &page);
    assert!(wait(store.load("s-1")).unwrap().is_some(), "the page was put right under the open store");
    wait(store.append(append("s-1", 2))).unwrap();
    assert!(wait(store.create(NewSaga { wake_at: None, ..saga("new") })).is_ok());
}
