//! Two workers on one file, and a process that dies in the middle of a write.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use handfast::store::{Append, Created, Entry, NewSaga, SqliteStore, Store, StoreError};
use rusqlite::Connection;

use super::{append, digest, entry, key_hash, saga, wait};

fn many_threads() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

#[test]
fn one_of_two_workers_wins_each_entry() {
    const ENTRIES: u64 = 60;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let stores = [0, 1].map(|_| Arc::new(SqliteStore::open(&path).unwrap()));
    many_threads().block_on(async {
        stores[0].create(saga("a")).await.unwrap();
        for seq in 2..=ENTRIES {
            let racers = [0, 1].map(|worker| {
                let store = Arc::clone(&stores[worker]);
                let input = format!(r#"{{"cancel":{{"by":"worker {worker}"}}}}"#);
                let entry = Entry { input, ..entry(seq, 100) };
                tokio::spawn(async move { store.append(Append { entry, ..append("a", seq) }).await })
            });
            let mut winners = Vec::new();
            for (worker, racer) in racers.into_iter().enumerate() {
                match racer.await.unwrap() {
                    Ok(()) => winners.push(worker),
                    Err(StoreError::Conflict) => {}
                    Err(other) => panic!("{other}"),
                }
            }
            assert_eq!(winners.len(), 1, "entry {seq}");
            for store in &stores {
                let journal = store.load("a").await.unwrap().unwrap().entries;
                assert_eq!(journal.len() as u64, seq);
                let last = &journal.last().unwrap().input;
                assert!(last.contains(&format!("worker {}", winners[0])), "{last} is in the journal, but {winners:?} won");
            }
        }
    });
}

#[test]
fn one_of_two_workers_places_an_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    // Opened at the same time too: one of them creates the file.
    let opening = [0, 1].map(|_| {
        let path = path.clone();
        std::thread::spawn(move || Arc::new(SqliteStore::open(path).unwrap()))
    });
    let stores = opening.map(|thread| thread.join().unwrap());
    assert_eq!(stores[0].store_id(), stores[1].store_id());
    many_threads().block_on(async {
        for number in 0..30 {
            let id = format!("order-{number}");
            let racers = [0, 1].map(|worker| {
                let (store, new) = (Arc::clone(&stores[worker]), saga(&id));
                tokio::spawn(async move { store.create(new).await.unwrap() })
            });
            let mut answers = Vec::new();
            for racer in racers {
                answers.push(racer.await.unwrap());
            }
            assert_eq!(answers.iter().filter(|answer| **answer == Created::New).count(), 1, "{answers:?}");
        }
    });
}

#[test]
fn one_of_two_workers_takes_a_requests_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let stores = [0, 1].map(|_| Arc::new(SqliteStore::open(&path).unwrap()));
    many_threads().block_on(async {
        for number in 0..30 {
            let racers = [0, 1].map(|worker| {
                let request_key_hash = key_hash(&format!("key-{number}"));
                let (store, id) = (Arc::clone(&stores[worker]), format!("order-{number}-{worker}"));
                tokio::spawn(async move { store.create(NewSaga { request_key_hash, ..saga(&id) }).await.unwrap() })
            });
            let mut answers = Vec::new();
            for racer in racers {
                answers.push(racer.await.unwrap());
            }
            let winner = answers.iter().position(|answer| *answer == Created::New).expect("somebody takes it");
            let holder = format!("order-{number}-{winner}");
            assert_eq!(answers[1 - winner], Created::KeyTaken { id: holder });
            let loser = format!("order-{number}-{}", 1 - winner);
            assert_eq!(stores[0].load(&loser).await.unwrap(), None, "nothing of it is written");
        }
    });
}

#[test]
fn a_conflict_costs_the_others_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(folder.path().join("store.db")).unwrap());
    many_threads().block_on(async {
        for number in 0..50 {
            store.create(saga(&format!("{number}"))).await.unwrap();
        }
        // Asked for together, they are committed together.
        let appends = (0..50).map(|number| {
            let store = Arc::clone(&store);
            let previous = if number % 5 == 0 { digest(99) } else { digest(1) };
            tokio::spawn(async move { (number, store.append(Append { previous, ..append(&format!("{number}"), 2) }).await) })
        });
        for appended in appends.collect::<Vec<_>>() {
            let (number, answer) = appended.await.unwrap();
            assert_eq!(answer.is_ok(), number % 5 != 0, "{answer:?}");
            let length = store.load(&format!("{number}")).await.unwrap().unwrap().entries.len();
            assert_eq!(length, if number % 5 == 0 { 1 } else { 2 });
        }
    });
}

