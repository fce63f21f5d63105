//! What the registers of a store have come to, counted for people and tests.

use rusqlite::{Connection, Error};
use serde::Serialize;

use super::rows;

/// The registers at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct Overview {
    /// Whose store it is.
    pub service: String,
    /// Which life of it.
    pub incarnation: String,
    /// How many changes it has seen.
    pub seq: u64,
    /// How many keys are in which state.
    pub states: States,
    /// Keys at which an act arrived after they were closed or undone.
    pub late_acts: u64,
    /// Of these, keys that had been closed: effects that would have happened after everybody took them for cancelled.
    pub late_acts_at_closed_keys: u64,
    /// Acts that came again after they were done or refused. A kill forgets what was counted since the last commit.
    pub duplicate_acts: u64,
}

/// How many keys are in which state.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct States {
    /// The effect happened.
    pub done: u64,
    /// The service declined.
    pub refused: u64,
    /// Closed before anything happened.
    pub closed: u64,
    /// The effect happened and was undone.
    pub undone: u64,
}

impl Overview {
    /// Counts the registers in a snapshot of a store.
    ///
    /// # Errors
    /// What the database said.
    pub fn read(snapshot: &Connection) -> Result<Self, Error> {
        let number = |query: &str| snapshot.query_row(query, [], |row| row.get::<_, u32>(0)).map(u64::from);
        let position = rows::position(snapshot)?;
        let in_state = |state: &str| {
            snapshot
                .query_row("SELECT count(*) FROM register WHERE state = ?1", [state], |row| row.get::<_, u32>(0))
                .map(u64::from)
        };
        Ok(Self {
            service: snapshot.query_row("SELECT service FROM store", [], |row| row.get(0))?,
            incarnation: position.incarnation.to_string(),
            seq: position.seq,
            states: States {
                done: in_state("done")?,
                refused: in_state("refused")?,
                closed: in_state("closed")?,
                undone: in_state("undone")?,
            },
            late_acts: number("SELECT count(*) FROM late_act")?,
            late_acts_at_closed_keys: number(
                "SELECT count(*) FROM late_act JOIN register USING (key) WHERE register.state = 'closed'",
            )?,
            duplicate_acts: number("SELECT coalesce(sum(times), 0) FROM counter WHERE name = 'duplicate_act'")?,
        })
    }
}
