//! The table, recomputed from the services' own books with plain SQL; none of our own code takes part in it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context as _;
use rusqlite::Connection;
use serde::Serialize;

use super::customers::{Outcome, Track};
use super::orders::DemoOrder;

/// Orders with money that was charged and not refunded. The id of an order stands between the first dot of a key and the
/// name of the step.
const CHARGED: &str = "SELECT substr(key, instr(key, '.') + 1, length(key) - instr(key, '.') - length('.payment')) AS id \
     FROM payment.posting WHERE account = 'shop:receivable' GROUP BY key HAVING sum(minor) <> 0";
/// Orders whose goods have left.
const DISPATCHED: &str = "SELECT substr(key, instr(key, '.') + 1, length(key) - instr(key, '.') - length('.dispatch')) AS id \
     FROM dispatch.shipment";

/// The three queries with which anybody recomputes the table: what is counted, and the SQL.
pub(crate) fn queries() -> [(&'static str, String); 3] {
    let count = |left: &str, with: &str, right: &str| format!("SELECT count(*) FROM ({left} {with} {right});");
    [
        ("both", count(CHARGED, "INTERSECT", DISPATCHED)),
        ("charged, not dispatched", count(CHARGED, "EXCEPT", DISPATCHED)),
        ("dispatched, not charged", count(DISPATCHED, "EXCEPT", CHARGED)),
    ]
}

/// The table, and what else must be zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct Cells {
    pub(crate) both: u64,
    pub(crate) neither: u64,
    pub(crate) charged_not_dispatched: u64,
    pub(crate) dispatched_not_charged: u64,
    pub(crate) double_charged: u64,
    pub(crate) double_dispatched: u64,
    /// Orders whose end nobody knows.
    pub(crate) in_doubt: u64,
}

/// What the books of one way say.
#[derive(Clone, Debug)]
pub(crate) struct Books {
    pub(crate) cells: Cells,
    /// Charges that were declined.
    pub(crate) declined: u64,
    /// Shipments that were refused.
    pub(crate) out_of_stock: u64,
    /// Keys of shipments that were closed before anything left.
    pub(crate) pivots_closed: u64,
    /// Charges that arrived after their key had been closed.
    pub(crate) late_refused: u64,
    /// Charges that were refunded.
    pub(crate) refunds: u64,
    /// Orders for which somebody was charged another amount, or sent something else, than was ordered.
    pub(crate) differing: Vec<String>,
    /// Acknowledged orders of which neither service has heard.
    pub(crate) missing: Vec<String>,
    /// Orders whose coordinator said they ended otherwise than the books say.
    pub(crate) misreported: Vec<String>,
}

/// What the books say of one order.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
struct Entry {
    /// Charged and not refunded, by currency, in minor units.
    charged: BTreeMap<String, i64>,
    charges: u64,
    shipments: u64,
    pieces: i64,
}

