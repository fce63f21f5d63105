//! What is held back is known to every engine of itself; who acts at the store's file knows it from what the engine that was opened
//! last left there.

use std::sync::Arc;
use std::time::Duration;

use handfast::journal::Said;
use handfast::store::{FlakyStore, MemoryStore, Store};
use handfast::{Act, ActResult, Engine, Flow, OtherDefinitions, Time};

use super::{adoption, flow, left, open};
use crate::support::Silent;

fn said(saw: u64) -> Said {
    Said { by: "anna".to_owned(), reason: "now".to_owned(), request_id: "r".to_owned(), saw, ..Said::default() }
}

/// Another service with another flow file is opened on the same store, and the first one's own orders go on as before.
#[tokio::test]
async fn an_act_through_an_engine_goes_by_what_that_engine_holds_back() {
    let store = left(Arc::new(MemoryStore::new())).await;
    let silent = |engine: handfast::EngineBuilder| engine.participant("depot", Silent);
    let own = silent(open(&store, flow("bank", "depot"), OtherDefinitions::Hold)).open().await.unwrap();
    let another = open(&store, flow("bank", "new-depot"), OtherDefinitions::Hold).open().await.unwrap();
    let view = own.saga("order-1").await.unwrap().unwrap();
    assert!(!view.is_held && view.can.iter().any(|can| can.act == Act::Retry), "{view:?}");
    assert_eq!(own.act("order-1", &Act::Retry, &said(view.seq())).await.unwrap(), ActResult::Taken { seq: view.seq() + 1 });
    let held = another.saga("order-1").await.unwrap().unwrap();
    assert!(held.is_held && held.can.iter().all(|can| can.act != Act::Retry), "{held:?}");
    let refused = another.act("order-1", &Act::Retry, &Said { request_id: "s".to_owned(), ..said(held.seq()) }).await.unwrap();
    assert!(matches!(refused, ActResult::Pointless { .. }), "{refused:?}");
    own.shutdown(Duration::from_secs(10)).await;
    another.shutdown(Duration::from_secs(10)).await;
}

/// It was let follow a definition that carries its key otherwise: an engine leaves it alone, and the store shows so without one.
#[tokio::test]
async fn who_acts_beside_the_engine_sees_that_an_order_is_left_alone() {
    let store = left(Arc::new(MemoryStore::new())).await;
    let former = flow("bank", "depot");
    let longer = Flow::builder("shop").compensatable("payment", "bank").pivot("ship", "depot").build().unwrap();
    let adoption = adoption((&former, &former, &longer), Time(1), "moved");
    assert_eq!(store.adopt(adoption).await.unwrap(), 1);
    check_left_alone(&store, "another plan").await;
    let act = handfast::act_in(&*store, "order-1", &Act::Retry, &said(2), Time(9)).await.unwrap();
    assert!(matches!(act, ActResult::Pointless { .. }), "{act:?}");
}

/// A version of this program that came later has written it.
#[tokio::test]
async fn an_order_that_cannot_be_read_here_is_held_here() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let newer = crate::driver::stored("order-1", &flow("bank", "depot"), handfast_protocol::PROTOCOL_VERSION + 1, [0; 8]);
    store.create(newer).await.unwrap();
    check_left_alone(&store, "version").await;
}

async fn check_left_alone(store: &Arc<dyn Store>, why: &str) {
    let shown = handfast::saga_in(&**store, "order-1").await.unwrap().unwrap();
    let listed = handfast::list_in(&**store, &handfast::ListFilter::all(None, 10)).await.unwrap().sagas.remove(0);
    let engine = open(store, flow("bank", "depot"), OtherDefinitions::Keep).open().await.unwrap();
    let driven = engine.saga("order-1").await.unwrap().unwrap();
    engine.shutdown(Duration::from_secs(10)).await;
    assert!(driven.is_held && driven.trouble.as_ref().is_some_and(|trouble| trouble.contains(why)), "{driven:?}");
    assert!(shown.is_held && shown.trouble.as_ref().is_some_and(|trouble| trouble.contains(why)), "{shown:?}");
    assert!(listed.is_held && listed.needs_person, "{listed:?}");
    let can_retry = shown.can.iter().map(|can| &can.act).chain(&listed.can).any(|act| *act == Act::Retry);
    assert!(!can_retry, "{shown:?}");
}

/// A disk without room at the start: the engine opens, and what is at hand is kept as soon as there is room.
#[tokio::test(start_paused = true)]
async fn an_engine_opens_where_what_is_at_hand_cannot_be_kept() {
    let flaky = Arc::new(FlakyStore::new(MemoryStore::new()));
    flaky.keep_nothing_aside(true);
    let store: Arc<dyn Store> = Arc::clone(&flaky) as Arc<dyn Store>;
    let engine: Engine = open(&store, flow("bank", "depot"), OtherDefinitions::Hold).open().await.unwrap();
    assert!(store.at_hand().await.unwrap().is_empty());
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert!(store.at_hand().await.unwrap().is_empty());
    flaky.keep_nothing_aside(false);
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(store.at_hand().await.unwrap(), [Arc::clone(flow("bank", "depot").text())]);
    assert!(engine.shutdown(Duration::from_secs(10)).await);
}
