//! What a process that acts on sagas beside the engine that drives them has to know of that engine: for which sagas it sends
//! nothing.

use handfast_protocol::Party as _;

use super::cures::Named;
use super::guard::Guard;
use super::person::Followed;
use crate::flow::Flow;
use crate::store::{Offer, Store, StoreError, StoredSaga};

/// What the store shows of that.
pub(super) struct Beside {
    guard: Option<Guard>,
    offers: Vec<Offer>,
}

impl Beside {
    pub(super) async fn of(store: &dyn Store) -> Result<Self, StoreError> {
        Ok(Self { guard: Guard::in_store(store).await?, offers: store.offers().await? })
    }

    /// By which definition a person names this saga to that engine, which follows that one.
    pub(super) fn named(&self, stored: &StoredSaga, follows: &Flow) -> Named {
        Named::of(stored, follows, self.guard.as_ref())
    }

    /// Why nothing is sent for this saga, which was followed so far, before a person decides which definition it follows or another
    /// program drives it; `None` if it goes on, or was taken out of the wake-up index.
    pub(super) fn why_held(&self, stored: &StoredSaga, followed: Result<&Followed, &str>) -> Option<String> {
        if let Some(held) = self.guard.as_ref().and_then(|guard| guard.holds(stored)) {
            return Some(held);
        }
        let left_alone = followed.map_or_else(Some, Followed::misfit);
        left_alone.filter(|_| stored.why.is_none()).map(str::to_owned)
    }

    /// Whether no request is sent for this saga, since a participant's store was restored and no person has accepted that yet.
    pub(super) fn is_uncalled(&self, followed: Option<&Followed>) -> bool {
        !self.offers.is_empty() && followed.is_some_and(|followed| self.calls_no_participant(followed))
    }

    fn calls_no_participant(&self, followed: &Followed) -> bool {
        let outbox = followed.coordinator.outbox();
        let is_offered = |step: usize| {
            let participant = followed.follows.steps().get(step).map(|step| step.participant.as_str());
            self.offers.iter().any(|offer| Some(offer.participant.as_str()) == participant)
        };
        !outbox.is_empty() && outbox.iter().all(|command| is_offered(command.step))
    }
}
