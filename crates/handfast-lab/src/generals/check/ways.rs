//! In how many ways a wave can arrive: exact numbers, by the number of captures.

use num_bigint::BigUint;
use num_traits::One as _;
use rustc_hash::FxHashMap;

use super::CheckError;
use crate::generals::check::adversary::Adversary;
use crate::generals::table::{StateId, Wave};

/// One row of Pascal's triangle may take so many bits: a quarter of a gigabyte.
const MOST_BITS: u64 = 1 << 31;

/// A state to which the arrival of a wave can lead.
pub(super) struct Branch {
    pub(super) to: StateId,
    /// The fewest captures on the way to it.
    pub(super) least: u64,
    /// The numbers of the ways to it, as in [`Wave::arrivals`].
    pub(super) ways: Vec<usize>,
}

/// How many of the wave are captured if it arrives in this way.
pub(super) fn captures(wave: &Wave, way: usize) -> u64 {
    wave.size() - wave.arrivals(way).into_iter().map(u64::from).sum::<u64>()
}

/// The states to which the wave can lead, in the order of their numbers, as far as the adversary allows it.
pub(super) fn branches(wave: &Wave, row: &[StateId], adversary: Adversary) -> Vec<Branch> {
    let mut ways: Vec<(StateId, usize, u64)> = Vec::with_capacity(row.len());
    for (way, &to) in row.iter().enumerate() {
        let captures = captures(wave, way);
        if adversary.allows(captures, captures) {
            ways.push((to, way, captures));
        }
    }
    ways.sort_unstable();
    let branch = |ways: &[(StateId, usize, u64)]| Branch {
        to: ways[0].0,
        least: ways.iter().map(|&(_, _, captures)| captures).min().unwrap_or(0),
        ways: ways.iter().map(|&(_, way, _)| way).collect(),
    };
    ways.chunk_by(|one, next| one.0 == next.0).map(branch).collect()
}

/// How many patterns make so many captures, for every number of captures that some of them make, in order. Where only
/// the patterns count, all of them stand under 0.
pub(super) type Patterns = Vec<(u64, BigUint)>;

/// A [`Branch`] with its numbers.
pub(super) struct Counted {
    pub(super) to: StateId,
    pub(super) least: u64,
    /// The patterns with the fewest captures.
    pub(super) with_least: BigUint,
    pub(super) patterns: Patterns,
}

/// Counts patterns, and keeps the binomial coefficients that it has met.
#[derive(Default)]
pub(super) struct Counter {
    /// Why only the patterns with the fewest captures are counted any more.
    pub(super) gave_up: Option<CheckError>,
    /// For each number of messengers the coefficients from 0 on, as far as they were needed.
    triangle: FxHashMap<u32, Vec<BigUint>>,
}

impl Counter {
    fn choose(&mut self, all: u32, some: u32) -> Result<BigUint, CheckError> {
        let some = some.min(all - some);
        if u64::from(all) * u64::from(some) > MOST_BITS {
            return Err(CheckError::Wave { messengers: all, bits: MOST_BITS });
        }
        let row = self.triangle.entry(all).or_insert_with(|| vec![BigUint::one()]);
        for place in row.len() as u32..=some {
            let next = &row[place as usize - 1] * (all - place + 1) / place;
            row.push(next);
        }
        Ok(row[some as usize].clone())
    }

    /// The number of patterns behind one way to arrive.
    pub(super) fn of_way(&mut self, wave: &Wave, way: usize) -> Result<BigUint, CheckError> {
        let mut patterns = BigUint::one();
        for (group, arrived) in wave.groups.iter().zip(wave.arrivals(way)) {
            patterns *= self.choose(group.size, arrived)?;
        }
        Ok(patterns)
    }

    /// The branches with the number of their patterns; those that `collapses` are not told apart by their captures. Where
    /// all the patterns are too many, only those with the fewest captures are counted, from then on.
    pub(super) fn count(&mut self, wave: &Wave, branches: &[Branch], collapses: bool) -> Result<Vec<Counted>, CheckError> {
        if self.gave_up.is_none() {
            match self.count_all(wave, branches, collapses) {
                Ok(counted) => return Ok(counted),
                Err(reason) => self.gave_up = Some(reason),
            }
        }
        branches.iter().map(|branch| self.count_least(wave, branch)).collect()
    }

    fn count_least(&mut self, wave: &Wave, branch: &Branch) -> Result<Counted, CheckError> {
        let mut with_least = BigUint::ZERO;
        for &way in branch.ways.iter().filter(|&&way| captures(wave, way) == branch.least) {
            with_least += self.of_way(wave, way)?;
        }
        Ok(Counted { to: branch.to, least: branch.least, with_least, patterns: Patterns::new() })
    }

    fn count_all(&mut self, wave: &Wave, branches: &[Branch], collapses: bool) -> Result<Vec<Counted>, CheckError> {
        // Most waves lead to one state unless they are lost as a whole, so what is left over is quicker to count.
        let largest = branches.iter().enumerate().max_by_key(|(_, branch)| branch.ways.len()).map(|(place, _)| place);
        let mut rest = BigUint::one() << wave.size();
        let mut counted = Vec::with_capacity(branches.len());
        for (place, branch) in branches.iter().enumerate() {
            let mut with_least = BigUint::ZERO;
            let mut patterns = Patterns::new();
            for &way in &branch.ways {
                let captures = captures(wave, way);
                let is_left_over = collapses && largest == Some(place);
                if is_left_over && captures != branch.least {
                    continue;
                }
                let number = self.of_way(wave, way)?;
                if captures == branch.least {
                    with_least += &number;
                }
                if !is_left_over {
                    rest -= if collapses { number.clone() } else { BigUint::ZERO };
                    patterns.push((if collapses { 0 } else { captures }, number));
                }
            }
            patterns.sort_unstable();
            counted.push(Counted { to: branch.to, least: branch.least, with_least, patterns: summed(patterns) });
        }
        if let Some(place) = largest.filter(|_| collapses) {
            counted[place].patterns = vec![(0, rest)];
        }
        Ok(counted)
    }
}

/// Adds up what stands under the same number of captures.
fn summed(sorted: Patterns) -> Patterns {
    let mut sums = Patterns::new();
    for (captures, number) in sorted {
        match sums.last_mut() {
            Some((last, sum)) if *last == captures => *sum += number,
            Some(_) | None => sums.push((captures, number)),
        }
    }
    sums
}

/// The patterns of both waves of a round together, as far as the adversary allows it; under 0 unless captures count in all.
pub(super) fn together(one: &Patterns, other: &Patterns, adversary: Adversary) -> Patterns {
    let mut both = Patterns::new();
    match adversary {
        Adversary::Any => {
            let all = |patterns: &Patterns| patterns.iter().map(|(_, number)| number).sum::<BigUint>();
            both.push((0, all(one) * all(other)));
        }
        Adversary::AtMost(most) => {
            for (first, number) in one {
                let fitting = other.iter().take_while(|(second, _)| first + second <= most);
                both.extend(fitting.map(|(second, other)| (first + second, number * other)));
            }
            both.sort_unstable();
            both = summed(both);
        }
        Adversary::PerRound(most) => {
            // The more are captured of the one wave, the fewer may be of the other.
            let mut fitting = BigUint::ZERO;
            let mut rest = other.iter().peekable();
            let mut sum = BigUint::ZERO;
            for (first, number) in one.iter().rev() {
                while let Some((_, number)) = rest.next_if(|(second, _)| first + second <= most) {
                    fitting += number;
                }
                sum += number * &fitting;
            }
            both.push((0, sum));
        }
    }
    both
}
