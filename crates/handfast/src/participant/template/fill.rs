//! Fills the gaps of a template. Every value is escaped for where it stands, so that none becomes a part of what surrounds it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use handfast_protocol::Time;
use iso_currency::Currency;
use jiff::Timestamp;
use serde_json::Value as Json;

use super::secret::{Secrets, basic_name};
use super::text::{Coding, Moment, Piece, Place, Template, TimeFormat, Value};
use super::{form, short_key};
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
    /// When the saga was placed.
    pub(super) placed_at: Time,
    /// When the request is made.
    pub(super) now: Time,
    pub(super) secrets: &'a Secrets,
}

impl Template {
    /// The text with its gaps filled by `of`, or what is missing for that.
    pub(super) fn fill(&self, of: &dyn Fn(&Value) -> Result<Json, String>) -> Result<String, String> {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(literal) => text.push_str(literal),
                Piece::Gap(value, place, coding) => text.push_str(&escaped(&coded(of(value)?, value, *place, *coding)?, *place)?),
            }
        }
        Ok(text)
    }

    /// The fields of a form that this is the value of, each with its name and its value escaped.
    pub(super) fn fill_field(&self, name: &str, of: &dyn Fn(&Value) -> Result<Json, String>) -> Result<Vec<String>, String> {
        if let [Piece::Gap(value, Place::FormValue, _)] = self.0.as_slice() {
            let value = of(value)?;
            if value.is_array() {
                return form::fields(name, &value);
            }
        }
        let piece = |piece: &Piece| match piece {
            Piece::Text(literal) => Ok(form::literal(literal)),
            Piece::Gap(..) => Self(vec![piece.clone()]).fill(of),
        };
        let value: String = self.0.iter().map(piece).collect::<Result<_, _>>()?;
        Ok(vec![format!("{}={value}", percent_encoded(name))])
    }
}

impl Values<'_> {
    pub(super) fn of(&self, value: &Value) -> Result<Json, String> {
        Ok(match value {
            Value::Key => Json::from(self.key),
            Value::KeyHash => Json::from(short_key::hash(self.key)),
            Value::KeyUuid => Json::from(short_key::uuid(self.key)),
            Value::Saga => Json::from(self.saga),
            Value::Step => Json::from(self.step),
            Value::Input(path) => input_at(self.input, path),
            Value::Decimal(field) => decimal_of(self.input, field)?,
            Value::LowerCurrency(field) => lower_currency_of(self.input, field),
            Value::Now { moment: Moment::Placed, format } => time(self.placed_at, *format)?,
            Value::Now { moment: Moment::Try, format } => time(self.now, *format)?,
            Value::Receipt { step, name } => match self.kept.get(step).and_then(|kept| kept.get(name)) {
                Some(Scalar::Bool(value)) => Json::from(*value),
                Some(Scalar::Integer(value)) => Json::from(*value),
                Some(Scalar::Text(value)) => Json::from(value.as_str()),
                None => return Err(format!("no answer of step {step} has brought its {name} yet")),
            },
            Value::Secret(name) => self.secret(name)?,
            Value::Basic { user, password } => self.secret(&basic_name(user, password.as_deref()))?,
        })
    }

    fn secret(&self, name: &str) -> Result<Json, String> {
        self.secrets.of(name).map(|secret| Json::from(secret.reveal())).ok_or_else(|| format!("the secret {name} is not there"))
    }
}

/// A field of what a step sends, or a part of it. Fields were checked at the door, so what is not there may be left out.
pub(super) fn input_at(input: &Json, path: &[String]) -> Json {
    path.iter().try_fold(input, |at, part| at.get(part)).cloned().unwrap_or(Json::Null)
}

/// An amount of money with as many places as its currency has: 1999 EUR are 19.99, 1999 JPY are 1999, 1999 KWD are 1.999.
pub(super) fn decimal_of(input: &Json, field: &str) -> Result<Json, String> {
    let Some(money) = input.get(field).filter(|money| !money.is_null()) else { return Ok(Json::Null) };
    let minor = money.get("minor").and_then(Json::as_u64);
    let code = money.get("currency").and_then(Json::as_str);
    let written = minor.zip(code).and_then(|(minor, code)| decimal(minor, code));
    written.map(Json::from).ok_or_else(|| format!("{field} is no amount of money"))
}

/// How many places an amount of this currency has; `None` of one that has no minor unit, or is none.
pub(crate) fn places_of(currency: &str) -> Option<usize> {
    Some(usize::from(Currency::from_code(currency)?.exponent()?))
}

/// Minor units with as many places as this currency has; `None` of one that has no minor unit, or is none.
pub(crate) fn decimal(minor: u64, currency: &str) -> Option<String> {
    let places = places_of(currency)?;
    let digits = format!("{minor:0>width$}", width = places + 1);
    let (whole, part) = digits.split_at(digits.len() - places);
    Some(if part.is_empty() { whole.to_owned() } else { format!("{whole}.{part}") })
}

pub(super) fn lower_currency_of(input: &Json, field: &str) -> Json {
    let code = input.get(field).and_then(|money| money.get("currency")).and_then(Json::as_str);
    code.map_or(Json::Null, |code| Json::from(code.to_ascii_lowercase()))
}

fn time(time: Time, format: TimeFormat) -> Result<Json, String> {
    Ok(match format {
        TimeFormat::Seconds => Json::from(time.0 / 1000),
        TimeFormat::Milliseconds => Json::from(time.0),
        TimeFormat::Iso => {
            let seconds = i64::try_from(time.0 / 1000).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
            Json::from(seconds.ok_or("the time is none of this calendar")?.to_string())
        }
    })
}

/// A value as it is written into this place, where that is not what JSON makes of it.
fn coded(value: Json, of: &Value, place: Place, coding: Coding) -> Result<Written, String> {
    match (of, place, coding, value) {
        (_, _, Coding::Base64, Json::Null) => Ok(Written::Value(Json::Null)),
        (_, _, Coding::Base64, value) => Ok(Written::Value(Json::from(STANDARD.encode(text_of(&value)?)))),
        // A number with a point is written digit by digit, since one in binary could not hold each of them.
        (Value::Decimal(_), Place::JsonValue, Coding::Plain, Json::String(digits)) => Ok(Written::Number(digits)),
        (_, _, Coding::Plain, value) => Ok(Written::Value(value)),
    }
}

/// What is to be escaped for its place.
enum Written {
    Value(Json),
    /// The digits of a number.
    Number(String),
}

fn text_of(value: &Json) -> Result<String, String> {
    match value {
        Json::String(text) => Ok(text.clone()),
        Json::Number(number) => Ok(number.to_string()),
        Json::Bool(value) => Ok(value.to_string()),
        Json::Null => Ok(String::new()),
        Json::Array(_) | Json::Object(_) => Err("a list or an object cannot stand within a text".to_owned()),
    }
}

fn escaped(written: &Written, place: Place) -> Result<String, String> {
    let value = match written {
        Written::Number(digits) => return Ok(digits.clone()),
        Written::Value(value) => value,
    };
    if place == Place::JsonValue {
        return Ok(value.to_string());
    }
    let text = text_of(value)?;
    match place {
        Place::Path if text.is_empty() => Err("a part of the url's path would be empty".to_owned()),
        Place::Path | Place::Query | Place::Form | Place::FormValue => Ok(percent_encoded(&text)),
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
