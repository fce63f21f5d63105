//! A store that fails or crashes at exactly the write one names, so that tests can do it at every write in turn.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use handfast_protocol::Time;

use super::{
    Acceptance, Adoption, Append, BoxFuture, ClockMark, ClockVerdict, Counts, Created, Due, KeptTime, Lengths, NewSaga, Offer,
    OpenFlow, Seen, Store, StoreError, StoredSaga, Summary, TimeAcceptance, TimeAccepted, Try,
};

/// Wraps any store. Writes are counted from 1 in the order in which they are asked for: `create`, `append`, `park`, `suspend`,
/// `adopt` and `probe`; tries are not counted, since no caller waits for them.
#[derive(Debug)]
pub struct FlakyStore<S> {
    inner: S,
    fate: Mutex<Fate>,
}

#[derive(Debug, Default)]
struct Fate {
    writes: u64,
    planned: Option<Planned>,
    crashed: bool,
    /// A part of it has stopped for good.
    is_dead: bool,
    /// `keep_time` panics, as it would by an error in this program.
    panics_at_the_time: bool,
    /// How long the answer to a write that has landed takes.
    delay: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Planned {
    at_write: u64,
    write_lands: bool,
    crash: bool,
}

/// What becomes of one write.
enum Verdict {
    Goes,
    LandsUnheard,
    Lost,
}

impl<S: Store> FlakyStore<S> {
    /// A store that works, until something is planned.
    pub const fn new(inner: S) -> Self {
        let fate =
            Fate { writes: 0, planned: None, crashed: false, is_dead: false, panics_at_the_time: false, delay: Duration::ZERO };
        Self { inner, fate: Mutex::new(fate) }
    }

    /// Lets the `countdown`-th write from now (1 is the next) answer *unavailable*, after it landed or without landing.
    pub fn fail_at(&self, countdown: u64, write_lands: bool) {
        self.plan(countdown, write_lands, false);
    }

    /// As [`fail_at`](Self::fail_at), and everything after it is unavailable too, until [`restart`](Self::restart).
    pub fn crash_at(&self, countdown: u64, write_lands: bool) {
        self.plan(countdown, write_lands, true);
    }

    /// Lets the answer to every write from now on come so long after it has landed.
    pub fn delay_answers(&self, delay: Duration) {
        self.with(|fate| fate.delay = delay);
    }

    /// From now on a part of it that it cannot live without is dead, as after a panic, and nothing is written any more.
    pub fn die(&self) {
        self.with(|fate| fate.is_dead = true);
    }

    /// From now on `keep_time` panics, as it would by an error in this program.
    pub fn panic_at_the_time(&self) {
        self.with(|fate| fate.panics_at_the_time = true);
    }

    /// Ends a crash, and forgets what was planned.
    pub fn restart(&self) {
        self.with(|fate| {
            fate.crashed = false;
            fate.planned = None;
        });
    }

    /// Whether the crash that was planned has happened.
    #[must_use]
    pub fn has_crashed(&self) -> bool {
        self.with(|fate| fate.crashed)
    }

    /// How many writes were asked for so far, so that a test knows how many there are to fail.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.with(|fate| fate.writes)
    }

    /// The store inside.
    #[must_use]
    pub const fn inner(&self) -> &S {
        &self.inner
    }

