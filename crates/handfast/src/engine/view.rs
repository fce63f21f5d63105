//! One saga as people look at it: how it stands, what is known of each step, its journal and its tries.

use handfast_protocol::{Coordinator, Outcome, Party as _, Standing, Time};

use super::beside::Beside;
use super::handle::describe;
use super::journaled::{Journaled, Loaded};
use super::obstacle;
use super::person::{Act, Acted, Followed, ForPerson, OwnDefinitions, Possible, Remains};
use super::shared::Shared;
use super::steps::{Known, StepView};
use super::trail::Trail;
use crate::flow::{Flow, name_in};
use crate::journal::Line;
use crate::store::{Entry, Store, StoreError, StoredSaga, Try};

/// A saga, read from its store.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct SagaView {
    /// Its id.
    pub id: String,
    /// How it stands, in the words of [`Standing::name`].
    pub standing: String,
    /// How it ended, if it has.
    pub outcome: Option<Outcome>,
    /// The name of the flow that it was placed with, whether or not its journal can be followed here; `None` if what is stored of
    /// its definition says none.
    pub flow: Option<String>,
    /// What is known of its steps, in order; empty if its journal cannot be replayed here.
    pub steps: Vec<StepView>,
    /// When it was placed.
    pub created: Time,
    /// When it is looked at next; `None` once it is suspended, or has ended and is not watched any more.
    pub wake_at: Option<Time>,
    /// Of a saga that has ended: until when at least it is watched for an effect that comes late. `None` if it need not be
    /// looked at any more.
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
    /// What asking for *neither* would do, in one sentence, where that would change something.
    pub cancel: Option<String>,
    /// What people have done about it.
    pub acts: Vec<Acted>,
    /// Nothing is sent for it here, for the reason in `trouble`, before a person decides or another program drives it; nothing is
    /// wrong with it.
    pub is_held: bool,
    /// No request is sent for it, since a participant's store was restored and no person has accepted that yet.
    pub is_uncalled: bool,
}

impl SagaView {
    /// It has neither ended nor waits for a person.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        self.outcome.is_none() && self.standing != Standing::Suspended.name()
    }

    /// The number of its last entry, which an act names.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.entries.len() as u64
    }

    /// Of what is stored what can be read without following the journal.
    fn unread(stored: &StoredSaga, tries: Vec<Try>) -> Self {
        Self {
            id: stored.id.clone(),
            standing: stored.standing.clone(),
            outcome: None,
            flow: name_in(&stored.flow_text),
            steps: Vec::new(),
            created: stored.created,
            wake_at: stored.wake_at,
            watched_until: None,
            input: Vec::new(),
            entries: Vec::new(),
            tries,
            trouble: stored.why.clone(),
            remains: Vec::new(),
            can: Vec::new(),
            cancel: None,
            acts: Vec::new(),
            is_held: false,
            is_uncalled: false,
        }
    }

    /// A retry would change nothing where no request is sent at all.
    fn retry_where_it_helps(&mut self) {
        if self.is_held || self.is_uncalled {
            self.can.retain(|possible| possible.act != Act::Retry);
        }
    }

    fn add(&mut self, for_person: ForPerson) {
        let ForPerson { steps, remains, can, cancel, acts, .. } = for_person;
        (self.steps, self.remains, self.can, self.cancel, self.acts) = (steps, remains, can, cancel, acts);
    }
}

/// A saga as its store has it, for a reader without an engine. `None` if there is none of this id.
///
/// What only the engine knows that drives it is not in it: what is in its way while it is on its way. Whether it is held there is
/// read from the definitions at hand that the store keeps, which are those of the engine that was opened on it last.
///
/// # Errors
/// The store's.
pub async fn saga_in(store: &dyn Store, id: &str) -> Result<Option<SagaView>, StoreError> {
    let Some(stored) = store.load(id).await? else { return Ok(None) };
    saga_of(store, &stored).await.map(Some)
}

