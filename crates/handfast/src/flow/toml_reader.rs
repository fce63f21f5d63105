//! TOML with places: every value knows its line, and every refusal says it.

use std::borrow::Cow;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::FlowFileError;
use super::suggest;

/// The text of a file, to turn offsets into lines and columns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    pub(super) file: &'a str,
    pub(super) text: &'a str,
}

impl<'a> Source<'a> {
    /// Reads the whole file as a table.
    pub(super) fn parse(self) -> Result<Spanned<DeTable<'a>>, FlowFileError> {
        DeTable::parse(self.text).map_err(|error| {
            let message = error.message().lines().collect::<Vec<_>>().join(", ");
            self.error(error.span().unwrap_or_default(), format!("this is not TOML: {message}"))
        })
    }

    /// An error at this place.
    pub(super) fn error(self, span: Range<usize>, message: impl Into<String>) -> FlowFileError {
        let mut start = span.start.min(self.text.len());
        while !self.text.is_char_boundary(start) {
            start -= 1;
        }
        let before = &self.text[..start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        FlowFileError {
            file: self.file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message: message.into(),
        }
    }
}

/// A table of the file, with what to call it in a message.
#[derive(Debug)]
pub(super) struct Table<'s, 't> {
    source: Source<'s>,
    table: &'t DeTable<'s>,
    span: Range<usize>,
    what: String,
}

impl<'s, 't> Table<'s, 't> {
    /// The table `what`, which stands at `span`.
    pub(super) fn new(source: Source<'s>, table: &'t DeTable<'s>, span: Range<usize>, what: impl Into<String>) -> Self {
        Self { source, table, span, what: what.into() }
    }

    /// Refuses every key but these, the first wrong one first.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), FlowFileError> {
        self.in_order().into_iter().find(|(key, _)| !known.contains(&key.get_ref().as_ref())).map_or(Ok(()), |(key, _)| {
            let name: &str = key.get_ref().as_ref();
            let hint = suggest::hint(name, known.iter().copied());
            Err(self.source.error(key.span(), format!("{} has no key {name:?}; {hint}", self.what)))
        })
    }

    /// Its keys and values as they stand in the file.
    pub(super) fn in_order(&self) -> Vec<(&'t Spanned<Cow<'s, str>>, &'t Spanned<DeValue<'s>>)> {
        let mut entries: Vec<_> = self.table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        entries
    }

    /// The value of a key.
    pub(super) fn value(&self, key: &str) -> Option<&'t Spanned<DeValue<'s>>> {
        self.table.get(key)
    }

    /// A text, if the key is there.
    pub(super) fn text(&self, key: &str) -> Result<Option<Spanned<&'t str>>, FlowFileError> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        match value.get_ref().as_str() {
            Some(text) => Ok(Some(Spanned::new(value.span(), text))),
            None => Err(self.source.error(value.span(), format!("{key} must be text in quotes, and it is {}", kind_of(value)))),
        }
    }

    /// A text that has to be there.
    pub(super) fn wanted_text(&self, key: &str, example: &str) -> Result<Spanned<&'t str>, FlowFileError> {
        self.text(key)?.ok_or_else(|| self.missing(key, example))
    }

    /// Whether the key is there and true.
    pub(super) fn flag(&self, key: &str) -> Result<bool, FlowFileError> {
        let Some(value) = self.value(key) else {
            return Ok(false);
        };
        value
            .get_ref()
            .as_bool()
            .ok_or_else(|| self.source.error(value.span(), format!("{key} must be true or false, and it is {}", kind_of(value))))
    }

    /// An error about a key that has to be there and is not.
    pub(super) fn missing(&self, key: &str, example: &str) -> FlowFileError {
        self.source.error(self.span.clone(), format!("{} has no {key}; add one, as in {example}", self.what))
    }
}

/// What a value is, in plain words.
pub(super) fn kind_of(value: &Spanned<DeValue<'_>>) -> &'static str {
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
