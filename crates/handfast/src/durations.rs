//! How long something took, as a histogram: how often it was within each of a few bounds, and how long it took in all.

use std::time::Duration;

/// Up to what each place of a histogram counts, in microseconds: from a read of the store to a participant that is given up on.
const BOUNDS_US: [u64; 15] =
    [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 10_000_000];

/// How often something happened, and how long it took.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Durations {
    /// How often it took longer than the bound before and no longer than this one.
    within: [u64; BOUNDS_US.len()],
    /// How often it took longer than every bound.
    longer: u64,
    total: Duration,
}

impl Durations {
    /// Counts one.
    pub(crate) fn note(&mut self, took: Duration) {
        self.total = self.total.saturating_add(took);
        let bound = BOUNDS_US.iter().position(|bound| took <= Duration::from_micros(*bound));
        let place = bound.and_then(|at| self.within.get_mut(at)).unwrap_or(&mut self.longer);
        *place = place.saturating_add(1);
    }

    /// Counts all of another one, too.
    pub fn add(&mut self, other: &Self) {
        self.total = self.total.saturating_add(other.total);
        self.longer = self.longer.saturating_add(other.longer);
        for (count, more) in self.within.iter_mut().zip(other.within) {
            *count = count.saturating_add(more);
        }
    }

    /// How often it happened.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.within.iter().sum::<u64>().saturating_add(self.longer)
    }

    /// How long it took in all.
    #[must_use]
    pub const fn total(&self) -> Duration {
        self.total
    }

    /// Each bound, and how often it took no longer than that.
    pub fn up_to(&self) -> impl Iterator<Item = (Duration, u64)> + '_ {
        let sums = self.within.iter().scan(0_u64, |sum, count| {
            *sum = sum.saturating_add(*count);
            Some(*sum)
        });
        BOUNDS_US.into_iter().map(Duration::from_micros).zip(sums)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_counted_within_every_bound_that_it_kept_to() {
        let mut durations = Durations::default();
        for ms in [0, 1, 7, 60_000] {
            durations.note(Duration::from_millis(ms));
        }
        let up_to = |ms| durations.up_to().find(|(bound, _)| *bound == Duration::from_millis(ms)).unwrap().1;
        assert_eq!((up_to(1), up_to(5), up_to(10), up_to(10_000)), (2, 2, 3, 3));
        assert_eq!((durations.count(), durations.total()), (4, Duration::from_millis(60_008)));
    }
}
