//! Whether an order would be taken now: what the last writes said, and where nothing was written lately a write that tries.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::shared::Shared;
use super::{Engine, MAX_BODY_BYTES};
use crate::clock::whole_ms;
use crate::store::{StoreError, Unanswered};

/// How many bytes are written to see whether the store takes any.
const SMALL: usize = 1024;
/// A store that took a write is not tried again for this long.
const GOOD_FOR: std::time::Duration = std::time::Duration::from_secs(2);

/// Whether an order would be taken now, where one may be of a flow that is bound to times or not.
///
/// # Errors
/// What would be in its way.
pub(crate) async fn check(shared: &Arc<Shared>, is_timed: impl FnOnce() -> bool) -> Result<(), StoreError> {
    if let Some(why) = shared.clock_refuses(is_timed) {
        return Err(StoreError::Unavailable(Unanswered::InTheWay { why }));
    }
    let now = shared.now();
    let is_in_trouble = shared.attention.trouble.what().is_some() || shared.attention.trouble.is_of_order();
    let tried_at = shared.tried_at.load(Ordering::Relaxed);
    // A clock that was set back makes nothing good for longer.
    let is_fresh = (tried_at..tried_at.saturating_add(whole_ms(GOOD_FOR))).contains(&now.0);
    if !is_in_trouble && (is_fresh || shared.attention.trouble.has_written()) {
        return Ok(());
    }
    // The result is noted even if the caller does not wait for it. After trouble only what is as large as an order shows that
    // orders are taken again.
    let trying = Arc::clone(shared);
    let tried = tokio::spawn(async move {
        let written = trying.store.probe(if is_in_trouble { MAX_BODY_BYTES } else { SMALL }).await;
        if is_in_trouble { trying.attention.trouble.after_order(written) } else { trying.attention.trouble.after(written) }
    });
    let broke_off = StoreError::Unavailable(Unanswered::BrokeOff { what: "the write that tries it" });
    tried.await.unwrap_or(Err(broke_off))?;
    shared.tried_at.store(now.0, Ordering::Relaxed);
    Ok(())
}

impl Engine {
    /// What has stopped for good and is needed for everything, so that only a restart helps: a thread of the store that
    /// panicked, for instance. Nothing that was acknowledged is lost by that.
    #[must_use]
    pub fn dead_part(&self) -> Option<&'static str> {
        let shared = &self.0.shared;
        if shared.is_stopping() {
            return shared.store.dead_part();
        }
        let is_gone = |runs: &AtomicBool, part| (!runs.load(Ordering::Acquire)).then_some(part);
        let of_engine = || {
            let scheduler = is_gone(&shared.is_scheduled, "the scheduler");
            scheduler.or_else(|| is_gone(&shared.is_clock_watched, "the watch over the clock"))
        };
        shared.store.dead_part().or_else(of_engine)
    }
}
