//! The engine inside a program of one's own: no server, one file, both or neither.
//!
//! `cargo run -p handfast --example embedded`

use std::sync::Arc;
use std::time::Duration;

use handfast::participant::InMemory;
use handfast::store::SqliteStore;
use handfast::{Effect, Engine, Flow, Order};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A step that can be undone, then one that cannot: either may refuse.
    let flow = Flow::builder("shop")
        .compensatable("payment", "bank")
        .deadline(Duration::from_secs(5))
        .pivot("dispatch", "depot")
        .build()?;

    // Participants in this process. A flow can name services by their URLs just as well.
    let bank = InMemory::new(|effect, body| {
        let declined = effect == Effect::Act && body.windows(8).any(|word| word == b"declined");
        println!("  bank: {effect:?}{}", if declined { ", declined" } else { "" });
        !declined
    });
    let depot = InMemory::new(|effect, body| {
        let in_stock = !body.windows(4).any(|word| word == b"gold");
        println!("  depot: {effect:?}{}", if in_stock { "" } else { ", out of stock" });
        in_stock
    });

    let directory = std::env::temp_dir().join(format!("handfast-embedded-{}", std::process::id()));
    std::fs::create_dir_all(&directory)?;
    let store = Arc::new(SqliteStore::open(directory.join("shop.db"))?);
    let engine = Engine::builder(store).flow(flow).participant("bank", bank).participant("depot", depot).open().await?;

    for (id, card, item) in [("order-1", "visa", "tea"), ("order-2", "declined", "tea"), ("order-3", "visa", "gold")] {
        println!("{id}: {item}, paid with {card}");
        let payment = format!(r#"{{"card":"{card}","amount":1999}}"#).into_bytes();
        let dispatch = format!(r#"{{"item":"{item}"}}"#).into_bytes();
        let input = [payment.clone(), dispatch.clone()].concat();
        // When this returns, the order is on the disk: whatever happens now, it ends in both or neither.
        let mut saga = engine.submit(Order::new(id, input, vec![payment, dispatch])).await?;
        println!("  {:?}", saga.outcome().await?);
    }

    engine.shutdown(Duration::from_secs(1)).await;
    std::fs::remove_dir_all(&directory)?;
    Ok(())
}
