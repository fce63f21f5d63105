//! Exact probabilities of what becomes of a wave, if every messenger is captured with the same chance, independently.

use std::collections::BTreeMap;
use std::convert::Infallible;

use num_bigint::{BigInt, BigUint};
use num_rational::BigRational;
use num_traits::{One as _, Zero as _};

use crate::generals::odds::pass::Weigh;
use crate::generals::ratio::Ratio;
use crate::generals::table::Wave;

/// A probability as a whole number over a power of the capture rate's denominator: nothing is reduced until the end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Share {
    numerator: BigUint,
    /// The power of the denominator: the number of messengers on the way whose fate mattered.
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
    pub(in crate::generals) const fn numerator(&self) -> &BigUint {
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
    pub(in crate::generals) fn even() -> Self {
        Self { captured: BigUint::one(), arrives: BigUint::one(), all: BigUint::from(2u32) }
    }

    /// What is certain.
    #[must_use]
    pub fn one(&self) -> Share {
        Share { numerator: BigUint::one(), sent: 0 }
    }

    /// The numerator of what is certain after so many messengers.
    pub(in crate::generals) fn certain(&self, sent: u64) -> BigUint {
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
        let mut others = vec![true; wave.ways() as usize];
        ways.iter().for_each(|&way| others[way] = false);
        let others = (0..others.len()).filter(|&way| others[way]).collect();
        self.of_classes(wave, &[ways.to_vec(), others]).swap_remove(0)
    }

    /// The probability of each class of ways in which the wave arrives. The classes share no way, and leave none out.
    #[must_use]
    pub fn of_classes(&self, wave: &Wave, classes: &[Vec<usize>]) -> Vec<Share> {
        let sent = wave.size();
        // Most classes are "at least one arrives", and what the others leave of it is quicker to find than its sum.
        let rest = left_to_the_others(classes);
        let asked = ways_without(classes, rest);
        if asked.is_empty() {
            return classes.iter().map(|ways| if ways.is_empty() { self.zero() } else { self.one() }).collect();
        }
        // That none arrives needs no numbers of ways, and is what is asked of most waves.
        let of_way = (asked != [0]).then(|| numbers_of_ways(wave, &asked, &self.captured, &self.arrives));
        let of_ways = |ways: &[usize]| match &of_way {
            Some(of_way) => ways.iter().map(|&way| of_way(way)).sum(),
            None if ways.is_empty() => BigUint::ZERO,
            None => self.captured.pow(sent as u32),
        };
        let mut left = self.all.pow(sent as u32);
        let mut shares = Vec::with_capacity(classes.len());
        for (class, ways) in classes.iter().enumerate() {
            let numerator = if Some(class) == rest { BigUint::ZERO } else { of_ways(ways) };
            left -= &numerator;
            shares.push(Share { numerator, sent });
        }
        if let Some(rest) = rest {
            shares[rest].numerator = left;
        }
        shares
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
    ///
    /// Nothing but factors of the capture rate's denominator can be common to both sides of the fraction, so that they
    /// are looked for in its powers, of which mostly the first has none.
    #[must_use]
    pub fn exact(&self, share: &Share) -> Ratio {
        let below = self.all.pow(share.sent as u32);
        if share.numerator.is_zero() {
            return Ratio(BigRational::zero());
        }
        // Factors of two are shifted out; of the others only as many as a power of the base holds.
        let twos = share.numerator.trailing_zeros().unwrap_or(0).min(below.trailing_zeros().unwrap_or(0));
        let (mut numerator, mut below) = (&share.numerator >> twos, below >> twos);
        let mut power = &self.all >> self.all.trailing_zeros().unwrap_or(0);
        loop {
            let shared = num_integer::gcd(&numerator % &power, power.clone());
            let common = if shared.is_one() { shared } else { num_integer::gcd(&below % &shared, shared) };
            if common.is_one() {
                break;
            }
            numerator /= &common;
            below /= &common;
            // A larger power finds more of it at once.
            power = &power * &power;
        }
        Ratio(BigRational::new_raw(BigInt::from(numerator), BigInt::from(below)))
    }

    /// The sum of probabilities of what excludes each other, in lowest terms.
    #[must_use]
    pub fn exact_sum(&self, shares: &[&Share]) -> Ratio {
        let mut sum = self.zero();
        shares.iter().for_each(|share| self.add(&mut sum, share));
        self.exact(&sum)
    }
}

/// The class with more ways than all others together: its share is what they leave.
pub(in crate::generals) fn left_to_the_others(classes: &[Vec<usize>]) -> Option<usize> {
    let ways: usize = classes.iter().map(Vec::len).sum();
    classes.iter().position(|class| 2 * class.len() > ways)
}

/// Every way, without those of the class that is left to the others.
pub(in crate::generals) fn ways_without(classes: &[Vec<usize>], rest: Option<usize>) -> Vec<usize> {
    classes.iter().enumerate().filter(|(class, _)| Some(*class) != rest).flat_map(|(_, ways)| ways).copied().collect()
}

impl Weigh for Chance {
    type Weight = Share;
    /// The numerators, by the power of the denominator below them.
    type Sum = BTreeMap<u64, BigUint>;
    type Refusal = Infallible;

    fn certain(&self) -> Share {
        self.one()
    }

    fn of_classes(&self, wave: &Wave, classes: &[Vec<usize>]) -> Vec<Share> {
        Self::of_classes(self, wave, classes)
    }

    fn both(&self, one: &Share, other: &Share) -> Share {
        Self::both(self, one, other)
    }

    fn add(&self, sum: &mut BTreeMap<u64, BigUint>, weight: Share) {
        *sum.entry(weight.sent).or_default() += weight.numerator;
    }

    /// Brings the numerators over one denominator, from power to power.
    fn total(&self, sum: BTreeMap<u64, BigUint>) -> Result<Share, Infallible> {
        let mut sum = sum.into_iter();
        // Most sums have one addend only, which is over its denominator already.
        let mut total = sum.next().map_or_else(|| self.zero(), |(sent, numerator)| Share { numerator, sent });
        for (sent, numerator) in sum {
            total = Share { numerator: total.numerator * self.all.pow((sent - total.sent) as u32) + numerator, sent };
        }
        Ok(total)
    }
}

/// For each of these ways in which the wave can arrive the product of what its messengers weigh, summed over which of them
/// they are: a captured one weighs `captured`, and one that arrives `arrives`.
pub(in crate::generals) fn numbers_of_ways<'a>(
    wave: &'a Wave,
    asked: &[usize],
    captured: &BigUint,
    arrives: &BigUint,
) -> impl Fn(usize) -> BigUint + use<'a> {
    let mut wanted: Vec<Vec<bool>> = wave.groups.iter().map(|group| vec![false; group.size as usize + 1]).collect();
    for &way in asked {
        for (wanted, arrived) in wanted.iter_mut().zip(wave.arrivals(way)) {
            wanted[arrived as usize] = true;
        }
    }
    let spreads: Vec<Vec<BigUint>> = wanted.iter().map(|wanted| spread(wanted, captured, arrives)).collect();
    move |way| {
        let parts = spreads.iter().zip(wave.arrivals(way)).map(|(spread, arrived)| &spread[arrived as usize]);
        parts.fold(BigUint::one(), |product, part| if product.is_one() { part.clone() } else { product * part })
    }
}

