//! One saga end to end: orders, outcomes, cancels, deadlines, restarts.

use std::sync::Arc;

use handfast::participant::InMemory;
use handfast::store::MemoryStore;
use handfast::{Engine, Flow, Order, Outcome};

#[tokio::test]
async fn paid_and_dispatched() {
    let flow = Flow::builder("shop").compensatable("payment", "bank").pivot("dispatch", "depot").build().unwrap();
    let engine = Engine::builder(Arc::new(MemoryStore::new()))
        .flow(flow)
        .participant("bank", InMemory::new(|_, _| true))
        .participant("depot", InMemory::new(|_, _| true))
        .open()
        .await
        .unwrap();
    let bodies = vec![b"{\"a\":1}".to_vec(), b"{\"b\":1}".to_vec()];
    let mut saga = engine.submit(Order::new("order-1", "{}", bodies)).await.unwrap();
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
}
