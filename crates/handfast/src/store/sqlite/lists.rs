//! The SQL of lists, and of how many sagas stand how: pages by key, and sums that are kept.

use bytes::Bytes;
use handfast_protocol::Time;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, params_from_iter};

use super::queries::has_table;
use super::reader::Source;
use super::shape::{number, placed_digest, unavailable, unpack};
use crate::store::{Candidate, Counts, Filter, FlowTexts, Ordered, OrderedPage, Page, StoreError, Summary};

pub(super) fn list(source: &mut Source, filter: &Filter) -> Result<Page, StoreError> {
    let read = |connection: &mut Connection| -> rusqlite::Result<Page> {
        // One transaction, so that the page is of one moment.
        let transaction = connection.transaction()?;
        let first = match &filter.after {
            None => Some(0),
            Some(id) => transaction
                .prepare_cached("SELECT id FROM saga WHERE name = ?1")?
                .query_row([id], |row| row.get::<_, i64>(0))
                .optional()?,
        };
        let Some(first) = first else { return Ok(Page::default()) };
        let mut sql = transaction.prepare_cached(&sql_of(filter, has_table(&transaction, "adopted")?))?;
        let standings = filter.indexed().into_iter().flatten().map(|standing| Value::from(standing.clone()));
        let candidates = sql.query_map(params_from_iter(std::iter::once(Value::from(first)).chain(standings)), candidate)?;
        filter.page(candidates)
    };
    read(&mut source.connection).map_err(|error| unavailable(&error))
}

/// Reads those that may be on the page in the order of their placing, one after the other: nothing is sorted, and a reader that has enough
/// stops. An index leads to those that stand so, where it has them; the others are met on the way through all.
fn sql_of(filter: &Filter, has_adopted: bool) -> String {
    let follows = match (filter.flows.is_some(), has_adopted) {
        (false, _) => "NULL",
        // A store of the first format, which is only read, has none that follows another definition.
        (true, false) => "(SELECT flow FROM placed WHERE placed.saga = saga.id)",
        (true, true) => {
            "coalesce((SELECT flow FROM adopted WHERE adopted.saga = saga.id ORDER BY nth DESC LIMIT 1), \
             (SELECT flow FROM placed WHERE placed.saga = saga.id))"
        }
    };
    let select = format!(
        "SELECT id, name, standing, created, \
         coalesce((SELECT at FROM journal WHERE saga = saga.id ORDER BY seq DESC LIMIT 1), created), {follows} \
         FROM saga WHERE id > ?1"
    );
    let Some(standings) = filter.indexed() else { return format!("{select} ORDER BY id") };
    let of_one = |at: usize| format!("{select} AND standing = ?{} AND standing NOT IN ('completed', 'cancelled')", at + 2);
    let all: Vec<String> = (0..standings.len()).map(of_one).collect();
    format!("{} ORDER BY 1", all.join(" UNION ALL "))
}

fn candidate(row: &Row<'_>) -> rusqlite::Result<Candidate> {
    let summary = Summary {
        id: row.get(1)?,
        standing: row.get(2)?,
        created: Time(number(row.get(3)?)),
        changed: Time(number(row.get(4)?)),
    };
    Ok(Candidate { summary, follows: row.get(5)? })
}

pub(super) fn orders(source: &mut Source, filter: &Filter) -> Result<OrderedPage, StoreError> {
    let page = list(source, filter)?;
    let read = |connection: &Connection| -> rusqlite::Result<Option<OrderedPage>> {
        if let Some(after) = &filter.after {
            let known = "SELECT 1 FROM saga WHERE name = ?1";
            if !connection.prepare_cached(known)?.exists([after])? {
                return Ok(None);
            }
        }
        let mut sql = connection.prepare_cached(PLACED)?;
        let (mut orders, mut bytes, last) = (Vec::new(), 0, page.sagas.len());
        for (at, Summary { id, standing, .. }) in page.sagas.into_iter().enumerate() {
            let order = sql.query_row([&id], |row| Ok(placed(row))).optional()?.flatten();
            bytes +=
                order.iter().map(|(input, bodies)| input.len() + bodies.iter().map(Bytes::len).sum::<usize>()).sum::<usize>();
            orders.push(Ordered { standing, order });
            if bytes >= BYTES_OF_ORDERS && at + 1 < last {
                return Ok(Some((orders, Some(id))));
            }
        }
        Ok(Some((orders, page.next)))
    };
    read(&source.connection).map_err(|error| unavailable(&error))?.ok_or_else(|| filter.after_unknown())
}

/// About so much of orders is read at a time.
const BYTES_OF_ORDERS: usize = 1 << 20;

/// What a saga was placed with.
const PLACED: &str = "SELECT flow, version, input, bodies, digest FROM placed WHERE saga = (SELECT id FROM saga WHERE name = ?1)";

/// The order and the bodies of a row; `None` where it is not as it was written.
fn placed(row: &Row<'_>) -> Option<(Vec<u8>, Vec<Bytes>)> {
    let (flow, digest): (Vec<u8>, Vec<u8>) = (row.get(0).ok()?, row.get(4).ok()?);
    let (version, input, packed): (u32, Vec<u8>, Vec<u8>) = (row.get(1).ok()?, row.get(2).ok()?, row.get(3).ok()?);
    let is_intact = placed_digest(&flow.try_into().ok()?, version, &input, &packed)[..] == digest[..];
    let bodies = unpack(&input, &packed.into()).filter(|_| is_intact)?;
    Some((input, bodies))
}

