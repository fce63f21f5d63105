//! What happens to sagas, told as it happens: to the application's observer, and to `tracing`.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use handfast_protocol::{Operation, Outcome};

use crate::participant::Reply;

/// The target of the events `saga_placed`, `saga_tried` and `saga_ended`, at the level of information: one at least for every
/// request, so that who does not want them can leave them out.
pub const SAGA_EVENTS: &str = "handfast::saga";

/// Something that happened to a saga in this engine. What it has led to in the journal is durable when it is told.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Happened<'a> {
    /// It was placed, and is flushed.
    #[non_exhaustive]
    Placed {
        /// Its id.
        saga: &'a str,
        /// The flow that it follows.
        flow: &'a str,
    },
    /// A request has come to an end, with an answer or without one. Where the engine stops before an answer is durable it is not
    /// told, and asked for again.
    #[non_exhaustive]
    Tried {
        /// Its saga.
        saga: &'a str,
        /// The flow that the saga follows.
        flow: &'a str,
        /// Which step it was for.
        step: &'a str,
        /// Who was asked.
        participant: &'a str,
        /// What was asked.
        operation: Operation,
        /// What came of it.
        reply: &'a Reply,
        /// How long it took, in milliseconds.
        took_ms: u64,
    },
    /// It has come to its end.
    #[non_exhaustive]
    Ended {
        /// Its id.
        saga: &'a str,
        /// The flow that it follows.
        flow: &'a str,
        /// Which end.
        outcome: Outcome,
    },
}

/// The application's function, and whether it was said that it panics.
struct Called {
    call: Box<dyn Fn(&Happened<'_>) + Send + Sync>,
    has_panicked: AtomicBool,
}

/// The function that is told, if there is one.
#[derive(Clone, Default)]
pub(crate) struct Observer(Option<Arc<Called>>);

impl Observer {
    pub(super) fn calling(called: impl Fn(&Happened<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(Called { call: Box::new(called), has_panicked: AtomicBool::new(false) })))
    }

    pub(crate) fn tell(&self, happened: &Happened<'_>) {
        match *happened {
            Happened::Placed { saga, flow } => {
                tracing::info!(name: "saga_placed", target: SAGA_EVENTS, saga, flow, "a saga was placed");
            }
            Happened::Tried { saga, flow, step, participant, operation, reply, took_ms } => {
                let (operation, reply) = (operation.name(), reply.kind());
                tracing::info!(
                    name: "saga_tried", target: SAGA_EVENTS, saga, flow, step, participant, operation, reply, took_ms,
                    "a participant was asked"
                );
            }
            Happened::Ended { saga, flow, outcome } => {
                let outcome = outcome.name();
                tracing::info!(name: "saga_ended", target: SAGA_EVENTS, saga, flow, outcome, "a saga has ended");
            }
        }
        let Some(called) = &self.0 else { return };
        // What it is told of is durable, and what comes next is not begun: the application's code must not break that off.
        let told = catch_unwind(AssertUnwindSafe(|| (called.call)(happened)));
        if told.is_err() && !called.has_panicked.swap(true, Ordering::Relaxed) {
            tracing::error!(
                name: "observer_panicked",
                "the application's observer panicked; the sagas go on, and it is told of what comes: mend it (this is said once)"
            );
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Observer(set)" } else { "Observer(none)" })
    }
}
