//! The usual way's own book: one row an order, flushed before anything is sent.

use std::path::Path;

use anyhow::Context as _;
use rusqlite::{Connection, OptionalExtension as _, params};
use tokio::sync::{mpsc, oneshot};

/// The most writes that share one flush.
const BATCH: usize = 256;

/// Where an order is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Stage {
    /// The card is being charged.
    Charging,
    /// It is not known whether the card was charged, and time is up: the payment service is asked for the status.
    Asking,
    /// Paid; the goods are being dispatched.
    Dispatching,
    /// Paid, and not to be dispatched: the charge is being refunded.
    Refunding,
    /// Ended: paid and dispatched.
    Completed,
    /// Ended: neither, as far as this book knows.
    Cancelled,
}

impl Stage {
    const ALL: [Self; 6] = [Self::Charging, Self::Asking, Self::Dispatching, Self::Refunding, Self::Completed, Self::Cancelled];

    /// The word for it in the book and on the wire.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Charging => "charging",
            Self::Asking => "asking",
            Self::Dispatching => "dispatching",
            Self::Refunding => "refunding",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.name() == name)
    }

    /// How it ended, if it did.
    pub(crate) const fn outcome(self) -> Option<&'static str> {
        match self {
            Self::Completed => Some("completed"),
            Self::Cancelled => Some("cancelled"),
            Self::Charging | Self::Asking | Self::Dispatching | Self::Refunding => None,
        }
    }
}

/// One order, as the book has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Row {
    pub(crate) id: String,
    /// As it was submitted, byte for byte.
    pub(crate) order: Vec<u8>,
    pub(crate) stage: Stage,
    /// When to stop trying to charge, in milliseconds since the epoch.
    pub(crate) charge_by: u64,
    /// The customer asked for it to be cancelled.
    pub(crate) cancel: bool,
}

type Write = Box<dyn FnOnce(&Connection) -> rusqlite::Result<()> + Send>;

/// The book. Writes that are asked for at the same time share one transaction, and with it one flush.
#[derive(Clone, Debug)]
pub(crate) struct Book {
    writes: mpsc::Sender<(Write, oneshot::Sender<()>)>,
}

impl Book {
    /// Opens the book, and reads every order that has not ended.
    ///
    /// # Errors
    /// When the file cannot be opened, or is something else.
    pub(crate) fn open(path: &Path) -> anyhow::Result<(Self, Vec<Row>)> {
        let place = || format!("cannot open the book {}", path.display());
        let connection = Connection::open(path).with_context(place)?;
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
                 CREATE TABLE IF NOT EXISTS orders (
                     id TEXT PRIMARY KEY, submitted BLOB NOT NULL, stage TEXT NOT NULL, charge_by INTEGER NOT NULL,
                     cancel INTEGER NOT NULL DEFAULT 0) STRICT;",
            )
            .with_context(place)?;
        let open = unfinished(&connection).with_context(place)?;
        let (writes, queue) = mpsc::channel(4 * BATCH);
        std::thread::Builder::new().name("book".to_owned()).spawn(move || write_all(&connection, queue))?;
        Ok((Self { writes }, open))
    }

    /// Writes down a new order. The row that is in the book afterwards, which may be an older one of the same id.
    pub(crate) async fn place(&self, row: Row) -> anyhow::Result<Row> {
        let (found, there) = oneshot::channel();
        let charge_by = i64::try_from(row.charge_by)?;
        self.write(move |connection| {
            connection.execute(
                "INSERT INTO orders (id, submitted, stage, charge_by) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
                params![row.id, row.order, row.stage.name(), charge_by],
            )?;
            let kept = find(connection, &row.id)?;
            // Nobody waits for it any more only if the service is stopping.
            drop(found.send(kept));
            Ok(())
        })
        .await?;
        there.await?.context("the row that was just written is not there")
    }

    /// The row of an order, if there is one.
    pub(crate) async fn find(&self, id: &str) -> anyhow::Result<Option<Row>> {
        let (found, there) = oneshot::channel();
        let id = id.to_owned();
        self.write(move |connection| {
            // As above.
            drop(found.send(find(connection, &id)?));
            Ok(())
        })
        .await?;
        Ok(there.await?)
    }

    /// Writes down where an order is now.
    pub(crate) async fn move_to(&self, id: &str, stage: Stage) -> anyhow::Result<()> {
        let id = id.to_owned();
        self.write(move |connection| {
            connection.execute("UPDATE orders SET stage = ?2 WHERE id = ?1", params![id, stage.name()]).map(drop)
        })
        .await
    }

    /// Writes down that the customer asked for an order to be cancelled.
    pub(crate) async fn cancel(&self, id: &str) -> anyhow::Result<()> {
        let id = id.to_owned();
        self.write(move |connection| connection.execute("UPDATE orders SET cancel = 1 WHERE id = ?1", [id]).map(drop)).await
    }

    /// Resolves once the write is flushed.
    async fn write(&self, write: impl FnOnce(&Connection) -> rusqlite::Result<()> + Send + 'static) -> anyhow::Result<()> {
        let (done, flushed) = oneshot::channel();
        self.writes.send((Box::new(write), done)).await.ok().context("the book is closed")?;
        flushed.await.context("the book could not be written")
    }
}

