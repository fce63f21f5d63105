//! A kept run that was executed again, told step by step, of whatever kind it is.

mod counterexample;
mod generals;

use serde::Serialize;
use serde_json::{Map, Value};

pub use self::counterexample::{story_of_counterexample, story_of_flow};
pub use self::generals::{story_of_generals, told_apart};
use crate::diagram::Diagram;
use crate::trace::Kind;

/// A run that was executed again.
pub struct Story {
    /// What it is a run of.
    pub title: String,
    /// The kind of its trace.
    pub kind: Kind,
    /// The beginning, and every step after it.
    pub steps: Vec<Step>,
    /// What came of it.
    pub end: String,
    /// The picture of the beginning and so many steps.
    pub drawn: Box<dyn Fn(usize) -> Diagram>,
}

/// One step of it.
#[derive(Clone, Debug)]
pub struct Step {
    /// What it is, in a few words.
    pub heading: String,
    /// What was told to whom, what changed, what is wanted, what was decided: a sentence each.
    pub says: Vec<String>,
    /// The same as data: members whose names depend on the kind.
    pub data: Map<String, Value>,
}

/// A story as it is written, or one step of it.
#[derive(Serialize)]
struct Written<'a> {
    title: &'a str,
    kind: &'a str,
    steps: Vec<WrittenStep<'a>>,
    end: &'a str,
}

#[derive(Serialize)]
struct WrittenStep<'a> {
    step: usize,
    heading: &'a str,
    says: &'a [String],
    #[serde(flatten)]
    data: &'a Map<String, Value>,
}

impl Story {
    /// The picture of the beginning and so many steps.
    #[must_use]
    pub fn picture(&self, steps: usize) -> Diagram {
        (self.drawn)(steps)
    }

    /// Every step, or one of them, with the members `title`, `kind`, `steps` and `end`.
    #[must_use]
    pub fn written(&self, only: Option<usize>) -> impl Serialize {
        let steps = self.steps.iter().enumerate().filter(|(number, _)| only.is_none_or(|only| only == *number));
        let steps = steps.map(|(step, Step { heading, says, data })| WrittenStep { step, heading, says, data }).collect();
        Written { title: &self.title, kind: self.kind.name(), steps, end: &self.end }
    }
}
