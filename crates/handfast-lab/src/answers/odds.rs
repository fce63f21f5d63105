//! The exact probability of every outcome, for one capture rate and for all of them.

use std::fmt::{self, Display};

use serde::ser::{Serialize, Serializer};

use crate::answers::Against;
use crate::answers::object::{ByOutcome, Object, Outcomes};
use crate::generals::{
    Chance, Email, Journey, Limits, Odds, Orders, Outcome, Patterns, Polynomial, Ratio, Table, TooLong, Worst, worst_case,
};

/// An exact answer with more binary digits than this is not worked out.
const MOST_DIGITS: u64 = 250_000;

/// The most terms of a polynomial in its text; the list has them all.
const MOST_TERMS: usize = 8;

/// The polynomials of the four outcomes, and that of a lone attack of either.
pub type Polynomials = ([Polynomial; 4], Polynomial);

/// The odds of a protocol.
///
/// Written with the members `protocol`, `title`, `adversary`, `given`, `capture`, `outcome` (a probability for each),
/// `exactly_one`, `alone_if_attacked`, `polynomial` (each with `text`, `divisor` and `terms`), `coin_sides`, `patterns`,
/// where a coin is tossed `worst`, and for the mail game `messengers` and `last_lost`.
#[derive(Debug)]
pub struct Answer {
    /// The protocol as it is typed.
    pub protocol: String,
    /// The same in words.
    pub title: String,
    /// Under which condition the odds hold.
    pub given: &'static str,
    /// The sides of the coin; 1 where none is tossed.
    pub coins: u32,
    /// The capture rate and the odds for it, if it was told.
    pub at: Option<(Ratio, Odds)>,
    /// For every capture rate.
    pub polynomials: Result<Polynomials, TooLong>,
    /// How many patterns end how.
    pub patterns: Result<Vec<Patterns>, TooLong>,
    /// Where a coin is tossed, if only with one side: the worst case and its run, or why it is not known.
    pub worst: Option<Result<(Worst, Vec<Journey>), String>>,
    /// The electronic mail game, if that is the protocol and the capture rate was told.
    pub email: Option<Email>,
}

/// The exact answer would have more digits than anybody reads, or there is no such probability.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OddsError {
    /// It would have so many binary digits.
    Digits {
        /// The most messengers that a run can have.
        sent: u64,
        /// So many.
        digits: u64,
    },
    /// This is no probability.
    NoProbability(Ratio),
}

impl Display for OddsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digits { sent, digits } => write!(
                f,
                "{sent} messengers at this capture rate have exact odds of {digits} binary digits, and at most {MOST_DIGITS} are \
                 worked out; take fewer messengers, or a capture rate with a smaller denominator"
            ),
            Self::NoProbability(capture) => write!(f, "{capture} is no probability; give a number from 0 to 1"),
        }
    }
}

impl std::error::Error for OddsError {}

/// The odds of the protocol that is typed so, and at this capture rate if there is one.
///
/// # Errors
/// They would have more digits than anybody reads, or the capture rate is none.
pub fn answer(table: &Table, protocol: &str, capture: Option<Ratio>) -> Result<Answer, OddsError> {
    let at = match capture {
        Some(capture) => {
            let odds = exact(table, &capture)?;
            Some((capture, odds))
        }
        None => None,
    };
    let (polynomials, patterns) = match table.expansion() {
        Ok(expansion) => (expansion.polynomials(), expansion.patterns()),
        Err(too_long) => (Err(too_long), Err(too_long)),
    };
    let email = at.as_ref().filter(|_| protocol == "email").and_then(|(capture, _)| Email::new(capture));
    Ok(Answer {
        protocol: protocol.to_owned(),
        title: table.name.clone(),
        given: given(table),
        coins: table.coins,
        at,
        polynomials,
        patterns,
        worst: (table.coins > 1 || table.orders == Orders::Each).then(|| worst(table)),
        email,
    })
}

/// The odds at this capture rate.
///
/// # Errors
/// As [`answer`].
pub(super) fn exact(table: &Table, capture: &Ratio) -> Result<Odds, OddsError> {
    let sent = most_sent(table);
    let digits = sent.saturating_mul(capture.0.denom().bits());
    if digits > MOST_DIGITS {
        return Err(OddsError::Digits { sent, digits });
    }
    let chance = Chance::new(capture).ok_or_else(|| OddsError::NoProbability(capture.clone()))?;
    Ok(table.odds(&chance))
}

