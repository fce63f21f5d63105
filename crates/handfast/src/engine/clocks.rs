//! Whether this process's clock may be believed: it is compared with those of others on the same store, and turns of it are
//! noticed and said.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, Weak};
use std::time::Duration;

use handfast_machine::locked;
use handfast_protocol::Time;

use super::Engine;
use super::options::Options;
use super::person::ActError;
use super::shared::Shared;
use crate::clock::{Clock, ClockTurns, whole_ms};
use crate::store::{ClockVerdict, Store};
use crate::upkeep::{AcceptTimeError, accept_time_in};

/// Clocks are not read at one moment, so they are not compared more exactly than this.
const LEAST_ERROR: Duration = Duration::from_secs(1);

/// How the clock of an engine stands.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct ClockStats {
    /// How often the wall clock was seen being set, and by how much the last time.
    pub turns: ClockTurns,
    /// Why it is not believed, if it is not.
    pub trouble: Option<String>,
}

/// What is known of this process's clock.
#[derive(Debug)]
pub(super) struct Watch {
    process: String,
    state: Mutex<State>,
}

#[derive(Clone, Debug)]
struct State {
    /// Nothing as long as it was not compared: what the store knows of turns is not known here then.
    verdict: Option<ClockVerdict>,
    /// What the store said when it was to be compared the last time, if that could not be done.
    failure: Option<String>,
    /// How many turns of the clock were reported so far.
    told: u64,
}

impl Watch {
    pub(super) fn new() -> Self {
        let state = State { verdict: None, failure: None, told: 0 };
        Self { process: uuid::Uuid::now_v7().to_string(), state: Mutex::new(state) }
    }

    fn verdict(&self) -> Option<ClockVerdict> {
        self.with(|state| state.verdict)
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        // Nothing in here panics while it holds the lock, so a poisoned one holds a sound value.
        work(&mut locked(&self.state))
    }
}

impl Shared {
    /// Other processes drive the sagas of this store by a clock that this one differs from by too much, or the clocks were not
    /// compared yet. Nothing is driven here then.
    pub(crate) fn is_apart(&self) -> bool {
        matches!(self.clock_watch.verdict(), None | Some(ClockVerdict::Apart { .. }))
    }

    /// The store has seen a later time than this clock shows: nothing is sent that must leave before some time.
    pub(crate) fn is_behind(&self) -> bool {
        matches!(self.clock_watch.verdict(), Some(ClockVerdict::Behind { .. }))
    }

    /// Why this process's clock is not believed, if it is not.
    pub(crate) fn clock_trouble(&self) -> Option<String> {
        let Some(verdict) = self.clock_watch.verdict() else {
            let failure = self.clock_watch.with(|state| state.failure.clone());
            let why = failure.map(|failure| format!(": {failure}")).unwrap_or_default();
            return Some(format!(
                "this process's clock could not be compared with the store's yet, so nothing is done; it is tried again{why}"
            ));
        };
        why_not(verdict)
    }

    /// Why an order is not taken by this clock, or one that is there does not go on, if it is so. Who is behind takes what is bound
    /// to no time.
    pub(crate) fn clock_refuses(&self, is_timed: impl FnOnce() -> bool) -> Option<String> {
        self.clock_trouble().filter(|_| self.is_apart() || is_timed())
    }

    pub(crate) fn clock_stats(&self) -> ClockStats {
        ClockStats { turns: self.options.clock.turns(), trouble: self.clock_trouble() }
    }

    /// Compares this process's clock with the store's, and says what is new.
    pub(crate) async fn check_clock(&self) {
        self.tell_of_turns();
        let clock = &self.options.clock;
        let error_ms = error_ms(&self.options);
        let marked = clock.mark(&self.clock_watch.process);
        let kept = match self.store.keep_time(marked.0.clone(), error_ms).await {
            Ok(kept) => kept,
            // The next write that a caller waits for reports what is wrong with the store.
            Err(error) => {
                self.clock_watch.with(|state| state.failure = Some(error.to_string()));
                return tracing::debug!(name: "clock_not_compared", %error, "the clock could not be compared");
            }
        };
        if let Some(known) = kept.known {
            clock.join(&marked, known);
            self.tell_of_turns();
        }
        let verdict = kept.verdict;
        let before = self.clock_watch.with(|state| {
            state.failure = None;
            state.verdict.replace(verdict)
        });
        if before.is_none() && verdict == ClockVerdict::Agrees {
            // The scheduler has waited for this comparison only, and goes on.
            self.wakes.note(self.now());
            return self.wakes.wake_up.notify_one();
        }
        let before = before.unwrap_or(ClockVerdict::Agrees);
        if std::mem::discriminant(&before) == std::mem::discriminant(&verdict) {
            return;
        }
        match self.clock_trouble() {
            Some(why) => tracing::error!(name: "clock_not_believed", "{why}"),
            None => tracing::info!(name: "clock_believed", "this process's clock agrees with the store's again"),
        }
        if self.is_apart() {
            self.put_all_aside();
        } else {
            self.wakes.note(self.now());
            // This process has driven nothing meanwhile. So it looks into the store at once, whatever its next time to look
            // was.
            self.wakes.wake_up.notify_one();
        }
    }