/// The same of a saga that was just loaded from there.
///
/// # Errors
/// The store's.
pub async fn saga_of(store: &dyn Store, stored: &StoredSaga) -> Result<SagaView, StoreError> {
    saga_with_journal(store, stored).await.map(|(view, _)| view)
}

/// What a saga's journal says.
#[derive(Debug)]
#[non_exhaustive]
pub struct Journal {
    /// Line by line.
    pub lines: Vec<Line>,
    /// The state that it leads to.
    pub coordinator: Coordinator,
}

/// The same as [`saga_of`], with what its journal says, which is read once for both; without where it cannot be followed to its end.
///
/// # Errors
/// The store's.
pub async fn saga_with_journal(store: &dyn Store, stored: &StoredSaga) -> Result<(SagaView, Option<Journal>), StoreError> {
    let mut view = SagaView::unread(stored, store.tries(&stored.id).await?);
    let beside = Beside::of(store).await?;
    let followed = Followed::named_by(stored, |stored, follows| beside.named(stored, follows));
    if let Ok(followed) = &followed {
        let for_person = followed.for_person(stored, store.store_id(), &view.tries);
        view.standing = for_person.standing.name().to_owned();
        view.watched_until = for_person.watched_until;
        view.outcome = for_person.outcome;
        view.trouble.clone_from(&for_person.trouble);
        view.add(for_person);
    }
    let held = beside.why_held(stored, followed.as_ref().map_err(String::as_str));
    (view.is_held, view.is_uncalled) = (held.is_some(), beside.is_uncalled(followed.as_ref().ok()));
    view.retry_where_it_helps();
    view.trouble = joined(held, view.trouble);
    (view.input, view.entries) = (stored.input.clone(), stored.entries.clone());
    let journal = followed.ok().map(|followed| {
        let (lines, coordinator) = followed.into_journal();
        Journal { lines, coordinator }
    });
    Ok((view, journal))
}

/// Why it is held, and what else is wrong with it behind that.
fn joined(held: Option<String>, trouble: Option<String>) -> Option<String> {
    let said: Vec<String> = held.into_iter().chain(trouble).collect();
    (!said.is_empty()).then(|| said.join("; "))
}

/// Everything about a saga, with these of its tries. Without them nothing has to be written before it can be read.
pub(crate) async fn view(shared: &Shared, id: &str, tries: Vec<Try>) -> Result<Option<SagaView>, StoreError> {
    let Some(stored) = shared.store.load(id).await? else { return Ok(None) };
    let mut view = SagaView::unread(&stored, tries);
    let mut trail = Trail::default();
    let loaded = Journaled::follow(&stored, &shared.definitions, Some(&mut trail));
    let named = |stored: &StoredSaga, follows: &Flow| shared.definitions.named(stored, follows);
    let followed = match &loaded {
        Ok(Loaded::Ready(saga)) => match OwnDefinitions::of(&stored, named) {
            Ok(definitions) => Some(definitions.followed(&stored, saga.coordinator().clone(), trail)),
            Err(_) => {
                // What only a resolver of this engine can read is followed by its flow.
                let store_id = shared.store.store_id();
                let (coordinator, tries) = (saga.coordinator(), view.tries.as_slice());
                let known = Known { stored: &stored, store_id, trail: &trail, coordinator, tries };
                view.steps = known.steps(saga.definition().flow());
                None
            }
        },
        // What this engine does not drive may be followed all the same.
        Ok(_) | Err(_) => Followed::named_by(&stored, named).ok(),
    };
    let for_person = followed.as_ref().map(|followed| followed.for_person(&stored, shared.store.store_id(), &view.tries));
    match loaded {
        Ok(Loaded::Ready(saga)) => {
            view.outcome = saga.decision();
            view.is_uncalled = view.outcome.is_none() && obstacle::is_for_a_person(&saga);
            view.watched_until = watched_until(saga.coordinator(), saga.definition().flow().steps().len());
            view.trouble = saga.coordinator().evidence().map(|evidence| describe(&saga, evidence));
            if view.trouble.is_none() && view.outcome.is_none() {
                view.trouble = obstacle::of(shared, &saga, &view.tries);
            }
        }
        Ok(Loaded::Suspended(reason)) => view.trouble = Some(reason),
        Ok(Loaded::LeftAlone(left) | Loaded::Differs(left)) => {
            view.trouble = Some(left.reason);
            view.is_held = true;
        }
        Ok(Loaded::Missing) => {}
        // The journal is shown as it is, so that the reader sees what is wrong with it.
        Err(StoreError::Corrupt { what, .. }) => view.trouble = Some(what),
        Err(error) => return Err(error),
    }
    if let Some(mut for_person) = for_person {
        view.outcome = view.outcome.or(for_person.outcome);
        let told = for_person.trouble.take();
        view.add(for_person);
        // Why it is held comes before what else is wrong with it; what helps one that is not called is said in its trouble.
        view.trouble = if view.is_held { joined(view.trouble, told) } else { told.or(view.trouble) };
        view.retry_where_it_helps();
    }
    (view.input, view.entries) = (stored.input, stored.entries);
    Ok(Some(view))
}

