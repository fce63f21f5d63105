//! What something that a person does would come to, by the coordinator itself; doing it where the saga still stands so; and what came
//! of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use handfast_protocol::{End, Party as _, StepSet, Time};
use tokio::sync::Semaphore;
use tokio::task::JoinError;

use super::{Act, ActError, ActResult, Followed, Through, followed, take_deed};
use crate::engine::amounts::Money;
use crate::engine::listed::{ListFilter, ListPage, Listed, list_in};
use crate::engine::money;
use crate::flow::FlowStep;
use crate::journal::{Said, replay_checked};
use crate::store::{Digest, Store, StoreError, StoredSaga};

/// Something that a person can do about a saga.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Deed {
    /// Ask for *neither*.
    Cancel,
    /// Say something about one that cannot go on by itself.
    Act(Act),
}

impl Deed {
    /// Every word.
    pub const NAMES: [&'static str; 7] = ["cancel", "retry", "resume", "mark_done", "mark_not_done", "mark_undone", "settle"];

    /// The word for it in requests and on the screen.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Act(act) => act.name(),
        }
    }

    /// The deed that [`name`](Self::name) gave this word to, if any did; a mark wants a step, and nothing else has one.
    #[must_use]
    pub fn from_name(name: &str, step: Option<&str>) -> Option<Self> {
        let deed = if name == "cancel" { Self::Cancel } else { Self::Act(Act::from_name(name, step)?) };
        (deed.step() == step).then_some(deed)
    }

    /// The step that it is about.
    #[must_use]
    pub fn step(&self) -> Option<&str> {
        self.act().and_then(Act::step)
    }

    /// What is said, where it is no cancel.
    #[must_use]
    pub const fn act(&self) -> Option<&Act> {
        match self {
            Self::Cancel => None,
            Self::Act(act) => Some(act),
        }
    }
}

/// What is at stake with a step.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Stake {
    /// Its name.
    pub step: String,
    /// The different amounts that its body names, or, where no step's body names any, those that the order names.
    pub amounts: Vec<Money>,
    /// The amounts are the order's, and may be this step's or another's.
    pub is_of_order: bool,
    /// It decides the saga, or comes after the step that does: it is never undone.
    pub is_irrevocable: bool,
}

impl Stake {
    /// What is at stake with a step of this name.
    #[must_use]
    pub const fn new(step: String, amounts: Vec<Money>, is_of_order: bool, is_irrevocable: bool) -> Self {
        Self { step, amounts, is_of_order, is_irrevocable }
    }
}

/// What a deed would come to with one saga.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Foreseen {
    /// The saga.
    pub id: String,
    /// The number of its last entry.
    pub seq: u64,
    /// The digest of that.
    pub digest: Digest,
    /// What is at stake, by step.
    pub stakes: Vec<Stake>,
    /// Every way in which it comes to rest afterwards, while its participants keep their promises; `None` where they are too many to
    /// be told apart.
    pub ends: Option<Arc<BTreeSet<End>>>,
}

/// Why a deed would not be taken.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum WhyNot {
    /// It would be answered so.
    Answered(ActResult),
    /// Its journal cannot be followed here.
    Unreadable(String),
}

/// What a deed would come to, of a page of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ForeseenPage {
    /// The sagas about which it would be done, in the order of their placing.
    pub sagas: Vec<Foreseen>,
    /// Those about which it would not, and why.
    pub refused: Vec<(String, WhyNot)>,
    /// The last saga of the page, whether or not it would be refused; `None` of a page without any.
    pub last: Option<String>,
    /// The saga after which the next page begins; `None` on the last.
    pub next: Option<String>,
}

/// What has come of a deed so far.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Outturn {
    /// The number of its entry.
    pub seq: u64,
    /// What is at stake, by step.
    pub stakes: Vec<Stake>,
    /// How the saga stands, and what has become of each step since right before the entry.
    pub end: End,
    /// It has ended or waits for a person; otherwise it is under way.
    pub is_at_rest: bool,
}

/// The most states of a saga that are looked at for its ends.
const MOST_STATES: usize = 5_000;
/// At most this many different questions about ends are answered once only: many sagas of an outage stand alike.
const MOST_KNOWN: usize = 1_024;

/// What was found out already, by the flow, the two states without their times, and what was asked for.
type Known = BTreeMap<([u8; 32], u32, Vec<u8>, Vec<u8>, StepSet), Option<Arc<BTreeSet<End>>>>;

/// What a deed would come to, of the sagas of a page of a list, by the journals in this store.
///
/// # Errors
/// The store's.
pub async fn foresee_in(store: &dyn Store, filter: &ListFilter, deed: &Deed) -> Result<ForeseenPage, StoreError> {
    foresee(store, list_in(store, filter).await?, deed).await
}

