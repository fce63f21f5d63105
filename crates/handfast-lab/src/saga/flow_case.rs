//! A flow under exploration: its steps by what their participants promise, and the risks that come true or do not.

use std::sync::Arc;

use handfast_protocol::{Assessment, Assumptions, Deployed, Finding, Meaning, Named, PlanError, ProfiledStep, Risk, assess};

use super::adversary::Adversary;
use super::behaviour::{Behaviour, Given};
use super::follow::{Followed, Lost, follow};
use super::machine::Machine;
use super::network::Network;
use super::suite::Found;
use super::world::{MAX_STEPS, Saga};
use crate::explorer::{Limits, explore};

/// A flow, assessed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FlowCase {
    names: Vec<String>,
    steps: Vec<ProfiledStep>,
    assumptions: Assumptions,
    assessment: Assessment,
}

impl FlowCase {
    /// The flow of these steps, with their names, where this much is taken for granted.
    ///
    /// # Errors
    /// The first rule that the order of the steps breaks.
    pub fn new(names: Vec<String>, steps: Vec<ProfiledStep>, assumptions: &Assumptions) -> Result<Self, PlanError> {
        let assessment = assess(&steps, assumptions)?;
        Ok(Self { names, steps, assumptions: *assumptions, assessment })
    }

    /// The flow itself if a world holds it; otherwise every choice of as many of its steps as a world holds that has the
    /// step in which the saga is decided among them. Each comes with the places of its steps in the whole flow.
    ///
    /// # Errors
    /// Never, for a flow that was assessed: what is left of a sound order is one. [`PlanError`] all the same.
    pub fn parts(&self) -> Result<Vec<(Vec<usize>, Self)>, PlanError> {
        if self.steps.len() <= MAX_STEPS {
            return Ok(vec![((0..self.steps.len()).collect(), self.clone())]);
        }
        let gate = self.assessment.plan.gate();
        let chosen = choices(self.steps.len(), MAX_STEPS);
        chosen.into_iter().filter(|part| gate.is_none_or(|gate| part.contains(&gate))).map(|part| self.part(part)).collect()
    }

    fn part(&self, places: Vec<usize>) -> Result<(Vec<usize>, Self), PlanError> {
        let within = |place: Option<usize>| places.iter().position(|&other| Some(other) == place);
        let is_captured = |held: usize| places.iter().any(|&place| self.steps[place].captures == Some(held));
        let step = |(at, &place): (usize, &usize)| {
            let mut whole = self.steps[place];
            // Without the step that captures it, what is held is as good as kept.
            if !is_captured(place) {
                whole.profile.hold_expires_ms = None;
            }
            // What a step ran beside may have been left out.
            let beside = whole.beside && at > 0 && places[at - 1] + 1 == place;
            let by_id = |of: usize, named: fn(usize) -> Named| within(Some(of)).map_or(Named::ByKey, named);
            let named = match whole.named {
                Named::ByKey => Named::ByKey,
                Named::ByKeyAndIdOf(of) => by_id(of, Named::ByKeyAndIdOf),
                Named::ByIdOf(of) => by_id(of, Named::ByIdOf),
            };
            ProfiledStep {
                beside,
                captures: within(whole.captures),
                undo_after: within(whole.undo_after),
                close_needs: whole.close_needs.iter().filter_map(|step| within(Some(step))).collect(),
                named,
                ..whole
            }
        };
        let steps = places.iter().enumerate().map(step).collect();
        let names = places.iter().map(|&place| self.names[place].clone()).collect();
        Ok((places.clone(), Self::new(names, steps, &self.assumptions)?))
    }

    /// Executes a kept run again, of which every action is given in words, where these risks come true.
    ///
    /// # Errors
    /// The first action that cannot happen where the run has come to, or what the run should break and does not.
    pub fn follow(
        &self,
        come_true: &[Finding<Risk>],
        adversary: Adversary,
        property: &str,
        run: &[String],
    ) -> Result<Followed, Lost> {
        follow(&self.world(come_true, adversary), &self.names.join(", "), property, run)
    }

    /// What follows from the profiles.
    #[must_use]
    pub const fn assessment(&self) -> &Assessment {
        &self.assessment
    }

    /// What is taken for granted.
    #[must_use]
    pub const fn assumptions(&self) -> &Assumptions {
        &self.assumptions
    }