/// Under which condition the odds of a protocol hold.
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
fn most_sent(table: &Table) -> u64 {
    let of_side = |sends: &[u32]| sends.iter().map(|&wave| table.waves[wave as usize].size()).max().unwrap_or(0);
    table.layers.iter().map(|layer| layer.sides.iter().map(|side| of_side(&side.sends)).sum::<u64>()).sum()
}

fn worst(table: &Table) -> Result<(Worst, Vec<Journey>), String> {
    let worst = worst_case(table, &Limits::default()).map_err(|error| error.to_string())?;
    let start = table.starts.iter().position(|(beginning, _)| beginning.ordered == worst.ordered).unwrap_or(0);
    let run = table.play(start, |number| worst.captured.binary_search(&number).is_ok());
    Ok((worst, run.journeys))
}

impl Answer {
    /// Against whom the odds are.
    #[must_use]
    pub fn adversary(&self) -> Against {
        Against::Chance(None)
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = Object::begin(serializer)?;
        object.head(&self.protocol, &self.title, &self.adversary())?.put("given", self.given)?;
        let odds = self.at.as_ref().map(|(_, odds)| odds);
        object.number("capture", self.at.as_ref().map(|(capture, _)| capture))?;
        object.put("outcome", &odds.map(|odds| Outcomes(odds.rows.each_ref())))?;
        object.number("exactly_one", odds.map(|odds| &odds.alone))?;
        object.number("alone_if_attacked", odds.and_then(Odds::alone_if_attacked).as_ref())?;
        object.or_refused("polynomial", self.polynomials.as_ref().map(PolynomialsData))?;
        object.put("coin_sides", &self.coins)?;
        let patterns = self.patterns.as_ref().map(|patterns| patterns.iter().map(PatternsData).collect::<Vec<_>>());
        object.or_refused("patterns", patterns)?;
        if let Some(worst) = &self.worst {
            object.or_refused("worst", worst.as_ref().map(|(worst, journeys)| WorstData { worst, journeys }))?;
        }
        if let Some(email) = &self.email {
            object.number("messengers", email.messengers().as_ref())?;
            object.number("last_lost", email.last_lost().as_ref())?;
        }
        object.end()
    }
}

struct PolynomialsData<'a>(&'a Polynomials);

impl Serialize for PolynomialsData<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (rows, alone) = self.0;
        let mut object = Object::begin(serializer)?;
        for (outcome, row) in Outcome::ALL.into_iter().zip(rows) {
            object.put(outcome.key(), &PolynomialData(row))?;
        }
        object.put("exactly_one", &PolynomialData(alone))?;
        object.end()
    }
}

struct PolynomialData<'a>(&'a Polynomial);

#[derive(serde::Serialize)]
struct Term {
    power: u64,
    coefficient: String,
}

impl Serialize for PolynomialData<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(polynomial) = self;
        let terms =
            polynomial.terms.iter().map(|(power, coefficient)| Term { power: *power, coefficient: coefficient.to_string() });
        let mut object = Object::begin(serializer)?;
        object.put("text", &polynomial.to_text(MOST_TERMS))?.put("divisor", &polynomial.divisor.to_string())?;
        object.put("terms", &terms.collect::<Vec<_>>())?;
        object.end()
    }
}

struct PatternsData<'a>(&'a Patterns);

impl Serialize for PatternsData<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(patterns) = self;
        let mut object = Object::begin(serializer)?;
        object.put("sent", &patterns.sent)?.put("captures", &patterns.captures)?;
        object.put("outcome", &ByOutcome(patterns.counts.each_ref().map(ToString::to_string)))?;
        object.end()
    }
}

struct WorstData<'a> {
    worst: &'a Worst,
    journeys: &'a [Journey],
}

#[derive(serde::Serialize)]
struct Captured {
    messenger: usize,
    round: u32,
    from: u32,
}

impl Serialize for WorstData<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { worst, journeys } = self;
        let captured = worst.captured.iter().filter_map(|&messenger| {
            let journey = journeys.get(messenger)?;
            Some(Captured { messenger, round: journey.round, from: journey.from.number() })
        });
        let mut object = Object::begin(serializer)?;
        object.against(&Against::Unseeing)?.number("exactly_one", &worst.disagreement)?.put("ordered", &worst.ordered)?;
        object.put("sent", &worst.sent)?.put("captures", &worst.captured.len())?;
        object.put("captured", &captured.collect::<Vec<_>>())?;
        object.end()
    }
}
