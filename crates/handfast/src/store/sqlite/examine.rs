//! Looks through a whole file: its pages, its tables, what it says of itself, and rows that belong to no saga.

use rusqlite::{Connection, Row};
use sha2::{Digest as _, Sha256};

use super::lists::miscounted;
use super::open::{NO_NAME, PUT_BACK, empty_of, found_format};
use super::queries::has_table;
use super::reader::Source;
use super::shape::{number, ordered, unavailable, words};
use crate::store::{ClockMark, Damage, Examined, StoreError, TRIES_KEPT, is_store_id};

/// How many rows of one kind are told one by one. The others are counted only where they are not the last thing that is wrong.
const MOST_OF_A_KIND: usize = 100;

/// Where a row is of a saga that is not there.
const ORPHANS: [(&str, &str); 5] = [
    ("placed", "an order"),
    ("journal", "a journal"),
    ("adopted", "what a person let a saga follow"),
    ("try", "tries"),
    ("request", "the key of a request"),
];

pub(super) fn examine(source: &mut Source) -> Result<Examined, StoreError> {
    let connection = &source.connection;
    let format = found_format(connection).map_err(|error| unavailable(&error))?;
    let mut examined = Examined { format: format.unsigned_abs(), generation: 0, sagas: 0, damage: Vec::new() };
    let damage = &mut examined.damage;
    let pages = integrity(connection).map_err(|error| unavailable(&error))?;
    damage.extend(pages.into_iter().map(|what| Damage::of_file(what, PUT_BACK)));
    let mut look = |what: &str, found: rusqlite::Result<Vec<Damage>>| match found {
        Ok(found) => damage.extend(found),
        Err(error) => damage.push(Damage::of_file(format!("{what} cannot be read: {}", words(&error)), PUT_BACK)),
    };
    look("its schema", schema(connection, format));
    look("`meta`", meta(connection));
    look("`flow`", flows(connection));
    for (table, holds) in ORPHANS {
        look(&format!("`{table}`"), orphans(connection, table, holds));
    }
    for (table, is_wrong, what) in ODD_ROWS {
        look(&format!("`{table}`"), odd_rows(connection, table, is_wrong, what));
    }
    look(
        "`counted`",
        miscounted(connection).map(|what| what.into_iter().map(|what| Damage::of_file(what, COUNT_AGAIN)).collect()),
    );
    let generation = connection.pragma_query_value(None, "user_version", |row| row.get(0));
    examined.generation = generation.map_err(|error| unavailable(&error))?;
    // What cannot be counted is told above.
    examined.sagas = connection.query_row("SELECT count(*) FROM saga", [], |row| row.get(0)).map_or(0, number);
    Ok(examined)
}

/// The names of sagas by their numbers, after the one given, and the number of the last. Nothing but `saga` is read.
pub(super) fn names(source: &mut Source, after: i64, limit: usize) -> Result<(Vec<String>, Option<i64>), StoreError> {
    let read = || -> rusqlite::Result<Vec<(i64, String)>> {
        let mut sql = source.connection.prepare_cached("SELECT id, name FROM saga WHERE id > ?1 ORDER BY id LIMIT ?2")?;
        sql.query_map((after, ordered(limit as u64)), |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    };
    let found = read().map_err(|error| unavailable(&error))?;
    let last = found.last().map(|(id, _)| *id);
    Ok((found.into_iter().map(|(_, name)| name).collect(), last))
}

/// What the database finds wrong with the pages of the file.
pub(super) fn integrity(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let found: rusqlite::Result<Vec<String>> =
        connection.prepare("PRAGMA integrity_check")?.query_map([], |row| row.get(0))?.collect();
    match found {
        Ok(lines) => Ok(lines.into_iter().filter(|line| line != "ok").collect()),
        // It ends where it cannot read on, which is a finding as well.
        Err(error) => Ok(vec![words(&error)]),
    }
}

const COUNT_AGAIN: &str = "stop what drives the store, and let `sqlite3` do: DELETE FROM counted; INSERT INTO counted (standing, sagas) \
                           SELECT standing, count(*) FROM saga GROUP BY standing";

/// Tables, indexes and triggers as the format has them. Whatever a person has added beside them is left alone, but for a trigger,
/// which changes what is written.
fn schema(connection: &Connection, format: i32) -> rusqlite::Result<Vec<Damage>> {
    let expected = objects(&empty_of(format)?)?;
    let found = objects(connection)?;
    let differs = expected.iter().filter_map(|object @ (kind, name, _)| {
        let there = found.iter().find(|(of, called, _)| (of, called) == (kind, name));
        let what = match there {
            None => format!("its {kind} `{name}` is missing"),
            Some(there) if there != object => format!("its {kind} `{name}` is not the one of format {format}"),
            Some(_) => return None,
        };
        Some(Damage::of_file(what, PUT_BACK))
    });
    let foreign = found.iter().filter(|(kind, name, _)| kind == "trigger" && !expected.iter().any(|(_, known, _)| known == name));
    let foreign = foreign.map(|(_, name, _)| {
        Damage::of_file(
            format!("it has a trigger `{name}`, which changes what is written and is none of its own"),
            format!("find out who made it, and let `sqlite3` do: DROP TRIGGER \"{name}\""),
        )
    });
    Ok(differs.chain(foreign).collect())
}

/// Kind, name and definition, in which nothing is different but where it breaks its lines.
fn objects(connection: &Connection) -> rusqlite::Result<Vec<(String, String, String)>> {
    const SQL: &str = "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' \
         AND name <> 'refinery_schema_history' ORDER BY type, name";
    let one_line = |sql: String| sql.split_whitespace().collect::<Vec<_>>().join(" ");
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, one_line(row.get(2)?)));
    connection.prepare(SQL)?.query_map([], read)?.collect()
}