    /// The steps.
    #[must_use]
    pub fn steps(&self) -> &[ProfiledStep] {
        &self.steps
    }

    /// Its world, in which just these risks come true.
    #[must_use]
    pub fn world(&self, come_true: &[Finding<Risk>], adversary: Adversary) -> Saga {
        self.world_of(Machine::of::<Deployed>(), come_true, adversary)
    }

    /// The same with one guard less, wherever that is.
    pub(super) fn world_of(&self, machine: Machine, come_true: &[Finding<Risk>], mut adversary: Adversary) -> Saga {
        let risks = &self.assessment.risks;
        let must_not_repeat = |risks: &[Finding<Risk>]| {
            risks.iter().any(|it| matches!(it.what, Risk::NotIdempotent { .. } | Risk::UndoNotIdempotent { .. }))
        };
        if must_not_repeat(risks) && !must_not_repeat(come_true) && adversary.network != Network::Set {
            // What is taken for granted there is that nothing arrives twice unless it is sent twice.
            adversary.duplicates = false;
        }
        let given = Given { duplicates: adversary.duplicates, risks };
        let is_second_id = |risk: &Finding<Risk>| matches!(risk.what, Risk::SecondId { .. });
        if come_true.iter().any(is_second_id) {
            adversary.restores = adversary.restores.max(1);
        }
        let come_true = &with_company(come_true, risks);
        let behaviours = self.steps.iter().enumerate().map(|(at, step)| Behaviour::of(at, step, come_true, given)).collect();
        // Time stands still in a world, so everything that is due after a time is due at every moment.
        let plan = Arc::new(self.assessment.plan.clone().at_any_moment());
        Saga::of(machine, behaviours, plan, adversary).called(self.names.clone())
    }

    /// Explores it with just these risks coming true.
    #[must_use]
    pub fn explore(&self, come_true: &[Finding<Risk>], adversary: Adversary, limits: &Limits) -> Found {
        let saga = self.world(come_true, adversary);
        Found { report: explore(&saga, limits), saga }
    }
}

/// These risks, and those without which nothing comes of one of them: whoever believes that nothing is there misses what
/// appears late, so something has to appear.
fn with_company(come_true: &[Finding<Risk>], risks: &[Finding<Risk>]) -> Vec<Finding<Risk>> {
    let absent = |risk: &Finding<Risk>| matches!(risk.what, Risk::BareStatus { meaning: Meaning::Absent, .. });
    let needs = |step: usize| come_true.iter().any(|risk| absent(risk) && risk.step == step);
    let company = risks.iter().filter(|risk| needs(risk.step) && risk.what.may_show_late() && !come_true.contains(risk));
    come_true.iter().chain(company).copied().collect()
}

/// Every choice of `size` of the numbers below `of`, each in order.
fn choices(of: usize, size: usize) -> Vec<Vec<usize>> {
    if size == 0 {
        return vec![Vec::new()];
    }
    let with_last = |last: usize| {
        choices(last, size - 1).into_iter().map(move |mut choice| {
            choice.push(last);
            choice
        })
    };
    (size - 1..of).flat_map(with_last).collect()
}

#[cfg(test)]
mod tests {
    use handfast_protocol::{Kind, Profile};

    use super::*;

    #[test]
    fn a_long_flow_is_taken_apart_around_the_step_that_decides() {
        let step = |kind| ProfiledStep::new(Profile::of_kind(kind));
        let mut steps = vec![step(Kind::Compensatable); 4];
        steps[3].undo_after = Some(0);
        steps.push(step(Kind::Pivot));
        steps[1].profile.hold_expires_ms = Some(1);
        steps.push(ProfiledStep { captures: Some(1), ..step(Kind::Retriable) });
        let names = (0..6).map(|at| at.to_string()).collect();
        let flow = FlowCase::new(names, steps, &Assumptions::default()).expect("a sound order");
        let parts = flow.parts().expect("what is left is sound");
        assert_eq!(parts.len(), 10, "the step that decides, and 3 of the 5 others");
        for (places, part) in parts {
            assert_eq!((part.steps.len(), places.contains(&4)), (4, true), "{places:?}");
            let whole = |at: Option<usize>| at.map(|at| places[at]);
            let last = places.iter().position(|&place| place == 3).map(|at| part.steps[at]);
            assert!(last.is_none_or(|step| whole(step.undo_after) == places.contains(&0).then_some(0)), "{places:?}");
        }
    }
}
