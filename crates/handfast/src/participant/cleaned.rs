//! The one filter between what a participant writes and what is kept, shown and logged of it, whichever way it came.

use super::Reply;
use crate::flow_file::has_card_number;
use crate::journal::{Receipt, Scalar};

/// The longest reason that is kept, in bytes.
const MAX_DETAIL: usize = 200;
/// The longest account of what was seen instead of an answer, in bytes.
const MAX_SEEN: usize = 400;

impl Reply {
    /// It without what must be kept nowhere: a reason that holds what could be a card's number, or a control character, is left
    /// out, and a longer one is cut. A value that a later request needs cannot be left out, so an answer that brings a card's
    /// number in the place of one is unknown.
    pub(crate) fn cleaned(self) -> Self {
        match self {
            // Templates say so themselves, with their status. A participant of this process has none.
            Self::Definite { receipt, .. } | Self::Undo { receipt, .. } if receipt.kept.values().any(is_card_number) => {
                let seen = "an answer with what could be a card's number in the place of a value that is to be kept";
                Self::meaningless(200, seen, None)
            }
            Self::Definite { answer, receipt } => {
                let detail = receipt.detail.as_deref().and_then(cleaned_detail);
                Self::Definite { answer, receipt: Receipt { detail, ..receipt } }
            }
            Self::Undo { told, receipt } => {
                let detail = receipt.detail.as_deref().and_then(cleaned_detail);
                Self::Undo { told, receipt: Receipt { detail, ..receipt } }
            }
            Self::Absent { seen, retry_after } => Self::Absent { seen: cleaned_seen(&seen), retry_after },
            Self::Unknown { seen, heard, retry_after } => Self::Unknown { seen: cleaned_seen(&seen), heard, retry_after },
            Self::Mismatch { seen, in_effect, mut kept, retry_after } => {
                kept.retain(|_, value| !is_card_number(value));
                Self::Mismatch { seen: cleaned_seen(&seen), in_effect, kept, retry_after }
            }
            Self::Behind { .. } => self,
        }
    }
}

pub(crate) fn is_card_number(value: &Scalar) -> bool {
    match value {
        Scalar::Bool(_) => false,
        Scalar::Integer(_) | Scalar::Text(_) => has_card_number(&value.to_string()),
    }
}

/// The whole is looked at before it is cut, so that no part of a number stays.
fn cleaned_detail(detail: &str) -> Option<String> {
    let is_kept = !has_card_number(detail) && !detail.chars().any(char::is_control);
    is_kept.then(|| shorten(detail, MAX_DETAIL).to_owned())
}

/// What a person may see of it.
pub(super) fn cleaned_seen(seen: &str) -> String {
    if has_card_number(seen) {
        return "an answer that is not shown, since it could hold a card's number".to_owned();
    }
    shorten(seen, MAX_SEEN).replace(char::is_control, " ")
}

/// What others wrote is kept, but not at any length.
#[must_use]
pub fn shorten(text: &str, longest: usize) -> &str {
    let end = (0..=longest.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use handfast_protocol::{Answer, Definite};

    use super::*;

    fn refused(detail: &str) -> Reply {
        let receipt = Receipt { detail: Some(detail.to_owned()), ..Receipt::default() };
        Reply::Definite { answer: Answer::State(Definite::Refused), receipt }
    }

    fn kept(value: Scalar) -> Reply {
        let receipt = Receipt { kept: BTreeMap::from([("id".to_owned(), value)]), ..Receipt::default() };
        Reply::Definite { answer: Answer::State(Definite::Done), receipt }
    }

    #[test]
    fn a_reason_is_kept_without_what_belongs_nowhere() {
        let detail = |text: &str| match refused(text).cleaned() {
            Reply::Definite { receipt, .. } => receipt.detail,
            other @ (Reply::Undo { .. }
            | Reply::Absent { .. }
            | Reply::Unknown { .. }
            | Reply::Mismatch { .. }
            | Reply::Behind { .. }) => {
                panic!("{other:?}")
            }
        };
        assert_eq!(detail("card_declined").as_deref(), Some("card_declined"));
        assert_eq!(detail("card 4242.4242.4242.4242 declined"), None);
        assert_eq!(detail("\u{1b}[31mdeclined"), None);
        assert_eq!(detail(&"ä".repeat(150)).map(|detail| detail.len()), Some(MAX_DETAIL));
        // The cut would leave twelve digits of it.
        assert_eq!(detail(&format!("{}4242424242424242", "x ".repeat(94))), None);
    }

    #[test]
    fn a_card_number_is_never_kept() {
        for value in [Scalar::Text("4242/4242/4242/4242".to_owned()), Scalar::Integer(4_242_424_242_424_242)] {
            let Reply::Unknown { seen, .. } = kept(value.clone()).cleaned() else { panic!("{value:?} is kept") };
            assert!(!seen.contains("4242"), "{seen}");
        }
        for value in [Scalar::Text("h-1".to_owned()), Scalar::Integer(7), Scalar::Bool(true)] {
            assert_eq!(kept(value.clone()).cleaned(), kept(value));
        }
        assert_eq!(
            Reply::unknown("200 with state \"4242 4242 4242 4242\"").cleaned(),
            Reply::unknown("an answer that is not shown, since it could hold a card's number")
        );
        assert_eq!(Reply::unknown("a\nb").cleaned(), Reply::unknown("a b"));
    }
}
