//! Builds a flow in code, out of what the participants of its steps promise.

use std::sync::Arc;
use std::time::Duration;

use handfast_protocol::stage::{
    AnyOrder, AnyStep, BeforePivot, CanBeUndone, Course, HasNeighbour, HasStep, Last, MayTurnBack, NoPivot, NoStep,
    NothingDecided, NothingRetriable, RunsInCompany, Stage,
};
use handfast_protocol::{Assumptions, Finding, Kind, Named, Profile, ProfiledStep, Risk, assess};

use super::written::{Written, WrittenStep};
use super::{Flow, FlowError, FlowStep, ParticipantRef, UnacceptedRisk, UnacceptedRisks};
use crate::clock::whole_ms;
use crate::participant::HttpTemplates;

/// Builds a [`Flow`] in code. What is neither of the whole flow ([`assume`](Self::assume),
/// [`accept_risk`](Self::accept_risk)) nor a new step speaks of the step that was added last.
///
/// The [stage](crate::stage) of the flow is a part of its type, so that an unsound order of steps does not compile. `C` is
/// its course and says what may come next; `L` is its last step. Steps speak the contract, unless something less is said of
/// them, as in [`cannot_close`](Self::cannot_close):
///
/// ```
/// # use std::time::Duration;
/// # use handfast::{Flow, FlowError};
/// let flow = |name| Flow::builder(name).compensatable("payment", "bank").loose_refusals().cannot_close();
/// let error = flow("shop").pivot("dispatch", "depot").build().unwrap_err();
/// assert!(error.to_string().contains("loose-refusal"));
/// let flow = flow("shop").pivot("dispatch", "depot").accept_risk("loose-refusal").build()?;
/// # Ok::<_, FlowError>(())
/// ```
#[derive(Clone, Debug)]
pub struct FlowBuilder<C = BeforePivot, L = NoStep> {
    name: String,
    steps: Vec<BuiltStep>,
    assumptions: Assumptions,
    accepted: Vec<String>,
    /// Something was said of a step before there was one.
    is_astray: bool,
    stage: Stage<C, L>,
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
        Self {
            name: name.to_owned(),
            steps: Vec::new(),
            assumptions: Assumptions::default(),
            accepted: Vec::new(),
            is_astray: false,
            stage: Stage::start(),
        }
    }
}

impl FlowBuilder<AnyOrder, AnyStep> {
    /// Adds a step whose participant promises this and no more.
    #[must_use]
    pub fn step(self, name: &str, participant: impl Into<ParticipantRef>, profile: Profile) -> Self {
        let stage = self.stage;
        self.and(stage, name, participant.into(), profile)
    }
}

impl<C: Course, L: Last> FlowBuilder<C, L> {
    /// Adds a step that may refuse and can be undone.
    #[must_use]
    pub fn compensatable(self, name: &str, participant: impl Into<ParticipantRef>) -> FlowBuilder<C, L::ThenCompensatable>
    where
        C: NothingDecided + NothingRetriable,
    {
        let stage = self.stage.compensatable();
        self.and(stage, name, participant.into(), Profile::of_kind(Kind::Compensatable))
    }

    /// Adds the step that may refuse and cannot be undone.
    #[must_use]
    pub fn pivot(self, name: &str, participant: impl Into<ParticipantRef>) -> FlowBuilder<C::ThenPivot, L::ThenPivot>
    where
        C: NoPivot + NothingRetriable,
    {
        let stage = self.stage.pivot();
        self.and(stage, name, participant.into(), Profile::of_kind(Kind::Pivot))
    }

    /// Adds a step that cannot refuse.
    #[must_use]
    pub fn retriable(
        self,
        name: &str,
        participant: impl Into<ParticipantRef>,
    ) -> FlowBuilder<C::ThenRetriable, L::ThenRetriable> {
        let stage = self.stage.retriable();
        self.and(stage, name, participant.into(), Profile::of_kind(Kind::Retriable))
    }

    /// Leaves it to [`build`](Self::build) to look at the order: for steps that are only known when the program runs, and
    /// for a flow that has to live with two pivots.
    #[must_use]
    pub fn in_any_order(self) -> FlowBuilder<AnyOrder, AnyStep> {
        let stage = self.stage.in_any_order();
        self.at(stage)
    }

    /// How long after its intent the step's key is closed, unless it is known by then what became of it.
    #[must_use]
    pub fn deadline(self, deadline: Duration) -> Self
    where
        L: HasStep + MayTurnBack,
    {
        let stage = self.stage.deadline();
        self.with_last(stage, |last| last.profiled.deadline_ms = Some(whole_ms(deadline)))
    }

    /// How long the engine waits for the answer to one try.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self
    where
        L: HasStep,
    {
        let stage = self.stage.said();
        self.with_last(stage, |last| last.step.timeout = Some(timeout))
    }

    /// At most this many requests are in flight to the step's participant.
    #[must_use]
    pub fn in_flight(self, requests: u32) -> Self
    where
        L: HasStep,
    {
        let stage = self.stage.said();
        self.with_last(stage, |last| last.step.in_flight = Some(requests))
    }

