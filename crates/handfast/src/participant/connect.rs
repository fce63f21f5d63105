//! A bound on how long a connection may take, the handshake of TLS included.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use tower_service::Service;

/// Connects as `inner` does, or not at all.
#[derive(Clone, Debug)]
pub(super) struct Bounded<C> {
    inner: C,
    longest: Duration,
}

impl<C> Bounded<C> {
    pub(super) const fn new(inner: C, longest: Duration) -> Self {
        Self { inner, longest }
    }
}

type Failed = Box<dyn Error + Send + Sync>;

impl<C> Service<Uri> for Bounded<C>
where
    C: Service<Uri>,
    C::Future: Send + 'static,
    C::Error: Into<Failed>,
{
    type Response = C::Response;
    type Error = Failed;
    type Future = Pin<Box<dyn Future<Output = Result<C::Response, Failed>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let connecting = tokio::time::timeout(self.longest, self.inner.call(to));
        Box::pin(async move {
            match connecting.await {
                Ok(connected) => connected.map_err(Into::into),
                Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "it took too long").into()),
            }
        })
    }
}
