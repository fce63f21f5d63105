//! What an order alone decides: whether the requests that it leads to can be made. It is checked before any request is sent,
//! since afterwards a customer may have been charged for goods that no request can name.

use serde_json::Value as Json;

use super::fill::{decimal_of, input_at, lower_currency_of};
use super::text::Value;
use super::{Call, HttpTemplates};

/// Why an order leads to a request that cannot be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Unfit {
    /// The field whose value it is, as a path, if it is a field's.
    pub(crate) field: Option<String>,
    /// What is wrong and what to do, without the value.
    pub(crate) why: String,
}

/// What stands in for everything that is not known yet.
const HARMLESS: &str = "x";

impl HttpTemplates {
    /// Whether every operation on the key of this saga's step can be asked for, with `input` as the body of its act. What comes
    /// with answers is taken as harmless: it is looked at when it is kept.
    pub(crate) fn check(&self, saga: &str, step: &str, input: &Json) -> Result<(), Unfit> {
        self.every_call().try_for_each(|(key, _, call)| {
            call.check(saga, step, input).map_err(|(field, why)| {
                let with = if field.is_some() { " with this value" } else { "" };
                let why = format!("[step.http.{key}] of step {step} can never be asked for{with}: {why}; give another");
                Unfit { field, why }
            })
        })
    }
}

impl Call {
    fn check(&self, saga: &str, step: &str, input: &Json) -> Result<(), (Option<String>, String)> {
        let key = format!("{HARMLESS}.{saga}.{step}");
        let fields: Vec<&[String]> = self
            .gaps()
            .filter_map(|(value, _)| if let Value::Input(path) = value { Some(path.as_slice()) } else { None })
            .collect();
        // The request, with what the first fields hold taken as harmless too.
        let made = |harmless: usize| {
            self.request(&|value| {
                Ok(match value {
                    Value::Key => Json::from(key.as_str()),
                    // A time is wanted as a number somewhere, and a number is harmless everywhere.
                    Value::Now { .. } => Json::from(1),
                    Value::Decimal(field) => decimal_of(input, field)?,
                    Value::LowerCurrency(field) => lower_currency_of(input, field),
                    Value::Saga => Json::from(saga),
                    Value::Step => Json::from(step),
                    Value::Input(path) if fields[..harmless].contains(&path.as_slice()) => Json::from(HARMLESS),
                    Value::Input(path) => input_at(input, path),
                    Value::KeyHash | Value::KeyUuid | Value::Receipt { .. } | Value::Secret(_) | Value::Basic { .. } => {
                        Json::from(HARMLESS)
                    }
                })
            })
        };
        let Err(mut why) = made(0) else { return Ok(()) };
        for (at, field) in fields.iter().enumerate() {
            match made(at + 1) {
                Ok(_) => return Err((Some(field.join(".")), why)),
                Err(other) => why = other,
            }
        }
        Err((None, why))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::participant::{CallText, Condition, HttpTexts};

    #[test]
    fn the_field_is_named_without_which_the_request_could_be_made() {
        let done = BTreeMap::from([("done".to_owned(), Condition { status: vec![200], ..Condition::default() }.into())]);
        let url = "http://x.example/{key}/{input.a}/{input.b}{input.c.d}/{receipt.hold.id}?{input.a}".to_owned();
        let act = CallText { url, answers: done, ..CallText::default() };
        let templates = HttpTemplates::compile(HttpTexts { act, ..HttpTexts::default() }).unwrap();
        let field = |a: &str, b: &str, d: &str| {
            let checked = templates.check("o.1", "ship", &json!({"a": a, "b": b, "c": {"d": d}}));
            checked.map_err(|unfit| unfit.field.unwrap())
        };
        for (a, b, d) in [("x", "y", "z"), ("...", "..", "x"), ("%2e", "/", "../.."), ("é ?#", "x", ".")] {
            assert_eq!(field(a, b, d), Ok(()), "{a} {b} {d}");
        }
        assert_eq!(field("..", "b", "d"), Err("a".to_owned()));
        assert_eq!(field(".", "b", "d"), Err("a".to_owned()));
        assert_eq!(field("", "b", "d"), Err("a".to_owned()));
        assert_eq!(field("a", ".", "."), Err("b".to_owned()));
        assert_eq!(field("..", "b", ""), Err("c.d".to_owned()));
        let unfit = templates.check("o.1", "ship", &json!({"a": "..", "b": "b", "c": {"d": "d"}})).unwrap_err();
        assert_eq!(
            unfit.why,
            "[step.http.act] of step ship can never be asked for with this value: a value would lead to another path than the \
             flow describes; give another"
        );
    }
}
