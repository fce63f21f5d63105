//! Why an order was not placed, not cancelled, or an engine not opened.

use crate::store::StoreError;

/// Why an order was not placed. Nothing was done, except where it says otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// The id is no name for a saga.
    #[error("{id:?} cannot be the id of a saga; use 1 to 128 of A-Z, a-z, 0-9, '.', '_', '~' and '-', and neither '.' nor '..'")]
    Id {
        /// The id.
        id: String,
    },
    /// There is no such flow, or more than one to choose from.
    #[error("there is no flow {name:?}; the flows are {known:?}")]
    Flow {
        /// What was asked for.
        name: Option<String>,
        /// What there is.
        known: Vec<String>,
    },
    /// The order was made for another definition of its flow than the one at hand: it has to be made anew.
    #[error("the order was made for another definition of the flow {flow} than the one at hand; make it anew")]
    Redefined {
        /// The flow.
        flow: String,
    },
    /// A body too many, too few or too long.
    #[error("the bodies do not fit flow {flow}: {why}")]
    Bodies {
        /// The flow.
        flow: String,
        /// What is wrong with them.
        why: String,
    },
    /// The id is taken by another order.
    #[error(
        "the id {id:?} is taken by another order; what was placed first goes on unchanged, so give this one an id of its own"
    )]
    DifferentBody {
        /// The id.
        id: String,
    },
    /// The key of the request stands for another order.
    #[error(
        "the key of this request stands for the order {id:?}, which goes on unchanged; draw a key of its own for every order"
    )]
    KeyTaken {
        /// The saga that the key stands for.
        id: String,
    },
    /// This process's clock is too far from those of others, or from what the store has seen; nothing was placed.
    #[error("{why}")]
    Clock {
        /// How far, and what to do.
        why: String,
    },
    /// The engine is stopping.
    #[error("the engine is stopping and takes no orders; place it again when it is back")]
    Stopping,
    /// The store failed. Whether the order was placed is unknown: place it again, with the same id.
    #[error("whether the order was placed is unknown, so place it again with the same id: {0}")]
    Store(#[source] StoreError),
}

/// Why asking for *neither* had no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CancelError {
    /// The name of who asks, or the reason, cannot be kept; nothing was sent to a participant.
    #[error("{name}: {what}; leave it out or say it otherwise")]
    Reason {
        /// `by` or `why`.
        name: &'static str,
        /// What is wrong with it. The text itself is not repeated.
        what: String,
    },
    /// The store failed; the saga may or may not be turning back.
    #[error("whether the saga is turning back is unknown, so ask again: {0}")]
    Store(#[from] StoreError),
    /// This program cannot drive the saga.
    #[error("saga {id} cannot be driven here: {reason}")]
    LeftAlone {
        /// The saga.
        id: String,
        /// Why.
        reason: String,
    },
    /// This process's clock is too far from those of others; nothing was done.
    #[error("{why}")]
    Clock {
        /// How far, and what to do.
        why: String,
    },
    /// The engine is stopping.
    #[error("the engine is stopping; ask again when it is back")]
    Stopping,
}

/// Why orders under way were not let follow another definition, or go on with their own.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdoptError {
    /// What was said about who decides, or why, is not kept; nothing was changed.
    #[error("{name}: {what}; say who decides and why")]
    Reason {
        /// `by` or `why`.
        name: &'static str,
        /// What is wrong with it. The text itself is not repeated.
        what: String,
    },
    /// The definition at hand cannot take the other's place.
    #[error(
        "the orders of {flow} cannot follow the definition at hand: {why}; `handfast definitions keep {hash}` lets them go on with their own"
    )]
    Impossible {
        /// The flow.
        flow: String,
        /// How the hash of the definition that they follow begins.
        hash: String,
        /// Why not.
        why: String,
    },
    /// There is no such definition that open orders follow.
    #[error("no open order follows a definition {hash} other than the one at hand; GET /definitions lists them")]
    Unknown {
        /// What was asked for.
        hash: String,
    },
    /// The store failed; whether anything was kept is unknown.
    #[error("whether it was kept is unknown, so ask again: {0}")]
    Store(#[from] StoreError),
}

impl AdoptError {
    /// What is wrong with a name or a reason is the same whatever it is a reason for.
    pub(super) fn of_reason(error: CancelError) -> Self {
        match error {
            CancelError::Reason { name, what } => Self::Reason { name, what },
            CancelError::Store(error) => Self::Store(error),
            error @ (CancelError::LeftAlone { .. } | CancelError::Clock { .. } | CancelError::Stopping) => {
                Self::Reason { name: "why", what: error.to_string() }
            }
        }
    }
}

/// Why an engine could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A flow names a participant that cannot be called.
    #[error("flow {flow}, step {step}: {why}")]
    Participant {
        /// The flow.
        flow: String,
        /// The step that it is for.
        step: String,
        /// What is in the way, and what to do.
        why: String,
    },
    /// Two flows have one name.
    #[error("two flows are called {name:?}; give each a name of its own")]
    TwoFlows {
        /// The name.
        name: String,
    },
    /// A person's decision about orders under way could not be kept.
    #[error(transparent)]
    Adopt(#[from] AdoptError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
