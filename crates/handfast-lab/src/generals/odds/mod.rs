//! The exact probability of every outcome, if every messenger is captured with the same chance, independently.

pub(super) mod chance;
pub(super) mod email;
pub(super) mod pass;
pub(super) mod polynomial;
pub(super) mod weighed;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::Zero as _;

use crate::generals::odds::chance::Chance;
use crate::generals::ratio::Ratio;
use crate::generals::table::Table;
use crate::generals::table::outcome::Outcome;

/// The probabilities of the four outcomes, given that the attack is wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Odds {
    /// In the order of [`Outcome::ALL`]; they add up to 1.
    pub rows: [Ratio; 4],
    /// That exactly one attacks: both lone rows together.
    pub alone: Ratio,
}

impl Odds {
    /// The probability of this outcome.
    #[must_use]
    pub const fn of(&self, outcome: Outcome) -> &Ratio {
        &self.rows[outcome.index()]
    }

    /// The probability that an attack is a lone one; `None` if nobody ever attacks.
    #[must_use]
    pub fn alone_if_attacked(&self) -> Option<Ratio> {
        let attacked = self.of(Outcome::Neither).complement();
        (!attacked.0.is_zero()).then(|| Ratio(&self.alone.0 / attacked.0))
    }
}

impl Table {
    /// The probability of every outcome, given that the attack is wanted, and averaged over the coin where one is tossed.
    ///
    /// Every weight on the way is a whole number over a power of the capture rate's denominator, and fractions are brought to
    /// lowest terms once, at the end. The number of steps is that of the table's transitions, not that of the patterns.
    #[must_use]
    pub fn odds(&self, chance: &Chance) -> Odds {
        let Ok(shares) = self.weigh_outcomes(chance);
        let sides = BigInt::from(self.wanted().count().max(1));
        // Where no coin is tossed there is nothing to divide by.
        let averaged = |sum: Ratio| if sides == BigInt::from(1) { sum } else { Ratio(sum.0 / BigRational::from(sides.clone())) };
        let alone = chance.exact_sum(&[&shares[Outcome::Alone1.index()], &shares[Outcome::Alone2.index()]]);
        Odds { rows: shares.map(|share| averaged(chance.exact(&share))), alone: averaged(alone) }
    }
}
