//! Hints from outside: a caller says that there may be news of a step, and its participant is asked sooner than it would be. A
//! hint that no driver has taken yet is kept once, however often it is given, and the number of kept hints is limited.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::Engine;
use crate::key::{KeyParts, is_saga_id};

/// Hints are kept for at most this many sagas.
const MOST_SAGAS: usize = 4096;

/// A saga has no more steps than this, so further names are of none of its.
const MOST_STEPS: usize = 64;

/// What came of a hint.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum HintResult {
    /// It was taken. If the step is in doubt its participant is asked at once, or as soon as it may be; if it is not, or if
    /// there is no such saga, nothing comes of it.
    Taken,
    /// The key is none of this store's, or no saga or step can have such a name.
    NotOurs,
    /// Too many sagas are waiting to act on theirs. What is in doubt is asked for at its own time; the hint can be given again.
    Busy,
    /// The engine is stopping. When it is back everything that is in doubt is asked for at once.
    Stopping,
}

/// Whether a hint is the first one that a saga has not acted on yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Noted {
    First,
    Again,
    NoRoom,
}

/// By saga, the names of the steps.
#[derive(Debug, Default)]
pub(super) struct Hints {
    steps: FxHashMap<Arc<str>, BTreeSet<Box<str>>>,
    /// Sagas that are to come into memory for theirs when there is room, in the order of asking. Some may have come by
    /// another way since.
    waiting: VecDeque<Arc<str>>,
}

impl Hints {
    pub(super) fn note(&mut self, saga: &Arc<str>, step: &str) -> Noted {
        if let Some(steps) = self.steps.get_mut(saga) {
            if steps.len() < MOST_STEPS {
                steps.insert(step.into());
            }
            return Noted::Again;
        }
        if self.steps.len() >= MOST_SAGAS {
            return Noted::NoRoom;
        }
        self.steps.insert(Arc::clone(saga), BTreeSet::from([step.into()]));
        Noted::First
    }

    /// The steps of a saga that there are hints for, which are acted on from now on.
    pub(super) fn take(&mut self, saga: &str) -> BTreeSet<Box<str>> {
        self.steps.remove(saga).unwrap_or_default()
    }

    pub(super) fn wait(&mut self, saga: &Arc<str>) {
        self.waiting.push_back(Arc::clone(saga));
    }

    /// The next saga that waits to come into memory.
    pub(super) fn next_waiting(&mut self) -> Option<Arc<str>> {
        while let Some(saga) = self.waiting.pop_front() {
            if self.steps.contains_key(&saga) {
                return Some(saga);
            }
        }
        None
    }
}

/// No step has a longer name.
const MAX_STEP_NAME: usize = 32;

impl Engine {
    /// Tells the engine that there may be news of a saga's step, as a service does when it gets a webhook. A hint **decides
    /// nothing**: it is no evidence, stands in no journal and changes no state. It is not even believed that there is news. If
    /// the step is in doubt, what would be delivered again after its pause (the act, the look, the close, the undo) is
    /// delivered now, also where the saga was put aside for long, and only the answer to that counts.
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

    /// As [`hint`](Self::hint), of a caller that speaks for the steps of one flow: a saga of another flow does not act on it.
    #[must_use]
    pub fn hint_of_flow(&self, flow: &str, saga: &str, step: &str) -> HintResult {
        if !is_saga_id(saga) || step.len() > MAX_STEP_NAME || flow.len() > MAX_STEP_NAME {
            return HintResult::NotOurs;
        }
        self.0.shared.hint(&saga.into(), &of_flow(flow, step))
    }

    /// Whether this is the id of its store.
    pub(crate) fn is_of_store(&self, store: &str) -> bool {
        store == self.0.shared.store.store_id()
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

/// How a hint for a step of one flow alone is kept: no name has a slash in it.
fn of_flow(flow: &str, step: &str) -> String {
    format!("{flow}/{step}")
}

/// The steps of a saga of this flow that these hints are for.
pub(super) fn for_flow(flow: &str, hints: BTreeSet<Box<str>>) -> BTreeSet<Box<str>> {
    let step = |hint: Box<str>| match hint.split_once('/') {
        None => Some(hint),
        Some((of, step)) => (of == flow).then(|| step.into()),
    };
    hints.into_iter().filter_map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_for_a_step_of_one_flow_is_none_for_another() {
        let hints = || BTreeSet::from(["dispatch".into(), of_flow("shop", "payment").into()]);
        let steps = |flow| for_flow(flow, hints()).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            (steps("shop"), steps("cards")),
            (vec!["dispatch".to_owned(), "payment".to_owned()], vec!["dispatch".to_owned()])
        );
    }

    #[test]
    fn a_flood_is_kept_once_and_within_bounds() {
        let mut hints = Hints::default();
        let saga: Arc<str> = "order-1".into();
        assert_eq!(hints.note(&saga, "payment"), Noted::First);
        for number in 0..10_000 {
            assert_eq!(hints.note(&saga, &format!("step-{}", number % 100)), Noted::Again);
        }
        for number in 1..MOST_SAGAS {
            assert_eq!(hints.note(&format!("other-{number}").into(), "payment"), Noted::First);
        }
        assert_eq!(hints.note(&"one-too-many".into(), "payment"), Noted::NoRoom);
        assert_eq!(hints.note(&saga, "payment"), Noted::Again, "what is there already needs no room");
        assert_eq!(hints.take("order-1").len(), MOST_STEPS);
        assert!(hints.take("order-1").is_empty(), "each is acted on once");
        assert_eq!(hints.note(&"one-too-many".into(), "payment"), Noted::First);
    }

    #[test]
    fn who_has_come_by_another_way_waits_no_more() {
        let mut hints = Hints::default();
        for name in ["a", "b", "c"] {
            let saga: Arc<str> = name.into();
            hints.note(&saga, "payment");
            hints.wait(&saga);
        }
        hints.take("a");
        assert_eq!(hints.next_waiting().as_deref(), Some("b"));
        hints.take("c");
        assert_eq!(hints.next_waiting(), None);
    }
}
