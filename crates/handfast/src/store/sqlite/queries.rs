//! The SQL of every read, and how rows become sagas. A row that cannot be what was written is named.

use std::collections::BTreeMap;
use std::sync::Arc;

use handfast_protocol::{Change, Operation, Time};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction};
use sha2::{Digest as _, Sha256};

use super::reader::Source;
use super::shape::{number, optional_time, ordered, placed_digest, unanswered, unavailable, unpack, words};
use crate::store::time::judge;
use crate::store::{
    Acceptance, Adopted, ClockMark, ClockVerdict, Due, Entry, LONGEST_WAKE_UP_MS, Lengths, Offer, OpenFlow, Seen, Sighting,
    StoreError, StoredSaga, Tip, Try,
};

/// A row that was read and is wrong is told of its saga. What the database cannot read is trouble of the store: the row may
/// be there, and is when its page is put right.
fn damage(id: &str, place: &str, error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        None => corrupt(id, format!("{place}: {}", words(error))),
        Some(_) => StoreError::Unavailable(unanswered(error, format!("saga {id}: {place}: {}", words(error)))),
    }
}

fn corrupt(id: &str, what: impl Into<String>) -> StoreError {
    StoreError::Corrupt { id: id.to_owned(), what: what.into() }
}

/// Reads a row that every store has, through the index by which a saga is found.
pub(super) fn reachable(source: &mut Source) -> Result<(), StoreError> {
    const SQL: &str = "SELECT (SELECT count(*) FROM saga WHERE name = ''), value FROM meta WHERE name = 'store_id'";
    let found = source.connection.prepare_cached(SQL).and_then(|mut sql| sql.query_row([], |_| Ok(())));
    found.map_err(|error| unavailable(&error))
}

/// What lies in `placed` beside the saga's own row.
struct Placed {
    flow_hash: [u8; 32],
    version: u32,
    input: Vec<u8>,
    packed: Vec<u8>,
    digest: [u8; 8],
}

pub(super) fn load(source: &mut Source, id: &str) -> Result<Option<StoredSaga>, StoreError> {
    let Source { connection, flows } = source;
    // One transaction, so that the row and the journal are of the same moment.
    let transaction = connection.transaction().map_err(|error| unavailable(&error))?;
    let Some((number, mut saga)) = load_row(&transaction, id)? else { return Ok(None) };
    let placed = load_placed(&transaction, id, number)?;
    if placed.digest != placed_digest(&placed.flow_hash, placed.version, &placed.input, &placed.packed) {
        return Err(corrupt(id, "its row in `placed` is not what was written (the digest differs)"));
    }
    let bodies = unpack(&placed.input, &placed.packed.into());
    saga.bodies = bodies.ok_or_else(|| corrupt(id, "its row in `placed`: the bodies cannot be told apart"))?;
    saga.flow_hash = placed.flow_hash;
    saga.version = placed.version;
    saga.input = placed.input;
    saga.flow_text = flow_text(&transaction, flows, id, &placed.flow_hash)?;
    saga.adopted = load_adopted(&transaction, flows, id, number)?;
    saga.entries = load_journal(&transaction, id, number)?;
    Ok(Some(saga))
}

/// The saga's number and row, with what lies elsewhere still empty.
fn load_row(transaction: &Transaction<'_>, id: &str) -> Result<Option<(i64, StoredSaga)>, StoreError> {
    let read = |row: &Row<'_>| {
        let saga = StoredSaga {
            id: id.to_owned(),
            flow_hash: [0; 32],
            flow_text: Arc::from(""),
            version: 0,
            input: Vec::new(),
            bodies: Vec::new(),
            created: Time(number(row.get(1)?)),
            wake_at: optional_time(row.get(2)?),
            standing: row.get(3)?,
            tries: row.get(4)?,
            why: row.get(5)?,
            adopted: Vec::new(),
            came_back: row.get(6)?,
            entries: Vec::new(),
        };
        Ok((row.get(0)?, saga))
    };
    const SQL: &str = "SELECT id, created, wake_at, standing, tries, why, \
         id <= coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'backup'), 0) FROM saga WHERE name = ?1";
    transaction
        .prepare_cached(SQL)
        .and_then(|mut sql| sql.query_row([id], read).optional())
        .map_err(|error| damage(id, "its row in `saga`", &error))
}

