//! The road as a proxy: takes requests in, carries them over, and brings replies back, or does not.
//!
//! The carrying runs apart from the caller's connection: a late messenger arrives although its sender has long gone.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::http::uri::PathAndQuery;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Uri};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, oneshot, watch};

use super::fate::Fate;
use super::log::{Direction, Ending};
use super::road::{Leg, Letter, Road, UnderWay};
use handfast_http::client::exchange;
use handfast_http::connections;
use handfast_http::stop::stopped;
use handfast_machine::clock::{now_ms, whole_ms};

/// The longest body that is carried, in bytes, either way.
const LONGEST_BODY: usize = 1024 * 1024;
/// How long a participant may take to answer; after that the road gives its messenger up.
const ANSWER: Duration = Duration::from_secs(60);

/// How long it may take to reach the participant's door.
const CONNECT: Duration = Duration::from_secs(5);

type Body = Full<Bytes>;

/// The caller gets no answer: its connection is closed.
#[derive(Debug)]
struct NoAnswer;

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no messenger came back")
    }
}

impl std::error::Error for NoAnswer {}

/// The other end of the road: where requests are carried to.
#[derive(Clone, Debug)]
struct Camp {
    base: Uri,
}

/// A road, ready to be travelled.
#[derive(Clone, Debug)]
pub struct Proxy {
    camp: Camp,
    road: Arc<Road>,
}

impl Proxy {
    /// A road to the participant at `to`.
    ///
    /// # Errors
    /// When `to` is no `http://` URL.
    pub(super) fn new(to: &str, road: Arc<Road>) -> anyhow::Result<Self> {
        Ok(Self { camp: Camp::new(to)?, road })
    }

    /// Serves the road until `stop` says true. Nobody waits for messengers that are under way then.
    pub async fn serve(self, listener: TcpListener, mut stop: watch::Receiver<bool>) {
        let Self { camp, road } = self;
        let service = service_fn(move |request| receive(request, camp.clone(), Arc::clone(&road)));
        tokio::select! {
            () = connections::serve(listener, service, connections::MOST_CONNECTIONS, stop.clone()) => {}
            () = stopped(&mut stop) => {}
        }
    }
}

async fn receive(request: Request<Incoming>, camp: Camp, road: Arc<Road>) -> Result<Response<Body>, NoAnswer> {
    if let Some(control) = request.uri().path().strip_prefix("/__messenger/") {
        return Ok(command(request.method(), control, &road));
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, LONGEST_BODY).collect().await.map(http_body_util::Collected::to_bytes) else {
        return Ok(plain(StatusCode::PAYLOAD_TOO_LARGE, "the road carries bodies of up to 1 MiB"));
    };
    let try_number = parts.headers.get("handfast-try").and_then(|value| value.to_str().ok()?.parse().ok());
    let (letter, fate) = road.set_out(parts.method.as_str(), parts.uri.path(), try_number);
    let is_late = fate.late_by.is_some();
    let (back, mut reply) = oneshot::channel();
    let carried = Carried { parts: Parts::new(parts), body, letter, fate, camp, road: Arc::clone(&road) };
    drop(tokio::spawn(carried.carry(back)));

    let hold = tokio::time::sleep(road.hold());
    tokio::pin!(hold);
    let came = if is_late {
        tokio::select! { came = &mut reply => came.ok(), () = &mut hold => None }
    } else {
        reply.await.ok()
    };
    match came {
        Some(Back::Reply(response)) => Ok(response),
        Some(Back::Nobody) => Err(NoAnswer),
        None => {
            hold.await;
            Err(NoAnswer)
        }
    }
}