/// The same for one group, by the number that arrives, where it is wanted; 0 elsewhere.
///
/// One number follows from the one before it by a small product and a small quotient, from both ends to the middle.
fn spread(wanted: &[bool], captured: &BigUint, arrives: &BigUint) -> Vec<BigUint> {
    let size = wanted.len() - 1;
    let mut spread = vec![BigUint::ZERO; wanted.len()];
    if wanted[0] || wanted[1..=size / 2].contains(&true) {
        spread[0] = captured.pow(size as u32);
    }
    if wanted[size / 2 + 1..].contains(&true) {
        spread[size] = arrives.pow(size as u32);
    }
    // The walks below divide by these.
    if captured.is_zero() || arrives.is_zero() {
        return spread;
    }
    let middle = size / 2;
    let lower = (1..=middle).rev().find(|&arrived| wanted[arrived]).unwrap_or(0);
    for arrived in 1..=lower {
        let more = (size - arrived + 1) as u64;
        spread[arrived] = &spread[arrived - 1] * (arrives * more) / (captured * arrived as u64);
    }
    let upper = (middle + 1..size).find(|&arrived| wanted[arrived]).unwrap_or(size);
    for arrived in (upper..size).rev() {
        let (more, lost) = (arrived as u64 + 1, (size - arrived) as u64);
        spread[arrived] = &spread[arrived + 1] * (captured * more) / (arrives * lost);
    }
    spread
}

/// The number of ways to choose `some` of `all`.
#[must_use]
pub fn binomial(all: u32, some: u32) -> BigUint {
    let some = some.min(all.saturating_sub(some));
    (1..=some).fold(BigUint::one(), |ways, place| ways * (all - some + place) / place)
}
