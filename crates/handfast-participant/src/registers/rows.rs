//! The rows of a store, as SQL: its position, its registers, what it has met.

use handfast_protocol::{Change, Changes, Definite, Time};
use rusqlite::types::Type;
use rusqlite::{Connection, Error, OptionalExtension as _, Row};

use crate::body::BodyHash;
use crate::key::{Incarnation, Key, Mark, Position};
use crate::receipt::Receipt;

/// The row of one register.
pub(super) struct RegisterRow {
    pub(super) state: Definite,
    pub(super) body_hash: Option<BodyHash>,
    /// The change that made it what it is.
    pub(super) change: Change<Mark>,
    /// The change before that one, if there was one.
    pub(super) first: Option<Change<Mark>>,
    pub(super) at: Time,
    pub(super) detail: Option<String>,
}

impl RegisterRow {
    fn read(row: &Row<'_>) -> Result<Self, Error> {
        let state: String = row.get("state")?;
        let state = Definite::from_name(&state).ok_or_else(|| unreadable("state", format!("`{state}` is no state")))?;
        let body_hash: Option<String> = row.get("body_hash")?;
        let body_hash = body_hash.map(|text| text.parse().map_err(|error| unreadable("body_hash", error))).transpose()?;
        let change = Change { number: unsigned(row, "seq")?, mark: Mark::stored(row.get("mark")?) };
        let first_mark: Option<String> = row.get("first_mark")?;
        let first =
            first_mark.map(|mark| Ok::<_, Error>(Change { number: unsigned(row, "first_seq")?, mark: Mark::stored(mark) }));
        let at = Time(unsigned(row, "at")?);
        Ok(Self { state, body_hash, change, first: first.transpose()?, at, detail: row.get("detail")? })
    }

    /// The changes that the register keeps.
    pub(super) fn changes(&self) -> Changes<Mark> {
        Changes { first: self.first.clone(), last: Some(self.change.clone()) }
    }

    /// What the row says on the wire.
    pub(super) fn into_receipt(self, key: Key, incarnation: Incarnation, opening: Mark) -> Receipt {
        let Self { state, body_hash, change: Change { number, mark }, first: _, at, detail } = self;
        Receipt { key, state, body_hash, seq: number, incarnation, mark, opening, at, detail }
    }
}

/// SQLite's integers are signed; a negative one where we never write one is damage, not a number.
fn unsigned(row: &Row<'_>, column: &str) -> Result<u64, Error> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|error| unreadable(column, error))
}

fn signed(value: u64) -> Result<i64, Error> {
    i64::try_from(value).map_err(|error| Error::ToSqlConversionFailure(error.into()))
}

fn unreadable(column: &str, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    let error = format!("the column `{column}` is damaged: {}", error.into());
    Error::FromSqlConversionFailure(0, Type::Null, error.into())
}

pub(super) fn position(connection: &Connection) -> Result<Position, Error> {
    connection.prepare_cached("SELECT incarnation, seq FROM store")?.query_row([], |row| {
        Ok(Position { incarnation: Incarnation::stored(row.get("incarnation")?), seq: unsigned(row, "seq")? })
    })
}

pub(super) fn set_position(connection: &Connection, position: &Position) -> Result<(), Error> {
    connection
        .prepare_cached("UPDATE store SET incarnation = ?1, seq = ?2")?
        .execute((position.incarnation.as_str(), signed(position.seq)?))?;
    Ok(())
}

pub(super) fn register(connection: &Connection, key: &Key) -> Result<Option<RegisterRow>, Error> {
    connection
        .prepare_cached("SELECT state, body_hash, seq, mark, first_seq, first_mark, at, detail FROM register WHERE key = ?1")?
        .query_row([key.as_str()], RegisterRow::read)
        .optional()
}

pub(super) fn set_register(connection: &Connection, key: &Key, row: &RegisterRow) -> Result<(), Error> {
    connection
        .prepare_cached(
            "INSERT INTO register (key, state, body_hash, seq, mark, first_seq, first_mark, at, detail)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (key) DO UPDATE SET
                 state = excluded.state, body_hash = excluded.body_hash, seq = excluded.seq, mark = excluded.mark,
                 first_seq = excluded.first_seq, first_mark = excluded.first_mark, at = excluded.at, detail = excluded.detail",
        )?
        .execute((
            key.as_str(),
            row.state.name(),
            row.body_hash.map(|hash| hash.to_string()),
            signed(row.change.number)?,
            row.change.mark.as_str(),
            row.first.as_ref().map(|first| signed(first.number)).transpose()?,
            row.first.as_ref().map(|first| first.mark.as_str()),
            signed(row.at.0)?,
            row.detail.as_deref(),
        ))?;
    Ok(())
}

pub(super) fn note_late_act(connection: &Connection, key: &Key, now: Time) -> Result<(), Error> {
    connection
        .prepare_cached(
            "INSERT INTO late_act (key, at, times) VALUES (?1, ?2, 1) ON CONFLICT (key) DO UPDATE SET times = times + 1",
        )?
        .execute((key.as_str(), signed(now.0)?))?;
    Ok(())
}

/// Counts an opening of the store.
pub(super) fn note_start(connection: &Connection) -> Result<(), Error> {
    count(connection, STARTS, 1)
}

/// Keeps that the store was declared restored at this start. Says whether it was at the one before, too.
pub(super) fn declared_at_last_start(connection: &Connection) -> Result<bool, Error> {
    let times = |name: &str| {
        let mut found = connection.prepare_cached("SELECT times FROM counter WHERE name = ?1")?;
        found.query_row([name], |row| row.get::<_, i64>(0)).optional()
    };
    let starts = times(STARTS)?.unwrap_or(0);
    let before = times(DECLARED)?;
    connection
        .prepare_cached(
            "INSERT INTO counter (name, times) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET times = excluded.times",
        )?
        .execute((DECLARED, starts))?;
    Ok(before.is_some_and(|before| before + 1 == starts))
}

/// How often the store was opened.
const STARTS: &str = "start";
/// At which opening it was declared restored last.
const DECLARED: &str = "declared_at_start";

pub(super) fn count(connection: &Connection, name: &str, times: u64) -> Result<(), Error> {
    connection
        .prepare_cached(
            "INSERT INTO counter (name, times) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET times = times + excluded.times",
        )?
        .execute((name, signed(times)?))?;
    Ok(())
}
