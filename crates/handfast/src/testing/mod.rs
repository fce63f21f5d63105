//! What an application tests its own sagas with: roads that lose what one names, a clock that is turned by hand, and engines
//! that are closed and opened again.
//!
//! ```
//! use std::sync::Arc;
//!
//! use handfast::participant::InMemory;
//! use handfast::store::MemoryStore;
//! use handfast::testing::{Reopened, Road, Scripted};
//! use handfast::{Engine, Flow, Options, Order, Outcome};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! // The bank does what it is asked for, and the first answer is lost.
//! let bank = Arc::new(Scripted::over(InMemory::new(|_, _| true)));
//! bank.at(1, Road::AnswerLost);
//! let (store, at_bank) = (Arc::new(MemoryStore::new()), Arc::clone(&bank));
//! let mut shop = Reopened::open(move || {
//!     let flow = Flow::builder("shop").compensatable("payment", "bank").pivot("dispatch", "depot").build()?;
//!     let engine = Engine::builder(store.clone()).flow(flow).shared_participant("bank", at_bank.clone());
//!     let fast = Options::default().with_retry_cap(std::time::Duration::from_millis(10));
//!     Ok(engine.participant("depot", InMemory::new(|_, _| true)).options(fast))
//! })
//! .await?;
//! shop.engine().submit(Order::new("order-1", "{}").body("payment", "{}").body("dispatch", "{}")).await?;
//! // The program stops in the middle of it, and is started again.
//! shop.reopen().await?;
//! let mut saga = shop.engine().follow("order-1").await?.expect("it was placed");
//! assert_eq!(saga.outcome().await?, Outcome::Completed);
//! assert!(bank.requests().len() >= 2, "it was asked again");
//! # Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
//! # })?;
//! # Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
//! ```
//!
//! A clock that is turned by hand is [`Clock::by_hand`](crate::Clock::by_hand); [`FlakyStore`] loses writes by number.

mod reopened;
mod scripted;

pub use reopened::Reopened;
pub use scripted::{Asked, Road, Scripted};

pub use crate::clock::ClockHand;
pub use crate::store::FlakyStore;
