//! All that is wrong with a flow file, so that its author can correct it in one go.

use std::fmt;

use handfast_toml::{FileError, Table};

/// Why a flow file is refused: everything that can be told apart, as it stands in the file. There is at least one.
///
/// What one part says of another is looked at once each of them can be read, so there may be more to say then.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileErrors {
    first: FileError,
    more: Vec<FileError>,
    left_off: usize,
}

/// The most errors that are told one by one: who has so many reads them in parts.
const MOST_TOLD: usize = 100;

impl FileErrors {
    /// As they stand in the file.
    fn in_order(self) -> Self {
        let mut all: Vec<FileError> = std::iter::once(self.first).chain(self.more).collect();
        all.sort_by_key(|error| (error.line(), error.column()));
        let first = all.remove(0);
        Self { first, more: all, left_off: self.left_off }
    }

    /// The first.
    #[must_use]
    pub fn into_first(self) -> FileError {
        self.first
    }

    /// How many more there are than are told.
    #[must_use]
    pub const fn left_off(&self) -> usize {
        self.left_off
    }

    /// Each that is told: a hundred at most.
    pub fn iter(&self) -> impl Iterator<Item = &FileError> {
        std::iter::once(&self.first).chain(&self.more)
    }
}

impl From<FileError> for FileErrors {
    fn from(first: FileError) -> Self {
        Self { first, more: Vec::new(), left_off: 0 }
    }
}

impl fmt::Display for FileErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first.fmt(f)?;
        self.more.iter().try_for_each(|error| write!(f, "\n{error}"))?;
        match self.left_off {
            0 => Ok(()),
            1 => f.write_str("\nand 1 more"),
            more => write!(f, "\nand {more} more"),
        }
    }
}

impl std::error::Error for FileErrors {}

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Found(Option<FileErrors>);

impl Found {
    /// What was read, or nothing, and then why.
    pub(super) fn take<T>(&mut self, read: Result<T, FileError>) -> Option<T> {
        read.map_err(|error| self.add(error)).ok()
    }

    /// What is wrong.
    pub(super) fn add(&mut self, error: FileError) {
        match &mut self.0 {
            None => self.0 = Some(error.into()),
            Some(errors) if errors.more.len() + 1 < MOST_TOLD => errors.more.push(error),
            Some(errors) => errors.left_off += 1,
        }
    }

    /// How much was found so far.
    fn number(&self) -> usize {
        self.0.as_ref().map_or(0, |errors| 1 + errors.more.len() + errors.left_off)
    }

    /// The parts of a table, of which only these keys are known.
    pub(super) fn parts<'a>(&'a mut self, table: &'a Table<'_, '_>, known: &[&str]) -> Parts<'a> {
        let before = self.number();
        table.others(known).for_each(|error| self.add(error));
        let has_others = self.number() > before;
        Parts { found: self, place: table.source().error(table.span(), ""), has_others }
    }

    /// What was read of all parts, where nothing was wrong with any.
    pub(super) fn end<T>(self, read: Option<T>) -> Result<T, FileErrors> {
        match (self.0, read) {
            (Some(errors), _) => Err(errors.in_order()),
            (None, Some(read)) => Ok(read),
            (None, None) => unreachable!("whatever was not read has left an error"),
        }
    }
}

/// What is found in one table, whose parts are read one by one.
pub(super) struct Parts<'a> {
    found: &'a mut Found,
    place: FileError,
    has_others: bool,
}

impl Parts<'_> {
    /// What was read of one part. What is missing is no error of its own where another key was not known: it is most likely that
    /// one, written otherwise.
    pub(super) fn take<T>(&mut self, read: Result<T, FileError>) -> Option<T> {
        let is_of_table = |error: &FileError| (error.line(), error.column()) == (self.place.line(), self.place.column());
        match read {
            Err(error) if self.has_others && is_of_table(&error) => None,
            read => self.found.take(read),
        }
    }

    /// Nothing where a key was not known: what follows from the others follows from the wrong ones.
    pub(super) fn are_known(&self) -> Option<()> {
        (!self.has_others).then_some(())
    }

    /// Where everything else goes.
    pub(super) const fn found(&mut self) -> &mut Found {
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_errors_are_told_and_the_others_counted() {
        let mut found = Found::default();
        for line in 1..=150 {
            found.add(FileError::new("f", line, 1, "wrong"));
        }
        let errors = found.end(None::<()>).unwrap_err();
        assert_eq!((errors.iter().count(), errors.left_off()), (100, 50));
        assert!(errors.to_string().ends_with("\nf:100:1: wrong\nand 50 more"), "{errors}");
    }
}
