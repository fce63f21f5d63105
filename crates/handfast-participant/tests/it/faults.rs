//! Effects that fail, panic or fill the disk: neither row nor effect is left, and the neighbours in the batch are not touched.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use handfast_participant::{
    Acted, Body, Definite, Key, Migration, NotDefinite, Registers, Reply, Request, Reverted, Service, ServiceError, Time,
};
use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// A service that does to its effect what the body says, after it has written.
struct Troubled {
    entered: Mutex<Sender<()>>,
    go_on: Mutex<Receiver<()>>,
}

impl Service for Troubled {
    fn name(&self) -> &'static str {
        "troubled"
    }

    fn migrations(&self) -> &'static [Migration] {
        &[Migration {
            name: "V1__effect",
            sql: "CREATE TABLE effect (
                      key  TEXT PRIMARY KEY,
                      size BLOB,
                      owner TEXT REFERENCES register (key) DEFERRABLE INITIALLY DEFERRED
                  ) STRICT;",
        }]
    }

    fn act(&self, transaction: &Connection, key: &Key, body: &Value, _now: Time) -> Result<Acted, ServiceError> {
        transaction.execute("INSERT INTO effect (key) VALUES (?1)", [key.as_str()])?;
        match body.as_str() {
            Some("well") => Ok(Acted::Done),
            Some("refuse") => Ok(Acted::refused("no")),
            Some("fail") => Err("the effect failed after it had written".into()),
            Some("panic") => panic!("the effect panicked after it had written"),
            Some("wait") => {
                self.entered.lock().unwrap().send(())?;
                self.go_on.lock().unwrap().recv()?;
                Ok(Acted::Done)
            }
            Some("fill") => {
                let pages: i64 = transaction.pragma_query_value(None, "page_count", |row| row.get(0))?;
                transaction.pragma_update_and_check(None, "max_page_count", pages + 1, |_| Ok(()))?;
                transaction.execute("UPDATE effect SET size = zeroblob(1000000) WHERE key = ?1", [key.as_str()])?;
                Ok(Acted::Done)
            }
            Some("break at commit") => {
                transaction.execute("UPDATE effect SET owner = 'nobody' WHERE key = ?1", [key.as_str()])?;
                Ok(Acted::Done)
            }
            other => panic!("{other:?} is no trouble"),
        }
    }

    fn undo(&self, transaction: &Connection, key: &Key, _now: Time) -> Result<Reverted, ServiceError> {
        transaction.execute("DELETE FROM effect WHERE key = ?1", [key.as_str()])?;
        Err("the undo failed after it had written".into())
    }
}

type Answered = Result<Reply, NotDefinite>;

struct Trouble {
    registers: Registers,
    entered: Receiver<()>,
    go_on: Sender<()>,
    folder: TempDir,
}

