//! How should the generals decide: every answer against an enumeration of its own.

mod adaptive;
mod rule;
mod wave;

use handfast_lab::generals::Ratio;
use handfast_lab::generals::decide::Stakes;
use num_rational::BigRational;

/// A number as it is typed.
fn number(text: &str) -> Ratio {
    text.parse().expect(text)
}

fn stakes(gain: &str, alone: &str, messenger: &str) -> Stakes {
    Stakes::new(number(gain), number(alone), number(messenger)).expect("nothing is negative")
}

fn power(base: &BigRational, exponent: u64) -> BigRational {
    (0..exponent).fold(BigRational::from_integer(1.into()), |product, _| product * base)
}

fn whole(number: u64) -> BigRational {
    BigRational::from_integer(number.into())
}

/// What a rational number from these pairs is, for random stakes and rates.
fn ratio((above, below): (i64, u64)) -> Ratio {
    Ratio::new(above, below)
}
