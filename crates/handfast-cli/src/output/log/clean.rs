//! What nobody may read is taken out of every line: card numbers, secrets, control characters, and texts without end.

use std::borrow::Cow;

use handfast::flow_file::has_card_number;
use handfast::participant::{Secrets, shorten};

/// The longest text of one field, in bytes.
const LONGEST: usize = 2_000;

/// The one filter between what happens and what is read of it.
#[derive(Debug, Default)]
pub(super) struct Clean(Vec<Secrets>);

impl Clean {
    pub(super) fn keep_back(&mut self, secrets: Secrets) {
        // Those of a flow that is read anew are mostly known.
        if !self.0.contains(&secrets) {
            self.0.push(secrets);
        }
    }

    /// The text as everybody may read it. The whole is looked at before it is cut, so that no part of a number stays.
    pub(super) fn text(&self, text: &str) -> String {
        if has_card_number(text) {
            return "[kept back: it could hold a card's number]".to_owned();
        }
        let mut text = Cow::Borrowed(text);
        for secrets in &self.0 {
            if let Cow::Owned(hidden) = secrets.hide_in(&text) {
                text = Cow::Owned(hidden);
            }
        }
        let begins = shorten(&text, LONGEST);
        let rest = if begins.len() < text.len() { ".." } else { "" };
        format!("{}{rest}", begins.replace(char::is_control, " "))
    }
}
