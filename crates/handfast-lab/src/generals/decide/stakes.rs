//! What is at stake, in whatever unit the user counts.

use std::fmt::{self, Display};

use num_bigint::{BigInt, BigUint};
use num_integer::Integer as _;
use num_rational::BigRational;
use num_traits::{One as _, Signed as _};

use crate::generals::ratio::Ratio;

/// What the generals win, lose and pay; where nobody attacks and nobody is sent, it is 0.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stakes {
    gain: Ratio,
    alone: Ratio,
    messenger: Ratio,
}

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DecideError {
    /// The exact value would have too many digits.
    Digits {
        /// The most binary digits that a denominator may have.
        limit: u64,
    },
    /// The class has more plans than can be compared.
    Plans {
        /// The most comparisons that are made.
        limit: u64,
    },
}

impl Display for DecideError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digits { limit } => write!(
                f,
                "the best number of messengers is so large that its exact value has more than {limit} binary digits; \
                 take a lower capture rate, a dearer messenger, or a budget"
            ),
            Self::Plans { limit } => write!(
                f,
                "more than {limit} plans would have to be compared; take a lower capture rate, a dearer messenger, or fewer waves"
            ),
        }
    }
}

impl std::error::Error for DecideError {}

impl Stakes {
    /// `gain` where both attack, minus `alone` where exactly one does, minus `messenger` for each that leaves.
    /// None of them may be negative.
    #[must_use]
    pub fn new(gain: Ratio, alone: Ratio, messenger: Ratio) -> Option<Self> {
        let wrong = [&gain, &alone, &messenger].iter().any(|amount| amount.0.is_negative());
        (!wrong).then_some(Self { gain, alone, messenger })
    }

    /// What it is worth if both attack.
    #[must_use]
    pub const fn gain(&self) -> &Ratio {
        &self.gain
    }

    /// What it costs if exactly one attacks.
    #[must_use]
    pub const fn alone(&self) -> &Ratio {
        &self.alone
    }

    /// What a messenger costs who leaves, whether or not he arrives.
    #[must_use]
    pub const fn messenger(&self) -> &Ratio {
        &self.messenger
    }

    /// The three over their common denominator.
    pub(super) fn whole(&self) -> WholeStakes {
        let unit = [&self.gain, &self.alone, &self.messenger]
            .iter()
            .fold(BigUint::one(), |unit, amount| unit.lcm(amount.0.denom().magnitude()));
        let whole = |amount: &Ratio| (&amount.0 * BigRational::from(BigInt::from(unit.clone()))).to_integer().magnitude().clone();
        let (gain, alone, messenger) = (whole(&self.gain), whole(&self.alone), whole(&self.messenger));
        WholeStakes { gain, alone, messenger, unit }
    }
}

/// Stakes as whole numbers of `1 / unit`.
#[derive(Clone, Debug)]
pub(super) struct WholeStakes {
    pub(super) gain: BigUint,
    pub(super) alone: BigUint,
    pub(super) messenger: BigUint,
    pub(super) unit: BigUint,
}

impl WholeStakes {
    /// What is between success and a lone attack.
    pub(super) fn span(&self) -> BigUint {
        &self.gain + &self.alone
    }
}
