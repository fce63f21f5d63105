//! A run told step by step, of whatever kind it is.

use handfast_lab::diagram::Diagram;
use serde_json::{Map, Value, json};

/// A run that was executed again.
pub(super) struct Story {
    /// What it is a run of.
    pub(super) title: String,
    /// The kind of its trace.
    pub(super) kind: &'static str,
    /// The beginning, and every step after it.
    pub(super) steps: Vec<Step>,
    /// What came of it.
    pub(super) end: String,
    /// The picture of the beginning and so many steps.
    pub(super) drawn: Box<dyn Fn(usize) -> Diagram>,
}

/// One step of it.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// What it is, in a few words.
    pub(super) heading: String,
    /// What was told to whom, what changed, what is wanted, what was decided: a sentence each.
    pub(super) says: Vec<String>,
    /// The same as data.
    pub(super) data: Map<String, Value>,
}

impl Story {
    /// The picture of the beginning and so many steps.
    pub(super) fn picture(&self, steps: usize) -> Diagram {
        (self.drawn)(steps)
    }

    /// One step as text.
    pub(super) fn step(&self, number: usize) -> String {
        let step = &self.steps[number];
        let mut text = format!("{number}. {}", printable(&step.heading));
        for says in &step.says {
            text += &format!("\n   {}", printable(says));
        }
        text
    }

    /// Every step, or one of them.
    pub(super) fn data(&self, only: Option<usize>) -> Value {
        let steps = self.steps.iter().enumerate().filter(|(number, _)| only.is_none_or(|only| only == *number));
        let steps: Vec<Value> = steps
            .map(|(number, step)| {
                let mut told = json!({ "step": number, "heading": step.heading, "says": step.says });
                if let Some(told) = told.as_object_mut() {
                    told.extend(step.data.clone());
                }
                told
            })
            .collect();
        json!({ "title": self.title, "kind": self.kind, "steps": steps, "end": self.end })
    }
}

/// Text that cannot move the cursor: what people and participants wrote stands in it.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
