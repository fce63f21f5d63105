//! The demo's orders, made from the seed: what a shop sells, in several currencies, and what is wrong with some of them.

use serde_json::{Value, json};

use crate::messenger::{Draws, Hazards};

/// What happens to an order, beside what the road does to everybody.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Class {
    /// Nothing special.
    Plain,
    /// The card is declined.
    Declined,
    /// Something in it is sold out.
    OutOfStock,
    /// The customer cancels it while it is in flight.
    Cancelled,
    /// The delay of its charge is longer than the deadline: the charge arrives when the order has been given up.
    Late,
}

/// One order, as it is submitted and as it must be found in the books.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct DemoOrder {
    pub(crate) id: String,
    pub(crate) class: Class,
    /// In the currency's minor unit.
    pub(crate) minor: i64,
    /// ISO 4217.
    pub(crate) currency: &'static str,
    /// How many pieces it is of.
    pub(crate) pieces: i64,
    /// The JSON that is submitted, byte for byte.
    pub(crate) body: String,
}

/// Currencies, with how many minor units a EUR of price is about, and what prices are rounded to.
const CURRENCIES: [(&str, i64, i64); 7] =
    [("EUR", 100, 1), ("EUR", 100, 1), ("USD", 108, 1), ("GBP", 85, 1), ("CHF", 95, 5), ("JPY", 163, 1), ("KWD", 330, 5)];

/// What the shop sells, and its price in EUR.
const SHELF: [(&str, i64); 14] = [
    ("coffee-ethiopia-500g", 15),
    ("coffee-brazil-1kg", 24),
    ("filter-paper-100", 5),
    ("grinder-hand-steel", 79),
    ("kettle-gooseneck-1l", 65),
    ("scale-drip-2kg", 39),
    ("carafe-glass-700", 33),
    ("board-walnut", 58),
    ("bowl-oak-24cm", 42),
    ("knife-paring-9cm", 36),
    ("knife-chef-20cm", 129),
    ("blanket-wool-moss", 145),
    ("cushion-40-ochre", 29),
    ("candle-beeswax-40h", 17),
];

/// What is sold out, or so nearly that the first few who ask get the rest; and its price in EUR.
const SOLD_OUT: [(&str, i64); 2] = [("globe-relief-32cm", 189), ("lamp-brass-reading", 240)];

/// What the dispatch service is told to have: the rest is there without limit.
pub(crate) const STOCK: &str = "globe-relief-32cm=0,lamp-brass-reading=0";

const TOKENS: [&str; 4] = ["tok_visa", "tok_mastercard", "tok_amex", "tok_jcb"];

/// The orders of a seed. `road` is the one to the payment service: whose charges are late is its doing.
pub(crate) fn orders(seed: u64, count: u32, road: &Hazards) -> Vec<DemoOrder> {
    (0..count).map(|number| order(seed, number, road)).collect()
}

/// The key of an order's charge, without the id of the store that sends it.
pub(crate) fn charge_key(id: &str) -> String {
    format!("{id}.payment")
}

fn order(seed: u64, number: u32, road: &Hazards) -> DemoOrder {
    let id = format!("web-{}", 20_000 + number);
    let draws = Draws::new(seed, "order", &id, 1);
    let class = if road.has_late_acts(&charge_key(&id)) {
        Class::Late
    } else {
        // A tenth of all is a ninth of the rest.
        match pick(draws.unit(0), 9) {
            0 => Class::Declined,
            1 => Class::OutOfStock,
            2 => Class::Cancelled,
            _ => Class::Plain,
        }
    };
    let (currency, rate, rounding) = CURRENCIES[pick(draws.unit(1), CURRENCIES.len())];
    let mut wanted: Vec<(&str, i64)> =
        (0..=pick(draws.unit(2), 3)).map(|line| SHELF[pick(draws.unit(10 + line as u64), SHELF.len())]).collect();
    wanted.dedup();
    if class == Class::OutOfStock {
        wanted.push(SOLD_OUT[pick(draws.unit(3), SOLD_OUT.len())]);
    }
    let (mut lines, mut minor, mut pieces) = (Vec::new(), 0, 0);
    for (line, (sku, euros)) in wanted.into_iter().enumerate() {
        let each = (euros * rate - 1) / rounding * rounding;
        let quantity = 1 + i64::try_from(pick(draws.unit(20 + line as u64), 3)).unwrap_or_default();
        minor += each * quantity;
        pieces += quantity;
        lines.push(json!({ "sku": sku, "quantity": quantity, "each_minor": each }));
    }
    let token = match class {
        Class::Declined => ["tok_declined", "tok_insufficient"][pick(draws.unit(4), 2)],
        Class::Plain | Class::OutOfStock | Class::Cancelled | Class::Late => TOKENS[pick(draws.unit(4), TOKENS.len())],
    };
    let body: Value = json!({
        "id": id,
        "customer": format!("C-{}", 1_000 + pick(draws.unit(5), 9_000)),
        "amount": { "minor": minor, "currency": currency },
        "token": format!("{token}_{:06x}", pick(draws.unit(6), 1 << 24)),
        "lines": lines,
    });
    DemoOrder { id, class, minor, currency, pieces, body: body.to_string() }
}

/// One of `many` things, by a draw in `[0, 1)`.
fn pick(draw: f64, many: usize) -> usize {
    // Both are small and not negative, so nothing is lost that matters.
    ((draw * many as f64) as usize).min(many - 1)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::messenger::Delay;

    fn road(seed: u64) -> Hazards {
        Hazards { seed, capture: 0.3, delay: Delay::NONE, late: 0.0, late_acts: 0.1, late_by: Delay::NONE, duplicate: 0.0 }
    }

    #[test]
    fn about_a_tenth_each_is_special() {
        let orders = orders(1, 5_000, &road(1));
        let mut classes: BTreeMap<Class, usize> = BTreeMap::new();
        for order in &orders {
            *classes.entry(order.class).or_default() += 1;
        }
        for class in [Class::Declined, Class::OutOfStock, Class::Cancelled, Class::Late] {
            assert!((400..600).contains(&classes[&class]), "{classes:?}");
        }
        let ids: BTreeSet<&str> = orders.iter().map(|order| order.id.as_str()).collect();
        assert_eq!(ids.len(), orders.len());
        let currencies: BTreeSet<&str> = orders.iter().map(|order| order.currency).collect();
        assert_eq!(currencies.len(), 6);
    }

    #[test]
    fn an_order_is_what_its_lines_come_to() {
        for order in orders(7, 500, &road(7)) {
            let body: Value = serde_json::from_str(&order.body).unwrap();
            let lines = body["lines"].as_array().unwrap();
            let sum = |value: &dyn Fn(&Value) -> i64| lines.iter().map(value).sum::<i64>();
            let quantity = |line: &Value| line["quantity"].as_i64().unwrap();
            assert_eq!(order.minor, sum(&|line| quantity(line) * line["each_minor"].as_i64().unwrap()));
            assert_eq!(order.pieces, sum(&quantity));
            assert_eq!(
                (body["amount"]["minor"].as_i64(), body["amount"]["currency"].as_str()),
                (Some(order.minor), Some(order.currency))
            );
            assert!(order.minor > 0 && order.pieces > 0);
        }
    }

    #[test]
    fn the_same_seed_makes_the_same_orders() {
        assert_eq!(orders(3, 50, &road(3)), orders(3, 50, &road(3)));
        assert_ne!(orders(3, 50, &road(3)), orders(4, 50, &road(4)));
    }
}
