//! A set of steps of one saga, small enough to be copied.

use core::fmt;

use super::plan::Plan;

/// Some of a saga's steps, by their number, counted from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct StepSet(u64);

impl StepSet {
    /// None of them.
    pub const NONE: Self = Self(0);

    /// The same with one more. A number that no saga has makes no difference.
    #[must_use]
    pub const fn with(self, step: usize) -> Self {
        if step < Plan::MAX_STEPS { Self(self.0 | 1 << step) } else { self }
    }

    /// Whether this step is one of them.
    #[must_use]
    pub const fn contains(self, step: usize) -> bool {
        step < Plan::MAX_STEPS && self.0 & 1 << step != 0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// All of them, in order.
    pub fn iter(self) -> impl Iterator<Item = usize> {
        (0..Plan::MAX_STEPS).filter(move |&step| self.contains(step))
    }
}

impl FromIterator<usize> for StepSet {
    fn from_iter<I: IntoIterator<Item = usize>>(steps: I) -> Self {
        steps.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Debug for StepSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
