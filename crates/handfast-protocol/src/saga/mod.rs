//! The saga: any number of steps in services that share no transaction, brought to *both* or *neither*.

mod coordinator;
mod doubt;
mod encoding;
mod message;
mod plan;

pub use coordinator::{Coordinator, Standing};
pub use message::{Command, Evidence, Operation, Outcome, Told};
pub use plan::{Doubt, Kind, Plan, PlanError, StepPlan};

#[cfg(test)]
mod tests;
