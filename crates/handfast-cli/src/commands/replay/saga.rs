//! A production saga, entry by entry of its journal.

use std::sync::Arc;

use handfast_lab::answers::replay::{Step, Story};
use handfast_lab::diagram::{Diagram, SagaStory};
use handfast_lab::trace::Kind;
use handfast_server::batch::counted;
use handfast_server::story::{Kept, Retold};
use serde_json::{Map, Value};

use crate::bad_input::OrBadInput as _;
use crate::commands::show::{entry_of, step_of};

/// Tells the coordinator every entry again.
///
/// # Errors
/// An entry leads to another state than it did.
pub(super) fn story(kept: Kept) -> anyhow::Result<Story> {
    let retold = kept.retell().or_bad_input()?;
    let started = kept.entries.first().map_or(0, |entry| entry.at.0);
    let first = format!("{}: {}", counted(kept.names.len() as u64, "step"), kept.names.join(", "));
    let mut steps = vec![Step { heading: "the beginning".to_owned(), says: vec![first], data: Map::new() }];
    for step in &retold.steps {
        let Value::Object(data) = serde_json::to_value(step)? else { continue };
        let heading = format!("{} (after {} ms)", step.heading, step.at.saturating_sub(started));
        steps.push(Step { heading, says: step.says.clone(), data });
    }
    let end = format!(
        "The saga is {}.\nThe deployed coordinator was told every entry again, and came to the same state after each.",
        retold.standing
    );
    let title = format!("{} ({})", kept.saga, kept.flow);
    let of_picture = title.clone();
    let drawn = Box::new(move |steps| picture(&of_picture, &kept, &retold, steps));
    Ok(Story { title, kind: Kind::Saga, steps, end, drawn })
}

fn picture(title: &str, kept: &Kept, retold: &Retold, steps: usize) -> Diagram {
    let entries = kept.entries.iter().zip(&retold.lines).take(steps).map(|(entry, line)| entry_of(entry, line));
    let all = retold.lines.len();
    let note = (steps < all).then(|| format!("After {steps} of {all} entries."));
    SagaStory {
        title: title.to_owned(),
        coordinator: kept.flow.clone(),
        steps: kept.names.iter().map(|name| step_of(name)).collect(),
        plan: Arc::clone(&kept.plan),
        version: kept.version,
        entries: entries.collect(),
        tries: Vec::new(),
        flights: Vec::new(),
        kills: Vec::new(),
        trouble: None,
        notes: note.into_iter().collect(),
    }
    .diagram()
}
