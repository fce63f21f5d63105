//! What programs take from the machine they run on, in one place for all of them: its clocks, and a lock. It depends on nothing.
//!
//! Sagas go by the engine's own clock, which a test can turn; this one measures how long something took, and stamps lines.

pub mod clock;
mod lock;

pub use lock::locked;
