//! What the handlers share: the engine, the flows it follows, and whether the service is stopping.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use handfast::flow_file::MAX_ORDER_BYTES;
use handfast::store::StoreError;
use handfast::webhook::WebhookReceiver;
use handfast::{Order, SubmitError};
use handfast_http::bodies::Budget;
use handfast_http::stop::stopped;
use handfast_machine::{clock, locked};
use serde_json::Value;
use tokio::sync::{Semaphore, SemaphorePermit, watch};

use crate::access::{Access, Callers};
use crate::coordinator::{Coordinator, Followed, Unmet};
use crate::flows::{FlowSources, Flows, ServedFlow};
use crate::key::IdempotencyKey;
use crate::metrics::Watched;
use crate::problem::{self, Problem};
use crate::reload::Reloading;
use crate::shapes;

/// How long the store may take to say that it is there.
const STORE_TIMEOUT: Duration = Duration::from_secs(2);
/// How often it is looked whether everything still runs.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);
/// How many bytes of bodies are read at a time, over all callers.
const ORDERS: usize = 32 * 1024 * 1024;
const WEBHOOKS: usize = 8 * 1024 * 1024;
/// One in this many connections may wait for the end of a saga.
const PART_OF_WAITING: usize = 2;

/// The receivers of the webhooks of one flow, by the names of its steps.
pub type Receivers = BTreeMap<String, WebhookReceiver>;

/// The service, as its handlers see it.
pub(crate) struct Service {
    coordinator: Arc<dyn Coordinator>,
    pub(crate) flows: Mutex<Arc<Flows>>,
    pub(crate) reloading: Reloading,
    /// For the bodies of orders and of what else its own callers send.
    orders: Budget,
    /// For the bodies of webhooks, which come from outside and must not take the room of orders.
    hints: Budget,
    /// Places for callers who wait for the end of a saga.
    waiting: Semaphore,
    /// What is read of all open sagas at times, and when this was opened.
    watched: Watched,
    opened_at_ms: u64,
    access: Access,
    stop: watch::Receiver<bool>,
}

impl Service {
    /// The service of a coordinator that is open.
    pub(crate) fn over(
        coordinator: Arc<dyn Coordinator>,
        flows: Flows,
        Callers { access, most }: Callers,
        stop: watch::Receiver<bool>,
    ) -> Self {
        let (orders, hints, flows) = (Budget::new(ORDERS), Budget::new(WEBHOOKS), Mutex::new(Arc::new(flows)));
        let waiting = Semaphore::new(most / PART_OF_WAITING);
        let (watched, opened_at_ms, reloading) = (Watched::default(), clock::now_ms(), Reloading::default());
        Self { coordinator, flows, reloading, orders, hints, waiting, watched, opened_at_ms, access, stop }
    }

    /// The same, that reads its flows anew from there.
    pub(crate) fn reading_anew(self, sources: Option<FlowSources>, clock_error: Duration) -> Self {
        Self { reloading: Reloading::from(sources, clock_error), ..self }
    }

    pub(crate) fn coordinator(&self) -> &dyn Coordinator {
        &*self.coordinator
    }

    /// Who may call.
    pub(crate) const fn access(&self) -> &Access {
        &self.access
    }

    /// The flows at hand.
    pub(crate) fn flows(&self) -> Arc<Flows> {
        Arc::clone(&locked(&self.flows))
    }

    /// A place among the callers that wait for the end of a saga, if one is free. A caller for which none is free is answered
    /// at once, since the other connections are for orders, health checks and operators.
    pub(crate) fn place_to_wait(&self) -> Option<SemaphorePermit<'_>> {
        self.waiting.try_acquire().ok()
    }

    /// How many such places are free.
    pub(crate) fn places_to_wait(&self) -> usize {
        self.waiting.available_permits()
    }

    /// When it was opened, in milliseconds since 1970.
    pub(crate) const fn opened_at_ms(&self) -> u64 {
        self.opened_at_ms
    }

    /// Whether it was told to stop.
    pub(crate) fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// What is read of all sagas at times.
    pub(crate) const fn watched(&self) -> &Watched {
        &self.watched
    }

    /// What the sagas are kept by, for a task of its own.
    pub(crate) fn shared_coordinator(&self) -> Arc<dyn Coordinator> {
        Arc::clone(&self.coordinator)
    }

    /// How much of orders is read at a time.
    pub(crate) const fn orders_budget(&self) -> &Budget {
        &self.orders
    }

    /// How much of webhooks is read at a time.
    pub(crate) const fn webhooks_budget(&self) -> &Budget {
        &self.hints
    }

    /// Resolves once the service is to stop.
    pub(crate) async fn stopped(&self) {
        stopped(&mut self.stop.clone()).await;
    }

    /// Takes an order. When this resolves it is flushed.
    ///
    /// # Errors
    /// Its key or id stands for another order, the service is stopping, or the store does not answer.
    pub(crate) async fn place(&self, key: &IdempotencyKey, order: Order) -> Result<Box<dyn Followed>, NotPlaced> {
        let key = key.of_flow(order.flow.as_deref().unwrap_or_default());
        self.coordinator.place(order.with_request_key(key)).await.map_err(|error| {
            // Its flow was read anew meanwhile.
            let is_overtaken = matches!(error, SubmitError::Redefined { .. } | SubmitError::Flow { .. });
            if is_overtaken { NotPlaced::Overtaken } else { NotPlaced::Refused(submit_problem(error)) }
        })
    }

    /// Says that orders are taken.
    ///
    /// # Errors
    /// They are not.
    pub(crate) async fn check_ready(&self) -> Result<(), Problem> {
        if self.is_stopping() {
            return Err(stopping());
        }
        if let Some(part) = self.coordinator.dead_part() {
            return Err(Problem::new(problem::DEAD, format!("{part} has stopped")));
        }
        self.orders.check_room(MAX_ORDER_BYTES).map_err(problem::of_body)?;
        match tokio::time::timeout(STORE_TIMEOUT, self.coordinator.check_ready()).await {
            Ok(checked) => checked.map_err(|error| store_problem(&error)),
            Err(_) => {
                let late = format!("it took more than {} s; another process may hold it", STORE_TIMEOUT.as_secs());
                let why = self.coordinator.store_trouble().unwrap_or(late);
                Err(Problem::new(problem::STORE, why).retry_after_s(1))
            }
        }
    }

    /// Resolves with what has stopped for good, if anything does that the service cannot do without.
    pub(crate) async fn died(&self) -> &'static str {
        loop {
            tokio::time::sleep(BETWEEN_LOOKS).await;
            if let Some(part) = self.coordinator.dead_part() {
                return part;
            }
        }
    }

    /// What the engine is at.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn stats(&self) -> Result<Value, Problem> {
        let (stats, counts) = self.coordinator.stats().await.map_err(|error| store_problem(&error))?;
        Ok(shapes::stats(&stats, &counts, &self.flows(), &self.reloading.troubles()))
    }

    /// Lets every saga finish what it is writing.
    pub(crate) async fn shutdown(&self, longest: Duration) -> bool {
        self.coordinator.shutdown(longest).await
    }
}

