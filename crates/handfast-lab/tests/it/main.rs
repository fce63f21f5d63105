//! The tests of the lab, in one binary.

mod architecture;
mod diagram;
mod explorer;
mod generals;
mod history;
mod models;
mod moved;
mod person;
#[cfg(target_os = "linux")]
mod pictures;
mod risks;
mod saga;