/// What the store says of itself.
fn meta(connection: &Connection) -> rusqlite::Result<Vec<Damage>> {
    let value = |name: &str| -> rusqlite::Result<Option<String>> {
        let mut sql = connection.prepare_cached("SELECT value FROM meta WHERE name = ?1")?;
        let mut values = sql.query_map([name], |row| row.get(0))?;
        values.next().transpose()
    };
    let mut found = Vec::new();
    const FROM_BACKUP: &str = "take it from a backup of this store: the row of `meta` whose `name` is store_id";
    match value("store_id")? {
        None => found.push(Damage::of_file(NO_NAME, FROM_BACKUP)),
        Some(id) if !is_store_id(&id) => {
            let what = format!("the `store_id` in `meta`, from which every key is made, cannot be {id:?}");
            found.push(Damage::of_file(what, FROM_BACKUP));
        }
        Some(_) => {}
    }
    if value("clock")?.is_some_and(|clock| ClockMark::read(&clock).is_none()) {
        let what = "the `clock` in `meta` cannot be read, so that the time of its journals counts for nothing";
        found.push(Damage::of_file(
            what,
            "take it from a backup, or make sure that the machine's clock is right before it is driven",
        ));
    }
    if value("backup")?.is_some_and(|backup| backup.parse::<i64>().is_err()) {
        let what = "the `backup` in `meta`, which says up to which saga journals may have forgotten something, is no number";
        found.push(Damage::of_file(
            what,
            "let `sqlite3` do: UPDATE meta SET value = (SELECT max(id) FROM saga) WHERE name = 'backup'",
        ));
    }
    let is_list = |text: String| serde_json::from_str::<Vec<String>>(&text).is_ok();
    if value("at_hand")?.is_some_and(|at_hand| !is_list(at_hand)) {
        let what = "the `at_hand` in `meta` is no list of definitions";
        found.push(Damage::of_file(what, "start what drives the store once: it writes it anew"));
    }
    Ok(found)
}

/// Definitions that are not what was written.
fn flows(connection: &Connection) -> rusqlite::Result<Vec<Damage>> {
    let mut sql = connection.prepare("SELECT hex(hash), hash, text FROM flow ORDER BY hash")?;
    let mut rows = sql.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (hex, hash, text): (String, Vec<u8>, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if Sha256::digest(text.as_bytes())[..] != hash[..] && found.len() < MOST_OF_A_KIND {
            let what =
                format!("the definition {} in `flow` is not what was written (the hash differs)", hex.to_ascii_lowercase());
            found.push(Damage::of_file(what, PUT_BACK));
        }
    }
    Ok(found)
}

/// Rows of a table whose saga is not there. They are read in the order of the table, so nothing is sorted or kept.
fn orphans(connection: &Connection, table: &str, holds: &str) -> rusqlite::Result<Vec<Damage>> {
    if !has_table(connection, table)? {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT saga, count(*) FROM {table} WHERE NOT EXISTS (SELECT 1 FROM saga WHERE saga.id = {table}.saga) \
         GROUP BY saga LIMIT {MOST_OF_A_KIND}"
    );
    let told = |row: &Row<'_>| {
        let (saga, rows): (i64, i64) = (row.get(0)?, row.get(1)?);
        let rows = if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") };
        let what = format!("`{table}` has {rows} of a saga number {saga} that is not in `saga`: {holds} without its saga");
        Ok(Damage::of_file(what, "what was placed under that number is never driven: put its row in `saga` back from a backup"))
    };
    connection.prepare(&sql)?.query_map([], told)?.collect()
}

/// What no row of a table can be: the table, the condition, and what is wrong then.
const ODD_ROWS: [(&str, &str, &str); 10] = [
    ("saga", "id < 1", "a row is numbered below 1, so that no list shows it"),
    ("saga", "wake_at < 0", "a row has a negative `wake_at`, so that no saga is found to be due"),
    ("saga", "created < 0", "a row has a negative `created`"),
    ("request", "length(key_hash) <> 32", "a `key_hash` is no SHA-256, so that a repeated request is not known"),
    ("try", "slot <> nth % {tries}", "a try does not lie in its slot"),
    (
        "adopted",
        "nth <> (SELECT count(*) FROM adopted AS a WHERE a.saga = adopted.saga AND a.nth <= adopted.nth)",
        "a row's `nth` is not the next one",
    ),
    (
        "accepted",
        "nth <> (SELECT count(*) FROM accepted AS a WHERE a.base = accepted.base AND a.nth <= accepted.nth)",
        "a row's `nth` is not the next one",
    ),
    ("participant", "seq < 0", "a row has a negative `seq`"),
    ("offered", "seq < 0", "a row has a negative `seq`"),
    ("accepted", "seq < 0", "a row has a negative `seq`"),
];

fn odd_rows(connection: &Connection, table: &str, is_wrong: &str, what: &str) -> rusqlite::Result<Vec<Damage>> {
    if !has_table(connection, table)? {
        return Ok(Vec::new());
    }
    let is_wrong = is_wrong.replace("{tries}", &TRIES_KEPT.to_string());
    let rows: i64 = connection.query_row(&format!("SELECT count(*) FROM {table} WHERE {is_wrong}"), [], |row| row.get(0))?;
    if rows == 0 {
        return Ok(Vec::new());
    }
    let which = format!("`sqlite3` shows them: SELECT * FROM {table} WHERE {is_wrong}; {PUT_BACK}");
    Ok(vec![Damage::of_file(format!("`{table}`: {what} ({rows} of them)"), which)])
}
