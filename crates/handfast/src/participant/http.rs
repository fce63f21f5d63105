//! Participants over HTTP, by the contract: `PUT {base}/{key}` acts, `GET {base}/{key}` looks, `POST {base}/{key}/close` closes,
//! `DELETE {base}/{key}` undoes.

use std::time::Duration;

use handfast_protocol::{Operation, Time};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Method, Request, Response, Url};

use super::receipts::{MAX_ANSWER_BYTES, Received, read_answer};
use super::{Delivery, Participant, Reply};
use crate::clock::Clock;
use crate::store::BoxFuture;

/// The longest time for which a participant's wish to be left alone is obeyed without asking again.
const RETRY_AFTER_CAP: Duration = Duration::from_mins(5);

/// A service that speaks the contract.
///
/// Redirects are not followed and proxies from the environment are not used: both could answer in the service's stead.
#[derive(Clone, Debug)]
pub struct HttpParticipant {
    base: Url,
    client: Client,
    clock: Clock,
}

/// Why a service cannot be reached this way at all.
#[derive(Debug, thiserror::Error)]
pub enum HttpParticipantError {
    /// The base URL is none.
    #[error("{url:?} cannot be a participant's base URL: {why}; give one like http://127.0.0.1:7001/keys")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The client could not be set up.
    #[error("the HTTP client cannot be set up: {0}")]
    Client(#[from] reqwest::Error),
}

impl HttpParticipant {
    /// The service whose keys are below `base`.
    ///
    /// # Errors
    /// The URL is not an absolute `http` or `https` URL without query and fragment.
    pub fn new(base: &str, connect_timeout: Duration, clock: Clock) -> Result<Self, HttpParticipantError> {
        let refuse = |why: &str| HttpParticipantError::Url { url: base.to_owned(), why: why.to_owned() };
        let url = Url::parse(base.trim_end_matches('/')).map_err(|error| refuse(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(refuse("it is neither http nor https"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refuse("a query or fragment has no place in it"));
        }
        // Another part of the process may have installed a provider already; any one does.
        let _installed_before = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder();
        // Without TLS nobody's certificate is looked at, so a machine that has no list of authorities will do.
        let client = if url.scheme() == "http" { client.tls_certs_only([]) } else { client };
        let client = client
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .tcp_nodelay(true)
            .connect_timeout(connect_timeout)
            .pool_idle_timeout(Duration::from_mins(1))
            .http1_only()
            .build()?;
        Ok(Self { base: url, client, clock })
    }

    fn request(&self, delivery: &Delivery<'_>) -> Request {
        let (method, suffix) = match delivery.operation {
            Operation::Act => (Method::PUT, ""),
            Operation::Look => (Method::GET, ""),
            Operation::Close => (Method::POST, "/close"),
            Operation::Undo => (Method::DELETE, ""),
        };
        let mut url = self.base.clone();
        url.set_path(&format!("{}/{}{suffix}", self.base.path().trim_end_matches('/'), delivery.key));
        let mut request = Request::new(method, url);
        let headers = request.headers_mut();
        headers.insert("handfast-try", HeaderValue::from(delivery.number));
        if let Some(seen) = delivery.seen {
            insert(headers, "handfast-seen", &format!("{}:{}", seen.incarnation, seen.seq));
        }
        if delivery.operation == Operation::Act {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            if let Some(Time(not_after_ms)) = delivery.not_after {
                headers.insert("handfast-not-after", HeaderValue::from(not_after_ms));
            }
            *request.body_mut() = Some(delivery.body.clone().into());
        } else if delivery.operation != Operation::Look {
            insert(headers, "handfast-body", delivery.body_hash);
        }
        request
    }

    async fn read(&self, delivery: &Delivery<'_>, mut response: Response) -> Reply {
        let status = response.status().as_u16();
        let retry_after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| retry_after(value, self.clock.now()))
            .map(|wait| wait.min(RETRY_AFTER_CAP));
        let mut body = Vec::new();
        let mut fits = true;
        loop {
            match response.chunk().await {
                Ok(None) => break,
                Ok(Some(chunk)) if body.len() + chunk.len() <= MAX_ANSWER_BYTES => body.extend_from_slice(&chunk),
                Ok(Some(_)) => {
                    fits = false;
                    break;
                }
                Err(error) => return not_answered(&error),
            }
        }
        read_answer(delivery, Received { status, body: fits.then_some(&body), retry_after })
    }
}

impl Participant for HttpParticipant {
    fn deliver<'a>(&'a self, request: Delivery<'a>) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            match self.client.execute(self.request(&request)).await {
                Ok(response) => self.read(&request, response).await,
                Err(error) => not_answered(&error),
            }
        })
    }
}

