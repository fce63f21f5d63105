//! Bodies within bounds: of bytes, of time, and of what all callers together send, since that must fit into memory.

use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, header};
use bytes::BytesMut;
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Why there is no body.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BodyError {
    /// It has more bytes than are read.
    #[error("the body has more than {most} bytes")]
    TooLarge {
        /// How many are read.
        most: usize,
    },
    /// It did not arrive in time.
    #[error("the body took more than {} s", within.as_secs())]
    TooSlow {
        /// The time that it had.
        within: Duration,
    },
    /// The connection ended, or the body was not framed as its headers said.
    #[error("the body ended before its end")]
    Lost,
    /// Others are sending as much as is read at a time.
    #[error("too many bodies are arriving at once; send it again")]
    Crowded,
}

/// Why a body is not read as JSON.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotJson {
    /// It is compressed.
    #[error("the body has a Content-Encoding; send it as it is")]
    Encoded,
    /// It is not declared to be JSON.
    #[error("the request has no Content-Type: application/json")]
    Undeclared,
}

/// Room for bodies. A caller that finds none is asked to come again; none waits here with a body in hand.
#[derive(Clone, Debug)]
pub struct Budget(Arc<Semaphore>);

/// A body that takes its room for as long as it is held.
#[derive(Debug)]
pub struct Held {
    bytes: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

impl Deref for Held {
    type Target = Bytes;

    fn deref(&self) -> &Bytes {
        &self.bytes
    }
}

impl Held {
    /// Does something to its end, with the room taken for as long, whether a caller still waits for it or not; `None` if it panicked.
    pub async fn until<T: Send + 'static>(self, work: impl Future<Output = T> + Send + 'static) -> Option<T> {
        let done = tokio::spawn(async move {
            let done = work.await;
            drop(self);
            done
        });
        done.await.ok()
    }
}

impl Budget {
    /// Room for this many bytes.
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))))
    }

    /// Reads a body of at most `most` bytes that arrives `within` this time. Only what has arrived takes room: who promises
    /// much and sends little keeps no other out.
    ///
    /// # Errors
    /// It is too large, too slow, broken off, or there is no room for it now.
    pub async fn read(&self, body: Body, most: usize, within: Duration) -> Result<Held, BodyError> {
        let read = tokio::time::timeout(within, self.read_at_leisure(body, most)).await;
        read.unwrap_or(Err(BodyError::TooSlow { within }))
    }

    async fn read_at_leisure(&self, mut body: Body, most: usize) -> Result<Held, BodyError> {
        let mut bytes = BytesMut::new();
        let mut room: Option<OwnedSemaphorePermit> = None;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| BodyError::Lost)?;
            let Ok(data) = frame.into_data() else { continue };
            if bytes.len() + data.len() > most {
                return Err(BodyError::TooLarge { most });
            }
            let more = self.take(data.len())?;
            match &mut room {
                Some(room) => room.merge(more),
                None => room = Some(more),
            }
            bytes.extend_from_slice(&data);
        }
        Ok(Held { bytes: bytes.freeze(), _room: room })
    }

    /// Whether a body of `bytes` bytes would find room now.
    ///
    /// # Errors
    /// It would not.
    pub fn check_room(&self, bytes: usize) -> Result<(), BodyError> {
        self.take(bytes).map(drop)
    }

    fn take(&self, bytes: usize) -> Result<OwnedSemaphorePermit, BodyError> {
        let permits = u32::try_from(bytes).unwrap_or(u32::MAX);
        Arc::clone(&self.0).try_acquire_many_owned(permits).map_err(|_full| BodyError::Crowded)
    }
}

/// The body without the byte-order mark that some programs put before a text, and that is no part of it.
#[must_use]
pub fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// Whether the body is declared as JSON, and as it is.
///
/// # Errors
/// It is declared as something else, or as compressed.
pub fn check_json(headers: &HeaderMap) -> Result<(), NotJson> {
    let plain = |value: &HeaderValue| value.is_empty() || value.as_bytes().eq_ignore_ascii_case(b"identity");
    if !headers.get_all(header::CONTENT_ENCODING).iter().all(plain) {
        return Err(NotJson::Encoded);
    }
    if is_json(headers) { Ok(()) } else { Err(NotJson::Undeclared) }
}

fn is_json(headers: &HeaderMap) -> bool {
    let declared = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn what_is_being_written_takes_room_though_its_caller_has_gone() {
        let budget = Budget::new(100);
        let body = budget.read(Body::from("x".repeat(60)), 64, SOON).await.unwrap();
        let (written, write) = tokio::sync::oneshot::channel::<()>();
        let caller = tokio::spawn(body.until(write));
        tokio::task::yield_now().await;
        caller.abort();
        assert!(caller.await.is_err_and(|error| error.is_cancelled()));
        assert_eq!(budget.read(Body::from("x".repeat(60)), 64, SOON).await.unwrap_err(), BodyError::Crowded);
        written.send(()).unwrap();
        while budget.read(Body::from("x".repeat(60)), 64, SOON).await.is_err() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn bodies_share_their_room_and_give_it_back() {
        let budget = Budget::new(100);
        let first = budget.read(Body::from("x".repeat(60)), 64, SOON).await.unwrap();
        assert_eq!(first.len(), 60);
        assert_eq!(budget.read(Body::from("x".repeat(60)), 64, SOON).await.unwrap_err(), BodyError::Crowded);
        assert_eq!(budget.check_room(64).unwrap_err(), BodyError::Crowded);
        drop(budget.read(Body::from("x".repeat(40)), 64, SOON).await.unwrap());
        drop(first);
        assert!(budget.check_room(100).is_ok());
        assert!(budget.read(Body::from("x".repeat(60)), 64, SOON).await.is_ok());
        assert_eq!(budget.read(Body::from("x".repeat(65)), 64, SOON).await.unwrap_err(), BodyError::TooLarge { most: 64 });
        assert!(budget.read(Body::empty(), 64, SOON).await.unwrap().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn who_sends_nothing_is_waited_for_so_long() {
        let nothing = Body::new(Never);
        let read = Budget::new(100).read(nothing, 64, SOON).await;
        assert_eq!(read.unwrap_err(), BodyError::TooSlow { within: SOON });
    }

    struct Never;

    impl hyper::body::Body for Never {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
            std::task::Poll::Pending
        }
    }

    #[test]
    fn json_is_declared_as_json() {
        for (value, expected) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/vnd.shop+json", true),
            ("text/plain", false),
            ("application/jsonlines", false),
        ] {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(value))]);
            assert_eq!(is_json(&headers), expected, "{value}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
