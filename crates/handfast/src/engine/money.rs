//! How much a step is about, as its body or else the order says, for the person who has to decide about it.

use bytes::Bytes;

use super::amounts::{Money, money_in};
use crate::store::StoredSaga;

/// The amount of a step, as in `19.99 EUR`.
pub(super) fn of(stored: &StoredSaga, step: usize) -> Option<String> {
    let in_body = stored.bodies.get(step).and_then(|body| amount_in(body));
    in_body.or_else(|| amount_in(&stored.input)).and_then(|money| money.written())
}

/// The amount of each step. Where no body names one the order's stands for its first step, so that it counts once.
pub(super) fn of_each(stored: &StoredSaga) -> Vec<Option<Money>> {
    let mut amounts: Vec<Option<Money>> = stored.bodies.iter().map(|body| amount_in(body)).collect();
    if amounts.iter().all(Option::is_none)
        && let Some(first) = amounts.first_mut()
    {
        *first = amount_in(&stored.input);
    }
    amounts
}

/// The amount of the order, or else of the first step that has one.
pub(super) fn of_order(stored: &StoredSaga) -> Option<Money> {
    of_ordered(&stored.input, &stored.bodies)
}

/// The same of an order and the bodies of its steps.
pub(super) fn of_ordered(input: &[u8], bodies: &[Bytes]) -> Option<Money> {
    amount_in(input).or_else(|| bodies.iter().find_map(|body| amount_in(body)))
}

/// The first amount of money that can be written.
fn amount_in(text: &[u8]) -> Option<Money> {
    money_in(text).into_iter().map(|(_, money)| money).find(|money| money.written().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_people_write_them() {
        let written = |text: &str| amount_in(text.as_bytes()).and_then(|money| money.written());
        assert_eq!(written(r#"{"amount":{"minor":1999,"currency":"EUR"}}"#).as_deref(), Some("19.99 EUR"));
        assert_eq!(written(r#"{"total":{"minor":1999,"currency":"JPY"}}"#).as_deref(), Some("1999 JPY"));
        assert_eq!(written(r#"{"minor":1999,"currency":"KWD"}"#).as_deref(), Some("1.999 KWD"));
        assert_eq!(written(r#"{"sku":"mug"}"#), None);
    }
}
