//! Fills the gaps of a template. Every value is escaped for where it stands, so that none becomes a part of what surrounds it.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::secret::Secrets;
use super::text::{Piece, Place, Template, Value};
use crate::journal::Scalar;

/// What was kept of answers, by step and name.
pub type Kept = BTreeMap<String, BTreeMap<String, Scalar>>;

/// What there is to fill gaps with.
pub(super) struct Values<'a> {
    pub(super) key: &'a str,
    pub(super) saga: &'a str,
    pub(super) step: &'a str,
    /// The body of the step's act.
    pub(super) input: &'a Json,
    pub(super) kept: &'a Kept,
    pub(super) secrets: &'a Secrets,
}

impl Template {
    /// The text with its gaps filled by `of`, or what is missing for that.
    pub(super) fn fill(&self, of: &dyn Fn(&Value) -> Result<Json, String>) -> Result<String, String> {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(literal) => text.push_str(literal),
                Piece::Gap(value, place) => text.push_str(&escaped(&of(value)?, *place)?),
            }
        }
        Ok(text)
    }
}

impl Values<'_> {
    pub(super) fn of(&self, value: &Value) -> Result<Json, String> {
        Ok(match value {
            Value::Key => Json::from(self.key),
            Value::Saga => Json::from(self.saga),
            Value::Step => Json::from(self.step),
            Value::Input(path) => input_at(self.input, path),
            Value::Receipt { step, name } => match self.kept.get(step).and_then(|kept| kept.get(name)) {
                Some(Scalar::Bool(value)) => Json::from(*value),
                Some(Scalar::Integer(value)) => Json::from(*value),
                Some(Scalar::Text(value)) => Json::from(value.as_str()),
                None => return Err(format!("no answer of step {step} has brought its {name} yet")),
            },
            Value::Secret(name) => {
                Json::from(self.secrets.of(name).ok_or_else(|| format!("the secret {name} is not there"))?.reveal())
            }
        })
    }
}

/// A field of what a step sends, or a part of it. Fields were checked at the door, so what is not there may be left out.
pub(super) fn input_at(input: &Json, path: &[String]) -> Json {
    path.iter().try_fold(input, |at, part| at.get(part)).cloned().unwrap_or(Json::Null)
}

fn escaped(value: &Json, place: Place) -> Result<String, String> {
    if place == Place::JsonValue {
        return Ok(value.to_string());
    }
    let text = match value {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        Json::Bool(value) => value.to_string(),
        Json::Null => String::new(),
        Json::Array(_) | Json::Object(_) => return Err("a list or an object cannot stand within a text".to_owned()),
    };
    match place {
        Place::Path if text.is_empty() => Err("a part of the url's path would be empty".to_owned()),
        Place::Path | Place::Query | Place::Form => Ok(percent_encoded(&text)),
        Place::Header | Place::Answer => Ok(text),
        Place::JsonText | Place::JsonValue => {
            let quoted = Json::from(text).to_string();
            Ok(quoted[1..quoted.len() - 1].to_owned())
        }
    }
}

/// Everything but letters, digits and `-._~` (RFC 3986, 2.3) as `%XX`.
pub(super) fn percent_encoded(text: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.extend(['%', char::from(DIGITS[usize::from(byte >> 4)]), char::from(DIGITS[usize::from(byte & 15)])]);
        }
    }
    encoded
}
