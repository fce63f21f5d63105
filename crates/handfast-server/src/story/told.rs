//! A journal in words: what the coordinator was told by each line, what that changed, and what it wants then.

use handfast::Time;
use handfast::journal::Line;
use handfast_protocol::{Answer, Command, Coordinator, Definite, Operation, Outcome, Party as _, Ruling};
use serde::Serialize;

/// One line of a journal, told.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// What the coordinator was told.
    #[serde(skip)]
    pub heading: String,
    /// What changed, what it wants delivered and what is decided: a sentence each.
    #[serde(skip)]
    pub says: Vec<String>,
    /// The number of the entry.
    pub seq: u64,
    /// When it was written, in milliseconds since the Unix epoch.
    pub at: u64,
    /// How the saga stands after it.
    pub standing: &'static str,
    /// What is known of each step's key.
    pub keys: Vec<Key>,
    /// What it wants delivered then, in words.
    pub wants: Vec<String>,
    /// What is decided.
    pub decided: Option<&'static str>,
}

/// What is known of the key of one step.
#[derive(Clone, Debug, Serialize)]
pub struct Key {
    /// The step's name.
    pub step: String,
    /// The strongest thing that was asked for.
    pub asked: Option<&'static str>,
    /// The state that its participant has told.
    pub known: Option<&'static str>,
}

pub(super) struct Teller<'a> {
    pub(super) names: &'a [String],
}

impl Teller<'_> {
    fn name(&self, step: usize) -> &str {
        self.names.get(step).map_or("?", String::as_str)
    }

    fn command(&self, command: Command) -> String {
        format!("{} {}", command.operation.name(), self.name(command.step))
    }

    fn told(&self, line: &Line) -> String {
        let remark = |said: Option<&String>| said.map(|said| format!(": {said}")).unwrap_or_default();
        match line {
            Line::Start => "the coordinator is told: start".to_owned(),
            Line::Timeout => "the coordinator is told: a deadline has passed".to_owned(),
            Line::Due(_) => "the coordinator is told: one deadline has passed, and no other".to_owned(),
            Line::Cancel { by, why, request_id: _ } => {
                let by = by.as_ref().map(|by| format!(", by {by}")).unwrap_or_default();
                format!("the coordinator is told: cancel{by}{}", remark(why.as_ref()))
            }
            Line::Person { ruling, said } => {
                let what = match ruling {
                    Ruling::Retry => "ask again".to_owned(),
                    Ruling::Resume => "go on".to_owned(),
                    Ruling::Mark { step, mark } => format!("{} was {}", self.name(*step), mark.name().replace('_', " ")),
                    Ruling::Settle => "wait for no participant any longer".to_owned(),
                };
                format!("the coordinator is told by {}: {what}{}", said.by, remark(Some(&said.reason)))
            }
            Line::Forgotten { step, incarnation } => {
                format!("{} was accepted as restored ({incarnation}): what it had answered is evidence no more", self.name(*step))
            }
            Line::Moved { step, .. } => {
                format!("{} is called at another address: nothing but a look leaves for it", self.name(*step))
            }
            Line::SameBooks { step, by, why } => {
                let by = by.as_ref().map(|by| format!(", says {by}")).unwrap_or_default();
                format!("{} is kept in the same books{by}{}", self.name(*step), remark(why.as_ref()))
            }
            Line::Sent { step } => format!("the act of {} is marked as sent, once and for all", self.name(*step)),
            Line::Undo { step, told, receipt } => {
                format!("{} answers: the undo is {}{}", self.name(*step), told.name(), remark(receipt.detail.as_ref()))
            }
            Line::Looked { step, found, .. } => {
                let found = found.map_or("nothing is there", Definite::name);
                format!("the look at {} when nothing was on the road any more: {found}", self.name(*step))
            }
            Line::Differs { to, what, .. } => {
                format!("{} answers {} with other values than were asked for: {what}", self.name(to.step), self.command(*to))
            }
            Line::Answer { to, answer, receipt } => {
                let word = match answer {
                    Answer::State(state) => state.name(),
                    Answer::OtherBody => "the key is in use for another body",
                };
                let (asked, detail) = (self.command(*to), remark(receipt.detail.as_ref()));
                format!("{} answers {asked}: {word}{detail}", self.name(to.step))
            }
        }
    }

    pub(super) fn step(&self, (seq, at): (u64, Time), line: &Line, before: &Coordinator, after: &Coordinator) -> Step {
        let mut says = Vec::new();
        for (step, name) in self.names.iter().enumerate() {
            let ((asked_before, known_before), (asked, known)) = (before.step_state(step), after.step_state(step));
            if let Some(known) = known.filter(|_| known != known_before) {
                says.push(format!("the key of {name} is known to be {}", known.name()));
            }
            if let Some(asked) = asked.filter(|_| asked != asked_before) {
                says.push(format!("{name} is to {}", asked.name()));
            }
        }
        if before.standing() != after.standing() {
            says.push(format!("the saga is {} now, it was {}", after.standing().name(), before.standing().name()));
        }
        let wants: Vec<String> = after.outbox().into_iter().map(|command| self.command(command)).collect();
        if !wants.is_empty() {
            says.push(format!("it wants delivered: {}", wants.join(", ")));
        }
        if let (None, Some(outcome)) = (before.decision(), after.decision()) {
            says.push(format!("decided: {}", in_words(outcome)));
        }
        let key = |step: usize| {
            let (asked, known) = after.step_state(step);
            Key { step: self.name(step).to_owned(), asked: asked.map(Operation::name), known: known.map(Definite::name) }
        };
        Step {
            heading: self.told(line),
            says,
            seq,
            at: at.0,
            standing: after.standing().name(),
            keys: (0..self.names.len()).map(key).collect(),
            wants,
            decided: after.decision().map(Outcome::name),
        }
    }
}

