//! Which flow a saga follows, and the lines to its participants: sagas run under the definition they started with.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::cures::Named;
use super::error::OpenError;
use super::guard::Guard;
use super::kept::JournalReceipts;
use super::options::Options;
use super::participants::tell_accepted;
use crate::clock::Clock;
use crate::delivery::{Life, Link, LinkSettings, Memories};
use crate::flow::{Flow, FlowStep, ParticipantRef};
use crate::participant::{HttpParticipant, HttpTemplates, Participant, Secret, TemplateParticipant};
use crate::store::{Acceptance, Offer, Seen, Store, StoreError, StoredSaga};
use handfast_machine::locked;

/// Reads the stored definition of a flow that is not configured any more.
pub(crate) type FlowResolver = Box<dyn Fn(&str) -> Result<Flow, Box<dyn std::error::Error + Send + Sync>> + Send + Sync>;

/// A flow with the line to the participant of every step.
#[derive(Debug)]
pub(crate) struct Definition {
    flow: Arc<Flow>,
    lines: Vec<Arc<Link>>,
}

impl Definition {
    pub(crate) fn flow(&self) -> &Flow {
        &self.flow
    }

    pub(crate) fn shared_flow(&self) -> Arc<Flow> {
        Arc::clone(&self.flow)
    }

    pub(crate) fn link(&self, step: usize) -> Option<&Arc<Link>> {
        self.lines.get(step)
    }
}

pub(crate) struct Definitions {
    resolver: Option<FlowResolver>,
    by_hash: Mutex<BTreeMap<[u8; 32], Arc<Definition>>>,
    at_hand: Mutex<Option<Arc<AtHand>>>,
    lines: Mutex<Links>,
}

/// The flows at hand.
pub(super) struct AtHand {
    /// The flows at hand, and those that are leaving.
    pub(super) guard: Guard,
    /// Flows that take no orders any more since this engine was opened, and whose orders go on.
    pub(super) leaving: BTreeMap<String, Arc<Flow>>,
    /// Nothing is sent to an address that none of them names before a person decides.
    pub(super) holds_back: bool,
    /// Whether orders that follow a definition are held back by that, and why: by the definition's hash.
    pub(super) held: Mutex<BTreeMap<[u8; 32], Option<String>>>,
}

pub(crate) struct Links {
    pub(crate) in_process: BTreeMap<String, Arc<dyn Participant>>,
    /// Secrets that the program gave itself; all others come from the environment.
    pub(crate) secrets: BTreeMap<String, Secret>,
    /// Where the kept values of earlier answers are.
    pub(crate) store: Arc<dyn Store>,
    /// What the store had kept of participants when that was last read.
    pub(crate) kept: KeptOfParticipants,
    pub(crate) memories: Arc<Memories>,
    /// At most this many requests are in flight to one participant, whatever its step says.
    pub(crate) most_calls: usize,
    pub(crate) settings: LinkSettings,
    pub(crate) connect_timeout: Duration,
    pub(crate) clock: Clock,
    pub(crate) open: BTreeMap<LineTo, Arc<Link>>,
}

/// How many links the orders of these flows need. Definitions share no link to a service over HTTP, since what templates say
/// belongs to one of them.
#[must_use]
pub fn count_links<'a>(flows: impl IntoIterator<Item = &'a Flow>) -> usize {
    let links: BTreeSet<LineTo> =
        flows.into_iter().flat_map(|flow| flow.steps().iter().map(move |step| link_to(flow, step))).collect();
    links.len()
}

/// Whose link it is. Templates belong to one definition: another may call the same service in another way.
pub(crate) type LineTo = (ParticipantRef, Option<[u8; 32]>);

fn link_to(flow: &Flow, step: &FlowStep) -> LineTo {
    (step.participant.clone(), step.http.is_some().then(|| flow.hash()))
}

/// What a store has kept of the participants.
#[derive(Debug, Default)]
pub(crate) struct KeptOfParticipants {
    pub(crate) seen: Vec<Seen>,
    accepted: Vec<Acceptance>,
    offers: Vec<Offer>,
}

impl KeptOfParticipants {
    pub(crate) async fn in_store(store: &dyn Store) -> Result<Self, StoreError> {
        Ok(Self { seen: store.seen().await?, accepted: store.acceptances().await?, offers: store.offers().await? })
    }

    fn life_of(&self, participant: &str) -> Life {
        let seen = self.seen.iter().find(|seen| seen.participant == participant);
        let accepted: Vec<_> = self.accepted.iter().filter(|accepted| accepted.participant == participant).collect();
        Life::kept(seen, &accepted, self.offers.iter().find(|offer| offer.participant == participant))
    }
}