/// The same of a page that is there already.
pub(in crate::engine) async fn foresee(store: &dyn Store, page: ListPage, deed: &Deed) -> Result<ForeseenPage, StoreError> {
    let (mut sagas, mut refused, mut known) = (Vec::new(), Vec::new(), Known::new());
    let last = page.sagas.last().map(|listed| listed.id.clone());
    for listed in page.sagas {
        let stored = match store.load(&listed.id).await {
            Ok(Some(stored)) => stored,
            Ok(None) => continue,
            Err(StoreError::Corrupt { what, .. }) => {
                refused.push((listed.id, WhyNot::Unreadable(what)));
                continue;
            }
            Err(error) => return Err(error),
        };
        let deed = deed.clone();
        let found = aside(move || {
            let found = foreseen(&stored, &listed, &deed, &mut known);
            (found.map_err(|why| (stored.id, why)), known)
        });
        let (found, kept) = found.await;
        known = kept;
        match found {
            Ok(foreseen) => sagas.push(foreseen),
            Err(why) => refused.push(why),
        }
    }
    Ok(ForeseenPage { sagas, refused, last, next: page.next })
}

/// One search for ends runs at a time in a process, for all callers together, and none on a thread that drives sagas: a search takes long where a
/// saga has very many ends.
static SEARCHES: Semaphore = Semaphore::const_new(1);

async fn aside<A: Send + 'static>(search: impl FnOnce() -> A + Send + 'static) -> A {
    let turn = SEARCHES.acquire().await;
    let search = tokio::task::spawn_blocking(move || {
        // Where the question is dropped the search goes on to its end, and keeps its turn.
        let _turn = turn;
        search()
    });
    match search.await.map_err(JoinError::try_into_panic) {
        Ok(found) => found,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        // The runtime is being shut down, and with it this question.
        Err(Err(_cancelled)) => std::future::pending().await,
    }
}

fn foreseen(stored: &StoredSaga, listed: &Listed, deed: &Deed, known: &mut Known) -> Result<Foreseen, WhyNot> {
    let followed = Followed::of(stored).map_err(WhyNot::Unreadable)?;
    // Where nothing is sent at all, a retry would change nothing.
    if deed.act().is_some_and(|act| *act == Act::Retry && !listed.can.contains(act)) {
        let can = listed.can.iter().map(Act::name).collect();
        return Err(WhyNot::Answered(ActResult::Pointless { can }));
    }
    let after = followed.after(deed).map_err(WhyNot::Answered)?;
    if let Some(act) = deed.act() {
        let names = followed.needed(act).map_err(WhyNot::Answered)?;
        if !names.is_empty() {
            let step = act.step().unwrap_or_default().to_owned();
            return Err(WhyNot::Answered(ActResult::NeedsValues { step, names }));
        }
    }
    let before = followed.coordinator.timeless();
    let steps = before.plan().steps().len();
    let asked = if stored.came_back { (0..steps).collect() } else { followed.trail.acted };
    let question = (stored.flow_hash, stored.version, before.encode(), after.timeless().encode(), asked);
    if known.len() >= MOST_KNOWN {
        known.clear();
    }
    let ends = known.entry(question).or_insert_with(|| after.ends(&before, asked, MOST_STATES).map(Arc::new)).clone();
    Ok(Foreseen { id: stored.id.clone(), seq: stored.length(), digest: followed.digest, stakes: stakes(stored, &followed), ends })
}

fn stakes(stored: &StoredSaga, followed: &Followed) -> Vec<Stake> {
    let gate = followed.coordinator.plan().gate();
    let (of_bodies, of_order) = money::of_each(stored);
    let is_of_order = !of_order.is_empty();
    let steps = followed.follows.steps().iter().zip(of_bodies).enumerate();
    let stake = |(at, (step, amounts)): (usize, (&FlowStep, Vec<Money>))| {
        let amounts = if is_of_order { of_order.clone() } else { amounts };
        Stake::new(step.name.clone(), amounts, is_of_order, gate.is_some_and(|gate| at >= gate))
    };
    steps.map(stake).collect()
}

/// Takes a deed as it was foreseen, in a store: only where the saga's last entry still has that number, which is `said.saw`, and that
/// digest.
///
/// # Errors
/// Why there is no result.
pub async fn act_as_foreseen_in(
    store: &dyn Store,
    id: &str,
    (deed, said, digest): (&Deed, &Said, Digest),
    now: Time,
) -> Result<ActResult, ActError> {
    take_deed((store, Through::Store), id, (deed, said, Some(digest)), now).await
}

/// What has come so far of a request by which something was done about a saga; `None` if its journal knows of none, or there is no
/// such saga.
///
/// # Errors
/// Why it cannot be told.
pub async fn outturn_in(store: &dyn Store, id: &str, request_id: &str) -> Result<Option<Outturn>, ActError> {
    let Some(stored) = store.load(id).await? else { return Ok(None) };
    let read = followed(&stored)?;
    let Some((seq, _)) = read.of_request(request_id) else { return Ok(None) };
    let (earlier, _) = stored.entries.split_at(stored.entries.partition_point(|entry| entry.seq < seq));
    let before = replay_checked(Arc::clone(read.flow.plan()), stored.version, earlier);
    let before = before.map_err(|error| ActError::Unreadable { id: id.to_owned(), reason: error.to_string() })?;
    let Followed { coordinator, .. } = &read;
    let waits_for_nothing = coordinator.outbox().is_empty() && coordinator.dues().is_empty();
    let is_at_rest = coordinator.decision().is_some() || waits_for_nothing;
    Ok(Some(Outturn { seq, stakes: stakes(&stored, &read), end: coordinator.since(&before), is_at_rest }))
}
