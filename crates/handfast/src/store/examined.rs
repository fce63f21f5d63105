//! What was found in the file of a store that was looked through.

/// One thing that is not as it was written.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Damage {
    /// The saga that it is about, if it is about one.
    pub saga: Option<String>,
    /// Which row or page, and what is wrong with it.
    pub what: String,
    /// What to do about it.
    pub cure: String,
}

impl Damage {
    /// Something that is about no saga.
    pub(crate) fn of_file(what: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { saga: None, what: what.into(), cure: cure.into() }
    }

    /// Something that is about a saga.
    pub(crate) fn of_saga(saga: &str, what: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { saga: Some(saga.to_owned()), what: what.into(), cure: cure.into() }
    }
}

/// What a store's file is.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Examined {
    /// Its format.
    pub format: u32,
    /// How many commits it has seen; it wraps around after two thousand million.
    pub generation: u32,
    /// How many sagas it has.
    pub sagas: u64,
    /// What is wrong with its pages, its tables, and rows that belong to no saga.
    pub damage: Vec<Damage>,
}
