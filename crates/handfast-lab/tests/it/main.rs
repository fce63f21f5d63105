//! The tests of the lab, in one binary.

mod explorer;
mod models;
mod saga;
