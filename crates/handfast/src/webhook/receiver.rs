//! Takes the webhooks of one step: checks each, drops what was taken before, and hands on the name of a saga.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use handfast_machine::locked;
use handfast_protocol::Time;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::recent::Recent;
use super::scheme::{MessageId, NotSigned, SigningKey, UnusableSecret};
use super::{Names, Scheme, Webhook};
use crate::key::KeyParts;
use crate::participant::Secret;
use crate::{Engine, HintResult};

/// What became of a webhook that is signed with the secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Reception {
    /// It was taken as a hint.
    Taken,
    /// It was taken before, and nothing comes of it.
    Repeated,
    /// It names no saga of this store at this step, as the other events of a service do, and nothing comes of it.
    NoneOfOurs,
}

/// Why a webhook was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotReceived {
    /// It is not proven that a holder of the secret has sent it.
    #[error("the webhook is not signed: {0}")]
    NotSigned(#[from] NotSigned),
    /// It is signed, and cannot be read.
    #[error("the webhook is not JSON; its step's participant signs something else")]
    NotJson,
    /// There is no room for further hints; it can be sent again.
    #[error("too many sagas wait to act on a hint; send the webhook again later")]
    Busy,
    /// The engine is stopping; it can be sent again.
    #[error("the engine is stopping; send the webhook again later")]
    Stopping,
}

/// How many webhooks of a step came, and what became of them, since the receiver was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct WebhookStats {
    /// Taken as hints.
    pub taken: u64,
    /// Taken before.
    pub repeated: u64,
    /// Signed, and about nothing of this step.
    pub none_of_ours: u64,
    /// Not signed, or not to be read.
    pub refused: u64,
}

/// Takes the webhooks of one step.
pub struct WebhookReceiver {
    step: String,
    /// The flow whose sagas it is about, where it is about those of one.
    flow: Option<String>,
    webhook: Webhook,
    key: SigningKey,
    recent: Mutex<Recent>,
    taken: AtomicU64,
    repeated: AtomicU64,
    none_of_ours: AtomicU64,
    refused: AtomicU64,
}

/// Takes hints that there may be news of a step, and tells the time by which webhooks are lately signed or not.
pub trait Hinted: Sync {
    /// The time by the wall clock.
    fn wall_clock(&self) -> Time;
    /// Takes a hint for a step of a saga, as [`Engine::hint`] does.
    fn hint(&self, saga: &str, step: &str) -> HintResult;
    /// The same for the saga and the step that a key is of.
    fn hint_by_key(&self, key: &str) -> HintResult;
    /// Whether this is the id of the store whose sagas are hinted at.
    fn is_own(&self, _store: &str) -> bool {
        true
    }
    /// Takes a hint for a step of a saga of this flow, as [`Engine::hint_of_flow`] does.
    fn hint_of_flow(&self, _flow: &str, saga: &str, step: &str) -> HintResult {
        self.hint(saga, step)
    }
}

impl Hinted for Engine {
    fn wall_clock(&self) -> Time {
        self.now()
    }

    fn hint(&self, saga: &str, step: &str) -> HintResult {
        self.hint(saga, step)
    }

    fn hint_by_key(&self, key: &str) -> HintResult {
        self.hint_by_key(key)
    }

    fn is_own(&self, store: &str) -> bool {
        self.is_of_store(store)
    }

    fn hint_of_flow(&self, flow: &str, saga: &str, step: &str) -> HintResult {
        self.hint_of_flow(flow, saga, step)
    }
}

impl WebhookReceiver {
    pub(super) fn new(step: String, webhook: Webhook, secret: &Secret) -> Result<Self, UnusableSecret> {
        let key = SigningKey::new(webhook.scheme, secret)?;
        let none = AtomicU64::default;
        let (taken, repeated, none_of_ours, refused) = (none(), none(), none(), none());
        Ok(Self { step, flow: None, webhook, key, recent: Mutex::default(), taken, repeated, none_of_ours, refused })
    }

    /// The same, about the sagas of this flow alone: the steps of others may have the same name.
    #[must_use]
    pub fn of_flow(self, flow: impl Into<String>) -> Self {
        Self { flow: Some(flow.into()), ..self }
    }

