//! A form, as `application/x-www-form-urlencoded` has it, and what is to be paid by it.

use axum::body::{Body as HttpBody, to_bytes};
use serde_json::{Value, json};

use super::Declined;
use crate::body::BODY_LIMIT_BYTES;
use crate::payment::order::Order;

/// What an order is read from, kept with the form since the order borrows of it.
pub(super) struct Form {
    fields: Vec<(String, String)>,
    order: Value,
}

impl Form {
    pub(super) async fn read(body: HttpBody) -> Result<Self, Declined> {
        let wrong = |message: &str| Declined::Request("request_unusable", message.to_owned(), None);
        let bytes = to_bytes(body, BODY_LIMIT_BYTES).await.map_err(|_| wrong("the body is too large, or broke off"))?;
        let text = std::str::from_utf8(&bytes).map_err(|_| wrong("the body is no form"))?;
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        let fields: Option<Vec<_>> = pairs
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                Some((decoded(name)?, decoded(value)?))
            })
            .collect();
        let fields = fields.ok_or_else(|| wrong("the body is no form"))?;
        let text = |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str());
        let minor = text("amount").and_then(|amount| amount.parse::<i64>().ok());
        let currency = text("currency").map(str::to_ascii_uppercase);
        let order = json!({ "amount": { "minor": minor, "currency": currency }, "token": text("payment_method") });
        Ok(Self { fields, order })
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// Refuses a field that is none of these, nor metadata, and one that is there twice.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Declined> {
        for (at, (name, _)) in self.fields.iter().enumerate() {
            let is_known = known.contains(&name.as_str()) || (name.starts_with("metadata[") && name.ends_with(']'));
            if !is_known || self.fields[..at].iter().any(|(earlier, _)| earlier == name) {
                let shown: String = name.chars().filter(|character| !character.is_control()).take(40).collect();
                return Err(Declined::Request("parameter_unknown", format!("{shown:?} is unknown here, or there twice"), None));
            }
        }
        Ok(())
    }

    pub(super) fn wrong(&self, name: &str, wanted: &str) -> Declined {
        let code = if self.text(name).is_some() { "parameter_invalid" } else { "parameter_missing" };
        Declined::Request(code, format!("{name} has to be {wanted}"), None)
    }

    pub(super) fn order(&self) -> Result<Order<'_>, Declined> {
        Order::parse(&self.order).map_err(|reason| {
            Declined::Request("parameter_invalid", format!("amount, currency and payment_method: {reason}"), None)
        })
    }
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}
