//! Exact numbers at the edges: read as `a/b` or as a decimal, written as `a/b`, with a float beside them.

use std::fmt::{self, Display};
use std::str::FromStr;

use num_bigint::{BigInt, BigUint, Sign};
use num_rational::BigRational;
use num_traits::{One as _, Signed as _, ToPrimitive as _, Zero as _};

/// A rational number, always in lowest terms.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ratio(pub BigRational);

/// What is wrong with a number that was typed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RatioError(String);

impl Display for RatioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RatioError {}

/// A decimal exponent beyond this is taken for a slip of the finger: the exact number would fill the memory.
const MOST_EXPONENT: i64 = 10_000;

impl Ratio {
    /// `numerator / denominator`.
    ///
    /// # Panics
    /// If the denominator is 0.
    #[must_use]
    pub fn new(numerator: i64, denominator: u64) -> Self {
        Self(BigRational::new(numerator.into(), denominator.into()))
    }

    /// One minus this number.
    #[must_use]
    pub fn complement(&self) -> Self {
        Self(BigRational::one() - &self.0)
    }

    /// Whether it is a probability: from 0 to 1.
    #[must_use]
    pub fn is_probability(&self) -> bool {
        !self.0.is_negative() && self.0 <= BigRational::one()
    }

    /// The nearest float; 0 only for 0 itself and for what is smaller than every float.
    #[must_use]
    pub fn to_f64(&self) -> f64 {
        self.0.to_f64().unwrap_or(f64::NAN)
    }

    /// The number with so many significant digits, rounded, however large or small it is: `0.9999`, `1.2e-1000`.
    #[must_use]
    pub fn to_decimal(&self, digits: usize) -> String {
        let digits = digits.max(1);
        if self.0.is_zero() {
            return "0".to_owned();
        }
        let sign = if self.0.is_negative() { "-" } else { "" };
        let (numerator, denominator) = (self.0.numer().magnitude(), self.0.denom().magnitude());
        // The estimate from the lengths in binary is off by one at most; the number of whole digits tells.
        let mut exponent = ((numerator.bits() as f64 - denominator.bits() as f64) * std::f64::consts::LOG10_2).floor() as i64;
        let rounded = loop {
            let shift = digits as i64 - 1 - exponent;
            let ten = BigUint::from(10u32).pow(shift.unsigned_abs() as u32);
            let (above, below) =
                if shift >= 0 { (numerator * &ten, denominator.clone()) } else { (numerator.clone(), denominator * &ten) };
            match (&above / &below).to_string().len() {
                length if length > digits => exponent += 1,
                length if length < digits => exponent -= 1,
                _ => break ((above * 2u32 + &below) / (below * 2u32)).to_string(),
            }
        };
        // 9.99 may have been rounded up to 10.
        exponent += rounded.len() as i64 - digits as i64;
        format!("{sign}{}", placed(&rounded, exponent))
    }
}

/// Writes the digits of a number whose first one stands at this power of ten.
fn placed(digits: &str, exponent: i64) -> String {
    let trimmed = digits.trim_end_matches('0');
    if (-5..0).contains(&exponent) {
        return format!("0.{}{trimmed}", "0".repeat(exponent.unsigned_abs() as usize - 1));
    }
    if (0..=15).contains(&exponent) {
        let whole = exponent as usize + 1;
        if trimmed.len() <= whole {
            return format!("{trimmed}{}", "0".repeat(whole - trimmed.len()));
        }
        return format!("{}.{}", &trimmed[..whole], &trimmed[whole..]);
    }
    let (first, rest) = trimmed.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    format!("{first}{point}{rest}e{exponent}")
}

impl Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn whole(text: &str) -> Option<BigInt> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let sign = if text.starts_with('-') { Sign::Minus } else { Sign::Plus };
    let plain = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    plain.then(|| BigUint::from_str(digits).ok().map(|magnitude| BigInt::from_biguint(sign, magnitude))).flatten()
}

impl FromStr for Ratio {
    type Err = RatioError;

    /// Reads `3`, `-1/2`, `0.125` and `1.5e-3`, all of them exactly.
    fn from_str(text: &str) -> Result<Self, RatioError> {
        let wrong = || RatioError(format!("{text:?} is no number; write it as 1/3 or as 0.25"));
        if let Some((above, below)) = text.split_once('/') {
            let (above, below) = (whole(above).ok_or_else(wrong)?, whole(below).ok_or_else(wrong)?);
            if below.is_zero() {
                return Err(RatioError(format!("{text:?} divides by zero")));
            }
            return Ok(Self(BigRational::new(above, below)));
        }
        let (digits, exponent) = match text.split_once(['e', 'E']) {
            Some((digits, exponent)) => (digits, exponent.parse::<i64>().map_err(|_| wrong())?),
            None => (text, 0),
        };
        let (before, after) = digits.split_once('.').unwrap_or((digits, ""));
        if after.starts_with(['-', '+']) || (digits.contains('.') && after.is_empty()) {
            return Err(wrong());
        }
        let numerator = whole(&format!("{before}{after}")).ok_or_else(wrong)?;
        let exponent = exponent.saturating_sub(after.len() as i64);
        if exponent.abs() > MOST_EXPONENT {
            return Err(RatioError(format!("{text:?} has more than {MOST_EXPONENT} places; write a number that has fewer")));
        }
        let ten = BigInt::from(10).pow(exponent.unsigned_abs() as u32);
        Ok(Self(if exponent >= 0 { BigRational::from(numerator * ten) } else { BigRational::new(numerator, ten) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, exact: &str, decimal: &str) {
        let ratio: Ratio = text.parse().expect(text);
        assert_eq!((ratio.to_string().as_str(), ratio.to_decimal(4).as_str()), (exact, decimal), "{text}");
    }

    #[test]
    fn numbers_are_read_exactly_and_written_in_both_ways() {
        check("1/3", "1/3", "0.3333");
        check("2/6", "1/3", "0.3333");
        check("0.1", "1/10", "0.1");
        check(".5", "1/2", "0.5");
        check("-0.25", "-1/4", "-0.25");
        check("1e-15", "1/1000000000000000", "1e-15");
        check("1.5e3", "1500", "1500");
        check("99999/100000", "99999/100000", "1");
        check("9999/10000", "9999/10000", "0.9999");
        check("0", "0", "0");
        check("123456", "123456", "123500");
        check("123456e20", "12345600000000000000000000", "1.235e25");
        check("1/1024", "1/1024", "0.0009766");
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "x", "1/0", "1//2", "1/", "/2", "0x1", "1.", "1.-5", "1e", "1e99999", "1 / 2", "NaN", "--1", "+-1", "."]
        {
            assert!(text.parse::<Ratio>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_small_is_not_nothing() {
        let small: Ratio = "1e-15".parse().expect("a number");
        assert!(small.to_f64() > 0.0);
        let tiny: Ratio = "1e-1000".parse().expect("a number");
        assert_eq!(tiny.to_decimal(3), "1e-1000");
    }
}
