//! What people type: TOML with places, one grammar of durations, and suggestions for words that are nearly right.
//!
//! It knows no format of ours. Whoever has one reads its [`Table`]s, and every refusal says the line, what is wrong, and what
//! to do:
//!
//! ```
//! use handfast_toml::{Durations, Source, Table};
//!
//! let source = Source { file: "shop.toml", text: "wiat = \"1.5s\"" };
//! let read = source.parse()?;
//! let shop = Table::new(source, read.get_ref(), read.span(), "a shop");
//! let refused = shop.only(&["name", "wait"]).unwrap_err();
//! assert_eq!(refused.to_string(), "shop.toml:1:1: a shop has no key \"wiat\"; did you mean wait?");
//! assert_eq!(Durations::WAITING.read("1.5s")?.as_millis(), 1_500);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod duration;
mod error;
mod reader;
pub mod suggest;

pub use duration::{DurationError, Durations, parse_duration, written};
pub use error::FileError;
pub use reader::{Source, Table, kind_of, read_text};
pub use toml::Spanned;
pub use toml::de::{DeTable, DeValue};
