//! Tells by webhook what became of an act that was taken on: for tests and demonstrations of services that answer later.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use handfast::Time;
use handfast::journal::hex;
use handfast::participant::Secret;
use handfast::webhook::Scheme;
use handfast_http::client::HttpClient;
use handfast_participant::{Definite, Tell};
use hyper::header::HeaderName;
use hyper::{Method, Uri};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use handfast_machine::clock::now_ms;

/// So many times one is sent at most.
const TRIES: u32 = 20;
/// How long to wait before it is sent again; twice as long every time, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where webhooks go, and what they are signed with.
struct Listener {
    url: String,
    secret: Secret,
    client: HttpClient,
}

/// What tells everybody who listens at `url`, from inside a runtime.
///
/// # Errors
/// It is no URL of `http`, or the secret is none of Standard Webhooks.
pub(super) fn teller(url: &str, secret: &str) -> anyhow::Result<Tell> {
    let uri: Uri = url.parse().with_context(|| format!("--webhook {url} is no URL"))?;
    anyhow::ensure!(
        uri.scheme_str() == Some("http") && uri.host().is_some(),
        "--webhook {url}: webhooks go to services on plain http, as in http://127.0.0.1:7070/webhooks/payment"
    );
    let secret = Secret::new(secret);
    // What cannot be signed with is found out here, and not with the first act.
    Scheme::StandardWebhooks.sign(&secret, "", Time(0), b"").context("--webhook-secret")?;
    let (sender, news) = unbounded_channel::<(String, Definite)>();
    tokio::spawn(send_all(Arc::new(Listener { url: url.to_owned(), secret, client: HttpClient::new() }), news));
    Ok(Arc::new(move |key: &str, state| {
        // Whoever sends them ends with the process only.
        let _stopped = sender.send((key.to_owned(), state));
    }))
}

async fn send_all(listener: Arc<Listener>, mut news: UnboundedReceiver<(String, Definite)>) {
    while let Some((key, state)) = news.recv().await {
        let listener = Arc::clone(&listener);
        tokio::spawn(async move { listener.tell(&key, state).await });
    }
}

impl Listener {
    /// Sends one webhook until somebody takes it, or as often as it is sent at most.
    async fn tell(&self, key: &str, state: Definite) {
        let data = json!({ "key": key, "state": state.name() });
        let body = Bytes::from(json!({ "type": format!("act.{}", state.name()), "data": data }).to_string());
        let id = hex(&Sha256::digest(&body)[..16]);
        let mut pause = FIRST_PAUSE;
        for _ in 0..TRIES {
            if matches!(self.send(&format!("msg_{id}"), &body).await, Ok(200..=299 | 410)) {
                return;
            }
            tokio::time::sleep(pause).await;
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    }

    async fn send(&self, id: &str, body: &Bytes) -> anyhow::Result<u16> {
        let signed = Scheme::StandardWebhooks.sign(&self.secret, id, Time(now_ms()), body)?;
        let headers: Vec<(HeaderName, &str)> =
            signed.iter().map(|(name, value)| (HeaderName::from_static(name), value.as_str())).collect();
        Ok(self.client.ask(Method::POST, &self.url, &headers, body.clone(), PATIENCE).await?.status)
    }
}
