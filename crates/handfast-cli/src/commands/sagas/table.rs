//! A list of sagas in columns, for people.

use crate::numbers::moment;
use crate::operator::Listed;

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
    use super::*;
    use crate::operator::Able;

    #[test]
    fn columns_stand_under_their_heads() {
        let saga = |id: &str, step: Option<&str>, acts: &[&str]| Listed {
            id: id.to_owned(),
            standing: if step.is_some() { "suspended" } else { "completed" }.to_owned(),
            placed_ms: 1_000,
            changed_ms: 1_700_000_000_000,
            held: false,
            step: step.map(str::to_owned),
            amount: step.map(|_| "19.99 EUR".to_owned()),
            can: acts.iter().map(|act| Able { act: (*act).to_owned(), step: None }).collect(),
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
    }
}
