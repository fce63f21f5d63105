//! A list of sagas as an operator reads it: how each stands, since when, at which step, about how much, and what can be done.

use handfast_protocol::Time;

use super::beside::Beside;
use super::money;
use super::person::{Act, Followed};
use crate::store::{Store, StoreError, StoredSaga};

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

/// Sagas in the order of their placing, after the one named; those that stand so only where `standing` is given. Each is read from
/// its journal; of one that cannot be followed here only what the index says of it is there.
///
/// # Errors
/// The store's.
pub async fn list_in(
    store: &dyn Store,
    standing: Option<&str>,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<Listed>, StoreError> {
    let beside = Beside::of(store).await?;
    let is_held = |stored: &StoredSaga| beside.why_held(stored).is_some();
    list_with(store, (standing, after, limit), (is_held, |stored: &StoredSaga| beside.is_uncalled(stored))).await
}

/// The same for a caller that knows itself which sagas are held and which are not called.
pub(super) async fn list_with(
    store: &dyn Store,
    (standing, after, limit): (Option<&str>, Option<&str>, usize),
    (is_held, is_uncalled): (impl Fn(&StoredSaga) -> bool + Send, impl Fn(&StoredSaga) -> bool + Send),
) -> Result<Vec<Listed>, StoreError> {
    let mut listed = Vec::new();
    for summary in store.list(standing, after, limit).await? {
        let stored = match store.load(&summary.id).await {
            Ok(stored) => stored,
            // It is listed all the same, so that an operator finds it.
            Err(StoreError::Corrupt { .. }) => None,
            Err(error) => return Err(error),
        };
        let is_held = stored.as_ref().is_some_and(&is_held);
        let is_quiet = is_held || stored.as_ref().is_some_and(&is_uncalled);
        let followed = stored.as_ref().and_then(|stored| Followed::of(stored).ok());
        let cannot_go_on =
            followed.as_ref().map_or(stored.as_ref().is_none_or(|stored| stored.why.is_some()), Followed::needs_person);
        listed.push(Listed {
            can_be_cancelled: followed.as_ref().is_some_and(Followed::can_be_cancelled),
            needs_person: is_held || cannot_go_on,
            id: summary.id,
            standing: summary.standing,
            created: summary.created,
            changed: summary.changed,
            step: followed.as_ref().and_then(Followed::step_in_doubt).map(str::to_owned),
            amount: stored.as_ref().and_then(money::of_order),
            // A retry would change nothing where no request is sent at all.
            can: followed.iter().flat_map(Followed::acts).filter(|act| !is_quiet || *act != Act::Retry).collect(),
            is_held,
        });
    }
    Ok(listed)
}
