//! The coordinator as a service: orders come in over HTTP, and every one that was acknowledged ends in both or neither.
//!
//! [`Server`] opens a store and serves it on a listener until it is told to stop; its [`router`](Server::router) can be a part
//! of an application's own. [`flows`] has whose orders it takes. [`access`] says who may call. [`batch`] drives the orders of a file instead. [`operator`] is what an
//! operator does with sagas, through a running service or in a store's file, in the same shapes either way; [`plans`] says what would
//! come of it in money before it is done to many; [`story`] is one
//! saga as its journal tells it, and [`open_files`] shares out what the system
//! lets a process have open. `docs/serve.md` describes the addresses for callers.
//!
//! What runs the sagas is a [`Coordinator`]: [`handfast::Engine`], or another one that answers *not offered* to what it does not
//! have.
//!
//! This crate knows no command line: it prints nothing, ends no process and starts none.

pub mod access;
pub mod batch;
mod coordinator;
pub mod flows;
mod key;
mod listing;
mod metrics;
pub mod open_files;
mod openapi;
pub mod operator;
pub mod plans;
mod prefer;
mod problem;
mod query;
mod reload;
mod request;
mod routes;
mod server;
mod service;
pub mod shapes;
pub mod story;

#[cfg(test)]
mod bound_tests;
#[cfg(test)]
mod coordinator_tests;
#[cfg(test)]
mod dead_tests;
#[cfg(test)]
mod part_tests;
#[cfg(test)]
mod test_support;

pub use crate::coordinator::{Asked, Coordinator, Followed, Offered, Stands, Unmet};
pub use crate::server::{Reloader, ServeError, Server, Settings};
pub use crate::service::Receivers;
