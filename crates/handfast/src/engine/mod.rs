//! The engine: takes orders, and drives every saga to *both* or *neither*.

mod adopt;
mod amounts;
mod asked;
mod attention;
mod beside;
mod bodies;
mod builder;
mod calls;
mod came;
mod clocks;
mod cures;
mod decided;
mod definitions;
mod difference;
mod drive;
mod error;
mod followers;
mod for_others;
mod guard;
mod handle;
mod hints;
mod journaled;
mod kept;
mod listed;
mod lives;
mod looked_through;
mod money;
mod named;
mod observe;
mod obstacle;
mod open_money;
mod options;
mod order;
mod participants;
mod person;
mod ready;
mod reason;
mod registry;
mod replaced;
mod room;
mod schedule;
mod shared;
mod stats;
mod steps;
mod tally;
mod trail;
mod trouble;
mod view;
mod wakes;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use handfast_protocol::Time;
use tokio::sync::{oneshot, watch};

pub use adopt::{Chosen, OtherDefinition, OtherDefinitions};
pub use amounts::{Money, NotMoney};
pub use builder::EngineBuilder;
pub use came::Came;
pub use clocks::{ClockStats, time_in};
pub use decided::Decided;
pub use definitions::count_links;
pub use difference::{Difference, StepDifference};
pub use error::{AdoptError, CancelError, OpenError, SubmitError};
pub use handle::{NoOutcome, Progress, SagaHandle, describe_evidence};
pub use hints::HintResult;
#[cfg(test)]
pub(crate) use kept::JournalReceipts;
pub use listed::{ListFilter, ListPage, Listed, list_in};
pub use looked_through::LookedThrough;
pub use observe::{Happened, SAGA_EVENTS};
pub use open_money::{OpenMoney, Sum, Sums};
pub use options::Options;
pub use order::{MAX_BODY_BYTES, Order};
pub use participants::{
    AcceptError, Accepted, ParticipantView, Resting, RestingPage, accept_in, amount_in_words, participants_in, resting_in,
};
pub use person::{
    Act, ActError, ActResult, Acted, Deed, Foreseen, ForeseenPage, Outturn, Possible, Remains, Stake, WhyNot, act_as_foreseen_in,
    act_in, cancel_in, check_said, foresee_in, outturn_in,
};
pub use reason::MAX_REASON_CHARACTERS;
pub(crate) use reason::what_is_wrong_if_said;
pub use shared::CancelResult;
pub use stats::{Places, Stats, Totals};
pub use steps::{AnswerSeen, StepView};
pub use tally::{FlowStats, PersonNeeded};
pub use view::{Journal, SagaView, saga_in, saga_of, saga_with_journal};

use crate::flow::{FlowStep, is_of_flow};
use crate::journal::Said;
use crate::key::is_saga_id;
use crate::participant::Unfit;
use crate::store::{Counts, Created, Digest, Store, StoreError, StoredSaga, Unanswered};
use definitions::Definition;
use journaled::{Journaled, Loaded, Placing};
use person::{Followed, Through};
use registry::{Arrival, Mail};
use shared::Shared;

/// Takes orders and drives them to their ends.
///
/// ```
/// use std::sync::Arc;
///
/// use handfast::participant::InMemory;
/// use handfast::store::MemoryStore;
/// use handfast::{Engine, Flow, Order, Outcome};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// // What outlives the program: here in memory, otherwise `SqliteStore::open("shop.db")`.
/// let store = Arc::new(MemoryStore::new());
/// let open = || async {
///     let flow = Flow::builder("shop").compensatable("payment", "bank").pivot("dispatch", "depot").build()?;
///     let engine = Engine::builder(store.clone()).flow(flow).participant("bank", InMemory::new(|_, _| true));
///     Ok::<_, Box<dyn std::error::Error>>(engine.participant("depot", InMemory::new(|_, _| true)).open().await?)
/// };
/// let engine = open().await?;
/// engine.submit(Order::new("order-1", "{}").body("payment", "{}").body("dispatch", "{}")).await?;
/// // Stopped in the middle of it and started again, it goes on by itself, and can be looked at.
/// drop(engine);
/// let engine = open().await?;
/// let mut saga = engine.follow("order-1").await?.expect("it was placed");
/// assert_eq!(saga.outcome().await?, Outcome::Completed);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// Clones are the same engine; the last one that is dropped stops it, and
/// what was placed goes on when its store is opened again.
#[derive(Clone)]
pub struct Engine(Arc<Running>);

