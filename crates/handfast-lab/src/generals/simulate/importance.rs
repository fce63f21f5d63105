//! Importance sampling: messengers are captured at other rates, and every run counts for what it is really worth.

use std::collections::BTreeMap;

use crate::generals::ratio::Ratio;
use crate::generals::simulate::Simulation;
use crate::generals::simulate::interval::Confidence;
use crate::generals::simulate::tilt::Tilt;
use crate::generals::simulate::toss::{CaptureRate, Toss, bits};
use crate::generals::simulate::walk::{COINS, Walk};
use crate::generals::simulate::wide::Wide;
use crate::generals::table::Table;
use crate::generals::table::outcome::Outcome;

/// Runs by how they ended and what was sent and captured under the rates that were taken instead.
type Tally = BTreeMap<(Outcome, [u64; COINS], [u64; COINS]), u64>;

/// What importance sampling says of one outcome.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Estimate {
    /// The runs that ended so, under the rates that were taken instead.
    pub hits: u64,
    /// The estimate of the probability.
    pub value: Ratio,
    /// Its standard error.
    pub error: Ratio,
    /// So many hits that weigh the same would tell as much: the square of the sum of the weights over the sum of their
    /// squares (Kish, *Survey Sampling*, 1965, section 11.7). Far fewer than `hits` if a few runs outweigh all others.
    pub effective_hits: Ratio,
}

impl Estimate {
    /// The interval that the normal approximation gives.
    #[must_use]
    pub fn interval(&self, confidence: Confidence) -> [Ratio; 2] {
        let wide = Wide::of(&self.error) * Wide::of(&decimal(confidence.deviations()));
        let value = Wide::of(&self.value);
        [(value - wide).exact(), (value + wide).exact()]
    }

    /// How many times the variance of as many plain runs the estimate has, for an outcome of this probability: above 1 the
    /// rates suit it badly. `None` where plain runs have no variance.
    #[must_use]
    pub fn variance_ratio(&self, probability: &Ratio, runs: u64) -> Option<f64> {
        let plain = Wide::of(probability) * Wide::of(&probability.complement()) / Wide::count(runs.max(1));
        let error = Wide::of(&self.error);
        (!plain.is_zero()).then(|| (error * error / plain).to_f64())
    }
}

/// A float between 1 and 4, exactly.
fn decimal(value: f64) -> Ratio {
    Ratio::new((value * (1u64 << 50) as f64) as i64, 1 << 50)
}

impl Table {
    /// Simulates runs as [`Table::simulate`] does, with messengers captured at the rates of `tilt`. A run weighs as much
    /// as it is more likely under the true rate: (p/q)^captured ((1-p)/(1-q))^(sent - captured) for every rate q that was
    /// taken instead of p (Rubinstein and Kroese, *Simulation and the Monte Carlo Method*, 3rd edition 2017, section 5.7). The
    /// mean of the weights of the runs that end in a row estimates its probability without bias.
    ///
    /// Runs are counted by those numbers and weighed once at the end, so the estimates are the same on any number of
    /// threads. `purpose` sets these random bits apart from others of the same seed.
    #[must_use]
    pub fn simulate_tilted(
        &self,
        tilt: &Tilt,
        purpose: u64,
        simulation: &Simulation,
        done: &(dyn Fn(u64) + Sync),
    ) -> Option<[Estimate; 4]> {
        let walk = Walk::new(self, |round, side| tilt.coins[round][side]);
        let [plain, higher, lower] = tilt.rates.each_ref().map(|rate| CaptureRate::new(rate).map(Toss::new));
        let tosses: [Toss; COINS] = [plain?, higher?, lower?];
        let count = |block, runs| {
            let (mut tosses, mut bits) = (tosses.clone(), bits(simulation.seed, purpose, block));
            let mut tally = Tally::new();
            for _ in 0..runs {
                let mut walked = walk.play(&mut tosses, &mut bits);
                // What was tossed at the true rate weighs the same in every run.
                (walked.sent[0], walked.captured[0]) = (0, 0);
                *tally.entry((walked.outcome, walked.sent, walked.captured)).or_insert(0) += 1;
            }
            done(runs);
            tally
        };
        let merge = |mut one: Tally, other: Tally| {
            for (key, runs) in other {
                *one.entry(key).or_insert(0) += runs;
            }
            one
        };
        let tally = simulation.in_blocks(count, merge);
        Some(Outcome::ALL.map(|outcome| estimate(&tally, outcome, tilt, simulation.runs)))
    }
}

fn estimate(tally: &Tally, outcome: Outcome, tilt: &Tilt, runs: u64) -> Estimate {
    let [rate, rest] = [Wide::of(&tilt.rates[0]), Wide::of(&tilt.rates[0].complement())];
    let (mut hits, mut sum, mut squares) = (0, Wide::ZERO, Wide::ZERO);
    for ((_, sent, captured), &count) in tally.iter().filter(|((row, ..), _)| *row == outcome) {
        let mut weight = Wide::ONE;
        for coin in 1..COINS {
            let (other, other_rest) = (Wide::of(&tilt.rates[coin]), Wide::of(&tilt.rates[coin].complement()));
            weight = weight * (rate / other).pow(captured[coin]) * (rest / other_rest).pow(sent[coin] - captured[coin]);
        }
        hits += count;
        sum = sum + Wide::count(count) * weight;
        squares = squares + Wide::count(count) * weight * weight;
    }
    let all = Wide::count(runs);
    let value = sum / all;
    let variance = (squares / all - value * value) / Wide::count(runs.saturating_sub(1).max(1));
    let effective_hits = (sum * sum / squares).exact();
    Estimate { hits, value: value.exact(), error: variance.sqrt().exact(), effective_hits }
}
