//! Builds a flow in code, out of what the participants of its steps promise.

use std::sync::Arc;
use std::time::Duration;

use handfast_protocol::{Assumptions, Finding, Kind, Profile, ProfiledStep, Risk, assess};

use super::written::{Written, WrittenStep};
use super::{Flow, FlowError, FlowStep, ParticipantRef, UnacceptedRisk, UnacceptedRisks};
use crate::clock::whole_ms;
use crate::participant::HttpTemplates;

/// Builds a [`Flow`] in code. What is neither of the whole flow ([`assume`](Self::assume),
/// [`accept_risk`](Self::accept_risk)) nor a new step speaks of the step that was added last.
#[derive(Clone, Debug)]
pub struct FlowBuilder {
    name: String,
    steps: Vec<BuiltStep>,
    assumptions: Assumptions,
    accepted: Vec<String>,
}

#[derive(Clone, Debug)]
struct BuiltStep {
    step: FlowStep,
    profiled: ProfiledStep,
    captures: Option<String>,
    undo_after: Option<String>,
}

impl FlowBuilder {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), steps: Vec::new(), assumptions: Assumptions::default(), accepted: Vec::new() }
    }

    /// Adds a step that may refuse and can be undone.
    #[must_use]
    pub fn compensatable(self, name: &str, participant: impl Into<ParticipantRef>) -> Self {
        self.step(name, participant, Profile::of_kind(Kind::Compensatable))
    }

    /// Adds the step that may refuse and cannot be undone.
    #[must_use]
    pub fn pivot(self, name: &str, participant: impl Into<ParticipantRef>) -> Self {
        self.step(name, participant, Profile::of_kind(Kind::Pivot))
    }

    /// Adds a step that cannot refuse.
    #[must_use]
    pub fn retriable(self, name: &str, participant: impl Into<ParticipantRef>) -> Self {
        self.step(name, participant, Profile::of_kind(Kind::Retriable))
    }

    /// Adds a step whose participant promises this and no more.
    #[must_use]
    pub fn step(mut self, name: &str, participant: impl Into<ParticipantRef>, profile: Profile) -> Self {
        let profiled = ProfiledStep { profile, ..ProfiledStep::default() };
        self.steps.push(BuiltStep { step: FlowStep::new(name, participant), profiled, captures: None, undo_after: None });
        self
    }

    /// How long after its intent the step's key is closed, unless it is known by then what became of it.
    #[must_use]
    pub fn deadline(self, deadline: Duration) -> Self {
        self.with_last(|last| last.profiled.deadline_ms = Some(whole_ms(deadline)))
    }

    /// How long the engine waits for the answer to one try.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with_last(|last| last.step.timeout = Some(timeout))
    }

    /// So many requests are out to the step's participant at most.
    #[must_use]
    pub fn in_flight(self, requests: u32) -> Self {
        self.with_last(|last| last.step.in_flight = Some(requests))
    }

    /// No pause between two tries of one delivery to the step's participant is longer than this.
    #[must_use]
    pub fn retry_cap(self, cap: Duration) -> Self {
        self.with_last(|last| last.step.retry_cap = Some(cap))
    }

    /// The step runs side by side with the one before it.
    #[must_use]
    pub fn beside(self) -> Self {
        self.with_last(|last| last.profiled.beside = true)
    }

    /// The step makes lasting what an earlier step holds.
    #[must_use]
    pub fn captures(self, step: &str) -> Self {
        self.with_last(|last| last.captures = Some(step.to_owned()))
    }

    /// The step is undone only once this other one is off.
    #[must_use]
    pub fn undo_after(self, step: &str) -> Self {
        self.with_last(|last| last.undo_after = Some(step.to_owned()))
    }

    /// The step's participant knows nothing of the contract, and is called by these templates.
    #[must_use]
    pub fn templates(self, templates: impl Into<Arc<HttpTemplates>>) -> Self {
        self.with_last(|last| last.step.http = Some(templates.into()))
    }

    /// What is taken for granted about the world.
    #[must_use]
    pub const fn assume(mut self, assumptions: Assumptions) -> Self {
        self.assumptions = assumptions;
        self
    }

    /// Accepts what the flow cannot promise, by the name of the risk: one of [`Risk::NAMES`].
    #[must_use]
    pub fn accept_risk(mut self, name: &str) -> Self {
        self.accepted.push(name.to_owned());
        self
    }

    /// The flow, if the order of its steps is sound and every risk was accepted.
    ///
    /// # Errors
    /// The first thing that is wrong with it, or every risk that was not accepted.
    pub fn build(self) -> Result<Flow, FlowError> {
        let assessment = assess(&self.profiled()?, &self.assumptions)?;
        let is_accepted = |finding: &Finding<Risk>| self.accepted.iter().any(|name| name == finding.what.name());
        let risks: Vec<UnacceptedRisk> = assessment
            .risks
            .into_iter()
            .filter(|finding| !is_accepted(finding))
            .map(|finding| {
                let step = self.steps[finding.step].step.name.clone();
                UnacceptedRisk { place: self.name.clone(), step, finding }
            })
            .collect();
        if !risks.is_empty() {
            return Err(UnacceptedRisks { flow: self.name, risks }.into());
        }
        let steps = self.steps.iter().zip(assessment.plan.steps()).map(|(built, plan)| WrittenStep::of(&built.step, plan));
        let written = Written::new(self.name.clone(), steps.collect());
        let text = serde_json::to_string(&written).map_err(|error| FlowError::Text(error.to_string()))?;
        Flow::from_built_text(&text)
    }

    /// The steps, with the names of others turned into their places.
    fn profiled(&self) -> Result<Vec<ProfiledStep>, FlowError> {
        let place = |of: &BuiltStep, name: &Option<String>| {
            let Some(name) = name else { return Ok(None) };
            let found = self.steps.iter().position(|other| other.step.name == *name);
            let missing = || FlowError::NoSuchStep { step: of.step.name.clone(), other: name.clone() };
            found.map(Some).ok_or_else(missing)
        };
        let profiled = |built: &BuiltStep| {
            let (captures, undo_after) = (place(built, &built.captures)?, place(built, &built.undo_after)?);
            Ok(ProfiledStep { captures, undo_after, ..built.profiled })
        };
        self.steps.iter().map(profiled).collect()
    }

    fn with_last(mut self, change: impl FnOnce(&mut BuiltStep)) -> Self {
        if let Some(last) = self.steps.last_mut() {
            change(last);
        }
        self
    }
}
