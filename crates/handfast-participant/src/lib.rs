//! The other side of a saga: a durable register per key, which gives any service the contract of handfast.
//!
//! A participant must be able to say, for good, whether the effect behind a key happened. That is a register with five
//! states and three requests (act, close, undo); [`handfast_protocol::Register`] decides every transition, and this
//! crate makes it durable: the register's row and the service's own effect commit in one transaction of one SQLite
//! file, and no answer leaves before that commit is flushed. `docs/contract.md` describes the same on the wire.
//!
//! To give a service of your own the contract, say what its effect is and mount the router:
//!
//! ```
//! use handfast_participant::{Acted, Key, Migration, Registers, Reverted, Service, ServiceError, Time, contract_router};
//! use rusqlite::Connection;
//! use serde_json::Value;
//!
//! /// Reserves a seat; the row is the effect.
//! struct Seats;
//!
//! impl Service for Seats {
//!     fn name(&self) -> &'static str {
//!         "seats"
//!     }
//!
//!     fn migrations(&self) -> &'static [Migration] {
//!         &[Migration { name: "V1__seats", sql: "CREATE TABLE seat (number INTEGER PRIMARY KEY, key TEXT NOT NULL) STRICT;" }]
//!     }
//!
//!     fn act(&self, transaction: &Connection, key: &Key, body: &Value, _now: Time) -> Result<Acted, ServiceError> {
//!         let Some(seat) = body["seat"].as_i64() else { return Ok(Acted::refused("seat_missing")) };
//!         let taken = transaction.execute("INSERT OR IGNORE INTO seat VALUES (?1, ?2)", (seat, key.as_str()))? == 0;
//!         Ok(if taken { Acted::refused("seat_taken") } else { Acted::Done })
//!     }
//!
//!     fn undo(&self, transaction: &Connection, key: &Key, _now: Time) -> Result<Reverted, ServiceError> {
//!         transaction.execute("DELETE FROM seat WHERE key = ?1", [key.as_str()])?;
//!         Ok(Reverted::Undone)
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("seats.db");
//! let registers = Registers::open(&path, Seats)?;
//! let router: axum::Router = axum::Router::new().nest("/seats", contract_router(&registers));
//! # drop(router);
//! # Ok(())
//! # }
//! ```
//!
//! - [`Service`]: what a service's effect is; the only thing to implement.
//! - [`Registers`]: the store, with one writer and group commit; usable without HTTP too.
//! - [`contract_router`]: the contract over HTTP, for any axum service.
//! - [`payment`] and [`dispatch`]: the two reference services.
//! - Without the feature `sqlite`, which is on by default, what is left is what crosses the wire: [`Key`], [`Body`], [`Receipt`].
//!   A [`Service`] is handed a connection of `rusqlite`; name the same range of it as this crate does (`>=0.32, <0.42`), and
//!   cargo takes one version for both, and for `sqlx`, `sea-orm` or `diesel` beside them.
//! - [`Weakness`]: what a service can be made to promise less, to try a coordinator against it.

mod body;
mod clock;
#[cfg(feature = "sqlite")]
pub mod dispatch;
#[cfg(feature = "sqlite")]
mod http;
mod key;
#[cfg(feature = "sqlite")]
pub mod payment;
mod receipt;
#[cfg(feature = "sqlite")]
mod registers;
#[cfg(feature = "sqlite")]
mod service;

pub use body::{BODY_LIMIT_BYTES, Body, BodyHash, BodyHashError, NotJson};
pub use clock::{Clock, system_clock};
pub use handfast_protocol::{Change, Definite, Sighting, Time};
#[cfg(feature = "sqlite")]
pub use http::{Tell, Weakness, about_router, contract_router, weak_contract_router};
pub use key::{Incarnation, Key, KeyError, Mark, Position, PositionError, Seen, SeenError};
pub use receipt::{Receipt, Reply};
#[cfg(feature = "sqlite")]
pub use registers::{NotDefinite, OpenError, Overview, Registers, Request, Settings, States};
#[cfg(feature = "sqlite")]
pub use service::{Acted, Migration, Reverted, Service, ServiceError};

/// The code of the guide compiles.
#[cfg(all(doctest, feature = "sqlite"))]
#[doc = include_str!("../../../docs/participants.md")]
struct Guide;
