//! The one thread that writes: it takes everything that is queued, commits it together, and only then answers.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use handfast_protocol::Time;
use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

use super::shape::{unavailable, words};
use super::statements::{Statements, Verdict};
use crate::store::{Append, Created, NewSaga, StoreError, Try};

/// How many writes may wait for the disk before further ones are refused.
const QUEUE: usize = 65_536;

/// How many tries are held back for the next write that somebody waits for, and for how long: nobody waits for them, so
/// they are not worth a flush of their own.
const TRIES_HELD: usize = 256;
const TRIES_LINGER: Duration = Duration::from_millis(250);

/// Somebody who waits for an answer, and the answer once there is one. It is not given before the commit.
pub(super) struct Reply<T> {
    sender: oneshot::Sender<Verdict<T>>,
    verdict: Option<Verdict<T>>,
}

impl<T> Reply<T> {
    fn settle(self, failure: Option<&rusqlite::Error>) {
        let verdict = match failure {
            Some(error) => Err(unavailable(error)),
            None => self.verdict.unwrap_or_else(|| Err(stopped())),
        };
        // Whoever no longer waits has been dropped; the write is done all the same.
        let _gone = self.sender.send(verdict);
    }
}

pub(super) enum Write {
    Create(Box<NewSaga>, Reply<Created>),
    Append(Box<Append>, Reply<()>),
    Park {
        id: Box<str>,
        wake_at: Time,
        tries: u32,
        reply: Reply<()>,
    },
    Suspend {
        id: Box<str>,
        reason: Box<str>,
        reply: Reply<()>,
    },
    Try(Box<Try>),
    /// Answered once everything before it is committed.
    Barrier(Reply<()>),
}

impl Write {
    fn run(&mut self, statements: &mut Statements<'_>) -> rusqlite::Result<()> {
        match self {
            Self::Create(new, reply) => reply.verdict = Some(statements.create(new)?),
            Self::Append(append, reply) => reply.verdict = Some(statements.append(append)?),
            Self::Park { id, wake_at, tries, reply } => reply.verdict = Some(Ok(statements.park(id, *wake_at, *tries)?)),
            Self::Suspend { id, reason, reply } => reply.verdict = Some(Ok(statements.suspend(id, reason)?)),
            Self::Try(attempt) => statements.record_try(attempt)?,
            Self::Barrier(reply) => reply.verdict = Some(Ok(())),
        }
        Ok(())
    }

    fn settle(self, failure: Option<&rusqlite::Error>) {
        match self {
            Self::Create(_, reply) => reply.settle(failure),
            Self::Append(_, reply) | Self::Park { reply, .. } | Self::Suspend { reply, .. } | Self::Barrier(reply) => {
                reply.settle(failure);
            }
            Self::Try(_) => {}
        }
    }

    const fn is_try(&self) -> bool {
        matches!(self, Self::Try(_))
    }
}

/// The queue's end at which writes come in. Dropped, it commits what is queued and closes the file.
pub(super) struct Writer {
    queue: Option<SyncSender<Write>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread. It owns the connection.
    pub(super) fn start(connection: Connection) -> Result<Self, String> {
        let (queue, writes) = sync_channel(QUEUE);
        let (say_ready, ready) = sync_channel(1);
        let work = move || match Statements::prepare(&connection) {
            Ok(mut statements) => {
                // The one who opens the store may be gone already; the queue then ends at once.
                let _gone = say_ready.send(Ok(()));
                write_all(&mut statements, &writes);
            }
            Err(error) => {
                let _gone = say_ready.send(Err(words(&error)));
            }
        };
        let thread =
            std::thread::Builder::new().name("handfast-writer".to_owned()).spawn(work).map_err(|error| error.to_string())?;
        ready.recv().unwrap_or_else(|_stopped| Err("its writer stopped at once".to_owned()))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    fn send(&self, write: Write) -> Result<(), StoreError> {
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        queue.try_send(write).map_err(|error| match error {
            TrySendError::Full(_) => {
                StoreError::Unavailable(format!("{QUEUE} writes are waiting for the disk already, so this one was not taken"))
            }
            TrySendError::Disconnected(_) => stopped(),
        })
    }

    /// Queues a write, and waits until it is committed.
    pub(super) async fn write<T>(&self, write: impl FnOnce(Reply<T>) -> Write) -> Verdict<T> {
        let (sender, answer) = oneshot::channel();
        self.send(write(Reply { sender, verdict: None }))?;
        answer.await.unwrap_or_else(|_dropped| Err(stopped()))
    }

    /// Queues a try. Where the queue is full it is lost, which nobody depends on.
    pub(super) fn record(&self, attempt: Try) {
        if self.send(Write::Try(Box::new(attempt))).is_err() {
            tracing::debug!("a try was not kept: too many writes are waiting for the disk");
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's writer had panicked");
        }
    }
}

fn stopped() -> StoreError {
    StoreError::Unavailable("its writer has stopped".to_owned())
}

fn write_all(statements: &mut Statements<'_>, writes: &Receiver<Write>) {
    let mut group = Vec::new();
    loop {
        let wait = if group.is_empty() {
            writes.recv().map_err(|_closed| RecvTimeoutError::Disconnected)
        } else {
            writes.recv_timeout(TRIES_LINGER)
        };
        let (lingered, closed) = match wait {
            Ok(first) => {
                group.push(first);
                group.extend(writes.try_iter().take(QUEUE));
                (false, false)
            }
            Err(RecvTimeoutError::Timeout) => (true, false),
            Err(RecvTimeoutError::Disconnected) => (true, true),
        };
        if lingered || group.len() >= TRIES_HELD || !group.iter().all(Write::is_try) {
            commit_and_answer(statements, &mut group);
        }
        if closed {
            return;
        }
    }
}

/// Where a transaction broke off.
enum Broken {
    /// At one of its writes, before the commit was tried: nothing happened.
    Before(rusqlite::Error),
    /// At the commit: what happened is unknown.
    Commit(rusqlite::Error),
}

fn commit_and_answer(statements: &mut Statements<'_>, group: &mut Vec<Write>) {
    if group.is_empty() {
        return;
    }
    match commit(statements, group) {
        Ok(()) => group.drain(..).for_each(|write| write.settle(None)),
        Err(Broken::Before(error)) if group.len() > 1 && !concerns_everybody(&error) => {
            // One of them cannot be written. It must not cost the others their answer.
            for mut write in group.drain(..) {
                match commit(statements, std::slice::from_mut(&mut write)) {
                    Ok(()) => write.settle(None),
                    Err(Broken::Before(error) | Broken::Commit(error)) => write.settle(Some(&error)),
                }
            }
        }
        Err(Broken::Before(error) | Broken::Commit(error)) => {
            tracing::warn!(writes = group.len(), "the store could not commit: {}", words(&error));
            group.drain(..).for_each(|write| write.settle(Some(&error)));
        }
    }
}

fn commit(statements: &mut Statements<'_>, group: &mut [Write]) -> Result<(), Broken> {
    let written = statements
        .begin()
        .and_then(|()| group.iter_mut().try_for_each(|write| write.run(statements)))
        .and_then(|()| statements.write_seen());
    let outcome = written.map_err(Broken::Before).and_then(|()| statements.commit().map_err(Broken::Commit));
    if outcome.is_err() {
        statements.rollback();
    }
    outcome
}

/// Errors of the disk or the file as a whole: trying every write by itself would meet them again.
fn concerns_everybody(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DiskFull
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::OutOfMemory
        )
    )
}
