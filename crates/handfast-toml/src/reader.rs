//! Reads TOML as tables whose values know their line.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read as _;
use std::ops::{Range, RangeInclusive};
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::{FileError, suggest};

/// The text of a file, to turn offsets into lines and columns.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// What messages call the file.
    pub file: &'a str,
    /// What stands in it.
    pub text: &'a str,
}

/// The most bytes that such a file may have: far more than anybody writes, and little enough to be held.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// The text of the file at `path`, which messages call a `what`, as in "the flow file".
///
/// # Errors
/// It cannot be read, is larger than 4 MiB, or is no text.
pub fn read_text(path: &Path, what: &str) -> Result<String, FileError> {
    let file = path.display().to_string();
    let unreadable = |message: String| FileError { file: file.clone(), line: 1, column: 1, message, rule: None };
    let mut bytes = Vec::new();
    // A device says that it is empty and goes on for ever, so that it is counted what is read, not what the file says.
    let read = File::open(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes));
    read.map_err(|error| unreadable(format!("the {what} cannot be read: {error}")))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(unreadable(format!("the {what} is larger than {MOST_BYTES} bytes, which none is; name another file")));
    }
    String::from_utf8(bytes).map_err(|_| unreadable("this is not TOML: it is not UTF-8 text".to_owned()))
}

impl<'a> Source<'a> {
    /// Reads the whole file as a table.
    ///
    /// # Errors
    /// It is not TOML.
    pub fn parse(self) -> Result<Spanned<DeTable<'a>>, FileError> {
        DeTable::parse(self.text).map_err(|error| {
            let message = error.message().lines().collect::<Vec<_>>().join(", ");
            self.error(error.span().unwrap_or_default(), format!("this is not TOML: {message}"))
        })
    }

    /// A whole number within these bounds; messages call it `what`.
    ///
    /// # Errors
    /// It is something else, or out of bounds.
    pub fn whole_number(self, value: &Spanned<DeValue<'_>>, what: &str, bounds: RangeInclusive<u32>) -> Result<u32, FileError> {
        let integer = value.get_ref().as_integer();
        let number = integer.and_then(|integer| i64::from_str_radix(integer.as_str(), integer.radix()).ok());
        number.and_then(|number| u32::try_from(number).ok()).filter(|number| bounds.contains(number)).ok_or_else(|| {
            let found = integer.map_or_else(|| kind_of(value).to_owned(), ToString::to_string);
            let (least, most) = (bounds.start(), bounds.end());
            self.error(value.span(), format!("{what} must be a whole number from {least} to {most}, and it is {found}"))
        })
    }

    /// An error at this place.
    #[must_use]
    pub fn error(self, span: Range<usize>, message: impl Into<String>) -> FileError {
        let mut start = span.start.min(self.text.len());
        while !self.text.is_char_boundary(start) {
            start -= 1;
        }
        let before = &self.text[..start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        FileError {
            file: self.file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message: message.into(),
            rule: None,
        }
    }
}

/// A table of the file, with what to call it in a message.
#[derive(Debug)]
pub struct Table<'s, 't> {
    source: Source<'s>,
    table: &'t DeTable<'s>,
    span: Range<usize>,
    what: String,
}

impl<'s, 't> Table<'s, 't> {
    /// The table `what`, which stands at `span`.
    #[must_use]
    pub fn new(source: Source<'s>, table: &'t DeTable<'s>, span: Range<usize>, what: impl Into<String>) -> Self {
        Self { source, table, span, what: what.into() }
    }

    /// Refuses every key but these, the first wrong one first.
    ///
    /// # Errors
    /// There is another key.
    pub fn only(&self, known: &[&str]) -> Result<(), FileError> {
        self.others(known).next().map_or(Ok(()), Err)
    }

    /// An error for every key but these, as they stand in the file.
    pub fn others(&self, known: &[&str]) -> impl Iterator<Item = FileError> {
        self.in_order().into_iter().filter(|(key, _)| !known.contains(&key.get_ref().as_ref())).map(|(key, _)| {
            let name: &str = key.get_ref().as_ref();
            let hint = suggest::hint(name, known.iter().copied());
            self.source.error(key.span(), format!("{} has no key {name:?}; {hint}", self.what))
        })
    }