impl Books {
    /// Reads the books in a directory and compares them with the orders.
    ///
    /// # Errors
    /// When a database cannot be read.
    pub(crate) fn read(dir: &Path, orders: &[DemoOrder], tracks: &[Track]) -> anyhow::Result<Self> {
        let books = attach(dir)?;
        let number = |sql: &str| -> anyhow::Result<u64> {
            let count: i64 = books.query_row(sql, [], |row| row.get(0)).with_context(|| format!("cannot run {sql}"))?;
            Ok(count.unsigned_abs())
        };
        let [both, charged, dispatched] = queries().map(|(_, sql)| number(&sql));
        let (both, charged_not_dispatched, dispatched_not_charged) = (both?, charged?, dispatched?);
        let entries = entries(&books)?;
        let heard_of = heard_of(&books)?;
        let counted = |holds: &dyn Fn(&DemoOrder, &Entry) -> bool| {
            let none = Entry::default();
            let found = orders.iter().filter(|order| holds(order, entries.get(&order.id).unwrap_or(&none)));
            found.map(|order| order.id.clone()).collect::<Vec<String>>()
        };
        let refunded_in_full = |entry: &Entry| entry.charged.values().all(|&minor| minor == 0);
        let as_ordered = |order: &DemoOrder, entry: &Entry| {
            let charged: Vec<(&str, i64)> = entry.charged.iter().map(|(code, &minor)| (code.as_str(), minor)).collect();
            (refunded_in_full(entry) || charged == [(order.currency, order.minor)])
                && (entry.shipments == 0 || entry.pieces == order.pieces)
        };
        let cells = Cells {
            both,
            neither: (orders.len() as u64).saturating_sub(both + charged_not_dispatched + dispatched_not_charged),
            charged_not_dispatched,
            dispatched_not_charged,
            double_charged: counted(&|_, entry| entry.charges > 1).len() as u64,
            double_dispatched: counted(&|order, entry| entry.shipments > 1 || entry.pieces > order.pieces).len() as u64,
            in_doubt: tracks.iter().filter(|track| track.ended.is_none()).count() as u64,
        };
        let ends_otherwise = |order: &DemoOrder, track: &Track| {
            let both = entries.get(&order.id).is_some_and(|entry| !refunded_in_full(entry) && entry.shipments > 0);
            track.ended.is_some_and(|(outcome, _)| (outcome == Outcome::Both) != both)
        };
        let tracked = |holds: &dyn Fn(&DemoOrder, &Track) -> bool| {
            orders.iter().zip(tracks).filter(|(order, track)| holds(order, track)).map(|(order, _)| order.id.clone()).collect()
        };
        Ok(Self {
            cells,
            declined: number("SELECT count(*) FROM payment.register WHERE state = 'refused'")?,
            out_of_stock: number("SELECT count(*) FROM dispatch.register WHERE state = 'refused'")?,
            pivots_closed: number("SELECT count(*) FROM dispatch.register WHERE state = 'closed'")?,
            late_refused: number(
                "SELECT count(*) FROM payment.late_act JOIN payment.register USING (key) WHERE state = 'closed'",
            )?,
            refunds: number("SELECT count(DISTINCT key) FROM payment.posting WHERE kind = 'refund'")?,
            differing: counted(&|order, entry| !as_ordered(order, entry)),
            missing: tracked(&|order, track| track.is_acknowledged && !heard_of.contains(&order.id)),
            misreported: tracked(&ends_otherwise),
        })
    }
}

fn attach(dir: &Path) -> anyhow::Result<Connection> {
    let books = Connection::open_in_memory()?;
    for name in ["payment", "dispatch"] {
        let path = dir.join(format!("{name}.db"));
        let text = path.to_str().with_context(|| format!("{} is not a path in plain text", path.display()))?;
        books
            .execute(&format!("ATTACH ?1 AS {name}"), [text])
            .with_context(|| format!("cannot read the book {}", path.display()))?;
    }
    Ok(books)
}

fn entries(books: &Connection) -> anyhow::Result<BTreeMap<String, Entry>> {
    let mut entries: BTreeMap<String, Entry> = BTreeMap::new();
    let mut charges = books.prepare(
        "SELECT substr(key, instr(key, '.') + 1, length(key) - instr(key, '.') - length('.payment')), currency, sum(minor),
             count(*) FILTER (WHERE kind = 'charge')
         FROM payment.posting WHERE account = 'shop:receivable' GROUP BY 1, 2",
    )?;
    let mut rows = charges.query([])?;
    while let Some(row) = rows.next()? {
        let entry = entries.entry(row.get(0)?).or_default();
        entry.charged.insert(row.get(1)?, row.get(2)?);
        entry.charges += row.get::<_, u32>(3).map(u64::from)?;
    }
    let mut shipments = books.prepare(
        "SELECT substr(key, instr(key, '.') + 1, length(key) - instr(key, '.') - length('.dispatch')), count(DISTINCT key),
             sum(quantity)
         FROM dispatch.shipment JOIN dispatch.shipment_line USING (key) GROUP BY 1",
    )?;
    let mut rows = shipments.query([])?;
    while let Some(row) = rows.next()? {
        let entry = entries.entry(row.get(0)?).or_default();
        entry.shipments = row.get::<_, u32>(1).map(u64::from)?;
        entry.pieces = row.get(2)?;
    }
    Ok(entries)
}

