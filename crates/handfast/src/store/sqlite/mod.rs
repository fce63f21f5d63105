//! The default store: one SQLite file with a write-ahead log, flushed at every commit.
//!
//! One thread writes and commits whatever is queued together; two threads read. Several processes may use one file:
//! `(saga, seq)` and the digest of the entry before keep them from writing over each other.

mod backup;
mod examine;
mod files;
mod lists;
mod open;
mod queries;
mod reader;
mod shape;
mod statements;
mod writer;

use std::path::Path;
use std::sync::Arc;

use handfast_protocol::Time;

use self::files::Files;
use self::reader::{Readers, Source};
use self::writer::{Reply, Write, Writer};
use super::{
    Acceptance, Adoption, Append, BoxFuture, ClockMark, ClockVerdict, Counts, Created, Due, Examined, Filter, FlowTexts,
    KeptTime, Lengths, NewSaga, Offer, OpenFlow, OrderedPage, Page, Seen, Store, StoreError, StoredSaga, TimeAcceptance,
    TimeAccepted, Try, Unanswered,
};

/// Sagas in a SQLite file, as `docs/journal.md` describes it.
pub struct SqliteStore {
    store_id: String,
    // Dropped first: the last connection to close is then the writer's, which tidies the file up.
    readers: Readers,
    /// `None` in a store that was opened to be read only: nothing is written to it.
    writer: Option<Writer>,
    /// `None` in such a store as well: nothing is acknowledged from it, so it is not checked whether its files are still there.
    files: Option<Arc<Files>>,
}

/// How a file is opened. What is not the default is for tests: it shows what the default is for.
#[doc(hidden)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SqliteOptions {
    /// When the system is asked to flush.
    pub synchronous: Synchronous,
    /// After how many pages of the write-ahead log they are carried over into the file.
    pub checkpoint_pages: u32,
    /// How many threads read.
    pub readers: usize,
}

/// When the system is asked to flush.
#[doc(hidden)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Synchronous {
    /// At every commit, before it is answered.
    Full,
    /// Never: a power cut loses what was acknowledged.
    Off,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self { synchronous: Synchronous::Full, checkpoint_pages: 4_000, readers: 2 }
    }
}

impl SqliteStore {
    /// Opens a file as a store, and creates it where there is none.
    ///
    /// # Errors
    /// [`StoreError::NotOurs`] for a file that is something else, which is left as it was; [`StoreError::Newer`] for one
    /// that a newer version has written; [`StoreError::Open`] for whatever the system says.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_with(path, &SqliteOptions::default())
    }

    /// As [`open`](Self::open), otherwise than by default.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    #[doc(hidden)]
    pub fn open_with(path: impl AsRef<Path>, options: &SqliteOptions) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let opened = open::open(path, options)?;
        let cannot_start = |why| StoreError::Open { path: path.display().to_string(), why };
        let files = Arc::new(opened.files);
        let writer = Writer::start(opened.writer, Arc::clone(&files), options.checkpoint_pages).map_err(cannot_start)?;
        Ok(Self {
            store_id: opened.store_id,
            readers: Readers::start(opened.readers).map_err(cannot_start)?,
            writer: Some(writer),
            files: Some(files),
        })
    }

    /// Opens a store to look into it: nothing is created, changed or migrated, so a copy on a disk that cannot be written to
    /// will do. Every write is refused.
    ///
    /// # Errors
    /// As [`open`](Self::open), and for a file that is not there.
    pub fn open_to_read(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let opened = open::open_to_read(path, 1)?;
        let cannot_start = |why| StoreError::Open { path: path.display().to_string(), why };
        let readers = Readers::start(opened.readers).map_err(cannot_start)?;
        Ok(Self { store_id: opened.store_id, readers, writer: None, files: None })
    }

    /// Copies the store at `from` to a new file, all of it as of one moment, even while other processes write to it.
    ///
    /// # Errors
    /// There is no store, there is something at `to` already, or the system says no.
    pub fn back_up(from: impl AsRef<Path>, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<(), StoreError> {
        backup::back_up(from.as_ref(), to, progress)
    }

    /// As [`open_to_read`](Self::open_to_read), to look what is wrong with it: also where its identity is lost.
    pub(crate) fn open_to_examine(path: &Path) -> Result<Self, StoreError> {
        let opened = open::open_to_examine(path)?;
        let cannot_start = |why| StoreError::Open { path: path.display().to_string(), why };
        let readers = Readers::start(opened.readers).map_err(cannot_start)?;
        Ok(Self { store_id: opened.store_id, readers, writer: None, files: None })
    }

    /// Looks through all pages of the file, as the database checks them, and through every table for what does not belong there.
    /// What a saga's own rows say of it is not looked at.
    ///
    /// # Errors
    /// Not even that could be done.
    pub async fn examine(&self) -> Result<Examined, StoreError> {
        self.read(examine::examine).await
    }

    /// The names of sagas in the order of their placing, after the number given, and the number of the last one.
    pub(crate) async fn names(&self, after: i64, limit: usize) -> Result<(Vec<String>, Option<i64>), StoreError> {
        self.read(move |source| examine::names(source, after, limit)).await
    }

    fn writer(&self) -> Result<&Writer, StoreError> {
        let refused = || StoreError::Unavailable(Unanswered::ReadOnly);
        self.writer.as_ref().ok_or_else(refused)
    }

    async fn write<T>(&self, write: impl FnOnce(Reply<T>) -> Write) -> Result<T, StoreError> {
        self.writer()?.write(write).await
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut Source) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let found = self.readers.read(read).await;
        // What was read of a file that is not there any more says nothing.
        self.intact()?;
        found.map_err(StoreError::of_a_read)
    }
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").field("store_id", &self.store_id).finish_non_exhaustive()
    }
}

