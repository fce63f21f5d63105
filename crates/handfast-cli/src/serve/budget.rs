//! How many bytes of bodies are read at a time, over all callers: what many send at once must fit into memory.

use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use bytes::BytesMut;
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::problem::{self, Problem};

/// Room for bodies. Whoever finds none is asked to come again; nobody waits here with a body in hand.
#[derive(Clone, Debug)]
pub(crate) struct Budget(Arc<Semaphore>);

/// A body that takes its room for as long as it is held.
#[derive(Debug)]
pub(crate) struct Held {
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
    /// Does something to its end, with the room taken for as long, whoever still waits for it; `None` if it panicked.
    pub(crate) async fn until<T: Send + 'static>(self, work: impl Future<Output = T> + Send + 'static) -> Option<T> {
        let done = tokio::spawn(async move {
            let done = work.await;
            drop(self);
            done
        });
        done.await.ok()
    }
}

impl Budget {
    /// Room for so many bytes.
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))))
    }

    /// Reads a body of at most `most` bytes. Only what has arrived takes room: who promises much and sends little keeps
    /// nobody out.
    ///
    /// # Errors
    /// It is too large, it broke off, or there is no room for it now.
    pub(crate) async fn read(&self, mut body: Body, most: usize) -> Result<Held, Problem> {
        let too_large = || Problem::new(problem::TOO_LARGE, format!("the body has more than {most} bytes"));
        let mut bytes = BytesMut::new();
        let mut room: Option<OwnedSemaphorePermit> = None;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Problem::new(problem::BODY_LOST, "the body ended before its end"))?;
            let Ok(data) = frame.into_data() else { continue };
            if bytes.len() + data.len() > most {
                return Err(too_large());
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

    /// Whether a body of so many bytes would find room now.
    ///
    /// # Errors
    /// It would not.
    pub(crate) fn check_room(&self, bytes: usize) -> Result<(), Problem> {
        self.take(bytes).map(drop)
    }

    fn take(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Problem> {
        let permits = u32::try_from(bytes).unwrap_or(u32::MAX);
        Arc::clone(&self.0).try_acquire_many_owned(permits).map_err(|_full| {
            Problem::new(problem::CROWDED, "too many bodies are arriving at once; send it again").retry_after_s(1)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_being_written_takes_room_though_its_caller_has_gone() {
        let budget = Budget::new(100);
        let body = budget.read(Body::from("x".repeat(60)), 64).await.unwrap();
        let (written, write) = tokio::sync::oneshot::channel::<()>();
        let caller = tokio::spawn(body.until(write));
        tokio::task::yield_now().await;
        caller.abort();
        assert!(caller.await.is_err_and(|error| error.is_cancelled()));
        assert_eq!(budget.read(Body::from("x".repeat(60)), 64).await.unwrap_err().kind().slug, "crowded");
        written.send(()).unwrap();
        while budget.read(Body::from("x".repeat(60)), 64).await.is_err() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn bodies_share_their_room_and_give_it_back() {
        let budget = Budget::new(100);
        let first = budget.read(Body::from("x".repeat(60)), 64).await.unwrap();
        assert_eq!(first.len(), 60);
        let crowded = budget.read(Body::from("x".repeat(60)), 64).await.unwrap_err();
        assert_eq!(crowded.kind().slug, "crowded");
        assert_eq!(budget.check_room(64).unwrap_err().kind().slug, "crowded");
        drop(budget.read(Body::from("x".repeat(40)), 64).await.unwrap());
        drop(first);
        assert!(budget.check_room(100).is_ok());
        assert!(budget.read(Body::from("x".repeat(60)), 64).await.is_ok());
        assert_eq!(budget.read(Body::from("x".repeat(65)), 64).await.unwrap_err().kind().slug, "too-large");
        assert!(budget.read(Body::empty(), 64).await.unwrap().is_empty());
    }
}
