//! Everything that is told of a protocol's odds, before it is put into words or into JSON.

use anyhow::anyhow;
use handfast_lab::generals::{
    Chance, Email, Journey, Limits, Odds, Orders, Patterns, Polynomial, Ratio, Table, TooLong, Worst, worst_case,
};

use super::check_digits;
use crate::output::{Exit, OrExit as _};

/// Against whom the odds are.
pub(super) const ADVERSARY: &str = "each messenger is captured with probability p, independently";
/// Against whom the worst case is.
pub(super) const WORST_ADVERSARY: &str = "any pattern of captures, the same for every side of the coin";

/// The polynomials of the four outcomes, and that of a lone attack of either.
pub(super) type Polynomials = ([Polynomial; 4], Polynomial);

/// The answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) protocol: String,
    pub(super) given: &'static str,
    /// The sides of the coin; 1 where none is tossed.
    pub(super) coins: u32,
    /// The capture rate and the odds for it, if it was told.
    pub(super) at: Option<(Ratio, Odds)>,
    pub(super) polynomials: Result<Polynomials, TooLong>,
    pub(super) patterns: Result<Vec<Patterns>, TooLong>,
    /// Where a coin is tossed, if only with one side: the worst case, or why it is not known.
    pub(super) worst: Option<Result<(Worst, Vec<Journey>), String>>,
    /// The electronic mail game, if that is the protocol and the capture rate was told.
    pub(super) email: Option<Email>,
}

/// Under which condition the odds hold.
pub(super) const fn given(table: &Table) -> &'static str {
    match (table.orders, table.coins) {
        (Orders::First, 1) => "the order was given",
        (Orders::First, _) => "the order was given, averaged over the coin",
        (Orders::Each, 1) => "both were given the order",
        (Orders::Each, _) => "both were given the order, averaged over the key",
        (Orders::Nobody, 1) => "nothing: there is no order",
        (Orders::Nobody, _) => "nothing: there is no order; averaged over the coin",
    }
}

/// The most messengers that a run can have.
pub(super) fn most_sent(table: &Table) -> u64 {
    let of_side = |sends: &[u32]| sends.iter().map(|&wave| table.waves[wave as usize].size()).max().unwrap_or(0);
    table.layers.iter().map(|layer| layer.sides.iter().map(|side| of_side(&side.sends)).sum::<u64>()).sum()
}

impl Answer {
    /// Finds it.
    ///
    /// # Errors
    /// It would have more digits than anybody reads.
    pub(super) fn find(table: &Table, protocol: &str, capture: Option<Ratio>) -> anyhow::Result<Self> {
        let at = match capture {
            Some(capture) => {
                check_digits(most_sent(table), &capture)?;
                let chance = Chance::new(&capture).ok_or_else(|| anyhow!("{capture} is no probability")).or_exit(Exit::Usage)?;
                Some((capture, table.odds(&chance)))
            }
            None => None,
        };
        let expansion = table.expansion();
        let (polynomials, patterns) = match expansion {
            Ok(expansion) => (expansion.polynomials(), expansion.patterns()),
            Err(too_long) => (Err(too_long), Err(too_long)),
        };
        let email = at.as_ref().filter(|_| protocol == "email").and_then(|(capture, _)| Email::new(capture));
        Ok(Self {
            protocol: table.name.clone(),
            given: given(table),
            coins: table.coins,
            at,
            polynomials,
            patterns,
            worst: (table.coins > 1 || table.orders == Orders::Each).then(|| worst(table)),
            email,
        })
    }
}

fn worst(table: &Table) -> Result<(Worst, Vec<Journey>), String> {
    let worst = worst_case(table, &Limits::default()).map_err(|error| error.to_string())?;
    let start = table.starts.iter().position(|(beginning, _)| beginning.ordered == worst.ordered).unwrap_or(0);
    let run = table.play(start, |number| worst.captured.binary_search(&number).is_ok());
    Ok((worst, run.journeys))
}
