//! Amounts of money: whole minor units and an ISO 4217 code.

use handfast_toml::suggest;
use iso_currency::{Currency, Flag};

use super::error::InputError;
use super::json::Json;

/// The largest amount, in minor units. Every JSON reader keeps whole numbers of this size exactly.
pub(super) const MAX_MINOR: i128 = 1_000_000_000_000_000;

const SHAPE: &str = r#"money is {"minor": 1999, "currency": "EUR"}, the amount in whole minor units"#;

/// Checks that a value is an amount of money.
pub(super) fn check(path: &str, value: &Json) -> Result<(), InputError> {
    let Json::Object(members) = value else {
        return Err(InputError::field(path, SHAPE));
    };
    if let Some((key, _)) = members.iter().find(|(key, _)| key != "minor" && key != "currency") {
        let hint = suggest::nearest(key, ["minor", "currency"]).map(|near| format!("did you mean {near}? "));
        return Err(InputError::field(path, format!("it has a member too many; {}{SHAPE}", hint.unwrap_or_default())));
    }
    let member = |name: &str| {
        value.member(name).ok_or_else(|| InputError::field(format!("{path}.{name}"), format!("it is missing; {SHAPE}")))
    };
    check_minor(&format!("{path}.minor"), member("minor")?)?;
    check_currency(&format!("{path}.currency"), member("currency")?)
}

fn check_minor(path: &str, minor: &Json) -> Result<(), InputError> {
    let wrong = |message: &str| Err(InputError::field(path, message));
    match minor {
        Json::Integer(0) => wrong("the amount is zero; it must be at least 1 minor unit"),
        Json::Integer(minor) if *minor < 0 => wrong(
            "the amount is negative; it must be at least 1 minor unit (money goes back by undoing, not by paying less than nothing)",
        ),
        Json::Integer(minor) if *minor > MAX_MINOR => wrong("the amount is too large; it must be at most 10^15 minor units"),
        Json::Integer(_) => Ok(()),
        Json::OtherNumber => wrong(
            "it must be a whole number of minor units from 1 to 10^15, without point or exponent: 19.99 EUR is 1999, 1,999 JPY is 1999",
        ),
        Json::Null | Json::Bool(_) | Json::Text(_) | Json::List(_) | Json::Object(_) => {
            wrong("it must be a whole number of minor units, not in quotes: 19.99 EUR is 1999, 1,999 JPY is 1999")
        }
    }
}

/// The currencies that an amount may be in: those in use that have minor units, in the order of their codes.
#[must_use]
pub fn currencies() -> Vec<&'static str> {
    let letters = || (b'A'..=b'Z').map(char::from);
    let codes = letters().flat_map(|first| letters().flat_map(move |second| letters().map(move |third| [first, second, third])));
    let in_use = |code: [char; 3]| {
        let code: String = code.into_iter().collect();
        check_currency("", &Json::Text(code.clone())).ok().and_then(|()| Some(Currency::from_code(&code)?.code()))
    };
    codes.filter_map(in_use).collect()
}

fn check_currency(path: &str, currency: &Json) -> Result<(), InputError> {
    let Json::Text(code) = currency else {
        return Err(InputError::field(path, "it must be an ISO 4217 code in quotes, as in \"EUR\""));
    };
    // Only what looks like a code is repeated.
    let shown = if (1..=8).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        format!("{code} is")
    } else {
        "this is".to_owned()
    };
    let Some(known) = Currency::from_code(code) else {
        let upper = code.to_ascii_uppercase();
        let hint = if Currency::from_code(&upper).is_some() { format!("did you mean {upper}?") } else { "as in EUR".to_owned() };
        return Err(InputError::field(path, format!("{shown} no ISO 4217 currency code; it has three capital letters, {hint}")));
    };
    for flag in known.flags() {
        if let Flag::Superseded(now) = flag {
            return Err(InputError::field(path, format!("{shown} no longer in use; it was replaced by {}", now.code())));
        }
    }
    if known.exponent().is_none() {
        return Err(InputError::field(path, format!("{shown} not a currency that can be paid in: it has no minor units")));
    }
    Ok(())
}
