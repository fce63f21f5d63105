//! The amounts that a saga is about, for the person who has to look after it.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::bodies::Body;
use crate::participant::decimal;

/// At most this many different amounts of one saga are told.
const MOST: usize = 4;

/// An amount of money, as orders and bodies hold it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Money {
    /// In the currency's smallest unit.
    pub(super) minor: u64,
    pub(super) currency: String,
}

impl Money {
    /// The value, if it is an amount of money.
    fn read(value: &Json) -> Option<Self> {
        Some(Self { minor: value.get("minor")?.as_u64()?, currency: value.get("currency")?.as_str()?.to_owned() })
    }

    /// As people write it: `19.99 EUR`. `None` of a currency that does not exist, or has no minor unit.
    pub(super) fn written(&self) -> Option<String> {
        Some(format!("{} {}", decimal(self.minor, &self.currency)?, self.currency))
    }
}

/// Every amount of money in a JSON text, with the name of its member: what the text is itself has none, and comes first.
pub(super) fn money_in(text: &[u8]) -> Vec<(String, Money)> {
    let Ok(value) = serde_json::from_slice::<Json>(text) else { return Vec::new() };
    let of_members =
        value.as_object().into_iter().flatten().filter_map(|(name, member)| Some((name.clone(), Money::read(member)?)));
    Money::read(&value).map(|money| (String::new(), money)).into_iter().chain(of_members).collect()
}

/// Every amount of money in these bodies once, as people write it.
pub(super) fn amounts_of(bodies: &[Body]) -> Vec<String> {
    let written = bodies.iter().flat_map(|body| money_in(&body.bytes)).filter_map(|(_, money)| money.written());
    written.collect::<BTreeSet<_>>().into_iter().take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_with_the_digits_of_their_currency() {
        let written = |text: &str| money_in(text.as_bytes()).first().and_then(|(_, money)| money.written());
        for (text, expected) in [
            (r#"{"minor":1999,"currency":"EUR"}"#, Some("19.99 EUR")),
            (r#"{"minor":5,"currency":"EUR"}"#, Some("0.05 EUR")),
            (r#"{"total":{"minor":1999,"currency":"JPY"}}"#, Some("1999 JPY")),
            (r#"{"minor":1999,"currency":"KWD"}"#, Some("1.999 KWD")),
            (r#"{"minor":1999,"currency":"of Narnia"}"#, None),
            (r#"{"minor":"1999","currency":"EUR"}"#, None),
            (r#""EUR""#, None),
            ("no JSON", None),
        ] {
            assert_eq!(written(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn every_amount_is_named_by_its_member() {
        let text = br#"{"tip":{"minor":5,"currency":"EUR"},"sku":"mug","total":{"minor":7,"currency":"EUR"}}"#;
        let named: Vec<_> = money_in(text).into_iter().map(|(name, money)| (name, money.minor)).collect();
        assert_eq!(named, [("tip".to_owned(), 5), ("total".to_owned(), 7)]);
    }
}
