//! The calls of one saga that are out: a handful, polled together.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use handfast_protocol::{Command, Operation, Time};
use tracing::Span;

use super::journaled::Journaled;
use crate::clock::Clock;
use crate::delivery::{CallEnd, Class, Link, OwnSeen, Slot};
use crate::key::KeyParts;
use crate::participant::Delivery;
use crate::store::Store;

/// One call, from waiting for its turn to its end.
struct Call {
    /// Whom it asks.
    line: Arc<Link>,
    command: Command,
    number: u64,
    has_left: Arc<AtomicBool>,
    /// It never leaves again, so nothing may keep it from being heard out.
    leaves_once: bool,
    /// What is reported of it says of which saga and step it is.
    span: Span,
    future: Pin<Box<dyn Future<Output = CallEnd> + Send>>,
}

/// A call that has ended.
pub(crate) struct EndedCall {
    /// Who was asked: by the definition that the saga followed when it left.
    pub(crate) line: Arc<Link>,
    pub(crate) command: Command,
    pub(crate) number: u64,
    pub(crate) end: CallEnd,
}

pub(crate) struct Calls {
    /// The one of the saga, in which every request stands, also one that leaves while another's answer is taken.
    span: Span,
    out: Vec<Call>,
}

impl Calls {
    /// None yet, of a saga that has this span.
    pub(crate) const fn within(span: Span) -> Self {
        Self { span, out: Vec::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    pub(crate) fn has(&self, command: Command) -> bool {
        self.out.iter().any(|call| call.command == command)
    }

    /// Forgets calls that the coordinator no longer asks for and that have not left yet, except for looks at these steps. Those
    /// that have left are heard out.
    pub(crate) fn keep_wanted(&mut self, wanted: &[Command], looked_at: &[usize]) {
        let is_beside = |command: Command| command.operation == Operation::Look && looked_at.contains(&command.step);
        self.out
            .retain(|call| call.has_left.load(Ordering::Relaxed) || wanted.contains(&call.command) || is_beside(call.command));
    }

    /// Forgets every look, and what has not left: the saga follows another definition, and it could not be told whose books a
    /// look is of. Everything else that has left is heard out, and read by the definition that it left with.
    pub(crate) fn forget_looks(&mut self) {
        self.out.retain(|call| call.command.operation != Operation::Look && call.has_left.load(Ordering::Relaxed));
    }

    /// Whether an act on this step's key is waiting or out.
    pub(crate) fn has_act(&self, step: usize) -> bool {
        self.has(Command { step, operation: Operation::Act })
    }

    /// Whether a request is out that will never leave again.
    pub(crate) fn has_one_that_leaves_once(&self) -> bool {
        self.out.iter().any(|call| call.leaves_once)
    }

    /// Sends a command of the outbox on its way, unless the saga's deadline comes before its turn does.
    pub(crate) fn launch(&mut self, saga: &Journaled, command: Command, number: u64, setting: Setting<'_>) {
        let Some(envelope) = Envelope::of(saga, command, number, setting) else { return };
        let has_left = Arc::new(AtomicBool::new(false));
        let (leaving, before, class) = (Arc::clone(&has_left), setting.before, setting.class);
        let line = Arc::clone(&envelope.line);
        let future = async move {
            let Some(slot) = envelope.line.slot(&envelope.clock, before, class).await else { return CallEnd::Held };
            leaving.store(true, Ordering::Relaxed);
            envelope.send(slot).await
        };
        self.put(saga, (line, command, number), (has_left, false), future);
    }

    /// Lets a command wait for its turn without sending it: before it leaves it has to be marked as sent.
    pub(crate) fn queue(&mut self, saga: &Journaled, command: Command, number: u64, setting: Setting<'_>) {
        let Some(line) = saga.definition().link(command.step).map(Arc::clone) else { return };
        let (clock, before, class) = (setting.clock.clone(), setting.before, setting.class);
        let waiting = Arc::clone(&line);
        let future = async move { waiting.slot(&clock, before, class).await.map_or(CallEnd::Held, CallEnd::Ready) };
        self.put(saga, (line, command, number), (Arc::default(), false), future);
    }

    /// Sends a command whose turn has come and that is marked as sent. It is heard out whatever the outbox says.
    pub(crate) fn launch_once(&mut self, saga: &Journaled, command: Command, number: u64, slot: Slot, setting: Setting<'_>) {
        let Some(envelope) = Envelope::of(saga, command, number, setting) else { return };
        let has_left = Arc::new(AtomicBool::new(true));
        let line = Arc::clone(&envelope.line);
        self.put(saga, (line, command, number), (has_left, true), envelope.send(slot));
    }

    /// Has a call out, in the span of its own that stands in the one of its saga.
    fn put(
        &mut self,
        saga: &Journaled,
        (line, command, number): (Arc<Link>, Command, u64),
        (has_left, leaves_once): (Arc<AtomicBool>, bool),
        future: impl Future<Output = CallEnd> + Send + 'static,
    ) {
        let step = saga.definition().flow().steps().get(command.step).map_or("?", |step| step.name.as_str());
        let (participant, operation) = (line.name(), command.operation.name());
        let span = tracing::info_span!(parent: &self.span, "request", step, participant, operation, number);
        self.out.push(Call { line, command, number, has_left, leaves_once, span, future: Box::pin(future) });
    }

    /// The next call that ends, and the span of its request; never, if none is out.
    pub(crate) async fn next(&mut self) -> (EndedCall, Span) {
        poll_fn(|context| {
            for at in 0..self.out.len() {
                let call = &mut self.out[at];
                let polled = call.span.in_scope(|| call.future.as_mut().poll(context));
                if let Poll::Ready(end) = polled {
                    let Call { line, command, number, span, .. } = self.out.swap_remove(at);
                    return Poll::Ready((EndedCall { line, command, number, end }, span));
                }
            }
            Poll::Pending
        })
        .await
    }
}

/// One request with everything that it takes along.
struct Envelope {
    line: Arc<Link>,
    key: String,
    operation: Operation,
    is_about_undo: bool,
    body: Bytes,
    body_hash: String,
    number: u64,
    not_after: Option<Time>,
    leaves_before: Option<Time>,
    /// What the saga has seen of the participant.
    own: Vec<OwnSeen>,
    /// Whose answers it rests on.
    rests_on: Vec<String>,
    /// How many acceptances the saga knew of when it was let go.
    accepted: usize,
    timeout: Duration,
    clock: Clock,
    store: Arc<dyn Store>,
    saga: Arc<str>,
}

impl Envelope {
    fn of(saga: &Journaled, command: Command, number: u64, setting: Setting<'_>) -> Option<Self> {
        let definition = saga.definition();
        let step = definition.flow().steps().get(command.step)?;
        let body = saga.body(command.step)?;
        Some(Self {
            line: Arc::clone(definition.link(command.step)?),
            key: KeyParts { store: setting.store.store_id(), saga: saga.id(), step: &step.name }.key(),
            operation: command.operation,
            is_about_undo: command.operation == Operation::Look && saga.coordinator().is_about_undo(command.step),
            body: body.bytes.clone(),
            body_hash: body.hash.clone(),
            number,
            not_after: saga.not_after(command.step).map(|(at, since)| setting.clock.for_others(at, since)),
            leaves_before: setting.before,
            own: saga.seen_by(setting.store.store_id(), command.step),
            rests_on: saga.rests_on(command),
            accepted: setting.accepted,
            timeout: step.timeout.unwrap_or(setting.timeout),
            clock: setting.clock.clone(),
            store: Arc::clone(setting.store),
            saga: Arc::clone(saga.id()),
        })
    }

    /// Whether a person has accepted another life of a participant while this waited for its turn, in whichever process that was;
    /// or whether that cannot be read.
    async fn may_rest_on_a_former_life(&self) -> bool {
        if self.rests_on.is_empty() {
            return false;
        }
        self.store.acceptances().await.map_or(true, |accepted| accepted.len() != self.accepted)
    }

    async fn send(self, slot: Slot) -> CallEnd {
        if self.may_rest_on_a_former_life().await {
            return CallEnd::Held;
        }
        // What wants this message may be written in no file any more, or another worker may see to it.
        if self.store.may_send(&self.saga).is_err() {
            return CallEnd::Held;
        }
        // It may have become known while this waited for its turn.
        if self.rests_on.iter().any(|incarnation| self.line.knows_behind(incarnation)) {
            return CallEnd::Held;
        }
        let Self { line, key, operation, is_about_undo, body, body_hash, number, not_after, leaves_before, .. } = self;
        let (own, timeout, clock) = (self.own, self.timeout, self.clock);
        let (body, body_hash) = (&body, body_hash.as_str());
        let delivery =
            Delivery { is_about_undo, key: &key, operation, body, body_hash, number, seen: None, not_after, leaves_before };
        line.call(slot, &clock, timeout, (delivery, &own)).await
    }
}

/// What every call of an engine has in common.
#[derive(Clone, Copy)]
pub(crate) struct Setting<'a> {
    pub(crate) store: &'a Arc<dyn Store>,
    pub(crate) timeout: Duration,
    pub(crate) clock: &'a Clock,
    /// When the saga is told a deadline, in steady time, after which its outbox may want something else.
    pub(crate) before: Option<Time>,
    /// Whether the saga is new, or was put aside before.
    pub(crate) class: Class,
    /// How many acceptances of a participant's life the saga has been told of, where they are about it.
    pub(crate) accepted: usize,
}
