//! A flow under exploration: its steps by what their participants promise, and the risks that come true or do not.

use std::sync::Arc;

use handfast_protocol::{Assessment, Assumptions, Deployed, Finding, PlanError, ProfiledStep, Risk, assess};

use super::adversary::Adversary;
use super::behaviour::Behaviour;
use super::suite::Found;
use super::world::Saga;
use crate::explorer::{Limits, explore};

/// A flow, assessed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FlowCase {
    names: Vec<String>,
    steps: Vec<ProfiledStep>,
    assessment: Assessment,
}

impl FlowCase {
    /// The flow of these steps, with their names, where this much is taken for granted.
    ///
    /// # Errors
    /// The first rule that the order of the steps breaks.
    pub fn new(names: Vec<String>, steps: Vec<ProfiledStep>, assumptions: &Assumptions) -> Result<Self, PlanError> {
        let assessment = assess(&steps, assumptions)?;
        Ok(Self { names, steps, assessment })
    }

    /// What follows from the profiles.
    #[must_use]
    pub const fn assessment(&self) -> &Assessment {
        &self.assessment
    }

    /// The steps.
    #[must_use]
    pub fn steps(&self) -> &[ProfiledStep] {
        &self.steps
    }

    /// Its world, in which just these risks come true.
    #[must_use]
    pub fn world(&self, come_true: &[Finding<Risk>], adversary: Adversary) -> Saga<Deployed> {
        let second_pivot_refuses = come_true.iter().any(|risk| matches!(risk.what, Risk::TwoPivots { .. }));
        let behaviours = self.steps.iter().enumerate().map(|(at, step)| {
            let mut behaviour = Behaviour::of(at, step, come_true);
            let is_second = self.assessment.risks.iter().any(|risk| risk.step == at && matches!(risk.what, Risk::TwoPivots { .. }));
            behaviour.may_refuse &= !is_second || second_pivot_refuses;
            behaviour
        });
        // Time stands still in a world, so everything that is due after a time is due at every moment.
        let plan = Arc::new(self.assessment.plan.clone().at_any_moment());
        Saga::among(behaviours.collect(), plan, adversary).called(self.names.clone())
    }

    /// Explores it with just these risks coming true.
    #[must_use]
    pub fn explore(&self, come_true: &[Finding<Risk>], adversary: Adversary, limits: &Limits) -> Found {
        let saga = self.world(come_true, adversary);
        Found { report: explore(&saga, limits), saga }
    }
}
