//! The lab: explores systems of parties under every capture, delay, duplicate, reordering and crash.

pub mod explorer;
pub mod models;
