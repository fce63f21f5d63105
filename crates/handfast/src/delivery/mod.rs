//! How hard and how often participants are asked: nothing in here decides anything about a saga.

mod asked;
mod backoff;
mod breaker;
pub(crate) mod life;
mod link;
mod memories;
mod odd;
mod quiet;
mod settings;
mod stats;

pub use asked::RequestStats;
pub use backoff::Backoff;
pub use breaker::{BreakerSettings, BreakerState};
pub use odd::{NotMade, NotUnderstood};
pub use stats::LinkStats;

pub(crate) use backoff::Jitter;
pub(crate) use breaker::Admission;
pub(crate) use life::Life;
pub(crate) use link::{ACCEPTED, CallEnd, Class, Link, OwnSeen, Slot, turns_away};
pub(crate) use memories::Memories;
pub(crate) use settings::LinkSettings;
