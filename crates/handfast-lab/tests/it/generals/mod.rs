//! The two generals' lab: every module of it against brute force, formulas and the values of the literature.

mod belief;
mod bounds;
mod chain;
mod check;
mod decide;
mod email;
mod grid;
mod knowledge;
mod odds;
mod own_protocol;
mod polynomial;
mod random;
mod simulate;
mod table;
mod trace;
mod worst;
