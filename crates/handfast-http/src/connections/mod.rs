//! The connections of every command that serves: taken one by one, served within bounds, and ended in good order.

mod door;
mod patient;
#[cfg(test)]
mod tests;
#[cfg(all(test, feature = "tls"))]
mod tls_tests;

use std::collections::VecDeque;
use std::error::Error;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tokio::task::JoinSet;

pub use self::door::Door;
use self::door::Taken;
use self::patient::Patient;
use crate::stop::stopped;

/// The most connections at a time. Those beyond wait in the system's queue.
pub const MOST_CONNECTIONS: usize = 4_096;
/// How long the head of a request may take, and how long a connection may be idle.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a caller may take until it is agreed how to encrypt.
#[cfg(feature = "tls")]
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a caller that is sent an answer may take nothing of it.
const TAKING_TIMEOUT: Duration = Duration::from_secs(30);
/// The most bytes of a request's head.
const MOST_HEAD_BYTES: usize = 32 * 1024;
/// How long to pause when the system has no more files or memory to give.
const PAUSE: Duration = Duration::from_millis(50);

/// What answers requests over HTTP.
pub trait Answers:
    Service<Request<Incoming>, Response = Response<Self::Body>, Error = Self::Failure, Future: Send> + Clone + Send + Sync + 'static
{
    /// The body of an answer.
    type Body: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static;
    /// Ends a connection instead of an answer.
    type Failure: Into<Box<dyn Error + Send + Sync>>;
}

impl<S, B, E> Answers for S
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = E, Future: Send> + Clone + Send + Sync + 'static,
    B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    type Body = B;
    type Failure = E;
}

/// Serves `router` as [`serve`] does, `most` connections at a time.
pub async fn serve_router(door: impl Into<Door>, router: Router, most: usize, stop: watch::Receiver<bool>) {
    serve(door, TowerToHyperService::new(router), most, stop).await;
}

/// Serves `service` at `door` until `stop` says true; then takes no more connections, lets every request that has
/// begun be answered, and returns when the last one is. At most [`MOST_CONNECTIONS`] are open at a time, and `most` where
/// that is less. Where this future is dropped before, nothing more is taken, and every connection is shut.
pub async fn serve<S: Answers>(door: impl Into<Door>, service: S, most: usize, mut stop: watch::Receiver<bool>) {
    let door = door.into();
    let most = most.clamp(1, MOST_CONNECTIONS);
    let mut agreeing = Agreeing::of(&door, most);
    let room = Arc::new(Semaphore::new(most - agreeing.most));
    let server = Arc::new(Server::new(service));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = stopped(&mut stop) => break,
            accepted = accept(&door, agreeing.most, &room) => accepted,
        };
        let Some((stream, place)) = accepted else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let (server, stop) = (Arc::clone(&server), stop.clone());
        let place = match place {
            Some(place) => Place::Taken(place),
            None => Place::Later(Arc::clone(&room), agreeing.begin()),
        };
        #[cfg(feature = "tls")]
        let encrypts = door.tls.as_ref().map(crate::tls::DoorTls::at_hand);
        #[cfg(not(feature = "tls"))]
        let encrypts = None;
        connections.spawn(async move {
            server.connection(stream, (encrypts, place), stop).await;
        });
        // There are no more of them than have a place, and those that have ended since the last one came.
        while connections.try_join_next().is_some() {}
    }
    drop(door);
    while connections.join_next().await.is_some() {}
}

/// A connection and its place among those that may be open; `None` where the system has no more to give.
///
/// Where it has to be agreed first how to encrypt, a place is taken only then: those who agree to nothing would hold all of them.
async fn accept(door: &Door, agreeing: usize, room: &Arc<Semaphore>) -> Option<(Taken, Option<OwnedSemaphorePermit>)> {
    let place = if agreeing == 0 { Some(Arc::clone(room).acquire_owned().await.ok()?) } else { None };
    Some((door.accept().await.ok()?, place))
}

