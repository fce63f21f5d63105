//! How the body of an answer that means nothing begins, without its secrets: the flow's author sees by it what the service says
//! instead.

use super::cleaned::shorten;
use super::template::unescaped;
use super::{Heard, Reply, Secrets};
use crate::flow_file::has_card_number;

/// The longest beginning, in bytes.
const LONGEST: usize = 160;

impl Reply {
    /// The same, with the beginning of its body where the answer means nothing.
    pub(super) fn with_excerpt(self, body: Option<&[u8]>, secrets: &Secrets) -> Self {
        match self {
            Self::Unknown { seen, heard: Heard::Status(status), retry_after } => {
                let begins = body.and_then(|body| excerpt(body, secrets));
                let seen = begins.map_or_else(|| seen.clone(), |begins| format!("{seen}: {begins}"));
                Self::Unknown { seen, heard: Heard::Status(status), retry_after }
            }
            Self::Definite { .. }
            | Self::Undo { .. }
            | Self::Absent { .. }
            | Self::Mismatch { .. }
            | Self::Unknown { .. }
            | Self::Behind { .. } => self,
        }
    }
}

/// The whole is looked at before it is cut, so that no part of a number or of a secret stays.
fn excerpt(body: &[u8], secrets: &Secrets) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    if has_card_number(&text) || unescaped(&text).iter().any(|text| has_card_number(text)) {
        return Some("[its body could hold a card's number]".to_owned());
    }
    let text = secrets.hide_in(&text);
    if secrets.are_in(&text) {
        return Some("[its body repeats a secret]".to_owned());
    }
    let text: Vec<&str> = text.split(|character: char| character.is_whitespace() || character.is_control()).collect();
    let text = text.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    let begins = shorten(&text, LONGEST);
    let rest = if begins.len() < text.len() { " .." } else { "" };
    (!text.is_empty()).then(|| format!("{begins}{rest}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::Secret;
    use super::*;

    #[test]
    fn a_body_is_quoted_without_its_secrets() {
        let known =
            BTreeMap::from([("TOKEN".to_owned(), Secret::new("s3cret-of-the-bank")), ("ID".to_owned(), Secret::new("m7"))]);
        let secrets = Secrets::load(["TOKEN", "ID"], &known).unwrap();
        let check = |body: &str, expected: Option<&str>| assert_eq!(excerpt(body.as_bytes(), &secrets).as_deref(), expected);
        check("{\"error\":\n \"no\u{1b}such\u{0} thing\"}", Some("{\"error\": \"no such thing\"}"));
        check("", None);
        check("token s3cret-of-the-bank is wrong", Some("token [secret TOKEN] is wrong"));
        check(r#"{"error": "s3cret\u002dof\u002dthe\u002dbank is wrong"}"#, Some("[it repeats a secret]"));
        check(r#"{"error": "merchant \u006d7 is closed"}"#, Some("[its body repeats a secret]"));
        check(r#"{"error": "\u0034111\/1111\/1111\/1111"}"#, Some("[its body could hold a card's number]"));
        check("merchant m7 is closed", Some("[its body repeats a secret]"));
        check(&format!("{}4111 1111 1111 1111", "x ".repeat(75)), Some("[its body could hold a card's number]"));
        let long = excerpt("\u{e4}".repeat(30_000).as_bytes(), &secrets).unwrap();
        assert!(long.len() <= LONGEST + 3 && long.ends_with(" .."), "{long}");
        let reply = Reply::meaningless(400, "400 that means nothing", None).with_excerpt(Some(b"<h1>Bad</h1>"), &secrets);
        assert_eq!(reply, Reply::meaningless(400, "400 that means nothing: <h1>Bad</h1>", None));
        assert_eq!(Reply::unknown("lost").with_excerpt(Some(b"x"), &secrets), Reply::unknown("lost"));
    }
}
