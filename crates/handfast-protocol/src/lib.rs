//! The pure protocol: what a party is, the saga coordinator, the participant's register and the two generals.
//!
//! Nothing in this crate can read a clock, open a socket, touch a file or draw a random number: it has no
//! dependency and no `std`. Time, messages and what a service made of a request are arguments. The engine executes
//! these transition functions, the lab enumerates them, and both run the same compiled code.
//!
//! - [`Party`]: one side of a protocol, a value that is told one thing at a time; [`replay`] makes its state out of its journal.
//! - [`Register`]: a participant's side, one value per key.
//! - [`Memory`] and [`is_behind`]: what a caller saw of a participant's history, and whether the participant can confirm it.
//! - [`Coordinator`]: the side that brings all steps of a saga to *both* or *neither*.
//! - [`stage`]: the sound orders of a saga's steps, as types.
//! - [`generals`]: the problem itself, with its two strategies.
//! - [`Guards`]: every rule that keeps money safe, by name, so that the lab can take one away and show what breaks.
#![no_std]

extern crate alloc;

mod card;
pub mod generals;
mod guards;
mod history;
mod party;
mod register;
mod saga;

pub use card::holds_card_number;
pub use guards::{Deployed, Guards};
pub use history::{Change, Changes, Memory, Shown, Sighting, Tip, is_behind};
pub use party::{Input, Party, Time, replay};
pub use register::{Answer, Definite, Effect, Register, Request};
pub use saga::{
    Answers, Assessment, Assumptions, Close, Command, Coordinator, Doubt, Due, DueAt, End, Evidence, Fate, Finding, Kind, Mark,
    Meaning, Meanings, Named, Nature, Operation, Outcome, Plan, PlanError, Profile, ProfiledStep, Remark, Repeat, Risk, Ruling,
    Span, Standing, StepPlan, StepSet, Told, Undo, UndoTold, Values, assess, stage,
};

/// The version of the transition functions that new sagas follow. A saga is pinned to the version it started with; a change
/// that makes an old journal replay to another state needs a new number, and is made for sagas of that version only.
pub const PROTOCOL_VERSION: u32 = 2;
