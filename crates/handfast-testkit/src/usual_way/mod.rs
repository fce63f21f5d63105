//! The usual way of doing it, to compare with: a durable, idempotent coordinator as many people write it.
//!
//! It is an honest one. Every order is a row, flushed before anything is sent, and goes on after kill -9. Every retry uses
//! the same key, so nobody is charged twice. A refused dispatch is refunded until the refund is confirmed. A dispatch in
//! doubt is tried again until there is an answer. It speaks to the same services over the same road, with PUT, GET and
//! DELETE. Its only flaw is the usual one, in `order`: *not found* is taken for *not done*.

mod api;
mod book;
mod order;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use self::book::{Book, Row, Stage};
use self::order::{Progress, Surroundings};
use handfast_http::client::HttpClient;
use handfast_http::connections;
use handfast_machine::clock::now_ms;
use handfast_machine::locked;

/// How it is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The file of its book.
    pub store: PathBuf,
    /// The base URL of charges.
    pub payment: String,
    /// The base URL of shipments.
    pub dispatch: String,
    /// How long after an order was placed to stop trying to charge for it.
    pub deadline: Duration,
}

/// Serves until `stop` says true.
///
/// # Errors
/// When its book cannot be opened, or is gone: whoever calls ends the process then, and goes on from the book at the next start.
pub async fn serve(listener: TcpListener, settings: Settings, stop: watch::Receiver<bool>) -> anyhow::Result<()> {
    let (book, open) = Book::open(&settings.store)?;
    let (failed, mut failures) = mpsc::unbounded_channel();
    let shop = Shop {
        surroundings: Surroundings {
            book,
            client: HttpClient::new(),
            payment: settings.payment.into(),
            dispatch: settings.dispatch.into(),
        },
        deadline: settings.deadline,
        orders: Arc::default(),
        failed,
    };
    for row in open {
        shop.take_up(row);
    }
    tokio::select! {
        () = connections::serve_router(listener, api::router(shop), connections::MOST_CONNECTIONS, stop) => Ok(()),
        Some(error) = failures.recv() => Err(error),
    }
}

/// The orders that are in memory: all of this run. A demo is short enough for that.
#[derive(Clone, Debug)]
struct Shop {
    surroundings: Surroundings,
    deadline: Duration,
    orders: Arc<Mutex<BTreeMap<String, watch::Sender<Progress>>>>,
    /// Hears of an order that cannot go on: the book is gone.
    failed: mpsc::UnboundedSender<anyhow::Error>,
}

impl Shop {
    /// Takes an order, new or not. When this resolves it is flushed.
    async fn place(&self, id: &str, order: Vec<u8>) -> anyhow::Result<Placed> {
        let millis = u64::try_from(self.deadline.as_millis())?;
        let charge_by = now_ms().saturating_add(millis);
        let new = Row { id: id.to_owned(), order, stage: Stage::Charging, charge_by, cancel: false };
        let kept = self.surroundings.book.place(new.clone()).await?;
        if kept.order != new.order {
            return Ok(Placed::OtherOrder);
        }
        Ok(Placed::Taken(self.take_up(kept)))
    }

    /// Drives an order to its end, unless it is driven already.
    fn take_up(&self, row: Row) -> watch::Receiver<Progress> {
        let mut orders = locked(&self.orders);
        let known = orders.get(&row.id).map(watch::Sender::subscribe);
        known.unwrap_or_else(|| {
            let (progress, watched) = watch::channel(Progress { stage: row.stage, cancel: row.cancel });
            orders.insert(row.id.clone(), progress.clone());
            drop(tokio::spawn(finish(self.surroundings.clone(), row, progress, self.failed.clone())));
            watched
        })
    }

    /// An order of this run of the process, or of an earlier one.
    async fn find(&self, id: &str) -> anyhow::Result<Option<watch::Sender<Progress>>> {
        if let Some(known) = self.known(id) {
            return Ok(Some(known));
        }
        let Some(row) = self.surroundings.book.find(id).await? else { return Ok(None) };
        drop(self.take_up(row));
        Ok(self.known(id))
    }

    fn known(&self, id: &str) -> Option<watch::Sender<Progress>> {
        locked(&self.orders).get(id).cloned()
    }

    fn unfinished(&self) -> usize {
        let orders = locked(&self.orders);
        orders.values().filter(|order| order.borrow().stage.outcome().is_none()).count()
    }
}

async fn finish(
    surroundings: Surroundings,
    row: Row,
    progress: watch::Sender<Progress>,
    failed: mpsc::UnboundedSender<anyhow::Error>,
) {
    let id = row.id.clone();
    if let Err(error) = order::drive(surroundings, row, progress).await {
        // If nobody hears it any more, everything ends in any case.
        let _unheard = failed.send(error.context(format!("order {id}")));
    }
}

/// What became of a submission.
enum Placed {
    Taken(watch::Receiver<Progress>),
    OtherOrder,
}
