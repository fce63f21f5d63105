//! How services are called over HTTP, whatever they speak: no redirects, no proxies, bounded answers, and *no answer* told
//! apart from *no connection*.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use handfast_protocol::Time;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Body, Request, Response};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;

use super::connect::Bounded;
use super::receipts::{MAX_ANSWER_BYTES, Received};
use super::{Heard, Reply};
use crate::clock::Clock;
use crate::store::BoxFuture;

/// The longest time for which a participant's wish to be left alone is obeyed without asking again.
const RETRY_AFTER_CAP: Duration = Duration::from_mins(5);

/// No compression.
const IDENTITY: &str = "identity";

/// How long a connection is silent before the system asks whether the other side is still there, how often, and how many times.
const KEEPALIVE: Duration = Duration::from_secs(15);
const KEEPALIVE_PROBES: u32 = 3;

/// Calls services over HTTP. Clones share their connections.
#[derive(Clone, Debug)]
pub(super) struct Client(Pool<Bounded<HttpsConnector<HttpConnector>>, Body>);

/// Why no client could be set up: the machine's list of authorities cannot be read.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct ClientError(#[from] rustls::Error);

/// A client for URLs of this scheme. Redirects are not followed and proxies from the environment are not used: both could
/// answer in the service's stead.
///
/// How it encrypts is its own matter. Nothing is made the default of the process, and no library that the program has besides
/// behaves otherwise because this one is linked.
pub(super) fn build(scheme: &str, connect_timeout: Duration) -> Result<Client, ClientError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    // Without TLS no certificate is checked, so a machine that has no list of authorities will do.
    let tls = if scheme == "http" {
        tls.with_root_certificates(RootCertStore::empty())
    } else {
        tls.dangerous().with_custom_certificate_verifier(Arc::new(Verifier::new(provider)?))
    };
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(connect_timeout));
    tcp.set_keepalive(Some(KEEPALIVE));
    tcp.set_keepalive_interval(Some(KEEPALIVE));
    tcp.set_keepalive_retries(Some(KEEPALIVE_PROBES));
    let connector = HttpsConnector::from((tcp, tls.with_no_client_auth()));
    let pool = Pool::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .timer(TokioTimer::new())
        // Shorter than most services keep one that is idle: a request on one that was just shut has no answer.
        .pool_idle_timeout(Duration::from_secs(20))
        .build(Bounded::new(connector, connect_timeout));
    Ok(Client(pool))
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) struct CallError {
    /// There was not even a connection.
    pub(super) is_connect: bool,
    pub(super) cause: Box<dyn Error + Send + Sync>,
}

impl From<hyper_util::client::legacy::Error> for CallError {
    fn from(error: hyper_util::client::legacy::Error) -> Self {
        Self { is_connect: error.is_connect(), cause: error.into() }
    }
}

impl From<reqwest::Error> for CallError {
    fn from(error: reqwest::Error) -> Self {
        Self { is_connect: false, cause: error.into() }
    }
}

/// Sends a request to a service and returns what came of it.
pub(super) trait Carrier: Send + Sync + 'static {
    fn carry(&self, request: Request) -> BoxFuture<'_, Result<Response, CallError>>;
}

impl Carrier for Client {
    fn carry(&self, request: Request) -> BoxFuture<'_, Result<Response, CallError>> {
        Box::pin(async move {
            let response = self.0.request(request.try_into()?).await?;
            Ok(response.map(Body::wrap).into())
        })
    }
}

/// An answer, read to its end.
pub(super) struct Answered {
    status: u16,
    headers: HeaderMap,
    /// `None` if it was longer than [`MAX_ANSWER_BYTES`].
    body: Option<Vec<u8>>,
    retry_after: Option<Duration>,
}

impl Answered {
    pub(super) const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    pub(super) fn received(&self) -> Received<'_> {
        Received { status: self.status, body: self.body.as_deref(), retry_after: self.retry_after }
    }
}

/// Sends a request and reads its answer, or says what came instead of one.
///
/// Whatever the request says, it asks for an answer that is not compressed: what is read is bounded by what comes over the
/// wire. Where one is compressed all the same, what it says is not known.
pub(super) async fn send(carrier: &dyn Carrier, mut request: Request, clock: &Clock) -> Result<Answered, Reply> {
    request.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static(IDENTITY));
    request.headers_mut().entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
    let mut response = carrier.carry(request).await.map_err(|error| not_answered(&error))?;
    let status = response.status().as_u16();
    let retry_after = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| retry_after(value, clock.wall()))
        .map(|wait| wait.min(RETRY_AFTER_CAP));
    if is_encoded(response.headers()) {
        let seen =
            format!("{status} with a Content-Encoding, though an answer without one was asked for (Accept-Encoding: {IDENTITY})");
        return Err(Reply::meaningless(status, seen, retry_after));
    }
    let headers = std::mem::take(response.headers_mut());
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(None) => return Ok(Answered { status, headers, body: Some(body), retry_after }),
            Ok(Some(chunk)) if body.len() + chunk.len() <= MAX_ANSWER_BYTES => body.extend_from_slice(&chunk),
            Ok(Some(_)) => return Ok(Answered { status, headers, body: None, retry_after }),
            // A service that sends half an answer is up.
            Err(error) => return Err(Reply::meaningless(status, format!("{status}, and {}", cause(&error)), retry_after)),
        }
    }
}

