//! Asks a participant one thing at a time, reads the answer as the engine would, and remembers what was asked.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use handfast::journal::hex;
use handfast::participant::{Delivery, MAX_ANSWER_BYTES, Received, Reply, is_encoded, read_answer, read_json};
use handfast_protocol::{Answer, Definite, Operation};
use hyper::Method;
use hyper::header::{ACCEPT_ENCODING, CONTENT_TYPE, HeaderName};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use handfast_http::client::HttpClient;

const NOT_AFTER: HeaderName = HeaderName::from_static("handfast-not-after");
const SEEN: HeaderName = HeaderName::from_static("handfast-seen");
const SEEN_CHANGES: HeaderName = HeaderName::from_static("handfast-seen-changes");
const BODY: HeaderName = HeaderName::from_static("handfast-body");

/// What a participant said, as far as it can be relied on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Said {
    /// A receipt: how the key stands, for good.
    State(Definite),
    /// The key is in use for another body.
    OtherBody,
    /// The store has forgotten something, and did nothing.
    Behind,
    /// There is nothing under the key; only a peek says so.
    Absent,
    /// Anything else: what was seen instead.
    Nothing(String),
}

/// A broken promise: what was asked, what had to come back, and what did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Broken {
    /// The request that showed it.
    pub(super) request: String,
    /// What the contract says.
    pub(super) expected: String,
    /// What came back.
    pub(super) got: String,
}

/// One request and its answer.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    /// What was asked, in a line.
    pub(super) request: String,
    /// The status, or 0 where nothing came back.
    pub(super) status: u16,
    pub(super) said: Said,
    /// The answer's body where it is JSON in which no object has a key twice, and null otherwise.
    pub(super) body: Value,
    /// The same as it came, for whoever reads it as the engine does; none where it was compressed.
    pub(super) bytes: Option<Bytes>,
}

impl Exchange {
    /// What came back, in a line.
    pub(super) fn got(&self) -> String {
        match &self.said {
            Said::State(state) => format!("{} {}", self.status, state.name()),
            Said::OtherBody => format!("{} another body", self.status),
            Said::Behind => format!("{} behind", self.status),
            Said::Absent => format!("{} absent", self.status),
            Said::Nothing(seen) => seen.clone(),
        }
    }

    /// The promise that was broken, if it was not kept.
    pub(super) fn holds(&self, kept: bool, expected: impl Into<String>) -> Result<(), Broken> {
        if kept {
            return Ok(());
        }
        Err(Broken { request: self.request.clone(), expected: expected.into(), got: self.got() })
    }

    /// The key has to stand like this.
    pub(super) fn is(&self, state: Definite) -> Result<(), Broken> {
        let hint = match (state, &self.said) {
            (Definite::Done, Said::State(Definite::Refused)) => {
                " (it refuses this body: give --body one that it accepts every time)"
            }
            _ => "",
        };
        self.holds(self.said == Said::State(state), format!("a receipt that says {}{hint}", state.name()))
    }

    /// The key has to be in use for another body.
    pub(super) fn is_other_body(&self) -> Result<(), Broken> {
        self.holds(self.said == Said::OtherBody, "422 with the receipt of the body that came first")
    }

    /// The status has to be this one.
    pub(super) fn is_status(&self, status: u16) -> Result<(), Broken> {
        self.holds(self.status == status, status.to_string())
    }

    /// The number of the change that the receipt names.
    pub(super) fn seq(&self) -> Option<u64> {
        self.body["seq"].as_u64()
    }

    /// What a later request names of it: the store's position, and the change.
    pub(super) fn as_seen(&self) -> (String, String) {
        let text = |member: &str| self.body[member].as_str().unwrap_or_default();
        let seq = self.seq().unwrap_or_default();
        (format!("{}:{seq}", text("incarnation")), format!("{}:{seq}:{}", text("key"), text("mark")))
    }

    /// The receipt has to be that of the earlier exchange: the same change of the same store.
    pub(super) fn is_same_receipt(&self, earlier: &Self) -> Result<(), Broken> {
        let same = |member: &str| self.body[member] == earlier.body[member];
        self.holds(same("seq") && same("at") && same("incarnation"), format!("the receipt of the first answer, {}", earlier.body))
    }
}

/// Headers beyond those that every request has.
#[derive(Clone, Default)]
pub(super) struct Extra {
    /// `Handfast-Not-After`, in milliseconds since the Unix epoch.
    pub(super) not_after: Option<u64>,
    /// `Handfast-Seen`.
    pub(super) seen: Option<String>,
    /// `Handfast-Seen-Changes`.
    pub(super) seen_changes: Option<String>,
    /// `Handfast-Body`.
    pub(super) body_hash: Option<String>,
}

/// Whoever attacks the participant.
pub(super) struct Caller {
    client: HttpClient,
    pub(super) base: String,
    /// A part of every key, so that two attacks never meet.
    run: String,
    next: AtomicU32,
    timeout: Duration,
    /// A body whose act is done.
    pub(super) body: Bytes,
    /// A body whose act is refused for good, where the user gave one.
    pub(super) refused: Option<Bytes>,
}

impl Caller {
    pub(super) fn new(base: &str, run: String, timeout: Duration, body: Bytes, refused: Option<Bytes>) -> Self {
        let base = base.trim_end_matches('/').to_owned();
        Self { client: HttpClient::new(), base, run, next: AtomicU32::new(1), timeout, body, refused }
    }

