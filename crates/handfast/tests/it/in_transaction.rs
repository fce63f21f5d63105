//! A participant of this program with a database of its own: effect and register are one transaction, whatever breaks off when.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use handfast::participant::{InMemory, InTransaction, KeyRow, Transactional};
use handfast::store::MemoryStore;
use handfast::testing::{Reopened, Road, Scripted};
use handfast::{Definite, Engine, Flow, Happened, Operation, Options, Order, Outcome};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// A database that fits into a test: keys, and how much was booked in all.
#[derive(Clone, Default, PartialEq, Debug)]
struct Tables {
    keys: BTreeMap<String, KeyRow>,
    booked: i64,
}

#[derive(Clone, Default)]
struct Ledger {
    tables: Arc<Mutex<Tables>>,
    /// So many of the next savings of a key, and so many of the next commits, fail.
    saves_fail: Arc<AtomicU32>,
    commits_fail: Arc<AtomicU32>,
}

/// What is not committed is gone with it.
struct Working {
    tables: OwnedMutexGuard<Tables>,
    copy: Tables,
}

#[derive(Debug, thiserror::Error)]
#[error("the disk is full")]
struct Full;

fn fails(left: &AtomicU32) -> Result<(), Full> {
    let failed = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
    if failed.is_ok() { Err(Full) } else { Ok(()) }
}

impl Transactional for Ledger {
    type Transaction = Working;
    type Error = Full;

    async fn begin(&self) -> Result<Working, Full> {
        let tables = Arc::clone(&self.tables).lock_owned().await;
        let copy = tables.clone();
        Ok(Working { tables, copy })
    }

    async fn load(&self, working: &mut Working, key: &str) -> Result<Option<KeyRow>, Full> {
        Ok(working.copy.keys.get(key).cloned())
    }

    async fn save(&self, working: &mut Working, key: &str, row: &KeyRow) -> Result<(), Full> {
        working.copy.keys.insert(key.to_owned(), row.clone());
        fails(&self.saves_fail)
    }

    async fn act(&self, working: &mut Working, _key: &str, body: &[u8]) -> Result<bool, Full> {
        // What is written before it refuses must not stay.
        working.copy.booked += 1;
        Ok(body != b"\"no\"")
    }

    async fn undo(&self, working: &mut Working, _key: &str, _body: &[u8]) -> Result<bool, Full> {
        working.copy.booked -= 1;
        Ok(true)
    }

    async fn commit(&self, mut working: Working) -> Result<(), Full> {
        fails(&self.commits_fail)?;
        *working.tables = working.copy;
        Ok(())
    }
}

/// A shop whose payment is kept in this ledger, behind a road; `sends` says whether the goods are there.
async fn shop(ledger: &Ledger, sends: bool) -> (Reopened, Arc<Scripted>) {
    let bank = Arc::new(Scripted::over(InTransaction::new(ledger.clone())));
    let (store, at_bank) = (Arc::new(MemoryStore::new()), Arc::clone(&bank));
    let depot = Arc::new(InMemory::new(move |_, _| sends));
    let opened = Reopened::open(move || {
        let flow = Flow::builder("shop").compensatable("payment", "bank").pivot("dispatch", "depot").build()?;
        let engine = Engine::builder(store.clone()).flow(flow).shared_participant("bank", at_bank.clone());
        let engine = engine.shared_participant("depot", depot.clone());
        Ok(engine.options(Options::default().with_retry_cap(Duration::from_millis(5))))
    });
    (opened.await.unwrap(), bank)
}

fn order(payment: &'static str) -> Order {
    Order::new("order-1", "{}").body("dispatch", "{}").body("payment", payment)
}

async fn ends(shop: &Reopened, payment: &'static str) -> Outcome {
    let mut saga = shop.engine().submit(order(payment)).await.unwrap();
    tokio::time::timeout(Duration::from_secs(30), saga.outcome()).await.expect("it ends").unwrap()
}

async fn check(ledger: &Ledger, state: Definite, booked: i64) {
    let tables = ledger.tables.lock().await;
    let states: Vec<Definite> = tables.keys.values().map(|row| row.state).collect();
    assert_eq!((states, tables.booked), (vec![state], booked));
}

