//! What the service needs of whatever runs sagas. [`Engine`] is one; another engine can be served alike, and answers *not
//! offered* to what it does not have.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use handfast::journal::Said;
use handfast::store::{Counts, Digest, StoreError};
use handfast::upkeep::AcceptTimeError;
use handfast::webhook::Hinted;
use handfast::{
    AcceptError, Accepted, Act, ActError, ActResult, AdoptError, CancelError, CancelResult, Chosen, Decided, Deed, Engine, Flow,
    ForeseenPage, ListFilter, ListPage, LookedThrough, OpenError, OpenMoney, Order, OtherDefinition, Outcome, Outturn,
    ParticipantView, RestingPage, SagaHandle, SagaView, Standing, Stats, SubmitError, Time,
};

/// An answer that is waited for.
pub type Asked<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The answer to what a coordinator need not offer.
pub type Offered<'a, T, E> = Asked<'a, Result<T, Unmet<E>>>;

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unmet<E> {
    /// This coordinator does not have it.
    NotOffered,
    /// What stood in its way.
    Error(E),
}

impl<E> From<E> for Unmet<E> {
    fn from(error: E) -> Self {
        Self::Error(error)
    }
}

/// How a saga stands, as far as it was heard of.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Stands {
    /// The word for it.
    pub standing: Standing,
    /// How it ended, if it has.
    pub outcome: Option<Outcome>,
    /// Why it cannot go on by itself, if it cannot.
    pub trouble: Option<String>,
}

impl Stands {
    /// A saga that stands so; `trouble` is why it cannot go on by itself, if it cannot.
    #[must_use]
    pub const fn new(standing: Standing, outcome: Option<Outcome>, trouble: Option<String>) -> Self {
        Self { standing, outcome, trouble }
    }
}

/// A saga that a caller follows.
pub trait Followed: Send {
    /// Its id.
    fn id(&self) -> &str;
    /// Whether it was placed before, by the same request.
    fn was_placed_before(&self) -> bool;
    /// How it stands.
    fn stands(&self) -> Stands;
    /// Resolves when it has ended, when the coordinator stops driving it, or after this time.
    fn wait(&mut self, longest: Duration) -> Asked<'_, ()>;
}

