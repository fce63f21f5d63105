//! The books of the payment service, counted: what happened, and whether everything agrees.

use rusqlite::{Connection, Error};
use serde::Serialize;

use crate::registers::Overview;

/// The books at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Audit {
    /// What the registers say.
    #[serde(flatten)]
    pub registers: Overview,
    /// Charges in the ledger, refunded since or not.
    pub charges: u64,
    /// Refunds in the ledger.
    pub refunds: u64,
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
pub struct Unbalanced {
    /// ISO 4217.
    pub currency: String,
    /// What is left over, in minor units.
    pub minor: i64,
}

/// What was moved in one currency, in minor units.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct CurrencyTotals {
    /// ISO 4217.
    pub currency: String,
    /// How many decimals the minor unit stands for.
    pub exponent: u16,
    /// All charges.
    pub charged: i64,
    /// All refunds.
    pub refunded: i64,
    /// What the shop is owed: charged less refunded.
    pub receivable: i64,
}

/// A done key is charged and not refunded, an undone one both, any other neither.
const DISAGREEMENTS: &str = "
    SELECT count(*) FROM (
        SELECT r.state IN ('done', 'undone') AS charge_belongs, r.state = 'undone' AS refund_belongs,
               EXISTS (SELECT 1 FROM charge c WHERE c.key = r.key) AS charged,
               (SELECT count(*) FROM posting p WHERE p.key = r.key AND p.kind = 'charge') AS charge_postings,
               (SELECT count(*) FROM posting p WHERE p.key = r.key AND p.kind = 'refund') AS refund_postings
        FROM register r
    ) WHERE charged <> charge_belongs OR charge_postings <> 2 * charge_belongs OR refund_postings <> 2 * refund_belongs";

impl Audit {
    /// Counts the books in a snapshot of a payment service's store.
    ///
    /// # Errors
    /// What the database said.
    pub fn read(snapshot: &Connection) -> Result<Self, Error> {
        let number = |query: &str| snapshot.query_row(query, [], |row| row.get::<_, u32>(0)).map(u64::from);
        let registers = Overview::read(snapshot)?;
        let unbalanced = snapshot
            .prepare("SELECT currency, sum(minor) FROM posting GROUP BY currency HAVING sum(minor) <> 0 ORDER BY currency")?
            .query_map([], |row| Ok(Unbalanced { currency: row.get(0)?, minor: row.get(1)? }))?
            .collect::<Result<Vec<_>, _>>()?;
        let crooked_pairs = number(
            "SELECT count(*) FROM (SELECT 1 FROM posting GROUP BY key, kind
             HAVING sum(minor) <> 0 OR count(*) <> 2 OR count(DISTINCT currency) <> 1)",
        )?;
        let currencies = snapshot
            .prepare(
                "SELECT c.code, c.exponent,
                     coalesce(sum(p.minor) FILTER (WHERE p.kind = 'charge'), 0),
                     coalesce(-sum(p.minor) FILTER (WHERE p.kind = 'refund'), 0),
                     coalesce(sum(p.minor), 0)
                 FROM currency c LEFT JOIN posting p ON p.currency = c.code AND p.account = 'shop:receivable'
                 GROUP BY c.code ORDER BY c.code",
            )?
            .query_map([], |row| {
                Ok(CurrencyTotals {
                    currency: row.get(0)?,
                    exponent: row.get(1)?,
                    charged: row.get(2)?,
                    refunded: row.get(3)?,
                    receivable: row.get(4)?,
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
            disagreements: number(DISAGREEMENTS)?,
            currencies,
            registers,
        })
    }
}
