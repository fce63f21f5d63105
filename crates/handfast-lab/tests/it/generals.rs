//! The two generals' lab: every module of it against brute force, formulas and the values of the literature.

mod knowledge;
mod table;
