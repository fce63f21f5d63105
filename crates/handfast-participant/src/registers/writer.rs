//! The one thread that writes: it commits whatever is waiting together, and answers after the flush.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use handfast_sqlite::{Watched, is_behind};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode};
use tokio::sync::{mpsc, oneshot};

use super::open::{generation, raise_generation};
use super::step::{Met, execute, step};
use super::{Asked, NotDefinite, Order, Settings, rows};
use crate::key::{Incarnation, Mark};
use crate::receipt::Reply;
use crate::service::Service;

pub(super) struct Writer {
    connection: Connection,
    files: Arc<Watched>,
    /// The generation of the file that was seen last: an earlier one is another file's.
    generation: i32,
    service: Box<dyn Service>,
    settings: Settings,
    broken: Arc<OnceLock<String>>,
    /// Drawn at this opening of the store.
    opening: Mark,
    /// What was met since the last commit that wrote anything: counting alone is not worth a flush.
    met: BTreeMap<Met, u64>,
}

/// Why a whole batch came to nothing.
enum BatchFailure {
    /// The database took the transaction back; nothing of it is there.
    RolledBack(rusqlite::Error),
    /// The file is not the one that was opened.
    Gone(String),
    /// The disk failed under the commit: what it holds now is known only after a restart.
    Unknown(rusqlite::Error),
}

impl Writer {
    pub(super) fn new(
        (connection, files): (Connection, Arc<Watched>),
        service: Box<dyn Service>,
        settings: Settings,
        (broken, opening): (Arc<OnceLock<String>>, Mark),
    ) -> Result<Self, rusqlite::Error> {
        let generation = generation(&connection)?;
        Ok(Self { connection, files, generation, service, settings, broken, opening, met: BTreeMap::new() })
    }