#[tokio::test(start_paused = true)]
async fn what_fails_after_the_effect_takes_the_effect_back() {
    let ledger = Ledger::default();
    ledger.saves_fail.store(3, Ordering::Relaxed);
    ledger.commits_fail.store(2, Ordering::Relaxed);
    let (shop, bank) = shop(&ledger, true).await;
    assert_eq!(ends(&shop, "{}").await, Outcome::Completed);
    assert_eq!(bank.requests().len(), 6, "three did not save the key, two did not commit");
    check(&ledger, Definite::Done, 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_takes_back_what_was_written_before_it() {
    let ledger = Ledger::default();
    let (shop, _) = shop(&ledger, true).await;
    assert_eq!(ends(&shop, "\"no\"").await, Outcome::Cancelled);
    check(&ledger, Definite::Refused, 0).await;
}

#[tokio::test(start_paused = true)]
async fn answers_are_lost_and_come_late_and_the_program_is_started_anew() {
    let ledger = Ledger::default();
    let (mut shop, bank) = shop(&ledger, false).await;
    bank.next(2, &Road::AnswerLost);
    bank.at(3, Road::RequestLate(Duration::from_secs(2)));
    bank.at(4, Road::AnswerLate(Duration::from_mins(1)));
    shop.engine().submit(order("{}")).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1)).await;
    shop.reopen().await.unwrap();
    let mut saga = shop.engine().follow("order-1").await.unwrap().expect("it was placed");
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Cancelled, "the depot has nothing");
    tokio::time::sleep(Duration::from_mins(2)).await;
    check(&ledger, Definite::Undone, 0).await;
    assert!(bank.requests().iter().filter(|asked| asked.operation == Operation::Act).count() >= 4);
}

/// An order that was given the body of one step for another is not taken.
#[tokio::test(start_paused = true)]
async fn bodies_go_by_name() {
    let ledger = Ledger::default();
    let (shop, bank) = shop(&ledger, true).await;
    let refused = |order: Order| async { shop.engine().submit(order).await.unwrap_err().to_string() };
    let lacks = refused(Order::new("order-2", "{}").body("payment", "{}")).await;
    assert!(lacks.contains("there is none for the step dispatch"), "{lacks}");
    let other = refused(Order::new("order-2", "{}").body("payment", "{}").body("despatch", "{}")).await;
    assert!(other.contains("there is one for \"despatch\", and the flow's steps are payment, dispatch"), "{other}");
    assert!(bank.requests().is_empty());
    // Whatever stands first: this is what `order` does.
    assert_eq!(ends(&shop, "\"no\"").await, Outcome::Cancelled, "the payment got the payment's");
}

/// Whoever counts is told of every order, every request and every end.
#[tokio::test(start_paused = true)]
async fn what_happens_is_told_to_whoever_counts() {
    let bank = Arc::new(Scripted::over(InMemory::new(|_, _| true)));
    bank.at(1, Road::RequestLost);
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let listener = Arc::clone(&told);
    let engine = Engine::builder(Arc::new(MemoryStore::new()))
        .flow(Flow::builder("pay").pivot("payment", "bank").build().unwrap())
        .shared_participant("bank", bank)
        .observer(move |happened| {
            let said = match happened {
                Happened::Placed { saga, flow, .. } => format!("{saga} of {flow} placed"),
                Happened::Tried { step, participant, operation, reply, .. } => {
                    format!("{participant} asked to {} {step}: {}", operation.name(), reply.kind())
                }
                Happened::Ended { saga, outcome, .. } => format!("{saga} {}", outcome.name()),
                other => format!("{other:?}"),
            };
            listener.lock().unwrap().push(said);
        })
        .open()
        .await
        .unwrap();
    engine.submit(Order::new("order-1", "{}").body("payment", "{}")).await.unwrap().outcome().await.unwrap();
    let expected = [
        "order-1 of pay placed",
        "bank asked to act payment: unknown",
        "bank asked to act payment: definite",
        "order-1 completed",
    ];
    assert_eq!(*told.lock().unwrap(), expected);
}
