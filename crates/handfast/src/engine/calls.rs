//! The calls of one saga that are out: a handful, polled together.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use handfast_protocol::Command;

use super::journaled::Journaled;
use crate::clock::Clock;
use crate::delivery::CallEnd;
use crate::participant::Delivery;

/// One call, from waiting for its turn to its end.
struct Call {
    command: Command,
    number: u64,
    has_left: Arc<AtomicBool>,
    future: Pin<Box<dyn Future<Output = CallEnd> + Send>>,
}

/// A call that has ended.
pub(crate) struct EndedCall {
    pub(crate) command: Command,
    pub(crate) number: u64,
    pub(crate) end: CallEnd,
}

#[derive(Default)]
pub(crate) struct Calls(Vec<Call>);

impl Calls {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn has(&self, command: Command) -> bool {
        self.0.iter().any(|call| call.command == command)
    }

    /// Forgets calls that nobody wants any more and that have not left yet. Those that have are heard out.
    pub(crate) fn keep_wanted(&mut self, wanted: &[Command]) {
        self.0.retain(|call| call.has_left.load(Ordering::Relaxed) || wanted.contains(&call.command));
    }

    /// Sends a command of the outbox on its way.
    pub(crate) fn launch(&mut self, saga: &Journaled, command: Command, number: u64, setting: Setting<'_>) {
        let definition = saga.definition();
        let (Some(line), Some(body), Some(step)) =
            (definition.line(command.step), saga.body(command.step), definition.flow().steps().get(command.step))
        else {
            return;
        };
        let key = format!("{}.{}.{}", setting.store_id, saga.id(), step.name);
        let timeout = step.timeout.unwrap_or(setting.timeout);
        let (line, bytes, hash) = (Arc::clone(line), body.bytes.clone(), body.hash.clone());
        let (clock, not_after) = (setting.clock.clone(), saga.not_after(command.step));
        let has_left = Arc::new(AtomicBool::new(false));
        let leaving = Arc::clone(&has_left);
        let future = Box::pin(async move {
            let operation = command.operation;
            let delivery = Delivery { key: &key, operation, body: &bytes, body_hash: &hash, number, seen: None, not_after };
            line.call(&clock, timeout, delivery, || leaving.store(true, Ordering::Relaxed)).await
        });
        self.0.push(Call { command, number, has_left, future });
    }

    /// The next call that ends; never, if none is out.
    pub(crate) async fn next(&mut self) -> EndedCall {
        poll_fn(|context| {
            for at in 0..self.0.len() {
                if let Poll::Ready(end) = self.0[at].future.as_mut().poll(context) {
                    let call = self.0.swap_remove(at);
                    return Poll::Ready(EndedCall { command: call.command, number: call.number, end });
                }
            }
            Poll::Pending
        })
        .await
    }
}

/// What every call of an engine has in common.
#[derive(Clone, Copy)]
pub(crate) struct Setting<'a> {
    pub(crate) store_id: &'a str,
    pub(crate) timeout: std::time::Duration,
    pub(crate) clock: &'a Clock,
}
