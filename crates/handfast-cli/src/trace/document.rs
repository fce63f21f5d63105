//! A trace as text: one JSON document with a member a line, and in its lists an element a line.

use std::io;

use anyhow::anyhow;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::ser::Formatter;

/// The version of every kind of trace.
pub(crate) const VERSION: &str = "handfast/1";

/// A trace that is being written.
pub(crate) struct Document(String);

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

fn on_one_line(value: &impl Serialize) -> anyhow::Result<String> {
    let mut text = Vec::new();
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut text, Spaced))?;
    Ok(String::from_utf8(text)?)
}

impl Document {
    /// The head of a trace of this kind.
    pub(crate) fn new(kind: &str) -> Self {
        Self(format!("{{\n  \"trace\": \"{VERSION}\",\n  \"kind\": \"{kind}\""))
    }

    /// Adds a member.
    pub(crate) fn member(mut self, name: &str, value: &impl Serialize) -> anyhow::Result<Self> {
        self.0 += &format!(",\n  \"{name}\": {}", on_one_line(value)?);
        Ok(self)
    }

    /// Adds a list, an element a line.
    pub(crate) fn list<T: Serialize>(mut self, name: &str, values: &[T]) -> anyhow::Result<Self> {
        let lines = values.iter().map(on_one_line).collect::<anyhow::Result<Vec<_>>>()?;
        let lines = if lines.is_empty() { String::new() } else { format!("\n    {}\n  ", lines.join(",\n    ")) };
        self.0 += &format!(",\n  \"{name}\": [{lines}]");
        Ok(self)
    }

    /// The text.
    pub(crate) fn finish(self) -> String {
        self.0 + "\n}\n"
    }
}

/// Reads the members of a trace.
///
/// # Errors
/// The text is no JSON, or a member is missing, unknown or of another kind; the error names the line.
pub(crate) fn members<T: DeserializeOwned>(text: &str) -> anyhow::Result<T> {
    serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let said = error.to_string();
        let said = said.split(" at line ").next().unwrap_or_default();
        anyhow!("line {line}, column {column}: {said}")
    })
}
