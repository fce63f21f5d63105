//! What the road knows: whether it is cut, how often each request came, what it has done so far.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::fate::{Cut, Fate, Hazards, fingerprint};
use super::log::{Direction, Ending, Log, RoadLine};
use handfast_machine::clock::Stopwatch;
use handfast_machine::locked;

/// How many requests, by method and key, are counted before the oldest are forgotten. A forgotten one starts again at 1.
const COUNTED: usize = 500_000;
/// How many keys are watched for being in doubt; more of them are not counted.
const WATCHED: usize = 500_000;
/// How many KiB of messengers may be under way at once. One more is captured.
const UNDER_WAY_KIB: usize = 64 * 1024;

/// How a road is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What it does to messengers.
    pub hazards: Hazards,
    /// When it is cut by itself.
    pub cuts: Vec<Cut>,
    /// Decides by what follows the first dot of a key. Before it stands the id of the sender's store, which is another in
    /// every run.
    pub skip_store_id: bool,
    /// How long a caller whose messenger was captured or is late is kept waiting before its connection is closed.
    pub hold: Duration,
}

/// One road, shared by all its connections.
#[derive(Debug)]
pub(crate) struct Road {
    settings: Settings,
    log: Log,
    since: Stopwatch,
    cut_by_hand: AtomicBool,
    arrivals: Mutex<Arrivals>,
    keys: Mutex<Keys>,
    counts: Counts,
    room: Arc<Semaphore>,
}

/// How often each request came, in two generations so that memory stays bounded.
#[derive(Debug, Default)]
struct Arrivals {
    young: BTreeMap<u64, u32>,
    old: BTreeMap<u64, u32>,
}

/// The keys of which something is known.
#[derive(Debug, Default)]
struct Keys {
    /// Something was sent, and no definite answer has come back to its sender.
    in_doubt: BTreeSet<u64>,
    worst: usize,
    /// An act arrived at the participant and found its key closed.
    met_closed: BTreeSet<u64>,
}

#[derive(Debug, Default)]
struct Counts {
    delivered: AtomicU64,
    requests_captured: AtomicU64,
    replies_captured: AtomicU64,
    cut: AtomicU64,
    late: AtomicU64,
    duplicated: AtomicU64,
    nobody: AtomicU64,
    gone: AtomicU64,
    under_way: AtomicU64,
}

/// What a road has done so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Messengers that never arrived: captured in the valley, or caught by the cut.
    pub captured: u64,
    /// Requests among them that were captured while the road was not cut.
    pub requests_captured: u64,
    /// Replies among them that were captured while the road was not cut.
    pub replies_captured: u64,
    /// Messengers among them that were caught by the cut.
    pub cut: u64,
    /// Messengers that arrived in good time.
    pub delivered: u64,
    /// Requests that arrived late.
    pub late: u64,
    /// Requests that arrived a second time.
    pub duplicated: u64,
    /// Messengers that found nobody at the participant's door.
    pub nobody: u64,
    /// Replies whose caller had gone.
    pub gone: u64,
    /// Keys for which something was sent and no definite answer has come back.
    pub in_doubt: usize,
    /// The highest number of such keys so far.
    pub in_doubt_worst: usize,
    /// Keys whose act arrived after they had been closed.
    pub met_closed: usize,
    /// Requests that have neither arrived nor been captured yet, second copies included.
    pub under_way: u64,
    /// Whether the road is cut at the moment.
    pub is_cut: bool,
}

/// A request on its way: what the log says of it, whatever becomes of it.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    /// Its method.
    pub(crate) method: String,
    /// Its path.
    pub(crate) path: String,
    /// The key in its path.
    pub(crate) key: String,
    /// The number of the try, as the caller told it.
    pub(crate) try_number: Option<u32>,
    /// How many such requests had come, this one included.
    pub(crate) nth: u32,
}

impl Road {
    /// A road that starts now.
    pub(crate) fn new(settings: Settings, log: Log) -> Self {
        Self {
            settings,
            log,
            since: Stopwatch::start(),
            cut_by_hand: AtomicBool::new(false),
            arrivals: Mutex::default(),
            keys: Mutex::default(),
            counts: Counts::default(),
            room: Arc::new(Semaphore::new(UNDER_WAY_KIB)),
        }
    }

    /// How long a caller without an answer is kept waiting.
    pub(crate) const fn hold(&self) -> Duration {
        self.settings.hold
    }

    /// Whether everybody who comes to an end of the road now is captured.
    pub(crate) fn is_cut(&self) -> bool {
        let now = self.since.elapsed();
        self.cut_by_hand.load(Ordering::Acquire) || self.settings.cuts.iter().any(|cut| (cut.from..cut.to).contains(&now))
    }

    /// Cuts the road, or restores it from being cut by hand.
    pub(crate) fn cut_by_hand(&self, cut: bool) {
        self.cut_by_hand.store(cut, Ordering::Release);
    }

    /// Room for a messenger with a body of this size; `None` if too many are under way.
    pub(crate) fn room_for(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let kib = u32::try_from(bytes / 1024 + 1).ok()?;
        Arc::clone(&self.room).try_acquire_many_owned(kib).ok()
    }

    /// Takes a request in: counts it, and looks up its fate.
    pub(crate) fn set_out(&self, method: &str, path: &str, try_number: Option<u32>) -> (Letter, Fate) {
        let key = key_of(path);
        let known_by = match key.split_once('.') {
            Some((_, rest)) if self.settings.skip_store_id => rest,
            Some(_) | None => key,
        };
        let nth = locked(&self.arrivals).count(fingerprint(method, known_by));
        if method != "GET" {
            locked(&self.keys).asked(fingerprint("", key));
        }
        let fate = self.settings.hazards.fate(method, known_by, nth);
        (Letter { method: method.to_owned(), path: path.to_owned(), key: key.to_owned(), try_number, nth }, fate)
    }

