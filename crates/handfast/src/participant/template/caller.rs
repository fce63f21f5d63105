//! A service that is called by templates: a participant like any other.

use std::sync::Arc;
use std::time::Duration;

use handfast_protocol::{Operation, Time};
use reqwest::Client;
use serde_json::Value as Json;

use super::fill::{Kept, Values};
use super::secret::Secrets;
use super::text::{Moment, Value};
use super::{Call, HttpTemplates, operation_key};
use crate::clock::Clock;
use crate::key::KeyParts;
use crate::participant::{Delivery, Participant, Reply, client};
use crate::store::BoxFuture;

/// What a saga's requests say that is not of its order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct OfSaga {
    /// What was kept of its answers.
    pub(crate) kept: Kept,
    /// When it was placed: the time of its first entry.
    pub(crate) placed_at: Time,
}

/// Where the kept values of answers are read from.
pub(crate) trait KeptReceipts: Send + Sync + 'static {
    /// What is kept of a saga, or why it cannot be had now.
    fn of<'a>(&'a self, saga: &'a str) -> BoxFuture<'a, Result<OfSaga, String>>;
}

/// A service behind templates.
pub(crate) struct TemplateParticipant {
    templates: Arc<HttpTemplates>,
    secrets: Secrets,
    receipts: Arc<dyn KeptReceipts>,
    client: Client,
    clock: Clock,
}

impl TemplateParticipant {
    pub(crate) fn new(
        templates: Arc<HttpTemplates>,
        secrets: Secrets,
        receipts: Arc<dyn KeptReceipts>,
        connect_timeout: Duration,
        clock: Clock,
    ) -> Result<Self, reqwest::Error> {
        // Every operation may be somewhere else, so the client has to know authorities as soon as one of them uses TLS.
        let uses_tls = templates.calls().any(|(_, call)| call.origin().starts_with("https"));
        let client = client::build(if uses_tls { "https" } else { "http" }, connect_timeout)?;
        Ok(Self { templates, secrets, receipts, client, clock })
    }

    #[cfg(test)]
    pub(super) const fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    async fn ask(&self, call: &Call, delivery: &Delivery<'_>) -> Result<Reply, String> {
        let KeyParts { saga, step, .. } = KeyParts::of(delivery.key).ok_or("its key names no saga and step")?;
        let is_kept = |value: &Value| matches!(value, Value::Receipt { .. } | Value::Now { moment: Moment::Placed, .. });
        let needs_kept = call.gaps().map(|(value, _)| value).chain(call.compared()).any(is_kept);
        let OfSaga { kept, placed_at } = if needs_kept { self.receipts.of(saga).await? } else { OfSaga::default() };
        let input: Json = serde_json::from_slice(delivery.body).map_err(|_| "the body of its step is not JSON")?;
        let now = self.clock.now();
        let (key, secrets) = (delivery.key, &self.secrets);
        let values = Values { key, saga, step, input: &input, kept: &kept, placed_at, now, secrets };
        let request = call.request(&|value| values.of(value))?;
        // An answer that could not be compared would be asked for in vain.
        call.compared().try_for_each(|value| values.of(value).map(drop))?;
        // Looked at last: to read what was kept takes a while where the store is slow. The service cannot be told, so what would
        // come too late does not leave.
        let wall = self.clock.wall();
        let is_ended = delivery.operation == Operation::Act && delivery.not_after.is_some_and(|not_after| not_after < wall);
        if is_ended || delivery.is_late(self.clock.steady()) {
            return Err("its time is over".to_owned());
        }
        let answer = client::send(&self.client, request, &self.clock).await;
        Ok(answer.map_or_else(
            |reply| reply,
            |answer| call.reading.read(answer.received(), answer.headers(), &|value| values.of(value), &self.secrets),
        ))
    }
}

impl Participant for TemplateParticipant {
    fn deliver<'a>(&'a self, request: Delivery<'a>) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            let Some(call) = self.templates.call(request.operation) else {
                return Reply::not_sent(format_args!("the flow has no template for {}", operation_key(request.operation)));
            };
            self.ask(call, &request).await.unwrap_or_else(Reply::not_sent)
        })
    }
}
