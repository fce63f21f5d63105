//! What was kept of a saga's answers, and when it was placed, read from its journal: it is there after every restart, and nowhere else.

use std::sync::Arc;

use crate::journal::Line;
use crate::participant::{Kept, KeptReceipts, OfSaga};
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
    /// A value that several answers brought is the one that came last.
    fn of<'a>(&'a self, saga: &'a str) -> BoxFuture<'a, Result<OfSaga, String>> {
        Box::pin(async move {
            let stored = self.store.load(saga).await.map_err(|error| error.to_string())?;
            let (mut kept, mut otherwise) = (Kept::new(), Kept::new());
            let first = stored.iter().find_map(|stored| stored.entries.first());
            let placed_at = first.ok_or("the store has no such saga")?.at;
            for stored in stored.iter() {
                for entry in &stored.entries {
                    let line = Line::read(stored.version, &entry.input).map_err(|error| error.to_string())?;
                    let Some((step, brought)) = line.brought() else { continue };
                    let into = if matches!(line, Line::Differs { .. }) { &mut otherwise } else { &mut kept };
                    if let Some(step) = self.steps.get(step) {
                        into.entry(step.clone()).or_default().extend(brought.clone());
                    }
                }
            }
            Ok(OfSaga { kept, otherwise, placed_at })
        })
    }
}
