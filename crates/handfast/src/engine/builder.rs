//! Setting up an engine: its store, its flows and participants, its limits, and what it finds in the store when it opens.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use super::adopt::{self, OtherDefinitions};
use super::definitions::{Definitions, FlowResolver, KeptOfParticipants, Links};
use super::error::OpenError;
use super::for_others::ForOthers;
use super::observe::Happened;
use super::options::Options;
use super::shared::Shared;
use super::stats::Totals;
use super::tally::Tally;
use super::{Engine, Running, clocks, observe, schedule};
use crate::delivery::{Jitter, Memories};
use crate::flow::Flow;
use crate::participant::{Participant, Secret};
use crate::store::{Store, TimedStore};

/// Sets up an [`Engine`].
pub struct EngineBuilder {
    store: Arc<dyn Store>,
    flows: Vec<Arc<Flow>>,
    participants: BTreeMap<String, Arc<dyn Participant>>,
    secrets: BTreeMap<String, Secret>,
    resolver: Option<FlowResolver>,
    others: OtherDefinitions,
    options: Options,
    observer: observe::Observer,
}

impl EngineBuilder {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            flows: Vec::new(),
            participants: BTreeMap::new(),
            secrets: BTreeMap::new(),
            resolver: None,
            others: OtherDefinitions::default(),
            options: Options::default(),
            observer: observe::Observer::default(),
        }
    }

    /// Adds a flow that orders can follow.
    #[must_use]
    pub fn flow(mut self, flow: impl Into<Arc<Flow>>) -> Self {
        self.flows.push(flow.into());
        self
    }

    /// Adds a participant that flows can name. Participants that flows name by URL need not be added.
    #[must_use]
    pub fn participant(mut self, name: &str, participant: impl Participant) -> Self {
        self.participants.insert(name.to_owned(), Arc::new(participant));
        self
    }

    /// As [`participant`](Self::participant), for one that the application shares with other code.
    #[must_use]
    pub fn shared_participant(mut self, name: &str, participant: Arc<dyn Participant>) -> Self {
        self.participants.insert(name.to_owned(), participant);
        self
    }

    /// Gives a secret that templates name. Without this it comes from the environment, as `NAME` or from the file that
    /// `NAME_FILE` names.
    #[must_use]
    pub fn secret(mut self, name: &str, secret: Secret) -> Self {
        self.secrets.insert(name.to_owned(), secret);
        self
    }

    /// How to read the stored definition of a flow that is not configured any more. Definitions of flows that were
    /// built in code are read without it.
    #[must_use]
    pub fn resolver(
        mut self,
        read: impl Fn(&str) -> Result<Flow, Box<dyn std::error::Error + Send + Sync>> + Send + Sync + 'static,
    ) -> Self {
        self.resolver = Some(Box::new(read));
        self
    }

    /// What becomes of open orders that follow another definition than the flows that were added. Without this they go on
    /// with their own.
    #[must_use]
    pub fn other_definitions(mut self, others: OtherDefinitions) -> Self {
        self.others = others;
        self
    }

    /// Replaces the limits and waiting times.
    #[must_use]
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Tells `observer` of everything that happens to sagas here, for metrics. It is called where it happens, so it has to be quick,
    /// and it changes nothing: where it panics that is logged once, and the saga goes on. It is told of what is durable: of an answer
    /// once that is in the journal. The same is reported through `tracing`, with [`SAGA_EVENTS`](crate::SAGA_EVENTS) for a target; what
    /// is reported while a saga is driven stands in a span `saga` with its id and flow, and of a request in a span `request` with its
    /// step, participant, operation and number.
    #[must_use]
    pub fn observer(mut self, observer: impl Fn(&Happened<'_>) + Send + Sync + 'static) -> Self {
        self.observer = observe::Observer::calling(observer);
        self
    }

    /// Opens the engine: every unfinished saga in the store goes on at once.
    ///
    /// # Errors
    /// A flow that cannot be followed, or the store's.
    pub async fn open(self) -> Result<Engine, OpenError> {
        let Self { store, flows, participants, secrets, resolver, others, options, observer } = self;
        let timed = Arc::new(TimedStore::new(store));
        let store: Arc<dyn Store> = Arc::clone(&timed) as _;
        let kept = KeptOfParticipants::in_store(&*store).await?;
        let memories = Arc::new(Memories::new(&kept.seen));
        let lines = Links::new(&options, (participants, secrets), (Arc::clone(&store), kept, Arc::clone(&memories)));
        let definitions = Definitions::new(resolver, lines);
        let mut by_name = BTreeMap::new();
        for flow in flows {
            let name = flow.name().to_owned();
            let definition = definitions.add(flow)?;
            if by_name.insert(name.clone(), definition).is_some() {
                return Err(OpenError::TwoFlows { name });
            }
        }
        let at_hand = by_name.iter().map(|(name, definition)| (name.clone(), definition.shared_flow())).collect();
        adopt::settle(&*store, &options, &at_hand, &definitions, &others).await?;
        let for_others = ForOthers::of(&definitions);
        let is_to_keep = for_others.keep_unless_unavailable(&*store).await?;
        let was_decided = matches!(others, OtherDefinitions::Adopt(_) | OtherDefinitions::KeepAll(_));
        let totals = Totals::of(&store.counts().await?);
        let tally = Tally::of(by_name.values().map(|definition| definition.flow()));
        let seed = options.seed.unwrap_or_else(|| uuid::Uuid::now_v7().as_u64_pair().1);
        let shared =
            Arc::new(Shared::new(timed, options, (definitions, memories), (Jitter::new(seed), observer), (totals, tally)));
        shared.check_clock().await;
        tokio::spawn(clocks::watch(Arc::downgrade(&shared)));
        tokio::spawn(schedule::schedule(Arc::clone(&shared)));
        if is_to_keep {
            tokio::spawn(ForOthers::keep_later(Arc::downgrade(&shared)));
        }
        if was_decided {
            tokio::spawn(adopt::wake_suspended(Arc::clone(&shared)));
        }
        let (flows, replacing) = (Mutex::new(Arc::new(by_name)), tokio::sync::Mutex::new(()));
        Ok(Engine(Arc::new(Running { shared, flows, replacing })))
    }
}

impl fmt::Debug for EngineBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineBuilder").field("flows", &self.flows).field("options", &self.options).finish_non_exhaustive()
    }
}
