//! What there is to ship: given when the store is made, taken by shipments, never refilled by a restart.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use rusqlite::{Connection, OptionalExtension as _};
use serde_json::Value;

use super::order::is_sku;
use crate::service::ServiceError;

/// How much there is of a SKU.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Quantity {
    /// This many units.
    Units(u32),
    /// More than anybody orders.
    Unlimited,
}

impl Quantity {
    /// As it stands in the table `stock`, where NULL is without limit.
    fn stored(self) -> Option<i64> {
        match self {
            Self::Units(units) => Some(i64::from(units)),
            Self::Unlimited => None,
        }
    }
}

/// A text or file that is no stock.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct StockError(String);

impl FromStr for Quantity {
    type Err = StockError;

    fn from_str(text: &str) -> Result<Self, StockError> {
        if text == "unlimited" {
            return Ok(Self::Unlimited);
        }
        text.parse().map(Self::Units).map_err(|_| {
            StockError(format!("`{text}` is no quantity: give a whole number from 0 to {}, or `unlimited`", u32::MAX))
        })
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Units(units) => units.fmt(f),
            Self::Unlimited => f.write_str("unlimited"),
        }
    }
}

/// What a new store holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stock {
    /// What there is of the SKUs that are named.
    pub named: BTreeMap<String, Quantity>,
    /// What there is of every other.
    pub others: Quantity,
}

impl Default for Stock {
    /// Everything without limit.
    fn default() -> Self {
        Self { named: BTreeMap::new(), others: Quantity::Unlimited }
    }
}

impl Stock {
    /// Adds `SKU=N,SKU=N,..`, where N may be `unlimited`.
    ///
    /// # Errors
    /// [`StockError`] with the entry that makes no sense, or that is there twice.
    pub fn add_list(&mut self, list: &str) -> Result<(), StockError> {
        for entry in list.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let (sku, quantity) =
                entry.split_once('=').ok_or_else(|| StockError(format!("`{entry}` is not of the form SKU=N")))?;
            self.add(sku.trim(), quantity.trim().parse()?)?;
        }
        Ok(())
    }

    /// Adds a map of SKUs to whole numbers or `"unlimited"`, as read from a file.
    ///
    /// # Errors
    /// [`StockError`] with the entry that makes no sense, or that was named before.
    pub fn add_map(&mut self, map: &Value) -> Result<(), StockError> {
        let map = map.as_object().ok_or_else(|| StockError("stock is a map of SKUs and quantities".to_owned()))?;
        for (sku, quantity) in map {
            let quantity = match quantity {
                Value::String(text) => text.parse(),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                    quantity.to_string().parse()
                }
            };
            self.add(sku, quantity.map_err(|error| StockError(format!("`{sku}`: {error}")))?)?;
        }
        Ok(())
    }

    fn add(&mut self, sku: &str, quantity: Quantity) -> Result<(), StockError> {
        if !is_sku(sku) {
            return Err(StockError(format!("`{sku}` is no SKU: 1 to 64 printable characters without space, `,` and `=`")));
        }
        match self.named.insert(sku.to_owned(), quantity) {
            None => Ok(()),
            Some(_) => Err(StockError(format!("the SKU `{sku}` is given twice"))),
        }
    }

    /// Writes what the store does not know yet; what it knows has been sold from since.
    pub(super) fn fill(&self, transaction: &Connection) -> Result<(), ServiceError> {
        let mut insert = transaction.prepare("INSERT OR IGNORE INTO stock (sku, initial, available) VALUES (?1, ?2, ?2)")?;
        for (sku, quantity) in &self.named {
            insert.execute((sku, quantity.stored()))?;
        }
        Ok(())
    }

    /// Takes this many units off the shelf, unless there are fewer.
    pub(super) fn take(&self, transaction: &Connection, sku: &str, quantity: i64) -> Result<bool, ServiceError> {
        let available: Option<Option<i64>> = transaction
            .prepare_cached("SELECT available FROM stock WHERE sku = ?1")?
            .query_row([sku], |row| row.get(0))
            .optional()?;
        let known = available.is_some();
        let available = available.unwrap_or_else(|| self.others.stored());
        if available.is_some_and(|available| available < quantity) {
            return Ok(false);
        }
        if !known {
            transaction
                .prepare_cached("INSERT INTO stock (sku, initial, available) VALUES (?1, ?2, ?2)")?
                .execute((sku, self.others.stored()))?;
        }
        if available.is_some() {
            transaction.prepare_cached("UPDATE stock SET available = available - ?2 WHERE sku = ?1")?.execute((sku, quantity))?;
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn stock_is_read_from_lists_and_maps() -> Result<(), StockError> {
        let mut stock = Stock::default();
        stock.add_list("mug=5, lamp=unlimited,")?;
        stock.add_map(&json!({ "chair": 3, "table": "unlimited" }))?;
        let named: Vec<String> = stock.named.iter().map(|(sku, quantity)| format!("{sku}={quantity}")).collect();
        assert_eq!(named, ["chair=3", "lamp=unlimited", "mug=5", "table=unlimited"]);
        Ok(())
    }

    #[test]
    fn stock_that_makes_no_sense_is_named() {
        let refused = |list: &str| Stock::default().add_list(list).map_err(|error| error.to_string());
        let message = |list: &str| refused(list).expect_err(list);
        assert_eq!(message("mug"), "`mug` is not of the form SKU=N");
        assert!(message("mug=-1").starts_with("`-1` is no quantity"));
        assert!(message("=1").starts_with("`` is no SKU"));
        assert_eq!(message("mug=1,mug=2"), "the SKU `mug` is given twice");
        for map in [json!([]), json!({ "mug": 1.5 }), json!({ "mug": -1 }), json!({ "mug": null }), json!({ "": 1 })] {
            assert!(Stock::default().add_map(&map).is_err(), "{map}");
        }
    }
}
