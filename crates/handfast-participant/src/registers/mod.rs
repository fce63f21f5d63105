//! Registers made durable: the row of a key and the service's own effect commit in one transaction, or neither does.
//!
//! ```text
//!   receive() --queue--> writer thread: BEGIN
//!                          per request: SAVEPOINT, Register::receive (calls the service), RELEASE or ROLLBACK TO
//!                        COMMIT (flushed) --> every answer of the batch leaves
//!   peek(), read() ----> a connection of their own, which sees what is committed and flushed
//! ```

mod open;
mod overview;
mod rows;
mod step;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use handfast_protocol::Time;
use handfast_sqlite::Watched;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

pub use self::open::OpenError;
pub use self::overview::{Overview, States};
use crate::body::{Body, BodyHash};
use crate::clock::{Clock, system_clock};
use crate::key::{Incarnation, Key, Mark, Position, Seen};
use crate::receipt::Reply;
use crate::service::{Service, ServiceError};

/// What is asked of a key.
#[derive(Clone, PartialEq, Debug)]
pub enum Request {
    /// Do it, once.
    Act {
        /// What is to be done.
        body: Body,
        /// The time after which it must not be done any more; an absent key is then closed.
        not_after: Option<Time>,
    },
    /// The same, asked for by the service itself: no request of the contract can be one.
    Own {
        /// What is to be done, as [`Service::act_own`] reads it.
        body: Body,
    },
    /// If it was not done, see to it that it never will be.
    Close {
        /// Whose effect the sender believes the key to stand for.
        body: Option<BodyHash>,
    },
    /// If it was done, undo it; if it was not, see to it that it never will be.
    Undo {
        /// Whose effect the sender believes the key to stand for.
        body: Option<BodyHash>,
    },
}

/// Why there is no definite answer. The request may or may not have taken effect; asking again is always safe.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotDefinite {
    /// More requests are waiting than the store takes.
    #[error("too many requests are waiting; come again")]
    Overloaded,
    /// The store was told to stop.
    #[error("the service is stopping; come again")]
    Stopping,
    /// The service failed at the effect, and what it had written was taken back.
    #[error("the effect could not be brought about: {0}")]
    Effect(String),
    /// The database failed, and the transaction was taken back.
    #[error("the store failed: {0}")]
    Store(String),
    /// The disk failed under a commit, or the store's file was removed or replaced. What it holds is known again after a restart.
    #[error("the store cannot be trusted and takes nothing until the service is restarted: {0}")]
    Broken(String),
}

/// How a store is run. The default is right unless a test says otherwise.
#[derive(Clone)]
#[non_exhaustive]
pub struct Settings {
    /// Tells the time of each request.
    pub clock: Clock,
    /// How many requests may wait.
    pub queue: usize,
    /// How many requests share a commit at most.
    pub batch: usize,
}

impl Settings {
    /// The same, with requests that are told another time.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The same, with this many requests that may wait.
    #[must_use]
    pub const fn with_queue(mut self, queue: usize) -> Self {
        self.queue = queue;
        self
    }

    /// The same, with at most this many requests that share a commit.
    #[must_use]
    pub const fn with_batch(mut self, batch: usize) -> Self {
        self.batch = batch;
        self
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self { clock: system_clock(), queue: 4096, batch: 256 }
    }
}

/// The durable registers of one service. Cheap to clone; the store closes when the last clone is gone.
#[derive(Clone)]
pub struct Registers {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    service: &'static str,
    /// Drawn at this opening of the store.
    opening: Mark,
    queue: mpsc::Sender<Order>,
    reader: Mutex<Connection>,
    broken: Arc<OnceLock<String>>,
    files: Arc<Watched>,
}

/// What the writer thread is told.
enum Order {
    Receive(Asked),
    DeclareRestored(oneshot::Sender<Result<Incarnation, NotDefinite>>),
    Stop(oneshot::Sender<()>),
}

/// One request, with where its answer goes.
struct Asked {
    key: Key,
    request: Request,
    seen: Option<Seen>,
    answer: oneshot::Sender<Result<Reply, NotDefinite>>,
}

impl Registers {
    /// Opens the store at `path` for this service, or makes one where no file is.
    ///
    /// # Errors
    /// [`OpenError`]: the file is not a store of this service, or a newer version's, or cannot be used.
    pub fn open(path: impl AsRef<Path>, service: impl Service) -> Result<Self, OpenError> {
        Self::open_with(path, service, Settings::default())
    }