/// Runs sagas: takes orders, brings every one to both or neither, and says how they stand.
pub trait Coordinator: Send + Sync + 'static {
    /// Takes an order. When this resolves it is durable; placing it again is placing nothing.
    fn place(&self, order: Order) -> Asked<'_, Result<Box<dyn Followed>, SubmitError>>;

    /// Follows a saga; `None` if there is none of this id.
    fn watch<'a>(&'a self, id: &'a str) -> Asked<'a, Result<Option<Box<dyn Followed>>, StoreError>>;

    /// One saga, with its latest tries or without; `None` if there is none of this id.
    fn look<'a>(&'a self, id: &'a str, with_tries: bool) -> Asked<'a, Result<Option<SagaView>, StoreError>>;

    /// Says that orders are taken.
    fn check_ready(&self) -> Asked<'_, Result<(), StoreError>>;

    /// What has stopped for good that it cannot do without, if anything has.
    fn dead_part(&self) -> Option<&'static str>;

    /// What is wrong with where the sagas are kept, if anything is.
    fn store_trouble(&self) -> Option<String>;

    /// What it is at, and how many sagas stand how.
    fn stats(&self) -> Asked<'_, Result<(Stats, Counts), StoreError>>;

    /// What it is at, as far as it knows without its store.
    fn live_stats(&self) -> Option<Stats> {
        None
    }

    /// When the oldest saga was placed that is in doubt.
    fn oldest_in_doubt(&self) -> Offered<'_, Option<Time>, StoreError> {
        not_offered()
    }

    /// How much money the sagas are about that have not ended; `None` where it stops meanwhile. No caller waits for it, so it may take
    /// its time.
    fn open_money(&self) -> Offered<'_, Option<OpenMoney>, StoreError> {
        not_offered()
    }

    /// Which sagas need a person whatever their standing, of those that have ended or of those that have not; as slowly.
    fn look_through(&self, _those_that_have_ended: bool) -> Offered<'_, Option<LookedThrough>, StoreError> {
        not_offered()
    }

    /// Lets every saga finish what it is writing; says whether it did within `longest`.
    fn shutdown(&self, longest: Duration) -> Asked<'_, bool>;

    /// Asks for *neither*.
    fn cancel<'a>(&'a self, _id: &'a str, _by: Option<&'a str>, _why: Option<&'a str>) -> Offered<'a, CancelResult, CancelError> {
        not_offered()
    }

    /// A page of sagas, in the order of their placing.
    fn list<'a>(&'a self, _filter: &'a ListFilter) -> Offered<'a, ListPage, StoreError> {
        not_offered()
    }

    /// A person does something about a saga.
    fn act<'a>(&'a self, _id: &'a str, _act: &'a Act, _said: &'a Said) -> Offered<'a, ActResult, ActError> {
        not_offered()
    }

    /// The id of the store in which its sagas are kept, where it has one.
    fn store_id(&self) -> Option<&str> {
        None
    }

    /// What a deed would come to, of the sagas of a page of a list.
    fn foresee<'a>(&'a self, _filter: &'a ListFilter, _deed: &'a Deed) -> Offered<'a, ForeseenPage, StoreError> {
        not_offered()
    }

    /// Takes a deed as it was foreseen: only where the saga's last entry still has that number, which is `said.saw`, and that digest.
    fn act_as_foreseen<'a>(
        &'a self,
        _id: &'a str,
        _deed: &'a Deed,
        _said: &'a Said,
        _digest: Digest,
    ) -> Offered<'a, ActResult, ActError> {
        not_offered()
    }

    /// What has come so far of a request by which something was done about a saga.
    fn outturn<'a>(&'a self, _id: &'a str, _request_id: &'a str) -> Offered<'a, Option<Outturn>, ActError> {
        not_offered()
    }

    /// Who takes hints that there may be news of a step.
    fn hinted(&self) -> Option<&dyn Hinted> {
        None
    }

    /// Which definitions open orders follow, other than the one at hand.
    fn other_definitions(&self) -> Offered<'_, Vec<OtherDefinition>, StoreError> {
        not_offered()
    }

    /// Lets the open orders of a definition follow the one at hand, or go on with their own.
    fn choose_definition<'a>(&'a self, _hash: &'a str, _adopt: bool, _chosen: &'a Chosen) -> Offered<'a, Decided, AdoptError> {
        not_offered()
    }

    /// Takes the orders of these flows from now on, and of no others. Orders under way keep what they follow.
    fn replace_flows(&self, _flows: Vec<Arc<Flow>>) -> Offered<'_, (), OpenError> {
        not_offered()
    }

    /// The participants, and which life of each one's store counts.
    fn participants(&self) -> Offered<'_, Vec<ParticipantView>, StoreError> {
        not_offered()
    }

    /// Lets an incarnation count that a participant says it is.
    fn accept_participant<'a>(
        &'a self,
        _which: (&'a str, &'a str),
        _by_and_why: (&'a str, &'a str),
    ) -> Offered<'a, Accepted, AcceptError> {
        not_offered()
    }

    /// The sagas that rest on what a former life had answered.
    fn resting_on<'a>(
        &'a self,
        _incarnation: &'a str,
        _after: Option<&'a str>,
        _limit: usize,
    ) -> Offered<'a, RestingPage, StoreError> {
        not_offered()
    }

    /// Lets the present time count where a later one was kept; says which one that was.
    fn accept_time<'a>(&'a self, _by: &'a str, _why: &'a str, _seen_to: bool) -> Offered<'a, Time, AcceptTimeError> {
        not_offered()
    }
}

fn not_offered<'a, T: Send + 'a, E: Send + 'a>() -> Offered<'a, T, E> {
    Box::pin(std::future::ready(Err(Unmet::NotOffered)))
}

/// What an engine answers, as what need not be offered.
fn offered<'a, T, E>(asked: impl Future<Output = Result<T, E>> + Send + 'a) -> Offered<'a, T, E> {
    Box::pin(async { asked.await.map_err(Unmet::Error) })
}

impl Followed for SagaHandle {
    fn id(&self) -> &str {
        self.id()
    }

    fn was_placed_before(&self) -> bool {
        self.was_placed_before()
    }

    fn stands(&self) -> Stands {
        let progress = self.progress();
        let trouble = progress.trouble().map(str::to_owned);
        Stands { standing: progress.standing(), outcome: progress.outcome(), trouble }
    }

    fn wait(&mut self, longest: Duration) -> Asked<'_, ()> {
        // How it stands is read afterwards in any case.
        Box::pin(async move { drop(Self::wait(self, longest).await) })
    }
}

