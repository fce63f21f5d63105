//! The reference dispatch service: stock that can run out, and shipments that cannot be called back.
//!
//! An act's body is `{"lines": [{"sku": "mug-blue", "quantity": 2}]}`; other fields are ignored and kept nowhere. The
//! whole order is shipped or nothing of it. An undo of a shipment changes nothing: it stays done.

mod audit;
mod order;
mod stock;

use std::path::Path;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use handfast_protocol::Time;
use rusqlite::Connection;
use serde_json::Value;

pub use self::audit::{Audit, Shelf};
use self::order::Order;
pub use self::stock::{Quantity, Stock, StockError};
use crate::http::{Tell, Weakness, about_router, page, weak_contract_router, with_problems};
use crate::key::Key;
use crate::registers::{OpenError, Registers, Settings};
use crate::service::{Acted, Migration, Reverted, Service, ServiceError};

/// Where the contract is mounted: a dispatch participant's base URL ends with it.
pub const BASE_PATH: &str = "/shipments";

/// The service: an act ships, an undo says that it is too late.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Dispatch {
    stock: Stock,
}

impl Dispatch {
    /// A service whose store is given this stock when it is made. A store that knows a SKU already keeps what it has.
    #[must_use]
    pub const fn new(stock: Stock) -> Self {
        Self { stock }
    }
}

impl Service for Dispatch {
    fn name(&self) -> &'static str {
        "dispatch"
    }

    fn migrations(&self) -> &'static [Migration] {
        &[Migration { name: "V1__stock", sql: include_str!("migrations/V1__stock.sql") }]
    }

    fn prepare(&self, transaction: &Connection) -> Result<(), ServiceError> {
        self.stock.fill(transaction)
    }

    fn act(&self, transaction: &Connection, key: &Key, body: &Value, now: Time) -> Result<Acted, ServiceError> {
        let order = match Order::parse(body) {
            Ok(order) => order,
            Err(reason) => return Ok(Acted::refused(reason)),
        };
        let at = i64::try_from(now.0)?;
        transaction.prepare_cached("INSERT INTO shipment (key, at) VALUES (?1, ?2)")?.execute((key.as_str(), at))?;
        for (sku, quantity) in order.lines {
            if !self.stock.take(transaction, sku, quantity)? {
                // A refusal takes back the lines before this one.
                return Ok(Acted::refused(format!("out_of_stock: {sku}")));
            }
            transaction.prepare_cached("INSERT INTO shipment_line (key, sku, quantity) VALUES (?1, ?2, ?3)")?.execute((
                key.as_str(),
                sku,
                quantity,
            ))?;
        }
        Ok(Acted::Done)
    }

    fn undo(&self, _transaction: &Connection, _key: &Key, _now: Time) -> Result<Reverted, ServiceError> {
        Ok(Reverted::Irrevocable)
    }
}

/// Opens the store of a dispatch service.
///
/// # Errors
/// As [`Registers::open`].
pub fn open(path: impl AsRef<Path>, stock: Stock, settings: Settings) -> Result<Registers, OpenError> {
    Registers::open_with(path, Dispatch::new(stock), settings)
}

/// The whole service: the contract under [`BASE_PATH`], `GET /audit`, and what operators ask of any service.
pub fn router(registers: &Registers) -> Router {
    weak_router(registers, &[], None)
}

/// The same, of a service that promises less than the contract.
pub fn weak_router(registers: &Registers, weaknesses: &[Weakness], tell: Option<&Tell>) -> Router {
    let audit = Router::new()
        .route("/audit", get(async |State(registers): State<Registers>| page(&registers, Audit::read).await))
        .with_state(registers.clone());
    with_problems(about_router(registers).merge(audit)).nest(BASE_PATH, weak_contract_router(registers, weaknesses, tell))
}
