//! Odds as polynomials in the capture rate, and the number of patterns by their captures: for every rate at once.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use num_bigint::{BigInt, BigUint};
use num_rational::BigRational;
use num_traits::{One as _, Signed as _, Zero as _};

use crate::generals::odds::chance::{left_to_the_others, numbers_of_ways, ways_without};
use crate::generals::odds::pass::Weigh;
use crate::generals::ratio::Ratio;
use crate::generals::table::outcome::Outcome;
use crate::generals::table::{Table, Wave};

/// More terms than this are not carried through a table.
const MOST_TERMS: usize = 1_000_000;
/// More additions than this are not made to write a polynomial out.
const MOST_ADDITIONS: u64 = 20_000_000;
/// More numbers of patterns than this are not told.
const MOST_PATTERNS: u64 = 200_000;

/// What would be too long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TooLong {
    /// The terms on the way.
    Terms,
    /// The polynomials, written out.
    Polynomials,
    /// The numbers of patterns.
    Patterns,
}

impl Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Terms => write!(f, "the polynomials would need more than {MOST_TERMS} terms on the way"),
            Self::Polynomials => write!(f, "the polynomials would take more than {MOST_ADDITIONS} additions to write out"),
            Self::Patterns => write!(f, "there would be more than {MOST_PATTERNS} numbers of patterns"),
        }?;
        f.write_str("; take fewer messengers, replies or rounds")
    }
}

impl std::error::Error for TooLong {}

/// Runs with so many messengers sent, of whom so many are known to be captured, and so many to arrive; the others may do
/// either, so that 1 - p^n stands for a wave of n of whom at least one arrives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Fate {
    sent: u64,
    captured: u64,
    arrived: u64,
}

/// Fates, and how often each is to be counted: a sum of terms c p^captured (1 - p)^arrived.
type Terms = BTreeMap<Fate, BigInt>;

/// Weighs runs by the fates of their messengers.
struct Fates;

fn add_term(terms: &mut Terms, fate: Fate, count: BigInt) {
    let sum = terms.entry(fate).or_default();
    *sum += count;
    if sum.is_zero() {
        terms.remove(&fate);
    }
}

impl Weigh for Fates {
    type Weight = Terms;
    type Sum = Terms;
    type Refusal = TooLong;

    fn certain(&self) -> Terms {
        Terms::from([(Fate { sent: 0, captured: 0, arrived: 0 }, BigInt::one())])
    }

    fn of_classes(&self, wave: &Wave, classes: &[Vec<usize>]) -> Vec<Terms> {
        let sent = wave.size();
        let rest = left_to_the_others(classes);
        let number = numbers_of_ways(wave, &ways_without(classes, rest), &BigUint::one(), &BigUint::one());
        let mut left = Terms::from([(Fate { sent, captured: 0, arrived: 0 }, BigInt::one())]);
        let mut weights = Vec::with_capacity(classes.len());
        for (class, ways) in classes.iter().enumerate() {
            let mut terms = Terms::new();
            for &way in ways.iter().filter(|_| Some(class) != rest) {
                let arrived = wave.arrivals(way).into_iter().map(u64::from).sum();
                let (fate, count) = (Fate { sent, captured: sent - arrived, arrived }, BigInt::from(number(way)));
                add_term(&mut left, fate, -count.clone());
                add_term(&mut terms, fate, count);
            }
            weights.push(terms);
        }
        if let Some(rest) = rest {
            weights[rest] = left;
        }
        weights
    }

    fn both(&self, one: &Terms, other: &Terms) -> Terms {
        let mut product = Terms::new();
        for (a, of_a) in one {
            for (b, of_b) in other {
                let fate = Fate { sent: a.sent + b.sent, captured: a.captured + b.captured, arrived: a.arrived + b.arrived };
                add_term(&mut product, fate, of_a * of_b);
            }
        }
        product
    }

    fn add(&self, sum: &mut Terms, weight: Terms) {
        weight.into_iter().for_each(|(fate, count)| add_term(sum, fate, count));
    }

