//! The one thread that writes: it takes everything that is queued, commits it together, and only then answers.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use handfast_protocol::Time;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

use super::files::Files;
use super::shape::{unavailable, words};
use super::statements::{Generation, Statements, Verdict};
use crate::store::{
    Acceptance, Adoption, Append, ClockMark, Created, KeptTime, NewSaga, Offer, Seen, StoreError, TimeAcceptance, TimeAccepted,
    Try, Unanswered,
};

/// How many writes may wait for the disk before further ones are refused.
const QUEUE: usize = 65_536;

/// How many tries are held back until the next write that a caller waits for, and for how long: no caller waits for tries, so
/// they are not worth a flush of their own.
const TRIES_HELD: usize = 256;
const TRIES_LINGER: Duration = Duration::from_millis(250);

/// Where a caller waits for an answer, and the answer once there is one. It is not sent before the commit.
pub(super) struct Reply<T> {
    sender: oneshot::Sender<Verdict<T>>,
    verdict: Option<Verdict<T>>,
}

impl<T> Reply<T> {
    fn settle(self, failure: Option<&Broken>) {
        let verdict = match failure {
            Some(broken) => Err(broken.told()),
            None => self.verdict.unwrap_or_else(|| Err(stopped())),
        };
        // A caller that no longer waits has dropped the receiver; the write is done all the same.
        let _gone = self.sender.send(verdict);
    }
}

pub(super) enum Write {
    Create(Box<NewSaga>, Reply<Created>),
    Append(Box<Append>, Reply<()>),
    Park {
        id: Box<str>,
        length: Option<u64>,
        wake_at: Time,
        tries: u32,
        reply: Reply<()>,
    },
    Suspend {
        id: Box<str>,
        length: u64,
        reason: Box<str>,
        reply: Reply<()>,
    },
    KeepTime {
        mark: Box<ClockMark>,
        error_ms: u64,
        reply: Reply<KeptTime>,
    },
    AcceptTime(Box<TimeAcceptance>, Reply<TimeAccepted>),
    KeepAtHand(Vec<Arc<str>>, Reply<()>),
    Adopt(Box<Adoption>, Reply<u64>),
    Offer(Box<Offer>, Reply<()>),
    Withdraw {
        participant: Box<str>,
        incarnation: Box<str>,
        reply: Reply<()>,
    },
    Remember(Box<Seen>, Reply<()>),
    Accept(Box<Acceptance>, Reply<()>),
    Try(Box<Try>),
    /// This many bytes that are never read.
    Probe {
        bytes: usize,
        reply: Reply<()>,
    },
    /// Panics in the thread that writes.
    #[cfg(test)]
    Panic,
    /// Does something to the files in the middle of a commit.
    #[cfg(test)]
    Meddle(Box<dyn Fn() + Send>, Reply<()>),
    /// Answered once everything before it is committed.
    Barrier(Reply<()>),
}

impl Write {
    fn run(&mut self, statements: &mut Statements<'_>) -> rusqlite::Result<()> {
        match self {
            Self::Create(new, reply) => reply.verdict = Some(statements.create(new)?),
            Self::Append(append, reply) => reply.verdict = Some(statements.append(append)?),
            Self::Park { id, length, wake_at, tries, reply } => {
                reply.verdict = Some(statements.park(id, *length, *wake_at, *tries)?);
            }
            Self::Suspend { id, length, reason, reply } => {
                reply.verdict = Some(statements.suspend(id, *length, reason)?);
            }
            Self::KeepTime { mark, error_ms, reply } => reply.verdict = Some(Ok(statements.keep_time(mark, *error_ms)?)),
            Self::AcceptTime(acceptance, reply) => reply.verdict = Some(Ok(statements.accept_time(acceptance)?)),
            Self::KeepAtHand(flows, reply) => reply.verdict = Some(Ok(statements.keep_at_hand(flows)?)),
            Self::Adopt(adoption, reply) => reply.verdict = Some(Ok(statements.adopt(adoption)?)),
            Self::Offer(offer, reply) => reply.verdict = Some(Ok(statements.offer(offer)?)),
            Self::Withdraw { participant, incarnation, reply } => {
                reply.verdict = Some(Ok(statements.withdraw(participant, incarnation)?));
            }
            Self::Remember(seen, reply) => reply.verdict = Some(Ok(statements.note_seen(seen)?)),
            Self::Accept(acceptance, reply) => reply.verdict = Some(statements.accept(acceptance)?),
            Self::Try(attempt) => statements.record_try(attempt)?,
            Self::Probe { bytes, reply } => reply.verdict = Some(Ok(statements.probe(*bytes)?)),
            Self::Barrier(reply) => reply.verdict = Some(Ok(())),
            #[cfg(test)]
            Self::Panic => panic!("the writer was made to panic"),
            #[cfg(test)]
            Self::Meddle(meddle, reply) => {
                meddle();
                reply.verdict = Some(Ok(statements.probe(1)?));
            }
        }
        Ok(())
    }