fn not_answered(error: &CallError) -> Reply {
    if let Some(why) = lacks_files(&*error.cause) {
        return Reply::not_sent(why);
    }
    let why = cause(&*error.cause);
    let (seen, heard) = if error.is_connect {
        (format!("no connection: {why}"), Heard::NoConnection)
    } else {
        (format!("no answer: {why}"), Heard::Nothing)
    };
    Reply::Unknown { seen, heard, retry_after: None }
}

/// Whether it was this process, or this machine, that may open no more files: then nothing was sent, and no service is silent.
fn lacks_files(error: &(dyn Error + 'static)) -> Option<String> {
    let lacks = [rustix::io::Errno::MFILE, rustix::io::Errno::NFILE].map(|error| Some(error.raw_os_error()));
    let mut next = Some(error);
    while let Some(error) = next {
        let system = error.downcast_ref::<std::io::Error>();
        if let Some(system) = system.filter(|system| system.raw_os_error().is_some() && lacks.contains(&system.raw_os_error())) {
            return Some(format!("this process may open no more files ({system}); raise its limit (ulimit -n)"));
        }
        next = error.source();
    }
    None
}

/// Says what went wrong at the root of it: what stands above that may name the URL, which may carry more than anybody should read.
fn cause(error: &(dyn Error + 'static)) -> String {
    let mut root: Option<&dyn Error> = None;
    let mut next = error.source();
    while let Some(source) = next {
        (root, next) = (Some(source), source.source());
    }
    root.map_or_else(|| "the request could not be sent".to_owned(), ToString::to_string)
}

/// Whether a body has to be decoded before it can be read. What such an answer says is not known.
#[must_use]
pub fn is_encoded(headers: &HeaderMap) -> bool {
    let plain = |value: &HeaderValue| value.is_empty() || value.as_bytes().eq_ignore_ascii_case(IDENTITY.as_bytes());
    !headers.get_all(CONTENT_ENCODING).iter().all(plain)
}

/// Reads a `Retry-After`: seconds, or a date (RFC 9110, 10.2.3). More seconds than can be counted are as many as can be.
fn retry_after(value: &str, now: Time) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    let date_ms = u64::try_from(date.as_millisecond()).unwrap_or(0);
    Some(Duration::from_millis(date_ms.saturating_sub(now.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = Time(784_111_777_000);
        assert_eq!(retry_after("120", now), Some(Duration::from_mins(2)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:47 GMT", now), Some(Duration::from_secs(10)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:27 GMT", now), Some(Duration::ZERO), "a date that has passed");
        assert_eq!(
            retry_after("999999999999999999999", now),
            Some(Duration::from_secs(u64::MAX)),
            "no number of seconds is too many"
        );
        assert_eq!(retry_after("soon", now), None);
        assert_eq!(retry_after("-1", now), None);
        assert_eq!(retry_after("", now), None);
    }

    #[derive(Debug, thiserror::Error)]
    #[error("tcp open error")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn a_process_that_may_open_no_more_files_has_sent_nothing() {
        let of = |error: rustix::io::Errno| Outer(std::io::Error::from_raw_os_error(error.raw_os_error()));
        assert!(lacks_files(&of(rustix::io::Errno::MFILE)).is_some_and(|why| why.contains("ulimit -n")));
        assert!(lacks_files(&of(rustix::io::Errno::NFILE)).is_some());
        assert_eq!(lacks_files(&of(rustix::io::Errno::CONNREFUSED)), None);
        assert_eq!(lacks_files(&Outer(std::io::Error::other("24"))), None);
    }

    #[test]
    fn a_body_that_has_to_be_decoded_is_noticed() {
        let encoded = |values: &[&'static str]| {
            is_encoded(&values.iter().map(|value| (CONTENT_ENCODING, HeaderValue::from_static(value))).collect())
        };
        assert!(!encoded(&[]) && !encoded(&["identity"]) && !encoded(&["Identity"]) && !encoded(&[""]));
        assert!(encoded(&["gzip"]) && encoded(&["identity", "br"]) && encoded(&["gzip, identity"]));
    }
}
