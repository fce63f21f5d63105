//! How should the generals decide: how many messengers are worth sending, in which waves, and who attacks on which view?
//!
//! Three questions, each within a class that is named, and nothing is called best beyond it:
//!
//! - [`wave`]: the best *single wave*, all of it paid in advance;
//! - [`adaptive`]: the best plan that tops up only when no acknowledgement came;
//! - [`rule`]: for the messengers that a given protocol sends, the best decision of each general on each of its views.

pub mod adaptive;
mod amount;
mod cut;
mod plan;
pub mod rule;
mod search;
mod sight;
mod stakes;
pub mod wave;

pub use plan::{Plan, Stage, Valued};
pub use search::MOST_PLANS;
pub use stakes::{DecideError, Stakes};
