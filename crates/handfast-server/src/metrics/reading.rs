//! What has to be read from all open sagas, once for all who scrape: seldom, slowly, and with the time that it is of.
//!
//! No scrape waits for it longer than a moment. How much of the store's readers it takes is bounded by pauses in the reading, and by how
//! long it is waited before the next one, so that with a million open sagas it is older and nothing else is slower.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use handfast_machine::clock::{self, Stopwatch};
use tokio::sync::watch;

/// A reading is used for at least so long as is said of its kind, and for this many times as long as it took.
const TIMES: u32 = 3;

/// So long a scrape waits for the reading that it has begun: most stores are read by then.
const MOMENT: Duration = Duration::from_millis(100);

/// One reading.
#[derive(Debug)]
pub(crate) struct Reading<T> {
    pub(crate) of: T,
    /// When it began, in milliseconds since 1970.
    pub(crate) at_ms: u64,
    /// How long it took, with its pauses.
    pub(crate) took: Duration,
    ended: Stopwatch,
}

/// The latest reading of one kind.
#[derive(Debug)]
pub(crate) struct Readings<T> {
    latest: watch::Sender<Option<Arc<Reading<T>>>>,
    is_under_way: AtomicBool,
    at_least: Duration,
}

/// Lets the next reading begin, also where this one panics.
struct UnderWay<T>(Arc<Readings<T>>);

impl<T> Drop for UnderWay<T> {
    fn drop(&mut self) {
        self.0.is_under_way.store(false, Ordering::Release);
    }
}

impl<T: Send + Sync + 'static> Readings<T> {
    /// None yet. Each is used for this long at least.
    pub(crate) fn used_for(at_least: Duration) -> Arc<Self> {
        Arc::new(Self { latest: watch::Sender::new(None), is_under_way: AtomicBool::new(false), at_least })
    }

    /// The latest reading, if there is any. Begins another one where that is old. What the store does not answer stays as it was,
    /// and shows by its age.
    pub(crate) async fn latest<F>(self: &Arc<Self>, read: impl FnOnce() -> F) -> Option<Arc<Reading<T>>>
    where
        F: Future<Output = Option<T>> + Send + 'static,
    {
        let mut seen = self.latest.subscribe();
        let is_fresh = |last: &Arc<Reading<T>>| last.ended.elapsed() < self.at_least.max(last.took.saturating_mul(TIMES));
        let is_due = !seen.borrow_and_update().as_ref().is_some_and(is_fresh);
        if is_due && !self.is_under_way.swap(true, Ordering::AcqRel) {
            let (under_way, reading) = (UnderWay(Arc::clone(self)), read());
            tokio::spawn(async move {
                let (at_ms, watch) = (clock::now_ms(), Stopwatch::start());
                let Some(of) = reading.await else { return };
                let reading = Reading { of, at_ms, took: watch.elapsed(), ended: Stopwatch::start() };
                under_way.0.latest.send_replace(Some(Arc::new(reading)));
            });
            // Whatever comes of it, what is there by then is told.
            let _in_time = tokio::time::timeout(MOMENT, seen.changed()).await;
        }
        self.latest.borrow().clone()
    }
}
