//! What theory allows a protocol with a coin, beside what the random attack achieves.

pub(super) mod solvable;
pub(super) mod worst;

use crate::generals::bounds::worst::{Worst, WorstError, worst_case};
use crate::generals::ratio::Ratio;
use crate::generals::table::shipped::Shipped;
use crate::generals::table::tabulate::{Limits, TableError};

/// The worst case of more rounds than this is not enumerated: the joint states of all keys grow with the fifth power of the
/// rounds or so.
const MOST_ENUMERATED: u32 = 20;

/// The greatest probability, over all orders and patterns, with which exactly one general attacks after so many rounds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoundsBound {
    /// The number of rounds, at least 1.
    pub rounds: u32,
    /// No protocol that attacks for certain where both have the order and everything arrives gets below 1/(rounds + 1)
    /// (Varghese and Lynch, "A tradeoff between safety and liveness for randomized coordinated attack", 1996; Lynch,
    /// "Distributed Algorithms", 1996, section 5.2).
    pub lower: Ratio,
    /// What the random attack guarantees: 1/rounds (Lynch 1996, section 5.2).
    pub random_attack: Ratio,
    /// The worst case of the random attack, by enumeration of all patterns; nothing for more than 20 rounds, which take too
    /// long.
    pub worst: Option<Worst>,
}

/// Why a bound was not computed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BoundError {
    /// The protocol is too large.
    Table(TableError),
    /// Its worst case is.
    Worst(WorstError),
}

impl std::fmt::Display for BoundError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Table(error) => error.fmt(f),
            Self::Worst(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for BoundError {}

/// What theory allows for so many rounds, beside the exact worst case of the random attack.
///
/// # Errors
/// The enumeration would not fit in `limits`.
pub fn rounds_bound(rounds: u32, limits: &Limits) -> Result<RoundsBound, BoundError> {
    let rounds = rounds.max(1);
    let enumerate = || {
        let table = Shipped::RandomAttack { rounds }.tabulate(limits).map_err(BoundError::Table)?;
        worst_case(&table, limits).map_err(BoundError::Worst)
    };
    let worst = (rounds <= MOST_ENUMERATED).then(enumerate).transpose()?;
    let one_in = |number: u32| Ratio::new(1, u64::from(number));
    Ok(RoundsBound { rounds, lower: one_in(rounds.saturating_add(1)), random_attack: one_in(rounds), worst })
}
