//! Which sagas need a person, whatever their standing, how much money they are about, which are held, and which are in doubt for
//! long: read from the journals of all of them, with long pauses, for those who watch all sagas at once.

use std::collections::BTreeMap;

use handfast_protocol::Standing;

use super::Engine;
use super::listed::cannot_go_on;
use super::open_money::{PAUSES, Sums};
use super::person::Followed;
use crate::clock;
use crate::store::{Filter, StoreError, StoredSaga, Summary};

/// What was found by looking through the journals of many sagas.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct LookedThrough {
    /// How many do not go on, or some step of which does not, before a person says something, by the word for their standing. Each
    /// standing that was looked through is there. What is only held is not among them.
    pub needs_person: BTreeMap<&'static str, u64>,
    /// How much those are about.
    pub money: Sums,
    /// For how many nothing is sent before a person decides about their definition, or another program drives them.
    pub held: u64,
    /// How many that are not held were placed more than an hour ago and are still in doubt.
    pub in_doubt_over_an_hour: u64,
}

/// How many journals are read before a pause.
const AT_ONCE: usize = 100;

const HOUR_MS: u64 = 3_600_000;

impl LookedThrough {
    fn add(&mut self, summary: &Summary, stored: Option<&StoredSaga>, (is_held, is_old): (bool, bool)) {
        let followed = stored.and_then(|stored| Followed::of(stored).ok());
        self.held += u64::from(is_held);
        let standing = Standing::ALL.into_iter().find(|standing| standing.name() == summary.standing);
        let is_in_doubt = standing.is_some_and(Standing::is_in_doubt);
        self.in_doubt_over_an_hour += u64::from(is_in_doubt && is_old && !is_held);
        if cannot_go_on(stored, followed.as_ref()) {
            *self.needs_person.entry(standing.map_or("unknown", Standing::name)).or_default() += 1;
            self.money.add(stored.map(|stored| (&stored.input[..], &stored.bodies[..])));
        }
    }
}

impl Engine {
    /// Looks through the journals of all sagas that have ended, or of all that have not. Pauses are made in between, so this takes
    /// minutes where there are a million. It is not of one moment.
    ///
    /// # Errors
    /// The store's. Where the engine stops meanwhile there is no answer.
    pub async fn look_through(&self, those_that_have_ended: bool) -> Result<Option<LookedThrough>, StoreError> {
        let shared = &self.0.shared;
        let meant = || Standing::ALL.into_iter().filter(|standing| standing.has_ended() == those_that_have_ended);
        let standings = meant().map(|standing| standing.name().to_owned()).collect();
        let mut filter = Filter { standings, limit: AT_ONCE, ..Filter::default() };
        let needs_person = meant().map(|standing| (standing.name(), 0)).collect();
        let mut found = LookedThrough { needs_person, ..LookedThrough::default() };
        loop {
            let (next, took) = clock::timed(self.look_through_page(&filter, &mut found)).await;
            filter.after = next?;
            if filter.after.is_none() {
                return Ok(Some(found));
            }
            tokio::time::sleep(took.saturating_mul(PAUSES)).await;
            if shared.is_stopping() {
                return Ok(None);
            }
        }
    }

    async fn look_through_page(&self, filter: &Filter, found: &mut LookedThrough) -> Result<Option<String>, StoreError> {
        let shared = &self.0.shared;
        let page = shared.store.list(filter.clone()).await?;
        for summary in &page.sagas {
            let stored = match shared.store.load(&summary.id).await {
                Ok(stored) => stored,
                // A person is needed where a journal cannot be read.
                Err(StoreError::Corrupt { .. }) => None,
                Err(error) => return Err(error),
            };
            let is_held = stored.as_ref().is_some_and(|stored| {
                let is_undecided = stored.wake_at.is_some() && shared.definitions.holds(stored).is_some();
                is_undecided || shared.attention.left_alone.of(&stored.id).is_some()
            });
            let is_old = shared.journal_now().0.saturating_sub(summary.created.0) > HOUR_MS;
            found.add(summary, stored.as_ref(), (is_held, is_old));
        }
        Ok(page.next)
    }
}