/// Why an order was not placed.
#[derive(Debug)]
pub(crate) enum NotPlaced {
    /// Its flow was read anew since the order was read: it is to be read once more.
    Overtaken,
    /// Anything else.
    Refused(Problem),
}

/// The order of this flow in a body. One that names no id is named after the key it came with.
///
/// # Errors
/// It is not JSON, or no order of the flow.
pub(crate) fn read_order(flow: &ServedFlow, key: &IdempotencyKey, body: &[u8]) -> Result<Order, Problem> {
    let order = flow.file().parse_order_or_name(body, || key.saga_id());
    order.map(|order| order.of_definition(flow.flow().hash())).map_err(|error| match (error.column(), error.field_path()) {
        (Some(column), _) => Problem::new(problem::NOT_JSON, error.to_string()).with("column", column),
        (None, Some(field)) => Problem::new(problem::NOT_AN_ORDER, error.to_string()).with("field", field),
        (None, None) => Problem::new(problem::NOT_AN_ORDER, error.to_string()),
    })
}

fn submit_problem(error: SubmitError) -> Problem {
    let words = error.to_string();
    match error {
        SubmitError::DifferentBody { .. } => Problem::new(problem::KEY_REUSED, words),
        // Whose order that is, and of which flow, is not for everybody to know.
        SubmitError::KeyTaken { .. } => Problem::new(
            problem::KEY_REUSED,
            "the key of this request stands for another order, which goes on unchanged; draw a key of its own for every order",
        ),
        SubmitError::Stopping => stopping(),
        SubmitError::Clock { why } => clock_problem(why),
        SubmitError::Store(error) => store_problem(&error),
        SubmitError::Id { .. } | SubmitError::Flow { .. } | SubmitError::Bodies { .. } | SubmitError::Redefined { .. } => {
            Problem::new(problem::BROKEN, words)
        }
        error => unforeseen(&error),
    }
}

/// An error that the engine has and this service does not know of: its words, and that the service cannot do it.
pub(crate) fn unforeseen(error: &dyn std::error::Error) -> Problem {
    Problem::new(problem::BROKEN, error.to_string())
}

/// The store did not do as asked, in the words of a caller.
pub(crate) fn store_problem(error: &StoreError) -> Problem {
    match error {
        StoreError::Unavailable(_) | StoreError::Conflict | StoreError::Gone { .. } => {
            Problem::new(problem::STORE, error.to_string()).retry_after_s(1)
        }
        StoreError::Newer { .. }
        | StoreError::NotOurs { .. }
        | StoreError::Backup { .. }
        | StoreError::Open { .. }
        | StoreError::Damaged { .. }
        | StoreError::Corrupt { .. } => Problem::new(problem::BROKEN, error.to_string()),
        error => unforeseen(error),
    }
}

/// What was asked for is not there, or was not done: in the words of a caller.
pub(crate) fn unmet<E>(unmet: Unmet<E>, in_words: impl FnOnce(E) -> Problem) -> Problem {
    match unmet {
        Unmet::NotOffered => Problem::new(problem::NOT_OFFERED, "what runs the sagas of this service does not offer this"),
        Unmet::Error(error) => in_words(error),
    }
}

/// The service's clock is too far from where it should be.
pub(crate) fn clock_problem(why: String) -> Problem {
    Problem::new(problem::CLOCK, why).retry_after_s(10)
}

/// The service is stopping.
pub(crate) fn stopping() -> Problem {
    Problem::new(problem::STOPPING, "the service was told to stop").retry_after_s(5)
}