    /// The pause after the first try of one delivery to the step's participant may be as long as this; pauses double from there.
    #[must_use]
    pub fn retry_base(self, base: Duration) -> Self
    where
        L: HasStep,
    {
        let stage = self.stage.said();
        self.with_last(stage, |last| last.step.retry_base = Some(base))
    }

    /// No pause between two tries of one delivery to the step's participant is longer than this.
    #[must_use]
    pub fn retry_cap(self, cap: Duration) -> Self
    where
        L: HasStep,
    {
        let stage = self.stage.said();
        self.with_last(stage, |last| last.step.retry_cap = Some(cap))
    }

    /// The step runs side by side with the one before it.
    #[must_use]
    pub fn beside(self) -> Self
    where
        L: HasStep + HasNeighbour + RunsInCompany,
    {
        let stage = self.stage.beside();
        self.with_last(stage, |last| last.profiled.beside = true)
    }

    /// The step makes lasting what an earlier step holds.
    #[must_use]
    pub fn captures(self, step: &str) -> Self
    where
        L: HasStep,
    {
        let stage = self.stage.said();
        self.with_last(stage, |last| last.captures = Some(step.to_owned()))
    }

    /// The step is undone only once this other one is off.
    #[must_use]
    pub fn undo_after(self, step: &str) -> Self
    where
        L: HasStep + CanBeUndone,
    {
        let stage = self.stage.undone();
        self.with_last(stage, |last| last.undo_after = Some(step.to_owned()))
    }

    /// The step's participant knows nothing of the contract, and is called by these templates.
    #[must_use]
    pub fn templates(self, templates: impl Into<Arc<HttpTemplates>>) -> Self
    where
        L: HasStep,
    {
        let stage = self.stage.said();
        let templates = templates.into();
        self.with_last(stage, |last| {
            last.profiled.profile.bare = templates.bare();
            last.step.http = Some(templates);
        })
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
    pub fn build(self) -> Result<Flow, FlowError>
    where
        L: HasStep,
    {
        self.stage.end();
        if self.is_astray {
            return Err(FlowError::NoStepYet);
        }
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
        let text = serde_json::to_string(&written).map_err(|error| FlowError::Definition { why: error.to_string() })?;
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
        let profiled = |(at, built): (usize, &BuiltStep)| {
            let (captures, undo_after) = (place(built, &built.captures)?, place(built, &built.undo_after)?);
            let is_repeated = |other: &BuiltStep, name: &str| other.step.name == name && other.profiled.profile.is_harmless();
            let repeated = |name: &str| self.steps[..at].iter().position(|other| is_repeated(other, name));
            let named = built.step.http.as_ref().map_or(Named::ByKey, |templates| templates.named(repeated));
            let needs =
                built.step.http.iter().flat_map(|templates| templates.close_needs()).filter(|name| *name != built.step.name);
            let close_needs = needs.map(|name| {
                let missing = || FlowError::NoSuchStep { step: built.step.name.clone(), other: name.to_owned() };
                self.steps.iter().position(|other| other.step.name == name).ok_or_else(missing)
            });
            let close_needs = close_needs.collect::<Result<_, _>>()?;
            Ok(ProfiledStep { captures, undo_after, close_needs, named, ..built.profiled })
        };
        self.steps.iter().enumerate().map(profiled).collect()
    }

    fn and<C2, L2>(
        mut self,
        stage: Stage<C2, L2>,
        name: &str,
        participant: ParticipantRef,
        profile: Profile,
    ) -> FlowBuilder<C2, L2> {
        let profiled = ProfiledStep::new(profile);
        self.steps.push(BuiltStep { step: FlowStep::new(name, participant), profiled, captures: None, undo_after: None });
        self.at(stage)
    }

    /// The same flow at another stage.
    fn at<C2, L2>(self, stage: Stage<C2, L2>) -> FlowBuilder<C2, L2> {
        let Self { name, steps, assumptions, accepted, is_astray, stage: _ } = self;
        FlowBuilder { name, steps, assumptions, accepted, is_astray, stage }
    }

    /// Lowers what is promised for the last step, which stays of its kind.
    pub(super) fn promise(self, change: impl FnOnce(&mut Profile)) -> Self
    where
        L: HasStep,
    {
        let stage = self.stage.said();
        self.with_last(stage, |last| change(&mut last.profiled.profile))
    }

    /// The same for what only a step that is undone can promise or not.
    pub(super) fn promise_when_undone(self, change: impl FnOnce(&mut Profile)) -> Self
    where
        L: HasStep + CanBeUndone,
    {
        let stage = self.stage.undone();
        self.with_last(stage, |last| change(&mut last.profiled.profile))
    }

    /// Says something of the last step, which the stage allows.
    fn with_last(mut self, stage: Stage<C, L>, change: impl FnOnce(&mut BuiltStep)) -> Self {
        self.stage = stage;
        match self.steps.last_mut() {
            Some(last) => change(last),
            None => self.is_astray = true,
        }
        self
    }
}
