//! How much a step is about, as its body or else the order says, for the person who has to decide about it.

use bytes::Bytes;

use super::amounts::{Money, money_in};
use crate::store::StoredSaga;

/// The amount of a step, as in `19.99 EUR`.
pub(super) fn of(stored: &StoredSaga, step: usize) -> Option<String> {
    let in_body = stored.bodies.get(step).and_then(|body| amount_in(body));
    in_body.or_else(|| amount_in(&stored.input)).and_then(|money| money.written())
}

/// The different amounts that each step's body names; and those of the order, where no body names any.
pub(super) fn of_each(stored: &StoredSaga) -> (Vec<Vec<Money>>, Vec<Money>) {
    let of_bodies: Vec<Vec<Money>> = stored.bodies.iter().map(|body| all_in(body)).collect();
    let of_order = if of_bodies.iter().all(Vec::is_empty) { all_in(&stored.input) } else { Vec::new() };
    (of_bodies, of_order)
}

/// Every amount of money once.
fn all_in(text: &[u8]) -> Vec<Money> {
    let mut all: Vec<Money> = Vec::new();
    for (_, money) in money_in(text) {
        if !all.contains(&money) {
            all.push(money);
        }
    }
    all
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