/// A connection's place among those that may be open.
enum Place {
    Taken(OwnedSemaphorePermit),
    /// It takes one once it is agreed how to encrypt, and is given up where it is told to make room before.
    Later(Arc<Semaphore>, oneshot::Receiver<()>),
}

/// Connections of which it is not agreed yet how to encrypt, the oldest first. They have room of their own, a quarter of all; where
/// it is full, the oldest makes room.
struct Agreeing {
    most: usize,
    begun: VecDeque<oneshot::Sender<()>>,
}

impl Agreeing {
    /// None at a door that does not encrypt.
    fn of(door: &Door, most: usize) -> Self {
        let most = if door.encrypts() && most > 1 { (most / 4).max(1) } else { 0 };
        Self { most, begun: VecDeque::new() }
    }

    fn begin(&mut self) -> oneshot::Receiver<()> {
        self.begun.retain(|begun| !begun.is_closed());
        if self.begun.len() >= self.most {
            // Dropped, it tells the other end.
            self.begun.pop_front();
        }
        let (begun, told) = oneshot::channel();
        self.begun.push_back(begun);
        told
    }
}

/// How a connection is to be encrypted.
#[cfg(feature = "tls")]
type Encrypts = Arc<rustls::ServerConfig>;
#[cfg(not(feature = "tls"))]
type Encrypts = std::convert::Infallible;

struct Server<S> {
    http: http1::Builder,
    service: S,
}

impl<S: Answers> Server<S> {
    fn new(service: S) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(MOST_HEAD_BYTES).half_close(false);
        Self { http, service }
    }

    async fn connection(&self, taken: Taken, encrypts: (Option<Encrypts>, Place), stop: watch::Receiver<bool>) {
        match taken {
            Taken::Tcp(stream) => {
                // An answer is one small segment; it must not wait for the acknowledgement of the one before.
                if stream.set_nodelay(true).is_ok() {
                    self.admit(stream, encrypts, stop).await;
                }
            }
            #[cfg(unix)]
            Taken::Unix(stream) => self.admit(stream, encrypts, stop).await,
        }
    }

    #[cfg(feature = "tls")]
    async fn admit<T>(&self, stream: T, (encrypts, place): (Option<Encrypts>, Place), mut stop: watch::Receiver<bool>)
    where
        T: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let Some(config) = encrypts else { return self.talk(stream, stop).await };
        let agree = tokio::time::timeout(HANDSHAKE_TIMEOUT, tokio_rustls::TlsAcceptor::from(config).accept(stream));
        let (agreed, place) = match place {
            Place::Taken(place) => (agree.await, Some(place)),
            Place::Later(room, mut is_full) => tokio::select! {
                agreed = async { (agree.await, room.acquire_owned().await.ok()) } => agreed,
                _full = &mut is_full => (Ok(Err(std::io::Error::other("others came while nothing was agreed"))), None),
                // It has asked for nothing yet.
                () = stopped(&mut stop) => return,
            },
        };
        match agreed {
            Ok(Ok(stream)) => self.talk(stream, stop).await,
            Ok(Err(why)) => {
                tracing::warn!(name: "caller_not_encrypted", %why, "a caller and this service could not agree how to encrypt");
            }
            Err(_late) => {
                tracing::warn!(name: "caller_not_encrypted", why = "it took too long", "a caller did not agree how to encrypt")
            }
        }
        drop(place);
    }

    #[cfg(not(feature = "tls"))]
    async fn admit<T>(&self, stream: T, (_, place): (Option<Encrypts>, Place), stop: watch::Receiver<bool>)
    where
        T: AsyncRead + AsyncWrite + Unpin + Send,
    {
        self.talk(stream, stop).await;
        drop(place);
    }

    /// Serves the caller at the other end, until it leaves, takes too long, or `stop` says true.
    async fn talk(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send, mut stop: watch::Receiver<bool>) {
        let stream = TokioIo::new(Patient::new(stream, TAKING_TIMEOUT));
        let mut connection = pin!(self.http.serve_connection(stream, self.service.clone()));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = stopped(&mut stop) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        // A caller that leaves in the middle is its own business; what it asked for is durable or was not taken.
        drop(ended);
    }
}