fn insert(headers: &mut HeaderMap, name: &'static str, value: &str) {
    // An incarnation that no header can carry cannot have come from a service that reads it from one.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn not_answered(error: &reqwest::Error) -> Reply {
    let mut root: &dyn std::error::Error = error;
    while let Some(source) = root.source() {
        root = source;
    }
    let sent = !error.is_connect();
    let seen = if sent { format!("no answer: {root}") } else { format!("no connection: {root}") };
    Reply::Unknown { seen, retry_after: None, sent }
}

/// Reads a `Retry-After`: seconds, or a date (RFC 9110, 10.2.3).
fn retry_after(value: &str, now: Time) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
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
        assert_eq!(retry_after("soon", now), None);
        assert_eq!(retry_after("-1", now), None);
        assert_eq!(retry_after("", now), None);
    }

    #[test]
    fn only_a_url_that_keys_can_follow_is_a_base() {
        for wrong in ["payments", "ftp://x/y", "http://x/y?z=1", "http://x/#y", ""] {
            let error = HttpParticipant::new(wrong, Duration::from_secs(1), Clock::system()).unwrap_err();
            assert!(matches!(error, HttpParticipantError::Url { .. }), "{wrong:?} {error}");
        }
    }

    #[test]
    fn requests_are_as_the_contract_says() {
        let participant = HttpParticipant::new("http://pay:1/keys/", Duration::from_secs(1), Clock::system()).unwrap();
        let body = bytes::Bytes::from_static(b"{\"amount\":1}");
        let seen = crate::store::Seen { participant: "p".to_owned(), incarnation: "inc".to_owned(), seq: 9 };
        let request = |operation| {
            participant.request(&Delivery {
                key: "s.o-1.payment",
                operation,
                body: &body,
                body_hash: "abc",
                number: 3,
                seen: Some(&seen),
                not_after: Some(Time(77)),
            })
        };
        let act = request(Operation::Act);
        assert_eq!((act.method(), act.url().as_str()), (&Method::PUT, "http://pay:1/keys/s.o-1.payment"));
        assert_eq!(act.body().and_then(reqwest::Body::as_bytes), Some(body.as_ref()));
        assert_eq!(act.headers()["content-type"], "application/json");
        assert_eq!(
            (&act.headers()["handfast-not-after"], &act.headers()["handfast-seen"]),
            (&HeaderValue::from(77), &HeaderValue::from_static("inc:9"))
        );
        assert!(!act.headers().contains_key("handfast-body"));
        let close = request(Operation::Close);
        assert_eq!((close.method(), close.url().as_str()), (&Method::POST, "http://pay:1/keys/s.o-1.payment/close"));
        assert_eq!(
            (&close.headers()["handfast-body"], &close.headers()["handfast-try"]),
            (&HeaderValue::from_static("abc"), &HeaderValue::from(3))
        );
        assert!(!close.headers().contains_key("handfast-not-after") && close.body().is_none());
        let undo = request(Operation::Undo);
        assert_eq!((undo.method(), undo.url().as_str()), (&Method::DELETE, "http://pay:1/keys/s.o-1.payment"));
    }
}
