//! What is asked where it matters how likely a run is: the prior of the order and the capture rate, checked and made weights.

use std::fmt::{self, Display};

use num_bigint::BigUint;
use num_traits::{One as _, Zero as _};

use crate::generals::knowledge::views::{TooMuch, Weighing};
use crate::generals::odds::chance::Chance;
use crate::generals::ratio::Ratio;
use crate::generals::table::Table;

/// Why the runs of a protocol were not weighed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotWeighed {
    /// The capture rate is no probability.
    Capture(Ratio),
    /// The attack is never wanted, or this is no probability.
    Prior(Ratio),
    /// It would not fit in memory.
    TooMuch(TooMuch),
}

impl Display for NotWeighed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capture(capture) => write!(f, "messengers cannot be captured at the rate {capture}: it lies between 0 and 1"),
            Self::Prior(prior) => {
                write!(f, "the attack cannot be wanted with probability {prior}: it is more than 0, and at most 1")
            }
            Self::TooMuch(bound) => bound.fmt(f),
        }
    }
}

impl std::error::Error for NotWeighed {}

/// The weights of runs if the attack is wanted with probability `prior`, all other ways in which orders can have been given
/// are equally likely, and every messenger is captured with probability `capture`.
///
/// # Errors
/// An argument is no probability, or the attack is never wanted.
pub(in crate::generals) fn weighing(table: &Table, prior: &Ratio, capture: &Ratio) -> Result<Weighing, NotWeighed> {
    let chance = Chance::new(capture).ok_or_else(|| NotWeighed::Capture(capture.clone()))?;
    if !prior.is_probability() || prior.0.is_zero() {
        return Err(NotWeighed::Prior(prior.clone()));
    }
    Ok(Weighing::Chance { chance, prior: shares(table, prior) })
}

/// The prior of every way in which orders can have been given, as whole numbers.
fn shares(table: &Table, prior: &Ratio) -> Vec<BigUint> {
    let ways = table.orders.ways();
    let (numerator, denominator) = (prior.0.numer().magnitude(), prior.0.denom().magnitude());
    if let [_] = ways {
        return vec![BigUint::one()];
    }
    let share = |way: &[bool; 2]| {
        if table.orders.wants_attack(*way) { numerator * (ways.len() - 1) } else { denominator - numerator }
    };
    ways.iter().map(share).collect()
}
