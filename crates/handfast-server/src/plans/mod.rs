//! Plan, then apply: what would become of the money of many sagas if something was done to each, as a document that can be kept,
//! read by a second person and applied; and what has come of it.
//!
//! A plan says of each saga the number and the digest of its last entry. Applying it acts on those that still stand so, one by one,
//! and each time under a request id that is made of the plan and the saga: what has moved on since is told and left alone, and a plan
//! that is applied again acts on nothing a second time.

mod applied;
mod document;
mod made;
pub mod money;
#[cfg(test)]
mod tests;
mod words;

pub use self::applied::{Applied, Came, Done, Outcomes, Row};
pub(crate) use self::applied::{Applying, NoResult, apply_page, check_words, outcomes_of};
pub use self::document::{Entry, FORMAT, Head, MOST_AGE_MS, NotThisPlan, Page, Plan, Refused, request_id};
pub(crate) use self::made::page_of;
pub use self::made::{Made, Maker};
pub use self::words::{come_in_words, in_sum, in_words, line_of};
