//! Reads what is known of one saga from its store and from the roads.

use std::path::PathBuf;

use anyhow::Context as _;
use handfast::journal::{Line, follow};
use handfast::store::{Entry, Store, StoredSaga, Try};
use handfast::{Came, Flow, Operation, SagaView, Standing, describe_evidence, saga_of};
use handfast_lab::diagram::{SagaStory, StoryEntry, StoryStep, StoryTry};
use handfast_protocol::{Coordinator, Party as _};

use super::road::{self, Messenger};
use crate::trace::SagaTrace;

/// A saga as it was read.
#[derive(Debug)]
pub(crate) struct Told {
    pub(super) stored: StoredSaga,
    /// The same, as everybody else is shown it.
    pub(super) view: SagaView,
    pub(super) flow: Flow,
    pub(super) standing: Standing,
    pub(super) messengers: Vec<Messenger>,
    pub(super) story: SagaStory,
}

impl Told {
    /// Its journal, to be kept.
    ///
    /// # Errors
    /// It cannot be trusted.
    pub(super) fn trace(&self) -> anyhow::Result<SagaTrace> {
        let names = self.flow.steps().iter().map(|step| step.name.clone()).collect();
        let StoredSaga { id, version, entries, .. } = &self.stored;
        SagaTrace::new((id, self.flow.name()), names, self.flow.plan(), *version, entries).with_context(|| format!("saga {id}"))
    }
}

/// Everything about the saga of that id, or `None` if there is none.
///
/// # Errors
/// The store, the flow's definition or a road's log cannot be read.
pub(super) async fn read(store: &dyn Store, id: &str, roads: &[PathBuf]) -> anyhow::Result<Option<Told>> {
    let Some(stored) = store.load(id).await? else { return Ok(None) };
    let view = saga_of(store, &stored).await?;
    let tries = &view.tries;
    let flow = flow(&stored)?;
    let keys: Vec<String> = flow.steps().iter().map(|step| format!("{}.{id}.{}", store.store_id(), step.name)).collect();
    let messengers = road::read(roads, &keys)?;
    let (coordinator, lines, trouble) = followed(&stored, &flow);
    let entries = stored.entries.iter().zip(&lines);
    let outcome = coordinator.decision();
    let standing = if trouble.is_some() { Standing::Suspended } else { coordinator.standing() };
    let trouble = trouble.or_else(|| coordinator.evidence().map(|evidence| describe_evidence(&flow, evidence)));
    let mut notes = notes(&stored, tries, !roads.is_empty());
    // What was told of the end stays told: a promise that was broken afterwards stands beside it.
    let broken_promise = trouble.as_ref().filter(|_| outcome.is_some());
    notes.extend(broken_promise.map(|what| format!("A participant broke its promise: {what}.")));
    let story = SagaStory {
        title: format!("{id} ({})", flow.name()),
        coordinator: flow.name().to_owned(),
        steps: flow.steps().iter().map(|step| step_of(&step.name)).collect(),
        plan: flow.plan().clone(),
        version: stored.version,
        entries: entries.map(|(entry, line)| entry_of(entry, line)).collect(),
        tries: tries.iter().filter_map(try_of).collect(),
        flights: road::flights(&messengers),
        kills: Vec::new(),
        trouble: trouble.filter(|_| standing == Standing::Suspended),
        notes,
    };
    Ok(Some(Told { stored, view, flow, standing, messengers, story }))
}

/// The flow as it was when the saga was placed.
fn flow(stored: &StoredSaga) -> anyhow::Result<Flow> {
    Flow::from_built_text(&stored.flow_text).with_context(|| format!("the flow of saga {} cannot be read", stored.id))
}

/// The lines of the journal as far as they can be trusted, the state that they lead to, and what is wrong with the first that cannot.
fn followed(stored: &StoredSaga, flow: &Flow) -> (Coordinator, Vec<Line>, Option<String>) {
    let (mut coordinator, mut lines) = (Coordinator::pinned(flow.plan().clone(), stored.version), Vec::new());
    for (entry, expected) in stored.entries.iter().zip(1..) {
        match follow(&coordinator, stored.version, entry, expected) {
            Ok((next, line)) => {
                coordinator = next;
                lines.push(line);
            }
            Err(error) => return (coordinator, lines, Some(error.to_string())),
        }
    }
    (coordinator, lines, stored.why.clone())
}

