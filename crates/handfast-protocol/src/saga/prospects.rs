//! What may become of a saga from where it stands: every end that it can come to while its participants keep their promises.
//!
//! Nothing here knows a rule of the saga. The transition function is run on the state with every answer that may come to what the
//! saga wants delivered, and with each thing that is due, until nothing new is found. Times are left out of it: whatever is due
//! may come at any moment, before or after any answer, so what is found holds for every clock.
//!
//! | it wants | it may be answered |
//! | --- | --- |
//! | an act | done; refused, where the step may refuse; closed, where the request may come too late |
//! | a close | closed; whatever an act may have come to, where one may have left |
//! | an undo | undone where it is done; otherwise closed, and whatever an act may have come to, taken back; accepted and failed, where undos are done later |
//! | a look | done, where an act may have left; nothing; what became of an undo |
//! | anything about a step that has moved, or that is read anew in another life | everything that can be said |

use alloc::collections::BTreeSet;
use alloc::vec;
use alloc::vec::Vec;

use super::coordinator::Coordinator;
use super::message::{Command, Operation, Told, UndoTold};
use super::plan::{Kind, Plan};
use super::standing::Standing;
use super::step_set::StepSet;
use crate::guards::Guards;
use crate::party::{Input, Party as _, Time};
use crate::register::{Answer, Definite};

/// What has become of a step since an earlier state of its saga.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Fate {
    /// It has no effect, and that was known, or nothing was asked for it, or it refused, or a person has said so.
    Nothing,
    /// Its key was closed, so that it has no effect and never will have.
    Closed,
    /// It was done, and its participant has undone it since.
    Undone,
    /// It was done since.
    Done,
    /// It was done before, and still is.
    StillDone,
    /// Whether it is in effect is not known, or it is to be undone and is not.
    Open,
}

/// A way in which a saga comes to rest: it has ended, or waits for a person.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct End {
    /// How it stands then.
    pub standing: Standing,
    /// What has become of each step, in order.
    pub fates: Vec<Fate>,
}

/// The latest time that stands for *whenever it was*: a step's own number comes before it, so that no two steps have one time.
const EVER: Time = Time(Plan::MAX_STEPS as u64);

impl<G: Guards> Coordinator<G> {
    /// What has become of a step since `before`, an earlier state of the same saga.
    #[must_use]
    pub fn fate_since(&self, before: &Self, step: usize) -> Fate {
        let (Some(&state), Some(&was)) = (self.steps.get(step), before.steps.get(step)) else { return Fate::Nothing };
        if state.is_off() {
            return match state.known {
                _ if was.is_off() => Fate::Nothing,
                Some(Definite::Undone) => Fate::Undone,
                Some(Definite::Closed) => Fate::Closed,
                Some(Definite::Done | Definite::Refused) | None => Fate::Nothing,
            };
        }
        if state.is_done() && !state.is_asked_back() {
            return if was.is_done() { Fate::StillDone } else { Fate::Done };
        }
        let is_moot = self.was_never_sent(step) || self.is_harmless_in_doubt(step) || self.was_never_possible(step);
        if is_moot && !state.is_contradicted { Fate::Nothing } else { Fate::Open }
    }

    /// How it stands, and what has become of each step since `before`.
    #[must_use]
    pub fn since(&self, before: &Self) -> End {
        End { standing: self.standing(), fates: (0..self.steps.len()).map(|step| self.fate_since(before, step)).collect() }
    }

    /// Every end that it can come to, with what becomes of each step since `before`, an earlier state of it. `asked` are the steps of
    /// which an act may have left by then: every step for which an act was ever wanted, and each one where the journal came back
    /// from a backup. `None` where more than `most` states would have to be looked at, or it may go on for ever.
    #[must_use]
    pub fn ends(&self, before: &Self, asked: StepSet, most: usize) -> Option<BTreeSet<End>> {
        let (mut seen, mut open, mut ends) = (BTreeSet::new(), vec![(self.timeless(), asked)], BTreeSet::new());
        while let Some((state, asked)) = open.pop() {
            if !seen.insert((state.clone(), asked)) {
                continue;
            }
            if seen.len() > most {
                return None;
            }
            let (outbox, dues) = (state.outbox(), state.dues());
            if outbox.is_empty() && dues.is_empty() {
                ends.insert(state.since(before));
                continue;
            }
            // What is wanted from here on may have been done, whatever becomes of the request.
            let acts = outbox.iter().filter(|command| command.operation == Operation::Act).map(|command| command.step);
            let asked: StepSet = asked.iter().chain(acts).collect();
            let due = dues.into_iter().map(|due| (EVER, Told::Due(due)));
            let told = outbox.iter().flat_map(|&command| state.may_be_told(command, asked.contains(command.step)));
            for (now, told) in told.chain(due) {
                let mut next = state.clone();
                next.step(now, Input::Receive(told));
                open.push((next.timeless(), asked));
            }
        }
        (!ends.is_empty()).then_some(ends)
    }

