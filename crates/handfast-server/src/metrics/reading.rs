//! What has to be read from all open sagas, once for all who scrape: seldom, slowly, and with the time that it is of.
//!
//! No scrape waits for it longer than a moment. How much of the store's readers it takes is bounded by pauses in the reading, and by how
//! long it is waited before the next one, so that with a million open sagas it is older and nothing else is slower.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use handfast::OpenMoney;
use handfast_machine::clock::{self, Stopwatch};
use tokio::sync::watch;

use crate::coordinator::Coordinator;

/// A reading is used for at least this long, and for this many times as long as it took.
const AT_LEAST: Duration = Duration::from_secs(15);
const TIMES: u32 = 3;

/// So long a scrape waits for the reading that it has begun: most stores are read by then.
const MOMENT: Duration = Duration::from_millis(100);

/// One reading.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) money: OpenMoney,
    /// How many open sagas are held; `None` where the coordinator does not hold any back.
    pub(crate) held: Option<u64>,
    /// When it began, in milliseconds since 1970.
    pub(crate) at_ms: u64,
    pub(crate) took: Duration,
    ended: Stopwatch,
}

/// The latest reading.
#[derive(Debug)]
pub(crate) struct Readings {
    latest: watch::Sender<Option<Arc<Reading>>>,
    is_under_way: AtomicBool,
}

impl Default for Readings {
    fn default() -> Self {
        Self { latest: watch::Sender::new(None), is_under_way: AtomicBool::new(false) }
    }
}

/// Lets the next reading begin, also where this one panics.
struct UnderWay(Arc<Readings>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.is_under_way.store(false, Ordering::Release);
    }
}

impl Readings {
    /// The latest reading, if there is any. Begins another one where that is old.
    pub(crate) async fn latest(self: &Arc<Self>, coordinator: &Arc<dyn Coordinator>) -> Option<Arc<Reading>> {
        let mut seen = self.latest.subscribe();
        let is_fresh = |last: &Arc<Reading>| last.ended.elapsed() < AT_LEAST.max(last.took.saturating_mul(TIMES));
        let is_due = !seen.borrow_and_update().as_ref().is_some_and(is_fresh);
        if is_due && !self.is_under_way.swap(true, Ordering::AcqRel) {
            tokio::spawn(read(UnderWay(Arc::clone(self)), Arc::clone(coordinator)));
            // Whatever comes of it, what is there by then is told.
            let _in_time = tokio::time::timeout(MOMENT, seen.changed()).await;
        }
        self.latest.borrow().clone()
    }
}

/// Reads once. What the store does not answer stays as it was, and shows by its age.
async fn read(under_way: UnderWay, coordinator: Arc<dyn Coordinator>) {
    let (at_ms, watch) = (clock::now_ms(), Stopwatch::start());
    let Ok(Some(money)) = coordinator.open_money().await else { return };
    let others = coordinator.other_definitions().await.ok();
    let held = others.map(|others| others.iter().filter(|other| other.is_held).map(|other| other.orders).sum());
    let reading = Reading { money, held, at_ms, took: watch.elapsed(), ended: Stopwatch::start() };
    under_way.0.latest.send_replace(Some(Arc::new(reading)));
}
