//! A plain HTTP client for this machine's own services: one call, one answer, no retries, no redirects.

use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde_json::Value;

/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: usize = 8 * 1024 * 1024;

/// Connections to plain `http` URLs, kept open between requests.
pub(crate) type Pool = Client<HttpConnector, Full<Bytes>>;

/// A pool whose connections are given up when they are not there after so long.
pub(crate) fn pool(connect_timeout: Duration) -> Pool {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(connect_timeout));
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(Duration::from_secs(20))
        .pool_max_idle_per_host(64)
        .build(connector)
}

/// Keeps connections open between calls. A clone shares them.
#[derive(Clone, Debug)]
pub(crate) struct HttpClient(Pool);

/// An answer that came back whole.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

impl Answer {
    /// A text member of an answer that is a JSON object.
    pub(crate) fn text(&self, member: &str) -> Option<String> {
        let value: Value = serde_json::from_slice(&self.body).ok()?;
        value.get(member)?.as_str().map(str::to_owned)
    }
}

impl HttpClient {
    pub(crate) fn new() -> Self {
        Self(pool(Duration::from_secs(2)))
    }

    /// Sends one request. A body is JSON, unless a header says otherwise: no header is sent twice.
    ///
    /// # Errors
    /// Whatever kept a whole answer from coming back in time. The request may have arrived all the same.
    pub(crate) async fn ask(
        &self,
        method: Method,
        url: &str,
        headers: &[(HeaderName, &str)],
        body: Bytes,
        timeout: Duration,
    ) -> anyhow::Result<Answer> {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(name, HeaderValue::from_str(value)?);
        }
        let is_said = headers.iter().any(|(name, _)| *name == CONTENT_TYPE);
        if !body.is_empty() && !is_said {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let request = request.body(Full::new(body)).with_context(|| format!("cannot ask {url}"))?;
        let asked = async {
            let (parts, body) = self.0.request(request).await?.into_parts();
            let body = Limited::new(body, LONGEST_ANSWER).collect().await.map_err(anyhow::Error::from_boxed)?.to_bytes();
            anyhow::Ok(Answer { status: parts.status.as_u16(), body })
        };
        tokio::time::timeout(timeout, asked).await?.with_context(|| format!("no answer from {url}"))
    }
}
