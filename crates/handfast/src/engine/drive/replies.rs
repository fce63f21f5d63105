//! What came of a request: tells the coordinator what an answer proves, and everything else to who paces and reports.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use handfast_protocol::{Answer, Command, Definite, Operation, Time, UndoTold};

use super::Driver;
use crate::delivery::{Class, Link, turns_away};
use crate::engine::lives;
use crate::journal::Line as JournalLine;
use crate::participant::{Heard, Reply};
use crate::store::{Seen, Sighting, Try};

impl Driver<'_> {
    /// Tells what came of a request, and how soon the next one follows it.
    pub(super) async fn take_reply(
        &mut self,
        line: &Arc<Link>,
        (command, number): (Command, u64),
        reply: Reply,
        (sent, named): (Time, Vec<Sighting>),
    ) -> ControlFlow<()> {
        let now = self.shared.now();
        self.note_try(line, command, &reply, sent);
        let follows = self.saga.definition().flow().hash();
        self.heard(command, number);
        let is_silent = matches!(reply, Reply::Unknown { heard, .. } if is_silent(heard));
        let shown = self.shown_by(line, command, &reply, named);
        // Until it is durable, or will not be.
        let room = shown.as_ref().map(|shown| line.reserve(shown));
        if lives::note_answer(self.shared, line, &reply, !matches!(room, Some(None))).await {
            self.shared.wake_early();
        }
        let seen = match reply {
            Reply::Definite { .. } if matches!(room, Some(None)) => {
                "an answer, but too many came at once to tell their histories apart; it is asked for again".to_owned()
            }
            Reply::Definite { answer, receipt } => {
                let entries = self.saga.entries();
                self.tell(&JournalLine::Answer { to: command, answer, receipt }, shown.clone()).await?;
                if let Some(shown) = shown.filter(|_| self.saga.entries() > entries) {
                    line.raise(&shown);
                }
                drop(room);
                if let Answer::State(found) = answer
                    && self.saga.definition().flow().hash() == follows
                {
                    self.tell_look(command, Some(found), sent).await?;
                }
                let is_looked_at = command.operation == Operation::Look;
                let is_wanted = |wanted: &Command| *wanted == command || is_looked_at && wanted.step == command.step;
                self.slow_down(command, now, self.saga.outbox().iter().any(is_wanted), false);
                return ControlFlow::Continue(());
            }
            Reply::Undo { told, receipt } => {
                // Only the engine writes that an undo was sent, before it leaves. A participant's reply that says so is
                // ignored.
                let is_told = told != UndoTold::Sent;
                if is_told && self.tell(&JournalLine::Undo { step: command.step, told, receipt }, None).await? {
                    self.slow_down(command, now, self.saga.outbox().contains(&command), false);
                    return ControlFlow::Continue(());
                }
                format!("the undo is {}", told.name())
            }
            Reply::Absent { seen, retry_after } => {
                self.heard_nothing_definite(line, command, None, retry_after);
                self.tell_look(command, None, sent).await?;
                seen
            }
            Reply::Mismatch { seen, in_effect, kept, retry_after } => {
                line.leave_alone((self.saga.id(), command), self.shared.now(), retry_after);
                self.tell(&JournalLine::Differs { to: command, in_effect, what: seen.clone(), kept }, None).await?;
                seen
            }
            Reply::Unknown { seen, heard, retry_after } => {
                self.heard_unknown(line, command, (heard, &seen), retry_after);
                seen
            }
            Reply::Behind { seq, incarnation } => lives::fell_behind(self.shared, line, (seq, &incarnation)).await,
        };
        self.tell_try();
        self.class = Class::Backlog;
        self.slow_down(command, now, true, is_silent);
        let id = self.saga.id().to_string();
        let operation = command.operation.name();
        let ended = self.shared.journal_now();
        self.shared.store.record_try(Try { id, step: command.step, operation, number, sent, ended, seen });
        ControlFlow::Continue(())
    }

    /// What an answer shows of its participant's store.
    fn shown_by(&self, line: &Link, command: Command, reply: &Reply, named: Vec<Sighting>) -> Option<Seen> {
        let Reply::Definite { receipt, .. } = reply else { return None };
        line.seen(&self.key(command.step), receipt, named)
    }

    /// What was heard means nothing, or nothing was heard.
    fn heard_unknown(&mut self, line: &Link, to: Command, (heard, seen): (Heard, &str), retry_after: Option<Duration>) {
        self.was_not_understood(to, !matches!(heard, Heard::NotSent | Heard::NoConnection));
        match heard {
            Heard::NotSent => line.not_made(to.operation, seen),
            Heard::NoConnection | Heard::Nothing => line.unanswered(self.shared.now()),
            Heard::Status(status) => self.heard_no_meaning(line, to, (status, seen), retry_after),
        }
    }

    /// An answer of this status came, and its content means nothing that the flow describes.
    fn heard_no_meaning(&self, line: &Link, to: Command, (status, seen): (u16, &str), retry_after: Option<Duration>) {
        line.not_understood(to.operation, status, seen);
        self.heard_nothing_definite(line, to, Some(status), retry_after);
    }

    /// An answer came that is not definite.
    fn heard_nothing_definite(&self, line: &Link, to: Command, status: Option<u16>, retry_after: Option<Duration>) {
        if line.indefinite((self.saga.id(), to), status, self.shared.now(), retry_after) {
            self.shared.wake_early();
        }
    }

    /// Tells what a look has found, and when it left: that is what it counts from.
    async fn tell_look(&mut self, command: Command, found: Option<Definite>, left: Time) -> ControlFlow<()> {
        if command.operation != Operation::Look {
            return ControlFlow::Continue(());
        }
        let ago_ms = self.shared.journal_now().0.saturating_sub(left.0);
        self.looked(command.step, Time(self.shared.now().0.saturating_sub(ago_ms)));
        let watch = self.saga.coordinator().watch_due(command.step);
        let left = watch.map_or(left, |due| self.shared.options.clock.waited(left, due.since));
        self.tell(&JournalLine::Looked { step: command.step, found, left }, None).await.map_continue(drop)
    }
}

/// Whether no answer came, or one that turns the request away: a gateway answers so for a participant that is down, and the
/// participant may be back at any moment.
const fn is_silent(heard: Heard) -> bool {
    match heard {
        Heard::NoConnection | Heard::Nothing => true,
        Heard::Status(status) => turns_away(status),
        Heard::NotSent => false,
    }
}