    fn with<T>(&self, work: impl FnOnce(&mut Fate) -> T) -> T {
        // No method panics while it holds the lock, so a poisoned one holds a sound value.
        work(&mut self.fate.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn plan(&self, countdown: u64, write_lands: bool, crash: bool) {
        self.with(|fate| fate.planned = Some(Planned { at_write: fate.writes + countdown, write_lands, crash }));
    }

    fn judge(&self) -> Verdict {
        self.with(|fate| {
            if fate.crashed || fate.is_dead {
                return Verdict::Lost;
            }
            fate.writes += 1;
            match fate.planned {
                Some(planned) if planned.at_write == fate.writes => {
                    fate.planned = None;
                    fate.crashed = planned.crash;
                    if planned.write_lands { Verdict::LandsUnheard } else { Verdict::Lost }
                }
                Some(_) | None => Verdict::Goes,
            }
        })
    }

    async fn write<T>(&self, write: BoxFuture<'_, Result<T, StoreError>>) -> Result<T, StoreError> {
        match self.judge() {
            Verdict::Goes => {
                let written = write.await;
                let delay = self.with(|fate| fate.delay);
                if !delay.is_zero() {
                    tokio::time::sleep(delay).await;
                }
                written
            }
            Verdict::LandsUnheard => {
                // Whatever the answer was, the caller does not get it.
                let _unheard = write.await;
                Err(unavailable())
            }
            Verdict::Lost => Err(unavailable()),
        }
    }

    async fn read<T>(&self, read: BoxFuture<'_, Result<T, StoreError>>) -> Result<T, StoreError> {
        if self.has_crashed() { Err(unavailable()) } else { read.await }
    }
}

fn unavailable() -> StoreError {
    StoreError::Unavailable("it was made to fail here".to_owned())
}

impl<S: Store> Store for FlakyStore<S> {
    fn store_id(&self) -> &str {
        self.inner.store_id()
    }
    fn intact(&self) -> Result<(), StoreError> {
        self.inner.intact()
    }
    fn probe(&self, bytes: usize) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.write(self.inner.probe(bytes)))
    }
    fn dead_part(&self) -> Option<&'static str> {
        self.inner.dead_part().or_else(|| self.with(|fate| fate.is_dead.then_some("the store's writer")))
    }
    fn create(&self, saga: NewSaga) -> BoxFuture<'_, Result<Created, StoreError>> {
        Box::pin(self.write(self.inner.create(saga)))
    }
    fn append(&self, append: Append) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.write(self.inner.append(append)))
    }
    fn load<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<StoredSaga>, StoreError>> {
        Box::pin(self.read(self.inner.load(id)))
    }
    fn due(&self, now: Time, limit: usize) -> BoxFuture<'_, Result<Due, StoreError>> {
        Box::pin(self.read(self.inner.due(now, limit)))
    }
    fn park<'a>(&'a self, id: &'a str, length: Option<u64>, wake_at: Time, tries: u32) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(self.write(self.inner.park(id, length, wake_at, tries)))
    }
    fn suspend<'a>(&'a self, id: &'a str, reason: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(self.write(self.inner.suspend(id, reason)))
    }
    fn record_try(&self, attempt: Try) {
        if !self.has_crashed() {
            self.inner.record_try(attempt);
        }
    }
    fn tries<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Vec<Try>, StoreError>> {
        Box::pin(self.read(self.inner.tries(id)))
    }
    fn list<'a>(
        &'a self,
        standing: Option<&'a str>,
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Summary>, StoreError>> {
        Box::pin(self.read(self.inner.list(standing, after, limit)))
    }
    fn lengths(&self, ids: Vec<Arc<str>>) -> BoxFuture<'_, Result<Lengths, StoreError>> {
        Box::pin(self.read(self.inner.lengths(ids)))
    }
    fn counts(&self) -> BoxFuture<'_, Result<Counts, StoreError>> {
        Box::pin(self.read(self.inner.counts()))
    }
    /// No write that a saga waits for: it is neither counted nor made to fail by itself.
    fn keep_time(&self, mark: ClockMark, error_ms: u64) -> BoxFuture<'_, Result<KeptTime, StoreError>> {
        assert!(!self.with(|fate| fate.panics_at_the_time), "a test has asked for this");
        Box::pin(self.read(self.inner.keep_time(mark, error_ms)))
    }
    /// A write as well, and not counted: no saga waits for it.
    fn accept_time(&self, acceptance: TimeAcceptance) -> BoxFuture<'_, Result<TimeAccepted, StoreError>> {
        Box::pin(self.read(self.inner.accept_time(acceptance)))
    }
    fn stamped_after(&self, now: Time) -> BoxFuture<'_, Result<Vec<String>, StoreError>> {
        Box::pin(self.read(self.inner.stamped_after(now)))
    }
    fn judge_time(&self, mark: ClockMark, error_ms: u64) -> BoxFuture<'_, Result<(ClockVerdict, Time), StoreError>> {
        Box::pin(self.read(self.inner.judge_time(mark, error_ms)))
    }
    /// A write as well, and not counted: no saga waits for it.
    fn keep_at_hand(&self, flows: Vec<Arc<str>>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.read(self.inner.keep_at_hand(flows)))
    }
    fn at_hand(&self) -> BoxFuture<'_, Result<Vec<Arc<str>>, StoreError>> {
        Box::pin(self.read(self.inner.at_hand()))
    }
    fn open_flows(&self) -> BoxFuture<'_, Result<Vec<OpenFlow>, StoreError>> {
        Box::pin(self.read(self.inner.open_flows()))
    }
    fn open_of<'a>(
        &'a self,
        placed_with: [u8; 32],
        follows: [u8; 32],
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>> {
        Box::pin(self.read(self.inner.open_of(placed_with, follows, after, limit)))
    }
    fn adopt(&self, adoption: Adoption) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(self.write(self.inner.adopt(adoption)))
    }
    fn seen(&self) -> BoxFuture<'_, Result<Vec<Seen>, StoreError>> {
        Box::pin(self.read(self.inner.seen()))
    }
    fn offer(&self, offer: Offer) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.write(self.inner.offer(offer)))
    }
    fn withdraw<'a>(&'a self, participant: &'a str, incarnation: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(self.write(self.inner.withdraw(participant, incarnation)))
    }
    fn remember(&self, seen: Seen) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.write(self.inner.remember(seen)))
    }
    fn offers(&self) -> BoxFuture<'_, Result<Vec<Offer>, StoreError>> {
        Box::pin(self.read(self.inner.offers()))
    }
    fn accept(&self, acceptance: Acceptance) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.write(self.inner.accept(acceptance)))
    }
    fn acceptances(&self) -> BoxFuture<'_, Result<Vec<Acceptance>, StoreError>> {
        Box::pin(self.read(self.inner.acceptances()))
    }
}
