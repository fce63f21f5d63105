//! One saga as its journal tells it: what a picture of it, or a walk through it, is made of.
//!
//! [`read`] takes it from a store, as far as the journal can be trusted. [`Kept`] is the journal by itself, as `docs/trace.md`
//! describes it, and is told again step by step.

mod kept;
mod told;

use std::fmt::Display;

use handfast::journal::{Line, follow};
use handfast::store::{Store, StoreError, StoredSaga, Try};
use handfast::{Came, Flow, FlowError, Journal, Operation, SagaView, Standing, describe_evidence, saga_with_journal};
use handfast_protocol::{Coordinator, Party as _};

pub use self::kept::{Kept, KeptDocument, KeptEntry, KeptError, KeptStep, Retold};
pub use self::told::{Step, said_by};
use crate::batch::counted;

/// A saga as it was read.
#[derive(Debug)]
pub struct Story {
    /// As it is stored.
    pub stored: StoredSaga,
    /// The same, as everybody else is shown it.
    pub view: SagaView,
    /// Its flow, as it was when the saga was placed.
    pub flow: Flow,
    /// The lines of the journal, as far as they can be trusted.
    pub lines: Vec<Line>,
    /// How it stands.
    pub standing: Standing,
    /// What has suspended it, in a sentence.
    pub trouble: Option<String>,
    /// The key of each step at its participant.
    pub keys: Vec<String>,
    /// A participant has broken its promise after the saga had ended, in words.
    broken_promise: Option<String>,
}

/// Why there is no story.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoryError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The flow that is stored with the saga is none.
    #[error("the flow of saga {saga} cannot be read")]
    Flow {
        /// The saga.
        saga: String,
        /// What is wrong with it.
        #[source]
        error: FlowError,
    },
}

/// Everything about the saga of that id, or `None` if there is none.
///
/// # Errors
/// The store, or the flow's definition, cannot be read.
pub async fn read(store: &dyn Store, id: &str) -> Result<Option<Story>, StoryError> {
    let Some(stored) = store.load(id).await? else { return Ok(None) };
    let (view, journal) = saga_with_journal(store, &stored).await?;
    let flow = Flow::from_built_text(&stored.flow_text);
    let flow = flow.map_err(|error| StoryError::Flow { saga: stored.id.clone(), error })?;
    let keys = flow.steps().iter().map(|step| format!("{}.{id}.{}", store.store_id(), step.name)).collect();
    let (coordinator, lines, trouble) = match journal {
        Some(Journal { lines, coordinator, .. }) => (coordinator, lines, stored.why.clone()),
        None => followed(&stored, &flow),
    };
    let standing = if trouble.is_some() { Standing::Suspended } else { coordinator.standing() };
    let trouble = trouble.or_else(|| coordinator.evidence().map(|evidence| describe_evidence(&flow, evidence)));
    // What was told of the end stays told: a promise that was broken afterwards stands beside it.
    let broken_promise = trouble.clone().filter(|_| coordinator.decision().is_some());
    let trouble = trouble.filter(|_| standing == Standing::Suspended);
    Ok(Some(Story { stored, view, flow, lines, standing, trouble, keys, broken_promise }))
}

/// The state that the journal leads to and its lines, as far as they can be trusted, and what is wrong with the first that cannot.
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

impl Story {
    /// What the journal alone does not show, a sentence each: `placed` is when it was placed, in words, and `has_road` whether
    /// the roads tell what became of the messengers.
    pub fn notes(&self, placed: Option<impl Display>, has_road: bool) -> Vec<String> {
        let mut notes: Vec<String> = placed.map(|placed| format!("Times count from {placed}.")).into_iter().collect();
        let (not_sent, sent): (Vec<&Try>, Vec<&Try>) =
            self.view.tries.iter().partition(|attempt| Came::of(attempt) == Came::NotSent);
        if let Some(last) = not_sent.last() {
            let requests = counted(not_sent.len() as u64, "request");
            notes.push(format!("Of {requests} nothing left, and nothing is drawn; the last was {}.", last.seen));
        }
        if !sent.is_empty() && !has_road {
            notes.push(
                "Drawn from the journal alone: what became of an unanswered messenger is not known on this side. \
                 The roads' logs (--road FILE) tell."
                    .to_owned(),
            );
        }
        notes.extend(self.broken_promise.iter().map(|what| format!("A participant broke its promise: {what}.")));
        notes
    }

    /// The requests that left, each with what was asked and what its answer says in a few words, if one came. One that never
    /// left is drawn nowhere.
    pub fn requests(&self) -> impl Iterator<Item = (&Try, Operation, Option<String>)> {
        self.view
            .tries
            .iter()
            .filter_map(|attempt| Some((attempt, Operation::from_name(attempt.operation)?, came_in_words(attempt)?)))
    }

    /// Its journal by itself, to be kept.
    ///
    /// # Errors
    /// It cannot be trusted.
    pub fn kept(&self) -> Result<Kept, KeptError> {
        let names = self.flow.steps().iter().map(|step| step.name.clone()).collect();
        let StoredSaga { id, version, entries, .. } = &self.stored;
        Kept::new((id, self.flow.name()), names, self.flow.plan(), *version, entries)
    }
}

/// What came of a request that left, in a few words; `None` if it never left.
fn came_in_words(attempt: &Try) -> Option<Option<String>> {
    match Came::of(attempt) {
        Came::NotSent => None,
        Came::Nothing => Some(None),
        Came::Absent(status) => Some(Some(format!("{status}, nothing there"))),
        Came::Later(status) => Some(Some(format!("{status}, to be answered later"))),
        Came::Meaningless(status) => Some(Some(format!("{status}, not understood"))),
    }
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
            came_in_words(&attempt)
        };
        assert_eq!(drawn("not sent: its time is over"), None);
        assert_eq!(drawn("no answer within 500 ms"), Some(None));
        assert_eq!(drawn("404 absent, which proves nothing"), Some(Some("404, nothing there".to_owned())));
        assert_eq!(drawn("400 that means nothing"), Some(Some("400, not understood".to_owned())));
    }
}
