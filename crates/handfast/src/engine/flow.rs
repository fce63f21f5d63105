//! A flow as the driver sees it: the sound order of its steps, and who takes each.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use handfast_protocol::{Kind, Plan, PlanError, StepPlan};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::clock::whole_ms;

/// A participant, by the base URL of its service or by the name under which it was added to the engine.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ParticipantRef(Arc<str>);

impl ParticipantRef {
    /// The URL or name. A URL ends without a slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is reached over HTTP.
    #[must_use]
    pub fn is_url(&self) -> bool {
        self.0.starts_with("http://") || self.0.starts_with("https://")
    }
}

impl From<&str> for ParticipantRef {
    fn from(text: &str) -> Self {
        Self(text.trim_end_matches('/').into())
    }
}

impl From<String> for ParticipantRef {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl fmt::Display for ParticipantRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who takes a step, and how it is called.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FlowStep {
    /// Unique in the flow; 1 to 32 of `a-z`, `0-9` and `-`. A part of every key, so it is never changed.
    pub name: String,
    /// Who takes it.
    pub participant: ParticipantRef,
    /// How long the engine waits for the answer to one try, where that differs from its default.
    pub timeout: Option<Duration>,
}

/// A flow: a plan, and who takes each step.
///
/// Its exact text is stored with every saga that follows it, so that changing a flow affects new sagas only.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Flow {
    name: String,
    plan: Arc<Plan>,
    steps: Vec<FlowStep>,
    text: Arc<str>,
    hash: [u8; 32],
}

/// Why a flow cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FlowError {
    /// A name that a key or a line of output could not carry.
    #[error("{name:?} cannot be the name of a flow or step; use 1 to 32 of a-z, 0-9 and -")]
    Name {
        /// The name.
        name: String,
    },
    /// Two steps of one name would share their keys.
    #[error("two steps are called {name:?}; every step needs a name of its own")]
    TwoSteps {
        /// The name.
        name: String,
    },
    /// The plan and the list of participants are of different lengths.
    #[error("the plan has {plan} steps, but {steps} participants are named")]
    Length {
        /// Steps of the plan.
        plan: usize,
        /// Steps of the list.
        steps: usize,
    },
    /// The order of the steps is unsound.
    #[error(transparent)]
    Order(#[from] PlanError),
    /// A stored definition that nothing here can read.
    #[error("the flow's definition cannot be read: {0}")]
    Text(String),
}

impl Flow {
    /// Begins a flow in code. Steps are added in their order.
    #[must_use]
    pub fn builder(name: &str) -> FlowBuilder {
        FlowBuilder { name: name.to_owned(), steps: Vec::new() }
    }

    /// A flow whose definition is `text`, in whatever format the caller reads.
    ///
    /// # Errors
    /// A name that does not do, or a plan that does not fit the steps.
    pub fn from_parts(name: &str, plan: Arc<Plan>, steps: Vec<FlowStep>, text: &str) -> Result<Self, FlowError> {
        for name in steps.iter().map(|step| step.name.as_str()).chain([name]) {
            let fits = (1..=32).contains(&name.len())
                && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
            if !fits {
                return Err(FlowError::Name { name: name.to_owned() });
            }
        }
        if plan.steps().len() != steps.len() {
            return Err(FlowError::Length { plan: plan.steps().len(), steps: steps.len() });
        }
        if let Some(twice) = (1..steps.len()).find(|&at| steps[..at].iter().any(|step| step.name == steps[at].name)) {
            return Err(FlowError::TwoSteps { name: steps[twice].name.clone() });
        }
        let hash = Sha256::digest(text.as_bytes()).into();
        Ok(Self { name: name.to_owned(), plan, steps, text: text.into(), hash })
    }

    /// Reads a definition that [`FlowBuilder::build`] wrote.
    ///
    /// # Errors
    /// It is not one.
    pub fn from_built_text(text: &str) -> Result<Self, FlowError> {
        let written: Written = serde_json::from_str(text).map_err(|error| FlowError::Text(error.to_string()))?;
        let plan = written.steps.iter().map(WrittenStep::plan).collect::<Result<_, _>>()?;
        let steps = written.steps.into_iter().map(WrittenStep::into_step).collect();
        Self::from_parts(&written.flow, Arc::new(Plan::new(plan)?), steps, text)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The order of its steps.
    #[must_use]
    pub const fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Who takes each step, in order.
    #[must_use]
    pub fn steps(&self) -> &[FlowStep] {
        &self.steps
    }

    /// Its definition, byte for byte.
    #[must_use]
    pub const fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// SHA-256 of the definition.
    #[must_use]
    pub const fn hash(&self) -> [u8; 32] {
        self.hash
    }
}

/// Builds a [`Flow`] in code. [`deadline`](Self::deadline), [`timeout`](Self::timeout) and [`beside`](Self::beside) speak
/// of the step that was added last.
#[derive(Clone, Debug)]
pub struct FlowBuilder {
    name: String,
    steps: Vec<WrittenStep>,
}

impl FlowBuilder {
    /// Adds a step that may refuse and can be undone.
    #[must_use]
    pub fn compensatable(self, name: &str, participant: impl Into<ParticipantRef>) -> Self {
        self.step(name, participant.into(), Kind::Compensatable)
    }

