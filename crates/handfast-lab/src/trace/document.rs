//! A trace as text: one JSON document with a member a line, and in its lists an element a line.

use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::ser::Formatter;

use super::{Kind, TraceError};

/// The version of every kind of trace.
pub const VERSION: &str = "handfast/1";

/// A trace that is being written.
pub struct Document(String);

/// JSON on one line, with a space after every comma and colon.
struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.begin_array_value(writer, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

fn on_one_line(value: &impl Serialize) -> Result<String, TraceError> {
    let mut text = Vec::new();
    let written = value.serialize(&mut serde_json::Serializer::with_formatter(&mut text, Spaced));
    written.map_err(|error| TraceError::Unwritable(error.to_string()))?;
    String::from_utf8(text).map_err(|error| TraceError::Unwritable(error.to_string()))
}

impl Document {
    /// The head of a trace of this kind.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self(format!("{{\n  \"trace\": \"{VERSION}\",\n  \"kind\": \"{}\"", kind.name()))
    }

    /// Adds a member.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn member(mut self, name: &str, value: &impl Serialize) -> Result<Self, TraceError> {
        self.0 += &format!(",\n  \"{name}\": {}", on_one_line(value)?);
        Ok(self)
    }

    /// Adds a list, an element a line.
    ///
    /// # Errors
    /// An element cannot be written.
    pub fn list<T: Serialize>(mut self, name: &str, values: &[T]) -> Result<Self, TraceError> {
        let lines = values.iter().map(on_one_line).collect::<Result<Vec<_>, _>>()?;
        let lines = if lines.is_empty() { String::new() } else { format!("\n    {}\n  ", lines.join(",\n    ")) };
        self.0 += &format!(",\n  \"{name}\": [{lines}]");
        Ok(self)
    }

    /// The text.
    #[must_use]
    pub fn finish(self) -> String {
        self.0 + "\n}\n"
    }
}

/// Reads the members of a trace.
///
/// # Errors
/// The text is no JSON, or a member is missing, unknown or of another kind; the error names the line.
pub fn members<T: DeserializeOwned>(text: &str) -> Result<T, TraceError> {
    serde_json::from_str(text).map_err(|error| {
        let said = error.to_string();
        let said = said.split(" at line ").next().unwrap_or_default().to_owned();
        TraceError::Unreadable { line: error.line(), column: error.column(), said }
    })
}
