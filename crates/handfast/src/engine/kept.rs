//! What was kept of a saga's answers, and when it was placed, read from its journal: it is there after every restart, and nowhere else.

use std::sync::Arc;

use handfast_protocol::{Answer, Command, Definite, Operation};

use crate::journal::Line;
use crate::participant::{KeptReceipts, OfSaga};
use crate::store::{BoxFuture, Store};

/// Reads the journals of sagas whose steps have these names.
pub(crate) struct JournalReceipts {
    store: Arc<dyn Store>,
    steps: Vec<String>,
}

impl JournalReceipts {
    pub(crate) fn new(store: Arc<dyn Store>, steps: Vec<String>) -> Self {
        Self { store, steps }
    }
}

impl KeptReceipts for JournalReceipts {
    /// A value that several answers brought is the one that came last. What an undo brought is about the undo: it takes the place
    /// of nothing that its act brought, whatever the two are called.
    fn of<'a>(&'a self, saga: &'a str) -> BoxFuture<'a, Result<OfSaga, String>> {
        Box::pin(async move {
            let stored = self.store.load(saga).await.map_err(|error| error.to_string())?;
            let first = stored.iter().find_map(|stored| stored.entries.first());
            let placed_at = first.ok_or("the store has no such saga")?.at;
            let mut of_saga = OfSaga { placed_at, ..OfSaga::default() };
            for stored in stored.iter() {
                for entry in &stored.entries {
                    let line = Line::read(stored.version, &entry.input).map_err(|error| error.to_string())?;
                    let Some((step, brought)) = line.brought() else { continue };
                    let into = match &line {
                        Line::Answer { to, answer, .. } if is_of_undo(*to, *answer) => &mut of_saga.of_undos,
                        Line::Undo { .. } => &mut of_saga.of_undos,
                        Line::Differs { to, .. } if to.operation == Operation::Undo => continue,
                        Line::Differs { .. } => &mut of_saga.otherwise,
                        Line::Answer { .. }
                        | Line::Start
                        | Line::Timeout
                        | Line::Due(_)
                        | Line::Cancel { .. }
                        | Line::Person { .. }
                        | Line::Sent { .. }
                        | Line::Looked { .. }
                        | Line::Moved { .. }
                        | Line::SameBooks { .. }
                        | Line::Forgotten { .. } => &mut of_saga.kept,
                    };
                    if let Some(step) = self.steps.get(step) {
                        into.entry(step.clone()).or_default().extend(brought.clone());
                    }
                }
            }
            Ok(of_saga)
        })
    }
}

/// Whether an answer was brought by an undo, or by a look at one.
fn is_of_undo(to: Command, answer: Answer) -> bool {
    to.operation == Operation::Undo || answer == Answer::State(Definite::Undone)
}
