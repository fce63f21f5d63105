//! TOML files with places: every value knows its line, and every refusal says it, what is wrong, and what to do.
//!
//! Flow files are read with it, and whatever else a user writes for handfast.

mod error;
mod reader;
pub mod suggest;

pub use error::FileError;
pub use reader::{Source, Table, kind_of, read_text};
