//! A participant that follows a script: what becomes of its first, second, third request is what a test says.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use handfast_protocol::{Operation, Time};

use crate::participant::{Delivery, Participant, Reply};
use crate::store::{BoxFuture, Seen};
use handfast_machine::locked;

/// What becomes of one request on its way.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Road {
    /// It arrives, and so does its answer.
    Open,
    /// It does not arrive.
    RequestLost,
    /// It arrives, and its answer does not.
    AnswerLost,
    /// It arrives, and its answer so much later.
    AnswerLate(Duration),
    /// Nothing comes back, and it arrives so much later.
    RequestLate(Duration),
    /// It does not arrive, and this comes back instead.
    Says(Reply),
}

/// A request that was made.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Asked {
    /// Its key.
    pub key: String,
    /// What was asked.
    pub operation: Operation,
    /// What became of it on its way.
    pub road: Road,
}

/// Another participant, behind a road that loses what a test says.
pub struct Scripted {
    inner: Arc<dyn Participant>,
    script: Mutex<Script>,
}

#[derive(Default)]
struct Script {
    by_number: BTreeMap<usize, Road>,
    asked: Vec<Asked>,
}

impl Scripted {
    /// This participant, behind a road on which nothing is lost.
    #[must_use]
    pub fn over(inner: impl Participant) -> Self {
        Self { inner: Arc::new(inner), script: Mutex::default() }
    }

    /// What becomes of the request with this number, counted from 1 over all sagas.
    pub fn at(&self, number: usize, road: Road) {
        locked(&self.script).by_number.insert(number, road);
    }

    /// What becomes of the next `many` requests.
    pub fn next(&self, many: usize, road: &Road) {
        let mut script = locked(&self.script);
        let made = script.asked.len();
        script.by_number.extend((made + 1..=made + many).map(|number| (number, road.clone())));
    }

    /// Every request that was made, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Asked> {
        locked(&self.script).asked.clone()
    }

    fn road_of(&self, request: &Delivery<'_>) -> Road {
        let mut script = locked(&self.script);
        let number = script.asked.len() + 1;
        let road = script.by_number.remove(&number).unwrap_or(Road::Open);
        script.asked.push(Asked { key: request.key.to_owned(), operation: request.operation, road: road.clone() });
        road
    }
}

impl std::fmt::Debug for Scripted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scripted").field("requests", &self.requests()).finish_non_exhaustive()
    }
}

impl Participant for Scripted {
    fn deliver<'a>(&'a self, request: Delivery<'a>) -> BoxFuture<'a, Reply> {
        let road = self.road_of(&request);
        Box::pin(async move {
            match road {
                Road::Open => self.inner.deliver(request).await,
                Road::RequestLost => Reply::unknown("the request was lost"),
                Road::AnswerLost => {
                    let _lost = self.inner.deliver(request).await;
                    Reply::unknown("the answer was lost")
                }
                Road::AnswerLate(after) => {
                    let reply = self.inner.deliver(request).await;
                    tokio::time::sleep(after).await;
                    reply
                }
                Road::RequestLate(after) => {
                    let (inner, late) = (Arc::clone(&self.inner), Late::of(&request));
                    tokio::spawn(async move {
                        tokio::time::sleep(after).await;
                        let _nobody_hears = inner.deliver(late.as_delivery()).await;
                    });
                    Reply::unknown("the request is on the road for long")
                }
                Road::Says(reply) => reply,
            }
        })
    }
}

/// A request that outlives the call that made it.
struct Late {
    key: String,
    operation: Operation,
    is_about_undo: bool,
    body: Bytes,
    body_hash: String,
    number: u64,
    seen: Option<Seen>,
    not_after: Option<Time>,
}

impl Late {
    fn of(request: &Delivery<'_>) -> Self {
        let &Delivery { key, operation, is_about_undo, body, body_hash, number, seen, not_after, leaves_before: _ } = request;
        let (key, body, body_hash) = (key.to_owned(), body.clone(), body_hash.to_owned());
        Self { key, operation, is_about_undo, body, body_hash, number, seen: seen.cloned(), not_after }
    }

    /// It has left long ago.
    fn as_delivery(&self) -> Delivery<'_> {
        let Self { key, operation, is_about_undo, body, body_hash, number, seen, not_after } = self;
        let (operation, is_about_undo, number, not_after) = (*operation, *is_about_undo, *number, *not_after);
        let seen = seen.as_ref();
        Delivery { key, operation, is_about_undo, body, body_hash, number, seen, not_after, leaves_before: None }
    }
}
