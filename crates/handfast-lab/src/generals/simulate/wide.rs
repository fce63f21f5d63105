//! Floats that neither overflow nor underflow: a probability of 1e-1000 is a weight like any other.

use std::cmp::Ordering;
use std::ops::{Add, Div, Mul, Sub};

use num_bigint::{BigInt, BigUint};
use num_rational::BigRational;
use num_traits::{ToPrimitive as _, Zero as _};

use crate::generals::ratio::Ratio;

/// A number from 0 up: a float from 1 to below 2, times a power of two.
///
/// Only operations that IEEE 754 rounds in one way are used, so that the same numbers come out on every machine.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(in crate::generals) struct Wide {
    /// From 1 to below 2, or 0.
    mantissa: f64,
    exponent: i64,
}

impl Wide {
    pub(in crate::generals) const ZERO: Self = Self { mantissa: 0.0, exponent: 0 };
    pub(in crate::generals) const ONE: Self = Self { mantissa: 1.0, exponent: 0 };

    /// `value * 2^exponent`, for a value that is 0 or neither too small nor too large for a float of full precision.
    fn new(value: f64, exponent: i64) -> Self {
        if value <= 0.0 {
            return Self::ZERO;
        }
        let bits = value.to_bits();
        let power = (bits >> 52) as i64 - 1023;
        Self { mantissa: f64::from_bits(bits & ((1 << 52) - 1) | (1023 << 52)), exponent: exponent + power }
    }

    pub(in crate::generals) fn count(count: u64) -> Self {
        Self::new(count as f64, 0)
    }

    /// A number that is not negative.
    pub(in crate::generals) fn of(ratio: &Ratio) -> Self {
        let (above, below) = (ratio.0.numer().magnitude(), ratio.0.denom().magnitude());
        // The quotient has 64 bits or one more: what is cut off is less than the rounding to a float.
        let shift = 64 + below.bits() as i64 - above.bits() as i64;
        let quotient = if shift >= 0 { (above << shift as u64) / below } else { above / (below << shift.unsigned_abs()) };
        Self::new(quotient.to_f64().unwrap_or(0.0), -shift)
    }

    pub(in crate::generals) fn is_zero(self) -> bool {
        self.mantissa == 0.0
    }

    pub(in crate::generals) fn sqrt(self) -> Self {
        let odd = self.exponent.rem_euclid(2);
        Self::new((self.mantissa * if odd == 1 { 2.0 } else { 1.0 }).sqrt(), (self.exponent - odd) / 2)
    }

    pub(in crate::generals) fn pow(self, mut power: u64) -> Self {
        let (mut result, mut square) = (Self::ONE, self);
        while power > 0 {
            if power & 1 == 1 {
                result = result * square;
            }
            square = square * square;
            power >>= 1;
        }
        result
    }

    /// The nearest float; 0 if it is smaller than every float.
    pub(in crate::generals) fn to_f64(self) -> f64 {
        self.exact().to_f64()
    }

    /// Exactly this number.
    pub(in crate::generals) fn exact(self) -> Ratio {
        let whole = BigInt::from((self.mantissa * (1u64 << 52) as f64) as u64);
        let exponent = self.exponent - 52;
        let power = BigInt::from(BigUint::from(1u32) << exponent.unsigned_abs());
        if whole.is_zero() || exponent >= 0 {
            return Ratio(BigRational::from(whole * power));
        }
        Ratio(BigRational::new(whole, power))
    }
}

/// What may be left of a number so much smaller does not change the other any more.
const BEYOND_PRECISION: i64 = 64;

fn halved(value: f64, times: i64) -> f64 {
    // Below 64 times: a shift of the exponent, exactly.
    value / (1u128 << times) as f64
}

impl Add for Wide {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let (large, small) = if self >= other { (self, other) } else { (other, self) };
        let times = large.exponent - small.exponent;
        if small.is_zero() || times > BEYOND_PRECISION {
            return large;
        }
        Self::new(large.mantissa + halved(small.mantissa, times), large.exponent)
    }
}

/// What is less than nothing is nothing: only errors of rounding can lead there.
impl Sub for Wide {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        let times = self.exponent - other.exponent;
        if self <= other {
            return Self::ZERO;
        }
        if other.is_zero() || times > BEYOND_PRECISION {
            return self;
        }
        Self::new(self.mantissa - halved(other.mantissa, times), self.exponent)
    }
}

impl Mul for Wide {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        Self::new(self.mantissa * other.mantissa, self.exponent + other.exponent)
    }
}

/// Nothing is divided by nothing here; it would be nothing.
impl Div for Wide {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        if other.is_zero() {
            return Self::ZERO;
        }
        Self::new(self.mantissa / other.mantissa, self.exponent - other.exponent)
    }
}

impl PartialOrd for Wide {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self.is_zero(), other.is_zero()) {
            (false, false) => self.exponent.cmp(&other.exponent).then(self.mantissa.total_cmp(&other.mantissa)).into(),
            (left, right) => right.cmp(&left).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Wide {
        Wide::of(&text.parse().expect(text))
    }

    #[track_caller]
    fn check(found: Wide, expected: &str) {
        assert_eq!(found.exact().to_decimal(12), expected.parse::<Ratio>().expect(expected).to_decimal(12));
    }

    #[test]
    fn small_and_large_numbers_are_numbers() {
        check(wide("1/10").pow(1000), "1e-1000");
        check(wide("1/10").pow(1000) / wide("1e-999"), "1/10");
        check(wide("1e-1000").sqrt(), "1e-500");
        check(wide("1e-1001").sqrt() * wide("1e-1001").sqrt(), "1e-1001");
        check(wide("1/3") + wide("1/6"), "1/2");
        check(wide("1/3") - wide("1/6"), "1/6");
        check(wide("1e300") * wide("1e300"), "1e600");
        check(wide("1") + wide("1e-100"), "1");
        check(wide("1e-100") - wide("1"), "0");
        check(Wide::count(12_345), "12345");
        check(wide("0"), "0");
        assert!(wide("0") < wide("1e-1000") && wide("1e-1000") < wide("1e-999"));
        assert_eq!((wide("3/4").to_f64(), wide("1e-1000").to_f64()), (0.75, 0.0));
    }
}