    /// Its keys and values as they stand in the file.
    #[must_use]
    pub fn in_order(&self) -> Vec<(&'t Spanned<Cow<'s, str>>, &'t Spanned<DeValue<'s>>)> {
        let mut entries: Vec<_> = self.table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        entries
    }

    /// The file that it stands in.
    #[must_use]
    pub const fn source(&self) -> Source<'s> {
        self.source
    }

    /// What messages call it.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Where it stands.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// The table below a key, if the key is there; messages call it `what`.
    ///
    /// # Errors
    /// It is something else.
    pub fn table(&self, key: &str, what: impl Into<String>) -> Result<Option<Self>, FileError> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        let what = what.into();
        let Some(table) = value.get_ref().as_table() else {
            return Err(self.source.error(value.span(), format!("{what} must be a table, and it is {}", kind_of(value))));
        };
        Ok(Some(Self::new(self.source, table, value.span(), what)))
    }

    /// An error about the value of a key, or about the whole table where the key is not there.
    #[must_use]
    pub fn error_at(&self, key: &str, message: impl Into<String>) -> FileError {
        self.source.error(self.value(key).map_or_else(|| self.span(), Spanned::span), message)
    }

    /// The value of a key.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&'t Spanned<DeValue<'s>>> {
        self.table.get(key)
    }

    /// A text, if the key is there.
    ///
    /// # Errors
    /// It is something else.
    pub fn text(&self, key: &str) -> Result<Option<Spanned<&'t str>>, FileError> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        match value.get_ref().as_str() {
            Some(text) => Ok(Some(Spanned::new(value.span(), text))),
            None => Err(self.source.error(value.span(), format!("{key} must be text in quotes, and it is {}", kind_of(value)))),
        }
    }

    /// A text that has to be there.
    ///
    /// # Errors
    /// It is something else, or missing; then the message gives the example.
    pub fn wanted_text(&self, key: &str, example: &str) -> Result<Spanned<&'t str>, FileError> {
        self.text(key)?.ok_or_else(|| self.missing(key, example))
    }

    /// Whether the key is there and true.
    ///
    /// # Errors
    /// It is neither true nor false.
    pub fn flag(&self, key: &str) -> Result<bool, FileError> {
        self.said_flag(key).map(|said| said == Some(true))
    }

    /// Whether the key says true or false, if it is there.
    ///
    /// # Errors
    /// It is neither true nor false.
    pub fn said_flag(&self, key: &str) -> Result<Option<bool>, FileError> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        let flag = value.get_ref().as_bool();
        let wrong = || self.error_at(key, format!("{key} must be true or false, and it is {}", kind_of(value)));
        flag.map(Some).ok_or_else(wrong)
    }

    /// A whole number within these bounds, if the key is there.
    ///
    /// # Errors
    /// It is something else, or out of bounds.
    pub fn number(&self, key: &str, bounds: RangeInclusive<u32>) -> Result<Option<u32>, FileError> {
        self.value(key).map(|value| self.source.whole_number(value, key, bounds)).transpose()
    }

    /// An error about a key that has to be there and is not.
    #[must_use]
    pub fn missing(&self, key: &str, example: &str) -> FileError {
        self.source.error(self.span.clone(), format!("{} has no {key}; add one, as in {example}", self.what))
    }
}

/// What a value is, in plain words.
#[must_use]
pub fn kind_of(value: &Spanned<DeValue<'_>>) -> &'static str {
    match value.get_ref() {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_says_so() {
        let said = |path: &str| read_text(Path::new(path), "strategy file").expect_err("there is no text").to_string();
        let missing = said("nowhere/own.toml");
        assert!(missing.starts_with("nowhere/own.toml:1:1: the strategy file cannot be read: "), "{missing}");
        assert!(said(".").contains("the strategy file cannot be read"));
    }

    /// A device says that it is empty, and goes on for ever.
    #[cfg(unix)]
    #[test]
    fn what_goes_on_for_ever_is_not_read_for_ever() {
        let error = read_text(Path::new("/dev/zero"), "flow file").expect_err("it has no end").to_string();
        assert_eq!(error, "/dev/zero:1:1: the flow file is larger than 4194304 bytes, which none is; name another file");
    }
}
