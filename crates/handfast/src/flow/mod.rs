//! A flow as the driver sees it: the sound order of its steps, and who takes each.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use handfast_protocol::{Finding, Plan, PlanError, Risk};
use sha2::{Digest, Sha256};

use crate::participant::{HttpTemplates, TemplateError};

mod builder;
mod promises;
mod written;

pub use builder::FlowBuilder;
use written::Written;
pub(crate) use written::{is_of_flow, name_in};

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
    /// At most this many requests are in flight to the participant, where that differs from the engine's default. Of several
    /// steps with one participant the first one counts.
    pub in_flight: Option<u32>,
    /// The longest pause after the first try of one delivery to the participant, where that differs from the engine's default;
    /// pauses double from there. Of several steps with one participant the first one counts.
    pub retry_base: Option<Duration>,
    /// The longest pause between two tries of one delivery to the participant, where that differs from the engine's default.
    /// Of several steps with one participant the first one counts.
    pub retry_cap: Option<Duration>,
    /// How the participant is called, where it knows nothing of the contract.
    pub http: Option<Arc<HttpTemplates>>,
}

impl FlowStep {
    /// A step as the engine's defaults have it.
    #[must_use]
    pub fn new(name: impl Into<String>, participant: impl Into<ParticipantRef>) -> Self {
        let (timeout, in_flight, retry_base, retry_cap, http) = (None, None, None, None, None);
        Self { name: name.into(), participant: participant.into(), timeout, in_flight, retry_base, retry_cap, http }
    }
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
#[non_exhaustive]
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
    /// A step names another that does not exist.
    #[error("step {step} names the step {other:?}, and there is none of that name")]
    NoSuchStep {
        /// The step.
        step: String,
        /// The name.
        other: String,
    },
    /// A deadline, or something else that is said of a step, before there is one.
    #[error("something is said of a step before there is one; add the step first")]
    NoStepYet,
    /// It cannot promise what a flow promises, and no person has accepted that.
    #[error(transparent)]
    Risks(#[from] UnacceptedRisks),
    /// A stored definition that is no definition.
    #[error("the flow's definition cannot be read: {why}")]
    Definition {
        /// What JSON says of it.
        why: String,
    },
    /// A stored definition names a kind of step that is not known here.
    #[error("the flow's definition cannot be read: {kind:?} is no kind of step")]
    Kind {
        /// The word.
        kind: String,
    },
    /// A stored definition has a template that nothing here can read.
    #[error("the flow's definition cannot be read: step {step}, {key}: {error}")]
    Templates {
        /// The step.
        step: String,
        /// The operation, as it is called in flow files.
        key: &'static str,
        /// What is wrong with it.
        error: TemplateError,
    },
}

/// What a flow cannot promise and no person has accepted. It says what may go wrong, what would prevent it, and under which
/// name the risk can be accepted.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct UnacceptedRisks {
    /// What messages call the flow.
    pub flow: String,
    /// Each risk, the name of its step, and what messages call its place.
    pub risks: Vec<UnacceptedRisk>,
}

/// One of them.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct UnacceptedRisk {
    /// Where it stands: `flow.toml:12:1`, or the name of the flow.
    pub place: String,
    /// The name of its step.
    pub step: String,
    /// Which risk, and of which step.
    pub finding: Finding<Risk>,
}

impl fmt::Display for UnacceptedRisks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for UnacceptedRisk { place, step, finding } in &self.risks {
            let (name, way_out) = (finding.what.name(), finding.what.way_out());
            writeln!(f, "{place}: {finding} (step {} is {step}, risk {name}); {way_out}, or accept it", finding.step + 1)?;
        }
        let mut names: Vec<&str> = self.risks.iter().map(|risk| risk.finding.what.name()).collect();
        names.sort_unstable();
        names.dedup();
        let options: Vec<String> = names.iter().map(|name| format!("--accept-risk {name}")).collect();
        write!(f, "the flow {} starts only where a person accepts what it cannot promise: {}", self.flow, options.join(" "))
    }
}

impl std::error::Error for UnacceptedRisks {}

impl Flow {
    /// Begins a flow in code. Steps are added in their order.
    #[must_use]
    pub fn builder(name: &str) -> FlowBuilder {
        FlowBuilder::new(name)
    }

