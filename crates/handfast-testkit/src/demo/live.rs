//! What is seen while the demo runs: orders done, in doubt rising while the road is cut and draining after, kills.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use handfast_http::client::HttpClient;
use hyper::Method;
use serde_json::Value;

use super::camp::Camp;
use super::customers::Tracks;
use super::faults::Fault;
use super::{Event, Progress, Watcher};
use crate::messenger::Stats;
use handfast_machine::clock::Stopwatch;
use handfast_machine::locked;

/// How often everybody is asked how it goes.
const LOOK: Duration = Duration::from_millis(200);

/// What was seen so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Orders in doubt at handfast's coordinator now, and at the worst moment.
    pub(crate) in_doubt: u64,
    pub(crate) worst: u64,
    /// Messengers captured on handfast's roads.
    pub(crate) captured: u64,
    pub(crate) kills: u32,
    pub(crate) cuts: u32,
    is_cut: bool,
    /// Orders in doubt when the road was cut, and when it was restored.
    before_cut: u64,
    restored: Option<Duration>,
    /// How long after the road was restored no more orders were in doubt than before it was cut.
    pub(crate) recovery: Option<Duration>,
}

/// Keeps what is seen, and tells whoever watches.
pub(crate) struct Live<'a> {
    watcher: &'a dyn Watcher,
    since: Stopwatch,
    seen: Mutex<Seen>,
}

impl<'a> Live<'a> {
    pub(crate) fn new(watcher: &'a dyn Watcher) -> Self {
        Self { watcher, since: Stopwatch::start(), seen: Mutex::default() }
    }

    pub(crate) fn seen(&self) -> Seen {
        self.lock().clone()
    }

    /// Tells of something that has happened.
    pub(crate) fn tell(&self, event: Event) {
        self.watcher.tell(event);
    }

    /// Takes note of a fault.
    pub(crate) fn fault(&self, fault: Fault) {
        let mut seen = self.lock();
        let event = match fault {
            Fault::Cut => {
                (seen.is_cut, seen.before_cut) = (true, seen.in_doubt);
                seen.cuts += 1;
                Event::Cut
            }
            Fault::Restore => {
                (seen.is_cut, seen.restored) = (false, Some(self.since.elapsed()));
                Event::Restored { in_doubt: seen.in_doubt }
            }
            Fault::Kill(victim) => {
                seen.kills += 1;
                Event::Killed { victim: victim.name(), number: seen.kills }
            }
        };
        drop(seen);
        self.tell(event);
    }

    /// Looks again and again, until the caller stops asking.
    ///
    /// # Errors
    /// A process that ended by itself.
    pub(crate) async fn watch(&self, camps: &[Camp; 2], tracks: &[&Tracks; 2]) -> anyhow::Result<()> {
        let client = HttpClient::new();
        let [handfast, _] = camps;
        loop {
            camps.iter().try_for_each(Camp::check_alive)?;
            let captured = handfast.road_stats().await.map_or(0, |stats| stats.iter().map(|road: &Stats| road.captured).sum());
            let asked = client.ask(Method::GET, &format!("{}/stats", handfast.coordinator_url), &[], Bytes::new(), LOOK).await;
            let in_doubt = asked.ok().and_then(|answer| in_doubt(&answer.body));
            self.look(in_doubt, captured);
            self.show(tracks);
            tokio::time::sleep(LOOK).await;
        }
    }

    fn look(&self, in_doubt: Option<u64>, captured: u64) {
        let mut seen = self.lock();
        seen.captured = seen.captured.max(captured);
        // A coordinator that was just killed says nothing; its orders are in doubt all the same.
        if let Some(in_doubt) = in_doubt {
            seen.in_doubt = in_doubt;
            seen.worst = seen.worst.max(in_doubt);
            if let (Some(restored), None) = (seen.restored, seen.recovery)
                && in_doubt <= seen.before_cut
            {
                seen.recovery = Some(self.since.elapsed().saturating_sub(restored));
            }
        }
    }

    fn show(&self, tracks: &[&Tracks; 2]) {
        let seen = self.seen();
        let [ended, usual_way_ended] = tracks.map(|tracks| tracks.ended.load(std::sync::atomic::Ordering::Relaxed));
        let Seen { in_doubt, captured, kills, is_cut, .. } = seen;
        self.tell(Event::Progress(Progress { ended, usual_way_ended, in_doubt, captured, kills, is_cut }));
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        locked(&self.seen)
    }
}

fn in_doubt(stats: &[u8]) -> Option<u64> {
    serde_json::from_slice::<Value>(stats).ok()?.get("in_doubt")?.as_u64()
}
