//! One request to one register, inside the transaction that the writer has begun.

use std::panic::{AssertUnwindSafe, catch_unwind};

use handfast_protocol::{Answer, Change, Changes, Definite, Deployed, Effect, Register, Request as Asked, Time, is_behind};
use rusqlite::Connection;

use super::Request;
use super::rows::{self, RegisterRow};
use crate::body::BodyHash;
use crate::key::{Key, Mark, Position, Seen};
use crate::receipt::Reply;
use crate::service::{Acted, Reverted, Service, ServiceError};

/// What a request met that is worth counting.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Met {
    /// An act that had been acted on (or refused) before.
    DuplicateAct,
    /// A request for another body than the register's.
    OtherBody,
    /// A sender that has seen more than this store knows.
    Behind,
}

impl Met {
    /// Its row in the table `counter`.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::DuplicateAct => "duplicate_act",
            Self::OtherBody => "other_body",
            Self::Behind => "behind",
        }
    }
}

/// What came of one request.
pub(super) struct Stepped {
    pub(super) reply: Reply,
    pub(super) met: Option<Met>,
    /// Whether anything was written.
    pub(super) wrote: bool,
}

/// Whether the store has forgotten something that its caller saw. Either the number says so, or a change that it cannot confirm.
fn has_forgotten(connection: &Connection, position: &Position, seen: &Seen) -> Result<bool, rusqlite::Error> {
    if position.is_behind(&seen.position) {
        return Ok(true);
    }
    is_behind::<Deployed, _, _, _>(&seen.changes, position.seq, |key| {
        Ok(rows::register(connection, key)?.map_or_else(Changes::default, |row| row.changes()))
    })
}

/// Reads one key in a snapshot.
pub(super) fn peek(snapshot: &Connection, key: Key, seen: Option<&Seen>, opening: Mark) -> Result<Reply, rusqlite::Error> {
    let position = rows::position(snapshot)?;
    if let Some(seen) = seen
        && has_forgotten(snapshot, &position, seen)?
    {
        return Ok(Reply::Behind(position));
    }
    Ok(match rows::register(snapshot, &key)? {
        Some(row) => Reply::State(row.into_receipt(key, position.incarnation, opening)),
        None => Reply::Absent(position),
    })
}

/// The service's part of a step, and what it said about it.
struct Effects<'a> {
    transaction: &'a Connection,
    service: &'a dyn Service,
    key: &'a Key,
    request: &'a Request,
    now: Time,
    detail: Option<String>,
}

impl Effects<'_> {
    fn perform(&mut self, effect: Effect) -> Result<bool, ServiceError> {
        match effect {
            Effect::Act => match self.act()? {
                Acted::Done => Ok(true),
                Acted::Refused { detail } => {
                    self.detail = Some(detail);
                    Ok(false)
                }
            },
            Effect::Undo => match self.service.undo(self.transaction, self.key, self.now)? {
                Reverted::Undone => Ok(true),
                Reverted::Irrevocable => Ok(false),
            },
        }
    }

    /// A refusal takes back whatever was written on the way to it.
    fn act(&self) -> Result<Acted, ServiceError> {
        let (body, is_own) = match self.request {
            Request::Act { body, .. } => (body.value(), false),
            Request::Own { body } => (body.value(), true),
            Request::Close { .. } | Request::Undo { .. } => (None, false),
        };
        let Some(body) = body else { return Ok(Acted::refused("body_unreadable")) };
        execute(self.transaction, "SAVEPOINT effect")?;
        let acted = if is_own {
            self.service.act_own(self.transaction, self.key, body, self.now)?
        } else {
            self.service.act(self.transaction, self.key, body, self.now)?
        };
        if matches!(acted, Acted::Refused { .. }) {
            execute(self.transaction, "ROLLBACK TO effect")?;
        }
        execute(self.transaction, "RELEASE effect")?;
        Ok(acted)
    }
}

pub(super) fn execute(connection: &Connection, statement: &str) -> Result<(), rusqlite::Error> {
    connection.prepare_cached(statement)?.execute([]).map(drop)
}

/// Takes one request to its register. An error means that the caller has to roll back to where it was.
pub(super) fn step(
    transaction: &Connection,
    service: &dyn Service,
    (position, opening): (&mut Position, &Mark),
    now: Time,
    (key, request, seen): (&Key, &Request, Option<&Seen>),
) -> Result<Stepped, ServiceError> {
    if let Some(seen) = seen
        && has_forgotten(transaction, position, seen)?
    {
        return Ok(Stepped { reply: Reply::Behind(position.clone()), met: Some(Met::Behind), wrote: false });
    }
    let stored = rows::register(transaction, key)?;
    let before = stored.as_ref().map(|row| row.state);
    let mut register = Register::<BodyHash>::stored(before, stored.as_ref().and_then(|row| row.body_hash));
    let asked = asked(request, now);
    let mut effects = Effects { transaction, service, key, request, now, detail: None };
    // A service that panics at one body must not take everybody else's answers with it.
    let answer = catch_unwind(AssertUnwindSafe(|| register.receive(asked, |effect| effects.perform(effect))))
        .map_err(|_| ServiceError::from("the service panicked"))??;
    let detail = effects.detail;

    let row = match (register.peek(), stored) {
        (Some(state), Some(row)) if state == row.state => row,
        (Some(state), stored) => {
            position.seq += 1;
            let changes = stored.map_or_else(Changes::default, |row| row.changes());
            let change = Change { number: position.seq, mark: Mark::draw() };
            let first = changes.then::<Deployed>(change.clone()).first;
            let expired = state == Definite::Closed && matches!(asked, Asked::Act { .. });
            let detail = if expired { Some("expired".to_owned()) } else { detail };
            let row = RegisterRow { state, body_hash: register.body().copied(), change, first, at: now, detail };
            rows::set_register(transaction, key, &row)?;
            row
        }
        (None, _) => return Err("a request left its register absent".into()),
    };
    let changed = before != Some(row.state);
    let late = matches!(asked, Asked::Act { .. }) && matches!(before, Some(Definite::Closed | Definite::Undone));
    if late {
        rows::note_late_act(transaction, key, now)?;
    }
    let receipt = row.into_receipt(key.clone(), position.incarnation.clone(), opening.clone());
    let (reply, met) = match answer {
        Answer::State(_) => {
            let again = matches!(asked, Asked::Act { .. }) && !changed && !late;
            (Reply::State(receipt), again.then_some(Met::DuplicateAct))
        }
        Answer::OtherBody => (Reply::OtherBody(receipt), Some(Met::OtherBody)),
    };
    Ok(Stepped { reply, met, wrote: changed || late })
}

fn asked(request: &Request, now: Time) -> Asked<BodyHash> {
    match request {
        Request::Act { body, not_after } => {
            Asked::Act { body: body.hash(), expired: not_after.is_some_and(|not_after| now > not_after) }
        }
        Request::Own { body } => Asked::Act { body: body.hash(), expired: false },
        Request::Close { body } => Asked::Close { body: *body },
        Request::Undo { body } => Asked::Undo { body: *body },
    }
}
