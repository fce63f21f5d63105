//! The shop's customers: they place orders, repeat themselves until they are acknowledged, cancel some, and wait for the end.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use anyhow::bail;
use bytes::Bytes;
use hyper::Method;
use hyper::header::HeaderName;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::orders::{Class, DemoOrder};
use crate::messenger::Draws;
use handfast_http::client::{HttpAnswer, HttpClient};
use handfast_machine::clock::Stopwatch;
use handfast_machine::locked;

/// How many orders of one way may be in flight; the next customer waits.
const IN_FLIGHT: usize = 1_000;
/// How long one answer is waited for: longer than [`WAIT_S`].
const ANSWER: Duration = Duration::from_secs(30);
/// For how many seconds the coordinator is asked to hold its answer back until the order has ended.
const WAIT_S: &str = "wait=20";
/// How long a customer pauses before asking again after no answer.
const PAUSE: Duration = Duration::from_millis(100);

/// What the coordinator said became of an order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Outcome {
    Both,
    Neither,
}

/// What the customer knows of an order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Track {
    /// It was acknowledged.
    pub(crate) is_acknowledged: bool,
    /// A cancel was accepted while it was in flight.
    pub(crate) is_cancelled: bool,
    /// How it ended, and how long that took from the first attempt to place it.
    pub(crate) ended: Option<(Outcome, Duration)>,
}

/// What all customers of one way know, in the order of their orders.
#[derive(Debug)]
pub(crate) struct Tracks {
    tracks: Mutex<Vec<Track>>,
    pub(crate) ended: AtomicU64,
}

impl Tracks {
    pub(crate) fn new(orders: usize) -> Self {
        Self { tracks: Mutex::new(vec![Track::default(); orders]), ended: AtomicU64::new(0) }
    }

    /// As it is now.
    pub(crate) fn snapshot(&self) -> Vec<Track> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Track>> {
        locked(&self.tracks)
    }
}

/// Places all orders of one way, evenly over a stretch of time, and waits until every one has ended.
///
/// # Errors
/// The first answer that no customer should ever get.
pub(crate) async fn place_all(
    coordinator_url: &str,
    orders: Arc<Vec<DemoOrder>>,
    over: Duration,
    tracks: Arc<Tracks>,
) -> anyhow::Result<()> {
    let (client, since, places) = (HttpClient::new(), Stopwatch::start(), Arc::new(Semaphore::new(IN_FLIGHT)));
    let apart = over / u32::try_from(orders.len().max(1))?;
    let mut customers = JoinSet::new();
    for (number, order) in (0_u32..).zip(orders.iter()) {
        tokio::time::sleep((apart * number).saturating_sub(since.elapsed())).await;
        let place = Arc::clone(&places).acquire_owned().await?;
        let customer = Customer {
            client: client.clone(),
            sagas: format!("{coordinator_url}/sagas"),
            number: number as usize,
            order: order.clone(),
            tracks: Arc::clone(&tracks),
        };
        customers.spawn(async move {
            let _place = place;
            customer.see_it_through().await
        });
        while let Some(ended) = customers.try_join_next() {
            ended??;
        }
    }
    while let Some(ended) = customers.join_next().await {
        ended??;
    }
    Ok(())
}

struct Customer {
    client: HttpClient,
    sagas: String,
    number: usize,
    order: DemoOrder,
    tracks: Arc<Tracks>,
}

impl Customer {
    async fn see_it_through(self) -> anyhow::Result<()> {
        let since = Stopwatch::start();
        self.place(&[]).await?;
        self.tracks.lock()[self.number].is_acknowledged = true;
        if self.order.class == Class::Cancelled {
            // From at once to when it has probably been paid.
            tokio::time::sleep(Duration::from_millis(250).mul_f64(Draws::new(0, "cancel", &self.order.id, 1).unit(0))).await;
            self.cancel().await?;
        }
        let outcome = loop {
            let answer = self.place(&[(HeaderName::from_static("prefer"), WAIT_S)]).await?;
            match answer.text("outcome").as_deref() {
                Some("completed") => break Outcome::Both,
                Some("cancelled") => break Outcome::Neither,
                Some(_) | None => {}
            }
            if answer.text("standing").as_deref() == Some("suspended") {
                bail!("order {} is suspended: {}", self.order.id, String::from_utf8_lossy(&answer.body));
            }
            tokio::time::sleep(PAUSE).await;
        };
        self.tracks.lock()[self.number].ended = Some((outcome, since.elapsed()));
        self.tracks.ended.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Submits the order until it is acknowledged. The key is its id, so it can be placed once however often it is sent.
    async fn place(&self, headers: &[(HeaderName, &'static str)]) -> anyhow::Result<HttpAnswer> {
        let mut all = vec![(HeaderName::from_static("idempotency-key"), self.order.id.as_str())];
        all.extend(headers.iter().cloned());
        let body = Bytes::from(self.order.body.clone());
        self.until_answered(&self.sagas, &all, body, |status| matches!(status, 200..=202)).await
    }

    /// Asks for *neither*. Too late is an answer, too.
    async fn cancel(&self) -> anyhow::Result<()> {
        let url = format!("{}/{}/cancel", self.sagas, self.order.id);
        let answer = self.until_answered(&url, &[], Bytes::new(), |status| matches!(status, 200 | 202 | 409)).await?;
        self.tracks.lock()[self.number].is_cancelled = answer.status == 202;
        Ok(())
    }

    async fn until_answered(
        &self,
        url: &str,
        headers: &[(HeaderName, &str)],
        body: Bytes,
        is_expected: impl Fn(u16) -> bool,
    ) -> anyhow::Result<HttpAnswer> {
        loop {
            match self.client.ask(Method::POST, url, headers, body.clone(), ANSWER).await {
                Ok(answer) if is_expected(answer.status) => return Ok(answer),
                // Overloaded, or on its way down or up: asked again.
                Ok(HttpAnswer { status: 429 | 500..=599, .. }) | Err(_) => tokio::time::sleep(PAUSE).await,
                Ok(answer) => {
                    bail!("order {}: {url} answered {}: {}", self.order.id, answer.status, String::from_utf8_lossy(&answer.body))
                }
            }
        }
    }
}
