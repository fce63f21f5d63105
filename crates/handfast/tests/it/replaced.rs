//! Other flows come to hand while the engine runs: orders under way keep what they follow, and nothing calls an address by accident.

use std::sync::Arc;
use std::time::Duration;

use handfast::participant::InMemory;
use handfast::store::{MemoryStore, Store};
use handfast::{Engine, Flow, Options, Order, OtherDefinitions, Outcome, SubmitError};

use crate::support::Silent;

fn flow(name: &str, depot: &str) -> Arc<Flow> {
    Arc::new(Flow::builder(name).compensatable("payment", "bank").pivot("dispatch", depot).build().unwrap())
}

async fn open(flows: &[Arc<Flow>]) -> Engine {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let options = Options::default().with_patrol(Duration::from_millis(50)).with_park_after(Duration::from_hours(1));
    let engine = Engine::builder(store).options(options).other_definitions(OtherDefinitions::Hold);
    let engine = flows.iter().fold(engine, |engine, flow| engine.flow(Arc::clone(flow)));
    let engine = engine.participant("bank", InMemory::new(|_, _| true)).participant("depot", InMemory::new(|_, _| true));
    engine.participant("shut", Silent).participant("new-depot", InMemory::new(|_, _| true)).open().await.unwrap()
}

fn order(id: &str, flow: &Flow) -> Order {
    Order::in_flow_order(id, "{}", vec!["{}"; 2]).of_flow(flow.name()).of_definition(flow.hash())
}

async fn outcome(engine: &Engine, id: &str) -> Outcome {
    let ended = async {
        loop {
            let mut saga = engine.follow(id).await.unwrap().expect("it was placed");
            if let Ok(outcome) = saga.outcome().await {
                return outcome;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), ended).await.expect("it ends")
}

async fn trouble(engine: &Engine, id: &str) -> Option<String> {
    engine.saga_without_tries(id).await.unwrap().unwrap().trouble
}

#[tokio::test]
async fn a_flow_comes_to_hand_and_another_takes_no_orders_any_more() {
    let (shop, cards) = (flow("shop", "depot"), flow("cards", "depot"));
    let engine = open(std::slice::from_ref(&shop)).await;
    assert!(matches!(engine.submit(order("order-1", &cards)).await, Err(SubmitError::Flow { .. })));
    engine.replace_flows([Arc::clone(&cards)]).await.unwrap();
    engine.submit(order("order-1", &cards)).await.unwrap();
    assert!(matches!(engine.submit(order("order-2", &shop)).await, Err(SubmitError::Flow { .. })));
    assert_eq!(outcome(&engine, "order-1").await, Outcome::Completed);
    // What cannot be followed changes nothing.
    assert!(engine.replace_flows([flow("toys", "nobody")]).await.is_err());
    engine.submit(order("order-3", &cards)).await.unwrap();
}

#[tokio::test]
async fn an_order_that_was_made_for_a_former_definition_is_made_anew() {
    let (before, after) = (flow("shop", "depot"), flow("shop", "new-depot"));
    let engine = open(std::slice::from_ref(&before)).await;
    engine.replace_flows([Arc::clone(&after)]).await.unwrap();
    assert!(matches!(engine.submit(order("order-1", &before)).await, Err(SubmitError::Redefined { .. })));
    engine.submit(order("order-1", &after)).await.unwrap();
    assert_eq!(outcome(&engine, "order-1").await, Outcome::Completed);
}

/// As where it was started anew: what calls an address that is not named any more waits for a person, also where it is in memory.
#[tokio::test]
async fn an_order_under_way_is_held_back_where_its_address_is_gone() {
    let (before, after) = (flow("shop", "shut"), flow("shop", "depot"));
    let engine = open(std::slice::from_ref(&before)).await;
    engine.submit(order("order-1", &before)).await.unwrap();
    engine.replace_flows([Arc::clone(&after)]).await.unwrap();
    let held = async {
        while !trouble(&engine, "order-1").await.is_some_and(|why| why.contains("another definition than the one at hand")) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        while engine.stats().active > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), held).await.expect("nothing is sent for it");
    let others = engine.other_definitions().await.unwrap();
    assert!(others[0].is_held && others[0].orders == 1, "{others:?}");
    // Back with the former definition it goes on as it was.
    engine.replace_flows([Arc::clone(&before)]).await.unwrap();
    assert_eq!(trouble(&engine, "order-1").await.filter(|why| why.contains("another definition")), None);
    assert!(engine.other_definitions().await.unwrap().is_empty());
}

/// Its flow takes no orders any more, which is no reason to keep it.
#[tokio::test]
async fn an_order_of_a_flow_that_is_left_out_goes_on() {
    let (shop, cards) = (flow("shop", "shut"), flow("cards", "depot"));
    let engine = open(&[Arc::clone(&shop), Arc::clone(&cards)]).await;
    engine.submit(order("order-1", &shop)).await.unwrap();
    engine.replace_flows([Arc::clone(&cards)]).await.unwrap();
    let others = engine.other_definitions().await.unwrap();
    assert_eq!((others.len(), others[0].is_held), (1, false), "{others:?}");
    let saga = engine.saga_without_tries("order-1").await.unwrap().unwrap();
    assert!(!saga.is_held, "{saga:?}");
    // A change of what is left leaves it as it is.
    engine.replace_flows([flow("cards", "new-depot")]).await.unwrap();
    assert!(!engine.other_definitions().await.unwrap()[0].is_held);
}