    fn total(&self, sum: Terms) -> Result<Terms, TooLong> {
        if sum.len() > MOST_TERMS { Err(TooLong::Terms) } else { Ok(sum) }
    }
}

/// A polynomial in the capture rate p: whole coefficients over one whole number, in lowest terms.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Polynomial {
    /// The powers of p with their coefficients, none of them 0, the least power first.
    pub terms: Vec<(u64, BigInt)>,
    /// What the sum is divided by: 1 where no coin is tossed.
    pub divisor: BigUint,
}

impl Polynomial {
    fn new(coefficients: impl IntoIterator<Item = (u64, BigInt)>, divisor: u32) -> Self {
        let terms: Vec<(u64, BigInt)> = coefficients.into_iter().filter(|(_, coefficient)| !coefficient.is_zero()).collect();
        let whole = BigUint::from(divisor);
        let common = terms.iter().fold(whole.clone(), |common, (_, coefficient)| {
            if common.is_one() { common } else { num_integer::gcd(coefficient.magnitude() % &common, common) }
        });
        let divided = BigInt::from(common.clone());
        Self { terms: terms.into_iter().map(|(power, c)| (power, c / &divided)).collect(), divisor: whole / common }
    }

    /// Its value at this capture rate.
    #[must_use]
    pub fn at(&self, capture: &Ratio) -> Ratio {
        let mut value = BigRational::zero();
        let mut power = self.terms.last().map_or(0, |(power, _)| *power);
        for (next, coefficient) in self.terms.iter().rev() {
            value = value * capture.0.pow((power - next) as i32) + BigRational::from(coefficient.clone());
            power = *next;
        }
        Ratio(value * capture.0.pow(power as i32) / BigRational::from(BigInt::from(self.divisor.clone())))
    }

    /// The polynomial in one line, as in `1 - p^5` or `(3p - 2p^2)/3`, with no more terms than `most`, and then how many more
    /// there are.
    #[must_use]
    pub fn to_text(&self, most: usize) -> String {
        let mut text = String::new();
        for (place, (power, coefficient)) in self.terms.iter().take(most).enumerate() {
            text.push_str(match (place, coefficient.is_negative()) {
                (0, false) => "",
                (0, true) => "-",
                (_, false) => " + ",
                (_, true) => " - ",
            });
            if *power == 0 || !coefficient.magnitude().is_one() {
                text.push_str(&coefficient.magnitude().to_string());
            }
            match power {
                0 => {}
                1 => text.push('p'),
                power => text.push_str(&format!("p^{power}")),
            }
        }
        if text.is_empty() {
            text.push('0');
        }
        if self.terms.len() > most {
            text.push_str(&format!(" .. ({} terms more)", self.terms.len() - most));
        }
        if self.divisor.is_one() { text } else { format!("({text})/{}", self.divisor) }
    }
}

impl Display for Polynomial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text(usize::MAX))
    }
}

/// How many patterns with so many captures there are for each outcome.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Patterns {
    /// How many messengers were sent: this may depend on what arrives.
    pub sent: u64,
    /// How many of them were captured.
    pub captures: u64,
    /// The numbers of patterns, in the order of [`Outcome::ALL`]. Where a coin is tossed, those of all its sides together.
    pub counts: [BigUint; 4],
}

/// The outcomes in which the attack is wanted, for every capture rate at once.
#[derive(Clone, Debug)]
pub struct Expansion {
    rows: [Terms; 4],
    /// The sides of the coin, over which the rows are summed.
    sides: u32,
}

impl Table {
    /// The outcomes in which the attack is wanted, for every capture rate at once.
    ///
    /// # Errors
    /// It would take too many terms.
    pub fn expansion(&self) -> Result<Expansion, TooLong> {
        Ok(Expansion { rows: self.weigh_outcomes(&Fates)?, sides: self.wanted().count().max(1) as u32 })
    }
}

