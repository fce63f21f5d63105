//! Simulates runs: a coin for every messenger, and the outcomes counted.

pub(super) mod email_game;
pub(super) mod importance;
pub(super) mod interval;
pub(super) mod tilt;
pub(super) mod toss;
mod walk;
mod wide;

use std::num::NonZero;
use std::thread;

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use crate::generals::simulate::toss::{CaptureRate, Toss, bits};
use crate::generals::simulate::walk::{COINS, Walk, Walked};
use crate::generals::table::Table;
use crate::generals::table::outcome::Outcome;

/// So many runs draw from one stream of random bits. It belongs to what a seed means: another number, other results.
const RUNS_IN_A_BLOCK: u64 = 1024;

/// How to simulate.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Simulation {
    /// How many runs.
    pub runs: u64,
    /// The same seed gives the same numbers, on any machine and any number of threads.
    pub seed: u64,
    /// How many threads at most; 0 for one a core. There are never more of them than blocks of 1024 runs.
    pub threads: usize,
}

/// What was counted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Simulated {
    /// The runs of each row, in the order of [`Outcome::ALL`].
    pub outcomes: [u64; 4],
    /// Messengers that were sent, in all runs together.
    pub messengers: u64,
    /// Messengers that were captured.
    pub captures: u64,
}

impl Simulated {
    /// The number of runs that ended like this.
    #[must_use]
    pub const fn count(&self, outcome: Outcome) -> u64 {
        self.outcomes[outcome.index()]
    }

    fn add(&mut self, walked: &Walked) {
        self.outcomes[walked.outcome.index()] += 1;
        self.messengers += walked.sent.iter().sum::<u64>();
        self.captures += walked.captured.iter().sum::<u64>();
    }

    pub(in crate::generals) fn with(mut self, other: &Self) -> Self {
        self.outcomes.iter_mut().zip(other.outcomes).for_each(|(count, more)| *count += more);
        self.messengers += other.messengers;
        self.captures += other.captures;
        self
    }
}

impl Table {
    /// Simulates runs in which the attack is wanted, with every messenger captured at this rate, independently, and with
    /// every side of the coin equally likely. `done` is told how many more runs are over, from any thread.
    #[must_use]
    pub fn simulate(&self, rate: &CaptureRate, simulation: &Simulation, done: &(dyn Fn(u64) + Sync)) -> Simulated {
        let walk = Walk::new(self, |_, _| 0);
        let tosses: [Toss; COINS] = [0; COINS].map(|_| Toss::new(rate.clone()));
        simulation.in_blocks(
            |block, runs| {
                let (mut tosses, mut bits) = (tosses.clone(), bits(simulation.seed, 0, block));
                let mut simulated = Simulated::default();
                (0..runs).for_each(|_| simulated.add(&walk.play(&mut tosses, &mut bits)));
                done(runs);
                simulated
            },
            |one, other| one.with(&other),
        )
    }
}

impl Simulation {
    /// Counts block by block. What two blocks have counted has to add up to the same in any order.
    pub(in crate::generals) fn in_blocks<T>(
        &self,
        block: impl Fn(u64, u64) -> T + Send + Sync,
        merge: impl Fn(T, T) -> T + Send + Sync,
    ) -> T
    where
        T: Default + Send,
    {
        let blocks = self.runs.div_ceil(RUNS_IN_A_BLOCK);
        let count = |number: u64| block(number, RUNS_IN_A_BLOCK.min(self.runs - number * RUNS_IN_A_BLOCK));
        let threads = self.threads_for(blocks);
        if threads == 1 {
            return (0..blocks).map(count).fold(T::default(), merge);
        }
        let all = || (0..blocks).into_par_iter().map(&count).reduce(T::default, &merge);
        match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
            Ok(pool) => pool.install(all),
            // No threads to be had: the numbers are the same with the one that there is.
            Err(_) => (0..blocks).map(&count).fold(T::default(), &merge),
        }
    }
    /// How many threads share so many blocks.
    fn threads_for(&self, blocks: u64) -> usize {
        let most = if self.threads == 0 { thread::available_parallelism().map_or(1, NonZero::get) } else { self.threads };
        usize::try_from(blocks).map_or(most, |blocks| most.min(blocks)).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_never_more_threads_than_blocks() {
        let threads = |threads: usize, blocks: u64| Simulation { runs: 1, seed: 1, threads }.threads_for(blocks);
        assert_eq!((threads(10_000, 3), threads(2, 1_000), threads(0, 1), threads(8, 0)), (3, 2, 1, 1));
    }
}
