//! One line of the log: when, how bad, what, and about whom.

use std::fmt::{self, Write as _};

use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Level};

use super::clean::Clean;

/// The field of an event that is its sentence.
const MESSAGE: &str = "message";

/// A line, as it was reported: nothing is taken out of it yet.
#[derive(Debug)]
pub(super) struct Line {
    at_ms: u64,
    level: Level,
    /// The name of the event: its kind.
    event: &'static str,
    target: &'static str,
    said: Said,
    /// How many lines of its kind were left out before it.
    left_out: u64,
}

impl Line {
    pub(super) fn of(event: &Event<'_>, at_ms: u64, left_out: u64) -> Self {
        let metadata = event.metadata();
        let mut said = Said::default();
        event.record(&mut said);
        Self { at_ms, level: *metadata.level(), event: metadata.name(), target: metadata.target(), said, left_out }
    }

    /// Tells of lines that were left out, of which none of their kind tells any more.
    pub(super) fn of_left_out(kind: &'static str, left_out: u64, at_ms: u64) -> Self {
        let message = "lines were left out, since there were too many of their kind".to_owned();
        let said = Said { message, fields: vec![("kind", Value::from(kind))] };
        Self { at_ms, level: Level::WARN, event: "lines_left_out", target: "handfast::log", said, left_out }
    }

    pub(super) fn as_text(&self, clean: &Clean) -> String {
        let colour = match self.level {
            Level::ERROR => "\x1b[1;31m",
            Level::WARN => "\x1b[33m",
            _ => "\x1b[2m",
        };
        let mut text = format!("{} {colour}{:<5}\x1b[0m {}", self.at(), self.level, clean.text(&self.said.message));
        for (name, value) in self.fields(clean) {
            let value = value.as_str().filter(|text| is_word(text)).map_or_else(|| value.to_string(), str::to_owned);
            // Nothing can go wrong on the way into a text.
            let _written = write!(text, " {name}={value}");
        }
        text
    }

    pub(super) fn as_json(&self, clean: &Clean) -> String {
        let mut line = Map::new();
        line.insert("at".to_owned(), json!(self.at()));
        line.insert("level".to_owned(), json!(self.level.as_str().to_ascii_lowercase()));
        line.insert("event".to_owned(), json!(self.event));
        line.insert(MESSAGE.to_owned(), json!(clean.text(&self.said.message)));
        line.insert("target".to_owned(), json!(self.target));
        for (name, value) in self.fields(clean) {
            line.entry(name).or_insert(value);
        }
        Value::from(line).to_string()
    }

    fn fields<'a>(&'a self, clean: &'a Clean) -> impl Iterator<Item = (&'static str, Value)> {
        let cleaned = |value: &Value| value.as_str().map_or_else(|| value.clone(), |text| clean.text(text).into());
        let fields = self.said.fields.iter().map(move |(name, value)| (*name, cleaned(value)));
        fields.chain((self.left_out > 0).then(|| ("left_out", Value::from(self.left_out))))
    }

    fn at(&self) -> String {
        let at = i64::try_from(self.at_ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()).unwrap_or_default();
        format!("{at:.3}")
    }
}

/// Whether it can stand behind a name without quotes.
fn is_word(text: &str) -> bool {
    !text.is_empty() && !text.contains(|character: char| character.is_whitespace() || matches!(character, '"' | '='))
}

/// What an event says.
#[derive(Debug, Default)]
struct Said {
    message: String,
    fields: Vec<(&'static str, Value)>,
}

impl Said {
    fn add(&mut self, field: &Field, value: impl Into<Value>) {
        let value = value.into();
        if field.name() == MESSAGE {
            self.message = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        } else {
            self.fields.push((field.name(), value));
        }
    }
}

impl Visit for Said {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, value);
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value);
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value);
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value);
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value);
    }
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format!("{value:?}"));
    }
}
