//! The saga: any number of steps in services that share no transaction, brought to *both* or *neither*.

mod coordinator;
mod differs;
mod doubt;
mod due;
mod encoding;
mod former;
mod meaning;
mod message;
mod moved;
mod needs;
mod person;
mod plan;
mod plan_error;
mod profile;
mod prospects;
mod risk;
pub mod stage;
mod standing;
mod step_set;
mod undo;
mod watch;

pub use coordinator::Coordinator;
pub use due::{DueAt, Nature};
pub use meaning::{Meaning, Meanings};
pub use message::{Command, Evidence, Operation, Outcome, Told, UndoTold};
pub use person::{Mark, Ruling};
pub use plan::{Doubt, Due, Kind, Plan, StepPlan};
pub use plan_error::PlanError;
pub use profile::{Answers, Assessment, Assumptions, Close, Named, Profile, ProfiledStep, Repeat, Undo, Values, assess};
pub use prospects::{End, Fate};
pub use risk::{Finding, Remark, Risk, Span};
pub use standing::Standing;
pub use step_set::StepSet;

#[cfg(test)]
mod tests;
