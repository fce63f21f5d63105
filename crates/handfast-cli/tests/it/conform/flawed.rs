//! A participant in memory that breaks one promise of the contract on purpose, or none.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{post, put};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// What the participant does wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Flaw {
    None,
    /// 200 and a friendly word instead of a receipt.
    AnswersWithoutReceipt,
    /// Acts again at every retry.
    ActsAgain,
    /// A peek makes the key known.
    PeekLeavesARow,
    /// A close reads, and leaves nothing.
    CloseOnlyReads,
    /// The tombstone is gone once a late act has met it.
    TombstoneExpires,
    /// An undo of an absent key does nothing.
    UndoOfAbsentDoesNothing,
    /// A close forgets that the key was done.
    CloseForgetsDone,
    /// An undo is carried out again at every retry.
    UndoesAgain,
    /// A late act with other bytes is told that the key is somebody else's, instead of closed.
    LateActIsCompared,
    /// A late act is told what the caller wants to hear.
    LateActIsASuccess,
    /// A refused act is tried again.
    RefusalIsForgotten,
    /// Accepts what it has refused, if it is asked again, until the key is closed. That is declared (`sticky_refusal = false`).
    AcceptsUntilClosed,
    /// The same, and a close or an undo is answered with the refusal, which it does not hold to.
    AcceptsAfterAClose,
    /// Any body will do.
    AnyBodyWillDo,
    /// A close or an undo asks nobody whose effect it is.
    UndoesAnyBody,
    /// Looks, waits, and then acts.
    ChecksThenActs,
    /// Gives up half-way when the caller has left.
    StopsWhenTheCallerLeaves,
    /// Does not look at what the caller has seen.
    IgnoresSeen,
    /// Looks at the number that the caller has seen, and not at its changes.
    IgnoresSeenChanges,
    /// Keeps the last change of a key only.
    ForgetsTheFirstChange,
    /// Every receipt has the same number.
    NumbersNothing,
    /// Carries out what came too late.
    IgnoresNotAfter,
    /// Takes a header that makes no sense for none.
    IgnoresBadHeaders,
    /// Refuses for good what was cut short on the road.
    RefusesBadBodies,
    /// Takes any key, folded to small letters, and cut.
    AnyKeyWillDo,
    /// Says its state twice in one receipt, as the engine reads none.
    SaysItsStateTwice,
    /// Compresses what was asked for as it is.
    Compresses,
}

impl Flaw {
    /// Every flaw, with a promise that it breaks.
    pub(super) const ALL: &'static [(Self, &'static str)] = &[
        (Self::AnswersWithoutReceipt, "act-is-done"),
        (Self::ActsAgain, "act-is-idempotent"),
        (Self::PeekLeavesARow, "peek-changes-nothing"),
        (Self::CloseOnlyReads, "close-leaves-a-tombstone"),
        (Self::TombstoneExpires, "close-leaves-a-tombstone"),
        (Self::UndoOfAbsentDoesNothing, "undo-leaves-a-tombstone"),
        (Self::CloseForgetsDone, "close-tells-what-was-done"),
        (Self::UndoesAgain, "undo-is-for-good"),
        (Self::LateActIsCompared, "late-act-is-told"),
        (Self::LateActIsASuccess, "late-act-is-told"),
        (Self::RefusalIsForgotten, "refusal-is-sticky"),
        (Self::AcceptsUntilClosed, "refusal-is-sticky"),
        (Self::AcceptsAfterAClose, "close-after-refusal-holds"),
        (Self::AnyBodyWillDo, "another-body-is-refused"),
        (Self::UndoesAnyBody, "another-body-is-not-undone"),
        (Self::ChecksThenActs, "acts-side-by-side"),
        (Self::ChecksThenActs, "two-bodies-side-by-side"),
        (Self::ChecksThenActs, "act-races-close"),
        (Self::ChecksThenActs, "undo-races-act"),
        (Self::StopsWhenTheCallerLeaves, "lost-reply"),
        (Self::IgnoresSeen, "behind-does-nothing"),
        (Self::IgnoresSeenChanges, "another-history-is-behind"),
        (Self::ForgetsTheFirstChange, "changes-are-marked"),
        (Self::NumbersNothing, "changes-are-numbered"),
        (Self::IgnoresNotAfter, "late-by-the-clock"),
        (Self::IgnoresBadHeaders, "bad-header-is-an-error"),
        (Self::RefusesBadBodies, "bad-body-leaves-no-trace"),
        (Self::AnyKeyWillDo, "bad-key-is-an-error"),
        (Self::SaysItsStateTwice, "another-body-is-refused"),
        (Self::Compresses, "another-body-is-refused"),
    ];
}

