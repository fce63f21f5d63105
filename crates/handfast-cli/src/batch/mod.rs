//! Orders in bulk: every order of a file, or of standard input, is brought to its end.
//!
//! [`lines`] cuts the input, [`input`] makes orders of it, [`source`] checks a file whole before anything starts,
//! [`drive`] brings the orders to their ends, and [`report`] says what became of them.

mod drive;
mod input;
mod lines;
mod report;
mod source;

pub(crate) use drive::{Batch, run};
pub(crate) use report::counted;
pub(crate) use source::{MOST_SHOWN, Source};
