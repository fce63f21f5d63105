//! A list of sagas in columns, for people.

use std::collections::BTreeMap;

use handfast_server::shapes::saga::Listed;

use crate::numbers::moment;

/// The heads of the columns.
const HEADS: [&str; 7] = ["STANDING", "ID", "PLACED", "SINCE", "STEP", "AMOUNT", "CAN"];

/// The lines, with a head where there are any.
pub(super) fn of(sagas: &[Listed]) -> Vec<String> {
    if sagas.is_empty() {
        return Vec::new();
    }
    let head = HEADS.map(str::to_owned);
    let rows: Vec<[String; 7]> = std::iter::once(head).chain(sagas.iter().map(row)).collect();
    let widths: Vec<usize> =
        (0..HEADS.len()).map(|at| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0)).collect();
    rows.iter().map(|row| line(row, &widths)).collect()
}

/// How many they are, and how much they are about, by currency.
pub(super) fn in_sum(sagas: &[Listed]) -> String {
    let mut sums: BTreeMap<&str, (i128, usize)> = BTreeMap::new();
    let mut without = 0;
    for saga in sagas {
        match saga.amount.as_deref().and_then(amount_of) {
            Some((currency, minor, places)) => add(sums.entry(currency).or_insert((0, places)), (minor, places)),
            None => without += 1,
        }
    }
    let money: Vec<String> = sums.iter().map(|(currency, sum)| format!("{} {currency}", in_places(*sum))).collect();
    let without = if without > 0 { format!("; {without} name no amount") } else { String::new() };
    let money = if money.is_empty() { String::new() } else { format!(", {} in all", money.join(", ")) };
    format!("{}{money}{without}", handfast_server::batch::counted(sagas.len() as u64, "saga"))
}

/// The currency of an amount as `19.99 EUR`, the number without its point, and how many digits stand behind that.
fn amount_of(text: &str) -> Option<(&str, i128, usize)> {
    let (number, currency) = text.split_once(' ')?;
    let places = number.split_once('.').map_or(0, |(_, behind)| behind.len());
    Some((currency, number.replace('.', "").parse().ok()?, places))
}

/// Adds two numbers of one currency. The one with fewer places is first raised to as many as the other has.
fn add(sum: &mut (i128, usize), (minor, places): (i128, usize)) {
    let most = sum.1.max(places);
    let raised = |minor: i128, from: usize| (from..most).fold(minor, |minor, _| minor.saturating_mul(10));
    *sum = (raised(sum.0, sum.1).saturating_add(raised(minor, places)), most);
}

fn in_places((minor, places): (i128, usize)) -> String {
    if places == 0 {
        return minor.to_string();
    }
    let sign = if minor < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", minor.unsigned_abs(), width = places + 1);
    let (whole, behind) = digits.split_at(digits.len() - places);
    format!("{sign}{whole}.{behind}")
}

fn row(saga: &Listed) -> [String; 7] {
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let mut can: Vec<&str> = saga.can.iter().map(|able| able.act.as_str()).collect();
    can.dedup();
    let held = if saga.held { "held: decide about its definition" } else { "-" };
    let can = if can.is_empty() || saga.held { held.to_owned() } else { can.join(", ") };
    [
        saga.standing.clone(),
        saga.id.clone(),
        moment(saga.placed_ms),
        moment(saga.changed_ms),
        or_none(&saga.step),
        or_none(&saga.amount),
        can,
    ]
}

fn line(row: &[String; 7], widths: &[usize]) -> String {
    let cells = row.iter().zip(widths).map(|(cell, &width)| format!("{cell:<width$}"));
    cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_stand_under_their_heads() {
        let saga = |id: &str, step: Option<&str>, acts: &[&str]| -> Listed {
            let can: Vec<_> = acts.iter().map(|act| json!({ "act": act, "step": null })).collect();
            let told = json!({
                "id": id, "standing": if step.is_some() { "suspended" } else { "completed" }, "placed_ms": 1_000,
                "changed_ms": 1_700_000_000_000_u64, "held": false, "needs_person": step.is_some(), "step": step,
                "amount": step.map(|_| "19.99 EUR"), "can": can,
            });
            serde_json::from_value(told).unwrap()
        };
        let listed = of(&[saga("order-1", None, &[]), saga("a-longer-name", Some("hotel"), &["mark_done", "settle"])]);
        assert_eq!(
            listed,
            [
                "STANDING   ID             PLACED                SINCE                 STEP   AMOUNT     CAN",
                "completed  order-1        1970-01-01T00:00:01Z  2023-11-14T22:13:20Z  -      -          -",
                "suspended  a-longer-name  1970-01-01T00:00:01Z  2023-11-14T22:13:20Z  hotel  19.99 EUR  mark_done, settle",
            ]
        );
        assert!(of(&[]).is_empty());
        let three = [saga("a", Some("hotel"), &[]), saga("b", Some("hotel"), &[]), saga("c", None, &[])];
        assert_eq!(in_sum(&three), "3 sagas, 39.98 EUR in all; 1 name no amount");
    }
}
