//! Reference models with known answers, by which the explorer itself is checked.

pub mod transaction_commit;
