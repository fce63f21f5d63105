//! Brings a saga into memory: what to do where the store cannot read it, or this program cannot drive it.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use handfast_protocol::Standing;

use crate::clock::whole_ms;
use crate::engine::handle::Progress;
use crate::engine::journaled::{Journaled, LeftAlone, Loaded};
use crate::engine::options::{LEFT_ALONE_FOR, UNREAD_FOR};
use crate::engine::shared::Shared;
use crate::store::StoreError;

/// Loads a saga. While the store cannot be read it tries again, at most `tries` times if that is given. `None` if there is
/// nothing to drive.
pub(super) async fn load_patiently(shared: &Arc<Shared>, id: &Arc<str>, tries: Option<u32>) -> Option<Box<Journaled>> {
    // How long its journal was before it was read the last time, where it could not be trusted then.
    let mut doubted: Option<u64> = None;
    for attempt in 1_u32.. {
        let loaded = match Journaled::load(&*shared.store, id, &shared.definitions).await {
            Err(StoreError::Corrupt { what, .. }) => match distrust(shared, id, &mut doubted, &what).await {
                Ok(ControlFlow::Break(())) => return None,
                Ok(ControlFlow::Continue(())) => continue,
                Err(error) => Err(error),
            },
            loaded => loaded,
        };
        match loaded {
            Ok(Loaded::Ready(saga)) => {
                shared.attention.left_alone.remove(id);
                shared.attention.unreadable.remove(id);
                return Some(saga);
            }
            Ok(Loaded::Missing) => return None,
            Ok(Loaded::Suspended(reason)) => {
                shared.attention.suspended.add(id, &reason);
                shared.followers.publish(id, Progress::stuck(&reason));
                return None;
            }
            Ok(Loaded::LeftAlone(left)) => {
                let reason = &left.reason;
                if shared.attention.left_alone.add(id, reason) {
                    tracing::warn!(name: "saga_left_alone", saga = %id, reason, "this program cannot drive a saga, and leaves it alone");
                }
                leave_alone(shared, id, &left).await;
                return None;
            }
            Ok(Loaded::Differs(left)) => {
                let reason = &left.reason;
                if shared.attention.left_alone.add(id, reason) {
                    tracing::error!(
                        name: "journal_differs",
                        saga = %id,
                        reason,
                        "this program cannot follow the journal of a saga, and leaves it alone; is it the version that wrote it?"
                    );
                }
                leave_alone(shared, id, &left).await;
                return None;
            }
            Err(error) if tries.is_some_and(|tries| attempt >= tries) => {
                put_aside_unread(shared, id, &error).await;
                return None;
            }
            Err(error) => pause_after(shared, id, &error, attempt).await?,
        }
    }
    None
}

/// The store cannot read it, a damaged page for instance. That is no fault of the saga's: it makes room for those that can be
/// read, and is read again.
async fn put_aside_unread(shared: &Shared, id: &str, error: &StoreError) {
    if shared.attention.unreadable.add(id, &error.to_string()) {
        tracing::error!(name: "saga_unreadable", saga = id, %error, "a saga cannot be read; it is read again every few seconds");
    }
    let wake_at = shared.now().after(whole_ms(UNREAD_FOR));
    // Where not even this can be written it stays due, and is read again sooner.
    let was_put_aside = shared.store.park(id, None, shared.in_index(wake_at), 0).await.is_ok();
    shared.wakes.note(if was_put_aside { wake_at } else { shared.now().after(1000) });
}

/// Another version, or one that is set up otherwise, can drive it: it stays as it is, and is looked at again.
async fn leave_alone(shared: &Shared, id: &str, left: &LeftAlone) {
    shared.followers.publish(id, Progress::held(left));
    let wake_at = shared.now().after(whole_ms(LEFT_ALONE_FOR));
    match shared.attention.trouble.after(shared.store.park(id, Some(left.entries), shared.in_index(wake_at), 0).await) {
        Ok(()) => shared.wakes.note(wake_at),
        // Another worker goes on with it, and keeps its place in the index.
        Err(StoreError::Conflict) => shared.wakes.note(shared.now().after(1000)),
        Err(error) => tracing::warn!(name: "saga_not_put_aside", saga = id, %error, "a saga could not be put aside"),
    }
}

/// What was read of it cannot be trusted. It is read twice: the second time it is known how long its journal was before, so that
/// nothing is suspended to which another worker has added meanwhile. Breaks once it is suspended, or cannot be.
async fn distrust(
    shared: &Shared,
    id: &Arc<str>,
    doubted: &mut Option<u64>,
    reason: &str,
) -> Result<ControlFlow<()>, StoreError> {
    if let Some(length) = doubted.take() {
        return Ok(suspend(shared, id, length, reason).await);
    }
    let lengths = shared.store.lengths(vec![Arc::clone(id)]).await?;
    *doubted = lengths.first().map(|(_, length)| *length);
    Ok(if doubted.is_some() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
}

/// Takes it out of the wake-up index, unless another worker has added to its journal: then it is to be read again.
async fn suspend(shared: &Shared, id: &str, length: u64, reason: &str) -> ControlFlow<()> {
    match shared.attention.trouble.after(shared.store.suspend(id, length, reason).await) {
        Ok(()) => {
            tracing::error!(name: "saga_suspended", saga = id, reason, "the journal of a saga cannot be trusted; it is suspended");
            // It counts even where the list of names is full and does not name it.
            if shared.attention.suspended.of(id).is_none() {
                shared.count(Some(Standing::Acting), Standing::Suspended);
            }
            shared.attention.suspended.add(id, reason);
        }
        Err(StoreError::Conflict) => return ControlFlow::Continue(()),
        Err(error) => {
            tracing::warn!(name: "saga_not_suspended", saga = id, %error, "a saga could not be taken out of the wake-up index")
        }
    }
    shared.followers.publish(id, Progress::stuck(reason));
    ControlFlow::Break(())
}

/// Waits before the store is asked again. `None` if the engine stops meanwhile.
pub(super) async fn pause_after(shared: &Shared, id: &str, error: &StoreError, attempt: u32) -> Option<()> {
    // What is wrong with the store is said once, where it begins.
    tracing::debug!(name: "store_asked_again", saga = id, %error, "the store is asked again");
    let longest = shared.options.backoff.ceiling(attempt).min(Duration::from_secs(1));
    tokio::time::sleep(shared.jitter.up_to(longest)).await;
    (!shared.is_stopping()).then_some(())
}
