//! One saga as people look at it: how it stands, what is known of each step, its journal and its tries.

use handfast_protocol::{Coordinator, Definite, Kind, Operation, Outcome, Party as _, Standing, Time};

use super::handle::describe;
use super::journaled::{Journaled, Loaded};
use super::obstacle;
use super::person::{Followed, Possible, Remains};
use super::shared::Shared;
use crate::journal::{Line, why_not_done};
use crate::key::KeyParts;
use crate::store::{Entry, StoreError, Try};

/// A saga, read from its store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SagaView {
    /// Its id.
    pub id: String,
    /// How it stands, in the words of [`Standing::name`].
    pub standing: String,
    /// How it ended, if it has.
    pub outcome: Option<Outcome>,
    /// The name of its flow; `None` if its definition cannot be read here.
    pub flow: Option<String>,
    /// What is known of its steps, in order; empty if its journal cannot be replayed here.
    pub steps: Vec<StepView>,
    /// When it was placed.
    pub created: Time,
    /// When it is looked at next; `None` once it is suspended, or has ended and is not watched any more.
    pub wake_at: Option<Time>,
    /// Of a saga that has ended: until when at least it is watched for an effect that comes late. `None` if nobody needs to look any more.
    pub watched_until: Option<Time>,
    /// The order as it was submitted.
    pub input: Vec<u8>,
    /// Its journal.
    pub entries: Vec<Entry>,
    /// Its latest tries without a definite answer, oldest first; none where they were not asked for.
    pub tries: Vec<Try>,
    /// Why it cannot go on by itself, if it cannot, or what is in its way while it is on its way; of a saga that has ended, how
    /// a participant broke its promise afterwards.
    pub trouble: Option<String>,
    /// Where there is trouble, what remains in effect, or may, by what the journal shows.
    pub remains: Vec<Remains>,
    /// What a person can do about it.
    pub can: Vec<Possible>,
}

/// What is known of one step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StepView {
    /// Its name.
    pub name: String,
    /// What it can promise.
    pub kind: Kind,
    /// Who takes it.
    pub participant: String,
    /// Its key at the participant.
    pub key: String,
    /// The highest command that was asked for it.
    pub asked: Option<Operation>,
    /// The furthest state of its key that an answer has shown.
    pub known: Option<Definite>,
    /// Why that is not `done`, in the participant's own words, where it gave any: `card_declined`.
    pub detail: Option<String>,
}

impl SagaView {
    /// Something is asked for, and no definite answer is known.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        self.outcome.is_none() && self.standing != Standing::Suspended.name()
    }
}

/// Everything about a saga, with these of its tries. Without them nothing has to be written before it can be read.
pub(crate) async fn view(shared: &Shared, id: &str, tries: Vec<Try>) -> Result<Option<SagaView>, StoreError> {
    let Some(stored) = shared.store.load(id).await? else { return Ok(None) };
    let mut view = SagaView {
        id: stored.id.clone(),
        standing: stored.standing.clone(),
        outcome: None,
        flow: None,
        steps: Vec::new(),
        created: stored.created,
        wake_at: stored.wake_at,
        watched_until: None,
        input: stored.input.clone(),
        entries: stored.entries.clone(),
        tries,
        trouble: stored.why.clone(),
        remains: Vec::new(),
        can: Vec::new(),
    };
    let for_person = Followed::of(&stored).map(|followed| followed.for_person(&stored)).ok();
    match Journaled::from_stored(stored, &shared.definitions) {
        Ok(Loaded::Ready(saga)) => {
            read_state(&mut view, &saga, shared.store.store_id());
            if view.trouble.is_none() && view.outcome.is_none() {
                view.trouble = obstacle::of(shared, &saga, &view.tries);
            }
        }
        Ok(Loaded::Suspended(reason) | Loaded::LeftAlone(reason) | Loaded::Differs(reason)) => view.trouble = Some(reason),
        Ok(Loaded::Missing) => {}
        // The journal is shown as it is: whoever looks wants to see what is wrong with it.
        Err(StoreError::Corrupt { what, .. }) => view.trouble = Some(what),
        Err(error) => return Err(error),
    }
    if let Some(for_person) = for_person {
        (view.remains, view.can) = (for_person.remains, for_person.can);
        view.trouble = for_person.trouble.or(view.trouble);
    }
    Ok(Some(view))
}

/// Until when at least a saga of so many steps is watched that has ended.
pub(super) fn watched_until(coordinator: &Coordinator, steps: usize) -> Option<Time> {
    coordinator.decision()?;
    (0..steps).filter_map(|step| coordinator.watch_ends_at(step)).max()
}

fn read_state(view: &mut SagaView, saga: &Journaled, store_id: &str) {
    let flow = saga.definition().flow();
    view.flow = Some(flow.name().to_owned());
    view.outcome = saga.decision();
    view.watched_until = watched_until(saga.coordinator(), flow.steps().len());
    view.trouble = saga.coordinator().evidence().map(|evidence| describe(saga, evidence));
    // A saga that could be replayed has no line that cannot be read.
    let lines: Vec<Line> = view.entries.iter().filter_map(|entry| Line::read(saga.version(), &entry.input).ok()).collect();
    view.steps = flow
        .steps()
        .iter()
        .zip(flow.plan().steps())
        .enumerate()
        .map(|(at, (step, plan))| {
            let (asked, known) = saga.coordinator().step_state(at);
            let key = KeyParts { store: store_id, saga: &view.id, step: &step.name }.key();
            let detail = known.and_then(|known| why_not_done(&lines, at, known)).map(str::to_owned);
            let (name, participant) = (step.name.clone(), step.participant.to_string());
            StepView { name, kind: plan.kind, participant, key, asked, known, detail }
        })
        .collect();
}