    fn tell_of_turns(&self) {
        let ClockTurns { count, last_by_ms } = self.options.clock.turns();
        let before = self.clock_watch.with(|state| std::mem::replace(&mut state.told, count));
        if before < count {
            let way = if last_by_ms < 0 { "back" } else { "forward" };
            let by_ms = last_by_ms.unsigned_abs();
            tracing::warn!(name: "clock_turned", by_ms, "the wall clock was set {way}; pauses and plain deadlines go on as if it had not been");
            // What lies in the index by the clock as it was is looked at once.
            self.wakes.note(self.now());
        }
    }
}

impl Engine {
    /// A person lets this process's present time count in the store, instead of a later one that a clock had shown which was
    /// wrong. Who and why is kept. It goes on at once. Gives the time that had counted.
    ///
    /// What it means for sagas whose journals have entries of that later time is said at
    /// [`upkeep::accept_time`](crate::upkeep::accept_time).
    ///
    /// # Errors
    /// Why the present time does not count.
    pub async fn accept_time(&self, by: &str, why: &str, sagas_were_seen_to: bool) -> Result<Time, AcceptTimeError> {
        let shared = &self.0.shared;
        let mark = shared.options.clock.mark_by_wall(&shared.clock_watch.process);
        let at = mark.at;
        let before = accept_time_in(&*shared.store, mark, (by, why), sagas_were_seen_to).await?;
        shared.options.clock.go_back_to(at);
        tracing::warn!(name: "time_accepted", by, why, before = before.0, "a person lets the present time count in the store");
        shared.check_clock().await;
        Ok(before)
    }
}

fn error_ms(options: &Options) -> u64 {
    whole_ms(options.clock_error.max(LEAST_ERROR))
}

/// What follows from a verdict, if anything does.
fn why_not(verdict: ClockVerdict) -> Option<String> {
    match verdict {
        ClockVerdict::Agrees => None,
        ClockVerdict::Apart { by_ms } => Some(format!(
            "this process's clock is {} that of another process on the same store, so it takes no orders and drives none; set the \
             clock right",
            apart(by_ms)
        )),
        ClockVerdict::Behind { by_ms } => Some(format!(
            "this process's clock is {} s behind the latest time in the store, so nothing is sent that must leave before some \
             time; set the clock right",
            by_ms / 1000
        )),
    }
}

/// The time with which an act is written into a store beside the process that drives its sagas. The clock is judged as that
/// process's is. Where the wall clock was set since the store was last told the time, it is as much later as the machine has
/// run.
///
/// # Errors
/// [`ActError::Clock`] if this process's clock is not believed, [`ActError::Store`] if the store fails.
pub async fn time_in(store: &dyn Store) -> Result<Time, ActError> {
    let (mark, _) = Clock::system().mark(&uuid::Uuid::now_v7().to_string());
    let (verdict, at) = store.judge_time(mark, error_ms(&Options::default())).await?;
    match why_not(verdict) {
        None => Ok(at),
        Some(why) => Err(ActError::Clock { why }),
    }
}

/// Says that the clock's watch is gone when it is, even if it panicked.
struct Watching(Weak<Shared>);

impl Drop for Watching {
    fn drop(&mut self) {
        if let Some(shared) = self.0.upgrade() {
            shared.is_clock_watched.store(false, Ordering::Release);
        }
    }
}

/// Looks at the clock again and again, for as long as the engine is there.
pub(super) async fn watch(shared: Weak<Shared>) {
    const SHORTEST: Duration = Duration::from_millis(100);
    let watching = Watching(shared);
    let running = || watching.0.upgrade().filter(|shared| !shared.is_stopping());
    loop {
        let Some(pause) = running().map(|shared| match shared.clock_watch.verdict() {
            Some(_) => shared.options.patrol.clamp(SHORTEST, Duration::from_secs(10)),
            None => SHORTEST,
        }) else {
            return;
        };
        tokio::time::sleep(pause).await;
        if let Some(shared) = running() {
            shared.check_clock().await;
        }
    }
}

fn apart(by_ms: i64) -> String {
    let seconds = by_ms.unsigned_abs() / 1000;
    if by_ms < 0 { format!("{seconds} s behind") } else { format!("{seconds} s ahead of") }
}