pub(crate) fn step_of(name: &str) -> StoryStep {
    StoryStep { name: name.to_owned(), done: String::new(), undone: String::new() }
}

pub(crate) fn entry_of(entry: &Entry, line: &Line) -> StoryEntry {
    let (changed_at, detail) = match line {
        Line::Start
        | Line::Timeout
        | Line::Due(_)
        | Line::Sent { .. }
        | Line::Looked { .. }
        | Line::Forgotten { .. }
        | Line::Moved { .. } => (None, None),
        Line::SameBooks { by, why, .. } => {
            let by = by.as_ref().map(|by| format!(", by {by}"));
            let said: Vec<&str> = by.iter().chain(why).map(String::as_str).collect();
            (None, (!said.is_empty()).then(|| said.join(": ")))
        }
        Line::Cancel { by, why } => {
            let by = by.as_ref().map(|by| format!("by {by}"));
            let said: Vec<&str> = by.iter().chain(why).map(String::as_str).collect();
            (None, (!said.is_empty()).then(|| said.join(": ")))
        }
        Line::Differs { what, .. } => (None, Some(what.clone())),
        Line::Person { said, .. } => {
            let evidence = said.evidence.as_deref().map(|evidence| format!("; evidence: {evidence}")).unwrap_or_default();
            (None, Some(format!("by {}: {}{evidence}", said.by, said.reason)))
        }
        Line::Undo { receipt, .. } => (None, receipt.detail.clone()),
        Line::Answer { receipt, .. } => (receipt.at.map(|at| at.0), receipt.detail.clone()),
    };
    StoryEntry { at: entry.at.0, input: line.told(), changed_at, detail }
}

/// A request that was on the road; one that never left is drawn nowhere.
fn try_of(attempt: &Try) -> Option<StoryTry> {
    let answer = match Came::of(attempt) {
        Came::NotSent => return None,
        Came::Nothing => None,
        Came::Absent(status) => Some(format!("{status}, nothing there")),
        Came::Later(status) => Some(format!("{status}, to be answered later")),
        Came::Meaningless(status) => Some(format!("{status}, not understood")),
    };
    Some(StoryTry {
        step: attempt.step,
        operation: Operation::from_name(attempt.operation)?,
        number: attempt.number,
        sent: attempt.sent.0,
        ended: attempt.ended.0,
        answer,
        seen: attempt.seen.clone(),
    })
}

fn notes(stored: &StoredSaga, tries: &[Try], has_road: bool) -> Vec<String> {
    let placed = i64::try_from(stored.created.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    let mut notes: Vec<String> = placed.map(|placed| format!("Times count from {placed}.")).into_iter().collect();
    let (not_sent, sent): (Vec<&Try>, Vec<&Try>) = tries.iter().partition(|attempt| Came::of(attempt) == Came::NotSent);
    if let Some(last) = not_sent.last() {
        let requests = handfast_server::batch::counted(not_sent.len() as u64, "request");
        notes.push(format!("Of {requests} nothing left, and nothing is drawn; the last was {}.", last.seen));
    }
    if !sent.is_empty() && !has_road {
        notes.push(
            "Drawn from the journal alone: what became of an unanswered messenger nobody on this side knows. \
             The roads' logs (--road FILE) tell."
                .to_owned(),
        );
    }
    notes
}

#[cfg(test)]
mod tests {
    use handfast::Time;

    use super::*;

    #[test]
    fn what_never_left_is_not_drawn_and_nothing_there_is_no_riddle() {
        let drawn = |seen: &str| {
            let seen = seen.to_owned();
            let attempt = Try { id: String::new(), step: 0, operation: "look", number: 1, sent: Time(0), ended: Time(9), seen };
            try_of(&attempt).map(|drawn| drawn.answer)
        };
        assert_eq!(drawn("not sent: its time is over"), None);
        assert_eq!(drawn("no answer within 500 ms"), Some(None));
        assert_eq!(drawn("404 absent, which proves nothing"), Some(Some("404, nothing there".to_owned())));
        assert_eq!(drawn("400 that means nothing"), Some(Some("400, not understood".to_owned())));
    }
}
