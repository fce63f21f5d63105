//! The participant from outside: the contract, the books, and what is left of both when things go wrong.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed, and says where")]

mod answers;
mod concurrency;
mod contract;
mod crash;
mod edges;
mod faults;
mod gone;
mod intents;
mod oracle;
mod services;
mod stores;
mod support;
