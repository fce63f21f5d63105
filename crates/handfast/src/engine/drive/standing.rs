//! Says how a saga stands, and when a person is needed: to the log, to the callers that wait, and to the counts.

use std::sync::Arc;

use handfast_protocol::{Command, Evidence, Time};

use super::Driver;
use crate::delivery::Link;
use crate::engine::handle::{Progress, describe, describe_unconfirmed};
use crate::engine::journaled::Journaled;
use crate::engine::observe::Happened;
use crate::engine::shared::Shared;
use crate::participant::Reply;

/// Names a saga that rests on answers which were not confirmed after a restore, for as long as it does.
pub(super) fn name_unconfirmed(shared: &Shared, saga: &Journaled) {
    match describe_unconfirmed(saga) {
        None => shared.attention.unconfirmed.remove(saga.id()),
        Some(why) if shared.attention.unconfirmed.add(saga.id(), &why) => {
            let message =
                "a saga rests on what no participant has confirmed; it is read again, and nothing irrevocable leaves meanwhile";
            tracing::warn!(name: "saga_unconfirmed", saga = %saga.id(), why, "{message}");
        }
        Some(_) => {}
    }
}

/// Tells the observer how a saga has ended, if it has. That is told when it is decided, also of one that is watched from then on.
pub(super) fn tell_end(shared: &Shared, saga: &Journaled) {
    let Some(outcome) = saga.decision() else { return };
    let (saga, flow) = (&**saga.id(), saga.definition().flow().name());
    shared.tally.ended(flow, outcome);
    shared.observer.tell(&Happened::Ended { saga, flow, outcome });
}

/// What came of a request, until it can be told: once what it means is in the journal.
pub(super) struct Tried {
    line: Arc<Link>,
    command: Command,
    reply: Reply,
    took_ms: u64,
}

impl Driver<'_> {
    /// Says what has changed since it was last said.
    pub(super) fn say_how_it_stands(&mut self) {
        name_unconfirmed(self.shared, &self.saga);
        // A saga that had ended stays ended, but a promise that was broken afterwards is for a person all the same.
        let evidence = self.saga.coordinator().evidence().filter(|_| self.saga.needs_person());
        let is_news = std::mem::replace(&mut self.told_evidence, evidence) != evidence;
        if let Some(evidence) = evidence {
            let reason = describe(&self.saga, evidence);
            // The list names no more than a person can read; the log tells of each.
            let is_new_to_list = self.shared.attention.suspended.add(self.saga.id(), &reason);
            if is_news {
                self.shared.tally.person_needed(self.saga.definition().flow(), evidence);
            }
            if is_news || is_new_to_list {
                let what = match evidence {
                    Evidence::Contradiction { .. } => "a participant contradicted itself",
                    Evidence::UndoFailed { .. } => "an undo has failed",
                    Evidence::RefusedForGood { .. } => "what was decided cannot be brought to its end",
                    Evidence::Moved { .. } => "a step is not known where its service has moved to",
                    Evidence::OutOfReach { .. } => "a person has to find out what became of it",
                    Evidence::LateEffect { .. } | Evidence::RefusedClose { .. } => "a participant broke its promise",
                    Evidence::NotFound { .. } => "what was done is not found any more",
                    Evidence::OtherValues { .. } => "a participant did something else than it was asked for",
                };
                tracing::error!(name: "person_needed", saga = %self.saga.id(), reason, "{what}");
            }
        } else {
            self.shared.attention.suspended.remove(self.saga.id());
        }
        let standing = self.saga.standing();
        if self.told != Some(standing) {
            self.shared.count(self.told, standing);
            self.told = Some(standing);
            self.shared.followers.publish(self.saga.id(), Progress::of(&self.saga));
        }
        if self.saga.decision().is_some() && !std::mem::replace(&mut self.was_end_told, true) {
            tell_end(self.shared, &self.saga);
        }
    }

    /// Takes note of what came of a request.
    pub(super) fn note_try(&mut self, line: &Arc<Link>, command: Command, reply: &Reply, sent: Time) {
        let took_ms = self.shared.journal_now().0.saturating_sub(sent.0);
        self.tried = Some(Tried { line: Arc::clone(line), command, reply: reply.clone(), took_ms });
    }

    /// Tells the observer what came of a request: what follows from it is durable, or nothing does.
    pub(super) fn tell_try(&mut self) {
        let Some(Tried { line, command, reply, took_ms }) = self.tried.take() else { return };
        let flow = self.saga.definition().flow();
        let step = flow.steps().get(command.step).map_or("?", |step| step.name.as_str());
        let (saga, operation, reply) = (&**self.saga.id(), command.operation, &reply);
        let (flow, participant) = (flow.name(), line.name());
        self.shared.observer.tell(&Happened::Tried { saga, flow, step, participant, operation, reply, took_ms });
    }
}