impl Expansion {
    /// The probability of every outcome, in the order of [`Outcome::ALL`], and that of a lone attack of either general.
    ///
    /// # Errors
    /// They are too long to be written out.
    pub fn polynomials(&self) -> Result<([Polynomial; 4], Polynomial), TooLong> {
        let [both, alone_1, alone_2, neither] = &self.rows;
        let mut alone = alone_1.clone();
        Fates.add(&mut alone, alone_2.clone());
        let written = |terms: &Terms| written_out(terms).map(|coefficients| Polynomial::new(coefficients, self.sides));
        Ok(([written(both)?, written(alone_1)?, written(alone_2)?, written(neither)?], written(&alone)?))
    }

    /// The number of patterns by how many messengers were sent and captured, and by the outcome.
    ///
    /// # Errors
    /// There are too many numbers.
    pub fn patterns(&self) -> Result<Vec<Patterns>, TooLong> {
        let sent: std::collections::BTreeSet<u64> = self.rows.iter().flatten().map(|(fate, _)| fate.sent).collect();
        let open = |fate: &Fate| fate.sent - fate.captured - fate.arrived + 1;
        let additions: u64 = self.rows.iter().flatten().map(|(fate, _)| open(fate)).sum();
        if sent.iter().map(|sent| sent + 1).sum::<u64>() > MOST_PATTERNS || additions > MOST_ADDITIONS {
            return Err(TooLong::Patterns);
        }
        let mut patterns: BTreeMap<(u64, u64), [BigInt; 4]> = BTreeMap::new();
        for outcome in Outcome::ALL {
            for (fate, count) in &self.rows[outcome.index()] {
                // Those whose fate is open are captured in every number, in as many ways as they can be chosen.
                let (open, mut ways) = (open(fate) - 1, count.clone());
                for captured in 0..=open {
                    let counts = patterns.entry((fate.sent, fate.captured + captured)).or_default();
                    counts[outcome.index()] += &ways;
                    ways = ways * (open - captured) / (captured + 1);
                }
            }
        }
        let told = |((sent, captures), counts): ((u64, u64), [BigInt; 4])| Patterns {
            sent,
            captures,
            counts: counts.map(|count| count.magnitude().clone()),
        };
        let mut patterns: Vec<Patterns> = patterns.into_iter().map(told).collect();
        patterns.retain(|patterns| patterns.counts.iter().any(|count| !count.is_zero()));
        Ok(patterns)
    }
}

/// The coefficients of a sum of terms c p^i (1-p)^j, by powers of p.
///
/// By Horner's rule in 1 - p: the terms with the highest power of it are multiplied by it, those with the next are added.
fn written_out(terms: &Terms) -> Result<Vec<(u64, BigInt)>, TooLong> {
    let mut by_arrived: BTreeMap<u64, BTreeMap<u64, BigInt>> = BTreeMap::new();
    for (fate, count) in terms {
        *by_arrived.entry(fate.arrived).or_default().entry(fate.captured).or_default() += count;
    }
    let highest = by_arrived.keys().next_back().copied().unwrap_or(0);
    if highest == 0 {
        return Ok(by_arrived.remove(&0).unwrap_or_default().into_iter().collect());
    }
    let low = by_arrived.values().filter_map(|powers| powers.keys().next()).min().copied().unwrap_or(0);
    let high = terms.keys().map(|fate| fate.captured + fate.arrived).max().unwrap_or(0);
    let places = high - low + 1;
    if places.saturating_mul(highest) > MOST_ADDITIONS {
        return Err(TooLong::Polynomials);
    }
    let mut sum = vec![BigInt::ZERO; places as usize];
    for arrived in (0..=highest).rev() {
        for (power, count) in by_arrived.get(&arrived).into_iter().flatten() {
            sum[(power - low) as usize] += count;
        }
        if arrived > 0 {
            for place in (1..sum.len()).rev() {
                let (before, here) = sum.split_at_mut(place);
                here[0] -= &before[place - 1];
            }
        }
    }
    Ok((low..).zip(sum).collect())
}
