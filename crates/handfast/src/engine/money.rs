//! How much a step is about, as its body or else the order says, for the person who has to decide about it.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::amounts::{Money, all_money_in, money_in};
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
    amount_in(&stored.input).or_else(|| stored.bodies.iter().find_map(|body| amount_in(body)))
}

/// How much may move for one saga at most.
#[derive(PartialEq, Eq, Debug, Default)]
pub(super) struct AtMost {
    /// By currency: all amounts of the order, or all of the bodies of its steps, whichever is more.
    pub(super) by_currency: BTreeMap<String, u128>,
    /// The order or the bodies have more than one amount, so that it may be less.
    pub(super) has_several: bool,
}

/// How much may move at most for an order and the bodies of its steps; `None` where an amount is there that cannot be added up.
pub(super) fn at_most(input: &[u8], bodies: &[Bytes]) -> Option<AtMost> {
    let of_bodies: Vec<Vec<Money>> = bodies.iter().map(|body| all_money_in(body)).collect::<Option<_>>()?;
    let mut at_most = AtMost::default();
    for amounts in [all_money_in(input)?, of_bodies.concat()] {
        at_most.has_several |= amounts.len() > 1;
        let mut sums = BTreeMap::<String, u128>::new();
        for Money { minor, currency } in amounts {
            let sum = sums.entry(currency).or_default();
            *sum = sum.saturating_add(minor.into());
        }
        for (currency, sum) in sums {
            let most = at_most.by_currency.entry(currency).or_default();
            *most = sum.max(*most);
        }
    }
    Some(at_most)
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

    #[test]
    fn every_amount_counts_and_the_larger_of_order_and_bodies() {
        let told = |input: &str, bodies: &[&'static str]| {
            let bodies: Vec<Bytes> = bodies.iter().map(|body| Bytes::from_static(body.as_bytes())).collect();
            let most = at_most(input.as_bytes(), &bodies)?;
            Some((most.by_currency.into_iter().collect::<Vec<_>>(), most.has_several))
        };
        let of = |sums: &[(&str, u128)], has_several| {
            Some((sums.iter().map(|(currency, sum)| ((*currency).to_owned(), *sum)).collect(), has_several))
        };
        let both = r#"{"fee":{"minor":100,"currency":"EUR"},"total":{"minor":199900,"currency":"EUR"}}"#;
        assert_eq!(told(both, &[]), of(&[("EUR", 200_000)], true));
        let two = r#"{"fee":{"minor":100,"currency":"EUR"},"total":{"minor":199900,"currency":"USD"}}"#;
        assert_eq!(told(two, &[]), of(&[("EUR", 100), ("USD", 199_900)], true));
        let one = r#"{"total":{"minor":500,"currency":"EUR"}}"#;
        let (charge, ship) = (r#"{"amount":{"minor":400,"currency":"EUR"}}"#, r#"{"cod":[{"minor":200,"currency":"EUR"}]}"#);
        assert_eq!(told(one, &[charge]), of(&[("EUR", 500)], false), "the order names more");
        assert_eq!(told(one, &[charge, ship]), of(&[("EUR", 600)], true), "two steps together move more");
        assert_eq!(told("{}", &[]), of(&[], false));
        assert_eq!(told("{}", &[r#"{"amount":{"minor":1,"currency":"of Narnia"}}"#]), None);
        assert_eq!(told(r#"{"amount":{"minor":-1,"currency":"EUR"}}"#, &[]), None);
    }
}
