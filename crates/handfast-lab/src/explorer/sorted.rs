//! What a model claims, sorted by when it is looked at.

use super::model::{Claim, Model, OnState, OnStep, Property};

/// The properties of a model, each with its place in the model's list.
pub(super) struct Sorted<M: Model> {
    pub(super) on_states: Vec<ClaimOnStates<M>>,
    pub(super) on_steps: Vec<(usize, OnStep<M>)>,
    pub(super) goals: Vec<(usize, OnState<M>)>,
    /// Every kind of action that the model names.
    pub(super) kinds: Vec<&'static str>,
}

/// A claim that is settled by single states.
pub(super) struct ClaimOnStates<M: Model> {
    pub(super) property: usize,
    pub(super) holds: OnState<M>,
    /// What the predicate says of a state that settles the claim: true where a state must be reached, false where none may.
    pub(super) wanted: bool,
}

impl<M: Model> Sorted<M> {
    pub(super) fn new(properties: &[Property<M>], kinds: Vec<&'static str>) -> Self {
        let mut sorted = Self { on_states: Vec::new(), on_steps: Vec::new(), goals: Vec::new(), kinds };
        for (property, Property { claim, .. }) in properties.iter().enumerate() {
            match *claim {
                Claim::Always(holds) => sorted.on_states.push(ClaimOnStates { property, holds, wanted: false }),
                Claim::Sometimes(holds) => sorted.on_states.push(ClaimOnStates { property, holds, wanted: true }),
                Claim::AlwaysStep(holds) => sorted.on_steps.push((property, holds)),
                Claim::CanAlwaysReach(goal) => sorted.goals.push((property, goal)),
            }
        }
        sorted
    }
}
