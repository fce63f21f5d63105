//! The amounts that a saga is about, for the person who has to look after it.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde_json::Value as Json;

use super::bodies::Body;
use crate::participant::{decimal, places_of};

/// At most this many different amounts of one saga are told.
const MOST: usize = 4;

/// An amount of money, as orders and bodies hold it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Money {
    /// In the currency's smallest unit.
    pub minor: u64,
    /// Its three letters, as in `EUR`.
    pub currency: String,
}

/// Why a text is no amount of money.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("write a number with the places of its currency, a space and the currency, as in `19.99 EUR`")]
pub struct NotMoney;

impl FromStr for Money {
    type Err = NotMoney;

    fn from_str(text: &str) -> Result<Self, NotMoney> {
        let (number, currency) = text.split_once(' ').ok_or(NotMoney)?;
        let (whole, behind) = number.split_once('.').unwrap_or((number, ""));
        let places = places_of(currency).ok_or(NotMoney)?;
        let is_number = !whole.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        // A whole number stands for itself; what has places has all of them.
        if !is_number || (behind.len() != places && number.contains('.')) {
            return Err(NotMoney);
        }
        let minor = format!("{whole}{behind:0<places$}").parse().map_err(|_too_much| NotMoney)?;
        Ok(Self { minor, currency: currency.to_owned() })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written().unwrap_or_else(|| format!("{} of {}", self.minor, self.currency)))
    }
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

/// All the money in a JSON text, at whatever depth, by currency; `None` where something there is meant as money and cannot be added up.
pub(super) fn all_money_in(text: &[u8]) -> Option<Vec<Money>> {
    let mut all = Vec::new();
    let mut left = Vec::from_iter(serde_json::from_slice::<Json>(text).ok());
    while let Some(value) = left.pop() {
        if let (Some(_), Some(Json::String(_))) = (value.get("minor"), value.get("currency")) {
            all.push(Money::read(&value).filter(|money| places_of(&money.currency).is_some())?);
            continue;
        }
        match value {
            Json::Object(members) => left.extend(members.into_iter().map(|(_, member)| member)),
            Json::Array(values) => left.extend(values),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
        }
    }
    Some(all)
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
    fn what_people_write_is_read_with_the_places_of_its_currency() {
        for (text, minor) in
            [("19.99 EUR", 1999), ("19 EUR", 1900), ("1999 JPY", 1999), ("1.999 KWD", 1999), ("0.05 EUR", 5), ("0 EUR", 0)]
        {
            let currency = text[text.len() - 3..].to_owned();
            assert_eq!(text.parse(), Ok(Money { minor, currency }), "{text}");
        }
        for text in [
            "19.9 EUR",
            "19.999 EUR",
            "19. EUR",
            ".99 EUR",
            "1.5 JPY",
            "19.99",
            "EUR",
            "19.99 XYZ",
            "-1 EUR",
            "1.2.3 EUR",
            "99999999999999999999 EUR",
        ] {
            assert_eq!(text.parse::<Money>(), Err(NotMoney), "{text}");
        }
    }

    #[test]
    fn every_amount_is_named_by_its_member() {
        let text = br#"{"tip":{"minor":5,"currency":"EUR"},"sku":"mug","total":{"minor":7,"currency":"EUR"}}"#;
        let named: Vec<_> = money_in(text).into_iter().map(|(name, money)| (name, money.minor)).collect();
        assert_eq!(named, [("tip".to_owned(), 5), ("total".to_owned(), 7)]);
    }
}
