//! Flow files: what an order looks like, which steps it takes, and in which order they are sound.
//!
//! ```toml
//! name = "shop"
//!
//! [input]                                     # what an order holds besides its id; anything else is refused
//! amount = "money"                            # {"minor": 1999, "currency": "EUR"}
//! token = "token"                             # what stands for a card; never its number
//! lines = "list"                              # objects or plain values
//! note = { type = "text", optional = true }
//!
//! [[step]]
//! name = "payment"
//! kind = "compensatable"                      # compensatable | pivot | retriable
//! url = "http://127.0.0.1:4001/charges"
//! deadline = "5s"                             # 500ms, 5s, 2m, 1h; counted from the step's intent
//! send = ["amount", "token"]                  # the body of its act; every field of the input when left out
//!
//! [[step]]
//! name = "dispatch"
//! kind = "pivot"
//! url = "http://127.0.0.1:4002/shipments"
//! send = ["lines"]
//! ```
//!
//! # Keys
//!
//! | key | |
//! | --- | --- |
//! | `name` | the flow's name |
//! | `[input]` | a field of an order and its type, or `{ type, optional }` |
//! | `[assume]` | `message_lifetime`, `clock_error`, `longest_outage`: durations; `refusal`, `loss`: numbers from 0 to 1 as text; `tries`: a whole number |
//! | `[[step]]` | `name`, `kind`, `participant` (`"handfast"`, `"http"`, `"inproc"`), `url`, `deadline`, `send`, `beside`, `captures`, `undo_after`, `timeout`, `in_flight`, `retry_base`, `retry_cap` |
//! | `[step.profile]` | `undo`, `may_refuse`, `close`, `idempotent`, `remembers`, `sticky_refusal`, `hold_expires`, `peek`, `answers` |
//! | `[step.http.act]`, `.close`, `.undo`, `.peek` | `method`, `url`, `headers`, `body`, `form`, `done`, `refused`, `closed`, `undone`, `keep`, `detail` |
//! | `[step.http.webhook]` | `scheme`, `secret`, `key` or `saga`, `tolerance` |
//!
//! `docs/flow.md` describes each of them. A flow that cannot promise everything has risks, each with a name;
//! [`FlowFile::flow`] makes a flow of it only where each was accepted.
//!
//! # Types
//!
//! | type | what an order gives |
//! | --- | --- |
//! | `money` | `{"minor": N, "currency": "EUR"}`: whole minor units, 1 to 10^15, and an ISO 4217 code that has such units. 19.99 EUR is `1999`, 1,999 JPY is `1999`, 1.999 KWD is `1999`. No other spelling, so that nothing is ever rounded |
//! | `token` | 1 to 255 printable ASCII characters without a space |
//! | `text` | up to 4,096 characters, without control characters but newline and tab |
//! | `integer` | a whole number, at most 10^15 either way |
//! | `list` | 1 to 1,000 values: text, whole numbers, true, false, null, objects and lists of them, eight levels deep at most |
//!
//! A number that could be a card's (13 to 19 digits, in groups or not, that pass the Luhn check) is refused wherever it
//! stands but in `money`, and no message repeats it.
//!
//! # What is kept
//!
//! An order is rewritten in one form before anything else happens: its id, then the fields as the flow declares them, the
//! keys of objects in alphabetical order, no spaces. Two spellings of one order are therefore the same order.
//! What a saga keeps of the flow is what drives it, the steps: a comment, or a field that is declared anew, does not make
//! another flow of it; another step, kind, URL, deadline, template or promise does.

mod assume;
mod conditions;
mod error;
mod errors;
mod field;
mod file;
mod input;
mod json;
mod money;
mod order;
mod profile;
mod step;
mod templates;
mod webhook;

#[cfg(test)]
mod file_tests;
#[cfg(test)]
mod named_tests;
#[cfg(test)]
mod order_tests;
#[cfg(test)]
mod profile_tests;
#[cfg(test)]
mod proof_tests;
#[cfg(test)]
mod undo_tests;
#[cfg(test)]
mod value_tests;
#[cfg(test)]
mod webhook_tests;

/// Whether a number in `text` could be a card's, as orders are checked for it.
#[must_use]
pub fn has_card_number(text: &str) -> bool {
    handfast_protocol::holds_card_number(text)
}

pub use assume::{Ratio, ResidualOdds};
pub use error::InputError;
pub use errors::FileErrors;
pub use field::{Field, FieldType};
pub use file::FlowFile;
pub use handfast_toml::FileError;
pub use money::currencies;
pub use order::MAX_ORDER_BYTES;
pub use step::{FileStep, StepParticipant};
