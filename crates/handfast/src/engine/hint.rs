//! Hints from outside: somebody says that there may be news of a step, and its participant is asked sooner than it would be.

use super::Engine;
use super::hints::HintResult;
use crate::key::{KeyParts, is_saga_id};

/// No step has a longer name.
const MAX_STEP_NAME: usize = 32;

impl Engine {
    /// Somebody says that there may be news of a saga's step, as a service does with a webhook. A hint **decides nothing**:
    /// it is no evidence, stands in no journal and changes no state. It is not even believed that there is news. If the step
    /// is in doubt, what would be delivered again after its pause (the act, the look, the close, the undo) is delivered now,
    /// also where the saga was put aside for long, and only the answer to that counts.
    ///
    /// So a hint that is late, doubled, out of order, about nothing or forged costs a request at most. Any number of hints for
    /// one step leads to no more than one request in [`Options::hint_pause`](crate::Options::hint_pause), after which pauses
    /// grow again from about that long; a hint that comes while a request is out is kept for after its answer. The limit of
    /// requests in flight, the breaker, and the time for which a participant wants to be left alone hold as ever.
    ///
    /// Nothing is read from the store before this returns, so a saga that is unknown is not told apart from one that is not
    /// in doubt.
    #[must_use]
    pub fn hint(&self, saga: &str, step: &str) -> HintResult {
        if !is_saga_id(saga) || step.len() > MAX_STEP_NAME {
            return HintResult::NotOurs;
        }
        self.0.shared.hint(&saga.into(), step)
    }

    /// As [`hint`](Self::hint), for the saga and the step that a key is of: the one that their participant was called with.
    #[must_use]
    pub fn hint_by_key(&self, key: &str) -> HintResult {
        match KeyParts::of(key).filter(|parts| parts.store == self.0.shared.store.store_id()) {
            Some(parts) => self.hint(parts.saga, parts.step),
            None => HintResult::NotOurs,
        }
    }
}
