//! Reference models with known answers, by which the explorer itself is checked.

pub mod shop;
pub mod transaction_commit;
pub mod two_phase;
