//! What a system must tell about itself so that it can be explored, and what can be claimed of it.

use std::fmt::{self, Debug};
use std::hash::Hash;

/// A system that can be explored: nondeterminism is a list ([`actions`](Model::actions)), determinism a function
/// ([`after`](Model::after)).
///
/// Both must depend on their arguments only. A clock, a coin or a counter outside the state would make two searches differ.
pub trait Model: Sync {
    /// Everything the future depends on, and nothing else: two states that are equal are explored once.
    ///
    /// `Hash` must feed the hasher everything that `Eq` compares (a derived one does). The explorer recognises a state by
    /// what it hashes, so a field left out would merge states that differ.
    type State: Clone + Eq + Hash + Debug + Send + Sync;

    /// One thing that may happen next.
    type Action: Clone + Eq + Debug + Send + Sync;

    /// The states in which the system may begin.
    fn initial(&self) -> Vec<Self::State>;

    /// Puts everything that may happen next `into` the list, which comes empty.
    ///
    /// The order decides which of several equally short runs is reported, so the plainest action should come first.
    fn actions(&self, state: &Self::State, into: &mut Vec<Self::Action>);

    /// The state after the action; `None` if it is not possible, or changes nothing.
    fn after(&self, state: &Self::State, action: &Self::Action) -> Option<Self::State>;

    /// Every kind of action there is, so that a kind that never happens can be reported.
    fn kinds(&self) -> Vec<&'static str>;

    /// The kind of an action, one of [`kinds`](Model::kinds).
    fn kind(&self, action: &Self::Action) -> &'static str;

    /// What is claimed of the system.
    fn properties(&self) -> Vec<Property<Self>>
    where
        Self: Sized;
}

/// A predicate on states.
pub type OnState<M> = fn(&M, &<M as Model>::State) -> bool;

/// A predicate on steps: the state before, the action, the state after.
pub type OnStep<M> = fn(&M, &<M as Model>::State, &<M as Model>::Action, &<M as Model>::State) -> bool;

/// A claim with the name it is reported under.
pub struct Property<M: Model> {
    /// The name in reports, a short sentence that is true when the claim holds.
    pub name: &'static str,
    /// What is claimed.
    pub claim: Claim<M>,
}

/// What can be claimed of a system. The words in brackets are the same in branching-time logic (Clarke, Emerson, Sistla 1986).
pub enum Claim<M: Model> {
    /// True in every state (AG).
    Always(OnState<M>),
    /// True of every step that changes the state.
    AlwaysStep(OnStep<M>),
    /// True in some state (EF): shows that another claim is not vacuous.
    Sometimes(OnState<M>),
    /// From every state, one in which this is true can still be reached (AG EF).
    CanAlwaysReach(OnState<M>),
}

impl<M: Model> Property<M> {
    /// Claims that `holds` is true in every state.
    pub const fn always(name: &'static str, holds: OnState<M>) -> Self {
        Self { name, claim: Claim::Always(holds) }
    }

    /// Claims that `holds` is true of every step that changes the state.
    pub const fn always_step(name: &'static str, holds: OnStep<M>) -> Self {
        Self { name, claim: Claim::AlwaysStep(holds) }
    }

    /// Claims that `holds` is true in some state.
    pub const fn sometimes(name: &'static str, holds: OnState<M>) -> Self {
        Self { name, claim: Claim::Sometimes(holds) }
    }

    /// Claims that from every state, one in which `goal` is true can still be reached.
    pub const fn can_always_reach(name: &'static str, goal: OnState<M>) -> Self {
        Self { name, claim: Claim::CanAlwaysReach(goal) }
    }
}

// By hand, because a derive would ask the model itself to be `Clone` or `Debug`.
impl<M: Model> Clone for Property<M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M: Model> Copy for Property<M> {}

impl<M: Model> Clone for Claim<M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M: Model> Copy for Claim<M> {}

impl<M: Model> Debug for Property<M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.claim.word(), self.name)
    }
}

impl<M: Model> Claim<M> {
    /// The word that introduces the claim in a report.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Always(_) => "always",
            Self::AlwaysStep(_) => "every step",
            Self::Sometimes(_) => "sometimes",
            Self::CanAlwaysReach(_) => "can always reach",
        }
    }
}
