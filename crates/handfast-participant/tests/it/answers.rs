//! No answer leaves before the commit that holds its effect, and that commit is flushed.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use handfast_participant::{Acted, Body, Key, Migration, Registers, Reply, Request, Reverted, Service, ServiceError, Time};
use rusqlite::Connection;
use serde_json::Value;

/// A service that waits inside its effect, and tells how its connection is set up.
struct Waiting {
    entered: Mutex<Sender<String>>,
    go_on: Mutex<Receiver<()>>,
}

impl Service for Waiting {
    fn name(&self) -> &'static str {
        "waiting"
    }

    fn migrations(&self) -> &'static [Migration] {
        &[]
    }

    fn act(&self, transaction: &Connection, _key: &Key, body: &Value, _now: Time) -> Result<Acted, ServiceError> {
        if body == "wait" {
            let mode: String = transaction.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
            let synchronous: i64 = transaction.pragma_query_value(None, "synchronous", |row| row.get(0))?;
            let keys: i64 = transaction.pragma_query_value(None, "foreign_keys", |row| row.get(0))?;
            self.entered.lock().unwrap().send(format!("{mode} {synchronous} {keys}"))?;
            self.go_on.lock().unwrap().recv()?;
        }
        Ok(Acted::Done)
    }

    fn undo(&self, _: &Connection, _: &Key, _: Time) -> Result<Reverted, ServiceError> {
        Ok(Reverted::Undone)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_waits_for_the_commit_of_its_batch() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let (enter, entered) = channel();
    let (go_on, going) = channel();
    let registers = Registers::open(&path, Waiting { entered: Mutex::new(enter), go_on: Mutex::new(going) }).unwrap();
    let act = |key: &str, body: &str| {
        let (registers, key): (_, Key) = (registers.clone(), key.parse().unwrap());
        let request = Request::Act { body: Body::parse(format!("\"{body}\"").as_bytes()).unwrap(), not_after: None };
        tokio::spawn(async move { registers.receive(key, request, None).await })
    };
    let first = act("first", "wait");
    // WAL, and FULL: the commit returns when the log is flushed.
    assert_eq!(entered.recv().unwrap(), "wal 2 1");
    let second = act("second", "go");
    tokio::time::sleep(Duration::from_millis(20)).await;
    let third = act("third", "wait");
    tokio::time::sleep(Duration::from_millis(20)).await;
    go_on.send(()).unwrap();
    assert!(first.await.unwrap().is_ok());

    // The second has acted, and the third of the same batch is acting: nothing may be said or seen of either.
    entered.recv().unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!second.is_finished());
    let reply = registers.peek("second".parse().unwrap(), None).await.unwrap();
    assert!(matches!(reply, Reply::Absent(_)), "{reply:?}");
    let on_disk =
        || -> i64 { Connection::open(&path).unwrap().query_row("SELECT count(*) FROM register", [], |row| row.get(0)).unwrap() };
    assert_eq!(on_disk(), 1);

    go_on.send(()).unwrap();
    assert!(second.await.unwrap().is_ok());
    assert_eq!(on_disk(), 3);
    assert!(third.await.unwrap().is_ok());
}
