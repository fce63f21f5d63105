//! Whether this process's clock may be believed: it is compared with those of others on the same store, and turns of it are
//! noticed and said.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use handfast_protocol::Time;

use super::Engine;
use super::shared::Shared;
use crate::clock::ClockTurns;
use crate::store::{ClockMark, ClockVerdict};
use crate::upkeep::{AcceptTimeError, accept_time_in};

/// Clocks are not read at one moment, so they are not compared more exactly than this.
const LEAST_ERROR: Duration = Duration::from_secs(1);

/// How the clock of an engine stands.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
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

#[derive(Clone, Copy, Debug)]
struct State {
    verdict: ClockVerdict,
    /// So many turns were told of.
    told: u64,
}

impl Watch {
    pub(super) fn new() -> Self {
        let state = State { verdict: ClockVerdict::Agrees, told: 0 };
        Self { process: uuid::Uuid::now_v7().to_string(), state: Mutex::new(state) }
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        // Nothing in here panics while it holds the lock, so a poisoned one holds a sound value.
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Shared {
    /// Others drive the sagas of this store by a clock that this one is too far from: nothing is done here.
    pub(crate) fn is_apart(&self) -> bool {
        matches!(self.clock_watch.with(|state| state.verdict), ClockVerdict::Apart { .. })
    }

    /// The store has seen a later time than this clock shows: nothing is sent that must leave before some time.
    pub(crate) fn is_behind(&self) -> bool {
        matches!(self.clock_watch.with(|state| state.verdict), ClockVerdict::Behind { .. })
    }

    /// Why this process's clock is not believed, if it is not.
    pub(crate) fn clock_trouble(&self) -> Option<String> {
        match self.clock_watch.with(|state| state.verdict) {
            ClockVerdict::Agrees => None,
            ClockVerdict::Apart { by_ms } => Some(format!(
                "this process's clock is {} that of another process on the same store, so it takes no orders and drives none; set \
                 the clock right",
                apart(by_ms)
            )),
            ClockVerdict::Behind { by_ms } => Some(format!(
                "this process's clock is {} s behind the latest time in the store, so nothing is sent that must leave before some \
                 time; set the clock right",
                by_ms / 1000
            )),
        }
    }

    pub(crate) fn clock_stats(&self) -> ClockStats {
        ClockStats { turns: self.options.clock.turns(), trouble: self.clock_trouble() }
    }

    /// Compares this process's clock with the store's, and says what is new.
    pub(crate) async fn check_clock(&self) {
        self.tell_of_turns();
        let mark = self.clock_mark();
        let error_ms = crate::clock::whole_ms(self.options.clock_error.max(LEAST_ERROR));
        let verdict = match self.store.keep_time(mark, error_ms).await {
            Ok(verdict) => verdict,
            // The next write that somebody waits for says what is wrong with the store.
            Err(error) => return tracing::debug!(name: "clock_not_compared", %error, "the clock could not be compared"),
        };
        let before = self.clock_watch.with(|state| std::mem::replace(&mut state.verdict, verdict));
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
            self.note_wake(self.now());
            // Whoever drove nothing looks into the store at once, whatever had been due before.
            self.wake_up.notify_one();
        }
    }

    fn clock_mark(&self) -> ClockMark {
        let clock = &self.options.clock;
        let (boot, boot_ms) = clock.boot();
        let (boot, process) = (boot.to_owned(), self.clock_watch.process.clone());
        ClockMark { at: clock.now(), boot, boot_ms, process }
    }

    fn tell_of_turns(&self) {
        let ClockTurns { count, last_by_ms } = self.options.clock.turns();
        let before = self.clock_watch.with(|state| std::mem::replace(&mut state.told, count));
        if before < count {
            let way = if last_by_ms < 0 { "back" } else { "forward" };
            let by_ms = last_by_ms.unsigned_abs();
            tracing::warn!(name: "clock_turned", by_ms, "the wall clock was set {way}; pauses and plain deadlines go on as if it had not been");
            // What lies in the index by the clock as it was is looked at once.
            self.note_wake(self.now());
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
        let before = accept_time_in(&*shared.store, shared.clock_mark(), (by, why), sagas_were_seen_to).await?;
        tracing::warn!(name: "time_accepted", by, why, before = before.0, "a person lets the present time count in the store");
        shared.check_clock().await;
        Ok(before)
    }
}

/// Looks at the clock again and again, for as long as the engine is there.
pub(super) async fn watch(shared: Weak<Shared>) {
    loop {
        let Some(pause) = shared.upgrade().filter(|shared| !shared.is_stopping()).map(|shared| shared.options.patrol) else {
            return;
        };
        tokio::time::sleep(pause.clamp(Duration::from_millis(100), Duration::from_secs(10))).await;
        if let Some(shared) = shared.upgrade().filter(|shared| !shared.is_stopping()) {
            Arc::as_ref(&shared).check_clock().await;
        }
    }
}

fn apart(by_ms: i64) -> String {
    let seconds = by_ms.unsigned_abs() / 1000;
    if by_ms < 0 { format!("{seconds} s behind") } else { format!("{seconds} s ahead of") }
}
