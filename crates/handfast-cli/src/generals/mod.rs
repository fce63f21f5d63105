//! A user's own protocol for two generals, without Rust.

pub(crate) mod strategy_file;