/// Whether no request is sent for this saga, since a participant's store was restored.
pub(super) fn is_uncalled(shared: &Shared, stored: &StoredSaga) -> bool {
    let loaded = || Journaled::from_stored(stored, &shared.definitions);
    shared.definitions.is_any_behind()
        && matches!(loaded(), Ok(Loaded::Ready(saga)) if saga.decision().is_none() && obstacle::is_for_a_person(&saga))
}

/// Until when at least a saga of `steps` steps that has ended is watched.
pub(super) fn watched_until(coordinator: &Coordinator, steps: usize) -> Option<Time> {
    coordinator.decision()?;
    (0..steps).filter_map(|step| coordinator.watch_ends_at(step)).max()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::journal::READ;
    use crate::participant::InMemory;
    use crate::store::MemoryStore;
    use crate::{Engine, Flow, Order};

    #[tokio::test]
    async fn whoever_looks_at_a_saga_reads_each_entry_once() {
        let store = Arc::new(MemoryStore::new());
        let flow = Flow::builder("shop").compensatable("payment", "bank").pivot("dispatch", "depot").build().unwrap();
        let engine = Engine::builder(Arc::clone(&store) as Arc<dyn Store>).flow(flow);
        let engine = engine.participant("bank", InMemory::new(|_, _| true)).participant("depot", InMemory::new(|_, _| true));
        let engine = engine.open().await.unwrap();
        let order = Order::new("order-1", "{}").body("payment", "{}").body("dispatch", "{}");
        engine.submit(order).await.unwrap().outcome().await.unwrap();
        while engine.stats().active > 0 {
            tokio::task::yield_now().await;
        }
        READ.set(0);
        let view = engine.saga("order-1").await.unwrap().unwrap();
        assert!(view.steps.len() == 2 && view.steps[1].last_asked.is_some(), "{view:?}");
        assert_eq!((READ.replace(0), view.entries.len()), (3, 3), "by an engine");
        assert_eq!(saga_in(&*store, "order-1").await.unwrap().unwrap().steps, view.steps);
        assert_eq!(READ.replace(0), 3, "without one");
        let stored = store.load("order-1").await.unwrap().unwrap();
        let (_, journal) = saga_with_journal(&*store, &stored).await.unwrap();
        assert_eq!(journal.map(|journal| journal.lines.len()), Some(3));
        assert_eq!(READ.replace(0), 3, "with its lines");
        engine.follow("order-1").await.unwrap().unwrap();
        assert_eq!(READ.replace(0), 3, "by whoever follows it");
    }
}