    /// A key that nobody has used.
    pub(super) fn key(&self) -> String {
        format!("conform.{}.{}", self.run, self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// The same JSON as [`Caller::body`] in other bytes: to the contract that is another body.
    pub(super) fn other_body(&self) -> Bytes {
        let mut other = self.body.to_vec();
        other.push(b' ');
        other.into()
    }

    pub(super) async fn act(&self, key: &str, body: &Bytes) -> Exchange {
        self.ask(Operation::Act, key, body, &Extra::default()).await
    }

    pub(super) async fn close(&self, key: &str) -> Exchange {
        self.ask(Operation::Close, key, &self.body, &Extra::default()).await
    }

    pub(super) async fn undo(&self, key: &str) -> Exchange {
        self.ask(Operation::Undo, key, &self.body, &Extra::default()).await
    }

    /// An act, a close or an undo. The answer is read as one about `body`.
    pub(super) async fn ask(&self, operation: Operation, key: &str, body: &Bytes, extra: &Extra) -> Exchange {
        let (method, suffix, sent) = match operation {
            Operation::Act => (Method::PUT, "", body.clone()),
            Operation::Look => (Method::GET, "", Bytes::new()),
            Operation::Close => (Method::POST, "/close", Bytes::new()),
            Operation::Undo => (Method::DELETE, "", Bytes::new()),
        };
        let mut exchange = self.send(method, &format!("{key}{suffix}"), extra, sent).await;
        if let Some(bytes) = &exchange.bytes {
            let hash = hash(body);
            let delivery = Delivery {
                is_about_undo: false,
                key,
                operation,
                body,
                body_hash: &hash,
                number: 1,
                seen: None,
                not_after: None,
                leaves_before: None,
            };
            let bytes = Some(&**bytes).filter(|bytes| bytes.len() <= MAX_ANSWER_BYTES);
            let received = Received { status: exchange.status, body: bytes, retry_after: None };
            exchange.said = match read_answer(&delivery, received) {
                Reply::Definite { answer: Answer::State(state), .. } => Said::State(state),
                Reply::Definite { answer: Answer::OtherBody, .. } => Said::OtherBody,
                Reply::Behind { .. } => Said::Behind,
                Reply::Undo { told, .. } => Said::Nothing(told.name().to_owned()),
                Reply::Absent { seen, .. } | Reply::Unknown { seen, .. } | Reply::Mismatch { seen, .. } => Said::Nothing(seen),
            };
        }
        exchange
    }

    pub(super) async fn peek(&self, key: &str, extra: &Extra) -> Exchange {
        let mut exchange = self.send(Method::GET, key, extra, Bytes::new()).await;
        let state = exchange.body["state"].as_str().map(str::to_owned);
        let about_key = exchange.body["key"].as_str() == Some(key);
        exchange.said = match (exchange.status, state.as_deref()) {
            (404, Some("absent")) if about_key => Said::Absent,
            (412, Some("behind")) if about_key => Said::Behind,
            (200, Some(state)) if about_key => {
                Definite::from_name(state).map_or_else(|| Said::Nothing(format!("200 with state {state:?}")), Said::State)
            }
            _ => exchange.said,
        };
        exchange
    }

    /// Any request below the base; its answer is read as JSON and as nothing else.
    pub(super) async fn send(&self, method: Method, path: &str, extra: &Extra, body: Bytes) -> Exchange {
        let not_after = extra.not_after.map(|at| at.to_string());
        let headers: Vec<(HeaderName, &str)> = [
            (NOT_AFTER, not_after.as_deref()),
            (SEEN, extra.seen.as_deref()),
            (SEEN_CHANGES, extra.seen_changes.as_deref()),
            (BODY, extra.body_hash.as_deref()),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
        self.send_with(method, path, &headers, body).await
    }

    /// Any request below the base with these headers.
    pub(super) async fn send_with(&self, method: Method, path: &str, headers: &[(HeaderName, &str)], body: Bytes) -> Exchange {
        let url = format!("{}/{path}", self.base);
        let told: String =
            headers.iter().filter(|(name, _)| *name != CONTENT_TYPE).map(|(name, value)| format!(", {name}: {value}")).collect();
        let length = if body.is_empty() { String::new() } else { format!(", a body of {} bytes", body.len()) };
        let request = format!("{method} {url}{told}{length}");
        let headers: Vec<_> = headers.iter().cloned().chain([(ACCEPT_ENCODING, "identity")]).collect();
        match self.client.ask(method, &url, &headers, body, self.timeout).await {
            Ok(answer) if is_encoded(&answer.headers) => {
                let said =
                    Said::Nothing(format!("{} with a Content-Encoding, though it was asked for without one", answer.status));
                Exchange { request, status: answer.status, said, body: Value::Null, bytes: None }
            }
            Ok(answer) => Exchange {
                request,
                status: answer.status,
                said: Said::Nothing(answer.status.to_string()),
                body: read_json(&answer.body).unwrap_or(Value::Null),
                bytes: Some(answer.body),
            },
            Err(error) => {
                Exchange { request, status: 0, said: Said::Nothing(format!("{error:#}")), body: Value::Null, bytes: None }
            }
        }
    }

    /// How long a whole answer may take.
    pub(super) const fn timeout(&self) -> Duration {
        self.timeout
    }
}

/// What identifies a body: its SHA-256 in lower-case hexadecimal digits.
pub(super) fn hash(body: &[u8]) -> String {
    hex(&Sha256::digest(body))
}
