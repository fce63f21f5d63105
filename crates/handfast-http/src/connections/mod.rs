//! The connections of every command that serves: taken one by one, served within bounds, and ended in good order.

mod patient;
#[cfg(test)]
mod tests;

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
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use self::patient::Patient;
use crate::stop::stopped;

/// The most connections at a time. Those beyond wait in the system's queue.
pub const MOST_CONNECTIONS: usize = 4_096;
/// How long the head of a request may take, and how long a connection may be idle.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
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
pub async fn serve_router(listener: TcpListener, router: Router, most: usize, stop: watch::Receiver<bool>) {
    serve(listener, TowerToHyperService::new(router), most, stop).await;
}

/// Serves `service` on `listener` until `stop` says true; then takes no more connections, lets every request that has
/// begun be answered, and returns when the last one is. At most [`MOST_CONNECTIONS`] are open at a time, and `most` where
/// that is less. Where this future is dropped before, nothing more is taken, and every connection is shut.
pub async fn serve<S: Answers>(listener: TcpListener, service: S, most: usize, mut stop: watch::Receiver<bool>) {
    let room = Arc::new(Semaphore::new(most.clamp(1, MOST_CONNECTIONS)));
    let server = Arc::new(Server::new(service));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = stopped(&mut stop) => break,
            accepted = accept(&listener, &room) => accepted,
        };
        let Some((stream, place)) = accepted else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let (server, stop) = (Arc::clone(&server), stop.clone());
        connections.spawn(async move {
            server.connection(stream, stop).await;
            drop(place);
        });
        // There are no more of them than have a place, and those that have ended since the last one came.
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// A connection and its place among those that may be open; `None` where the system has no more to give.
async fn accept(listener: &TcpListener, room: &Arc<Semaphore>) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(room).acquire_owned().await.ok()?;
    let (stream, _) = listener.accept().await.ok()?;
    Some((stream, place))
}

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

    async fn connection(&self, stream: TcpStream, stop: watch::Receiver<bool>) {
        // An answer is one small segment; it must not wait for the acknowledgement of the one before.
        if stream.set_nodelay(true).is_ok() {
            self.talk(stream, stop).await;
        }
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