/// Lets SQLite refuse every entry whose input says so, as it would refuse to touch a damaged page.
fn poison(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    let trigger = "CREATE TRIGGER poison BEFORE INSERT ON journal WHEN new.input LIKE '%poison%' \
         BEGIN SELECT RAISE(ABORT, 'this one is poisoned'); END";
    connection.execute_batch(trigger).unwrap();
    connection
}

fn poisoned(seq: u64) -> Entry {
    Entry { input: "poison".to_owned(), ..entry(seq, 100) }
}

#[test]
fn a_write_that_cannot_be_done_costs_the_others_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = Arc::new(SqliteStore::open(&path).unwrap());
    let connection = poison(&path);
    many_threads().block_on(async {
        for number in 0..20 {
            store.create(saga(&format!("{number}"))).await.unwrap();
        }
        // While somebody else writes everything queues up, and is then committed together.
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        let appends = (0..20).map(|number| {
            let store = Arc::clone(&store);
            let entry = if number == 13 { poisoned(2) } else { entry(2, 100) };
            tokio::spawn(async move { (number, store.append(Append { entry, ..append(&format!("{number}"), 2) }).await) })
        });
        let appends: Vec<_> = appends.collect();
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        connection.execute_batch("COMMIT").unwrap();
        for appended in appends {
            let (number, answer) = appended.await.unwrap();
            let length = store.load(&format!("{number}")).await.unwrap().unwrap().entries.len();
            if number == 13 {
                assert!(
                    matches!(&answer, Err(StoreError::Unavailable(why)) if why.to_string().contains("poisoned")),
                    "{answer:?}"
                );
                assert_eq!(length, 1);
            } else {
                answer.unwrap();
                assert_eq!(length, 2);
            }
        }
        store.append(append("13", 2)).await.expect("it works again");
    });
}

#[test]
fn what_was_taken_back_is_not_believed_to_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path).unwrap();
    poison(&path);
    wait(async {
        // The flow is written with the first saga of its kind, and taken back with it.
        let answer = store.create(NewSaga { entries: vec![poisoned(1)], ..saga("a") }).await;
        assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
        assert_eq!(store.load("a").await.unwrap(), None, "nothing half-done");
        assert_eq!(store.create(saga("b")).await.unwrap(), Created::New);
        assert_eq!(store.load("b").await.unwrap().unwrap().flow_text, saga("b").flow_text);
    });
}

const KILLED: &str = "HANDFAST_TEST_KILLED_STORE";

/// The child: appends to several sagas at once, and says of each entry that it was acknowledged, until it is killed.
#[test]
fn child_that_is_killed() {
    let Ok(path) = std::env::var(KILLED) else { return };
    let store = Arc::new(SqliteStore::open(path).unwrap());
    many_threads().block_on(async {
        let workers = (0..8).map(|number| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let id = format!("saga-{number}");
                store.create(saga(&id)).await.unwrap();
                for seq in 2.. {
                    store.append(append(&id, seq)).await.unwrap();
                    println!("acknowledged {id} {seq}");
                }
            })
        });
        for worker in workers.collect::<Vec<_>>() {
            worker.await.unwrap();
        }
    });
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    for after in [1, 40, 400, 1_500] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["stores::racing::child_that_is_killed", "--exact", "--nocapture"])
            .env(KILLED, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut acknowledged = std::collections::BTreeMap::<String, u64>::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut hear = |line: String| {
            let mut words = line.split(' ');
            if let (Some("acknowledged"), Some(id), Some(Ok(seq))) = (words.next(), words.next(), words.next().map(str::parse)) {
                acknowledged.insert(id.to_owned(), seq);
            }
        };
        lines.by_ref().take(after + 3).for_each(|line| hear(line.unwrap()));
        child.kill().unwrap();
        // What it had said before it died counts too; its last line may be cut off.
        lines.map_while(Result::ok).for_each(&mut hear);
        child.wait().unwrap();

        assert!(!acknowledged.is_empty());
        let store = SqliteStore::open(&path).unwrap();
        for (id, seq) in acknowledged {
            let journal = wait(store.load(&id)).unwrap().unwrap().entries;
            assert!(journal.len() as u64 >= seq, "{id}: entry {seq} was acknowledged, but {} are there", journal.len());
            for (found, expected) in journal.iter().zip(1..) {
                assert_eq!((found.seq, found.digest), (expected, digest(expected)));
            }
        }
    }
}
