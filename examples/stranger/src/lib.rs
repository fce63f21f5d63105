//! A shop of somebody else: its bank is a table in PostgreSQL, its depot a service at a URL, and the engine runs inside it.
//!
//! The booking and the register of its key are one transaction ([`InTransaction`]), so neither a lost answer nor kill -9 can make
//! two bookings of one order, or none.

use std::sync::Arc;

use handfast::participant::{InTransaction, KeyRow, Participant, Transactional};
use handfast::store::Store;
use handfast::{Definite, Engine, EngineBuilder, Flow, FlowError, Order};
use sqlx::{PgPool, Postgres, Transaction};

/// The tables, as the program's own migrations would make them.
pub const TABLES: &str = "CREATE TABLE IF NOT EXISTS handfast_key (key text PRIMARY KEY, state text NOT NULL, body_hash text);
    CREATE TABLE IF NOT EXISTS booking (key text NOT NULL, cents bigint NOT NULL)";

/// The bank.
#[derive(Clone, Debug)]
pub struct Bank(pub PgPool);

impl Transactional for Bank {
    type Transaction = Transaction<'static, Postgres>;
    type Error = sqlx::Error;

    async fn begin(&self) -> Result<Self::Transaction, sqlx::Error> {
        self.0.begin().await
    }

    async fn load(&self, transaction: &mut Self::Transaction, key: &str) -> Result<Option<KeyRow>, sqlx::Error> {
        // Two requests for a key that has no row yet would not see each other.
        let lock = sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))").bind(key);
        lock.execute(&mut **transaction).await?;
        let row = sqlx::query_as("SELECT state, body_hash FROM handfast_key WHERE key = $1").bind(key);
        let Some((state, body_hash)) = row.fetch_optional(&mut **transaction).await? as Option<(String, _)> else {
            return Ok(None);
        };
        let state = Definite::from_name(&state).ok_or_else(|| sqlx::Error::Decode(state.into()))?;
        Ok(Some(KeyRow { state, body_hash }))
    }

    async fn save(&self, transaction: &mut Self::Transaction, key: &str, row: &KeyRow) -> Result<(), sqlx::Error> {
        let upsert = "INSERT INTO handfast_key VALUES ($1, $2, $3) ON CONFLICT (key) DO UPDATE SET state = $2, body_hash = $3";
        let upsert = sqlx::query(upsert).bind(key).bind(row.state.name()).bind(&row.body_hash);
        upsert.execute(&mut **transaction).await.map(drop)
    }

    async fn act(&self, transaction: &mut Self::Transaction, key: &str, body: &[u8]) -> Result<bool, sqlx::Error> {
        let Some(cents) = std::str::from_utf8(body).ok().and_then(|text| text.parse::<i64>().ok()) else { return Ok(false) };
        let book = sqlx::query("INSERT INTO booking VALUES ($1, $2)").bind(key).bind(cents);
        book.execute(&mut **transaction).await.map(|_| true)
    }

    async fn undo(&self, transaction: &mut Self::Transaction, key: &str, _body: &[u8]) -> Result<bool, sqlx::Error> {
        let unbook = sqlx::query("DELETE FROM booking WHERE key = $1").bind(key);
        unbook.execute(&mut **transaction).await.map(|_| true)
    }

    async fn commit(&self, transaction: Self::Transaction) -> Result<(), sqlx::Error> {
        transaction.commit().await
    }
}

/// The bank as a participant.
pub fn bank(pool: &PgPool) -> InTransaction<Bank> {
    InTransaction::new(Bank(pool.clone()))
}

/// The engine: pay first, then dispatch.
pub fn shop(store: Arc<dyn Store>, bank: Arc<dyn Participant>, depot: Arc<dyn Participant>) -> Result<EngineBuilder, FlowError> {
    let flow = Flow::builder("shop").compensatable("payment", "bank").pivot("dispatch", "depot").build()?;
    Ok(Engine::builder(store).flow(flow).shared_participant("bank", bank).shared_participant("depot", depot))
}

/// What a customer buys.
pub fn order(id: &str, cents: u32, item: &str) -> Order {
    Order::new(id, format!("{cents} {item}")).body("payment", cents.to_string()).body("dispatch", format!("{item:?}"))
}
