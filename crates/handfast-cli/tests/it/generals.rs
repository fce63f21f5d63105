//! `handfast generals` from outside, one module a question.

mod bounds;
mod check;
mod decide;
mod draw;
mod knowledge;
mod odds;
mod programs;
mod simulate;
mod table;
