//! The best single wave: general 1 sends so many messengers at once and attacks, general 2 attacks if one arrives.
//!
//! With gain `V`, a lone attack at `D`, a messenger at `c` and capture rate `p`, a wave of `n >= 1` is worth
//!
//! ```text
//!   value(n) = V (1 - p^n) - D p^n - c n        and not attacking is worth 0.
//! ```
//!
//! One messenger more is worth `value(n+1) - value(n) = (V + D) p^n (1 - p) - c`. This never grows with `n`, so once it is
//! not positive no larger wave is better: the first such `n` is the smallest of the best ones, and the search may stop.
//! (At `n = 0` the formula stands for attacking without a word, which is worth `-D` and never better than not to attack.)
//! If it stays positive for ever, then messengers are free and every number is beaten by the next.

use num_bigint::{BigInt, BigUint};
use num_traits::Zero as _;

use super::amount::{Amount, Powers};
use super::stakes::{DecideError, Stakes, WholeStakes};
use crate::generals::ratio::Ratio;

/// A denominator may have so many binary digits.
pub const MOST_DIGITS: u64 = 250_000;

/// What single waves can achieve.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Best {
    /// Not to attack: no wave is worth more than 0.
    Stay,
    /// This wave, the smallest of the best ones.
    Wave {
        /// How many messengers leave.
        messengers: u64,
        /// What it is worth, given that the order was given: more than 0.
        value: Ratio,
    },
    /// No wave is best: messengers are free, and every further one brings the value nearer to this bound.
    Never {
        /// The bound, which no wave attains.
        supremum: Ratio,
    },
}

impl Best {
    /// The number of messengers, unless there is no best one.
    #[must_use]
    pub const fn messengers(&self) -> Option<u64> {
        match self {
            Self::Stay => Some(0),
            Self::Wave { messengers, .. } => Some(*messengers),
            Self::Never { .. } => None,
        }
    }

    /// The value, or the bound that is not attained.
    #[must_use]
    pub fn value(&self) -> Ratio {
        match self {
            Self::Stay => Ratio::new(0, 1),
            Self::Wave { value, .. } => value.clone(),
            Self::Never { supremum } => supremum.clone(),
        }
    }
}

/// The exact value of a wave of `messengers`, given that the order was given; 0 messengers stand for not attacking.
///
/// # Errors
/// The value has more than [`MOST_DIGITS`].
pub fn value(stakes: &Stakes, capture: &Ratio, messengers: u64) -> Result<Ratio, DecideError> {
    let (whole, powers) = (stakes.whole(), Powers::new(capture));
    let messengers = short_enough(&powers, messengers)?;
    Ok(worth(&whole, &powers, messengers).exact(&whole.unit, &powers))
}

/// The best single wave of at most `budget` messengers.
///
/// # Errors
/// The best wave is so large that its value has more than [`MOST_DIGITS`].
pub fn best(stakes: &Stakes, capture: &Ratio, budget: Option<u64>) -> Result<Best, DecideError> {
    let (whole, powers) = (stakes.whole(), Powers::new(capture));
    if budget.is_none() && is_never_best(&whole, capture) {
        return Ok(Best::Never { supremum: stakes.gain().clone() });
    }
    Ok(judged(&whole, &powers, largest_wave(&whole, &powers, budget)?))
}

/// The best single wave for each budget from 0 to `budget`; none attacks with 0.
///
/// # Errors
/// As [`best`].
pub fn best_for_budgets(stakes: &Stakes, capture: &Ratio, budget: u64) -> Result<Vec<Best>, DecideError> {
    let (whole, powers) = (stakes.whole(), Powers::new(capture));
    let largest = largest_wave(&whole, &powers, Some(budget))?;
    let mut bests: Vec<Best> = (0..=largest).map(|messengers| judged(&whole, &powers, messengers)).collect();
    let last = bests.last().cloned().unwrap_or(Best::Stay);
    bests.resize(budget as usize + 1, last);
    Ok(bests)
}

/// The same number, if what it leads to can be written down.
pub(super) fn short_enough(powers: &Powers, messengers: u64) -> Result<u32, DecideError> {
    let digits = messengers.saturating_mul(powers.digits());
    u32::try_from(messengers).ok().filter(|_| digits <= MOST_DIGITS).ok_or(DecideError::Digits { limit: MOST_DIGITS })
}

/// Whether the value grows with every messenger towards a bound that is worth something.
fn is_never_best(whole: &WholeStakes, capture: &Ratio) -> bool {
    let (captured, all) = (capture.0.numer(), capture.0.denom());
    whole.messenger.is_zero() && !whole.gain.is_zero() && !captured.is_zero() && captured < all
}

/// The smallest number after which one messenger more is not worth his cost; 0 where not even the first one is.
pub(super) fn largest_wave(whole: &WholeStakes, powers: &Powers, budget: Option<u64>) -> Result<u32, DecideError> {
    let budget = budget.unwrap_or(u64::MAX);
    let (captured, all) = (powers.captured(1), powers.all(1));
    let mut brings = whole.span() * powers.arrives(1);
    let mut costs = &whole.messenger * &all;
    let mut messengers = 0;
    // Where nothing can be won, to do nothing is best.
    while !whole.gain.is_zero() && u64::from(messengers) < budget && brings > costs {
        messengers = short_enough(powers, u64::from(messengers) + 1)?;
        brings *= &captured;
        costs *= &all;
    }
    Ok(messengers)
}

fn judged(whole: &WholeStakes, powers: &Powers, messengers: u32) -> Best {
    let worth = worth(whole, powers, messengers);
    if worth.numerator <= BigInt::zero() {
        return Best::Stay;
    }
    Best::Wave { messengers: u64::from(messengers), value: worth.exact(&whole.unit, powers) }
}

/// The value in the unit of the stakes.
fn worth(whole: &WholeStakes, powers: &Powers, messengers: u32) -> Amount {
    if messengers == 0 {
        return Amount::whole(0);
    }
    let won: BigUint = &whole.gain * powers.arrives(messengers);
    let lost: BigUint = &whole.alone * powers.captured(messengers) + &whole.messenger * messengers * powers.all(messengers);
    Amount { numerator: BigInt::from(won) - BigInt::from(lost), power: messengers }
}
