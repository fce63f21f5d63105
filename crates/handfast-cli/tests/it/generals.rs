//! `handfast generals` from outside, one module a question.

mod bounds;
mod check;
mod odds;
mod programs;