    /// [`open`](Self::open) with other settings.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, service: impl Service, settings: Settings) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let name = service.name();
        let opened = open::open(path, &service)?;
        let broken = Arc::new(OnceLock::new());
        let (queue, orders) = mpsc::channel(settings.queue.max(1));
        let (files, opening) = (Arc::clone(&opened.files), Mark::draw());
        let shared = (Arc::clone(&broken), opening.clone());
        let writer = writer::Writer::new((opened.writer, opened.files), Box::new(service), settings, shared)
            .map_err(|error| OpenError::unusable(path, error.into()))?;
        std::thread::Builder::new()
            .name(format!("{name} store"))
            .spawn(move || writer.run(orders))
            .map_err(|error| OpenError::unusable(path, error.into()))?;
        let reader = Mutex::new(opened.reader);
        let inner = Inner { path: path.to_owned(), service: name, opening, queue, reader, broken, files };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Where the store is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Whose store it is.
    #[must_use]
    pub fn service(&self) -> &'static str {
        self.inner.service
    }

    /// Takes one request. The answer is given when the commit that holds its effect is flushed; a caller that goes away
    /// meanwhile takes nothing back.
    ///
    /// # Errors
    /// [`NotDefinite`]: ask again.
    pub async fn receive(&self, key: Key, request: Request, seen: Option<Seen>) -> Result<Reply, NotDefinite> {
        let (answer, answered) = oneshot::channel();
        self.order(Order::Receive(Asked { key, request, seen, answer }))?;
        answered.await.unwrap_or(Err(NotDefinite::Stopping))
    }

    /// Reads a key and changes nothing. What it does not find may still come.
    ///
    /// # Errors
    /// [`NotDefinite`]: ask again.
    pub async fn peek(&self, key: Key, seen: Option<Seen>) -> Result<Reply, NotDefinite> {
        let opening = self.inner.opening.clone();
        self.read(move |snapshot| Ok(step::peek(snapshot, key, seen.as_ref(), opening)?)).await
    }

    /// Draws a new incarnation: from now on everybody who has seen the former one is told that this store is behind.
    /// For a store that was restored from a backup, once what it has forgotten is reconciled.
    ///
    /// # Errors
    /// [`NotDefinite`]: ask again.
    pub async fn declare_restored(&self) -> Result<Incarnation, NotDefinite> {
        let (answer, answered) = oneshot::channel();
        self.order(Order::DeclareRestored(answer))?;
        answered.await.unwrap_or(Err(NotDefinite::Stopping))
    }

    /// Where the store's history stands.
    ///
    /// # Errors
    /// [`NotDefinite`] when the store cannot be read, or takes no more requests: it is not ready then.
    pub async fn position(&self) -> Result<Position, NotDefinite> {
        if let Some(what) = self.inner.broken.get() {
            return Err(NotDefinite::Broken(what.clone()));
        }
        if self.inner.queue.is_closed() {
            return Err(NotDefinite::Stopping);
        }
        self.read(|snapshot| Ok(rows::position(snapshot)?)).await
    }

    /// Reads from one snapshot of what is committed, on a connection that cannot write.
    ///
    /// # Errors
    /// [`NotDefinite::Store`] with whatever `look` failed with.
    pub async fn read<T, F>(&self, look: F) -> Result<T, NotDefinite>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, ServiceError> + Send + 'static,
    {
        let inner = Arc::clone(&self.inner);
        let looked = tokio::task::spawn_blocking(move || {
            // A reader that panicked has left nothing half-written: it cannot write.
            let mut reader = inner.reader.lock().unwrap_or_else(PoisonError::into_inner);
            let snapshot = reader.transaction()?;
            let found = look(&snapshot)?;
            snapshot.commit()?;
            Ok::<_, ServiceError>(found)
        });
        let looked = looked.await;
        // What was read of a file that is not there any more says nothing.
        self.inner.files.look().map_err(NotDefinite::Broken)?;
        match looked {
            Ok(found) => found.map_err(|error| NotDefinite::Store(error.to_string())),
            Err(error) => Err(NotDefinite::Store(error.to_string())),
        }
    }

    /// Finishes what is waiting and takes nothing more. Returns when the store is closed for writing.
    pub async fn stop(&self) {
        let (answer, answered) = oneshot::channel();
        if self.inner.queue.send(Order::Stop(answer)).await.is_ok() {
            // The writer answers as its last act; if it is gone already there is nothing to wait for.
            let _ = answered.await;
        }
    }

    fn order(&self, order: Order) -> Result<(), NotDefinite> {
        self.inner.queue.try_send(order).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => NotDefinite::Overloaded,
            mpsc::error::TrySendError::Closed(_) => NotDefinite::Stopping,
        })
    }
}