fn write_all(connection: &Connection, mut queue: mpsc::Receiver<(Write, oneshot::Sender<()>)>) {
    let mut batch = Vec::new();
    while queue.blocking_recv_many(&mut batch, BATCH) > 0 {
        let written = (|| {
            let transaction = connection.unchecked_transaction()?;
            let mut waiting = Vec::new();
            for (write, done) in batch.drain(..) {
                write(&transaction)?;
                waiting.push(done);
            }
            transaction.commit().map(|()| waiting)
        })();
        match written {
            // A caller that has gone does not need to be told.
            Ok(waiting) => {
                for done in waiting {
                    let _ = done.send(());
                }
            }
            // Those who wait learn it from their channels; the process ends with the first of them.
            Err(_) => return,
        }
    }
}

fn find(connection: &Connection, id: &str) -> rusqlite::Result<Option<Row>> {
    connection.query_row("SELECT id, submitted, stage, charge_by, cancel FROM orders WHERE id = ?1", [id], read_row).optional()
}

fn unfinished(connection: &Connection) -> rusqlite::Result<Vec<Row>> {
    connection
        .prepare("SELECT id, submitted, stage, charge_by, cancel FROM orders WHERE stage NOT IN ('completed', 'cancelled')")?
        .query_map([], read_row)?
        .collect()
}

fn read_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    let stage: String = row.get(2)?;
    let stage = Stage::from_name(&stage).ok_or(rusqlite::Error::InvalidColumnName(stage))?;
    let charge_by: i64 = row.get(3)?;
    Ok(Row { id: row.get(0)?, order: row.get(1)?, stage, charge_by: charge_by.unsigned_abs(), cancel: row.get(4)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_in_the_book_is_there_after_the_process() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("orders.db");
        let row =
            |id: &str| Row { id: id.to_owned(), order: b"{}".to_vec(), stage: Stage::Charging, charge_by: 17, cancel: false };
        {
            let (book, open) = Book::open(&path).unwrap();
            assert!(open.is_empty());
            assert_eq!(book.place(row("a")).await.unwrap(), row("a"));
            book.place(row("b")).await.unwrap();
            book.cancel("b").await.unwrap();
            book.move_to("b", Stage::Refunding).await.unwrap();
            book.place(row("c")).await.unwrap();
            book.move_to("c", Stage::Cancelled).await.unwrap();
            // A second submission finds the first, as it stands now.
            assert_eq!(book.place(row("b")).await.unwrap(), Row { stage: Stage::Refunding, cancel: true, ..row("b") });
        }
        let (_, open) = Book::open(&path).unwrap();
        assert_eq!(open, [row("a"), Row { stage: Stage::Refunding, cancel: true, ..row("b") }]);
    }
}
