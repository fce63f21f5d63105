//! Which orders are held back, since they would call an address that no definition at hand names, and no person has decided
//! about them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::adopt::short;
use super::difference::Difference;
use crate::flow::Flow;
use crate::journal::hex;
use crate::store::{Store, StoreError, StoredSaga};

/// The definitions at hand, by the names of their flows.
#[derive(Debug)]
pub(crate) struct Guard(BTreeMap<String, Arc<Flow>>);

impl Guard {
    pub(crate) const fn of(at_hand: BTreeMap<String, Arc<Flow>>) -> Self {
        Self(at_hand)
    }

    /// The definitions themselves.
    pub(super) fn flows(&self) -> impl Iterator<Item = &Arc<Flow>> {
        self.0.values()
    }

    /// The guard of the process that drives the sagas of a store, for a process that acts beside it; `None` if nothing is held
    /// back there, or this program cannot read the definitions at hand there.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn in_store(store: &dyn Store) -> Result<Option<Self>, StoreError> {
        let texts = store.at_hand().await?;
        let flows: Option<BTreeMap<_, _>> = texts
            .iter()
            .map(|text| Flow::from_built_text(text).ok().map(|flow| (flow.name().to_owned(), Arc::new(flow))))
            .collect();
        Ok(flows.filter(|flows| !flows.is_empty()).map(Self))
    }

    /// Whether this definition is one of those at hand.
    pub(crate) fn is_at_hand(&self, hash: [u8; 32]) -> bool {
        is_at_hand(&self.0, hash)
    }

    /// In what this definition differs from the one of its flow that is at hand.
    pub(super) fn difference(&self, flow: &Flow) -> Difference {
        Difference::between(flow, self.0.get(flow.name()).map(|flow| &**flow))
    }

    /// Why nothing is sent for the orders that follow this definition, as long as no person has decided about it; `None` if
    /// they go on.
    pub(crate) fn why_held(&self, flow: &Flow) -> Option<String> {
        if self.is_at_hand(flow.hash()) {
            return None;
        }
        let difference = self.difference(flow);
        if difference.addresses.is_empty() {
            return None;
        }
        let short = short(&hex(&flow.hash()));
        let (said, cure) = match difference.plan {
            None => {
                ("--adopt or --keep-definitions", format!("adopt {short} --by NAME --why TEXT --url URL` or `keep {short} ..`"))
            }
            // There is only one way.
            Some(_) => ("--keep-definitions", format!("keep {short} --by NAME --why TEXT --url URL`")),
        };
        Some(format!(
            "it follows another definition than the one at hand ({}); nothing is sent before a person says {said} at the start, or \
             `handfast definitions {cure} to the service that runs",
            difference.in_words()
        ))
    }

    /// The same for a saga that is on its way and was read beside the process that drives it.
    pub(crate) fn holds(&self, stored: &StoredSaga) -> Option<String> {
        if stored.wake_at.is_none() || stored.is_kept() {
            return None;
        }
        let (follows, text) = stored.follows();
        if self.is_at_hand(follows) {
            return None;
        }
        // One that cannot be read here is left alone for that.
        self.why_held(&Flow::from_built_text(text).ok()?)
    }
}

/// Whether the definition of that hash is one of those at hand.
pub(super) fn is_at_hand(at_hand: &BTreeMap<String, Arc<Flow>>, hash: [u8; 32]) -> bool {
    at_hand.values().any(|flow| flow.hash() == hash)
}