    /// Adds the step that may refuse and cannot be undone.
    #[must_use]
    pub fn pivot(self, name: &str, participant: impl Into<ParticipantRef>) -> Self {
        self.step(name, participant.into(), Kind::Pivot)
    }

    /// Adds a step that cannot refuse.
    #[must_use]
    pub fn retriable(self, name: &str, participant: impl Into<ParticipantRef>) -> Self {
        self.step(name, participant.into(), Kind::Retriable)
    }

    /// How long after its intent the step's key is closed, unless it is known by then what became of it.
    #[must_use]
    pub fn deadline(self, deadline: Duration) -> Self {
        self.with_last(|step| step.deadline_ms = Some(whole_ms(deadline)))
    }

    /// How long the engine waits for the answer to one try.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with_last(|step| step.timeout_ms = Some(whole_ms(timeout)))
    }

    /// The step runs side by side with the one before it.
    #[must_use]
    pub fn beside(self) -> Self {
        self.with_last(|step| step.beside = true)
    }

    /// The flow, if the order of its steps is sound.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn build(self) -> Result<Flow, FlowError> {
        let written = Written { flow: self.name, steps: self.steps };
        let text = serde_json::to_string(&written).map_err(|error| FlowError::Text(error.to_string()))?;
        Flow::from_built_text(&text)
    }

    fn step(mut self, name: &str, participant: ParticipantRef, kind: Kind) -> Self {
        let kind = kind.name().to_owned();
        let participant = participant.as_str().to_owned();
        self.steps.push(WrittenStep {
            name: name.to_owned(),
            kind,
            participant,
            beside: false,
            deadline_ms: None,
            timeout_ms: None,
        });
        self
    }

    fn with_last(mut self, change: impl FnOnce(&mut WrittenStep)) -> Self {
        if let Some(step) = self.steps.last_mut() {
            change(step);
        }
        self
    }
}

/// The stored shape of a flow that was built in code.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    flow: String,
    steps: Vec<WrittenStep>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenStep {
    name: String,
    kind: String,
    participant: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    beside: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deadline_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timeout_ms: Option<u64>,
}

impl WrittenStep {
    fn plan(&self) -> Result<StepPlan, FlowError> {
        let kind = Kind::ALL
            .into_iter()
            .find(|kind| kind.name() == self.kind)
            .ok_or_else(|| FlowError::Text(format!("{:?} is no kind of step", self.kind)))?;
        Ok(StepPlan { beside: self.beside, deadline_ms: self.deadline_ms, ..StepPlan::new(kind) })
    }

    fn into_step(self) -> FlowStep {
        let timeout = self.timeout_ms.map(Duration::from_millis);
        FlowStep { name: self.name, participant: self.participant.into(), timeout }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shop() -> FlowBuilder {
        Flow::builder("shop")
            .compensatable("payment", "http://pay/keys/")
            .deadline(Duration::from_secs(5))
            .pivot("dispatch", "ship")
    }

    #[test]
    fn a_built_flow_is_read_back_from_its_own_text() {
        let flow = shop().retriable("mail", "mail").timeout(Duration::from_millis(300)).build().unwrap();
        assert_eq!(Flow::from_built_text(flow.text()).unwrap(), flow);
        assert_eq!(flow.plan().steps()[0].deadline_ms, Some(5000));
        assert_eq!(flow.steps()[2].timeout, Some(Duration::from_millis(300)));
        assert_eq!(flow.steps()[0].participant.as_str(), "http://pay/keys");
    }

    #[test]
    fn what_no_key_could_carry_is_refused() {
        assert_eq!(Flow::builder("Shop").pivot("p", "p").build().unwrap_err(), FlowError::Name { name: "Shop".to_owned() });
        assert_eq!(
            Flow::builder("shop").compensatable("p", "p").compensatable("p", "q").build().unwrap_err(),
            FlowError::TwoSteps { name: "p".to_owned() }
        );
        let long = "x".repeat(33);
        assert_eq!(Flow::builder("shop").pivot(&long, "p").build().unwrap_err(), FlowError::Name { name: long });
    }

    #[test]
    fn an_unsound_order_is_refused() {
        let error = shop().pivot("again", "ship").build().unwrap_err();
        assert_eq!(error, FlowError::from(PlanError::TwoPivots { first: 1, second: 2 }));
    }
}
