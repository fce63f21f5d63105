//! `handfast generals` from outside, one module a question.

mod bounds;
mod check;
mod knowledge;
mod odds;
mod programs;
