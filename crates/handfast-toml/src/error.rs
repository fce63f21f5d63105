//! What can be wrong with a file: the place, what is wrong, and what to do.

use std::fmt;

/// Why a file is refused: the place, what is wrong, and what to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileError {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) message: String,
    pub(crate) rule: Option<&'static str>,
}

impl FileError {
    /// An error at this line and character of a file, both counted from 1.
    #[must_use]
    pub fn new(file: &str, line: usize, column: usize, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, column, message: message.into(), rule: None }
    }

    /// The same error, as the breach of the rule of this name.
    #[must_use]
    pub const fn of_rule(mut self, rule: &'static str) -> Self {
        self.rule = Some(rule);
        self
    }

    /// The name of the rule that is broken, if it has one. It stays the same, whatever becomes of the text.
    #[must_use]
    pub const fn rule(&self) -> Option<&'static str> {
        self.rule
    }

    /// The line, counted from 1.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.line
    }

    /// The character within the line, counted from 1.
    #[must_use]
    pub const fn column(&self) -> usize {
        self.column
    }

    /// What is wrong and what to do, without the place.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)
    }
}

impl std::error::Error for FileError {}
