//! What a shipment is asked for with: lines of SKUs and quantities, read strictly.

use std::collections::BTreeMap;

use serde_json::Value;

/// The most lines of one order.
const MOST_LINES: usize = 1000;
/// The largest quantity of one line, and of all lines of one SKU together.
const LARGEST_QUANTITY: i64 = 1_000_000;
/// The longest SKU, in bytes.
const LONGEST_SKU: usize = 64;

/// A shipment that makes sense.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Order<'a> {
    /// How many of each SKU; several lines of one SKU are one.
    pub(super) lines: BTreeMap<&'a str, i64>,
}

impl<'a> Order<'a> {
    /// Reads the body of an act. The error is the refusal's detail.
    pub(super) fn parse(body: &'a Value) -> Result<Self, &'static str> {
        let body = body.as_object().ok_or("body_not_an_object")?;
        let lines = body.get("lines").ok_or("lines_missing")?.as_array().ok_or("lines_not_a_list")?;
        if lines.is_empty() {
            return Err("lines_empty");
        }
        if lines.len() > MOST_LINES {
            return Err("too_many_lines");
        }
        let mut order = BTreeMap::new();
        for line in lines {
            let sku = line.get("sku").ok_or("sku_missing")?.as_str().filter(|sku| is_sku(sku)).ok_or("sku_unusable")?;
            let total: &mut i64 = order.entry(sku).or_default();
            *total += quantity(line.get("quantity").ok_or("quantity_missing")?)?;
            if *total > LARGEST_QUANTITY {
                return Err("quantity_too_large");
            }
        }
        Ok(Self { lines: order })
    }
}

/// Whether a text can name a stock-keeping unit: short, printable, and without the signs that separate a list of stock.
pub(super) fn is_sku(text: &str) -> bool {
    (1..=LONGEST_SKU).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic() && !b",=".contains(&byte))
}

fn quantity(value: &Value) -> Result<i64, &'static str> {
    let number = value.as_number().ok_or("quantity_not_a_number")?;
    match number.as_i64() {
        Some(quantity) if quantity <= 0 => Err("quantity_not_positive"),
        Some(quantity) if quantity <= LARGEST_QUANTITY => Ok(quantity),
        Some(_) => Err("quantity_too_large"),
        None if number.is_u64() => Err("quantity_too_large"),
        None => Err("quantity_not_whole"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(lines: &Value, expected: Result<&[(&str, i64)], &str>) {
        let body = json!({ "lines": lines, "address": "ignored" });
        let expected = expected.map(|lines| Order { lines: lines.iter().copied().collect() });
        assert_eq!(Order::parse(&body), expected, "{lines}");
    }

    #[test]
    fn lines_are_read_strictly() {
        let line = |quantity: Value| json!([{ "sku": "mug", "quantity": quantity }]);
        check(&line(json!(2)), Ok(&[("mug", 2)]));
        check(&json!([{ "sku": "mug", "quantity": 2 }, { "sku": "mug", "quantity": 3 }]), Ok(&[("mug", 5)]));
        check(&line(json!(0)), Err("quantity_not_positive"));
        check(&line(json!(1.5)), Err("quantity_not_whole"));
        check(&line(json!("2")), Err("quantity_not_a_number"));
        check(&line(json!(u64::MAX)), Err("quantity_too_large"));
        check(&json!([{ "sku": "mug", "quantity": 1_000_000 }, { "sku": "mug", "quantity": 1 }]), Err("quantity_too_large"));
        check(&json!([]), Err("lines_empty"));
        check(&json!({}), Err("lines_not_a_list"));
        check(&json!([7]), Err("sku_missing"));
        check(&json!([{ "sku": "mug" }]), Err("quantity_missing"));
        check(&json!([{ "sku": "a b", "quantity": 1 }]), Err("sku_unusable"));
        check(&json!(vec![json!({ "sku": "mug", "quantity": 1 }); 1001]), Err("too_many_lines"));
        assert_eq!(Order::parse(&json!(null)), Err("body_not_an_object"));
        assert_eq!(Order::parse(&json!({})), Err("lines_missing"));
    }
}
