//! Answers are lost and the program is started anew, and every order is booked once or not at all.

#[path = "../../../xtask/fixtures/postgres.rs"]
mod postgres;

use std::sync::Arc;
use std::time::Duration;

use handfast::store::SqliteStore;
use handfast::testing::{Reopened, Road, Scripted};
use handfast::{Options, Outcome, participant::InMemory};
use stranger::{TABLES, bank, order, shop};

#[tokio::test]
async fn every_order_is_booked_once_or_not_at_all() {
    // Nothing of ours is the default of the process, and nothing of ours makes this panic.
    let _theirs = reqwest::Client::new();
    let database = postgres::Postgres::start("lost");
    let pool = sqlx::PgPool::connect(&database.url()).await.unwrap();
    sqlx::raw_sql(TABLES).execute(&pool).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let to_bank = Arc::new(Scripted::over(bank(&pool)));
    to_bank.next(3, &Road::AnswerLost);
    let (file, bank, depot) =
        (folder.path().join("shop.db"), to_bank.clone(), Arc::new(InMemory::new(|_, item| item != b"\"gold\"")));
    let options = Options::default().with_retry_cap(Duration::from_millis(20));
    let program = Reopened::open(move || {
        let store = Arc::new(SqliteStore::open(&file)?);
        Ok(shop(store, bank.clone(), depot.clone())?.options(options.clone()))
    });
    let mut program = program.await.unwrap();
    program.engine().submit(order("order-1", 450, "tea")).await.unwrap();
    program.engine().submit(order("order-2", 9900, "gold")).await.unwrap();
    program.reopen().await.unwrap();
    for (id, outcome) in [("order-1", Outcome::Completed), ("order-2", Outcome::Cancelled)] {
        let mut saga = program.engine().follow(id).await.unwrap().expect("it was placed");
        assert_eq!(saga.outcome().await.unwrap(), outcome);
    }
    let booked: Vec<i64> = sqlx::query_scalar("SELECT cents FROM booking").fetch_all(&pool).await.unwrap();
    assert_eq!(booked, [450], "{:?}", to_bank.requests());
    assert!(to_bank.requests().iter().filter(|asked| asked.road == Road::AnswerLost).count() == 3);
}
