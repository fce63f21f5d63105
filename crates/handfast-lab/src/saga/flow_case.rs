//! A flow under exploration: its steps by what their participants promise, and the risks that come true or do not.

use std::sync::Arc;

use handfast_protocol::{Assessment, Assumptions, Deployed, Finding, Guards, PlanError, ProfiledStep, Risk, assess};

use super::adversary::Adversary;
use super::behaviour::{Behaviour, Given};
use super::network::Network;
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
    pub fn world<G: Guards>(&self, come_true: &[Finding<Risk>], mut adversary: Adversary) -> Saga<G> {
        let risks = &self.assessment.risks;
        let must_not_repeat = |risks: &[Finding<Risk>]| risks.iter().any(|it| matches!(it.what, Risk::NotIdempotent { .. }));
        if must_not_repeat(risks) && !must_not_repeat(come_true) && adversary.network != Network::Set {
            // What is taken for granted there is that nothing arrives twice unless it is sent twice.
            adversary.duplicates = false;
        }
        let behaviours = self.steps.iter().enumerate().map(|(at, step)| {
            let is_later_pivot = risks.iter().any(|risk| risk.step == at && matches!(risk.what, Risk::TwoPivots { .. }));
            Behaviour::of(at, step, come_true, Given { duplicates: adversary.duplicates, is_later_pivot })
        });
        let behaviours = behaviours.collect();
        // Time stands still in a world, so everything that is due after a time is due at every moment.
        let plan = Arc::new(self.assessment.plan.clone().at_any_moment());
        Saga::among(behaviours, plan, adversary).called(self.names.clone())
    }

    /// Explores it with just these risks coming true.
    #[must_use]
    pub fn explore(&self, come_true: &[Finding<Risk>], adversary: Adversary, limits: &Limits) -> Found {
        let saga = self.world::<Deployed>(come_true, adversary);
        Found { report: explore(&saga, limits), saga }
    }
}
