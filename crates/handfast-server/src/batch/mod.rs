//! Orders in bulk: every order of a file, or of standard input, is brought to its end.
//!
//! `lines` cuts the input, `input` makes orders of it, `source` checks a file whole before anything starts,
//! `drive` brings the orders to their ends, each as `follow` says, `waiting` knows what they wait for, and `report` is
//! what became of them.

mod drive;
mod follow;
mod input;
mod lines;
mod report;
mod source;
mod waiting;

pub use drive::{Batch, BatchError, Cause, Ended, Report, run};
pub use input::BadLine;
pub use report::{Ending, ResultLine, StepLine, Tally, counted};
pub use source::{Checked, MOST_SHOWN, Source, SourceError};
pub use waiting::Waits;
