//! What is known of one saga from its store and from the roads, as a picture.

use std::path::PathBuf;
use std::sync::Arc;

use handfast::Standing;
use handfast::journal::Line;
use handfast::store::{Entry, Store};
use handfast_lab::diagram::{Diagram, SagaStory, StoryEntry, StoryStep, StoryTry};
use handfast_server::story::{self, Story, said_by};

use super::road::{self, Messenger};

/// A saga as it was read.
#[derive(Debug)]
pub(crate) struct Told {
    pub(super) story: Story,
    pub(super) messengers: Vec<Messenger>,
    /// What a picture does not show.
    notes: Vec<String>,
}

/// Everything about the saga of that id, or `None` if there is none.
///
/// # Errors
/// The store, the flow's definition or a road's log cannot be read.
pub(super) async fn read(store: &dyn Store, id: &str, roads: &[PathBuf]) -> anyhow::Result<Option<Told>> {
    let Some(story) = story::read(store, id).await? else { return Ok(None) };
    let messengers = road::read(roads, &story.keys)?;
    let placed = i64::try_from(story.stored.created.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    let notes = story.notes(placed, !roads.is_empty());
    Ok(Some(Told { story, messengers, notes }))
}

impl Told {
    pub(super) const fn standing(&self) -> Standing {
        self.story.standing
    }

    pub(super) fn diagram(&self) -> Diagram {
        let Story { stored, flow, lines, trouble, .. } = &self.story;
        SagaStory {
            title: format!("{} ({})", stored.id, flow.name()),
            coordinator: flow.name().to_owned(),
            steps: flow.steps().iter().map(|step| step_of(&step.name)).collect(),
            plan: Arc::clone(flow.plan()),
            version: stored.version,
            entries: stored.entries.iter().zip(lines).map(|(entry, line)| entry_of(entry, line)).collect(),
            tries: self.tries(),
            flights: road::flights(&self.messengers),
            kills: Vec::new(),
            trouble: trouble.clone(),
            notes: self.notes.clone(),
        }
        .diagram()
    }

    fn tries(&self) -> Vec<StoryTry> {
        let requests = self.story.requests().map(|(attempt, operation, answer)| StoryTry {
            step: attempt.step,
            operation,
            number: attempt.number,
            sent: attempt.sent.0,
            ended: attempt.ended.0,
            answer,
            seen: attempt.seen.clone(),
        });
        requests.collect()
    }
}

pub(crate) fn step_of(name: &str) -> StoryStep {
    StoryStep { name: name.to_owned(), done: String::new(), undone: String::new() }
}

pub(crate) fn entry_of(entry: &Entry, line: &Line) -> StoryEntry {
    let (changed_at, detail) = said_by(line);
    StoryEntry { at: entry.at.0, input: line.told(), changed_at: changed_at.map(|at| at.0), detail }
}
