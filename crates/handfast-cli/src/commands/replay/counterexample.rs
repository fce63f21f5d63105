//! What happens in a saga's world without one of its guards, or where a flow cannot be safe, action by action.

use handfast_lab::saga::Followed;
use handfast_protocol::Outcome;
use serde_json::{Map, json};

use super::story::{Step, Story};
use crate::trace::{CounterexampleTrace, FlowTrace};

/// Executes a run without a guard again, and tells it.
///
/// # Errors
/// An action of it cannot happen, or it breaks nothing.
pub(super) fn story(kept: &CounterexampleTrace) -> anyhow::Result<Story> {
    let followed = kept.replay()?;
    let mutant = kept.mutant;
    let title = format!("{}: {}", mutant.name, mutant.hazard);
    Ok(tell(title, "counterexample", vec![format!("without the guard: {}", mutant.guard)], mutant.breaks, followed))
}

/// Executes a run of a flow again, and tells it.
///
/// # Errors
/// An action of it cannot happen, or it breaks nothing.
pub(super) fn story_of_flow(kept: &FlowTrace) -> anyhow::Result<Story> {
    let followed = kept.replay()?;
    Ok(tell(kept.title(), "flow", Vec::new(), &kept.breaks, followed))
}

fn tell(title: String, kind: &'static str, mut beginning: Vec<String>, breaks: &str, followed: Followed) -> Story {
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