    /// Says before its body is there whether a webhook can be one of this step: its headers are those of the scheme, and it was
    /// signed lately. Most of what strangers send is found out by this, and their bodies need not be read.
    ///
    /// # Errors
    /// It cannot.
    pub fn check_headers<'h>(
        &self,
        hinted: &(impl Hinted + ?Sized),
        header: impl Fn(&str) -> Option<&'h str>,
    ) -> Result<(), NotReceived> {
        self.key.check_headers(header, hinted.wall_clock(), self.webhook.tolerance).map_err(|error| {
            self.refused.fetch_add(1, Ordering::Relaxed);
            error.into()
        })
    }

    /// Takes a webhook, by its headers (of one that is there more than once the first) and its body, byte for byte as it
    /// came. Nothing is waited for.
    ///
    /// # Errors
    /// It is not signed by the secret of this step, or cannot be acted on now.
    pub fn receive<'h>(
        &self,
        hinted: &(impl Hinted + ?Sized),
        header: impl Fn(&str) -> Option<&'h str>,
        body: &[u8],
    ) -> Result<Reception, NotReceived> {
        let received = self.try_receive(hinted, header, body);
        let counter = match received {
            Ok(Reception::Taken) => &self.taken,
            Ok(Reception::Repeated) => &self.repeated,
            Ok(Reception::NoneOfOurs) => &self.none_of_ours,
            Err(NotReceived::NotSigned(_) | NotReceived::NotJson) => &self.refused,
            Err(NotReceived::Busy | NotReceived::Stopping) => return received,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        received
    }

    fn try_receive<'h>(
        &self,
        hinted: &(impl Hinted + ?Sized),
        header: impl Fn(&str) -> Option<&'h str>,
        body: &[u8],
    ) -> Result<Reception, NotReceived> {
        let id = self.key.check(header, body, hinted.wall_clock(), self.webhook.tolerance)?;
        let body: Value = serde_json::from_slice(body).map_err(|_| NotReceived::NotJson)?;
        let id = self.id_of(id, &body);
        let Some(name) = body.pointer(&self.webhook.place).and_then(name_in) else { return Ok(Reception::NoneOfOurs) };
        if !self.recent().note(id) {
            return Ok(Reception::Repeated);
        }
        let result = match self.webhook.names {
            Names::Saga => self.hint(hinted, &name),
            // A service is heard about its own step only, whatever it signs.
            Names::Key => self.hint_by_key(hinted, &name),
        };
        match result {
            HintResult::Taken => Ok(Reception::Taken),
            HintResult::NotOurs => Ok(Reception::NoneOfOurs),
            HintResult::Busy => {
                self.recent().forget(&id);
                Err(NotReceived::Busy)
            }
            HintResult::Stopping => {
                self.recent().forget(&id);
                Err(NotReceived::Stopping)
            }
        }
    }

    fn hint(&self, hinted: &(impl Hinted + ?Sized), saga: &str) -> HintResult {
        match &self.flow {
            Some(flow) => hinted.hint_of_flow(flow, saga, &self.step),
            None => hinted.hint(saga, &self.step),
        }
    }

    fn hint_by_key(&self, hinted: &(impl Hinted + ?Sized), key: &str) -> HintResult {
        match (KeyParts::of(key).filter(|parts| parts.step == self.step), &self.flow) {
            (None, _) => HintResult::NotOurs,
            (Some(_), None) => hinted.hint_by_key(key),
            (Some(parts), Some(flow)) if hinted.is_own(parts.store) => hinted.hint_of_flow(flow, parts.saga, parts.step),
            (Some(_), Some(_)) => HintResult::NotOurs,
        }
    }

    /// Stripe's events have their ids in their bodies, and a new signature whenever they are sent again.
    fn id_of(&self, signed: MessageId, body: &Value) -> MessageId {
        match self.webhook.scheme {
            Scheme::StandardWebhooks => signed,
            Scheme::Stripe => body["id"].as_str().map_or(signed, |id| Sha256::digest(id).into()),
        }
    }

    /// What became of the webhooks so far.
    #[must_use]
    pub fn stats(&self) -> WebhookStats {
        let [taken, repeated, none_of_ours, refused] =
            [&self.taken, &self.repeated, &self.none_of_ours, &self.refused].map(|counter| counter.load(Ordering::Relaxed));
        WebhookStats { taken, repeated, none_of_ours, refused }
    }

    /// Nothing panics while it holds this lock, so a poisoned one holds a sound value.
    fn recent(&self) -> std::sync::MutexGuard<'_, Recent> {
        locked(&self.recent)
    }
}

/// A name at its place: text, or a number where a service made one of it.
fn name_in(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => number.as_u64().map(|number| number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

impl fmt::Debug for WebhookReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stats = self.stats();
        f.debug_struct("WebhookReceiver").field("step", &self.step).field("stats", &stats).finish_non_exhaustive()
    }
}
