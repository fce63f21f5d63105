//! Input that makes no sense as it stands, whatever kind of input it is; nothing was done.

use std::fmt::{self, Display};

/// Marks an error as one of the input.
#[derive(Debug)]
pub(crate) struct BadInput(anyhow::Error);

impl Display for BadInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for BadInput {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

/// Says of an error that it is one of the input.
pub(crate) trait OrBadInput<T> {
    /// The same result, with an error of the input.
    fn or_bad_input(self) -> anyhow::Result<T>;
}

impl<T, E: Into<anyhow::Error>> OrBadInput<T> for Result<T, E> {
    fn or_bad_input(self) -> anyhow::Result<T> {
        self.map_err(|error| anyhow::Error::new(BadInput(error.into())))
    }
}