struct Running {
    shared: Arc<Shared>,
    flows: Mutex<Arc<BTreeMap<String, Arc<Definition>>>>,
    /// One change of the flows at a time.
    replacing: tokio::sync::Mutex<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.stop();
    }
}

impl Engine {
    /// Begins to set up an engine on this store.
    #[must_use]
    pub fn builder(store: Arc<dyn Store>) -> EngineBuilder {
        EngineBuilder::new(store)
    }

    /// Places an order. When this resolves it is flushed, and nothing but a person can keep it from its end. Placing the
    /// same order again gives the same saga.
    ///
    /// Cancelling this future stops nothing: what was begun is placed, counted and driven all the same.
    ///
    /// # Errors
    /// Why it was not placed.
    pub async fn submit(&self, mut order: Order) -> Result<SagaHandle, SubmitError> {
        let shared = &self.0.shared;
        if shared.is_stopping() {
            return Err(SubmitError::Stopping);
        }
        let definition = self.definition_for(&mut order)?;
        if let Some(why) = shared.clock_refuses(|| definition.flow().plan().is_timed()) {
            return Err(SubmitError::Clock { why });
        }
        let flow = definition.shared_flow();
        let Order { id, request_key, input, bodies, .. } = order;
        let name: Arc<str> = id.as_str().into();
        let handle = SagaHandle::new(Arc::clone(&name), shared);
        let placing = Placing { id, request_key, input: input.clone(), bodies: bodies::shared(bodies), definition };
        // Only a panic ends the task early, and then it is unknown how far it came.
        let placed = tokio::spawn(place(Arc::clone(shared), Arc::clone(&name), placing)).await;
        let broke_off = StoreError::Unavailable(Unanswered::BrokeOff { what: "placing the order" });
        let placed = placed.unwrap_or(Err(broke_off));
        match placed {
            Ok(Created::New) => return Ok(handle.of_new()),
            Ok(Created::Same) => handle::look_up(shared, &name).await,
            Ok(Created::Different) => {
                // A flow that was edited since makes no other order of it: the saga keeps its own. A flow of another name does.
                let stored = shared.store.load(&name).await.map_err(SubmitError::Store)?;
                let is_same = |stored: &StoredSaga| stored.input == input && is_of_flow(&stored.flow_text, flow.name());
                let Some(stored) = stored.filter(is_same) else {
                    return Err(SubmitError::DifferentBody { id: name.to_string() });
                };
                handle::tell_followers(shared, &name, Journaled::from_stored(&stored, &shared.definitions));
            }
            Ok(Created::KeyTaken { id }) => return Err(SubmitError::KeyTaken { id }),
            Err(error) => return Err(SubmitError::Store(error)),
        }
        Ok(handle)
    }

    fn definition_for(&self, order: &mut Order) -> Result<Arc<Definition>, SubmitError> {
        if !is_saga_id(&order.id) {
            return Err(SubmitError::Id { id: order.id.clone() });
        }
        let flows = self.flows();
        let definition = match &order.flow {
            Some(name) => flows.get(name),
            None => flows.values().next().filter(|_| flows.len() == 1),
        };
        let Some(definition) = definition else {
            let known = flows.keys().cloned().collect();
            return Err(SubmitError::Flow { name: order.flow.clone(), known });
        };
        let flow = definition.flow();
        if order.definition.is_some_and(|wanted| wanted != flow.hash()) {
            return Err(SubmitError::Redefined { flow: flow.name().to_owned() });
        }
        let refuse = |why| Err(SubmitError::Bodies { flow: flow.name().to_owned(), why });
        if let Err(why) = order.arrange(flow.steps().iter().map(|step| step.name.as_str())) {
            return refuse(why);
        }
        if let Some((step, body)) = flow.steps().iter().zip(&order.bodies).find(|(_, body)| body.len() > MAX_BODY_BYTES) {
            return refuse(format!("the one of step {} has {} bytes, and {MAX_BODY_BYTES} are the most", step.name, body.len()));
        }
        for (step, body) in flow.steps().iter().zip(&order.bodies) {
            if let Err(why) = check_requests(&order.id, step, body) {
                return refuse(format!("the one of step {}: {why}", step.name));
            }
        }
        Ok(Arc::clone(definition))
    }

