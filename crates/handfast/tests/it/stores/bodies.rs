//! A body is kept once, in the file and in memory, however many steps send it; and a store from before goes on.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use handfast::participant::{Delivery, InMemory, Participant, Reply};
use handfast::store::{BoxFuture, MemoryStore, NewSaga, SqliteStore, Store};
use handfast::{Clock, Engine, Flow, ListFilter, Options, Order, Outcome, Time, list_in, saga_in, upkeep};
use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::{saga, wait};

const STEPS: usize = 64;
const ORDERS: usize = 300;
const BYTES: usize = 61_000;

/// The order as the flow file writes it, and the body of every step that sends all of it.
fn large(id: &str) -> (Vec<u8>, Bytes) {
    let fields = format!("\"note\":\"{}\"}}", id.repeat(BYTES / id.len()));
    (format!("{{\"id\":\"{id}\",{fields}").into_bytes(), format!("{{{fields}").into())
}

#[test]
fn a_body_that_is_the_order_is_in_the_file_once_and_in_memory_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let store = SqliteStore::open(&path).unwrap();
    for number in 0..ORDERS {
        let id = format!("order-{number}");
        let (input, body) = large(&id);
        let placed = NewSaga { input, bodies: vec![body; STEPS], ..saga(&id) };
        wait(store.create(placed)).unwrap();
    }
    let (input, body) = large("order-7");
    let loaded = wait(store.load("order-7")).unwrap().unwrap();
    assert_eq!((loaded.input, loaded.bodies.len()), (input, STEPS));
    assert!(loaded.bodies.iter().all(|one| *one == body && one.as_ptr() == loaded.bodies[0].as_ptr()), "each is in memory once");
    drop(store);
    let bytes = std::fs::metadata(&path).unwrap().len();
    let orders = (ORDERS * BYTES) as u64;
    assert!(bytes < orders * 5 / 4, "{bytes} bytes for orders of {orders}");
}

/// Answers nobody before it is told to.
struct Waiting {
    gate: Arc<Semaphore>,
    service: InMemory,
}

impl Participant for Waiting {
    fn deliver<'a>(&'a self, request: Delivery<'a>) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            let _open = self.gate.acquire().await;
            self.service.receive(request, false)
        })
    }
}

#[tokio::test]
async fn memory_of_what_is_active_is_bounded_in_bytes() {
    let gate = Arc::new(Semaphore::new(0));
    let waiting = Waiting { gate: Arc::clone(&gate), service: InMemory::new(|_, _| true) };
    let most = 10;
    let options = Options::default().with_max_active_bytes(most * BYTES).with_try_timeout(Duration::from_secs(600));
    let flow = Flow::builder("shop").pivot("dispatch", "depot").build().unwrap();
    let engine = Engine::builder(Arc::new(MemoryStore::new())).flow(flow).participant("depot", waiting).options(options);
    let engine = engine.open().await.unwrap();
    let mut sagas = Vec::new();
    for number in 0..60 {
        let id = format!("order-{number}");
        let (input, body) = large(&id);
        sagas.push(engine.submit(Order::in_flow_order(id, input, vec![body])).await.unwrap());
        let active = engine.stats().active;
        // What is being loaded counts once it is there, in the room of what is new as in that of what was put aside.
        assert!(active <= most as u64 + 2, "{active} are in memory");
    }
    gate.add_permits(1_000);
    for saga in &mut sagas {
        assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed, "what found no room comes in when there is some");
    }
}

/// Each step comes with a body of its own, and what is alike is one in memory: ten orders find room, though not twice their bodies.
#[tokio::test]
async fn what_many_steps_send_alike_is_in_memory_once() {
    const SENT: usize = 8;
    const ROOM: usize = 10;
    let gate = Arc::new(Semaphore::new(0));
    let waiting = Waiting { gate: Arc::clone(&gate), service: InMemory::new(|_, _| true) };
    // Three quarters are for what is new, and something is left over.
    let options = Options::default().with_max_active_bytes(ROOM * BYTES * 5 / 3).with_try_timeout(Duration::from_secs(600));
    let mut flow = Flow::builder("shop").compensatable("step-1", "depot").compensatable("step-2", "depot");
    for number in 3..SENT {
        flow = flow.compensatable(&format!("step-{number}"), "depot");
    }
    let flow = flow.pivot("dispatch", "depot").build().unwrap();
    let engine = Engine::builder(Arc::new(MemoryStore::new())).flow(flow).participant("depot", waiting).options(options);
    let engine = engine.open().await.unwrap();
    for number in 0..ROOM {
        let id = format!("order-{number}");
        let bodies: Vec<Vec<u8>> = (0..SENT).map(|_| large(&id).1.to_vec()).collect();
        engine.submit(Order::in_flow_order(&id, large(&id).0, bodies)).await.unwrap();
    }
    assert_eq!(engine.stats().active, ROOM as u64);
}

