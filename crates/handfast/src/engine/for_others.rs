//! What an engine leaves in its store for processes that act on sagas beside it: the definitions at hand, by which they see what
//! is held back.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::definitions::Definitions;
use super::shared::Shared;
use crate::store::{Store, StoreError};

/// How long to wait before it is tried again.
const PAUSE: Duration = Duration::from_secs(5);

/// The texts of the definitions at hand; none where nothing is held back.
///
/// A store keeps those of the engine that was opened last. No engine goes by them: it knows its own.
pub(super) struct ForOthers(Vec<Arc<str>>);

impl ForOthers {
    pub(super) fn of(definitions: &Definitions) -> Self {
        let at_hand = definitions.at_hand().filter(|at_hand| at_hand.holds_back);
        Self(at_hand.iter().flat_map(|at_hand| at_hand.guard.flows()).map(|flow| Arc::clone(flow.text())).collect())
    }

    /// Keeps them, and says whether that is still to be done: a disk that is full, or a store that is locked, keeps no engine from
    /// opening, since what was placed can go on as soon as anything can be written.
    ///
    /// # Errors
    /// The store's, where it is not merely unavailable.
    pub(super) async fn keep_unless_unavailable(&self, store: &dyn Store) -> Result<bool, StoreError> {
        match self.keep(store).await {
            Ok(()) => Ok(false),
            Err(error @ StoreError::Unavailable(_)) => {
                let message = "the definitions at hand could not be kept; until they are, commands at the store's file may say wrongly what is held back";
                tracing::warn!(name: "at_hand_not_kept", %error, "{message}");
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }

    /// Keeps those that are at hand then as soon as the store can, for as long as the engine runs.
    pub(super) async fn keep_later(engine: Weak<Shared>) {
        loop {
            tokio::time::sleep(PAUSE).await;
            let Some(shared) = engine.upgrade().filter(|shared| !shared.is_stopping()) else { return };
            if Self::of(&shared.definitions).keep(&*shared.store).await.is_ok() {
                tracing::info!(name: "at_hand_kept", "the definitions at hand are kept now");
                return;
            }
        }
    }

    async fn keep(&self, store: &dyn Store) -> Result<(), StoreError> {
        if store.at_hand().await? == self.0 { Ok(()) } else { store.keep_at_hand(self.0.clone()).await }
    }
}
