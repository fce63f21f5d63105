//! The books of the dispatch service, counted: what was shipped, what is left, and whether it adds up.

use rusqlite::{Connection, Error};
use serde::Serialize;

use crate::registers::Overview;

/// How many SKUs the page lists at most.
const MOST_SHELVES: u32 = 10_000;

/// The books at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct Audit {
    /// What the registers say.
    #[serde(flatten)]
    pub registers: Overview,
    /// Shipments that left.
    pub shipments: u64,
    /// Keys whose act was refused.
    pub refusals: u64,
    /// Keys closed before anything was shipped.
    pub closed: u64,
    /// Keys whose register and shipment disagree; always zero.
    pub disagreements: u64,
    /// SKUs of which what is left and what was shipped are not what there was; always zero.
    pub miscounted: u64,
    /// How many SKUs there are; more than the list below shows only where it is cut at 10,000.
    pub skus: u64,
    /// The stock, by SKU.
    pub stock: Vec<Shelf>,
}

/// What there is of one SKU. Without the two numbers it is there without limit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct Shelf {
    /// The SKU.
    pub sku: String,
    /// What there was at first.
    pub initial: Option<u32>,
    /// What is left.
    pub available: Option<u32>,
    /// What was shipped.
    pub shipped: u64,
}

impl Audit {
    /// Counts the books in a snapshot of a dispatch service's store.
    ///
    /// # Errors
    /// What the database said.
    pub fn read(snapshot: &Connection) -> Result<Self, Error> {
        let number = |query: &str| snapshot.query_row(query, [], |row| row.get::<_, u32>(0)).map(u64::from);
        let registers = Overview::read(snapshot)?;
        let stock = snapshot
            .prepare(
                "SELECT s.sku, s.initial, s.available, coalesce(sum(l.quantity), 0)
                 FROM stock s LEFT JOIN shipment_line l ON l.sku = s.sku GROUP BY s.sku ORDER BY s.sku LIMIT ?1",
            )?
            .query_map([MOST_SHELVES], |row| {
                let shipped: i64 = row.get(3)?;
                Ok(Shelf {
                    sku: row.get(0)?,
                    initial: row.get(1)?,
                    available: row.get(2)?,
                    shipped: u64::try_from(shipped).unwrap_or_default(),
                })
            })?
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            shipments: number("SELECT count(*) FROM shipment")?,
            refusals: registers.states.refused,
            closed: registers.states.closed,
            disagreements: number(
                "SELECT count(*) FROM register r LEFT JOIN shipment s ON s.key = r.key
                 WHERE (r.state = 'done') <> (s.key IS NOT NULL)
                    OR (r.state = 'done') <> EXISTS (SELECT 1 FROM shipment_line l WHERE l.key = r.key)",
            )?,
            miscounted: number(
                "SELECT count(*) FROM stock s WHERE s.initial - s.available <>
                     (SELECT coalesce(sum(l.quantity), 0) FROM shipment_line l WHERE l.sku = s.sku)",
            )?,
            skus: number("SELECT count(*) FROM stock")?,
            stock,
            registers,
        })
    }
}
