//! What a store says of many sagas at once: lines of a list, their orders, and how many stand how.

use bytes::Bytes;
use handfast_protocol::Time;

/// One line of a list of sagas.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Summary {
    /// The saga.
    pub id: String,
    /// How it stands.
    pub standing: String,
    /// When it was placed.
    pub created: Time,
    /// When its last entry was appended.
    pub changed: Time,
}

/// What the order of a saga was, for those who look at many of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ordered {
    /// How the saga stands.
    pub standing: String,
    /// The order as it was submitted, and the body of every step's act. `None` where that is not what was written, or missing.
    pub order: Option<(Vec<u8>, Vec<Bytes>)>,
}

/// The orders of a page of sagas, and the saga after which the next page begins; `None` on the last.
pub type OrderedPage = (Vec<Ordered>, Option<String>);

/// How many sagas stand how.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Standing and number, in alphabetical order of the standing.
    pub by_standing: Vec<(String, u64)>,
}