impl Definitions {
    pub(crate) fn new(resolver: Option<FlowResolver>, lines: Links) -> Self {
        Self { resolver, by_hash: Mutex::default(), at_hand: Mutex::default(), lines: Mutex::new(lines) }
    }

    /// Takes a flow into use.
    pub(crate) fn add(&self, flow: Arc<Flow>) -> Result<Arc<Definition>, OpenError> {
        let mut lines = locked(&self.lines);
        let uncalled = |step: &str, why| OpenError::Participant { flow: flow.name().to_owned(), step: step.to_owned(), why };
        let to_steps = flow
            .steps()
            .iter()
            .map(|step| lines.to(&flow, step).map_err(|why| uncalled(&step.name, why)))
            .collect::<Result<_, _>>()?;
        let hash = flow.hash();
        let definition = Arc::new(Definition { flow, lines: to_steps });
        locked(&self.by_hash).insert(hash, Arc::clone(&definition));
        Ok(definition)
    }

    /// From now on these are known to be at hand. Where it holds back, nothing is sent for orders that would call an address
    /// which none of them names, whenever they were placed and by whomever, unless a person has decided about them.
    pub(super) fn know_at_hand(&self, at_hand: AtHand) {
        *locked(&self.at_hand) = Some(Arc::new(at_hand));
    }

    /// What is known to be at hand.
    pub(super) fn at_hand(&self) -> Option<Arc<AtHand>> {
        locked(&self.at_hand).clone()
    }

    /// Forgets the definitions that no order follows and that are not at hand, with their lines: an order that follows one after all
    /// comes with its text.
    pub(super) fn forget_but(&self, followed: &BTreeSet<[u8; 32]>) {
        locked(&self.by_hash).retain(|hash, definition| followed.contains(hash) || Arc::strong_count(definition) > 1);
        locked(&self.lines).open.retain(|_, line| Arc::strong_count(line) > 1);
    }

    /// By which definition a person names this saga here, which follows that one.
    pub(crate) fn named(&self, stored: &StoredSaga, follows: &Flow) -> Named {
        Named::of(stored, follows, self.at_hand().as_deref().map(|at_hand| &at_hand.guard))
    }

    /// Why nothing is sent for the orders that follow this definition, as long as no person has decided about it; `None` if
    /// they go on.
    pub(crate) fn held(&self, hash: [u8; 32], text: &str) -> Option<String> {
        let at_hand = self.at_hand().filter(|at_hand| at_hand.holds_back)?;
        if at_hand.guard.is_at_hand(hash) {
            return None;
        }
        if let Some(known) = locked(&at_hand.held).get(&hash) {
            return known.clone();
        }
        // One that cannot be read here is left alone for that.
        let reason = at_hand.guard.why_held(&*self.flow_of(hash, text).ok()?);
        locked(&at_hand.held).insert(hash, reason.clone());
        reason
    }

    /// Why nothing is sent for this saga, unless a person has let it go on with what it follows; `None` if it goes on.
    pub(crate) fn holds(&self, stored: &StoredSaga) -> Option<String> {
        let (follows, text) = stored.follows();
        if stored.is_kept() { None } else { self.held(follows, text) }
    }

    /// The flow of this stored definition, or why it cannot be followed here.
    pub(crate) fn of(&self, hash: [u8; 32], text: &str) -> Result<Arc<Definition>, String> {
        let known = locked(&self.by_hash).get(&hash).cloned();
        if let Some(definition) = known {
            return Ok(definition);
        }
        self.add(self.read(hash, text)?).map_err(|error| error.to_string())
    }

    /// The flow of this stored definition, without a line to anybody, or why it cannot be read here.
    pub(crate) fn flow_of(&self, hash: [u8; 32], text: &str) -> Result<Arc<Flow>, String> {
        let known = locked(&self.by_hash).get(&hash).cloned();
        known.map_or_else(|| self.read(hash, text), |definition| Ok(Arc::clone(&definition.flow)))
    }

    fn read(&self, hash: [u8; 32], text: &str) -> Result<Arc<Flow>, String> {
        if <[u8; 32]>::from(Sha256::digest(text.as_bytes())) != hash {
            return Err("the stored definition of its flow was changed: it does not have the hash it is stored under".to_owned());
        }
        let flow = match (Flow::from_built_text(text), &self.resolver) {
            (Ok(flow), _) => flow,
            (Err(error), None) => return Err(format!("the definition it started with cannot be read here: {error}")),
            (Err(_), Some(resolver)) => {
                resolver(text).map_err(|error| format!("the definition it started with cannot be read here: {error}"))?
            }
        };
        if flow.hash() != hash {
            return Err("the definition it started with is read as another one here".to_owned());
        }
        Ok(Arc::new(flow))
    }

