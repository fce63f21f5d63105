//! All that is wrong with a flow file, so that its author can correct it in one go.

use std::fmt;

use handfast_toml::FileError;

/// Why a flow file is refused: everything that can be told apart, in the order of the file's parts. There is at least one.
///
/// What one part says of another is looked at once each of them can be read, so there may be more to say then.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileErrors {
    first: FileError,
    more: Vec<FileError>,
}

impl FileErrors {
    /// The first.
    #[must_use]
    pub fn into_first(self) -> FileError {
        self.first
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &FileError> {
        std::iter::once(&self.first).chain(&self.more)
    }
}

impl From<FileError> for FileErrors {
    fn from(first: FileError) -> Self {
        Self { first, more: Vec::new() }
    }
}

impl fmt::Display for FileErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first.fmt(f)?;
        self.more.iter().try_for_each(|error| write!(f, "\n{error}"))
    }
}

impl std::error::Error for FileErrors {}

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Found(Option<FileErrors>);

impl Found {
    /// What was read, or nothing, and then why.
    pub(super) fn take<T>(&mut self, read: Result<T, FileError>) -> Option<T> {
        match (read, &mut self.0) {
            (Ok(value), _) => Some(value),
            (Err(error), None) => {
                self.0 = Some(error.into());
                None
            }
            (Err(error), Some(errors)) => {
                errors.more.push(error);
                None
            }
        }
    }

    /// What was read of all parts, where nothing was wrong with any.
    pub(super) fn end<T>(self, read: Option<T>) -> Result<T, FileErrors> {
        match (self.0, read) {
            (Some(errors), _) => Err(errors),
            (None, Some(read)) => Ok(read),
            (None, None) => unreachable!("whatever was not read has left an error"),
        }
    }
}