fn load_placed(transaction: &Transaction<'_>, id: &str, number: i64) -> Result<Placed, StoreError> {
    let read = |row: &Row<'_>| {
        Ok(Placed { flow_hash: row.get(0)?, version: row.get(1)?, input: row.get(2)?, packed: row.get(3)?, digest: row.get(4)? })
    };
    transaction
        .prepare_cached("SELECT flow, version, input, bodies, digest FROM placed WHERE saga = ?1")
        .and_then(|mut sql| sql.query_row([number], read).optional())
        .map_err(|error| damage(id, "its row in `placed`", &error))?
        .ok_or_else(|| corrupt(id, "its row in `placed` is missing"))
}

fn load_flow(transaction: &Transaction<'_>, id: &str, hash: &[u8; 32]) -> Result<Arc<str>, StoreError> {
    let text: Option<Arc<str>> = transaction
        .prepare_cached("SELECT text FROM flow WHERE hash = ?1")
        .and_then(|mut sql| sql.query_row([hash], |row| row.get(0)).optional())
        .map_err(|error| damage(id, "its flow's row in `flow`", &error))?;
    let text = text.ok_or_else(|| corrupt(id, "its flow's row in `flow` is missing"))?;
    if Sha256::digest(text.as_bytes())[..] != hash[..] {
        return Err(corrupt(id, "its flow's row in `flow` is not what was written (the hash differs)"));
    }
    Ok(text)
}

/// The text of a definition, which is read once.
fn flow_text(
    transaction: &Transaction<'_>,
    flows: &mut BTreeMap<[u8; 32], Arc<str>>,
    id: &str,
    hash: &[u8; 32],
) -> Result<Arc<str>, StoreError> {
    if let Some(text) = flows.get(hash) {
        return Ok(Arc::clone(text));
    }
    let text = load_flow(transaction, id, hash)?;
    flows.insert(*hash, Arc::clone(&text));
    Ok(text)
}

/// The definitions that a person has let a saga follow. There are none in a store of the first format, which is read as it is
/// where nothing can be written.
fn load_adopted(
    transaction: &Transaction<'_>,
    flows: &mut BTreeMap<[u8; 32], Arc<str>>,
    id: &str,
    number: i64,
) -> Result<Vec<Adopted>, StoreError> {
    let place = "its rows in `adopted`";
    let told = |error: &rusqlite::Error| damage(id, place, error);
    if !has_table(transaction, "adopted").map_err(|error| told(&error))? {
        return Ok(Vec::new());
    }
    let rows: Vec<([u8; 32], u64, bool, String, String)> = transaction
        .prepare_cached("SELECT flow, seq, same_books, by, why FROM adopted WHERE saga = ?1 ORDER BY nth")
        .and_then(|mut sql| {
            sql.query_map([number], |row| Ok((row.get(0)?, self::number(row.get(1)?), row.get(2)?, row.get(3)?, row.get(4)?)))?
                .collect()
        })
        .map_err(|error| told(&error))?;
    let read = |(flow_hash, seq, same_books, by, why)| {
        let flow_text = flow_text(transaction, flows, id, &flow_hash)?;
        Ok(Adopted { flow_hash, flow_text, seq, same_books, by, why })
    };
    rows.into_iter().map(read).collect()
}

/// Every open saga (one in the wake-up index, or one that is suspended) with the definition it was placed with, the last one
/// that a person let it follow and the one before that, what was said of the last one, and whether any was another one.
pub(super) const OPEN: &str = "SELECT saga.id AS saga, placed.flow AS placed_with, \
     (SELECT flow FROM adopted WHERE adopted.saga = saga.id ORDER BY nth DESC LIMIT 1) AS last, \
     (SELECT flow FROM adopted WHERE adopted.saga = saga.id ORDER BY nth DESC LIMIT 1 OFFSET 1) AS before, \
     coalesce((SELECT same_books FROM adopted WHERE adopted.saga = saga.id ORDER BY nth DESC LIMIT 1), 0) AS same_books, \
     EXISTS (SELECT 1 FROM adopted WHERE adopted.saga = saga.id AND adopted.flow <> placed.flow) AS has_moved \
     FROM saga JOIN placed ON placed.saga = saga.id WHERE saga.wake_at IS NOT NULL OR saga.standing = 'suspended'";

