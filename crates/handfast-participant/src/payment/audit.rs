//! The books of the payment service, counted: what happened, and whether everything agrees.

use rusqlite::{Connection, Error, Row};
use serde::Serialize;

use crate::registers::Overview;

/// The books at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct Audit {
    /// What the registers say.
    #[serde(flatten)]
    pub registers: Overview,
    /// Charges in the ledger, refunded since or not.
    pub charges: u64,
    /// Refunds in the ledger.
    pub refunds: u64,
    /// Charges that were captured for good.
    pub captures: u64,
    /// Keys whose act was refused.
    pub declines: u64,
    /// Keys closed before they were charged.
    pub closed: u64,
    /// Whether every pair of postings, and so every currency, adds up to zero.
    pub balanced: bool,
    /// The currencies that do not add up to zero; always empty.
    pub unbalanced: Vec<Unbalanced>,
    /// Keys whose register and ledger disagree; always zero.
    pub disagreements: u64,
    /// The totals of each currency.
    pub currencies: Vec<CurrencyTotals>,
}

/// A currency whose postings do not add up to zero.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct Unbalanced {
    /// ISO 4217.
    pub currency: String,
    /// What is left over, in minor units.
    pub minor: i128,
}

/// What was moved in one currency, in minor units.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct CurrencyTotals {
    /// ISO 4217.
    pub currency: String,
    /// How many decimals the minor unit stands for.
    pub exponent: u16,
    /// All charges.
    pub charged: i128,
    /// All refunds.
    pub refunded: i128,
    /// What the shop is owed: charged less refunded.
    pub receivable: i128,
}

/// A done key is charged and not refunded, an undone one both, any other neither. Captures are no charges: theirs are done,
/// and so is what they captured.
const DISAGREEMENTS: &str = "
    SELECT count(*) FROM (
        SELECT r.state IN ('done', 'undone') AS charge_belongs, r.state = 'undone' AS refund_belongs,
               EXISTS (SELECT 1 FROM charge c WHERE c.key = r.key) AS charged,
               (SELECT count(*) FROM posting p WHERE p.key = r.key AND p.kind = 'charge') AS charge_postings,
               (SELECT count(*) FROM posting p WHERE p.key = r.key AND p.kind = 'refund') AS refund_postings
        FROM register r WHERE NOT EXISTS (SELECT 1 FROM capture k WHERE k.key = r.key)
            AND NOT EXISTS (SELECT 1 FROM intent i WHERE i.id = r.key) AND NOT EXISTS (SELECT 1 FROM intent_move m WHERE m.key = r.key)
    ) WHERE charged <> charge_belongs OR charge_postings <> 2 * charge_belongs OR refund_postings <> 2 * refund_belongs";

/// An intent's register says whether it was confirmed and whether that was taken back; a refund is written down by itself, and
/// stands in the ledger once it has succeeded.
const CROOKED_INTENTS: &str = "
    SELECT count(*) FROM (
        SELECT coalesce(r.state IN ('done', 'undone'), 0) AS charge_belongs,
               coalesce(r.state = 'undone', 0) OR coalesce(f.status = 'succeeded', 0) AS refund_belongs,
               EXISTS (SELECT 1 FROM charge c WHERE c.key = i.id) AS charged,
               (SELECT count(*) FROM posting p WHERE p.key = i.id AND p.kind = 'charge') AS charge_postings,
               (SELECT count(*) FROM posting p WHERE p.key = i.id AND p.kind = 'refund') AS refund_postings
        FROM intent i LEFT JOIN register r ON r.key = i.id LEFT JOIN intent_refund f ON f.intent = i.id
    ) WHERE charged <> charge_belongs OR charge_postings <> 2 * charge_belongs OR refund_postings <> 2 * refund_belongs";

const CROOKED_CAPTURES: &str = "
    SELECT count(*) FROM capture k JOIN register c ON c.key = k.key JOIN register h ON h.key = k.hold
    WHERE c.state <> 'done' OR h.state <> 'done'";

/// A sum that stands in two columns, billions and the rest: of amounts as large as they may be, SQLite's own sum would
/// overflow after some nine thousand.
fn sum(row: &Row<'_>, column: usize) -> Result<i128, Error> {
    let part = |column| row.get::<_, Option<i64>>(column).map(|part| i128::from(part.unwrap_or(0)));
    Ok(part(column)? * 1_000_000_000 + part(column + 1)?)
}

impl Audit {
    /// Counts the books in a snapshot of a payment service's store.
    ///
    /// # Errors
    /// What the database said.
    pub fn read(snapshot: &Connection) -> Result<Self, Error> {
        let number = |query: &str| snapshot.query_row(query, [], |row| row.get::<_, u32>(0)).map(u64::from);
        let registers = Overview::read(snapshot)?;
        let mut sums = snapshot.prepare(
            "SELECT currency, sum(minor / 1000000000), sum(minor % 1000000000) FROM posting GROUP BY currency ORDER BY currency",
        )?;
        let sums = sums.query_map([], |row| Ok(Unbalanced { currency: row.get(0)?, minor: sum(row, 1)? }))?;
        let unbalanced = sums.filter(|sum| !sum.as_ref().is_ok_and(|sum| sum.minor == 0)).collect::<Result<Vec<_>, _>>()?;
        let crooked_pairs = number(
            "SELECT count(*) FROM (SELECT 1 FROM posting GROUP BY key, kind
             HAVING sum(minor) <> 0 OR count(*) <> 2 OR count(DISTINCT currency) <> 1)",
        )?;
        let currencies = snapshot
            .prepare(
                "SELECT c.code, c.exponent,
                     sum(p.minor / 1000000000) FILTER (WHERE p.kind = 'charge'),
                     sum(p.minor % 1000000000) FILTER (WHERE p.kind = 'charge'),
                     sum(p.minor / 1000000000) FILTER (WHERE p.kind = 'refund'),
                     sum(p.minor % 1000000000) FILTER (WHERE p.kind = 'refund')
                 FROM currency c LEFT JOIN posting p ON p.currency = c.code AND p.account = 'shop:receivable'
                 GROUP BY c.code ORDER BY c.code",
            )?
            .query_map([], |row| {
                let (charged, refunded) = (sum(row, 2)?, -sum(row, 4)?);
                Ok(CurrencyTotals {
                    currency: row.get(0)?,
                    exponent: row.get(1)?,
                    charged,
                    refunded,
                    receivable: charged - refunded,
                })
            })?
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            charges: number("SELECT count(*) FROM charge")?,
            refunds: number("SELECT count(*) FROM posting WHERE kind = 'refund' AND account = 'shop:receivable'")?,
            declines: registers.states.refused,
            closed: registers.states.closed,
            balanced: unbalanced.is_empty() && crooked_pairs == 0,
            unbalanced,
            captures: number("SELECT count(*) FROM capture")?,
            disagreements: number(DISAGREEMENTS)? + number(CROOKED_INTENTS)? + number(CROOKED_CAPTURES)?,
            currencies,
            registers,
        })
    }
}
