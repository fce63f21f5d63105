//! Other flows at hand while the engine runs: new orders follow them, and orders under way keep the definition that they have.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::definitions::{AtHand, Definition};
use super::error::OpenError;
use super::for_others::ForOthers;
use super::guard::Guard;
use super::registry::Mail;
use super::{Engine, adopt};
use crate::flow::Flow;
use crate::store::StoreError;

impl Engine {
    /// The flows at hand, by name.
    pub(super) fn flows(&self) -> Arc<BTreeMap<String, Arc<Definition>>> {
        Arc::clone(&handfast_machine::locked(&self.0.flows))
    }

    /// Takes the orders of these flows from now on, and of no others. Orders under way keep their definition.
    ///
    /// What is true where an engine is opened is true here: where it holds orders back, nothing is sent for those that would call an
    /// address which the flow of their name does not name any more, before a person decides. Orders of a flow that is left out go on
    /// as they are for as long as this engine runs.
    ///
    /// # Errors
    /// A flow cannot be followed, or two have one name. Everything is as it was then.
    pub async fn replace_flows(&self, flows: impl IntoIterator<Item = Arc<Flow>>) -> Result<(), OpenError> {
        let shared = &self.0.shared;
        let _alone = self.0.replacing.lock().await;
        let before = self.flows();
        let mut next: BTreeMap<String, Arc<Definition>> = BTreeMap::new();
        for flow in flows {
            let name = flow.name().to_owned();
            let known = before.get(&name).filter(|known| known.flow().hash() == flow.hash()).cloned();
            let definition = known.map_or_else(|| shared.definitions.add(flow), Ok)?;
            if next.insert(name.clone(), definition).is_some() {
                return Err(OpenError::TwoFlows { name });
            }
        }
        let is_known = |(name, definition): (&String, &Arc<Definition>)| {
            before.get(name).is_some_and(|known| known.flow().hash() == definition.flow().hash())
        };
        if next.len() == before.len() && next.iter().all(is_known) {
            return Ok(());
        }
        let holds_back = shared.definitions.at_hand().is_some_and(|at_hand| at_hand.holds_back);
        let of = |flows: &BTreeMap<String, Arc<Definition>>| -> BTreeMap<String, Arc<Flow>> {
            flows.iter().map(|(name, definition)| (name.clone(), definition.shared_flow())).collect()
        };
        // Those that are left out leave their orders: by what they say of addresses it is still looked whether an order is held back.
        let mut leaving = shared.definitions.at_hand().map(|at_hand| at_hand.leaving.clone()).unwrap_or_default();
        leaving.extend(of(&before));
        leaving.retain(|name, _| !next.contains_key(name));
        shared.definitions.know_at_hand(AtHand::new(of(&next), leaving, holds_back));
        *handfast_machine::locked(&self.0.flows) = Arc::new(next);
        // What is in memory is looked at again. A saga that comes there from now on is looked at then.
        for id in shared.active_ids() {
            shared.tell(&id, Mail::Flows);
        }
        // Those that were held back may go on now: at the latest they are looked at then.
        shared.wake_early();
        // They count by now, whatever the store says: what processes beside this one are told is kept as soon as it can be.
        let kept = ForOthers::of(&shared.definitions).keep_unless_unavailable(&*shared.store).await;
        if !matches!(kept, Ok(false)) {
            tokio::spawn(ForOthers::keep_later(Arc::downgrade(shared)));
        }
        if let Err(error) = self.tell_of_others().await {
            tracing::debug!(name: "others_unread", %error, "which orders follow another definition cannot be read");
        }
        Ok(())
    }

    /// Says which orders are held back now, and forgets the definitions that no open order follows.
    async fn tell_of_others(&self) -> Result<(), StoreError> {
        let shared = &self.0.shared;
        adopt::tell_held(&self.other_definitions().await?);
        let open = shared.store.open_flows().await?;
        let followed: BTreeSet<[u8; 32]> = open.iter().flat_map(|open| [open.placed_with, open.follows]).collect();
        shared.definitions.forget_but(&followed);
        Ok(())
    }
}

impl AtHand {
    /// These flows are at hand, and orders of those others are still under way.
    pub(super) fn new(flows: BTreeMap<String, Arc<Flow>>, leaving: BTreeMap<String, Arc<Flow>>, holds_back: bool) -> Self {
        let all = leaving.clone().into_iter().chain(flows).collect();
        Self { guard: Guard::of(all), leaving, holds_back, held: std::sync::Mutex::default() }
    }
}
