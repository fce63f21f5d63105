//! When each command goes out: pauses between tries, lines that are shut, and hints that shorten a pause. Nothing in here
//! decides anything about a saga.

use handfast_protocol::{Command, Operation, Time};

use super::Driver;
use crate::clock::whole_ms;
use crate::delivery::{Admission, Backoff};
use crate::engine::hints;
use crate::engine::options::LONGEST_PARK;

/// When the command of one step goes out next.
#[derive(Clone, Copy, Default)]
pub(super) struct Pace {
    operation: Option<Operation>,
    /// Deliveries in a row without a definite answer, and turns at which the line was found shut.
    pub(super) tries: u32,
    next_at: Time,
    /// It waits since its line was found shut. By then this many recoveries of participants had been counted.
    shut_since: Option<u64>,
    /// When something was asked for last, as far as is known.
    asked_at: Time,
    /// When a look left that was answered, by whatever it found.
    pub(super) looked_at: Time,
    /// What was asked for last was answered with nothing that is certain, and has not been looked at since.
    looks_next: bool,
    /// A hint came after the request of this number, and no later one has been heard out.
    hinted: Option<u64>,
}

impl Pace {
    pub(super) fn after(tries: u32) -> Self {
        Self { tries, ..Self::default() }
    }
}

impl Driver<'_> {
    /// When a command may go out: now, after its back-off, or when the line to its participant opens.
    pub(super) fn turn_of(&mut self, command: Command, now: Time) -> Time {
        let Some(pace) = self.pace.get_mut(command.step) else { return now };
        if pace.operation != Some(command.operation) {
            *pace = Pace { operation: Some(command.operation), next_at: Time(0), ..*pace };
        }
        if pace.next_at > now {
            return pace.next_at;
        }
        let Some(line) = self.saga.definition().link(command.step) else { return now };
        pace.shut_since = None;
        // Before the line is looked at: whatever opens it later is noticed.
        let recoveries = self.shared.wakes.recoveries();
        if let Some(until) = line.quiet_until(self.saga.id(), command, now) {
            pace.next_at = until;
            return until;
        }
        let opens_at = match line.admit(now) {
            Admission::Go => return now,
            Admission::NotBefore(at) => at,
            Admission::Behind => now.after(whole_ms(LONGEST_PARK)),
        };
        // One comes back at once. The others do not all come at the same time, and the more they are and the longer it takes the
        // less often: when that one is answered they are woken.
        pace.tries = pace.tries.saturating_add(1);
        pace.shut_since = Some(recoveries);
        if line.appoints(opens_at) {
            pace.next_at = opens_at.max(now.after(1));
            return pace.next_at;
        }
        let longest = line.backoff().ceiling(pace.tries).max(self.shared.spread_of_backlog());
        let longest = if pace.hinted.is_some() { longest.min(self.shared.options.hint_pause) } else { longest };
        let jitter = self.shared.jitter.up_to(longest);
        pace.next_at = opens_at.after(whole_ms(jitter)).min(now.after(whole_ms(self.shared.longest_pause()))).max(now.after(1));
        pace.next_at
    }

    /// Whether a participant answers again since a line was found shut. What waits for that goes out at the next turn.
    pub(super) fn has_missed_recovery(&mut self) -> bool {
        let recoveries = self.shared.wakes.recoveries();
        let mut has_missed = false;
        for pace in &mut self.pace {
            if pace.shut_since.is_some_and(|then| then != recoveries) {
                (pace.shut_since, pace.next_at, has_missed) = (None, Time(0), true);
            }
        }
        has_missed
    }

    /// Whether a look goes out instead of the command whose turn it is: an answer said nothing, and the coordinator lets what a look
    /// finds count beside it. The two take turns, at the same pauses.
    pub(super) fn reads_back_now(&mut self, command: Command) -> bool {
        let may_look = self.saga.coordinator().reads_back(command.step);
        let Some(pace) = self.pace.get_mut(command.step) else { return false };
        std::mem::take(&mut pace.looks_next) && may_look
    }

    /// The steps that may be looked at beside what the outbox wants.
    pub(super) fn looked_at_beside(&self) -> Vec<usize> {
        let is_out = |step: usize| self.looks_out.contains(&step);
        (0..self.pace.len()).filter(|&step| self.saga.coordinator().reads_back(step) || is_out(step)).collect()
    }

    /// Takes note that an answer said nothing, or that none came to what may have left.
    pub(super) fn was_not_understood(&mut self, command: Command, may_have_left: bool) {
        if let Some(pace) = self.pace.get_mut(command.step) {
            pace.looks_next = may_have_left && command.operation != Operation::Look;
        }
    }

    /// Takes note that something is asked for now, and numbers the request. Requests are counted for people.
    pub(super) async fn begin(&mut self, step: usize, now: Time) -> u64 {
        let number = self.last_number().await + 1;
        self.number = Some(number);
        if let Some(pace) = self.pace.get_mut(step) {
            pace.asked_at = now;
        }
        number
    }

    /// The number of the last request. After a reload the count goes on behind the requests that are known of, and so do
    /// their times.
    async fn last_number(&mut self) -> u64 {
        if let Some(last) = self.number {
            return last;
        }
        let kept = self.shared.store.tries(self.saga.id()).await.unwrap_or_default();
        let now = self.shared.now();
        for attempt in &kept {
            if let Some(pace) = self.pace.get_mut(attempt.step) {
                pace.asked_at = pace.asked_at.max(attempt.sent).min(now);
            }
        }
        let highest = kept.iter().map(|attempt| attempt.number).max().unwrap_or(0);
        let last = highest.max(self.saga.entries().saturating_sub(1));
        self.number = Some(last);
        last
    }

    /// A saga that comes into memory because of a hint only keeps every other pause as it was.
    pub(super) fn wait_for_wake_up(&mut self) {
        let wake_at = self.shared.out_of_index(self.saga.wake_at());
        for command in self.saga.outbox() {
            if let Some(pace) = self.pace.get_mut(command.step) {
                *pace = Pace { operation: Some(command.operation), next_at: wake_at, ..*pace };
            }
        }
    }

    /// Takes the hints that there are: what is in doubt of those steps is asked for now, or a little after its last try.
    pub(super) async fn take_hints(&mut self) {
        let names = hints::for_flow(self.saga.definition().flow().name(), self.shared.take_hints(self.saga.id()));
        self.note_hints_after_the_end(&names);
        let in_doubt: Vec<usize> = {
            let steps = self.saga.definition().flow().steps();
            let is_hinted = |step: usize| steps.get(step).is_some_and(|step| names.contains(step.name.as_str()));
            self.saga.outbox().iter().map(|command| command.step).filter(|&step| is_hinted(step)).collect()
        };
        if in_doubt.is_empty() {
            return;
        }
        let last = self.last_number().await;
        for step in in_doubt {
            let patience = self.backoff_of(step).tries_below(self.shared.options.hint_pause);
            if let Some(pace) = self.pace.get_mut(step) {
                pace.hinted = Some(last);
                // What is asked for in vain now is not left for as long as its last pause was.
                pace.tries = pace.tries.min(patience);
            }
            self.hurry(step);
        }
    }

    /// Brings the next delivery forward where a hint was not acted on yet.
    fn hurry(&mut self, step: usize) {
        let pause_ms = whole_ms(self.shared.options.hint_pause);
        if let Some(pace) = self.pace.get_mut(step).filter(|pace| pace.hinted.is_some()) {
            pace.next_at = pace.next_at.min(pace.asked_at.after(pause_ms));
        }
    }

    /// A request was heard out, whatever came of it: the hints from before it was made are acted on.
    pub(super) fn heard(&mut self, command: Command, number: u64) {
        if command.operation == Operation::Look {
            self.looks_out.remove(&command.step);
        }
        if let Some(pace) = self.pace.get_mut(command.step)
            && pace.hinted.is_some_and(|last| last < number)
        {
            pace.hinted = None;
        }
    }

    /// Takes note that a look that left then was answered. A look without an answer does not count: an effect that came late
    /// may still be there.
    pub(super) fn looked(&mut self, step: usize, left: Time) {
        if let Some(pace) = self.pace.get_mut(step) {
            pace.looked_at = pace.looked_at.max(left);
        }
    }

    /// Sets when a command may go out again; at once if its last delivery was answered.
    pub(super) fn slow_down(&mut self, command: Command, now: Time, is_unanswered: bool, is_silent: bool) {
        let Some(pace) = self.pace.get(command.step).copied() else { return };
        let tries = if is_unanswered { pace.tries.saturating_add(1) } else { 0 };
        // An act that is heard out says nothing about the pace of the close that has taken its place; a look stands in for what it
        // is sent beside.
        let is_next = is_unanswered && (pace.operation == Some(command.operation) || command.operation == Operation::Look);
        let next_at = if is_next { self.again_at(command.step, tries, now, is_silent) } else { pace.next_at };
        self.pace[command.step] = Pace { tries, next_at, ..pace };
        self.hurry(command.step);
    }

    /// When a command goes out after this many tries in a row. A saga that has ended is looked at less and less often, and when
    /// its time is over as often as anything else that is in doubt, until one look is answered.
    fn again_at(&self, step: usize, tries: u32, now: Time, is_silent: bool) -> Time {
        let line = self.saga.definition().link(step);
        // A silent participant may be back at any moment, and perhaps no other saga sends it the request that would find out.
        let backoff = line.filter(|_| is_silent).map_or_else(|| self.backoff_of(step), |line| line.backoff_from_silence());
        let after = |backoff: &Backoff| now.after(whole_ms(backoff.delay(tries, &self.shared.jitter)).max(1));
        let Some(until) = self.watch_ends(step) else { return after(&backoff) };
        if until > now { after(&Backoff { cap: LONGEST_PARK, ..backoff }).min(until) } else { after(&backoff) }
    }

    fn backoff_of(&self, step: usize) -> Backoff {
        self.saga.definition().link(step).map_or(self.shared.options.backoff, |line| line.backoff())
    }
}