fn command(method: &Method, control: &str, road: &Road) -> Response<Body> {
    match (method, control) {
        (&Method::POST, "cut") => road.cut_by_hand(true),
        (&Method::POST, "restore") => road.cut_by_hand(false),
        (&Method::GET, "stats") => {}
        _ => return plain(StatusCode::NOT_FOUND, "the road knows POST cut, POST restore and GET stats"),
    }
    match serde_json::to_vec(&road.stats()) {
        Ok(text) => {
            let mut response = Response::new(Full::from(text));
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
        Err(error) => plain(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

fn plain(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = Response::new(Full::from(format!("{text}\n")));
    *response.status_mut() = status;
    response
}

/// What comes back to the caller's connection. If nothing does, it was captured.
enum Back {
    Reply(Response<Body>),
    /// Nobody was at the participant's door: the connection is closed at once.
    Nobody,
}

/// What of a request is needed to write it again.
#[derive(Clone, Debug)]
struct Parts {
    method: Method,
    target: PathAndQuery,
    headers: HeaderMap,
}

impl Parts {
    fn new(parts: hyper::http::request::Parts) -> Self {
        let target = parts.uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        Self { method: parts.method, target, headers: end_to_end(parts.headers) }
    }
}

/// A request with everything that is needed to carry it.
#[derive(Clone, Debug)]
struct Carried {
    parts: Parts,
    body: Bytes,
    letter: Letter,
    fate: Fate,
    camp: Camp,
    road: Arc<Road>,
}

impl Carried {
    async fn carry(self, back: oneshot::Sender<Back>) {
        let under_way = self.road.under_way();
        let left = now_ms();
        let ended = |fate| {
            let leg = Leg { direction: Direction::Request, copy: 1, fate, left, arrived: None, late_ms: None, status: None };
            self.road.ended(&self.letter, leg);
        };
        if self.road.is_cut() {
            return ended(Ending::Cut);
        }
        if self.fate.request_captured {
            return ended(Ending::Captured);
        }
        // Where too many are under way, one more is captured rather than kept.
        let Some(room) = self.road.room_for(self.body.len()) else { return ended(Ending::Captured) };
        let room = Arc::new(room);
        if let Some(after) = self.fate.duplicate_after {
            let place = (Arc::clone(&room), self.road.under_way());
            drop(tokio::spawn(self.clone().second_copy(left, after, place)));
        }
        let late = self.fate.late_by;
        tokio::time::sleep(self.fate.request_delay + late.unwrap_or_default()).await;
        let fate = if late.is_some() { Ending::Late } else { Ending::Delivered };
        let late_ms = late.map(whole_ms);
        let leg = Leg { direction: Direction::Request, copy: 1, fate, left, arrived: None, late_ms, status: None };
        let delivered = self.deliver(leg).await;
        drop(under_way);
        match delivered {
            Some(response) => self.bring_back(response, back).await,
            // Whether the road was cut or nobody was there: only the latter is noticed at once.
            None if self.road.is_cut() => {}
            None => drop(back.send(Back::Nobody)),
        }
        drop(room);
    }

    async fn second_copy(self, left: u64, after: Duration, _place: (Arc<OwnedSemaphorePermit>, UnderWay)) {
        tokio::time::sleep(after).await;
        let fate = Ending::Duplicate;
        let leg = Leg { direction: Direction::Request, copy: 2, fate, left, arrived: None, late_ms: None, status: None };
        if let Some(response) = self.deliver(leg).await {
            let at = now_ms();
            let status = Some(response.status().as_u16());
            let fate = Ending::Gone;
            let leg = Leg { direction: Direction::Reply, copy: 2, fate, left: at, arrived: Some(at), late_ms: None, status };
            self.road.ended(&self.letter, leg);
        }
    }

    /// Knocks at the participant's door. `None` if nothing came of it.
    async fn deliver(&self, leg: Leg) -> Option<Response<Body>> {
        if self.road.is_cut() {
            self.road.ended(&self.letter, Leg { fate: Ending::Cut, ..leg });
            return None;
        }
        let arrived = Some(now_ms());
        match self.camp.ask(&self.parts, self.body.clone()).await {
            Ok(response) => {
                self.road.ended(&self.letter, Leg { arrived, ..leg });
                if self.parts.method == Method::PUT && response.status() == StatusCode::GONE {
                    self.road.met_closed(&self.letter);
                }
                Some(response)
            }
            Err(_) => {
                self.road.ended(&self.letter, Leg { fate: Ending::Nobody, ..leg });
                None
            }
        }
    }

    async fn bring_back(&self, response: Response<Body>, back: oneshot::Sender<Back>) {
        let status = Some(response.status().as_u16());
        let left = now_ms();
        let ended = |fate, arrived| {
            let leg = Leg { direction: Direction::Reply, copy: 1, fate, left, arrived, late_ms: None, status };
            self.road.ended(&self.letter, leg);
        };
        tokio::time::sleep(self.fate.reply_delay).await;
        if self.road.is_cut() {
            return ended(Ending::Cut, None);
        }
        if self.fate.reply_captured {
            return ended(Ending::Captured, None);
        }
        // Counted before it is handed over: whoever has read an answer finds it in the stats.
        if back.is_closed() {
            return ended(Ending::Gone, Some(now_ms()));
        }
        ended(Ending::Delivered, Some(now_ms()));
        drop(back.send(Back::Reply(response)));
    }
}

impl Camp {
    fn new(to: &str) -> anyhow::Result<Self> {
        let base: Uri = to.parse().with_context(|| format!("{to} is no URL; write it as http://127.0.0.1:4001"))?;
        ensure!(
            base.scheme_str() == Some("http") && base.authority().is_some(),
            "the road leads to plain http only, not to {to}; write it as http://127.0.0.1:4001"
        );
        Ok(Self { base })
    }

    async fn ask(&self, parts: &Parts, body: Bytes) -> anyhow::Result<Response<Body>> {
        let mut uri = self.base.clone().into_parts();
        let prefix = self.base.path().trim_end_matches('/');
        uri.path_and_query = Some(format!("{prefix}{}", parts.target).parse()?);
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = parts.method.clone();
        *request.uri_mut() = Uri::from_parts(uri)?;
        *request.headers_mut() = parts.headers.clone();
        let answer = async {
            let (parts, body) = exchange(request, CONNECT, LONGEST_BODY).await.map_err(anyhow::Error::from_boxed)?.into_parts();
            let mut response = Response::new(Full::new(body));
            *response.status_mut() = parts.status;
            *response.headers_mut() = end_to_end(parts.headers);
            anyhow::Ok(response)
        };
        tokio::time::timeout(ANSWER, answer).await?
    }
}

/// The headers that are for the other end, not for the road (RFC 9110, 7.6.1).
fn end_to_end(mut headers: HeaderMap) -> HeaderMap {
    const HOP_BY_HOP: [HeaderName; 8] = [
        header::CONNECTION,
        header::TE,
        header::TRAILER,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
        header::PROXY_AUTHENTICATE,
        header::PROXY_AUTHORIZATION,
        HeaderName::from_static("keep-alive"),
    ];
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|names| names.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in HOP_BY_HOP.iter().chain(&named).chain(&[header::HOST, header::CONTENT_LENGTH]) {
        headers.remove(name);
    }
    headers
}
