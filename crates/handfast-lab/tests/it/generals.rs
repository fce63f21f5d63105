//! The two generals' lab: every module of it against brute force, formulas and the values of the literature.

mod belief;
mod bounds;
mod chain;
mod check;
mod email;
mod grid;
mod knowledge;
mod odds;
mod polynomial;
mod random;
mod table;
mod worst;