pub(super) fn flows(source: &mut Source) -> Result<FlowTexts, StoreError> {
    const SQL: &str = "SELECT hash, text FROM flow ORDER BY hash";
    let flows = source
        .connection
        .prepare_cached(SQL)
        .and_then(|mut sql| sql.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect());
    flows.map_err(|error| unavailable(&error))
}

/// What is kept, so that it costs the same however many sagas there are.
const COUNTED: &str = "SELECT standing, sagas FROM counted WHERE sagas > 0 ORDER BY standing";
/// What it is kept of.
const COUNT: &str = "SELECT standing, count(*) FROM saga GROUP BY standing ORDER BY standing";

pub(super) fn counts(source: &mut Source) -> Result<Counts, StoreError> {
    let read = |connection: &Connection| {
        // An older store that is only read has nothing kept.
        count(connection, if has_table(connection, "counted")? { COUNTED } else { COUNT })
    };
    read(&source.connection).map(|by_standing| Counts { by_standing }).map_err(|error| unavailable(&error))
}

fn count(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<(String, u64)>> {
    connection.prepare_cached(sql)?.query_map([], |row| Ok((row.get(0)?, number(row.get(1)?))))?.collect()
}

/// What is wrong with what is kept of how many sagas stand how.
pub(super) fn miscounted(connection: &Connection) -> rusqlite::Result<Option<String>> {
    if !has_table(connection, "counted")? {
        return Ok(None);
    }
    let transaction = connection.unchecked_transaction()?;
    let (kept, counted) = (count(&transaction, COUNTED)?, count(&transaction, COUNT)?);
    Ok((kept != counted).then(|| format!("`counted` says {kept:?}, and the sagas stand {counted:?}")))
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;
    use crate::store::{SqliteStore, Store as _};

    #[test]
    fn a_list_is_read_in_order_and_nothing_is_sorted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.db");
        drop(SqliteStore::open(&path).unwrap());
        let connection = Connection::open(&path).unwrap();
        let plan = |standings: &[&str], flows| {
            let standings: std::collections::BTreeSet<String> = standings.iter().map(|&standing| standing.to_owned()).collect();
            let filter = Filter { flows, standings: standings.clone(), ..Filter::all(None, 10) };
            let mut sql = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", sql_of(&filter, true))).unwrap();
            let standings = filter.indexed().into_iter().flatten().map(|standing| Value::from(standing.clone()));
            let rows =
                sql.query_map(params_from_iter(std::iter::once(Value::from(0)).chain(standings)), |row| row.get(3)).unwrap();
            rows.collect::<rusqlite::Result<Vec<String>>>().unwrap().join("\n")
        };
        for standings in [&["acting"][..], &["acting", "suspended", "settled"], &[], &["completed"], &["acting", "cancelled"]] {
            for flows in [None, Some(std::collections::BTreeSet::from([[7; 32]]))] {
                let plan = plan(standings, flows);
                assert!(!plan.contains("TEMP B-TREE"), "{standings:?}: {plan}");
                let is_open =
                    !standings.is_empty() && !standings.iter().any(|standing| ["completed", "cancelled"].contains(standing));
                let by_index = plan.matches("saga USING INDEX saga_open (standing=? AND rowid>?)").count();
                assert_eq!(by_index, if is_open { standings.len() } else { 0 }, "{standings:?}: {plan}");
            }
        }
    }

    #[test]
    fn how_many_stand_how_costs_the_same_however_many_there_are() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.db");
        drop(SqliteStore::open(&path).unwrap());
        let connection = Connection::open(&path).unwrap();
        let mut steps = Vec::new();
        for sagas in [1_000, 100_000] {
            let fill = format!(
                "BEGIN; DELETE FROM saga; \
                 WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {sagas}) \
                 INSERT INTO saga (name, created, standing, tries) \
                 SELECT 'order-' || n, n, CASE n % 3 WHEN 0 THEN 'acting' ELSE 'completed' END, 0 FROM n; COMMIT"
            );
            connection.execute_batch(&fill).unwrap();
            assert_eq!(miscounted(&connection).unwrap(), None);
            let mut kept = connection.prepare(COUNTED).unwrap();
            assert_eq!(kept.query_map([], |_| Ok(())).unwrap().count(), 2);
            steps.push(kept.get_status(StatementStatus::VmStep));
        }
        assert_eq!(steps[0], steps[1]);
        connection.execute_batch("UPDATE counted SET sagas = sagas + 1 WHERE standing = 'acting'").unwrap();
        assert!(miscounted(&connection).unwrap().is_some_and(|what| what.contains("33334")), "it is looked at by `verify`");
        drop(connection);
        let store = SqliteStore::open_to_read(&path).unwrap();
        let counts = tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(store.counts()).unwrap();
        assert_eq!(counts.by_standing, [("acting".to_owned(), 33_334), ("completed".to_owned(), 66_667)], "it is what is kept");
    }
}