impl Trouble {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (enter, entered) = channel();
        let (go_on, going) = channel();
        let service = Troubled { entered: Mutex::new(enter), go_on: Mutex::new(going) };
        let registers = Registers::open(folder.path().join("store.db"), service).unwrap();
        Self { registers, entered, go_on, folder }
    }

    fn act(&self, key: &str, trouble: &str) -> JoinHandle<Answered> {
        let body = Body::parse(format!("\"{trouble}\"").as_bytes()).unwrap();
        self.ask(key, Request::Act { body, not_after: None })
    }

    fn ask(&self, key: &str, request: Request) -> JoinHandle<Answered> {
        let (registers, key) = (self.registers.clone(), key.parse().unwrap());
        tokio::spawn(async move { registers.receive(key, request, None).await })
    }

    /// Asks for all of them so that they share one batch, after the one that waits.
    async fn together(&self, acts: &[(&str, &str)]) -> Vec<Answered> {
        let first = self.act("first", "wait");
        self.entered.recv().unwrap();
        let mut waiting = Vec::new();
        for (key, trouble) in acts {
            waiting.push(self.act(key, trouble));
            // One after the other, so that they stand in the queue in this order.
            tokio::task::yield_now().await;
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        self.go_on.send(()).unwrap();
        assert!(first.await.unwrap().is_ok());
        let mut answers = Vec::new();
        for answer in waiting {
            answers.push(answer.await.unwrap());
        }
        answers
    }

    /// The registers that are done and the effects that are there, past all our code.
    fn books(&self) -> (Vec<String>, Vec<String>) {
        let connection = Connection::open(self.folder.path().join("store.db")).unwrap();
        let keys = |query: &str| -> Vec<String> {
            let mut statement = connection.prepare(query).unwrap();
            statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        (keys("SELECT key FROM register WHERE state = 'done' ORDER BY key"), keys("SELECT key FROM effect ORDER BY key"))
    }

    fn check_books(&self, expected: &[&str]) {
        let (registers, effects) = self.books();
        assert_eq!(
            (registers, effects),
            (expected.iter().map(ToString::to_string).collect(), expected.iter().map(ToString::to_string).collect())
        );
    }
}

fn state(answer: &Answered) -> Option<Definite> {
    match answer {
        Ok(Reply::State(receipt)) => Some(receipt.state),
        Ok(Reply::OtherBody(_) | Reply::Absent(_) | Reply::Behind(_)) | Err(_) => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_effect_that_fails_after_writing_leaves_neither_row_nor_effect_and_its_neighbours_alone() {
    for trouble in ["fail", "panic", "fill", "break at commit"] {
        let subject = Trouble::new();
        let answers = subject.together(&[("a", "well"), ("b", trouble), ("c", "well")]).await;
        assert_eq!(state(&answers[0]), Some(Definite::Done), "{trouble}: {answers:?}");
        assert!(answers[1].is_err(), "{trouble}: {answers:?}");
        // A full disk is full for whoever comes next as well; every other trouble is its own.
        if trouble != "fill" {
            assert_eq!(state(&answers[2]), Some(Definite::Done), "{trouble}: {answers:?}");
            subject.check_books(&["a", "c", "first"]);
        }
        let numbers: Vec<u64> =
            answers.iter().filter_map(|answer| if let Ok(Reply::State(r)) = answer { Some(r.seq) } else { None }).collect();
        assert_eq!(numbers, (2..).take(numbers.len()).collect::<Vec<_>>(), "{trouble}: what failed uses no number up");
        let (registers, effects) = subject.books();
        assert_eq!(registers, effects, "{trouble}");
        // The key is as it was: the same act, in better times, takes effect.
        assert!(subject.registers.peek("b".parse().unwrap(), None).await.is_ok_and(|reply| matches!(reply, Reply::Absent(_))));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_failed_can_be_asked_for_again() {
    let subject = Trouble::new();
    assert!(matches!(subject.act("a", "fail").await.unwrap(), Err(NotDefinite::Effect(_))));
    assert_eq!(state(&subject.act("a", "well").await.unwrap()), Some(Definite::Done));
    subject.check_books(&["a"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_takes_back_what_was_written_on_the_way_to_it() {
    let subject = Trouble::new();
    assert_eq!(state(&subject.act("a", "refuse").await.unwrap()), Some(Definite::Refused));
    subject.check_books(&[]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_undo_that_fails_leaves_the_effect_done() {
    let subject = Trouble::new();
    assert_eq!(state(&subject.act("a", "well").await.unwrap()), Some(Definite::Done));
    assert!(subject.ask("a", Request::Undo { body: None }).await.unwrap().is_err());
    subject.check_books(&["a"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_goes_away_takes_nothing_back() {
    let subject = Trouble::new();
    let first = subject.act("first", "wait");
    subject.entered.recv().unwrap();
    let gone = subject.act("gone", "well");
    tokio::time::sleep(Duration::from_millis(20)).await;
    gone.abort();
    subject.go_on.send(()).unwrap();
    assert!(first.await.unwrap().is_ok());
    assert_eq!(state(&subject.act("gone", "well").await.unwrap()), Some(Definite::Done));
    subject.check_books(&["first", "gone"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_the_queue_holds_is_turned_away_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (enter, entered) = channel();
    let (go_on, going) = channel();
    let service = Troubled { entered: Mutex::new(enter), go_on: Mutex::new(going) };
    let settings = handfast_participant::Settings::default().with_queue(1);
    let registers = Registers::open_with(folder.path().join("store.db"), service, settings).unwrap();
    let subject = Trouble { registers, entered, go_on, folder };
    let first = subject.act("first", "wait");
    subject.entered.recv().unwrap();
    let second = subject.act("second", "well");
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(subject.act("third", "well").await.unwrap(), Err(NotDefinite::Overloaded));
    subject.go_on.send(()).unwrap();
    assert!(first.await.unwrap().is_ok() && second.await.unwrap().is_ok());
    subject.check_books(&["first", "second"]);
}