impl Coordinator for Engine {
    fn place(&self, order: Order) -> Asked<'_, Result<Box<dyn Followed>, SubmitError>> {
        Box::pin(async { Ok(Box::new(self.submit(order).await?) as Box<dyn Followed>) })
    }

    fn watch<'a>(&'a self, id: &'a str) -> Asked<'a, Result<Option<Box<dyn Followed>>, StoreError>> {
        Box::pin(async { Ok(self.follow(id).await?.map(|handle| Box::new(handle) as Box<dyn Followed>)) })
    }

    fn look<'a>(&'a self, id: &'a str, with_tries: bool) -> Asked<'a, Result<Option<SagaView>, StoreError>> {
        match with_tries {
            true => Box::pin(self.saga(id)),
            false => Box::pin(self.saga_without_tries(id)),
        }
    }

    fn check_ready(&self) -> Asked<'_, Result<(), StoreError>> {
        Box::pin(async {
            self.check_store()?;
            self.store_answers().await?;
            Self::check_ready(self).await
        })
    }

    fn dead_part(&self) -> Option<&'static str> {
        self.dead_part()
    }

    fn store_trouble(&self) -> Option<String> {
        self.stats().store_trouble
    }

    fn stats(&self) -> Asked<'_, Result<(Stats, Counts), StoreError>> {
        Box::pin(async { Ok((Self::stats(self), self.counts().await?)) })
    }

    fn live_stats(&self) -> Option<Stats> {
        Some(Self::stats(self))
    }

    fn oldest_in_doubt(&self) -> Offered<'_, Option<Time>, StoreError> {
        offered(Self::oldest_in_doubt(self))
    }

    fn open_money(&self) -> Offered<'_, Option<OpenMoney>, StoreError> {
        offered(Self::open_money(self))
    }

    fn look_through(&self, those_that_have_ended: bool) -> Offered<'_, Option<LookedThrough>, StoreError> {
        offered(Self::look_through(self, those_that_have_ended))
    }

    fn shutdown(&self, longest: Duration) -> Asked<'_, bool> {
        Box::pin(Self::shutdown(self, longest))
    }

    fn cancel<'a>(&'a self, id: &'a str, by: Option<&'a str>, why: Option<&'a str>) -> Offered<'a, CancelResult, CancelError> {
        offered(Self::cancel(self, id, by, why))
    }

    fn list<'a>(&'a self, filter: &'a ListFilter) -> Offered<'a, ListPage, StoreError> {
        offered(Self::list(self, filter))
    }

    fn act<'a>(&'a self, id: &'a str, act: &'a Act, said: &'a Said) -> Offered<'a, ActResult, ActError> {
        offered(Self::act(self, id, act, said))
    }

    fn store_id(&self) -> Option<&str> {
        Some(Self::store_id(self))
    }

    fn foresee<'a>(&'a self, filter: &'a ListFilter, deed: &'a Deed) -> Offered<'a, ForeseenPage, StoreError> {
        offered(Self::foresee(self, filter, deed))
    }

    fn act_as_foreseen<'a>(
        &'a self,
        id: &'a str,
        deed: &'a Deed,
        said: &'a Said,
        digest: Digest,
    ) -> Offered<'a, ActResult, ActError> {
        offered(Self::act_as_foreseen(self, id, deed, said, digest))
    }

    fn outturn<'a>(&'a self, id: &'a str, request_id: &'a str) -> Offered<'a, Option<Outturn>, ActError> {
        offered(Self::outturn(self, id, request_id))
    }

    fn hinted(&self) -> Option<&dyn Hinted> {
        Some(self)
    }

    fn other_definitions(&self) -> Offered<'_, Vec<OtherDefinition>, StoreError> {
        offered(Self::other_definitions(self))
    }

    fn choose_definition<'a>(&'a self, hash: &'a str, adopt: bool, chosen: &'a Chosen) -> Offered<'a, Decided, AdoptError> {
        offered(Self::choose_definition(self, hash, adopt, chosen))
    }

    fn replace_flows(&self, flows: Vec<Arc<Flow>>) -> Offered<'_, (), OpenError> {
        offered(Self::replace_flows(self, flows))
    }

    fn participants(&self) -> Offered<'_, Vec<ParticipantView>, StoreError> {
        offered(Self::participants(self))
    }

    fn accept_participant<'a>(
        &'a self,
        which: (&'a str, &'a str),
        by_and_why: (&'a str, &'a str),
    ) -> Offered<'a, Accepted, AcceptError> {
        offered(Self::accept_participant(self, which, by_and_why))
    }

    fn resting_on<'a>(
        &'a self,
        incarnation: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> Offered<'a, RestingPage, StoreError> {
        offered(Self::resting_on(self, incarnation, after, limit))
    }

    fn accept_time<'a>(&'a self, by: &'a str, why: &'a str, seen_to: bool) -> Offered<'a, Time, AcceptTimeError> {
        offered(Self::accept_time(self, by, why, seen_to))
    }
}
