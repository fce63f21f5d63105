//! What happens in a saga's world without one of its guards, or where a flow cannot be safe, action by action.

use handfast_protocol::Outcome;
use serde_json::{Map, json};

use super::{Step, Story};
use crate::saga::{FlowCase, Followed};
use crate::trace::{CounterexampleTrace, FlowTrace, Kind, TraceError};

/// Executes a run without a guard again, and tells it.
///
/// # Errors
/// An action of it cannot happen, or it breaks nothing.
pub fn story_of_counterexample(kept: &CounterexampleTrace) -> Result<Story, TraceError> {
    let followed = kept.replay()?;
    let mutant = kept.mutant;
    let title = format!("{}: {}", mutant.name, mutant.hazard);
    Ok(tell(title, Kind::Counterexample, vec![format!("without the guard: {}", mutant.guard)], mutant.breaks, followed))
}

/// Executes a run of this flow again, and tells it.
///
/// # Errors
/// An action of it cannot happen, or it breaks nothing.
pub fn story_of_flow(kept: &FlowTrace, flow: &FlowCase) -> Result<Story, TraceError> {
    let followed = kept.replay(flow)?;
    Ok(tell(kept.title(), Kind::Flow, Vec::new(), &kept.breaks, followed))
}

fn tell(title: String, kind: Kind, mut beginning: Vec<String>, breaks: &str, followed: Followed) -> Story {
    beginning.push(format!("against: {}", followed.adversary));
    let data = Map::from_iter([("world".to_owned(), json!(followed.beginning))]);
    let mut steps = vec![Step { heading: "the beginning".to_owned(), says: beginning, data }];
    for step in &followed.steps {
        let mut says = step.changes.clone();
        if !step.wants.is_empty() {
            says.push(format!("the journal wants delivered: {}", step.wants.join(", ")));
        }
        let data = Map::from_iter([
            ("changes".to_owned(), json!(step.changes)),
            ("wants".to_owned(), json!(step.wants)),
            ("decided".to_owned(), json!(step.decided.map(Outcome::name))),
            ("world".to_owned(), json!(step.world)),
        ]);
        steps.push(Step { heading: step.action.clone(), says, data });
    }
    let end = followed.steps.last().map_or(&followed.beginning, |step| &step.world);
    let end = format!("Broken: {breaks}.\n{end}\nEvery action could happen again as it was kept.");
    let pictures = followed.pictures;
    let drawn = Box::new(move |steps: usize| pictures[steps.min(pictures.len() - 1)].clone());
    Story { title, kind, steps, end, drawn }
}
