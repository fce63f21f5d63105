//! The tests of the lab, in one binary.

mod diagram;
mod explorer;
mod generals;
mod models;
mod risks;
mod saga;
