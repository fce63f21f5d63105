//! Exact probabilities of what becomes of a wave, if every messenger is captured with the same chance, independently.

use num_bigint::{BigInt, BigUint, ToBigInt as _};
use num_rational::BigRational;
use num_traits::{One as _, Zero as _};

use super::ratio::Ratio;
use super::table::Wave;

/// A probability as a whole number over a power of the capture rate's denominator: nothing is reduced until the end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Share {
    numerator: BigUint,
    /// The number of messengers that were sent on the way: the power of the denominator.
    sent: u64,
}

/// The rate at which the city captures messengers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chance {
    captured: BigUint,
    arrives: BigUint,
    all: BigUint,
}

impl Share {
    /// The numerator, over the denominator of the capture rate to the power of the number of messengers that were sent.
    pub(super) const fn numerator(&self) -> &BigUint {
        &self.numerator
    }
}

impl Chance {
    /// Messengers are captured at this rate, which has to be a probability.
    #[must_use]
    pub fn new(capture: &Ratio) -> Option<Self> {
        if !capture.is_probability() {
            return None;
        }
        let captured = capture.0.numer().magnitude().clone();
        let all = capture.0.denom().magnitude().clone();
        Some(Self { arrives: &all - &captured, captured, all })
    }

    /// One of two messengers is captured.
    pub(super) fn even() -> Self {
        Self { captured: BigUint::one(), arrives: BigUint::one(), all: BigUint::from(2u32) }
    }

    /// What is certain.
    #[must_use]
    pub fn one(&self) -> Share {
        Share { numerator: BigUint::one(), sent: 0 }
    }

    /// The numerator of what is certain after so many messengers.
    pub(super) fn certain(&self, sent: u64) -> BigUint {
        self.all.pow(sent as u32)
    }

    /// What never happens.
    #[must_use]
    pub const fn zero(&self) -> Share {
        Share { numerator: BigUint::ZERO, sent: 0 }
    }

    /// The probability that the wave arrives in one of these ways, which are numbered as in [`Wave::arrivals`].
    #[must_use]
    pub fn of_ways(&self, wave: &Wave, ways: &[usize]) -> Share {
        let sent = wave.size();
        // Most sets are "at least one arrives", of which the rest is quicker to add up.
        if 2 * ways.len() as u64 > wave.ways() {
            let all = self.all.pow(sent as u32);
            let mut rest: Vec<bool> = vec![true; wave.ways() as usize];
            ways.iter().for_each(|&way| rest[way] = false);
            let rest = rest.iter().enumerate().filter(|(_, rest)| **rest).map(|(way, _)| self.of_way(wave, way));
            return Share { numerator: all - rest.sum::<BigUint>(), sent };
        }
        Share { numerator: ways.iter().map(|&way| self.of_way(wave, way)).sum(), sent }
    }

    fn of_way(&self, wave: &Wave, way: usize) -> BigUint {
        let arrivals = wave.arrivals(way);
        let mut numerator = BigUint::one();
        for (group, arrived) in wave.groups.iter().zip(arrivals) {
            numerator *= binomial(group.size, arrived);
            numerator *= self.captured.pow(group.size - arrived) * self.arrives.pow(arrived);
        }
        numerator
    }

    /// The probability of both, if they are independent.
    #[must_use]
    pub fn both(&self, one: &Share, other: &Share) -> Share {
        Share { numerator: &one.numerator * &other.numerator, sent: one.sent + other.sent }
    }

    /// Adds the probability of what excludes it.
    pub fn add(&self, to: &mut Share, other: &Share) {
        match to.sent.cmp(&other.sent) {
            std::cmp::Ordering::Equal => to.numerator += &other.numerator,
            std::cmp::Ordering::Greater => to.numerator += &other.numerator * self.all.pow((to.sent - other.sent) as u32),
            std::cmp::Ordering::Less => {
                to.numerator = &to.numerator * self.all.pow((other.sent - to.sent) as u32) + &other.numerator;
                to.sent = other.sent;
            }
        }
    }

    /// The probability in lowest terms.
    #[must_use]
    pub fn exact(&self, share: &Share) -> Ratio {
        let whole = |number: &BigUint| number.to_bigint().unwrap_or_else(BigInt::zero);
        Ratio(BigRational::new(whole(&share.numerator), whole(&self.all.pow(share.sent as u32))))
    }
}

/// The number of ways to choose `some` of `all`.
#[must_use]
pub fn binomial(all: u32, some: u32) -> BigUint {
    num_integer::binomial(BigUint::from(all), BigUint::from(some.min(all)))
}