/// Whether a person has let such a saga go on with the definition that it followed already.
pub(super) const IS_KEPT: &str = "(coalesce(last = coalesce(before, placed_with), 0) AND NOT same_books)";

pub(super) fn open_of(
    source: &mut Source,
    placed_with: &[u8; 32],
    follows: &[u8; 32],
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<String>, StoreError> {
    let sql = format!(
        "SELECT saga.name FROM ({OPEN}) AS open JOIN saga ON saga.id = open.saga WHERE placed_with = ?1 AND last = ?2 \
         AND (?3 IS NULL OR saga.name > ?3) ORDER BY saga.name LIMIT ?4"
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    source
        .connection
        .prepare_cached(&sql)
        .and_then(|mut sql| sql.query_map((placed_with, follows, after, limit), |row| row.get(0))?.collect())
        .map_err(|error| unavailable(&error))
}

pub(super) fn open_flows(source: &mut Source) -> Result<Vec<OpenFlow>, StoreError> {
    let sql = format!(
        "SELECT placed_with, follows, flow.text, sagas, first.text, is_kept, has_moved FROM \
         (SELECT placed_with, coalesce(last, placed_with) AS follows, {IS_KEPT} AS is_kept, has_moved, count(*) AS sagas \
         FROM ({OPEN}) GROUP BY 1, 2, 3, 4) JOIN flow ON flow.hash = follows JOIN flow AS first ON first.hash = placed_with \
         ORDER BY placed_with, follows, is_kept, has_moved"
    );
    let read = |row: &Row<'_>| {
        Ok(OpenFlow {
            placed_with: row.get(0)?,
            placed_text: row.get(4)?,
            follows: row.get(1)?,
            text: row.get(2)?,
            is_kept: row.get(5)?,
            has_moved: row.get(6)?,
            sagas: number(row.get(3)?),
        })
    };
    source
        .connection
        .prepare_cached(&sql)
        .and_then(|mut sql| sql.query_map([], read)?.collect())
        .map_err(|error| unavailable(&error))
}

fn load_journal(transaction: &Transaction<'_>, id: &str, number: i64) -> Result<Vec<Entry>, StoreError> {
    let mut entries = Vec::new();
    let place = |entries: &[Entry]| format!("journal entry {}", entries.last().map_or(0, |entry: &Entry| entry.seq) + 1);
    let mut sql = transaction
        .prepare_cached("SELECT seq, at, input, digest FROM journal WHERE saga = ?1 ORDER BY seq")
        .map_err(|error| damage(id, "its journal", &error))?;
    let mut rows = sql.query([number]).map_err(|error| damage(id, "its journal", &error))?;
    while let Some(row) = rows.next().map_err(|error| damage(id, &place(&entries), &error))? {
        let entry = load_entry(row).map_err(|error| damage(id, &place(&entries), &error))?;
        entries.push(entry);
    }
    Ok(entries)
}

/// Whether the file has this table: one of an older format that is only read may lack it.
pub(super) fn has_table(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    connection.prepare_cached("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1")?.exists([name])
}

fn load_entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry { seq: number(row.get(0)?), at: Time(number(row.get(1)?)), input: row.get(2)?, digest: row.get(3)? })
}