    /// Serves until it is told to stop, or no caller is left that could ask.
    pub(super) fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        let mut stopped = Vec::new();
        while stopped.is_empty() {
            let Some(first) = orders.blocking_recv() else { break };
            let mut batch = Vec::new();
            let mut next = Some(first);
            while let Some(order) = next.take() {
                match order {
                    Order::Receive(asked) => batch.push(asked),
                    Order::DeclareRestored(answer) => {
                        self.serve(std::mem::take(&mut batch));
                        // A caller that asked and left has still asked.
                        let _ = answer.send(self.declare_restored());
                    }
                    Order::Stop(answer) => stopped.push(answer),
                }
                if batch.len() < self.settings.batch && stopped.is_empty() {
                    next = orders.try_recv().ok();
                }
            }
            self.serve(batch);
        }
        self.finish(orders, stopped);
    }

    /// The last words: what was met is written, what is still waiting is told to come again.
    fn finish(mut self, mut orders: mpsc::Receiver<Order>, mut stopped: Vec<oneshot::Sender<()>>) {
        orders.close();
        let mut waiting = Vec::new();
        while let Ok(order) = orders.try_recv() {
            match order {
                Order::Receive(asked) => waiting.push(asked),
                Order::DeclareRestored(_) => {}
                Order::Stop(answer) => stopped.push(answer),
            }
        }
        self.serve(waiting);
        let is_there = self.check().is_ok();
        if !self.met.is_empty() && is_there {
            let written = self.write_alone(|transaction| write_counters(transaction, &self.met));
            if let Err(error) = written {
                tracing::warn!(name: "counts_not_written", %error, "the last counts were not written");
            }
        }
        if is_there {
            // The whole store is in one file then, for a person who copies it. What is not moved now is moved at the next opening.
            let _ = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        } else {
            // What lies at the store's place is another program's, and must neither be written nor removed.
            let _ = self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        }
        drop(self);
        for answer in stopped {
            let _ = answer.send(());
        }
    }

    /// Commits a batch together, and answers everybody in it.
    fn serve(&mut self, batch: Vec<Asked>) {
        if batch.is_empty() {
            return;
        }
        let replies = self.commit(&batch);
        for (asked, reply) in batch.into_iter().zip(replies) {
            // A caller that has gone away will ask again, and get the same answer.
            let _ = asked.answer.send(reply);
        }
    }

    fn commit(&mut self, batch: &[Asked]) -> Vec<Result<Reply, NotDefinite>> {
        let refuse = |what: &str| batch.iter().map(|_| Err(NotDefinite::Broken(what.to_owned()))).collect();
        if let Err(what) = self.check() {
            return refuse(&what);
        }
        let failure = match self.commit_together(batch) {
            // Before anybody is told of what may be in no file any more.
            Ok(replies) => return self.check().map_or_else(|what| refuse(&what), |()| replies),
            Err(failure) => failure,
        };
        if !self.connection.is_autocommit() {
            let _ = execute(&self.connection, "ROLLBACK");
        }
        match failure {
            BatchFailure::Gone(what) => refuse(&self.break_for(what)),
            BatchFailure::Unknown(error) => {
                // After a failed flush the system may have dropped the pages and report the next flush as good, so
                // nothing that this process goes on to write could be trusted.
                tracing::error!(name: "disk_failed", %error, "the disk failed under a commit; the store takes nothing until a restart");
                let what = self.broken.get_or_init(|| error.to_string());
                batch.iter().map(|_| Err(NotDefinite::Broken(what.clone()))).collect()
            }
            BatchFailure::RolledBack(error) if batch.len() == 1 => {
                tracing::error!(name: "commit_taken_back", %error, "the store took a transaction back");
                vec![Err(NotDefinite::Store(error.to_string()))]
            }
            // One request has spoiled it for all (a full disk, a constraint checked at the commit): nothing is
            // committed and no caller answered, so each can have a transaction of its own.
            BatchFailure::RolledBack(_) => batch.chunks(1).flat_map(|alone| self.commit(alone)).collect(),
        }
    }

    /// Whether what is written can be trusted to be there after a restart. What is not once is not for good.
    fn check(&self) -> Result<(), String> {
        if let Some(what) = self.broken.get() {
            return Err(what.clone());
        }
        self.files.look().map_err(|what| self.break_for(what))
    }

    /// The store is gone for good, for this reason or for the first one.
    fn break_for(&self, what: String) -> String {
        tracing::error!(name: "store_gone", what, "the store is gone, and takes nothing any more: stop the service, put the right file back, and start it; a start that is refused says which files to move");
        self.broken.get_or_init(|| what).clone()
    }

    /// Writes something in a transaction of its own.
    fn write_alone<T>(&self, write: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>) -> Result<T, rusqlite::Error> {
        let transaction = self.connection.unchecked_transaction()?;
        let written = write(&transaction)?;
        raise_generation(&transaction)?;
        transaction.commit()?;
        Ok(written)
    }

    fn commit_together(&mut self, batch: &[Asked]) -> Result<Vec<Result<Reply, NotDefinite>>, BatchFailure> {
        let Self { connection, service, settings, opening, met: known, generation: known_generation, .. } = self;
        let connection = &*connection;
        let mut met = known.clone();
        execute(connection, "BEGIN IMMEDIATE").map_err(BatchFailure::RolledBack)?;
        let found = generation(connection).map_err(BatchFailure::RolledBack)?;
        if is_behind(found, *known_generation) {
            let what = format!("it is at generation {found} and was at {known_generation}: an older copy was put in its place");
            return Err(BatchFailure::Gone(what));
        }
        let mut reached = found;
        let mut position = rows::position(connection).map_err(BatchFailure::RolledBack)?;
        let mut wrote = false;
        let mut replies = Vec::with_capacity(batch.len());
        for asked in batch {
            let now = (settings.clock)();
            let before = position.clone();
            execute(connection, "SAVEPOINT request").map_err(BatchFailure::RolledBack)?;
            let request = (&asked.key, &asked.request, asked.seen.as_ref());
            let reply = match step(connection, service.as_ref(), (&mut position, opening), now, request) {
                Ok(stepped) => {
                    wrote |= stepped.wrote;
                    if let Some(one) = stepped.met {
                        *met.entry(one).or_default() += 1;
                    }
                    Ok(stepped.reply)
                }
                Err(error) => {
                    // A failing step can end the transaction of the whole batch, a full disk for one does.
                    if connection.is_autocommit() {
                        return Err(BatchFailure::RolledBack(vanished(error)));
                    }
                    tracing::error!(name: "effect_failed", %error, key = %asked.key, "an effect failed and was taken back");
                    execute(connection, "ROLLBACK TO request").map_err(BatchFailure::RolledBack)?;
                    position = before;
                    Err(NotDefinite::Effect(error.to_string()))
                }
            };
            execute(connection, "RELEASE request").map_err(BatchFailure::RolledBack)?;
            replies.push(reply);
        }
        if wrote {
            rows::set_position(connection, &position).map_err(BatchFailure::RolledBack)?;
            write_counters(connection, &met).map_err(BatchFailure::RolledBack)?;
            met.clear();
            (_, reached) = raise_generation(connection).map_err(BatchFailure::RolledBack)?;
        }
        execute(connection, "COMMIT").map_err(commit_failure)?;
        self.met = met;
        self.generation = reached;
        Ok(replies)
    }

    fn declare_restored(&mut self) -> Result<Incarnation, NotDefinite> {
        self.check().map_err(NotDefinite::Broken)?;
        let incarnation = Incarnation::draw();
        let declared = self.write_alone(|transaction| {
            let mut position = rows::position(transaction)?;
            position.incarnation = incarnation.clone();
            rows::set_position(transaction, &position)?;
            rows::declared_at_last_start(transaction)
        });
        if declared.map_err(|error: rusqlite::Error| NotDefinite::Store(error.to_string()))? {
            tracing::warn!(
                name: "declared_again",
                incarnation = incarnation.as_str(),
                "the store was declared restored at the start before this one, too: unless it was put back again since, take \
                 --declare-restored out of what starts the service; after each such start a person has to accept another incarnation"
            );
        }
        Ok(incarnation)
    }
}

fn write_counters(connection: &Connection, met: &BTreeMap<Met, u64>) -> Result<(), rusqlite::Error> {
    met.iter().try_for_each(|(met, times)| rows::count(connection, met.name(), *times))
}

fn commit_failure(error: rusqlite::Error) -> BatchFailure {
    match error.sqlite_error_code() {
        Some(ErrorCode::SystemIoFailure | ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => BatchFailure::Unknown(error),
        _ => BatchFailure::RolledBack(error),
    }
}

/// The error of a step that took the whole transaction with it, whatever kind it is.
fn vanished(error: crate::service::ServiceError) -> rusqlite::Error {
    match error.downcast::<rusqlite::Error>() {
        Ok(error) => *error,
        Err(error) => rusqlite::Error::ToSqlConversionFailure(error),
    }
}
