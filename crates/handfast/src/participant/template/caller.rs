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
use crate::participant::client::{self, Answered, Carrier, ClientError};
use crate::participant::{Delivery, LATE, Participant, Reply};
use crate::store::BoxFuture;

/// What a saga's requests say that is not of its order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct OfSaga {
    /// What was kept of its answers.
    pub(crate) kept: Kept,
    /// What was kept of answers about what is in effect with other values: it serves to undo that and to look at it.
    pub(crate) otherwise: Kept,
    /// What answers to undos have brought: it serves to look at them, and is never taken for what they undo.
    pub(crate) of_undos: Kept,
    /// When it was placed: the time of its first entry.
    pub(crate) placed_at: Time,
}

impl OfSaga {
    /// What a request may say of what was kept. What is in effect with other values is nothing that anything is built on, and
    /// what an undo has brought is about the undo.
    fn kept_for(&self, (operation, of_undo): (Operation, bool), step: &str) -> Result<Cow<'_, Kept>, String> {
        let values = |kept: &'_ Kept| kept.get(step).filter(|values| !values.is_empty()).cloned();
        let otherwise = match operation {
            Operation::Undo | Operation::Look => values(&self.otherwise),
            Operation::Act | Operation::Close => None,
        };
        let of_undo = values(&self.of_undos).filter(|_| of_undo);
        if otherwise.is_none() && of_undo.is_none() {
            return Ok(Cow::Borrowed(&self.kept));
        }
        let mut all = self.kept.clone();
        let known = all.entry(step.to_owned()).or_default();
        for (name, value) in otherwise.into_iter().flatten() {
            known.entry(name).or_insert(value);
        }
        for (name, value) in of_undo.into_iter().flatten() {
            // A flow file that keeps both under one name is refused; a flow of before may do so.
            if known.get(&name).is_some_and(|of_act| *of_act != value) {
                return Err(format!(
                    "the act and the undo of {step} have both kept a {name}, and which is meant cannot be known; give them two names \
                     in the flow file, and adopt it"
                ));
            }
            known.insert(name, value);
        }
        Ok(Cow::Owned(all))
    }

    /// Whether a look names something that only an answer to the undo of its step brings, and none has.
    fn lacks_of_undo(&self, templates: &HttpTemplates, call: &Call, step: &str) -> bool {
        let has = |name: &str| self.of_undos.get(step).is_some_and(|values| values.contains_key(name));
        templates.brought_by_undo(call, step).any(|name| !has(name))
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
    ) -> Result<Self, ClientError> {
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

    async fn ask(&self, delivery: &Delivery<'_>) -> Result<Reply, String> {
        let KeyParts { saga, .. } = KeyParts::of(delivery.key).ok_or(NO_KEY)?;
        let is_kept = |value: &Value| matches!(value, Value::Receipt { .. } | Value::Now { moment: Moment::Placed, .. });
        let needs_kept = |call: &Call| call.values().any(is_kept);
        let (look, plain) = self.calls_for(delivery);
        let of_saga =
            if look.into_iter().chain(plain).any(needs_kept) { self.receipts.of(saga).await? } else { OfSaga::default() };
        let Asked { reply, answer } = self.ask_with(delivery, &of_saga).await?;
        let body = answer.as_ref().and_then(|answer| answer.received().body);
        Ok(reply.with_excerpt(body, &self.secrets))
    }

    /// The look at an undo, where that is what is asked for and the service has one of its own, and the call of the operation.
    fn calls_for(&self, delivery: &Delivery<'_>) -> (Option<&Call>, Option<&Call>) {
        let is_about_undo = delivery.is_about_undo && delivery.operation == Operation::Look;
        (self.templates.undo_peek().filter(|_| is_about_undo), self.templates.call(delivery.operation))
    }

    /// The one call that is made, and whether it is the look at an undo, chosen by what is kept and by nothing else: what the one
    /// says is no answer to the other. Of an undo of which no answer has brought anything the thing itself is looked at.
    fn chosen(&self, delivery: &Delivery<'_>, step: &str, of_saga: &OfSaga) -> Result<(&Call, bool), String> {
        match self.calls_for(delivery) {
            (Some(look), plain) if plain.is_none() || !of_saga.lacks_of_undo(&self.templates, look, step) => Ok((look, true)),
            (_, Some(plain)) => Ok((plain, false)),
            (_, None) => Err(format!("the flow has no template for {}", operation_key(delivery.operation))),
        }
    }

    /// Asks with what is kept of the saga. The error is why the request was not sent.
    pub(super) async fn ask_with(&self, delivery: &Delivery<'_>, of_saga: &OfSaga) -> Result<Asked, String> {
        let KeyParts { saga, step, .. } = KeyParts::of(delivery.key).ok_or(NO_KEY)?;
        let input: Json = serde_json::from_slice(delivery.body).map_err(|_| "the body of its step is not JSON")?;
        let (call, of_undo) = self.chosen(delivery, step, of_saga)?;
        let (kept, placed_at) = (&*of_saga.kept_for((delivery.operation, of_undo), step)?, of_saga.placed_at);
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
        Box::pin(async move { self.ask(&request).await.unwrap_or_else(Reply::not_sent) })
    }
}
