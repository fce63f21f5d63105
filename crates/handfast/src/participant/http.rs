//! Participants over HTTP, by the contract: `PUT {base}/{key}` acts, `GET {base}/{key}` looks, `POST {base}/{key}/close` closes,
//! `DELETE {base}/{key}` undoes.

use std::time::Duration;

use handfast_protocol::{Operation, Time};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Request, Url};

use super::client::{self, Client, ClientError};
use super::receipts::read_answer;
use super::{Delivery, LATE, Participant, Reply, Secrets};
use crate::clock::Clock;
use crate::store::{BoxFuture, Sighting};

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
#[non_exhaustive]
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
    Client(#[from] ClientError),
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
        let client = client::build(url.scheme(), connect_timeout)?;
        Ok(Self { base: url, client, clock })
    }

    /// The request, or why it cannot be made: one without what it has to name would be carried out by a store that has
    /// forgotten that.
    fn request(&self, delivery: &Delivery<'_>) -> Result<Request, String> {
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
            insert(headers, "handfast-seen", &format!("{}:{}", seen.incarnation, seen.seq))?;
            if !seen.named.is_empty() {
                let one = |seen: &Sighting| format!("{}:{}:{}", seen.key, seen.change.number, seen.change.mark);
                insert(headers, "handfast-seen-changes", &seen.named.iter().map(one).collect::<Vec<_>>().join(","))?;
            }
        }
        if delivery.operation == Operation::Act {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            if let Some(Time(not_after_ms)) = delivery.not_after {
                headers.insert("handfast-not-after", HeaderValue::from(not_after_ms));
            }
            *request.body_mut() = Some(delivery.body.clone().into());
        } else if delivery.operation != Operation::Look {
            insert(headers, "handfast-body", delivery.body_hash)?;
        }
        Ok(request)
    }
}

impl Participant for HttpParticipant {
    fn deliver<'a>(&'a self, request: Delivery<'a>) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            if request.is_late(self.clock.steady()) {
                return Reply::not_sent(LATE);
            }
            let made = match self.request(&request) {
                Ok(made) => made,
                Err(why) => return Reply::not_sent(why),
            };
            let sent = client::send(&self.client, made, &self.clock).await;
            sent.map_or_else(
                |reply| reply,
                |answer| read_answer(&request, answer.received()).with_excerpt(answer.received().body, &Secrets::default()),
            )
        })
    }
}

fn insert(headers: &mut HeaderMap, name: &'static str, value: &str) -> Result<(), String> {
    // Other bytes could be sent, but what the service would read is unknown.
    let made = HeaderValue::from_str(value).ok().filter(|_| value.is_ascii());
    let value = made.ok_or_else(|| format!("the header {name} cannot carry what it has to say"))?;
    headers.insert(name, value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let named = [("s.o-1.payment", 7, "m1"), ("s.o-2.payment", 9, "m2")].map(|(key, number, mark)| Sighting {
            key: key.to_owned(),
            change: handfast_protocol::Change { number, mark: mark.to_owned() },
        });
        let (incarnation, named) = ("inc".to_owned(), named.to_vec());
        let seen = crate::store::Seen { incarnation, seq: 9, named, ..crate::store::Seen::default() };
        let request = |operation| {
            let made = participant.request(&Delivery {
                is_about_undo: false,
                key: "s.o-1.payment",
                operation,
                body: &body,
                body_hash: "abc",
                number: 3,
                seen: Some(&seen),
                not_after: Some(Time(77)),
                leaves_before: None,
            });
            made.unwrap()
        };
        let act = request(Operation::Act);
        assert_eq!((act.method(), act.url().as_str()), (&Method::PUT, "http://pay:1/keys/s.o-1.payment"));
        assert_eq!(act.body().and_then(reqwest::Body::as_bytes), Some(body.as_ref()));
        assert_eq!(act.headers()["content-type"], "application/json");
        assert_eq!(
            (&act.headers()["handfast-not-after"], &act.headers()["handfast-seen"]),
            (&HeaderValue::from(77), &HeaderValue::from_static("inc:9"))
        );
        assert_eq!(act.headers()["handfast-seen-changes"], "s.o-1.payment:7:m1,s.o-2.payment:9:m2");
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

    /// A request without what it has to name would be carried out by a store that has forgotten it.
    #[test]
    fn what_a_header_cannot_carry_is_not_left_out() {
        let participant = HttpParticipant::new("http://pay:1/keys/", Duration::from_secs(1), Clock::system()).unwrap();
        let body = bytes::Bytes::from_static(b"{}");
        for incarnation in ["gesch\u{e4}ft", "a\nb"] {
            let seen = crate::store::Seen { incarnation: incarnation.to_owned(), seq: 9, ..crate::store::Seen::default() };
            let request = Delivery {
                is_about_undo: false,
                key: "s.o-1.payment",
                operation: Operation::Act,
                body: &body,
                body_hash: "abc",
                number: 3,
                seen: Some(&seen),
                not_after: None,
                leaves_before: None,
            };
            assert_eq!(participant.request(&request).unwrap_err(), "the header handfast-seen cannot carry what it has to say");
        }
    }
}
