//! The engine's tests, in one binary: one module for each subject.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]

mod adopt;
mod backlog;
mod by_hand;
mod callers;
mod cleaned;
mod clocks;
mod compile_fail;
mod delivery;
mod driver;
mod examples;
mod faults;
mod flushes;
mod hints;
mod in_transaction;
mod journal;
mod lines;
mod lists;
mod observed;
mod over_http;
mod overtaken;
mod profiles;
mod replaced;
mod restored;
mod spans;
mod stores;
mod support;
mod tls;