impl Flaw {
    /// It may accept what it has refused.
    fn is_loose(self) -> bool {
        matches!(self, Self::AcceptsUntilClosed | Self::AcceptsAfterAClose)
    }
}

#[derive(Clone)]
struct Row {
    state: &'static str,
    hash: Option<String>,
    seq: u64,
    /// The number of the change before the last one.
    first: Option<u64>,
}

#[derive(Default)]
struct Store {
    rows: BTreeMap<String, Row>,
    under_way: BTreeMap<String, ()>,
    seq: u64,
}

#[derive(Clone)]
struct Participant {
    flaw: Flaw,
    store: Arc<Mutex<Store>>,
}

const INCARNATION: &str = "only-life";

/// The router of a participant with this flaw, its keys at the root.
pub(super) fn router(flaw: Flaw) -> Router {
    let participant = Participant { flaw, store: Arc::default() };
    Router::new()
        .route("/{key}", put(act).delete(undo).get(peek))
        .route("/{key}/close", post(close))
        .layer(DefaultBodyLimit::max(65_536))
        .layer(axum::middleware::map_response(move |response| written(flaw, response)))
        .with_state(participant)
}

/// The answer as it leaves.
async fn written(flaw: Flaw, mut response: Response) -> Response {
    if flaw == Flaw::Compresses {
        response.headers_mut().insert("content-encoding", "gzip".parse().expect("a value"));
    }
    if flaw != Flaw::SaysItsStateTwice {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, 65_536).await.expect("a short answer");
    let text = String::from_utf8_lossy(&body).replacen('{', "{\"state\":\"closed\",", 1);
    parts.headers.remove("content-length");
    Response::from_parts(parts, text.into())
}

fn hash(body: &[u8]) -> String {
    Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bare(status: u16) -> Response {
    StatusCode::from_u16(status).expect("a status").into_response()
}

fn answer(status: u16, body: &Value) -> Response {
    (StatusCode::from_u16(status).expect("a status"), axum::Json(body)).into_response()
}

fn receipt(status: u16, key: &str, row: &Row) -> Response {
    answer(
        status,
        &json!({ "key": key, "state": row.state, "body_hash": row.hash, "seq": row.seq, "at": row.seq, "incarnation": INCARNATION, "mark": mark(row.seq) }),
    )
}

/// Drawn for one change; here each is made of its number.
fn mark(seq: u64) -> String {
    hash(&seq.to_le_bytes())[..16].to_owned()
}

/// Whether every change that a request names is in the store's history.
fn confirms(participant: &Participant, changes: &str) -> bool {
    changes.split(',').all(|change| {
        let parts: Vec<&str> = change.split(':').collect();
        let [key, number, named] = parts[..] else { return false };
        let Some((row, number)) = participant.row(key).zip(number.parse().ok()) else { return false };
        (row.seq == number || row.first == Some(number)) && named == mark(number)
    })
}

/// The answer to a request that is turned away before anybody looks at the key.
fn turned_away(participant: &Participant, key: &str, headers: &HeaderMap) -> Option<Response> {
    let usable = key.len() <= 200 && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte));
    if !usable && participant.flaw != Flaw::AnyKeyWillDo {
        return Some(bare(400));
    }
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default().to_owned());
    let bad = text("handfast-not-after").is_some_and(|value| value.parse::<u64>().is_err())
        || text("handfast-seen").is_some_and(|value| !value.contains(':'))
        || text("handfast-body").is_some_and(|value| value.len() != 64);
    if bad && participant.flaw != Flaw::IgnoresBadHeaders {
        return Some(bare(400));
    }
    let seen = text("handfast-seen").and_then(|value| {
        let (incarnation, seq) = value.split_once(':')?;
        Some((incarnation.to_owned(), seq.parse::<u64>().ok()?))
    });
    let (incarnation, seq) = seen?;
    let at = participant.store.lock().expect("no panic").seq;
    let changes = text("handfast-seen-changes").filter(|_| participant.flaw != Flaw::IgnoresSeenChanges);
    let behind = incarnation != INCARNATION || seq > at || changes.is_some_and(|changes| !confirms(participant, &changes));
    (behind && participant.flaw != Flaw::IgnoresSeen)
        .then(|| answer(412, &json!({ "key": key, "state": "behind", "seq": at, "incarnation": INCARNATION })))
}

