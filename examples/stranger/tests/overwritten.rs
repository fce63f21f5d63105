//! The store on the oldest SQLite that a program may have beside us, which this one is locked to: an order ends, is found again by
//! the next start, and a file that is written over acknowledges nothing.

use std::sync::Arc;
use std::time::Duration;

use handfast::participant::InMemory;
use handfast::store::SqliteStore;
use handfast::{Engine, Outcome};
use stranger::{order, shop};

async fn open(file: &std::path::Path) -> Engine {
    let yes = || Arc::new(InMemory::new(|_, _| true));
    shop(Arc::new(SqliteStore::open(file).unwrap()), yes(), yes()).unwrap().open().await.unwrap()
}

#[tokio::test]
async fn an_order_is_found_again_and_a_file_that_was_written_over_takes_none() {
    let folder = tempfile::tempdir().unwrap();
    let (file, backup) = (folder.path().join("shop.db"), folder.path().join("monday.db"));
    let engine = open(&file).await;
    let mut saga = engine.submit(order("order-1", 450, "tea")).await.unwrap();
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
    assert!(engine.shutdown(Duration::from_secs(60)).await);
    drop((saga, engine));

    SqliteStore::back_up(&file, &backup, &mut |_, _| {}).unwrap();
    let engine = open(&file).await;
    let mut saga = engine.follow("order-1").await.unwrap().expect("it was placed before");
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
    engine.submit(order("order-2", 450, "tea")).await.unwrap().outcome().await.unwrap();
    std::fs::copy(&backup, &file).unwrap();
    let refused = engine.submit(order("order-3", 450, "tea")).await.expect_err("it would be in no file");
    assert!(refused.to_string().contains("is not the one that was opened"), "{refused}");
}
