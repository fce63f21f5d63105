//! A production saga, entry by entry of its journal.

use handfast::journal::Line;
use handfast_lab::diagram::{Diagram, SagaStory};
use handfast_protocol::{Answer, Command, Coordinator, Definite, Operation, Outcome, Party as _, Ruling};
use serde_json::{Map, Value, json};

use super::story::{Step, Story};
use crate::commands::show::{entry_of, step_of};
use crate::trace::SagaTrace;

/// Tells the coordinator every entry again.
///
/// # Errors
/// An entry leads to another state than it did.
pub(super) fn story(kept: SagaTrace) -> anyhow::Result<Story> {
    let told = kept.replay()?;
    let teller = Teller { names: &kept.names };
    let mut before = Coordinator::pinned(kept.plan.clone(), kept.version);
    let started = kept.entries.first().map_or(0, |entry| entry.at.0);
    let first = format!("{} steps: {}", kept.names.len(), kept.names.join(", "));
    let mut steps = vec![Step { heading: "the beginning".to_owned(), says: vec![first], data: Map::new() }];
    for (entry, (line, after)) in kept.entries.iter().zip(&told) {
        let after_ms = entry.at.0.saturating_sub(started);
        let mut step = teller.step(line, &before, after);
        step.heading = format!("{} (after {after_ms} ms)", step.heading);
        step.data.extend([("seq".to_owned(), json!(entry.seq)), ("at".to_owned(), json!(entry.at.0))]);
        steps.push(step);
        before.clone_from(after);
    }
    let end = format!(
        "The saga is {}.\nThe deployed coordinator was told every entry again, and came to the same state after each.",
        before.standing().name()
    );
    let title = format!("{} ({})", kept.saga, kept.flow);
    Ok(Story { title, kind: "saga", steps, end, drawn: Box::new(move |steps| picture(&kept, &told, steps)) })
}

fn picture(kept: &SagaTrace, told: &[(Line, Coordinator)], steps: usize) -> Diagram {
    let entries = kept.entries.iter().zip(told).take(steps).map(|(entry, (line, _))| entry_of(entry, line));
    let note = if steps < told.len() { format!("After {steps} of {} entries.", told.len()) } else { String::new() };
    SagaStory {
        title: format!("{} ({})", kept.saga, kept.flow),
        coordinator: kept.flow.clone(),
        steps: kept.names.iter().map(|name| step_of(name)).collect(),
        plan: kept.plan.clone(),
        version: kept.version,
        entries: entries.collect(),
        tries: Vec::new(),
        flights: Vec::new(),
        kills: Vec::new(),
        trouble: None,
        notes: if note.is_empty() { Vec::new() } else { vec![note] },
    }
    .diagram()
}

struct Teller<'a> {
    names: &'a [String],
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
            Line::Cancel { by, why } => {
                let by = by.as_ref().map(|by| format!(", by {by}")).unwrap_or_default();
                format!("the coordinator is told: cancel{by}{}", remark(why.as_ref()))
            }
            Line::Person { ruling, said } => {
                let what = match ruling {
                    Ruling::Retry => "ask again".to_owned(),
                    Ruling::Resume => "go on".to_owned(),
                    Ruling::Mark { step, mark } => format!("{} was {}", self.name(*step), mark.name().replace('_', " ")),
                    Ruling::Settle => "wait for nobody".to_owned(),
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
                format!("whoever looked at {} when nothing was on the road any more: {found}", self.name(*step))
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

    fn step(&self, line: &Line, before: &Coordinator, after: &Coordinator) -> Step {
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
        let steps: Vec<Value> = (0..self.names.len())
            .map(|step| {
                let (asked, known) = after.step_state(step);
                json!({ "step": self.name(step), "asked": asked.map(Operation::name), "known": known.map(Definite::name) })
            })
            .collect();
        let data = Map::from_iter([
            ("standing".to_owned(), json!(after.standing().name())),
            ("keys".to_owned(), json!(steps)),
            ("wants".to_owned(), json!(wants)),
            ("decided".to_owned(), json!(after.decision().map(Outcome::name))),
        ]);
        Step { heading: self.told(line), says, data }
    }
}

const fn in_words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Completed => "both, every step is done",
        Outcome::Cancelled => "neither, no step is done for good",
        Outcome::Settled => "settled by a person, nobody has made sure of both or of neither",
    }
}
