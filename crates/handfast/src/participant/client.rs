//! How services are called over HTTP, whatever they speak: no redirects, no proxies, bounded answers, and *no answer* told
//! apart from *no connection*.

use std::time::Duration;

use handfast_protocol::Time;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Request, Response};

use super::receipts::{MAX_ANSWER_BYTES, Received};
use super::{Heard, Reply};
use crate::clock::Clock;
use crate::store::BoxFuture;

/// The longest time for which a participant's wish to be left alone is obeyed without asking again.
const RETRY_AFTER_CAP: Duration = Duration::from_mins(5);

/// No compression.
const IDENTITY: &str = "identity";

/// A client for URLs of this scheme. Redirects are not followed and proxies from the environment are not used: both could
/// answer in the service's stead.
pub(super) fn build(scheme: &str, connect_timeout: Duration) -> Result<Client, reqwest::Error> {
    // Another part of the process may have installed a provider already; any one does.
    let _installed_before = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder();
    // Without TLS nobody's certificate is looked at, so a machine that has no list of authorities will do.
    let client = if scheme == "http" { client.tls_certs_only([]) } else { client };
    client
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .tcp_nodelay(true)
        .connect_timeout(connect_timeout)
        // Shorter than most services keep one that is idle: a request on one that was just shut has no answer.
        .pool_idle_timeout(Duration::from_secs(20))
        .http1_only()
        .build()
}

/// Whoever takes a request to a service and brings back what came of it.
pub(super) trait Carrier: Send + Sync + 'static {
    fn carry(&self, request: Request) -> BoxFuture<'_, Result<Response, reqwest::Error>>;
}

impl Carrier for Client {
    fn carry(&self, request: Request) -> BoxFuture<'_, Result<Response, reqwest::Error>> {
        Box::pin(self.execute(request))
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
            // Whoever sends half an answer is there.
            Err(error) => return Err(Reply::meaningless(status, format!("{status}, and {}", cause(&error)), retry_after)),
        }
    }
}

fn not_answered(error: &reqwest::Error) -> Reply {
    if let Some(why) = lacks_files(error) {
        return Reply::not_sent(why);
    }
    let (seen, heard) = if error.is_connect() {
        (format!("no connection: {}", cause(error)), Heard::NoConnection)
    } else {
        (format!("no answer: {}", cause(error)), Heard::Nothing)
    };
    Reply::Unknown { seen, heard, retry_after: None }
}

/// Whether it was this process, or this machine, that may open no more files: then nobody was asked, and nobody is silent.
fn lacks_files(error: &(dyn std::error::Error + 'static)) -> Option<String> {
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

/// Says what went wrong without the URL, which may carry more than anybody should read.
fn cause(error: &reqwest::Error) -> String {
    let mut root: Option<&dyn std::error::Error> = None;
    let mut next = std::error::Error::source(error);
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
    fn who_may_open_no_more_files_has_asked_nobody() {
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
