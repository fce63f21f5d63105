//! One order, the usual way: charge, then dispatch; when in doubt and out of time, ask for the status.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use handfast::Backoff;
use hyper::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::book::{Book, Row, Stage};
use crate::messenger::Draws;
use handfast_http::client::{HttpAnswer, HttpClient};
use handfast_machine::clock::now_ms;

/// How long the answer to one try is waited for.
const TRY_TIMEOUT: Duration = Duration::from_secs(2);
/// Waiting times between tries, with full jitter.
const BACKOFF: Backoff = Backoff { base: Duration::from_millis(50), cap: Duration::from_secs(1) };

/// What every order needs.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    pub(crate) book: Book,
    pub(crate) client: HttpClient,
    /// The base URL of charges.
    pub(crate) payment: Arc<str>,
    /// The base URL of shipments.
    pub(crate) dispatch: Arc<str>,
}

/// How an order stands, for whoever asks or waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Progress {
    pub(crate) stage: Stage,
    pub(crate) cancel: bool,
}

/// The parts of an order that the services are sent.
#[derive(Deserialize)]
struct Submitted {
    customer: Value,
    amount: Value,
    token: Value,
    lines: Value,
}

/// Brings one order to its end.
///
/// # Errors
/// When the book cannot be written, or the order cannot be read: the order then stays where it is until the next start.
pub(crate) async fn drive(surroundings: Surroundings, row: Row, progress: watch::Sender<Progress>) -> anyhow::Result<()> {
    let submitted: Submitted = serde_json::from_slice(&row.order)?;
    let charge = json!({ "amount": submitted.amount, "token": submitted.token });
    let shipment = json!({ "customer": submitted.customer, "lines": submitted.lines });
    let order = Order {
        charge_url: format!("{}/usual.{}.payment", surroundings.payment, row.id),
        shipment_url: format!("{}/usual.{}.dispatch", surroundings.dispatch, row.id),
        charge: Bytes::from(charge.to_string()),
        shipment: Bytes::from(shipment.to_string()),
        charge_by: row.charge_by,
        client: surroundings.client,
        progress: progress.subscribe(),
    };
    let mut stage = row.stage;
    while stage.outcome().is_none() {
        stage = match stage {
            Stage::Charging => order.charge().await,
            Stage::Asking => order.ask().await,
            Stage::Dispatching => order.dispatch().await,
            Stage::Refunding => order.refund().await,
            Stage::Completed | Stage::Cancelled => break,
        };
        surroundings.book.move_to(&row.id, stage).await?;
        progress.send_modify(|progress| progress.stage = stage);
    }
    Ok(())
}

struct Order {
    charge_url: String,
    shipment_url: String,
    charge: Bytes,
    shipment: Bytes,
    charge_by: u64,
    client: HttpClient,
    progress: watch::Receiver<Progress>,
}

impl Order {
    fn is_cancelled(&self) -> bool {
        self.progress.borrow().cancel
    }

    /// Charges with the same key until there is an answer, the time is up, or the customer has cancelled.
    async fn charge(&self) -> Stage {
        for tries in 0.. {
            let left = Duration::from_millis(self.charge_by.saturating_sub(now_ms()));
            if left.is_zero() || self.is_cancelled() {
                break;
            }
            let answer = self.send(Method::PUT, &self.charge_url, self.charge.clone(), TRY_TIMEOUT.min(left)).await;
            match answer {
                Some((200, state)) if state == "done" => {
                    return if self.is_cancelled() { Stage::Refunding } else { Stage::Dispatching };
                }
                // Declined, or refunded before a restart.
                Some((409, state)) if state == "refused" => return Stage::Cancelled,
                Some((410, _)) => return Stage::Cancelled,
                Some(_) | None => {}
            }
            tokio::time::sleep(self.backoff(tries).min(Duration::from_millis(self.charge_by.saturating_sub(now_ms())))).await;
        }
        Stage::Asking
    }

    /// Asks whether the card was charged, until there is an answer.
    ///
    /// This is the one flaw, and the usual one: a charge that the payment service does not know *yet* counts as a charge
    /// that was not made. It is how time-outs are commonly taught for payments and other remote calls ("if the call timed
    /// out, query the status; if there is no such payment, treat it as not made"): in guides to idempotent retries, in
    /// payment providers' integration guides under "handling time-outs", in saga tutorials' reconciliation steps. Nothing
    /// was charged, so there is nothing to refund, and the order is cancelled.
    async fn ask(&self) -> Stage {
        for tries in 0.. {
            match self.send(Method::GET, &self.charge_url, Bytes::new(), TRY_TIMEOUT).await {
                // Charged after all: it goes on, unless the customer does not want it any more.
                Some((200, state)) if state == "done" => {
                    return if self.is_cancelled() { Stage::Refunding } else { Stage::Dispatching };
                }
                Some((200, _)) => return Stage::Cancelled,
                Some((404, state)) if state == "absent" => return Stage::Cancelled,
                Some(_) | None => {}
            }
            tokio::time::sleep(self.backoff(tries)).await;
        }
        Stage::Asking
    }

    /// Dispatches with the same key until there is an answer. There is no deadline: goods that may be under way are not
    /// refunded, and a refusal is the only way back.
    async fn dispatch(&self) -> Stage {
        for tries in 0.. {
            match self.send(Method::PUT, &self.shipment_url, self.shipment.clone(), TRY_TIMEOUT).await {
                Some((200, state)) if state == "done" => return Stage::Completed,
                Some((409, state)) if state == "refused" => return Stage::Refunding,
                Some(_) | None => {}
            }
            tokio::time::sleep(self.backoff(tries)).await;
        }
        Stage::Dispatching
    }

    /// Refunds a charge that is known to be there, until it is refunded.
    async fn refund(&self) -> Stage {
        for tries in 0.. {
            match self.send(Method::DELETE, &self.charge_url, Bytes::new(), TRY_TIMEOUT).await {
                Some((200, state)) if state == "undone" => return Stage::Cancelled,
                Some(_) | None => {}
            }
            tokio::time::sleep(self.backoff(tries)).await;
        }
        Stage::Refunding
    }

    /// One try. `None` if no answer came back; otherwise its status, and the state that the service says the key is in.
    async fn send(&self, method: Method, url: &str, body: Bytes, timeout: Duration) -> Option<(u16, String)> {
        let answer: HttpAnswer = self.client.ask(method, url, &[], body, timeout).await.ok()?;
        Some((answer.status, answer.text("state").unwrap_or_default()))
    }

    fn backoff(&self, tries: u32) -> Duration {
        BACKOFF.ceiling(tries + 1).mul_f64(Draws::new(0, "backoff", &self.charge_url, tries).unit(0))
    }
}
