//! handfast

pub mod journal;
pub mod store;
