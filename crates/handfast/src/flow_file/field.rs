//! The fields of an order: their types, and what each type takes.

use handfast_protocol::holds_card_number;

use super::error::InputError;
use super::json::{Json, MAX_LENGTH};
use super::money::{self, MAX_MINOR};

/// The most characters of a text.
const MAX_TEXT: usize = 4_096;
/// The most characters of a token.
const MAX_TOKEN: usize = 255;
/// How deep lists and objects may be within one another.
const MAX_DEPTH: usize = 8;

/// What a field holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum FieldType {
    /// Free text.
    Text,
    /// A whole number.
    Integer,
    /// An amount in minor units and its currency.
    Money,
    /// What stands for a card or an account.
    Token,
    /// Values or objects in a row.
    List,
}

impl FieldType {
    /// Every type.
    pub(super) const ALL: [Self; 5] = [Self::Text, Self::Integer, Self::Money, Self::Token, Self::List];

    /// How a flow file calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Money => "money",
            Self::Token => "token",
            Self::List => "list",
        }
    }
}

/// A field that an order has, or may have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub field_type: FieldType,
    /// Whether an order may leave it out.
    pub optional: bool,
}

impl Field {
    /// Checks a value that an order gives.
    pub(super) fn check(&self, value: &Json) -> Result<(), InputError> {
        let path = &self.name;
        let expected = |wanted| self.expected(wanted, value);
        match self.field_type {
            FieldType::Money => money::check(path, value),
            FieldType::Text => check_text(path, value.as_text().ok_or_else(|| expected("text in quotes"))?),
            FieldType::Token => check_token(path, value.as_text().ok_or_else(|| expected("a token in quotes"))?),
            FieldType::Integer => {
                check_integer(path, value.as_integer().ok_or_else(|| expected("a whole number from -10^15 to 10^15"))?)
            }
            FieldType::List => {
                if value.as_list().ok_or_else(|| expected("a list, as in [..]"))?.is_empty() {
                    return Err(InputError::field(path, "the list is empty; it must have at least one value"));
                }
                check_nested(path, value, 1)
            }
        }
    }

    fn expected(&self, wanted: &str, found: &Json) -> InputError {
        let found = match found {
            Json::Null if self.optional => "null; leave the field out instead",
            Json::Null => "null",
            Json::Bool(_) => "true or false",
            Json::Integer(_) => "a number",
            Json::OtherNumber => "a number with a point or an exponent, or one that is too large",
            Json::Text(_) => "text",
            Json::List(_) => "a list",
            Json::Object(_) => "an object",
        };
        InputError::field(&self.name, format!("it must be {wanted}, and it is {found}"))
    }
}

pub(super) const CARD_MESSAGE: &str =
    "this could be a card's number, and card numbers never enter here; send the token that your payment service gave for it";

/// Refuses a number that could be a card's.
pub(super) fn check_no_card(path: &str, text: &str) -> Result<(), InputError> {
    if holds_card_number(text) { Err(InputError::field(path, CARD_MESSAGE)) } else { Ok(()) }
}

fn check_text(path: &str, text: &str) -> Result<(), InputError> {
    if text.chars().count() > MAX_TEXT {
        return Err(InputError::field(path, format!("it has more than {MAX_TEXT} characters")));
    }
    if text.chars().any(|character| character.is_control() && !matches!(character, '\n' | '\t')) {
        return Err(InputError::field(path, "it has a control character other than newline and tab; remove it"));
    }
    check_no_card(path, text)
}

fn check_token(path: &str, token: &str) -> Result<(), InputError> {
    if !(1..=MAX_TOKEN).contains(&token.len()) || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        // Spaced digits are the likeliest mistake here, and deserve the message that helps.
        check_no_card(path, token)?;
        return Err(InputError::field(path, format!("a token has 1 to {MAX_TOKEN} printable ASCII characters and no space")));
    }
    check_no_card(path, token)
}

fn check_integer(path: &str, number: i128) -> Result<(), InputError> {
    if number.abs() > MAX_MINOR {
        return Err(InputError::field(path, "the number is too large; it must be from -10^15 to 10^15"));
    }
    check_no_card(path, &number.unsigned_abs().to_string())
}

fn check_nested(path: &str, value: &Json, depth: usize) -> Result<(), InputError> {
    if depth > MAX_DEPTH && matches!(value, Json::List(_) | Json::Object(_)) {
        return Err(InputError::field(path, format!("lists and objects are more than {MAX_DEPTH} deep in one another")));
    }
    match value {
        Json::Null | Json::Bool(_) => Ok(()),
        Json::Integer(number) => check_integer(path, *number),
        Json::OtherNumber => Err(InputError::field(
            path,
            "a number must be whole and at most 10^15; write others as text in quotes, as in \"1.5\"",
        )),
        Json::Text(text) => check_text(path, text),
        Json::List(values) => {
            debug_assert!(values.len() <= MAX_LENGTH, "the reader bounds lists");
            for (index, value) in values.iter().enumerate() {
                check_nested(&format!("{path}[{index}]"), value, depth + 1)?;
            }
            Ok(())
        }
        Json::Object(members) => {
            for (key, value) in members {
                let member = member_path(path, key);
                check_text(&member, key)?;
                check_nested(&member, value, depth + 1)?;
            }
            Ok(())
        }
    }
}

/// The path of a member, which repeats the key only if it looks like a name.
fn member_path(path: &str, key: &str) -> String {
    if is_name(key) { format!("{path}.{key}") } else { format!("a member of {path}") }
}

/// Whether a key looks like a name, and is no card's number in disguise.
pub(super) fn is_name(key: &str) -> bool {
    let first = key.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    first && key.len() <= 64 && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') && !holds_card_number(key)
}
