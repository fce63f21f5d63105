//! Makes two services act both or not at all, over a network that loses messages.
//!
//! Open a [`store`], add participants, submit an [`Order`], await its outcome:
//!
//! ```
//! use std::sync::Arc;
//! use handfast::participant::InMemory;
//! use handfast::store::MemoryStore;
//! use handfast::{Engine, Flow, Order, Outcome};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let flow = Flow::builder("shop").compensatable("payment", "bank").pivot("dispatch", "depot").build()?;
//! let engine = Engine::builder(Arc::new(MemoryStore::new()))
//!     .flow(flow)
//!     .participant("bank", InMemory::new(|_effect, _body| true))
//!     .participant("depot", InMemory::new(|_effect, _body| true))
//!     .open()
//!     .await?;
//! let mut saga = engine.submit(Order::new("order-1", "{}").body("payment", "{}").body("dispatch", "{}")).await?;
//! assert_eq!(saga.outcome().await?, Outcome::Completed);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # An unsound order does not compile
//!
//! A flow has steps that can be undone, then at most one that cannot, the *pivot*, then steps that cannot refuse. Nothing
//! else can be brought to both or neither, so the builder offers nothing else:
//!
//! ```compile_fail
//! # use handfast::Flow;
//! Flow::builder("shop").pivot("dispatch", "depot").compensatable("payment", "bank");
//! // error: a step that may refuse cannot come after the pivot: what cannot be undone has already happened
//! ```
//!
//! The rules are the traits of [`stage`]. A participant that promises less than the contract is described by what it lacks,
//! as in [`cannot_close`](FlowBuilder::cannot_close), and what no coordinator can make good is an error of
//! [`build`](FlowBuilder::build) until [`accept_risk`](FlowBuilder::accept_risk) names it. Flows that come from a file
//! ([`flow_file`]) are looked at when they are read.
//!
//! # Where to go next
//!
//! - `examples/embedded_shop.rs`: a web shop with the engine inside, its two services, a declined card and lost answers.
//! - `examples/two_banks.rs`: a transfer between two banks over a bad road, with participants of one's own.
//! - [`participant`]: who takes a step. Services are named by their URLs, and `docs/participants.md` makes yours one.
//! - [`store`]: where sagas are kept; [`journal`]: what is kept of them.
//! - [`upkeep`]: copying a store while it is in use, and looking through all of it.
//! - [`webhook`]: services that say that there may be news, so that they are asked sooner.
//! - [`Options`]: limits and waiting times; [`SagaHandle`]: how one saga stands.
//!
//! The decisions are those of [`handfast_protocol`], and the engine makes none of its own: it tells the coordinator what
//! arrives, keeps every input that changes anything before a message it causes leaves, and delivers what the coordinator
//! wants until the answers are definite.

mod clock;
mod delivery;
mod durations;
mod engine;
mod flow;
pub mod flow_file;
pub mod journal;
mod key;
pub mod participant;
mod setters;
pub mod store;
#[cfg(test)]
mod strange_bytes;
pub mod testing;
mod turns;
pub mod upkeep;
pub mod webhook;

// Setting up: a store, flows, participants, and how patient the engine is.
pub use clock::{Clock, ClockHand, ClockTurns};
pub use delivery::{Backoff, BreakerSettings, BreakerState};
pub use engine::{Engine, EngineBuilder, OpenError, Options};
pub use flow::{Flow, FlowBuilder, FlowError, FlowStep, ParticipantRef, UnacceptedRisk, UnacceptedRisks};
// Placing orders, and following them.
pub use engine::{MAX_BODY_BYTES, NoOutcome, Order, Progress, SagaHandle, SubmitError};
// Looking: one saga, all of them, and what the engine is at.
pub use delivery::{LinkStats, NotMade, NotUnderstood, RequestStats};
pub use durations::Durations;
pub use engine::{
    AnswerSeen, ClockStats, FlowStats, Happened, ListFilter, ListPage, Listed, LookedThrough, Money, NotMoney, OpenMoney,
    PersonNeeded, Places, SAGA_EVENTS, SagaView, Stats, StepView, Sum, Sums, Totals,
};
// What people and webhooks do to a saga.
pub use engine::{
    Act, ActError, ActResult, Acted, Came, CancelError, CancelResult, HintResult, MAX_REASON_CHARACTERS, Possible, Remains,
};
// What it would come to, before it is done.
pub use engine::{Deed, Foreseen, ForeseenPage, Outturn, Stake, WhyNot};
pub use handfast_protocol::{End, Fate};
// Definitions that have changed, and participants that were put back.
pub use engine::{
    AcceptError, Accepted, AdoptError, Chosen, Decided, Difference, OtherDefinition, OtherDefinitions, ParticipantView, Resting,
    RestingPage, StepDifference,
};
// The words of the protocol. A participant of one's own is written with the first line of them.
pub use handfast_protocol::{Answer, Definite, Effect, Operation, Register, Request};
pub use handfast_protocol::{
    Answers, Assessment, Assumptions, Close, Evidence, Finding, Kind, Mark, Outcome, Profile, ProfiledStep, Remark, Repeat, Risk,
    Standing, Time, Undo, stage,
};

// The same as an engine does, in a store that no engine drives: for the command line and the service.
#[doc(hidden)]
pub use engine::{
    Journal, accept_in, act_as_foreseen_in, act_in, amount_in_words, cancel_in, check_said, count_links, describe_evidence,
    foresee_in, list_in, outturn_in, participants_in, resting_in, saga_in, saga_of, saga_with_journal, time_in,
};
