//! A kept run of a flow's world, as `handfast check FLOW.toml --keep FILE` writes it.

use handfast_protocol::{Finding, Risk};
use serde::{Deserialize, Serialize};

use super::counterexample::check_kept;
use super::document::{Document, members};
use super::{Kind, TraceError};
use crate::answers::flow::Counterexample;
use crate::saga::{Adversary, FlowCase, Followed, MAX_WORKERS, Network};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    #[serde(rename = "trace")]
    _trace: String,
    #[serde(rename = "kind")]
    _kind: String,
    file: String,
    flow: String,
    steps: Vec<usize>,
    comes_true: Option<RiskShape>,
    network: String,
    workers: usize,
    crashes: u8,
    breaks: String,
    adversary: String,
    run: Vec<String>,
    end: String,
}

/// A risk by its name, and its step among those that were explored, counted from 1. What is about one answer says which.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RiskShape {
    risk: String,
    step: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer_to: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    means: Option<String>,
}

impl RiskShape {
    fn of(risk: &Finding<Risk>) -> Self {
        let answer = risk.what.answer();
        Self {
            risk: risk.what.name().to_owned(),
            step: risk.step + 1,
            answer_to: answer.map(|(operation, _)| operation.name().to_owned()),
            means: answer.map(|(_, meaning)| meaning.name().to_owned()),
        }
    }
}

/// A kept run of a flow's world.
#[derive(Debug)]
pub struct FlowTrace {
    /// What messages call the flow file.
    pub file: String,
    /// Its text.
    pub flow: String,
    /// The property that the run breaks.
    pub breaks: String,
    part: Vec<usize>,
    comes_true: Option<RiskShape>,
    network: Network,
    workers: usize,
    crashes: u8,
    adversary: String,
    run: Vec<String>,
    end: String,
}

impl FlowTrace {
    /// A run that breaks a property of the flow that stands in this text, which messages call `file`.
    #[must_use]
    pub fn new(file: &str, text: String, run: &Counterexample) -> Self {
        Self {
            file: file.to_owned(),
            flow: text,
            breaks: run.property.to_owned(),
            part: run.part.clone(),
            comes_true: run.come_true.as_ref().map(RiskShape::of),
            network: run.adversary.network,
            workers: run.adversary.workers,
            crashes: run.adversary.crashes,
            adversary: run.adversary.to_string(),
            run: run.actions.clone(),
            end: run.end.clone(),
        }
    }

    /// What it is a run of, in words.
    #[must_use]
    pub fn title(&self) -> String {
        match &self.comes_true {
            Some(risk) => format!("{}: {} comes true", self.file, risk.risk),
            None => self.file.clone(),
        }
    }

    /// Executes it again, step by step, in the world of the flow that its text is.
    ///
    /// # Errors
    /// The flow has no such part or risk, an action cannot happen, the world ends otherwise, or nothing is broken.
    pub fn replay(&self, whole: &FlowCase) -> Result<Followed, TraceError> {
        let (flow, come_true) = self.case(whole)?;
        let adversary = Adversary::new(self.network).workers(self.workers).crashes(self.crashes);
        let followed = flow.follow(&come_true, adversary, &self.breaks, &self.run)?;
        check_kept(&followed, &self.adversary, &self.end)?;
        Ok(followed)
    }

    fn case(&self, whole: &FlowCase) -> Result<(FlowCase, Vec<Finding<Risk>>), TraceError> {
        let parts = whole.parts().map_err(|error| TraceError::Member(error.to_string()))?;
        let part = parts.into_iter().find(|(places, _)| *places == self.part);
        let (_, flow) =
            part.ok_or_else(|| TraceError::Member(format!("these steps are not explored together: {:?}", self.part)))?;
        let Some(shape) = &self.comes_true else { return Ok((flow, Vec::new())) };
        let risk = flow.assessment().risks.iter().find(|risk| RiskShape::of(risk) == *shape);
        let risk = *risk.ok_or_else(|| TraceError::Member(format!("step {} has no risk {:?}", shape.step, shape.risk)))?;
        Ok((flow, vec![risk]))
    }

    /// The run that this text is.
    ///
    /// # Errors
    /// It is none.
    pub fn read(text: &str) -> Result<Self, TraceError> {
        let shape: Shape = members(text)?;
        let network: Network = shape.network.parse().map_err(|why| TraceError::Member(format!("\"network\": {why}")))?;
        if !(1..=MAX_WORKERS).contains(&shape.workers) {
            let said = format!("\"workers\" must be 1 to {MAX_WORKERS}, and it is {}", shape.workers);
            return Err(TraceError::Member(said));
        }
        if shape.steps.contains(&0) || shape.steps.is_empty() || shape.steps.len() > network.max_steps() {
            let said = format!("\"steps\" must be 1 to {} places of steps, counted from 1", network.max_steps());
            return Err(TraceError::Member(said));
        }
        Ok(Self {
            file: shape.file,
            flow: shape.flow,
            breaks: shape.breaks,
            part: shape.steps.iter().map(|place| place - 1).collect(),
            comes_true: shape.comes_true,
            network,
            workers: shape.workers,
            crashes: shape.crashes,
            adversary: shape.adversary,
            run: shape.run,
            end: shape.end,
        })
    }

    /// As it is kept.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self) -> Result<String, TraceError> {
        Ok(Document::new(Kind::Flow)
            .member("file", &self.file)?
            .member("flow", &self.flow)?
            .member("steps", &self.part.iter().map(|place| place + 1).collect::<Vec<_>>())?
            .member("comes_true", &self.comes_true)?
            .member("network", &self.network.typed())?
            .member("workers", &self.workers)?
            .member("crashes", &self.crashes)?
            .member("breaks", &self.breaks)?
            .member("adversary", &self.adversary)?
            .list("run", &self.run)?
            .member("end", &self.end)?
            .finish())
    }
}
