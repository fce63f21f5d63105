//! A list of sagas as an operator reads it: how each stands, since when, at which step, about how much, and what can be done.

use std::sync::Arc;

use handfast_protocol::{Standing, Time};

use super::amounts::Money;
use super::beside::Beside;
use super::definitions::Definitions;
use super::money;
use super::person::{Act, Followed};
use crate::flow::Flow;
use crate::store::{Filter, Store, StoreError, StoredSaga, Summary};

/// One line of a list of sagas.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Listed {
    /// The saga.
    pub id: String,
    /// How it stands.
    pub standing: String,
    /// When it was placed.
    pub created: Time,
    /// When its last entry was appended.
    pub changed: Time,
    /// The step of which it waits to hear, while it has not ended.
    pub step: Option<String>,
    /// How much it is about, as in `19.99 EUR`, where the order says so.
    pub amount: Option<String>,
    /// What a person can do about it.
    pub can: Vec<Act>,
    /// Asking for *neither* would change something.
    pub can_be_cancelled: bool,
    /// It does not go on, or some step of it does not, before a person says something; or it is held.
    pub needs_person: bool,
    /// Nothing is sent for it by the program that lists it, before a person decides or another program drives it.
    pub is_held: bool,
}

/// Which sagas are listed, in the order of their placing. All that is named has to hold.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct ListFilter {
    /// Those that stand in one of these ways; all, where none is named.
    pub standings: Vec<Standing>,
    /// Those that have neither ended nor wait for a person, where it is set.
    pub in_doubt: bool,
    /// Those that follow a definition of the flow of this name.
    pub flow: Option<String>,
    /// Those that follow a definition in which this participant takes a step.
    pub participant: Option<String>,
    /// Those placed at this time or later.
    pub placed_from: Option<Time>,
    /// Those placed before this time.
    pub placed_before: Option<Time>,
    /// Those that are about so much at least, by [`Listed::amount`]; what is about another currency is not among them.
    pub amount_at_least: Option<Money>,
    /// Those that wait for a person, or those that do not: see [`Listed::needs_person`].
    pub needs_person: Option<bool>,
    /// Those placed after this one. Nothing comes after a saga that is unknown.
    pub after: Option<String>,
    /// The most sagas on the page.
    pub limit: usize,
}

crate::setters::with_each! { ListFilter;
    standings: Vec<Standing> => with_standings;
    in_doubt: bool => with_in_doubt;
    flow: Option<String> => with_flow;
    participant: Option<String> => with_participant;
    placed_from: Option<Time> => with_placed_from;
    placed_before: Option<Time> => with_placed_before;
    amount_at_least: Option<Money> => with_amount_at_least;
    needs_person: Option<bool> => with_needs_person;
    after: Option<String> => with_after;
    limit: usize => with_limit;
}

/// A page of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ListPage {
    /// The sagas, in the order of their placing. There may be fewer than were asked for, or none, on a page that is not the last.
    pub sagas: Vec<Listed>,
    /// The saga after which the next page begins; `None` on the last.
    pub next: Option<String>,
}

/// The most sagas that are read from their journals for one page.
const MOST_READ: usize = 1_000;
/// At least this many are read where only that shows which of them are listed.
const READ_AT_ONCE: usize = 100;

impl ListFilter {
    /// All sagas, `limit` at most, after the one named.
    #[must_use]
    pub fn all(after: Option<&str>, limit: usize) -> Self {
        Self { after: after.map(str::to_owned), limit, ..Self::default() }
    }

    /// What the store can tell by itself; `None` where no saga stands as is asked for. `read` reads a stored definition.
    async fn of_store(
        &self,
        store: &dyn Store,
        read: impl Fn([u8; 32], &str) -> Option<Arc<Flow>> + Send,
    ) -> Result<Option<Filter>, StoreError> {
        let mut standings: Vec<Standing> = self.standings.clone();
        if self.in_doubt {
            let is_meant = |standing: &Standing| standings.is_empty() || standings.contains(standing);
            standings = Standing::ALL.into_iter().filter(|standing| standing.is_in_doubt()).filter(is_meant).collect();
            if standings.is_empty() {
                return Ok(None);
            }
        }
        let (flow, participant) = (self.flow.as_deref(), self.participant.as_deref());
        let is_meant = |stored: &Flow| {
            let takes = |participant: &str| stored.steps().iter().any(|step| step.participant.as_str() == participant);
            flow.is_none_or(|name| stored.name() == name) && participant.is_none_or(takes)
        };
        let flows = match (flow, participant) {
            (None, None) => None,
            (Some(_), _) | (None, Some(_)) => {
                let kept = store.flows().await?;
                let meant = kept.iter().filter(|(hash, text)| read(*hash, text).is_some_and(|stored| is_meant(&stored)));
                Some(meant.map(|(hash, _)| *hash).collect())
            }
        };
        Ok(Some(Filter {
            standings: standings.iter().map(|standing| standing.name().to_owned()).collect(),
            flows,
            placed_from: self.placed_from,
            placed_before: self.placed_before,
            after: self.after.clone(),
            limit: self.limit,
        }))
    }

    /// Whether only its journal and its bodies show if a saga is listed.
    const fn is_read(&self) -> bool {
        self.needs_person.is_some() || self.amount_at_least.is_some()
    }

