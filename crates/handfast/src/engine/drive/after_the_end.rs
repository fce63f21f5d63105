//! Looks that hints lead to once nothing is asked for any more: one a hint and step, and what it finds is told like any other.

use std::collections::BTreeSet;

use handfast_protocol::{Command, Operation, Outcome, Standing, Time};

use super::Driver;
use crate::clock::whole_ms;

/// A look whose line stays shut for longer than this, in milliseconds, is not waited for.
const LONGEST_WAIT_MS: u64 = 5_000;

impl Driver<'_> {
    /// Takes note of hints about steps of a saga that has ended, or waits for a person. Nothing is promised of a saga that a
    /// person has settled, so hints about one are ignored.
    pub(super) fn note_hints_after_the_end(&mut self, names: &BTreeSet<Box<str>>) {
        let is_over = matches!(self.saga.decision(), Some(Outcome::Completed | Outcome::Cancelled))
            || self.saga.standing() == Standing::Suspended;
        if !is_over {
            return;
        }
        let now = self.shared.now();
        let steps = self.saga.definition().flow().steps();
        let is_wanted = |step: usize| self.saga.outbox().iter().any(|command| command.step == step);
        let was_asked = |step: usize| self.saga.coordinator().step_state(step).0.is_some();
        for (step, of_flow) in steps.iter().enumerate() {
            let can_be_looked_at =
                of_flow.http.as_ref().is_none_or(|it| it.call(Operation::Look).is_some() || it.undo_peek().is_some());
            if names.contains(of_flow.name.as_str()) && can_be_looked_at && was_asked(step) && !is_wanted(step) {
                // It has to leave after what was written last, to be news.
                let last = self.shared.looked_after_the_end(self.saga.id(), step);
                let may_leave = last.map_or(now, |last| last.after(whole_ms(self.shared.options.hint_pause)));
                self.looks_after.entry(step).or_insert(may_leave.max(now.after(2)));
            }
        }
    }

    /// Sends those whose time has come, and says when the next one comes.
    pub(super) async fn launch_looks_after_the_end(&mut self, now: Time) -> Option<Time> {
        for (step, may_leave) in self.looks_after.clone() {
            let command = Command { step, operation: Operation::Look };
            if may_leave > now || self.calls.has(command) {
                continue;
            }
            let at = self.turn_of(command, now);
            if at > now && at <= now.after(LONGEST_WAIT_MS) {
                self.looks_after.insert(step, at);
                continue;
            }
            self.looks_after.remove(&step);
            if at > now {
                continue;
            }
            self.shared.note_look_after_the_end(self.saga.id(), step, now);
            let number = self.begin(step, now).await;
            self.looks_out.insert(step);
            let setting = self.setting();
            self.calls.launch(&self.saga, command, number, setting);
        }
        self.looks_after.values().min().copied()
    }
}
