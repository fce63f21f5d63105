//! What is seen while the demo runs: orders done, in doubt rising while the road is cut and draining after, kills.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use hyper::Method;
use indicatif::ProgressBar;
use serde_json::Value;

use super::camp::Camp;
use super::customers::Tracks;
use super::faults::Fault;
use crate::clock::Stopwatch;
use crate::http_client::HttpClient;
use crate::lock::locked;
use crate::messenger::Stats;
use crate::output::Output;

/// How often everybody is asked how it goes.
const LOOK: Duration = Duration::from_millis(200);
/// How often a line is written where there is no terminal.
const LINE: Duration = Duration::from_secs(3);

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

/// Shows how it goes.
pub(crate) struct Live<'a> {
    output: &'a Output,
    bar: ProgressBar,
    since: Stopwatch,
    kills_planned: u32,
    seen: Mutex<Seen>,
}

impl<'a> Live<'a> {
    pub(crate) fn new(output: &'a Output, orders: u64, kills_planned: u32) -> Self {
        Self { output, bar: output.progress(orders), since: Stopwatch::start(), kills_planned, seen: Mutex::default() }
    }

    pub(crate) fn seen(&self) -> Seen {
        self.lock().clone()
    }

    /// The bar goes; what was said stays.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// Says a line without disturbing the bar.
    pub(crate) fn say(&self, text: &str) {
        let at = self.since.elapsed().as_secs_f64();
        self.bar.suspend(|| self.output.note(format_args!("{at:5.1} s  {text}")));
    }

    /// Takes note of a fault.
    pub(crate) fn fault(&self, fault: Fault) {
        let mut seen = self.lock();
        let text = match fault {
            Fault::Cut => {
                (seen.is_cut, seen.before_cut) = (true, seen.in_doubt);
                seen.cuts += 1;
                "the roads are cut".to_owned()
            }
            Fault::Restore => {
                (seen.is_cut, seen.restored) = (false, Some(self.since.elapsed()));
                format!("the roads are restored; {} orders are in doubt", seen.in_doubt)
            }
            Fault::Kill(victim) => {
                seen.kills += 1;
                format!("kill -9 {} ({} of {})", victim.name(), seen.kills, self.kills_planned)
            }
        };
        drop(seen);
        self.say(&text);
    }

    /// Looks again and again, until the caller stops asking.
    ///
    /// # Errors
    /// A process that ended by itself.
    pub(crate) async fn watch(&self, camps: &[Camp; 2], tracks: &[&Tracks; 2]) -> anyhow::Result<()> {
        let client = HttpClient::new();
        let mut line_at = Duration::ZERO;
        let [handfast, _] = camps;
        loop {
            camps.iter().try_for_each(Camp::check_alive)?;
            let captured = handfast.road_stats().await.map_or(0, |stats| stats.iter().map(|road: &Stats| road.captured).sum());
            let asked = client.ask(Method::GET, &format!("{}/stats", handfast.coordinator_url), &[], Bytes::new(), LOOK).await;
            let in_doubt = asked.ok().and_then(|answer| in_doubt(&answer.body));
            self.look(in_doubt, captured);
            self.show(tracks, &mut line_at);
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

    fn show(&self, tracks: &[&Tracks; 2], line_at: &mut Duration) {
        let seen = self.seen();
        let [handfast, usual] = tracks.map(|tracks| tracks.ended.load(std::sync::atomic::Ordering::Relaxed));
        let cut = if seen.is_cut { ", the roads are cut" } else { "" };
        let text = format!(
            "done; {} in doubt, {} captured, {}/{} kills{cut}; the usual way: {usual}",
            seen.in_doubt, seen.captured, seen.kills, self.kills_planned
        );
        self.bar.set_position(handfast);
        self.bar.set_message(text.clone());
        if self.bar.is_hidden() && self.since.elapsed() >= *line_at {
            *line_at = self.since.elapsed() + LINE;
            self.say(&format!("{handfast} {text}"));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        locked(&self.seen)
    }
}

fn in_doubt(stats: &[u8]) -> Option<u64> {
    serde_json::from_slice::<Value>(stats).ok()?.get("in_doubt")?.as_u64()
}
