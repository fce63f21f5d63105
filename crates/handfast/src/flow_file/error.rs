//! What can be wrong with an order: the place, what is wrong, and what to do.

use std::fmt;

/// Why an order is refused. Its text never repeats a value of the order, since that might be a card's number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InputError {
    place: Place,
    message: String,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Place {
    Whole,
    Column(usize),
    Field(String),
}

impl InputError {
    /// The order as a whole.
    pub(super) fn whole(message: impl Into<String>) -> Self {
        Self { place: Place::Whole, message: message.into() }
    }

    /// A byte of the line, counted from 1.
    pub(super) fn at_column(column: usize, message: impl Into<String>) -> Self {
        Self { place: Place::Column(column), message: message.into() }
    }

    /// A field, by its path.
    pub(super) fn field(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: Place::Field(path.into()), message: message.into() }
    }

    /// The path of the field that is wrong, as in `lines[2].sku`, if it is a field.
    #[must_use]
    pub fn field_path(&self) -> Option<&str> {
        match &self.place {
            Place::Field(path) => Some(path),
            Place::Whole | Place::Column(_) => None,
        }
    }

    /// The byte of the line where it stops being JSON, counted from 1, if it does.
    #[must_use]
    pub const fn column(&self) -> Option<usize> {
        match &self.place {
            Place::Column(column) => Some(*column),
            Place::Whole | Place::Field(_) => None,
        }
    }

    /// What is wrong and what to do, without the place.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Whole => f.write_str(&self.message),
            Place::Column(column) => write!(f, "column {column}: {}", self.message),
            Place::Field(path) => write!(f, "{path}: {}", self.message),
        }
    }
}

impl std::error::Error for InputError {}