    /// The same state, whenever it came about. What has led to it is left out, too: it changes nothing of what comes.
    #[must_use]
    pub fn timeless(&self) -> Self {
        let mut state = self.clone();
        (state.clock, state.evidence) = (EVER, None);
        for (since, step) in (0..).zip(&mut state.steps) {
            step.since = Time(since);
        }
        state
    }

    /// What it may be told of a command that it wants delivered, and when. `may_be_done` says that an act may have left.
    fn may_be_told(&self, command: Command, may_be_done: bool) -> Vec<(Time, Told)> {
        let Command { step, operation } = command;
        let (state, plan) = (self.steps[step], self.plan.steps()[step]);
        let now = EVER.after(1);
        let answer =
            |operation, definite| (now, Told::Answer { to: Command { step, operation }, answer: Answer::State(definite) });
        let undo = |told| (now, Told::Undo { step, told });
        let all = [Definite::Done, Definite::Refused, Definite::Closed, Definite::Undone];
        let of_undo = [UndoTold::Accepted, UndoTold::Failed].into_iter().filter(|_| plan.undoes_later);
        let end = self.watch_ends_at(step).unwrap_or(now).max(now);
        let looked = |found| (end, Told::Looked { step, found, left: end });
        if state.is_void || state.moved.is_some() || state.is_other {
            let definite = all.into_iter().map(|definite| answer(operation, definite));
            let looks = [looked(None), looked(Some(Definite::Done))].into_iter().filter(|_| operation == Operation::Look);
            return definite.chain(of_undo.map(undo)).chain(looks).collect();
        }
        let may_refuse = plan.kind != Kind::Retriable;
        match operation {
            Operation::Act | Operation::Undo if self.leaves_once(step, operation) => vec![(
                now,
                match operation {
                    Operation::Undo => Told::Undo { step, told: UndoTold::Sent },
                    Operation::Act | Operation::Look | Operation::Close => Told::Sent { step },
                },
            )],
            Operation::Act => {
                let is_late = plan.closes() && plan.deadline_ms.is_some();
                let can = [(Definite::Done, true), (Definite::Refused, may_refuse), (Definite::Closed, is_late)];
                can.into_iter().filter(|(_, can)| *can).map(|(definite, _)| answer(operation, definite)).collect()
            }
            Operation::Close => {
                let can = [
                    (Definite::Closed, true),
                    (Definite::Done, may_be_done),
                    (Definite::Refused, may_be_done && may_refuse || state.refused_close || !plan.refusal_holds),
                ];
                can.into_iter().filter(|(_, can)| *can).map(|(definite, _)| answer(operation, definite)).collect()
            }
            Operation::Undo => {
                let in_doubt = state.known.is_none();
                let can = [
                    (Definite::Undone, !in_doubt || may_be_done),
                    (Definite::Closed, in_doubt),
                    (Definite::Refused, in_doubt && may_be_done && may_refuse),
                ];
                let definite = can.into_iter().filter(|(_, can)| *can).map(|(definite, _)| answer(operation, definite));
                definite.chain(of_undo.map(undo)).collect()
            }
            Operation::Look if state.is_looked_for_undone() => {
                let undone = [answer(Operation::Look, Definite::Undone), answer(Operation::Undo, Definite::Undone)];
                undone.into_iter().chain(of_undo.map(undo)).chain([looked(Some(Definite::Done))]).collect()
            }
            Operation::Look => {
                let found = [answer(Operation::Look, Definite::Done), answer(Operation::Act, Definite::Done)];
                let refused = [answer(Operation::Look, Definite::Refused), answer(Operation::Act, Definite::Refused)];
                let found = found.into_iter().filter(|_| may_be_done);
                let refused = refused.into_iter().filter(|_| may_be_done && may_refuse && state.known.is_none());
                found.chain(refused).chain([looked(None)]).collect()
            }
        }
    }
}