/// The store that the first format's engine left, as SQL.
fn first_format(path: &Path) {
    let sql = include_str!("../../golden/store/v1/shop.sql");
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

#[tokio::test]
async fn a_store_of_the_first_format_opens_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    first_format(&path);
    let read = SqliteStore::open_to_read(&path).unwrap();
    assert_eq!(read.load("order-1").await.unwrap().unwrap().bodies.len(), 3, "it is shown without being migrated");
    drop(read);
    let store = Arc::new(SqliteStore::open(&path).unwrap());
    let loaded = store.load("order-2").await.unwrap().unwrap();
    let body = r#"{"amount":{"currency":"EUR","minor":2001},"token":"tok_visa","lines":[{"quantity":1,"sku":"mug"}]}"#;
    assert_eq!(loaded.bodies[2], body.as_bytes());
    assert!(loaded.input.ends_with(&body.as_bytes()[1..]));
    let service = || InMemory::new(|_, _| true);
    let flow = Flow::from_built_text(&loaded.flow_text).unwrap();
    // The orders are looked at again some seconds after they were left.
    let options = Options::default().with_clock(Clock::of_runtime(Time(1_796_070_960_000)));
    let engine = Engine::builder(Arc::clone(&store) as Arc<dyn Store>).flow(flow).options(options);
    let names = ["http://127.0.0.1:39871/charges", "http://127.0.0.1:39872/shipments", "http://127.0.0.1:39873/shipments"];
    let engine = names.into_iter().fold(engine, |engine, name| engine.participant(name, service())).open().await.unwrap();
    for (id, outcome) in [("order-0", Outcome::Completed), ("order-1", Outcome::Cancelled), ("order-2", Outcome::Completed)] {
        assert_eq!(engine.follow(id).await.unwrap().unwrap().outcome().await.unwrap(), outcome, "{id}");
    }
    let (input, body) = large("order-9");
    let placed = engine.submit(Order::in_flow_order("order-9", input, vec![body; 3])).await.unwrap();
    assert_eq!({ placed }.outcome().await.unwrap(), Outcome::Completed);
    drop(engine);
    let verified = upkeep::verify(path.to_str().unwrap(), &mut |_, _| {}).await.unwrap();
    assert!(verified.holds() && verified.sagas == 4 && verified.format >= Some(2), "{verified:?}");
}

/// Archived stores are only read, and lack whatever later formats have added.
#[tokio::test]
async fn a_store_of_every_former_format_is_shown_and_listed_as_it_is() {
    let later = [
        (2, include_str!("../../../src/store/sqlite/migrations/V2__bodies_and_definitions.sql")),
        (3, include_str!("../../../src/store/sqlite/migrations/V3__seen.sql")),
        (4, include_str!("../../../src/store/sqlite/migrations/V4__accepted.sql")),
    ];
    for format in 1..=4_u32 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.db");
        first_format(&path);
        let connection = Connection::open(&path).unwrap();
        for (number, sql) in later.iter().filter(|(number, _)| *number <= format) {
            connection.execute_batch(sql).unwrap();
            let noted = "INSERT INTO refinery_schema_history (version, name, applied_on, checksum) VALUES (?1, '', '', '0')";
            connection.execute(noted, [number]).unwrap();
        }
        drop(connection);
        let store = SqliteStore::open_to_read(&path).unwrap();
        assert_eq!(store.examine().await.unwrap().format, format);
        let shown = saga_in(&store, "order-1").await.unwrap_or_else(|error| panic!("format {format}: {error}")).unwrap();
        assert_eq!((shown.id.as_str(), shown.is_held), ("order-1", false));
        let listed = list_in(&store, &ListFilter::default().with_limit(10)).await.unwrap();
        assert_eq!(listed.sagas.len(), 3, "format {format}");
        assert!(store.offers().await.unwrap().is_empty() && store.acceptances().await.unwrap().is_empty(), "format {format}");
        assert_eq!(store.counts().await.unwrap().by_standing.iter().map(|(_, sagas)| sagas).sum::<u64>(), 3);
    }
}
