//! A kept run of a flow's world, as `handfast check FLOW.toml --keep FILE` writes it.

use anyhow::{Context as _, anyhow, bail};
use handfast::flow_file::FlowFile;
use handfast_lab::saga::{Adversary, FlowCase, Followed, Network};
use handfast_protocol::{Finding, Risk};
use serde::{Deserialize, Serialize};

use super::counterexample::check_kept;
use super::document::{Document, members};
use crate::bad_input::OrBadInput as _;
use crate::commands::check::Counterexample;

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
#[derive(Clone, Debug, Serialize, Deserialize)]
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

    fn is(&self, risk: &Finding<Risk>) -> bool {
        let Self { risk: name, step, answer_to, means } = Self::of(risk);
        (name, step, answer_to, means) == (self.risk.clone(), self.step, self.answer_to.clone(), self.means.clone())
    }
}

/// A kept run of a flow's world.
#[derive(Debug)]
pub(crate) struct FlowTrace {
    file: String,
    flow: String,
    part: Vec<usize>,
    comes_true: Option<RiskShape>,
    network: Network,
    workers: usize,
    crashes: u8,
    pub(crate) breaks: String,
    adversary: String,
    run: Vec<String>,
    end: String,
}

impl FlowTrace {
    /// A run that breaks a property of the flow that stands in this text.
    pub(crate) fn new(file: &FlowFile, text: String, run: &Counterexample) -> Self {
        let comes_true = run.come_true.map(|risk| RiskShape::of(&risk));
        Self {
            file: file.file().to_owned(),
            flow: text,
            part: run.part.clone(),
            comes_true,
            network: run.adversary.network,
            workers: run.adversary.workers,
            crashes: run.adversary.crashes,
            breaks: run.property.to_owned(),
            adversary: run.adversary.to_string(),
            run: run.actions.clone(),
            end: run.end.clone(),
        }
    }

    /// What it is a run of, in words.
    pub(crate) fn title(&self) -> String {
        match &self.comes_true {
            Some(risk) => format!("{}: {} comes true", self.file, risk.risk),
            None => self.file.clone(),
        }
    }

    /// Executes it again, step by step.
    ///
    /// # Errors
    /// The flow is none any more, an action cannot happen, the world ends otherwise, or nothing is broken.
    pub(crate) fn replay(&self) -> anyhow::Result<Followed> {
        let (flow, come_true) = self.case().or_bad_input()?;
        let adversary = Adversary::new(self.network).workers(self.workers).crashes(self.crashes);
        let followed = flow.follow(&come_true, adversary, &self.breaks, &self.run).or_bad_input()?;
        check_kept(&followed, &self.adversary, &self.end)?;
        Ok(followed)
    }

    fn case(&self) -> anyhow::Result<(FlowCase, Vec<Finding<Risk>>)> {
        let file = FlowFile::parse(&self.file, &self.flow).context("the flow of this trace")?;
        let names = file.steps().iter().map(|step| step.name.clone()).collect();
        let whole = FlowCase::new(names, file.profiled().to_vec(), file.assumptions())?;
        let parts = whole.parts()?;
        let (_, flow) = parts
            .into_iter()
            .find(|(places, _)| *places == self.part)
            .with_context(|| format!("these steps are not explored together: {:?}", self.part))?;
        let Some(shape) = &self.comes_true else { return Ok((flow, Vec::new())) };
        let risk = flow.assessment().risks.iter().find(|risk| shape.is(risk));
        let risk = *risk.with_context(|| format!("step {} has no risk {:?}", shape.step, shape.risk))?;
        Ok((flow, vec![risk]))
    }

    pub(super) fn read(text: &str) -> anyhow::Result<Self> {
        let shape: Shape = members(text)?;
        let network = crate::commands::check::parse_network(&shape.network).map_err(|why| anyhow!("\"network\": {why}"))?;
        if !(1..=handfast_lab::saga::MAX_WORKERS).contains(&shape.workers) {
            bail!("\"workers\" must be 1 to {}, and it is {}", handfast_lab::saga::MAX_WORKERS, shape.workers);
        }
        if shape.steps.contains(&0) || shape.steps.is_empty() || shape.steps.len() > network.max_steps() {
            bail!("\"steps\" must be 1 to {} places of steps, counted from 1", network.max_steps());
        }
        Ok(Self {
            file: shape.file,
            flow: shape.flow,
            part: shape.steps.iter().map(|place| place - 1).collect(),
            comes_true: shape.comes_true,
            network,
            workers: shape.workers,
            crashes: shape.crashes,
            breaks: shape.breaks,
            adversary: shape.adversary,
            run: shape.run,
            end: shape.end,
        })
    }

    pub(super) fn write(&self) -> anyhow::Result<String> {
        let network = match self.network {
            Network::Set => "set".to_owned(),
            Network::Multiset { capacity } => format!("multiset:{capacity}"),
        };
        Ok(Document::new("flow")
            .member("file", &self.file)?
            .member("flow", &self.flow)?
            .member("steps", &self.part.iter().map(|place| place + 1).collect::<Vec<_>>())?
            .member("comes_true", &self.comes_true)?
            .member("network", &network)?
            .member("workers", &self.workers)?
            .member("crashes", &self.crashes)?
            .member("breaks", &self.breaks)?
            .member("adversary", &self.adversary)?
            .list("run", &self.run)?
            .member("end", &self.end)?
            .finish())
    }
}