    fn takes(&self, listed: &Listed, amount: Option<&Money>) -> bool {
        let is_about =
            |least: &Money| amount.is_some_and(|amount| amount.currency == least.currency && amount.minor >= least.minor);
        self.needs_person.is_none_or(|needs| listed.needs_person == needs) && self.amount_at_least.as_ref().is_none_or(is_about)
    }
}

/// A page of sagas, in the order of their placing. Each is read from its journal; of one that cannot be followed here only what the
/// index says of it is there.
///
/// # Errors
/// The store's.
pub async fn list_in(store: &dyn Store, filter: &ListFilter) -> Result<ListPage, StoreError> {
    let beside = Beside::of(store).await?;
    let is_held = |stored: &StoredSaga, followed: Result<&Followed, &str>| {
        // Of one that has ended nothing more would be sent.
        stored.wake_at.is_some() && beside.why_held(stored, followed).is_some()
    };
    let is_uncalled = |_stored: &StoredSaga, followed: Result<&Followed, &str>| beside.is_uncalled(followed.ok());
    let read = |_hash: [u8; 32], text: &str| Flow::from_built_text(text).ok().map(Arc::new);
    let Some(wanted) = filter.of_store(store, read).await? else { return Ok(ListPage { sagas: Vec::new(), next: None }) };
    list_with(store, (filter, wanted), (is_held, is_uncalled)).await
}

/// The same for an engine, which knows itself which sagas are held and which are not called.
pub(super) async fn list_of(
    (store, definitions): (&dyn Store, &Definitions),
    filter: &ListFilter,
    known: (impl Question, impl Question),
) -> Result<ListPage, StoreError> {
    let read = |hash: [u8; 32], text: &str| definitions.flow_of(hash, text).ok();
    let Some(wanted) = filter.of_store(store, read).await? else { return Ok(ListPage { sagas: Vec::new(), next: None }) };
    list_with(store, (filter, wanted), known).await
}

/// What is asked of a saga, which was followed for it.
pub(super) trait Question: Fn(&StoredSaga, Result<&Followed, &str>) -> bool + Send {}

impl<F: Fn(&StoredSaga, Result<&Followed, &str>) -> bool + Send> Question for F {}

async fn list_with(
    store: &dyn Store,
    (filter, mut wanted): (&ListFilter, Filter),
    (is_held, is_uncalled): (impl Question, impl Question),
) -> Result<ListPage, StoreError> {
    let (mut sagas, mut read) = (Vec::new(), 0);
    loop {
        wanted.limit = if filter.is_read() { READ_AT_ONCE } else { filter.limit.min(MOST_READ) };
        let page = store.list(wanted.clone()).await?;
        for (at, summary) in page.sagas.iter().enumerate() {
            let stored = match store.load(&summary.id).await {
                Ok(stored) => stored,
                // It is listed all the same, so that an operator finds it.
                Err(StoreError::Corrupt { .. }) => None,
                Err(error) => return Err(error),
            };
            let (listed, amount) = listed(summary, stored.as_ref(), (&is_held, &is_uncalled));
            if filter.takes(&listed, amount.as_ref()) {
                sagas.push(listed);
            }
            if sagas.len() >= filter.limit {
                let is_last = at + 1 == page.sagas.len();
                return Ok(ListPage { sagas, next: if is_last { page.next } else { Some(summary.id.clone()) } });
            }
        }
        read += page.sagas.len();
        // What few sagas are left of a page that looked at many is shown at once; the next page goes on.
        if page.next.is_none() || read >= MOST_READ || page.sagas.len() < wanted.limit || !filter.is_read() {
            return Ok(ListPage { sagas, next: page.next });
        }
        wanted.after = page.next;
    }
}

/// Whether a saga, or some step of it, does not go on before a person says something. One that cannot be read here waits for one
/// where it was suspended for that.
pub(super) fn cannot_go_on(stored: Option<&StoredSaga>, followed: Option<&Followed>) -> bool {
    followed.map_or(stored.is_none_or(|stored| stored.why.is_some()), Followed::needs_person)
}

/// A line of the list, and how much it is about.
fn listed(
    summary: &Summary,
    stored: Option<&StoredSaga>,
    (is_held, is_uncalled): (&impl Question, &impl Question),
) -> (Listed, Option<Money>) {
    let read = stored.map(|stored| (stored, Followed::of(stored)));
    let asked = |about: &dyn Fn(&StoredSaga, Result<&Followed, &str>) -> bool| {
        read.as_ref().is_some_and(|(stored, followed)| about(stored, followed.as_ref().map_err(String::as_str)))
    };
    let is_held = asked(is_held);
    let is_quiet = is_held || asked(is_uncalled);
    let followed = read.and_then(|(_, followed)| followed.ok());
    let cannot_go_on = cannot_go_on(stored, followed.as_ref());
    let amount = stored.and_then(money::of_order);
    let listed = Listed {
        can_be_cancelled: followed.as_ref().is_some_and(Followed::can_be_cancelled),
        needs_person: is_held || cannot_go_on,
        id: summary.id.clone(),
        standing: summary.standing.clone(),
        created: summary.created,
        changed: summary.changed,
        step: followed.as_ref().and_then(Followed::step_in_doubt).map(str::to_owned),
        amount: amount.as_ref().and_then(Money::written),
        // A retry would change nothing where no request is sent at all.
        can: followed.iter().flat_map(Followed::acts).filter(|act| !is_quiet || *act != Act::Retry).collect(),
        is_held,
    };
    (listed, amount)
}
