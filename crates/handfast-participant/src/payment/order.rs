//! What a charge is asked for with: read strictly, and nothing that looks like a card number gets any further.

use handfast_protocol::holds_card_number;
use iso_currency::Currency;
use serde_json::Value;

/// The largest amount, in minor units: whatever a flow takes as money can be charged.
const LARGEST_MINOR: i64 = 1_000_000_000_000_000;

/// The longest token, in bytes.
const LONGEST_TOKEN: usize = 255;

/// A charge that makes sense.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Order<'a> {
    /// More than zero, in the currency's minor unit.
    pub(super) minor: i64,
    /// ISO 4217.
    pub(super) currency: &'static str,
    /// How many decimals the minor unit stands for.
    pub(super) exponent: u16,
    /// What stands for the card; never its number.
    pub(super) token: &'a str,
}

impl<'a> Order<'a> {
    /// Reads the body of an act. The error is the refusal's detail; it quotes nothing of the body, which may hold anything.
    pub(super) fn parse(body: &'a Value) -> Result<Self, &'static str> {
        let body = body.as_object().ok_or("body_not_an_object")?;
        let amount = body.get("amount").ok_or("amount_missing")?;
        let minor = minor_units(amount.get("minor").ok_or("amount_missing")?)?;
        let currency = amount.get("currency").ok_or("currency_missing")?;
        let currency = currency.as_str().and_then(Currency::from_code).ok_or("currency_unknown")?;
        // Without a minor unit (gold, the testing code) there is nothing that can be counted out.
        let exponent = currency.exponent().ok_or("currency_unknown")?;
        let token = body.get("token").ok_or("token_missing")?.as_str().ok_or("token_unusable")?;
        if token.is_empty() || token.len() > LONGEST_TOKEN || !token.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
            return Err("token_unusable");
        }
        if holds_card_number(token) {
            return Err("token_is_a_card_number");
        }
        Ok(Self { minor, currency: currency.code(), exponent, token })
    }

    /// Why the card's issuer declines, if it does.
    pub(super) fn decline(&self) -> Option<&'static str> {
        let reasons = [("tok_declined", "card_declined"), ("tok_insufficient", "insufficient_funds")];
        reasons.into_iter().find(|(token, _)| self.token.starts_with(token)).map(|(_, reason)| reason)
    }
}

fn minor_units(value: &Value) -> Result<i64, &'static str> {
    let number = value.as_number().ok_or("amount_not_a_number")?;
    match number.as_i64() {
        Some(minor) if minor <= 0 => Err("amount_not_positive"),
        Some(minor) if minor <= LARGEST_MINOR => Ok(minor),
        Some(_) => Err("amount_too_large"),
        None if number.is_u64() => Err("amount_too_large"),
        None => Err("amount_not_whole"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(body: &Value, expected: Result<(i64, &'static str, u16), &'static str>) {
        let parsed = Order::parse(body).map(|order| (order.minor, order.currency, order.exponent));
        assert_eq!(parsed, expected, "{body}");
    }

    #[test]
    fn amounts_are_whole_positive_and_bounded() {
        let charge = |minor: Value| json!({ "amount": { "minor": minor, "currency": "EUR" }, "token": "tok_visa", "more": [1] });
        check(&charge(json!(1999)), Ok((1999, "EUR", 2)));
        check(&charge(json!(LARGEST_MINOR)), Ok((LARGEST_MINOR, "EUR", 2)));
        check(&charge(json!(LARGEST_MINOR + 1)), Err("amount_too_large"));
        check(&charge(json!(u64::MAX)), Err("amount_too_large"));
        check(&charge(json!(0)), Err("amount_not_positive"));
        check(&charge(json!(-1)), Err("amount_not_positive"));
        check(&charge(json!(19.99)), Err("amount_not_whole"));
        check(&charge(json!("1999")), Err("amount_not_a_number"));
        check(&charge(Value::Null), Err("amount_not_a_number"));
    }

    #[test]
    fn currencies_have_their_own_exponents() {
        let charge = |currency: Value| json!({ "amount": { "minor": 5, "currency": currency }, "token": "tok_visa" });
        check(&charge(json!("JPY")), Ok((5, "JPY", 0)));
        check(&charge(json!("KWD")), Ok((5, "KWD", 3)));
        for unknown in [json!("EURO"), json!("eur"), json!("XXX"), json!("XAU"), json!(978), json!("")] {
            check(&charge(unknown), Err("currency_unknown"));
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let amount = json!({ "minor": 5, "currency": "EUR" });
        check(&json!([]), Err("body_not_an_object"));
        check(&json!({ "token": "tok_visa" }), Err("amount_missing"));
        check(&json!({ "amount": { "currency": "EUR" }, "token": "tok_visa" }), Err("amount_missing"));
        check(&json!({ "amount": { "minor": 5 }, "token": "tok_visa" }), Err("currency_missing"));
        check(&json!({ "amount": amount }), Err("token_missing"));
        for unusable in [json!(""), json!(1), json!("tok\n"), json!("tøk"), json!("t".repeat(256))] {
            check(&json!({ "amount": amount, "token": unusable }), Err("token_unusable"));
        }
    }

    #[test]
    fn a_card_number_is_no_token() {
        for number in [
            "4242424242424242",
            "4242 4242 4242 4242",
            "5555-5555-5555-4444",
            "378282246310005",
            "card:4000056655665556",
            "4242.4242.4242.4242",
            "4242 4242 4242 4242 2nd",
        ] {
            check(&json!({ "amount": { "minor": 5, "currency": "EUR" }, "token": number }), Err("token_is_a_card_number"));
        }
        for token in ["4242424242424241", "tok_visa", "tok_42", "4242424242x42424242"] {
            assert!(!holds_card_number(token), "{token}");
        }
    }

    #[test]
    fn some_tokens_are_declined() {
        let decline = |token: &str| {
            let body = json!({ "amount": { "minor": 5, "currency": "EUR" }, "token": token });
            Order::parse(&body).map(|order| order.decline())
        };
        assert_eq!(decline("tok_visa"), Ok(None));
        assert_eq!(decline("tok_declined_17"), Ok(Some("card_declined")));
        assert_eq!(decline("tok_insufficient"), Ok(Some("insufficient_funds")));
    }
}