    /// A flow whose definition is `text`, in whatever format the caller reads.
    ///
    /// # Errors
    /// A name that does not do, or a plan that does not fit the steps.
    pub fn from_parts(name: &str, plan: Arc<Plan>, steps: Vec<FlowStep>, text: &str) -> Result<Self, FlowError> {
        for name in steps.iter().map(|step| step.name.as_str()).chain([name]) {
            if !Self::is_name(name) {
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
        let written: Written = serde_json::from_str(text).map_err(|error| FlowError::Definition { why: error.to_string() })?;
        let (name, plan, steps) = written.into_parts()?;
        Self::from_parts(&name, Arc::new(Plan::new(plan)?), steps, text)
    }

    /// Whether a flow, or a step, can be called so: by 1 to 32 of a-z, 0-9 and -.
    #[must_use]
    pub fn is_name(text: &str) -> bool {
        (1..=32).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
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

#[cfg(test)]
mod tests {
    use handfast_protocol::{Assumptions, Close, Doubt, Profile, Repeat, Undo};

    use super::*;
    use handfast_protocol::stage::{AfterPivot, Gate};

    fn shop() -> FlowBuilder<AfterPivot, Gate> {
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
        let error = shop().in_any_order().compensatable("again", "ship").build().unwrap_err();
        assert_eq!(error, FlowError::from(PlanError::MayRefuseTooLate { step: 2, after: 1 }));
        let pay = Flow::builder("shop").compensatable("payment", "bank");
        let error = pay.undo_after("depot").build().unwrap_err();
        assert_eq!(error, FlowError::NoSuchStep { step: "payment".to_owned(), other: "depot".to_owned() });
        let error = Flow::builder("shop").in_any_order().cannot_close().pivot("dispatch", "ship").build().unwrap_err();
        assert_eq!(error, FlowError::NoStepYet);
    }

    #[test]
    fn what_cannot_be_promised_has_to_be_accepted() {
        let two = || shop().in_any_order().pivot("again", "ship");
        let error = two().build().unwrap_err();
        let expected = "shop: step 2 may refuse and cannot be undone, and so can step 3: this is the two generals' problem; no \
                        protocol exists (step 3 is again, risk two-pivots); make one of the two undoable, or unable to \
                        refuse, or accept it\nthe flow shop starts only where a person accepts what it cannot promise: \
                        --accept-risk two-pivots";
        assert_eq!(error.to_string(), expected);
        assert!(two().accept_risk("hold-lapse").build().is_err());
        let accepted = two().accept_risk("two-pivots").build().unwrap();
        assert_eq!(Flow::from_built_text(accepted.text()).unwrap(), accepted, "what was accepted once goes on");
    }

    #[test]
    fn a_profile_is_kept_as_what_follows_from_it() {
        let assumed =
            Assumptions { message_lifetime_ms: Some(1_000), clock_error_ms: Some(100), longest_outage_ms: Some(3_600_000) };
        let weak = Profile {
            undo: Undo::NoOpWhenAbsent,
            close: Close::Never,
            repeat: Repeat::For(86_400_000),
            sticky_refusal: false,
            ..Profile::CONTRACT
        };
        let once = Profile { repeat: Repeat::Never, undo: Undo::Never, may_refuse: false, ..Profile::CONTRACT };
        let built = Flow::builder("shop")
            .in_any_order()
            .step("hold", "bank", Profile { hold_expires_ms: Some(7 * 86_400_000), ..weak })
            .undo_after("points")
            .in_flight(4)
            .retry_base(Duration::from_secs(3))
            .retry_cap(Duration::from_secs(9))
            .compensatable("points", "club")
            .pivot("dispatch", "ship")
            .retriable("capture", "bank")
            .captures("hold")
            .step("mail", "mail", once)
            .assume(assumed);
        let risks = ["hold-lapse", "loose-refusal", "not-idempotent"];
        let flow = risks.into_iter().fold(built, FlowBuilder::accept_risk).build().unwrap();
        assert_eq!(Flow::from_built_text(flow.text()).unwrap(), flow);
        let hold = flow.plan().steps()[0];
        assert_eq!(hold.doubt, Doubt::Repeats { last_send_ms: Some(86_400_000 - 3_601_100) });
        assert!(!hold.refusal_holds && !hold.undo_closes && hold.watch_ms.is_some());
        assert_eq!((hold.commit_within_ms, hold.undo_after), (Some(7 * 86_400_000 - 3_601_100), Some(1)));
        assert!(matches!(flow.plan().steps()[4].doubt, Doubt::Looks { .. }));
        let said = &flow.steps()[0];
        let seconds = |number| Some(Duration::from_secs(number));
        assert_eq!((said.in_flight, said.retry_base, said.retry_cap), (Some(4), seconds(3), seconds(9)));
        let typed = Flow::builder("shop")
            .compensatable("hold", "bank")
            .undo_needs_the_act()
            .cannot_close()
            .remembers(Duration::from_hours(24))
            .loose_refusals()
            .hold_expires(Duration::from_hours(7 * 24))
            .undo_after("points")
            .in_flight(4)
            .retry_base(Duration::from_secs(3))
            .retry_cap(Duration::from_secs(9))
            .compensatable("points", "club")
            .pivot("dispatch", "ship")
            .retriable("capture", "bank")
            .captures("hold")
            .retriable("mail", "mail")
            .not_idempotent()
            .assume(assumed);
        let typed = risks.into_iter().fold(typed, FlowBuilder::accept_risk).build().unwrap();
        assert_eq!(typed, flow, "what is said in the steps' own words is the same profile");
    }
}