/// The orders that one of the services was ever asked about.
fn heard_of(books: &Connection) -> anyhow::Result<BTreeSet<String>> {
    let mut registers = books.prepare(
        "SELECT substr(key, instr(key, '.') + 1, length(key) - instr(key, '.') - length('.payment')) FROM payment.register
         UNION SELECT substr(key, instr(key, '.') + 1, length(key) - instr(key, '.') - length('.dispatch')) FROM dispatch.register",
    )?;
    let ids = registers.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::demo::orders::Class;

    fn order(id: &str) -> DemoOrder {
        DemoOrder { id: id.to_owned(), class: Class::Plain, minor: 500, currency: "EUR", pieces: 2, body: String::new() }
    }

    fn ended(outcome: Outcome) -> Track {
        Track { is_acknowledged: true, is_cancelled: false, ended: Some((outcome, Duration::ZERO)) }
    }

    /// Books in which most things that can be wrong are.
    fn crooked(dir: &Path) {
        let book = |name: &str, sql: &str| Connection::open(dir.join(name)).unwrap().execute_batch(sql).unwrap();
        book(
            "payment.db",
            "CREATE TABLE register (key, state); CREATE TABLE late_act (key); CREATE TABLE posting (key, kind, account, minor, currency);
             INSERT INTO register SELECT 's.' || value || '.payment', 'done'
                 FROM json_each('[\"good\", \"unsent\", \"twice\", \"more\", \"back\"]');
             INSERT INTO register VALUES ('s.late.payment', 'closed'), ('s.poor.payment', 'refused');
             INSERT INTO late_act VALUES ('s.late.payment'), ('s.back.payment');
             INSERT INTO posting VALUES
                 ('s.good.payment', 'charge', 'shop:receivable', 500, 'EUR'), ('s.good.payment', 'charge', 'customer:a', -500, 'EUR'),
                 ('s.unsent.payment', 'charge', 'shop:receivable', 500, 'EUR'),
                 ('s.twice.payment', 'charge', 'shop:receivable', 500, 'EUR'), ('t.twice.payment', 'charge', 'shop:receivable', 500, 'EUR'),
                 ('s.more.payment', 'charge', 'shop:receivable', 500, 'JPY'),
                 ('s.back.payment', 'charge', 'shop:receivable', 500, 'EUR'), ('s.back.payment', 'refund', 'shop:receivable', -500, 'EUR');",
        );
        book(
            "dispatch.db",
            "CREATE TABLE register (key, state); CREATE TABLE shipment (key); CREATE TABLE shipment_line (key, quantity);
             INSERT INTO register VALUES ('s.late.dispatch', 'closed'), ('s.back.dispatch', 'refused'), ('s.free.dispatch', 'done');
             INSERT INTO shipment SELECT 's.' || value || '.dispatch' FROM json_each('[\"good\", \"twice\", \"more\", \"free\"]');
             INSERT INTO shipment_line SELECT key, 1 FROM shipment UNION ALL SELECT key, 1 FROM shipment WHERE key <> 's.free.dispatch';",
        );
    }

    #[test]
    fn what_is_wrong_in_the_books_is_found() {
        let dir = tempfile::tempdir().unwrap();
        crooked(dir.path());
        let ids = ["good", "unsent", "twice", "more", "back", "late", "poor", "free", "gone"];
        let orders: Vec<DemoOrder> = ids.map(order).into();
        let mut tracks: Vec<Track> = ids.map(|_| ended(Outcome::Both)).into();
        tracks[4] = ended(Outcome::Neither);
        tracks[6].ended = None;
        let books = Books::read(dir.path(), &orders, &tracks).unwrap();
        let cells = Cells {
            both: 3,
            neither: 4,
            charged_not_dispatched: 1,
            dispatched_not_charged: 1,
            double_charged: 1,
            double_dispatched: 0,
            in_doubt: 1,
        };
        assert_eq!(books.cells, cells);
        assert_eq!((books.declined, books.out_of_stock, books.pivots_closed, books.late_refused, books.refunds), (1, 1, 1, 1, 1));
        assert_eq!(books.differing, ["twice", "more", "free"]);
        assert_eq!(books.missing, ["gone"]);
        assert_eq!(books.misreported, ["unsent", "late", "free", "gone"]);
    }
}