    fn settle(self, failure: Option<&Broken>) {
        match self {
            Self::Create(_, reply) => reply.settle(failure),
            Self::KeepTime { reply, .. } => reply.settle(failure),
            Self::AcceptTime(_, reply) => reply.settle(failure),
            Self::Adopt(_, reply) => reply.settle(failure),
            Self::Append(_, reply)
            | Self::KeepAtHand(_, reply)
            | Self::Offer(_, reply)
            | Self::Withdraw { reply, .. }
            | Self::Remember(_, reply)
            | Self::Accept(_, reply)
            | Self::Park { reply, .. }
            | Self::Suspend { reply, .. }
            | Self::Probe { reply, .. }
            | Self::Barrier(reply) => reply.settle(failure),
            Self::Try(_) => {}
            #[cfg(test)]
            Self::Meddle(_, reply) => reply.settle(failure),
            #[cfg(test)]
            Self::Panic => {}
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
    pub(super) fn start(connection: Connection, files: Arc<Files>, checkpoint_pages: u32) -> Result<Self, String> {
        let (queue, writes) = sync_channel(QUEUE);
        let (say_ready, ready) = sync_channel(1);
        let work = move || {
            match Statements::prepare(&connection) {
                Ok(mut statements) => {
                    // The one who opens the store may be gone already; the queue then ends at once.
                    let _gone = say_ready.send(Ok(()));
                    write_all(&mut statements, &writes, &files, checkpoint_pages);
                }
                Err(error) => {
                    let _gone = say_ready.send(Err(words(&error)));
                }
            }
            close(&connection, &files);
        };
        let thread =
            std::thread::Builder::new().name("handfast-writer".to_owned()).spawn(work).map_err(|error| error.to_string())?;
        ready.recv().unwrap_or_else(|_stopped| Err("its writer stopped at once".to_owned()))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Whether the thread has ended before its time, as it does where a write panics.
    pub(super) fn is_dead(&self) -> bool {
        self.thread.as_ref().is_some_and(JoinHandle::is_finished)
    }

    pub(super) fn send(&self, write: Write) -> Result<(), StoreError> {
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        queue.try_send(write).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Unavailable(Unanswered::Crowded { waiting: QUEUE }),
            TrySendError::Disconnected(_) => stopped(),
        })
    }

    /// Queues a write, and waits until it is committed.
    pub(super) async fn write<T>(&self, write: impl FnOnce(Reply<T>) -> Write) -> Verdict<T> {
        let (sender, answer) = oneshot::channel();
        self.send(write(Reply { sender, verdict: None }))?;
        answer.await.unwrap_or_else(|_dropped| Err(stopped()))
    }

    /// Queues a try. Where the queue is full it is lost; nothing depends on it.
    pub(super) fn record(&self, attempt: Try) {
        if self.send(Write::Try(Box::new(attempt))).is_err() {
            tracing::debug!(name: "try_not_kept", "a try was not kept: too many writes are waiting for the disk");
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(name: "store_writer_died", "the store's writer had panicked");
        }
    }
}

fn stopped() -> StoreError {
    StoreError::Unavailable(Unanswered::Stopped { part: "its writer has stopped" })
}

/// Closing carries the log over into the file and removes it, which must not happen to files that were replaced by those of
/// another program.
fn close(connection: &Connection, files: &Files) {
    if files.look().is_err()
        && let Err(error) = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
    {
        tracing::error!(name: "store_closing", "closing the store may write into files that are not its own: {error}");
    }
}

fn write_all(statements: &mut Statements<'_>, writes: &Receiver<Write>, files: &Files, checkpoint_pages: u32) {
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
            commit_and_answer(statements, &mut group, files);
            if !files.is_gone() && files.has_in_log(checkpoint_pages) {
                match statements.carry_over() {
                    Ok(None) => {}
                    // What the header became is known from now on, so that nothing else can be taken for it.
                    Ok(Some(generation)) => files.look_at_carried_over(generation),
                    Err(error) => {
                        tracing::warn!(name: "store_log_not_carried_over", "the write-ahead log could not be carried over: {}", words(&error));
                    }
                }
            }
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
    /// The file is not the one that was opened, so whatever was written to it is nowhere.
    Gone(StoreError),
}

impl Broken {
    fn told(&self) -> StoreError {
        match self {
            Self::Before(error) | Self::Commit(error) => unavailable(error),
            Self::Gone(StoreError::Gone { path, why }) => StoreError::Gone { path: path.clone(), why: why.clone() },
            Self::Gone(error) => StoreError::Unavailable(Unanswered::InTheWay { why: error.to_string() }),
        }
    }
}

fn commit_and_answer(statements: &mut Statements<'_>, group: &mut Vec<Write>, files: &Files) {
    if group.is_empty() {
        return;
    }
    match commit(statements, group, files) {
        Ok(()) => group.drain(..).for_each(|write| write.settle(None)),
        Err(Broken::Before(error)) if group.len() > 1 && !concerns_everybody(&error) => {
            // One of them cannot be written. It must not cost the others their answer.
            for mut write in group.drain(..) {
                let outcome = commit(statements, std::slice::from_mut(&mut write), files);
                write.settle(outcome.err().as_ref());
            }
        }
        Err(broken) => {
            tracing::debug!(name: "store_commit_refused", writes = group.len(), "the store could not commit: {}", broken.told());
            group.drain(..).for_each(|write| write.settle(Some(&broken)));
        }
    }
}

fn commit(statements: &mut Statements<'_>, group: &mut [Write], files: &Files) -> Result<(), Broken> {
    // Checked before anything is written: the files may have been replaced by those of another program.
    files.look().map_err(Broken::Gone)?;
    let written = statements
        .begin()
        .and_then(|()| group.iter_mut().try_for_each(|write| write.run(statements)))
        .and_then(|()| statements.write_seen())
        .and_then(|()| statements.raise_generation());
    let outcome = match written {
        Err(error) => Err(Broken::Before(error)),
        Ok(Generation::Behind { found, known }) => {
            files.declare_gone(format!("it is at generation {found} and was at {known}: an older copy was put in its place"));
            files.look().map_err(Broken::Gone)
        }
        Ok(Generation::Current) => statements.commit().map_err(Broken::Commit),
    };
    if outcome.is_err() {
        statements.rollback();
    }
    // And before anybody is told that it was.
    outcome.and_then(|()| files.look().map_err(Broken::Gone))
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
                | ErrorCode::SystemIoFailure
                | ErrorCode::OutOfMemory
        )
    )
}
