//! Whole numbers over a power of the capture rate's denominator, reduced only at the end.

use std::cmp::Ordering;

use num_bigint::{BigInt, BigUint};
use num_integer::Integer as _;
use num_rational::BigRational;
use num_traits::{One as _, Zero as _};

use crate::generals::ratio::Ratio;

/// The powers of a capture rate `captured / all` in lowest terms.
#[derive(Clone, Debug)]
pub(super) struct Powers {
    captured: BigUint,
    all: BigUint,
}

impl Powers {
    pub(super) fn new(capture: &Ratio) -> Self {
        Self { captured: capture.0.numer().magnitude().clone(), all: capture.0.denom().magnitude().clone() }
    }

    /// How many binary digits the denominator of the capture rate has.
    pub(super) fn digits(&self) -> u64 {
        self.all.bits()
    }

    /// The numerator of the probability that so many messengers are all captured, over [`Powers::all`] of the same power.
    pub(super) fn captured(&self, messengers: u32) -> BigUint {
        self.captured.pow(messengers)
    }

    /// The numerator of the probability that at least one of so many arrives.
    pub(super) fn arrives(&self, messengers: u32) -> BigUint {
        self.all(messengers) - self.captured(messengers)
    }

    /// The denominator to this power.
    pub(super) fn all(&self, power: u32) -> BigUint {
        self.all.pow(power)
    }
}

/// A number over a power of the capture rate's denominator.
#[derive(Clone, Debug)]
pub(super) struct Amount {
    pub(super) numerator: BigInt,
    pub(super) power: u32,
}

impl Amount {
    pub(super) fn whole(number: impl Into<BigInt>) -> Self {
        Self { numerator: number.into(), power: 0 }
    }

    /// The numerator over another, not smaller, power of the denominator.
    pub(super) fn over(&self, power: u32, powers: &Powers) -> BigInt {
        &self.numerator * BigInt::from(powers.all(power - self.power))
    }

    pub(super) fn compare(&self, other: &Self, powers: &Powers) -> Ordering {
        match self.power.cmp(&other.power) {
            Ordering::Equal => self.numerator.cmp(&other.numerator),
            Ordering::Less => self.over(other.power, powers).cmp(&other.numerator),
            Ordering::Greater => self.numerator.cmp(&other.over(self.power, powers)),
        }
    }

    /// The number in lowest terms, after division by `unit`.
    pub(super) fn exact(&self, unit: &BigUint, powers: &Powers) -> Ratio {
        reduced(self.numerator.clone(), unit * powers.all(self.power), &(unit * powers.all(1)))
    }
}

/// A fraction in lowest terms whose denominator has no prime factors but those of `small`.
///
/// The usual way to reduce takes quadratic time; here every common factor divides a power of a short number.
pub(super) fn reduced(mut numerator: BigInt, mut denominator: BigUint, small: &BigUint) -> Ratio {
    if numerator.is_zero() {
        return Ratio(BigRational::zero());
    }
    loop {
        let shared = small.gcd(&(&denominator % small)).gcd(&(numerator.magnitude() % small));
        if shared.is_one() {
            return Ratio(BigRational::new_raw(numerator, denominator.into()));
        }
        numerator /= BigInt::from(shared.clone());
        denominator /= shared;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_reduced_as_usual() {
        for (numerator, denominator) in [(6, 4), (-12, 18), (35, 72), (0, 36), (72, 72), (144, 72), (1, 1), (9, 1)] {
            let usual = BigRational::new(BigInt::from(numerator), BigInt::from(denominator));
            let denominator = BigUint::from(denominator as u32);
            assert_eq!(reduced(numerator.into(), denominator, &BigUint::from(6u32)).0, usual);
        }
    }
}
