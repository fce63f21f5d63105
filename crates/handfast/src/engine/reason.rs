//! Who asks for *neither*, and why: text that a person may write freely, within bounds, and without a card's number.

use super::CancelError;
use crate::flow_file;

/// The most characters of a name or of a reason that come with a cancel.
pub const MAX_REASON_CHARACTERS: usize = 256;

/// Both go into the journal as they are, and from there to screens and logs.
pub(super) fn check(by: Option<&str>, why: Option<&str>) -> Result<(), CancelError> {
    check_one("by", by)?;
    check_one("why", why)
}

fn check_one(name: &'static str, text: Option<&str>) -> Result<(), CancelError> {
    match what_is_wrong(text.unwrap_or_default()) {
        Some(what) => Err(CancelError::Reason { name, what }),
        None => Ok(()),
    }
}

/// The same of a text without which nothing is kept.
pub(crate) fn what_is_wrong_if_said(text: &str) -> Option<String> {
    if text.trim().is_empty() { Some("it is empty".to_owned()) } else { what_is_wrong(text) }
}

/// Why a text that a person has written is not kept, if it is not.
pub(super) fn what_is_wrong(text: &str) -> Option<String> {
    if text.chars().nth(MAX_REASON_CHARACTERS).is_some() {
        return Some(format!("it has more than {MAX_REASON_CHARACTERS} characters"));
    }
    if text.chars().any(|character| character.is_control() && !matches!(character, '\n' | '\t')) {
        return Some("it has a control character other than newline and tab".to_owned());
    }
    flow_file::has_card_number(text).then(|| "this could be a card's number, and card numbers never enter here".to_owned())
}