impl Participant {
    fn row(&self, key: &str) -> Option<Row> {
        self.store.lock().expect("no panic").rows.get(key).cloned()
    }

    fn set(&self, key: &str, state: &'static str, hash: Option<String>) -> Row {
        let mut store = self.store.lock().expect("no panic");
        if self.flaw != Flaw::NumbersNothing {
            store.seq += 1;
        }
        let before = store.rows.get(key).map(|row| row.seq);
        let first = before.filter(|_| self.flaw != Flaw::ForgetsTheFirstChange);
        let row = Row { state, hash, seq: store.seq, first };
        store.rows.insert(key.to_owned(), row.clone());
        row
    }

    /// One place for all requests, unless the flaw is that there is none.
    async fn pause(&self) {
        if self.flaw == Flaw::ChecksThenActs {
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    }
}

async fn act(State(participant): State<Participant>, Path(key): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let flaw = participant.flaw;
    if let Some(away) = turned_away(&participant, &key, &headers) {
        return away;
    }
    if headers.get("content-type").is_none_or(|value| value != "application/json") {
        return bare(415);
    }
    let parsed: Result<Value, _> = serde_json::from_slice(&body);
    let Ok(parsed) = parsed else {
        return if flaw == Flaw::RefusesBadBodies {
            receipt(409, &key, &participant.set(&key, "refused", Some(hash(&body))))
        } else {
            bare(400)
        };
    };
    if flaw == Flaw::AnswersWithoutReceipt {
        return answer(200, &json!({ "ok": true }));
    }
    let own = Some(hash(&body));
    let before = participant.row(&key);
    participant.pause().await;
    let refuses = parsed["refuse"] == true;
    match before {
        None => {
            let not_after = headers.get("handfast-not-after").and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
            if not_after.is_some_and(|at| at < 1_000_000) && flaw != Flaw::IgnoresNotAfter {
                return receipt(410, &key, &participant.set(&key, "closed", None));
            }
            if flaw == Flaw::StopsWhenTheCallerLeaves {
                if participant.store.lock().expect("no panic").under_way.insert(key.clone(), ()).is_some() {
                    return bare(409);
                }
                tokio::time::sleep(Duration::from_millis(30)).await;
                participant.store.lock().expect("no panic").under_way.remove(&key);
            }
            let (status, state) = if refuses { (409, "refused") } else { (200, "done") };
            receipt(status, &key, &participant.set(&key, state, own))
        }
        Some(row) if matches!(row.state, "closed" | "undone") => {
            if flaw == Flaw::TombstoneExpires {
                participant.store.lock().expect("no panic").rows.remove(&key);
            }
            if flaw == Flaw::LateActIsASuccess {
                receipt(200, &key, &Row { state: "done", hash: own, ..row })
            } else if flaw == Flaw::LateActIsCompared && row.hash.is_some() && row.hash != own {
                receipt(422, &key, &row)
            } else {
                receipt(410, &key, &row)
            }
        }
        Some(row) if row.hash != own && flaw != Flaw::AnyBodyWillDo => receipt(422, &key, &row),
        Some(row) if row.state == "refused" && flaw.is_loose() => receipt(200, &key, &participant.set(&key, "done", own)),
        Some(row) if row.state == "refused" => {
            let again = if flaw == Flaw::RefusalIsForgotten { participant.set(&key, "refused", own) } else { row };
            receipt(409, &key, &again)
        }
        Some(row) => {
            let again = if flaw == Flaw::ActsAgain { participant.set(&key, "done", own) } else { Row { hash: own, ..row } };
            receipt(200, &key, &again)
        }
    }
}

async fn close(State(participant): State<Participant>, Path(key): Path<String>, headers: HeaderMap) -> Response {
    if let Some(away) = turned_away(&participant, &key, &headers) {
        return away;
    }
    let before = participant.row(&key);
    participant.pause().await;
    match before {
        None if participant.flaw == Flaw::CloseOnlyReads => {
            receipt(200, &key, &Row { state: "closed", hash: None, seq: 0, first: None })
        }
        None => receipt(200, &key, &participant.set(&key, "closed", None)),
        Some(row) if other_body(&participant, &headers, &row) => receipt(422, &key, &row),
        Some(row) if row.state == "refused" && participant.flaw == Flaw::AcceptsUntilClosed => {
            receipt(200, &key, &participant.set(&key, "closed", None))
        }
        Some(row) if row.state == "done" && participant.flaw == Flaw::CloseForgetsDone => {
            receipt(200, &key, &participant.set(&key, "closed", None))
        }
        Some(row) => receipt(200, &key, &row),
    }
}

async fn undo(State(participant): State<Participant>, Path(key): Path<String>, headers: HeaderMap) -> Response {
    if let Some(away) = turned_away(&participant, &key, &headers) {
        return away;
    }
    let before = participant.row(&key);
    participant.pause().await;
    match before {
        None if participant.flaw == Flaw::UndoOfAbsentDoesNothing => {
            receipt(200, &key, &Row { state: "closed", hash: None, seq: 0, first: None })
        }
        None => receipt(200, &key, &participant.set(&key, "closed", None)),
        Some(row) if other_body(&participant, &headers, &row) => receipt(422, &key, &row),
        Some(row) if row.state == "refused" && participant.flaw == Flaw::AcceptsUntilClosed => {
            receipt(200, &key, &participant.set(&key, "closed", None))
        }
        Some(row) if row.state == "done" || (row.state == "undone" && participant.flaw == Flaw::UndoesAgain) => {
            receipt(200, &key, &participant.set(&key, "undone", row.hash))
        }
        Some(row) => receipt(200, &key, &row),
    }
}

fn other_body(participant: &Participant, headers: &HeaderMap, row: &Row) -> bool {
    let meant = headers.get("handfast-body").and_then(|value| value.to_str().ok());
    participant.flaw != Flaw::UndoesAnyBody && row.hash.is_some() && meant.is_some_and(|meant| Some(meant) != row.hash.as_deref())
}

async fn peek(State(participant): State<Participant>, Path(key): Path<String>, headers: HeaderMap) -> Response {
    if let Some(away) = turned_away(&participant, &key, &headers) {
        return away;
    }
    if let Some(row) = participant.row(&key) {
        return receipt(200, &key, &row);
    }
    if participant.flaw == Flaw::PeekLeavesARow {
        participant.set(&key, "closed", None);
    }
    let seq = participant.store.lock().expect("no panic").seq;
    answer(404, &json!({ "key": key, "state": "absent", "seq": seq, "incarnation": INCARNATION }))
}

/// The same, and a header that is there twice is an error, as whoever reads the contract closely may have it.
pub(super) fn strict(router: Router) -> Router {
    router.layer(axum::middleware::from_fn(async |request: axum::extract::Request, next: axum::middleware::Next| {
        let headers = request.headers();
        if headers.keys().any(|name| headers.get_all(name).iter().count() > 1) {
            return StatusCode::BAD_REQUEST.into_response();
        }
        next.run(request).await
    }))
}
