//! Webhooks that come in: a service says that there may be news of a step. Each is a hint to ask
//! ([`Engine::hint`](crate::Engine::hint)), and nothing more.
//!
//! A webhook is checked, not believed: who did not sign it gets nothing moved, and of who did nothing is taken over but the
//! name of a saga. So a webhook may be late, doubled, out of order or plainly wrong about what has happened; what counts is
//! the answer of the participant that is asked then.
//!
//! ```text
//!   headers, body --signed by the step's secret, and lately--> id --not taken before--> key or saga in the body --> hint
//! ```
//!
//! `docs/flow.md` describes `[step.http.webhook]` for those who write flow files, and `docs/serve.md` where webhooks are sent
//! to. A program that has the engine inside makes a [`WebhookReceiver`] and hands it what arrives:
//!
//! ```
//! use handfast::participant::Secret;
//! use handfast::webhook::{Names, Reception, Scheme, Webhook};
//! # use handfast::{Engine, Flow, participant::InMemory, store::MemoryStore};
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! # let flow = Flow::builder("shop").compensatable("payment", "bank").build()?;
//! # let store = std::sync::Arc::new(MemoryStore::new());
//! # let engine = Engine::builder(store).flow(flow).participant("bank", InMemory::new(|_, _| true)).open().await?;
//! let webhook = Webhook::new(Scheme::StandardWebhooks, Names::Saga, "/data/order", "PAYMENT_WEBHOOK");
//! let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
//! let receiver = webhook.receiver("payment", &secret)?;
//! let body = br#"{"type": "charge.done", "data": {"order": "order-1"}}"#;
//! let headers = Scheme::StandardWebhooks.sign(&secret, "msg_1", engine.now(), body)?;
//! let header = |name: &str| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
//! assert_eq!(receiver.receive(&engine, header, body)?, Reception::Taken);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod receiver;
mod recent;
mod scheme;

#[cfg(test)]
mod tests;

use std::time::Duration;

pub use receiver::{Hinted, NotReceived, Reception, WebhookReceiver, WebhookStats};
pub use scheme::{NotSigned, Scheme, UnusableSecret};

/// How late a webhook may arrive after it was signed, where the flow does not say otherwise.
pub const TOLERANCE: Duration = Duration::from_mins(5);

/// What the place in a webhook's body names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Names {
    /// The key that the participant was called with.
    Key,
    /// The saga.
    Saga,
}

/// How the webhooks of a step's participant are read, as a flow file says it. No part of a flow: a saga keeps nothing of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Webhook {
    /// How they are signed.
    pub scheme: Scheme,
    /// What they name.
    pub names: Names,
    /// Where in the body that stands, as a JSON pointer (RFC 6901).
    pub place: String,
    /// How far the time at which one was signed may be from now.
    pub tolerance: Duration,
    /// The name of the secret that they are signed with.
    pub secret: String,
}

impl Webhook {
    /// Webhooks that may be as late as [`TOLERANCE`].
    #[must_use]
    pub fn new(scheme: Scheme, names: Names, place: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { scheme, names, place: place.into(), tolerance: TOLERANCE, secret: secret.into() }
    }

    /// The receiver of this step's webhooks.
    ///
    /// # Errors
    /// The secret is none of this scheme.
    pub fn receiver(
        &self,
        step: impl Into<String>,
        secret: &crate::participant::Secret,
    ) -> Result<WebhookReceiver, UnusableSecret> {
        WebhookReceiver::new(step.into(), self.clone(), secret)
    }
}