pub(super) fn due(source: &mut Source, now: Time, limit: usize) -> Result<Due, StoreError> {
    // The index is named so that a store that lost it is told instead of searched from end to end.
    const SQL: &str = "SELECT name, wake_at FROM saga INDEXED BY saga_wake_at WHERE wake_at IS NOT NULL \
         ORDER BY wake_at, id LIMIT ?1";
    const FAR: &str = "SELECT name, wake_at FROM saga INDEXED BY saga_wake_at WHERE wake_at > ?2 \
         ORDER BY wake_at, id LIMIT ?1";
    let far = now.after(LONGEST_WAKE_UP_MS);
    let read = |source: &mut Source| -> rusqlite::Result<Due> {
        let most = ordered((limit as u64).saturating_add(1));
        let (mut ids, mut next) = (Vec::new(), None);
        let mut sql = source.connection.prepare_cached(SQL)?;
        let mut rows = sql.query([most])?;
        while let Some(row) = rows.next()? {
            let wake_at = Time(number(row.get(1)?));
            if wake_at > now || ids.len() == limit {
                next = Some(wake_at).filter(|next| *next <= far);
                break;
            }
            ids.push(row.get(0)?);
        }
        let mut sql = source.connection.prepare_cached(FAR)?;
        let mut rows = sql.query([most, ordered(far.0)])?;
        while let Some(row) = rows.next()? {
            if ids.len() == limit {
                return Ok((ids, next.filter(|next| *next <= now).or(Some(now))));
            }
            ids.push(row.get(0)?);
        }
        Ok((ids, next))
    };
    read(source).map_err(|error| unavailable(&error))
}

pub(super) fn tries(source: &mut Source, id: &str) -> Result<Vec<Try>, StoreError> {
    const SQL: &str = "SELECT try.step, try.operation, try.number, try.sent, try.ended, try.seen \
         FROM saga JOIN try ON try.saga = saga.id WHERE saga.name = ?1 ORDER BY try.nth";
    let read = |row: &Row<'_>| {
        let operation: String = row.get(1)?;
        let attempt = Try {
            id: id.to_owned(),
            step: row.get::<_, u32>(0)? as usize,
            operation: "",
            number: number(row.get(2)?),
            sent: Time(number(row.get(3)?)),
            ended: Time(number(row.get(4)?)),
            seen: row.get(5)?,
        };
        Ok((operation, attempt))
    };
    let rows: Vec<(String, Try)> = source
        .connection
        .prepare_cached(SQL)
        .and_then(|mut sql| sql.query_map([id], read)?.collect())
        .map_err(|error| damage(id, "its rows in `try`", &error))?;
    let known = |(operation, attempt): (String, Try)| match Operation::from_name(&operation) {
        Some(known) => Ok(Try { operation: known.name(), ..attempt }),
        None => Err(corrupt(id, format!("its rows in `try`: `{operation}` is not an operation"))),
    };
    rows.into_iter().map(known).collect()
}

/// A time beyond what SQL can compare lies in its column as a negative number.
pub(super) fn stamped_after(source: &mut Source, now: Time) -> Result<Vec<String>, StoreError> {
    const SQL: &str = "SELECT name FROM saga WHERE (wake_at IS NOT NULL OR standing = 'suspended') \
         AND EXISTS (SELECT 1 FROM journal WHERE journal.saga = saga.id AND (journal.at > ?1 OR journal.at < 0 AND ?1 < 0x7fffffffffffffff)) ORDER BY id";
    source
        .connection
        .prepare_cached(SQL)
        .and_then(|mut sql| sql.query_map([ordered(now.0)], |row| row.get(0))?.collect())
        .map_err(|error| unavailable(&error))
}

pub(super) fn lengths(source: &mut Source, ids: &[Arc<str>]) -> Result<Lengths, StoreError> {
    const SQL: &str = "SELECT (SELECT coalesce(max(seq), 0) FROM journal WHERE journal.saga = saga.id) FROM saga WHERE name = ?1";
    let read = |source: &mut Source| -> rusqlite::Result<Lengths> {
        let mut sql = source.connection.prepare_cached(SQL)?;
        let mut lengths = Vec::new();
        for id in ids {
            let length: Option<i64> = sql.query_row([id], |row| row.get(0)).optional()?;
            lengths.extend(length.map(|length| (Arc::clone(id), number(length))));
        }
        Ok(lengths)
    };
    read(source).map_err(|error| unavailable(&error))
}