const fn in_words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Completed => "both, every step is done",
        Outcome::Cancelled => "neither, no step is done for good",
        Outcome::Settled => "settled by a person, and no participant has confirmed both or neither",
    }
}

/// When a participant's register changed by its own clock, if the line says so, and what the line says for people only.
#[must_use]
pub fn said_by(line: &Line) -> (Option<Time>, Option<String>) {
    let by_and_why = |by: Option<String>, why: &Option<String>| {
        let said: Vec<String> = by.into_iter().chain(why.clone()).collect();
        (!said.is_empty()).then(|| said.join(": "))
    };
    match line {
        Line::Start
        | Line::Timeout
        | Line::Due(_)
        | Line::Sent { .. }
        | Line::Looked { .. }
        | Line::Forgotten { .. }
        | Line::Moved { .. } => (None, None),
        Line::SameBooks { by, why, .. } => (None, by_and_why(by.as_ref().map(|by| format!("by {by}")), why)),
        Line::Cancel { by, why, request_id: _ } => (None, by_and_why(by.as_ref().map(|by| format!("by {by}")), why)),
        Line::Differs { what, .. } => (None, Some(what.clone())),
        Line::Person { said, .. } => {
            let evidence = said.evidence.as_deref().map(|evidence| format!("; evidence: {evidence}")).unwrap_or_default();
            (None, Some(format!("by {}: {}{evidence}", said.by, said.reason)))
        }
        Line::Undo { receipt, .. } => (None, receipt.detail.clone()),
        Line::Answer { receipt, .. } => (receipt.at, receipt.detail.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_said_something_and_why_stands_in_brackets_as_it_is() {
        let (by, why) = (Some("ada".to_owned()), Some("moved".to_owned()));
        let same_books = Line::SameBooks { step: 0, by: by.clone(), why: why.clone() };
        for line in [same_books, Line::Cancel { by, why, request_id: None }] {
            assert_eq!(said_by(&line), (None, Some("by ada: moved".to_owned())));
        }
        assert_eq!(said_by(&Line::SameBooks { step: 0, by: None, why: None }), (None, None));
    }
}