    /// Takes over what the store has kept of participants by now: what was seen, what a person has accepted, here or in another
    /// process on the same store, and what is on offer.
    pub(crate) fn take_over(&self, kept: KeptOfParticipants) {
        let mut lines = locked(&self.lines);
        // A store lists them by participant, so that what is new may stand anywhere.
        let is_news = kept.accepted.iter().filter(|one| !lines.kept.accepted.contains(one)).cloned().collect();
        tell_accepted(&lines.store, is_news);
        lines.kept = kept;
        for line in lines.open.values() {
            line.take_over(lines.kept.life_of(line.name()));
        }
    }

    /// How many acceptances are known here.
    pub(crate) fn acceptances(&self) -> usize {
        locked(&self.lines).kept.accepted.len()
    }

    /// A participant is not called, since its store is older than what was seen of it, or another one.
    pub(crate) fn is_any_behind(&self) -> bool {
        locked(&self.lines).open.values().any(|line| line.is_behind())
    }

    /// The lines that are in use, in the order of their participants' names.
    pub(crate) fn links(&self) -> Vec<Arc<Link>> {
        locked(&self.lines).open.values().cloned().collect()
    }
}

impl fmt::Debug for Definitions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Definitions").field("lines", &self.links()).finish_non_exhaustive()
    }
}

impl Links {
    /// None is open yet.
    pub(crate) fn new(
        options: &Options,
        (in_process, secrets): (BTreeMap<String, Arc<dyn Participant>>, BTreeMap<String, Secret>),
        (store, kept, memories): (Arc<dyn Store>, KeptOfParticipants, Arc<Memories>),
    ) -> Self {
        let most_calls = options.most_calls_per_participant.max(1);
        let calls_at_once = options.calls_per_participant.clamp(1, most_calls);
        let (keeps_a_part, breaker, backoff) = (options.keeps_rooms_apart, options.breaker, options.backoff);
        let settings = LinkSettings { calls_at_once, keeps_a_part, breaker, backoff };
        let (connect_timeout, clock, open) = (options.connect_timeout, options.clock.clone(), BTreeMap::new());
        Self { in_process, secrets, store, kept, memories, most_calls, settings, connect_timeout, clock, open }
    }

    fn to(&mut self, flow: &Flow, step: &FlowStep) -> Result<Arc<Link>, String> {
        let to = link_to(flow, step);
        if let Some(line) = self.open.get(&to) {
            return Ok(Arc::clone(line));
        }
        let name = step.participant.as_str();
        let adapter: Arc<dyn Participant> = match (self.in_process.get(name), &step.http) {
            (Some(adapter), _) => Arc::clone(adapter),
            (None, Some(templates)) => Arc::new(self.by_templates(flow, Arc::clone(templates))?),
            (None, None) if step.participant.is_url() => {
                let adapter = HttpParticipant::new(name, self.connect_timeout, self.clock.clone());
                Arc::new(adapter.map_err(|error| error.to_string())?)
            }
            (None, None) => return Err(format!("no participant called {name:?} was added; add it, or give a URL")),
        };
        let life = self.kept.life_of(name);
        let in_flight = step.in_flight.and_then(|requests| usize::try_from(requests).ok());
        let calls_at_once = in_flight.map_or(self.settings.calls_at_once, |wanted| wanted.clamp(1, self.most_calls));
        if let Some(wanted) = in_flight.filter(|wanted| *wanted > calls_at_once) {
            tracing::warn!(
                name: "fewer_in_flight", participant = name, wanted, calls = calls_at_once,
                "fewer requests are out to a participant than its step says: no more files may be open (ulimit -n)"
            );
        }
        let settings = LinkSettings { calls_at_once, ..self.settings };
        let settings = step.retry_base.map_or(settings, |base| settings.with_retry_base(base));
        let settings = step.retry_cap.map_or(settings, |cap| settings.with_retry_cap(cap));
        let line = Arc::new(Link::new(name, adapter, settings, (life, Arc::clone(&self.memories))));
        self.open.insert(to, Arc::clone(&line));
        Ok(line)
    }

    fn by_templates(&self, flow: &Flow, templates: Arc<HttpTemplates>) -> Result<TemplateParticipant, String> {
        let secrets = templates.load_secrets(&self.secrets).map_err(|error| error.to_string())?;
        let names = flow.steps().iter().map(|step| step.name.clone()).collect();
        let receipts = Arc::new(JournalReceipts::new(Arc::clone(&self.store), names));
        TemplateParticipant::new(templates, secrets, receipts, self.connect_timeout, self.clock.clone())
            .map_err(|error| format!("the HTTP client cannot be set up: {error}"))
    }
}
