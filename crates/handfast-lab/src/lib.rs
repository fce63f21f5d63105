//! The lab: explores systems of parties under every capture, delay, duplicate, reordering and crash.

pub mod diagram;
pub mod explorer;
pub mod generals;
pub mod history;
pub mod models;
pub mod restored;
pub mod saga;
mod svg;
mod told;
