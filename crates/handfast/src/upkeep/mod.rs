//! Looking after a store: a copy of it while it is in use, and whether all of it is what was written.

#[cfg(feature = "sqlite")]
mod file;
#[cfg(feature = "sqlite")]
mod verify;

use handfast_protocol::Time;

#[cfg(feature = "sqlite")]
pub use self::file::{back_up, file_of_backup};
#[cfg(feature = "sqlite")]
pub use self::verify::{MOST_FINDINGS, Verified, verify};
use crate::clock::Clock;
use crate::engine::{Difference, what_is_wrong_if_said};
use crate::flow::Flow;
#[cfg(feature = "sqlite")]
pub use crate::store::Damage;
use crate::store::{self, ClockMark, Store, StoreError, TimeAcceptance, TimeAccepted};

/// Why the present time was not accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptTimeError {
    /// What was said about who accepts it, or why, is not kept.
    #[error("{name}: {what}; say it otherwise")]
    Text {
        /// `by` or `why`.
        name: &'static str,
        /// What is wrong with it.
        what: String,
    },
    /// The store's time is not later than the present one.
    #[error("the store's time is not later than the present one, so there is nothing to accept")]
    NotLater,
    /// Another process goes by the store's time.
    #[error(
        "a process that drives this store was there within the last half minute; stop it, and say it again half a minute later"
    )]
    Driven,
    /// Open sagas count times from a moment that is still to come.
    #[error(
        "{number} open sagas have entries that were written at a later time and are bound to times, as {first}: what was to stop in \
         time would stop too late; wait until that time has come, settle them, or say that a person has seen to them"
    )]
    SagasAhead {
        /// How many.
        number: usize,
        /// One of them.
        first: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A person lets the present time count in the store that `url` names, instead of a later one that a clock had shown which was
/// wrong. Who and why is kept. Nothing else may drive the store. Gives the time that had counted.
///
/// A saga whose journal has entries of that later time counts from it: its deadlines come as much later, and so does what has to
/// stop before a participant forgets a key. Where such a saga is open and bound to times this is refused, unless
/// `sagas_were_seen_to`.
///
/// # Errors
/// Why it does not.
pub async fn accept_time(url: &str, by: &str, why: &str, sagas_were_seen_to: bool) -> Result<Time, AcceptTimeError> {
    store::file_of(url)?;
    let store = store::open(url)?;
    let mark = Clock::system().mark_by_wall(&uuid::Uuid::now_v7().to_string());
    accept_time_in(&*store, mark, (by, why), sagas_were_seen_to).await
}

/// The same in a store that is open, for a process whose clock shows this.
pub(crate) async fn accept_time_in(
    store: &dyn Store,
    mark: ClockMark,
    (by, why): (&str, &str),
    sagas_were_seen_to: bool,
) -> Result<Time, AcceptTimeError> {
    for (name, text) in [("by", by), ("why", why)] {
        if let Some(what) = what_is_wrong_if_said(text) {
            return Err(AcceptTimeError::Text { name, what });
        }
    }
    let mut ahead = Vec::new();
    for id in store.stamped_after(mark.at).await? {
        let Some(saga) = store.load(&id).await? else { continue };
        // One that cannot be read here may be bound to anything.
        if Flow::from_built_text(&saga.flow_text).map_or(true, |flow| flow.plan().is_timed()) {
            ahead.push(id);
        }
    }
    if let Some(first) = ahead.first().filter(|_| !sagas_were_seen_to) {
        return Err(AcceptTimeError::SagasAhead { number: ahead.len(), first: first.clone() });
    }
    match store.accept_time(TimeAcceptance { mark, by: by.to_owned(), why: why.to_owned() }).await? {
        TimeAccepted::Taken { before } => Ok(before),
        TimeAccepted::NotLater => Err(AcceptTimeError::NotLater),
        TimeAccepted::Driven => Err(AcceptTimeError::Driven),
    }
}

/// A definition that open orders of a store follow, and in what it differs from one's own.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Followed {
    /// The flow's name.
    pub flow: String,
    /// How many open orders follow it.
    pub orders: u64,
    /// In what it differs.
    pub difference: Difference,
}

/// What adopting this flow would change for the open orders of the store that `url` names: the definitions of flows of its name
/// that they follow, but for the flow itself. Nothing is changed.
///
/// # Errors
/// There is no store in a file, it cannot be read, or is of the first format, which knows nothing of adopting.
pub async fn followed(url: &str, flow: &Flow) -> Result<Vec<Followed>, StoreError> {
    let store = store::open_to_read(url)?;
    let mut followed = Vec::new();
    for open in store.open_flows().await? {
        // One that cannot be read here is of another handfast, and cannot be adopted by this one either.
        let Ok(other) = Flow::from_built_text(&open.text) else { continue };
        if open.follows != flow.hash() && other.name() == flow.name() {
            let difference = Difference::between(&other, Some(flow));
            followed.push(Followed { flow: other.name().to_owned(), orders: open.sagas, difference });
        }
    }
    Ok(followed)
}
