//! One order on its way: placed, waited for, and looked at once more when it has ended.

use std::sync::Arc;
use std::time::Duration;

use handfast::flow_file::FlowFile;
use handfast::{Engine, Order, Outcome, Progress, SagaView, Standing, SubmitError};

use super::BatchError;
use super::report::{Ending, ResultLine, StepLine};
use handfast_machine::clock::{Stopwatch, now_ms};

/// How often an order is placed again when the store does not say whether it was placed, and how long is waited before.
const PLACINGS: u32 = 5;
const BETWEEN_PLACINGS: Duration = Duration::from_millis(200);

/// For how long the last look at an order is waited for.
const LAST_LOOK: Duration = Duration::from_secs(10);

/// Why an id cannot be taken.
pub(super) fn taken(id: &str) -> String {
    format!(
        "id: the store knows another order called {id}, which goes on unchanged; give this one an id of its own, or use another store"
    )
}

/// One order on its way.
pub(super) struct Follow {
    pub(super) engine: Engine,
    pub(super) file: Arc<FlowFile>,
    pub(super) line: u64,
    pub(super) give_up_after: Option<Duration>,
}

pub(super) enum Followed {
    Ended(ResultLine),
    /// The id is another order's; why, in words.
    Taken(u64, String),
}

impl Follow {
    pub(super) async fn bring_to_its_end(self, order: Order) -> Result<Followed, BatchError> {
        let id = order.id.clone();
        let mut placings = 0;
        let mut handle = loop {
            placings += 1;
            match self.engine.submit(order.clone()).await {
                Ok(handle) => break handle,
                Err(SubmitError::DifferentBody { id }) => return Ok(Followed::Taken(self.line, taken(&id))),
                Err(SubmitError::Store(_)) if placings < PLACINGS => tokio::time::sleep(BETWEEN_PLACINGS).await,
                Err(error @ (SubmitError::Store(_) | SubmitError::Clock { .. } | SubmitError::Stopping)) => {
                    return Ok(Followed::Ended(self.line(id, None, Ending::InDoubt, Some(error.to_string())).await));
                }
                Err(
                    error @ (SubmitError::Id { .. }
                    | SubmitError::Flow { .. }
                    | SubmitError::Bodies { .. }
                    | SubmitError::Redefined { .. }
                    | SubmitError::KeyTaken { .. }),
                ) => {
                    return Err(BatchError::Misfit(error));
                }
                Err(error) => return Err(BatchError::Misfit(error)),
            }
        };
        let waited = match self.give_up_after {
            Some(longest) => handle.wait(longest).await,
            None => handle.outcome().await.map(|_outcome| handle.progress()),
        };
        // Read once, so that a saga that ends right after the wait does not contradict itself.
        let standing = waited.as_ref().map_or_else(|_| handle.progress().standing(), Progress::standing);
        let (ending, trouble) = Ending::of(waited, handle.progress().is_held());
        Ok(Followed::Ended(self.line(id, Some(standing), ending, trouble).await))
    }

    /// What the store knows of an order. Where the time is over for which it was to be watched, it is looked at now for the last
    /// time, and that is waited for.
    async fn looked_at_once_more(&self, id: &str) -> Option<SagaView> {
        let waits = Stopwatch::start();
        loop {
            let view = self.engine.saga(id).await.ok().flatten();
            let watched_until = view.as_ref().and_then(|view| view.watched_until);
            let is_over = watched_until.is_some_and(|until| until.0 <= now_ms());
            if !is_over || waits.elapsed() > LAST_LOOK {
                return view;
            }
            tokio::time::sleep(BETWEEN_PLACINGS).await;
        }
    }

    async fn line(&self, id: String, standing: Option<Standing>, ending: Ending, mut trouble: Option<String>) -> ResultLine {
        let mut watched_until_ms = None;
        let steps = if ending == Ending::Completed {
            // Both means every step, so the store need not be asked.
            let done = |name: &String| StepLine { name: name.clone(), state: Some("done"), detail: None };
            self.file.steps().iter().map(|step| done(&step.name)).collect()
        } else {
            let view = self.looked_at_once_more(&id).await;
            if let Some(view) = &view {
                // As everybody else is told it.
                trouble.clone_from(&view.trouble);
            }
            watched_until_ms = view.as_ref().and_then(|view| view.watched_until).map(|at| at.0);
            view.as_ref().map(StepLine::of).unwrap_or_default()
        };
        let outcome = ending.outcome().map(Outcome::name);
        let held = ending == Ending::Held;
        ResultLine {
            id,
            line: self.line,
            standing: standing.map(Standing::name),
            outcome,
            held,
            watched_until_ms,
            ending,
            steps,
            trouble,
        }
    }
}
