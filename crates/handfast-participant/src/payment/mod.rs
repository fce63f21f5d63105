//! The reference payment service: charges and refunds against a ledger in double entry, on the registers of the contract.
//!
//! An act's body is `{"amount": {"minor": 1999, "currency": "EUR"}, "token": "tok_visa"}`; other fields are ignored and
//! kept nowhere. A token that starts with `tok_declined` or `tok_insufficient` is declined, for good. The same body below
//! [`HOLDS_PATH`] is an authorization, which `{"hold": "payment"}` below [`CAPTURES_PATH`] makes lasting.
//!
//! Beside the contract it has a face of payment intents below [`INTENTS_PATH`] and [`REFUNDS_PATH`], as an existing service
//! has one that knows nothing of the contract: for flows that call it by templates.

mod audit;
mod capture;
mod intents;
mod ledger;
mod order;

use std::path::Path;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use handfast_protocol::Time;
use rusqlite::Connection;
use serde_json::Value;

pub use self::audit::{Audit, CurrencyTotals, Unbalanced};
use self::intents::Move;
pub use self::intents::{INTENTS_PATH, REFUNDS_PATH};
use self::order::Order;
use crate::http::{Tell, Weakness, about_router, page, weak_contract_router, with_problems};
use crate::key::Key;
use crate::registers::{OpenError, Registers, Settings};
use crate::service::{Acted, Migration, Reverted, Service, ServiceError};

/// Where the contract is mounted: a payment participant's base URL ends with it.
pub const BASE_PATH: &str = "/charges";

/// Where the contract is mounted for authorizations: the same as a charge, for a flow that captures it later.
pub const HOLDS_PATH: &str = "/holds";

/// Where the contract is mounted for captures of what another key holds.
pub const CAPTURES_PATH: &str = "/captures";

/// The service: an act charges, an undo refunds in full; or an act captures what another key holds, for good.
#[derive(Clone, Copy, Debug, Default)]
pub struct Payment;

impl Service for Payment {
    fn name(&self) -> &'static str {
        "payment"
    }

    fn migrations(&self) -> &'static [Migration] {
        &[
            Migration { name: "V1__ledger", sql: include_str!("migrations/V1__ledger.sql") },
            Migration { name: "V2__captures", sql: include_str!("migrations/V2__captures.sql") },
            Migration { name: "V3__intents", sql: include_str!("migrations/V3__intents.sql") },
        ]
    }

    fn act(&self, transaction: &Connection, key: &Key, body: &Value, now: Time) -> Result<Acted, ServiceError> {
        if let Some(hold) = capture::hold(key, body) {
            return match hold {
                Ok(hold) => capture::capture(transaction, key, &hold, now),
                Err(reason) => Ok(Acted::refused(reason)),
            };
        }
        let order = match Order::parse(body) {
            Ok(order) => order,
            Err(reason) => return Ok(Acted::refused(reason)),
        };
        if let Some(reason) = order.decline() {
            return Ok(Acted::refused(reason));
        }
        ledger::charge(transaction, key, &order, now)?;
        Ok(Acted::Done)
    }

    fn act_own(&self, transaction: &Connection, key: &Key, body: &Value, now: Time) -> Result<Acted, ServiceError> {
        intents::carry_out(transaction, key, &Move::of(body)?, now)
    }

    fn undo(&self, transaction: &Connection, key: &Key, now: Time) -> Result<Reverted, ServiceError> {
        if capture::is_lasting(transaction, key)? || intents::is_lasting(transaction, key)? {
            return Ok(Reverted::Irrevocable);
        }
        ledger::refund(transaction, key, now)?;
        Ok(Reverted::Undone)
    }
}

/// Opens the store of a payment service.
///
/// # Errors
/// As [`Registers::open`].
pub fn open(path: impl AsRef<Path>, settings: Settings) -> Result<Registers, OpenError> {
    Registers::open_with(path, Payment, settings)
}

/// The whole service: the contract under [`BASE_PATH`], [`HOLDS_PATH`] and [`CAPTURES_PATH`], `GET /audit`, and what
/// operators ask of any service.
pub fn router(registers: &Registers) -> Router {
    weak_router(registers, &[], None)
}

/// The same, of a service that promises less than the contract for its charges and holds.
pub fn weak_router(registers: &Registers, weaknesses: &[Weakness], tell: Option<&Tell>) -> Router {
    let audit = Router::new()
        .route("/audit", get(async |State(registers): State<Registers>| page(&registers, Audit::read).await))
        .with_state(registers.clone());
    with_problems(about_router(registers).merge(audit).merge(intents::router(registers)))
        .nest(BASE_PATH, weak_contract_router(registers, weaknesses, tell))
        .nest(HOLDS_PATH, weak_contract_router(registers, weaknesses, tell))
        .nest(CAPTURES_PATH, weak_contract_router(registers, &[], None))
}