    /// Follows a saga that was placed before. `None` if there is none of this id.
    ///
    /// # Errors
    /// The store's.
    pub async fn follow(&self, id: &str) -> Result<Option<SagaHandle>, StoreError> {
        let shared = &self.0.shared;
        let id: Arc<str> = id.into();
        let handle = SagaHandle::new(Arc::clone(&id), shared);
        let Some(stored) = shared.store.load(&id).await? else { return Ok(None) };
        handle::tell_followers(shared, &id, Journaled::from_stored(&stored, &shared.definitions));
        Ok(Some(handle))
    }

    /// Asks for a saga to end in *neither*, if it still can. Who asks and why is kept in its journal: at most
    /// [`MAX_REASON_CHARACTERS`] each, without control characters or what could be a card's number.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn cancel(&self, id: &str, by: Option<&str>, why: Option<&str>) -> Result<CancelResult, CancelError> {
        let shared = &self.0.shared;
        reason::check(by, why)?;
        if let Some(why) = shared.clock_trouble() {
            return Err(CancelError::Clock { why });
        }
        let name: Arc<str> = id.into();
        if !shared.is_active(id) {
            match Journaled::load(&*shared.store, id, &shared.definitions).await {
                Ok(Loaded::Ready(saga)) if saga.is_at_rest() => {
                    return Ok(drive::cancel_result(saga.decision(), saga.standing()));
                }
                Ok(Loaded::Ready(_)) => {}
                Ok(Loaded::Missing) => return Ok(CancelResult::Unknown),
                Ok(Loaded::Suspended(_)) | Err(StoreError::Corrupt { .. }) => return Ok(CancelResult::Suspended),
                Ok(Loaded::LeftAlone(left) | Loaded::Differs(left)) => {
                    return self.cancel_left_alone(&name, (by, why), left.reason).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
        let (reply, answer) = oneshot::channel();
        shared.tell(&name, Mail::Cancel { by: by.map(str::to_owned), why: why.map(str::to_owned), reply });
        if let Ok(result) = answer.await {
            return Ok(result);
        }
        if let Some(reason) = shared.attention.left_alone.of(id) {
            return self.cancel_left_alone(&name, (by, why), reason).await;
        }
        if let Some(reason) = shared.attention.unreadable.of(id) {
            return Err(CancelError::Store(StoreError::Unavailable(Unanswered::InTheWay { why: reason })));
        }
        if shared.attention.suspended.of(id).is_some() { Ok(CancelResult::Suspended) } else { Err(CancelError::Stopping) }
    }

    /// Nothing is sent for it here, but its journal can be followed all the same: it keeps the wish, and it turns back as soon as
    /// anything is sent for it.
    async fn cancel_left_alone(
        &self,
        id: &Arc<str>,
        (by, why): (Option<&str>, Option<&str>),
        reason: String,
    ) -> Result<CancelResult, CancelError> {
        let shared = &self.0.shared;
        match person::cancel_in(&*shared.store, id, by, why, shared.journal_now()).await {
            Ok(result) => {
                if result == CancelResult::Accepted {
                    shared.tell(id, Mail::Reload);
                }
                Ok(result)
            }
            Err(ActError::Store(error)) => Err(error.into()),
            Err(ActError::Text { .. } | ActError::Unreadable { .. } | ActError::Clock { .. } | ActError::Stopping) => {
                Err(CancelError::LeftAlone { id: id.to_string(), reason })
            }
        }
    }

    /// A person does something about a saga that cannot go on by itself. When this resolves it is in the journal, and the saga
    /// goes on from there.
    ///
    /// # Errors
    /// Why there is no result.
    pub async fn act(&self, id: &str, act: &Act, said: &Said) -> Result<ActResult, ActError> {
        self.take(id, (&Deed::Act(act.clone()), said, None)).await
    }

    /// Takes a deed as it was foreseen: only where the saga's last entry still has that number, which is `said.saw`, and that digest.
    /// The id of its request is kept with it, so it is done once.
    ///
    /// # Errors
    /// Why there is no result.
    pub async fn act_as_foreseen(&self, id: &str, deed: &Deed, said: &Said, digest: Digest) -> Result<ActResult, ActError> {
        self.take(id, (deed, said, Some(digest))).await
    }

    /// What a deed would come to, of the sagas of a page of a list.
    ///
    /// # Errors
    /// The store's.
    pub async fn foresee(&self, filter: &ListFilter, deed: &Deed) -> Result<ForeseenPage, StoreError> {
        person::foresee(&*self.0.shared.store, self.list(filter).await?, deed).await
    }

    /// What has come so far of a request by which something was done about a saga.
    ///
    /// # Errors
    /// Why it cannot be told.
    pub async fn outturn(&self, id: &str, request_id: &str) -> Result<Option<Outturn>, ActError> {
        person::outturn_in(&*self.0.shared.store, id, request_id).await
    }

    /// The id of the store in which its sagas are kept.
    #[must_use]
    pub fn store_id(&self) -> &str {
        self.0.shared.store.store_id()
    }

    async fn take(&self, id: &str, (deed, said, digest): (&Deed, &Said, Option<Digest>)) -> Result<ActResult, ActError> {
        let shared = &self.0.shared;
        if shared.is_stopping() {
            return Err(ActError::Stopping);
        }
        if let Some(why) = shared.clock_trouble() {
            return Err(ActError::Clock { why });
        }
        if deed.act() == Some(&Act::Retry)
            && let Some(held) = self.saga_without_tries(id).await?.filter(|view| view.is_held || view.is_uncalled)
        {
            // No request is sent for it, so a retry would change nothing.
            return Ok(ActResult::Pointless { can: held.can.iter().map(|possible| possible.act.name()).collect() });
        }
        let result = person::take_deed((&*shared.store, Through::Engine), id, (deed, said, digest), shared.journal_now()).await;
        if matches!(result, Ok(ActResult::Taken { .. }) | Err(ActError::Store(_))) {
            shared.tell(&id.into(), Mail::Reload);
        }
        result
    }

    /// Reads one saga, as people look at it. The tries that are kept of it are written first, so this takes as long as a write.
    ///
    /// # Errors
    /// The store's.
    pub async fn saga(&self, id: &str) -> Result<Option<SagaView>, StoreError> {
        view::view(&self.0.shared, id, self.0.shared.store.tries(id).await?).await
    }

    /// As [`saga`](Self::saga), but for its tries: waits for nothing that is being written.
    ///
    /// # Errors
    /// The store's.
    pub async fn saga_without_tries(&self, id: &str) -> Result<Option<SagaView>, StoreError> {
        view::view(&self.0.shared, id, Vec::new()).await
    }

    /// A page of sagas, in the order of their placing. Each is read from its journal.
    ///
    /// # Errors
    /// The store's.
    pub async fn list(&self, filter: &ListFilter) -> Result<ListPage, StoreError> {
        let shared = &self.0.shared;
        let is_held = |stored: &StoredSaga, _followed: Result<&Followed, &str>| {
            let is_undecided = stored.wake_at.is_some() && shared.definitions.holds(stored).is_some();
            is_undecided || shared.attention.left_alone.of(&stored.id).is_some()
        };
        let is_uncalled = |stored: &StoredSaga, _followed: Result<&Followed, &str>| view::is_uncalled(shared, stored);
        listed::list_of((&*shared.store, &shared.definitions), filter, (is_held, is_uncalled)).await
    }

    /// How many sagas stand how, read from the store.
    ///
    /// # Errors
    /// The store's.
    pub async fn counts(&self) -> Result<Counts, StoreError> {
        self.0.shared.store.counts().await
    }

    /// How many sagas stand how, live.
    #[must_use]
    pub fn totals(&self) -> watch::Receiver<Totals> {
        self.0.shared.totals.subscribe()
    }

    /// What the engine is at. Cheap: nothing is read from the store.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let shared = &self.0.shared;
        let participants: Vec<_> = shared.definitions.links().iter().map(|line| line.stats()).collect();
        let totals = *shared.totals.borrow();
        let active = shared.active() as u64;
        Stats {
            totals,
            active,
            parked: totals.in_doubt.saturating_sub(active),
            in_flight: participants.iter().map(|line| line.in_flight).sum(),
            suspended: shared.attention.suspended.all(),
            left_alone: shared.attention.left_alone.all(),
            unconfirmed: shared.attention.unconfirmed.all(),
            store_trouble: shared.attention.store_trouble(),
            flows: shared.tally.flows(),
            person_needed: shared.tally.evidence(),
            store: shared.timed.took(),
            places: shared.places(),
            clock: shared.clock_stats(),
            participants,
        }
    }

    /// Whether the store is still the one that was opened: an order would not be taken otherwise.
    ///
    /// # Errors
    /// [`StoreError::Gone`].
    pub fn check_store(&self) -> Result<(), StoreError> {
        self.0.shared.store.intact()
    }

    /// Whether the store answers: something of it is read.
    ///
    /// # Errors
    /// Why it does not.
    pub async fn store_answers(&self) -> Result<(), StoreError> {
        self.0.shared.store.reachable().await
    }

    /// Whether an order would be taken now. Where nothing was written lately a small write tries whether anything is taken.
    ///
    /// # Errors
    /// What would be in its way.
    pub async fn check_ready(&self) -> Result<(), StoreError> {
        let is_timed = || self.flows().values().any(|definition| definition.flow().plan().is_timed());
        ready::check(&self.0.shared, is_timed).await
    }

    /// Calls a participant again that was found *behind* or silent. Says whether any flow names it.
    #[must_use]
    pub fn resume_participant(&self, name: &str) -> bool {
        let shared = &self.0.shared;
        let line = shared.definitions.links().into_iter().find(|line| line.name() == name);
        if let Some(line) = &line {
            line.resume();
            shared.wake_early();
        }
        line.is_some()
    }

    /// The time by the engine's wall clock.
    #[must_use]
    pub fn now(&self) -> Time {
        self.0.shared.options.clock.wall()
    }

    /// Stops: takes no more orders, lets every saga finish what it is writing, and returns when all are out of memory
    /// or `longest` has passed. Says whether all were out. Nothing is lost either way: kill -9 is always safe.
    pub async fn shutdown(&self, longest: Duration) -> bool {
        let shared = &self.0.shared;
        shared.stop();
        let emptied = async {
            loop {
                let idle = shared.registry.idle.notified();
                tokio::pin!(idle);
                // Registered before the count is read, so that the last one to leave is not missed.
                idle.as_mut().enable();
                if shared.active() == 0 {
                    return;
                }
                idle.await;
            }
        };
        tokio::time::timeout(longest, emptied).await.is_ok()
    }
}

/// Places a saga, and has it counted and driven from then on, even if the caller has gone.
async fn place(shared: Arc<Shared>, name: Arc<str>, placing: Placing) -> Result<Created, StoreError> {
    let now = shared.now();
    match shared.attention.trouble.after_order(Journaled::place(&*shared.store, shared.journal_now(), placing).await) {
        Ok((created, None)) => Ok(created),
        Ok((created, Some(saga))) => {
            shared.count(None, saga.standing());
            shared.tally.placed(saga.definition().flow().name());
            shared.observer.tell(&Happened::Placed { saga: &name, flow: saga.definition().flow().name() });
            let definition = Arc::clone(saga.definition());
            if !shared.start(&name, Arrival::Placed(Box::new(saga))) {
                shared.wakes.note(now);
            }
            // Other flows may have come to hand while it was written. A saga that is in memory then is looked at again.
            let flow = definition.flow();
            if shared.definitions.held(flow.hash(), flow.text()).is_some() {
                shared.tell(&name, Mail::Flows);
            }
            Ok(created)
        }
        Err(error) => {
            // If it was placed after all, it is found in the index.
            shared.wakes.note(now);
            Err(error)
        }
    }
}

/// Whether every request that this body leads to can be made, as far as it alone decides that.
fn check_requests(id: &str, step: &FlowStep, body: &[u8]) -> Result<(), String> {
    let Some(templates) = &step.http else { return Ok(()) };
    let body = serde_json::from_slice(body).map_err(|why| format!("it is not JSON ({why})"))?;
    templates.check(id, &step.name, &body).map_err(|Unfit { field, why }| match field {
        Some(field) => format!("{field}: {why}"),
        None => why,
    })
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Engine").field(&self.stats()).finish()
    }
}
