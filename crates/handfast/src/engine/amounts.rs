//! The amounts that a saga is about, for whoever has to look after it.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::bodies::Body;
use crate::participant::decimal;

/// So many different amounts of one saga are told at most.
const MOST: usize = 4;

/// Every amount of money in these bodies once, as people write it: `19.99 EUR`.
pub(super) fn amounts_of(bodies: &[Body]) -> Vec<String> {
    let mut amounts = BTreeSet::new();
    for body in bodies {
        if let Ok(Json::Object(fields)) = serde_json::from_slice::<Json>(&body.bytes) {
            amounts.extend(fields.values().filter_map(amount));
        }
    }
    amounts.into_iter().take(MOST).collect()
}

/// An amount of money as people write it, if the value is one.
pub(super) fn amount(value: &Json) -> Option<String> {
    let minor = value.get("minor")?.as_u64()?;
    let code = value.get("currency")?.as_str()?;
    Some(format!("{} {code}", decimal(minor, code)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_with_the_digits_of_their_currency() {
        let written = |text: &str| amount(&serde_json::from_str(text).unwrap());
        for (text, expected) in [
            (r#"{"minor":1999,"currency":"EUR"}"#, Some("19.99 EUR")),
            (r#"{"minor":5,"currency":"EUR"}"#, Some("0.05 EUR")),
            (r#"{"minor":1999,"currency":"JPY"}"#, Some("1999 JPY")),
            (r#"{"minor":1999,"currency":"KWD"}"#, Some("1.999 KWD")),
            (r#"{"minor":"1999","currency":"EUR"}"#, None),
            (r#""EUR""#, None),
        ] {
            assert_eq!(written(text).as_deref(), expected, "{text}");
        }
    }
}
