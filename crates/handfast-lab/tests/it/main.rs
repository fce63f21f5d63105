//! The tests of the lab, in one binary.

mod models;