/// What the store keeps of itself under this name.
fn meta(source: &Source, name: &str) -> Result<Option<String>, StoreError> {
    const SQL: &str = "SELECT value FROM meta WHERE name = ?1";
    let kept = source.connection.prepare_cached(SQL).and_then(|mut sql| sql.query_row([name], |row| row.get(0)).optional());
    kept.map_err(|error| unavailable(&error))
}

pub(super) fn judge_time(source: &mut Source, mark: &ClockMark, error_ms: u64) -> Result<(ClockVerdict, Time), StoreError> {
    let kept = meta(source, "clock")?;
    Ok(judge(kept.as_deref().and_then(ClockMark::read).as_ref(), mark, error_ms))
}

/// What cannot be read is as good as nothing.
pub(super) fn at_hand(source: &mut Source) -> Result<Vec<Arc<str>>, StoreError> {
    let kept = meta(source, "at_hand")?;
    let texts: Vec<String> = kept.and_then(|kept| serde_json::from_str(&kept).ok()).unwrap_or_default();
    Ok(texts.into_iter().map(Arc::from).collect())
}

pub(super) fn seen(source: &mut Source) -> Result<Vec<Seen>, StoreError> {
    let read = |source: &mut Source| -> rusqlite::Result<Vec<Seen>> {
        // One transaction, so that both tables are of the same moment.
        let transaction = source.connection.transaction()?;
        let mut of_participants = transaction.prepare_cached("SELECT base, incarnation, seq FROM participant ORDER BY base")?;
        let mut rows = of_participants.query([])?;
        let mut seen = Vec::new();
        while let Some(row) = rows.next()? {
            let (participant, incarnation): (_, String) = (row.get(0)?, row.get(1)?);
            let shown = transaction.prepare_cached(TIPS)?.query_map([&incarnation], tip)?.collect::<rusqlite::Result<_>>()?;
            seen.push(Seen { participant, incarnation, seq: number(row.get(2)?), shown, named: Vec::new() });
        }
        Ok(seen)
    };
    read(source).map_err(|error| unavailable(&error))
}

/// What was seen of one incarnation.
pub(super) const TIPS: &str = "SELECT key, seq, mark, opening FROM seen WHERE incarnation = ?1";

/// A row of it.
pub(super) fn tip(row: &Row<'_>) -> rusqlite::Result<Tip> {
    let change = Change { number: number(row.get(1)?), mark: row.get(2)? };
    Ok(Tip { sighting: Sighting { key: row.get(0)?, change }, opening: row.get(3)? })
}

pub(super) fn offers(source: &mut Source) -> Result<Vec<Offer>, StoreError> {
    let read = |row: &Row<'_>| {
        let (seq, at) = (number(row.get(2)?), Time(number(row.get(3)?)));
        Ok(Offer { participant: row.get(0)?, incarnation: row.get(1)?, seq, at })
    };
    // An older store that is only read lacks the table.
    if !has_table(&source.connection, "offered").map_err(|error| unavailable(&error))? {
        return Ok(Vec::new());
    }
    source
        .connection
        .prepare_cached("SELECT base, incarnation, seq, at FROM offered ORDER BY base")
        .and_then(|mut sql| sql.query_map([], read)?.collect())
        .map_err(|error| unavailable(&error))
}

pub(super) fn acceptances(source: &mut Source) -> Result<Vec<Acceptance>, StoreError> {
    let read = |row: &Row<'_>| {
        Ok(Acceptance {
            participant: row.get(0)?,
            incarnation: row.get(1)?,
            former: row.get(2)?,
            seq: number(row.get(3)?),
            at: Time(number(row.get(4)?)),
            by: row.get(5)?,
            why: row.get(6)?,
        })
    };
    if !has_table(&source.connection, "accepted").map_err(|error| unavailable(&error))? {
        return Ok(Vec::new());
    }
    source
        .connection
        .prepare_cached("SELECT base, incarnation, former, seq, at, by, why FROM accepted ORDER BY base, nth")
        .and_then(|mut sql| sql.query_map([], read)?.collect())
        .map_err(|error| unavailable(&error))
}
