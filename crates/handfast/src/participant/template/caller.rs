//! A service that is called by templates: a participant like any other.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use handfast_protocol::{Operation, Time};
use serde_json::Value as Json;

use super::fill::{Kept, Values};
use super::secret::Secrets;
use super::text::{Moment, Value};
use super::{Call, HttpTemplates, operation_key};
use crate::clock::Clock;
use crate::key::KeyParts;
use crate::participant::cleaned::cleaned_seen;
use crate::participant::client::{self, Answered, Carrier};
use crate::participant::{Delivery, LATE, Participant, Reply};
use crate::store::BoxFuture;

/// What a saga's requests say that is not of its order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct OfSaga {
    /// What was kept of its answers.
    pub(crate) kept: Kept,
    /// What was kept of answers about what is in effect with other values: it serves to undo that and to look at it.
    pub(crate) otherwise: Kept,
    /// When it was placed: the time of its first entry.
    pub(crate) placed_at: Time,
}

impl OfSaga {
    /// What a request may say of what was kept. What is in effect with other values is nothing that anything is built on.
    fn kept_for(&self, operation: Operation, step: &str) -> Cow<'_, Kept> {
        let otherwise = match operation {
            Operation::Undo | Operation::Look => self.otherwise.get(step).filter(|values| !values.is_empty()),
            Operation::Act | Operation::Close => None,
        };
        let Some(otherwise) = otherwise else { return Cow::Borrowed(&self.kept) };
        let mut all = self.kept.clone();
        let known = all.entry(step.to_owned()).or_default();
        for (name, value) in otherwise {
            known.entry(name.clone()).or_insert_with(|| value.clone());
        }
        Cow::Owned(all)
    }
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
    carrier: Box<dyn Carrier>,
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
        let uses_tls = templates.every_call().any(|(_, _, call)| call.origin().starts_with("https"));
        let client = client::build(if uses_tls { "https" } else { "http" }, connect_timeout)?;
        Ok(Self { templates, secrets, receipts, carrier: Box::new(client), clock })
    }

    /// The same service over another road.
    #[cfg(test)]
    pub(super) fn over(
        carrier: impl Carrier,
        (templates, secrets): (Arc<HttpTemplates>, Secrets),
        receipts: Arc<dyn KeptReceipts>,
        clock: Clock,
    ) -> Self {
        Self { templates, secrets, receipts, carrier: Box::new(carrier), clock }
    }

    #[cfg(test)]
    pub(super) const fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    pub(super) fn call(&self, operation: Operation) -> Option<&Call> {
        self.templates.call(operation)
    }

    async fn ask(&self, call: &Call, delivery: &Delivery<'_>) -> Result<Reply, String> {
        let KeyParts { saga, .. } = KeyParts::of(delivery.key).ok_or(NO_KEY)?;
        let is_kept = |value: &Value| matches!(value, Value::Receipt { .. } | Value::Now { moment: Moment::Placed, .. });
        let needs_kept = call.gaps().map(|(value, _)| value).chain(call.compared()).any(is_kept);
        let of_saga = if needs_kept { self.receipts.of(saga).await? } else { OfSaga::default() };
        let Asked { reply, answer } = self.ask_with(call, delivery, &of_saga).await?;
        let body = answer.as_ref().and_then(|answer| answer.received().body);
        Ok(reply.with_excerpt(body, &self.secrets))
    }

    /// Asks with what is kept of the saga. The error is why the request was not sent.
    pub(super) async fn ask_with(&self, call: &Call, delivery: &Delivery<'_>, of_saga: &OfSaga) -> Result<Asked, String> {
        let KeyParts { saga, step, .. } = KeyParts::of(delivery.key).ok_or(NO_KEY)?;
        let input: Json = serde_json::from_slice(delivery.body).map_err(|_| "the body of its step is not JSON")?;
        let (kept, placed_at) = (&of_saga.kept_for(delivery.operation, step), of_saga.placed_at);
        let (key, secrets, now) = (delivery.key, &self.secrets, self.clock.now());
        let values = Values { key, saga, step, input: &input, kept, placed_at, now, secrets };
        let request = call.request(&|value| values.of(value))?;
        // An answer that could not be compared would be asked for in vain.
        call.compared().try_for_each(|value| values.of(value).map(drop))?;
        // Looked at last: to read what was kept takes a while where the store is slow. The service cannot be told, so what would
        // come too late does not leave.
        let wall = self.clock.wall();
        let is_ended = delivery.operation == Operation::Act && delivery.not_after.is_some_and(|not_after| not_after < wall);
        if is_ended || delivery.is_late(self.clock.steady()) {
            return Err(LATE.to_owned());
        }
        Ok(match client::send(&*self.carrier, request, &self.clock).await {
            Ok(answer) => {
                let of = |value: &Value| values.of(value);
                let reply = call.reading.read(answer.received(), answer.headers(), &of, &self.secrets);
                Asked { reply, answer: Some(answer) }
            }
            Err(reply) => Asked { reply, answer: None },
        })
    }

    /// The beginning of an answer's body as a person may see it.
    pub(super) fn excerpt_of(&self, answer: &Answered) -> String {
        let body = String::from_utf8_lossy(answer.received().body.unwrap_or_default()).into_owned();
        if self.secrets.are_in(&body) { "an answer that repeats a secret".to_owned() } else { cleaned_seen(&body) }
    }
}

const NO_KEY: &str = "its key names no saga and step";

/// What was asked, read, and as it came.
pub(super) struct Asked {
    pub(super) reply: Reply,
    /// Where there was a whole answer.
    pub(super) answer: Option<Answered>,
}

impl Participant for TemplateParticipant {
    fn deliver<'a>(&'a self, request: Delivery<'a>) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            // A look at an undo of which no answer has brought anything yet may have to go by the key.
            let of_undo = self.templates.undo_peek().filter(|_| request.is_about_undo);
            let asked = match of_undo {
                Some(call) => Some(self.ask(call, &request).await),
                None => None,
            };
            let call = self.templates.call(request.operation);
            match (asked, call) {
                (Some(Ok(reply)), _) => reply,
                (Some(Err(_)) | None, Some(call)) => self.ask(call, &request).await.unwrap_or_else(Reply::not_sent),
                (Some(Err(why)), None) => Reply::not_sent(why),
                (None, None) => {
                    Reply::not_sent(format_args!("the flow has no template for {}", operation_key(request.operation)))
                }
            }
        })
    }
}