impl Store for SqliteStore {
    fn store_id(&self) -> &str {
        &self.store_id
    }
    fn intact(&self) -> Result<(), StoreError> {
        self.files.as_ref().map_or(Ok(()), |files| files.look())
    }
    /// Two programs on one file may both ask for what a saga needs, under the same key; whichever appends first is followed.
    fn may_send(&self, _id: &str) -> Result<(), StoreError> {
        self.intact()
    }
    fn reachable(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.read(queries::reachable))
    }
    fn probe(&self, bytes: usize) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.write(move |reply| Write::Probe { bytes, reply }))
    }
    fn dead_part(&self) -> Option<&'static str> {
        if self.writer.as_ref().is_some_and(Writer::is_dead) {
            return Some("the store's writer");
        }
        self.readers.is_one_dead().then_some("a reader of the store")
    }
    fn create(&self, saga: NewSaga) -> BoxFuture<'_, Result<Created, StoreError>> {
        Box::pin(self.write(|reply| Write::Create(Box::new(saga), reply)))
    }
    fn append(&self, append: Append) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.write(|reply| Write::Append(Box::new(append), reply)))
    }
    fn load<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<StoredSaga>, StoreError>> {
        let id = id.to_owned();
        Box::pin(self.read(move |source| queries::load(source, &id)))
    }
    fn due(&self, now: Time, limit: usize) -> BoxFuture<'_, Result<Due, StoreError>> {
        Box::pin(self.read(move |source| queries::due(source, now, limit)))
    }
    fn park<'a>(&'a self, id: &'a str, length: Option<u64>, wake_at: Time, tries: u32) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(self.write(move |reply| Write::Park { id: id.into(), length, wake_at, tries, reply }))
    }
    fn suspend<'a>(&'a self, id: &'a str, length: u64, reason: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(self.write(move |reply| Write::Suspend { id: id.into(), length, reason: reason.into(), reply }))
    }
    fn record_try(&self, attempt: Try) {
        if let Some(writer) = &self.writer {
            writer.record(attempt);
        }
    }
    fn tries<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Vec<Try>, StoreError>> {
        Box::pin(async move {
            // Tries are held back until the next write that a caller waits for. This barrier is such a write, so that the
            // reader sees them at once.
            if self.writer.is_some() {
                // Where nothing can be written those that were kept before are there all the same.
                let _kept_later = self.write(Write::Barrier).await;
            }
            let id = id.to_owned();
            self.read(move |source| queries::tries(source, &id)).await
        })
    }
    fn list(&self, filter: Filter) -> BoxFuture<'_, Result<Page, StoreError>> {
        Box::pin(self.read(move |source| lists::list(source, &filter)))
    }
    fn orders(&self, filter: Filter) -> BoxFuture<'_, Result<OrderedPage, StoreError>> {
        Box::pin(self.read(move |source| lists::orders(source, &filter)))
    }
    fn flows(&self) -> BoxFuture<'_, Result<FlowTexts, StoreError>> {
        Box::pin(self.read(lists::flows))
    }
    fn lengths(&self, ids: Vec<Arc<str>>) -> BoxFuture<'_, Result<Lengths, StoreError>> {
        Box::pin(self.read(move |source| queries::lengths(source, &ids)))
    }
    fn counts(&self) -> BoxFuture<'_, Result<Counts, StoreError>> {
        Box::pin(self.read(lists::counts))
    }
    fn keep_time(&self, mark: ClockMark, error_ms: u64) -> BoxFuture<'_, Result<KeptTime, StoreError>> {
        Box::pin(self.write(move |reply| Write::KeepTime { mark: Box::new(mark), error_ms, reply }))
    }
    fn accept_time(&self, acceptance: TimeAcceptance) -> BoxFuture<'_, Result<TimeAccepted, StoreError>> {
        Box::pin(self.write(move |reply| Write::AcceptTime(Box::new(acceptance), reply)))
    }
    fn stamped_after(&self, now: Time) -> BoxFuture<'_, Result<Vec<String>, StoreError>> {
        Box::pin(self.read(move |source| queries::stamped_after(source, now)))
    }
    fn judge_time(&self, mark: ClockMark, error_ms: u64) -> BoxFuture<'_, Result<(ClockVerdict, Time), StoreError>> {
        Box::pin(self.read(move |source| queries::judge_time(source, &mark, error_ms)))
    }
    fn keep_at_hand(&self, flows: Vec<Arc<str>>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.write(move |reply| Write::KeepAtHand(flows, reply)))
    }
    fn at_hand(&self) -> BoxFuture<'_, Result<Vec<Arc<str>>, StoreError>> {
        Box::pin(self.read(queries::at_hand))
    }
    fn open_flows(&self) -> BoxFuture<'_, Result<Vec<OpenFlow>, StoreError>> {
        Box::pin(self.read(queries::open_flows))
    }
    fn open_of<'a>(
        &'a self,
        placed_with: [u8; 32],
        follows: [u8; 32],
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>> {
        let after = after.map(str::to_owned);
        Box::pin(self.read(move |source| queries::open_of(source, &placed_with, &follows, after.as_deref(), limit)))
    }
    fn adopt(&self, adoption: Adoption) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(self.write(|reply| Write::Adopt(Box::new(adoption), reply)))
    }
    fn seen(&self) -> BoxFuture<'_, Result<Vec<Seen>, StoreError>> {
        Box::pin(self.read(queries::seen))
    }
    fn offer(&self, offer: Offer) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.write(|reply| Write::Offer(Box::new(offer), reply)))
    }
    fn withdraw<'a>(&'a self, participant: &'a str, incarnation: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        let (participant, incarnation) = (participant.into(), incarnation.into());
        Box::pin(self.write(|reply| Write::Withdraw { participant, incarnation, reply }))
    }
    fn remember(&self, seen: Seen) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.write(|reply| Write::Remember(Box::new(seen), reply)))
    }
    fn offers(&self) -> BoxFuture<'_, Result<Vec<Offer>, StoreError>> {
        Box::pin(self.read(queries::offers))
    }
    fn accept(&self, acceptance: Acceptance) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.write(|reply| Write::Accept(Box::new(acceptance), reply)))
    }
    fn acceptances(&self) -> BoxFuture<'_, Result<Vec<Acceptance>, StoreError>> {
        Box::pin(self.read(queries::acceptances))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_writer_that_panicked_is_dead_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("s.db")).unwrap();
        store.probe(64 * 1024).await.unwrap();
        store.probe(1).await.unwrap();
        assert_eq!(store.dead_part(), None);
        store.writer.as_ref().unwrap().send(Write::Panic).unwrap();
        while store.dead_part().is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        assert_eq!(store.dead_part(), Some("the store's writer"));
        assert!(matches!(store.park("unknown", None, Time(0), 0).await, Err(StoreError::Unavailable(_))));
    }

    /// What was moved away while it was being written is in no file that others see, whatever the commit says.
    #[tokio::test]
    async fn a_commit_under_which_the_store_was_moved_away_is_not_acknowledged() {
        let folder = tempfile::tempdir().unwrap();
        let (path, away) = (folder.path().join("s.db"), folder.path().join("away.db"));
        let store = SqliteStore::open(&path).unwrap();
        let moves = Box::new(move || drop(std::fs::rename(&path, &away)));
        let moved = store.write(|reply| Write::Meddle(moves, reply)).await;
        assert!(matches!(moved, Err(StoreError::Gone { .. })), "{moved:?}");
    }
}