    /// Notes that a request, or the second copy of one, set out. It is under way until the guard is gone.
    pub(crate) fn under_way(self: &Arc<Self>) -> UnderWay {
        self.counts.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(Arc::clone(self))
    }

    /// Notes that an act arrived at the participant after its key had been closed.
    pub(crate) fn met_closed(&self, letter: &Letter) {
        let mut keys = locked(&self.keys);
        if keys.met_closed.len() < WATCHED {
            keys.met_closed.insert(fingerprint("", &letter.key));
        }
    }

    /// Counts and logs what became of a messenger.
    pub(crate) fn ended(&self, letter: &Letter, leg: Leg) {
        let counts = &self.counts;
        let counter = match (leg.fate, leg.direction) {
            (Ending::Delivered, _) => &counts.delivered,
            (Ending::Captured, Direction::Request) => &counts.requests_captured,
            (Ending::Captured, Direction::Reply) => &counts.replies_captured,
            (Ending::Cut, _) => &counts.cut,
            (Ending::Late, _) => &counts.late,
            (Ending::Duplicate, _) => &counts.duplicated,
            (Ending::Nobody, _) => &counts.nobody,
            (Ending::Gone, _) => &counts.gone,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        if leg.direction == Direction::Reply && leg.fate == Ending::Delivered && leg.status.is_some_and(is_definite) {
            locked(&self.keys).in_doubt.remove(&fingerprint("", &letter.key));
        }
        self.log.write(&RoadLine {
            direction: leg.direction,
            method: letter.method.clone(),
            path: letter.path.clone(),
            key: letter.key.clone(),
            try_number: letter.try_number,
            nth: letter.nth,
            copy: leg.copy,
            fate: leg.fate,
            left: leg.left,
            arrived: leg.arrived,
            late_ms: leg.late_ms,
            status: leg.status,
        });
    }

    /// What the road has done so far.
    pub(crate) fn stats(&self) -> Stats {
        let keys = locked(&self.keys);
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counts = &self.counts;
        let (requests_captured, replies_captured, cut) =
            (read(&counts.requests_captured), read(&counts.replies_captured), read(&counts.cut));
        Stats {
            captured: requests_captured + replies_captured + cut,
            requests_captured,
            replies_captured,
            cut,
            delivered: read(&counts.delivered),
            late: read(&counts.late),
            duplicated: read(&counts.duplicated),
            nobody: read(&counts.nobody),
            gone: read(&counts.gone),
            in_doubt: keys.in_doubt.len(),
            in_doubt_worst: keys.worst,
            met_closed: keys.met_closed.len(),
            under_way: read(&counts.under_way),
            is_cut: self.is_cut(),
        }
    }
}

/// A request under way.
#[derive(Debug)]
pub(crate) struct UnderWay(Arc<Road>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.counts.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What became of one messenger of a letter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leg {
    /// Which way it went.
    pub(crate) direction: Direction,
    /// Which copy of the request it was, or answered.
    pub(crate) copy: u8,
    /// What became of it.
    pub(crate) fate: Ending,
    /// When it set out.
    pub(crate) left: u64,
    /// When it arrived, if it did.
    pub(crate) arrived: Option<u64>,
    /// By how much it was late.
    pub(crate) late_ms: Option<u64>,
    /// The status of a reply.
    pub(crate) status: Option<u16>,
}

impl Arrivals {
    fn count(&mut self, request: u64) -> u32 {
        if self.young.len() >= COUNTED && !self.young.contains_key(&request) {
            self.old = std::mem::take(&mut self.young);
        }
        let before = self.young.get(&request).or_else(|| self.old.get(&request)).copied().unwrap_or(0);
        let nth = before.saturating_add(1);
        self.young.insert(request, nth);
        nth
    }
}

impl Keys {
    fn asked(&mut self, key: u64) {
        if self.in_doubt.len() < WATCHED {
            self.in_doubt.insert(key);
        }
        self.worst = self.worst.max(self.in_doubt.len());
    }
}

/// The key in a path: its last segment, or the one before `/close`.
fn key_of(path: &str) -> &str {
    let path = path.strip_suffix("/close").unwrap_or(path);
    path.rsplit('/').next().unwrap_or(path)
}

/// The statuses of answers that settle what a caller asked. Proxies use the same numbers; for counting that is good enough.
const fn is_definite(status: u16) -> bool {
    matches!(status, 200 | 409 | 410 | 422)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_the_segment_that_names_it() {
        for (path, key) in [("/charges/k-1", "k-1"), ("/charges/k-1/close", "k-1"), ("/a/b/c", "c"), ("/", ""), ("/close", "")] {
            assert_eq!(key_of(path), key, "{path}");
        }
    }

    #[test]
    fn requests_are_counted_by_method_and_key_and_memory_is_bounded() {
        let mut arrivals = Arrivals::default();
        assert_eq!([arrivals.count(1), arrivals.count(2), arrivals.count(1)], [1, 1, 2]);
        for other in 0..COUNTED as u64 {
            arrivals.count(10 + other);
        }
        assert!(arrivals.young.len() <= COUNTED);
        // It is in the older generation now, and still known.
        assert_eq!(arrivals.count(1), 3);
    }
}
