//! Amounts of money in answers: whether what stands there is the amount that was asked for, another one, or neither for
//! certain.

use serde_json::Value as Json;

use super::shape::scalar_text;
use super::text::{Coding, Piece, Template, Value};

/// More digits or a larger exponent no amount has.
const MAX_DIGITS: usize = 400;

/// How an amount is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Amount {
    /// In minor units: 1999.
    Minor,
    /// With the places of its currency: 19.99.
    Decimal,
}

impl Amount {
    /// What a text has that is one gap with an amount, and nothing else.
    pub(super) fn of(template: &Template) -> Option<Self> {
        match template.0.as_slice() {
            [Piece::Gap(Value::Decimal(_), _, Coding::Plain)] => Some(Self::Decimal),
            // Only money has parts.
            [Piece::Gap(Value::Input(path), _, Coding::Plain)] if path.get(1).is_some_and(|part| part == "minor") => {
                Some(Self::Minor)
            }
            _ => None,
        }
    }

    /// It is the same amount, as a text or as a number. Minor units are digits: a service that writes a point may mean major
    /// ones.
    pub(super) fn is_same(self, wanted: &Json, found: &Json) -> bool {
        let text = scalar_text(found).unwrap_or_default();
        let is_written_so = self == Self::Decimal || text.bytes().all(|byte| byte.is_ascii_digit());
        is_written_so && Self::exact(wanted).is_some_and(|wanted| Self::exact(found) == Some(wanted))
    }

    /// It is another amount for certain: a number, and another one. Any other text is not certain to be one.
    pub(super) fn is_other(wanted: &Json, found: &Json) -> bool {
        matches!((Self::exact(wanted), Self::exact(found)), (Some(wanted), Some(found)) if wanted != found)
    }

    fn exact(value: &Json) -> Option<Exact> {
        match value {
            Json::String(_) | Json::Number(_) => Exact::of(&scalar_text(value)?),
            Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
        }
    }
}

/// A number, however it was spelled: `01.00`, `1` and `1e0` are one.
#[derive(PartialEq, Eq, Debug)]
struct Exact {
    is_negative: bool,
    /// Without a zero at either end.
    digits: String,
    /// The power of ten that the digits are multiplied by.
    exponent: i64,
}

impl Exact {
    fn of(text: &str) -> Option<Self> {
        let (is_negative, text) = match text.strip_prefix('-') {
            Some(text) => (true, text),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (text, 0),
        };
        let (whole, part) = match mantissa.split_once('.') {
            Some((_, "")) => return None,
            Some(halves) => halves,
            None => (mantissa, ""),
        };
        let is_plain = !whole.is_empty() && whole.bytes().chain(part.bytes()).all(|byte| byte.is_ascii_digit());
        if !is_plain || whole.len() + part.len() > MAX_DIGITS || exponent.unsigned_abs() > MAX_DIGITS as u64 {
            return None;
        }
        let all = format!("{whole}{part}");
        let digits = all.trim_end_matches('0');
        if digits.is_empty() {
            return Some(Self { is_negative: false, digits: String::new(), exponent: 0 });
        }
        let places = i64::try_from(all.len() - digits.len()).ok()? - i64::try_from(part.len()).ok()?;
        Some(Self { is_negative, digits: digits.trim_start_matches('0').to_owned(), exponent: exponent + places })
    }
}
