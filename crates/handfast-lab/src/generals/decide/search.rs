//! The dynamic programming behind [`adaptive`](super::adaptive): exact, with a sieve of fixed-point bounds before it.
//!
//! Every candidate is first held between two multiples of 2^-48. Only those whose bounds overlap, which is next to none,
//! are compared in exact numbers, so the choice is exact and most of the work is arithmetic on machine words.

use std::cmp::Ordering;

use num_bigint::BigInt;
use num_integer::Integer as _;
use num_traits::{ToPrimitive as _, Zero as _};

use super::amount::{Amount, Powers};
use super::plan::{Plan, Stage, worth};
use super::stakes::{DecideError, Stakes, WholeStakes};
use super::wave::{largest_wave, short_enough};
use crate::generals::ratio::Ratio;

/// So many ways to go on are compared at most.
pub const MOST_PLANS: u64 = 200_000_000;

/// A number of messengers, or a probability, between two multiples of 2^-48.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Between {
    low: u128,
    high: u128,
}

const BITS: u32 = 48;
const ONE: u128 = 1 << BITS;

impl Between {
    const fn whole(number: u32) -> Self {
        let exact = (number as u128) << BITS;
        Self { low: exact, high: exact }
    }

    /// The probability that so many messengers are all captured.
    fn captured(messengers: u32, powers: &Powers) -> Self {
        let (scaled, all) = (powers.captured(messengers) << BITS, powers.all(messengers));
        let low = (&scaled / &all).to_u128().unwrap_or(0);
        Self { low, high: low + u128::from(!(scaled % all).is_zero()) }
    }

    const fn times(self, other: Self) -> Self {
        Self { low: (self.low * other.low) >> BITS, high: (self.high * other.high).div_ceil(ONE) }
    }

    const fn plus(self, other: Self) -> Self {
        Self { low: self.low + other.low, high: self.high + other.high }
    }

    /// One minus this probability.
    const fn complement(self) -> Self {
        Self { low: ONE - self.high, high: ONE - self.low }
    }
}

/// The best way found to send so many messengers in at most so many waves.
#[derive(Clone, Copy, Debug)]
struct Cell {
    /// The expected number of messengers that leave.
    expected: Between,
    /// The first wave.
    stage: Stage,
    /// How many general 1 sends in all, unless acknowledged.
    sent: u32,
    /// How many acknowledgements leave at most.
    answers: u32,
    /// Where the rest stands: one level below this one, in this column.
    level: usize,
    rest_column: u32,
}

/// The cells of one level: by the messengers that general 1 sends and, if there is a budget, by the bound on general 2's.
#[derive(Debug)]
struct Level {
    columns: u32,
    cells: Vec<Option<Cell>>,
}

impl Level {
    fn cell(&self, sent: u32, column: u32) -> Option<Cell> {
        self.cells.get(sent as usize * self.columns as usize + column as usize).copied().flatten()
    }
}

/// A search for the best plans of at most so many waves.
pub(super) struct Search {
    whole: WholeStakes,
    powers: Powers,
    /// The probability that so many messengers are all captured, as far as a wave can be large.
    captured: Vec<Between>,
    /// No wave and no acknowledgement is larger.
    largest: u32,
    waves: u32,
    levels: Vec<Level>,
    /// What is lost in the mean because nothing arrives of so many.
    losses: Vec<[BigInt; 2]>,
    /// Whether general 2's messengers are counted against a budget.
    counted: bool,
}

impl Search {
    /// # Errors
    /// The largest wave that can be worth it has too many digits.
    pub(super) fn new(stakes: &Stakes, capture: &Ratio, waves: u32) -> Result<Self, DecideError> {
        let (whole, powers) = (stakes.whole(), Powers::new(capture));
        let largest = largest_wave(&whole, &powers, None)?;
        let captured = (0..=largest).map(|messengers| Between::captured(messengers, &powers)).collect();
        Ok(Self { whole, powers, captured, largest, waves: waves.max(1), levels: Vec::new(), losses: Vec::new(), counted: false })
    }

    /// The best plan without a budget.
    ///
    /// # Errors
    /// There are too many plans, or a value has too many digits.
    pub(super) fn unbounded(&mut self) -> Result<Plan, DecideError> {
        self.counted = false;
        let most = self.largest.saturating_mul(self.waves);
        self.fill(most, 0)?;
        Ok(self.best_of((1..=most).map(|sent| (sent, 0))))
    }

    /// The best plan for each budget from 0 to `budget`, which has to be less than any that makes no difference.
    ///
    /// # Errors
    /// As [`Search::unbounded`].
    pub(super) fn within(&mut self, budget: u64) -> Result<Vec<Plan>, DecideError> {
        self.counted = true;
        let budget = short_enough(&self.powers, budget)?;
        self.fill(budget, budget)?;
        Ok((0..=budget).map(|budget| self.best_of((1..=budget).map(|sent| (sent, budget - sent)))).collect())
    }

    fn fill(&mut self, most: u32, answers: u32) -> Result<(), DecideError> {
        short_enough(&self.powers, u64::from(most))?;
        let ways = u64::from(self.largest) * u64::from(most) * (u64::from(answers) * u64::from(answers) / 6 + 1);
        if ways.saturating_mul(u64::from(self.waves)) > MOST_PLANS {
            return Err(DecideError::Plans { limit: MOST_PLANS });
        }
        self.levels.clear();
        self.losses = (0..=most).map(|sent| self.loss(sent)).collect();
        for level in 0..self.waves as usize {
            let columns = answers + 1;
            let mut cells = Vec::with_capacity((most as usize + 1) * columns as usize);
            let replies: Vec<u32> = (0..=most).map(|sent| self.best_answer(sent)).collect();
            for sent in 0..=most {
                // What general 1 sends is not left for general 2.
                let room = if self.counted { most - sent } else { 0 };
                cells.extend(
                    (0..columns).map(|column| (column <= room).then(|| self.way(level, sent, column, &replies)).flatten()),
                );
            }
            self.levels.push(Level { columns, cells });
        }
        Ok(())
    }

    /// The best way to send so many in at most one wave more than `level`.
    fn way(&self, level: usize, sent: u32, column: u32, replies: &[u32]) -> Option<Cell> {
        let Some(below) = level.checked_sub(1).map(|below| &self.levels[below]) else {
            let stage = Stage { messengers: sent, acknowledged_by: 0 };
            let cell = Cell { expected: Between::whole(sent), stage, sent, answers: 0, level, rest_column: 0 };
            return (1..=self.largest).contains(&sent).then_some(cell);
        };
        let mut best = below.cell(sent, column);
        for messengers in 1..=self.largest.min(sent.saturating_sub(1)) {
            // At least the first wave is paid for.
            if best.is_some_and(|best| best.expected.high < Between::whole(messengers).low) {
                break;
            }
            let rest = sent - messengers;
            let best_answer = replies[rest as usize];
            let answers = if self.counted { 1..=column.min(self.largest) } else { best_answer.max(1)..=best_answer };
            for acknowledged_by in answers {
                let rest_column = if self.counted { column - acknowledged_by } else { 0 };
                let Some(after) = below.cell(rest, rest_column) else { continue };
                let stage = Stage { messengers, acknowledged_by };
                let expected = self.expected(stage, after.expected);
                let cell = Cell { expected, stage, sent, answers: acknowledged_by + after.answers, level, rest_column };
                if best.is_none_or(|best| self.compare(&cell, &best) == Ordering::Less) {
                    best = Some(cell);
                }
            }
        }
        best
    }

    fn expected(&self, stage: Stage, rest: Between) -> Between {
        let (missed, silent) = (self.captured[stage.messengers as usize], self.captured[stage.acknowledged_by as usize]);
        let arrives = missed.complement();
        let unanswered = missed.plus(arrives.times(silent));
        let unanswered = Between { low: unanswered.low, high: unanswered.high.min(ONE) };
        let leaving = Between::whole(stage.messengers).plus(arrives.times(Between::whole(stage.acknowledged_by)));
        leaving.plus(unanswered.times(rest))
    }

    /// Fewer messengers in the mean come first, then fewer that leave at most.
    fn compare(&self, one: &Cell, other: &Cell) -> Ordering {
        if one.expected.high < other.expected.low {
            return Ordering::Less;
        }
        if one.expected.low > other.expected.high {
            return Ordering::Greater;
        }
        let [exact, other_exact] = [one, other].map(|cell| self.plan(cell).expected(&self.powers));
        exact.compare(&other_exact, &self.powers).then(one.answers.cmp(&other.answers))
    }

    fn plan(&self, cell: &Cell) -> Plan {
        let mut stages = vec![cell.stage];
        let mut cell = *cell;
        while let Some(level) = cell.level.checked_sub(1).filter(|_| cell.stage.messengers < cell.sent) {
            let Some(rest) = self.levels[level].cell(cell.sent - cell.stage.messengers, cell.rest_column) else { break };
            stages.push(rest.stage);
            cell = rest;
        }
        Plan { stages }
    }

    /// The plan that is worth most among these cells of the last level, and of those the one with the fewest messengers.
    fn best_of(&self, cells: impl Iterator<Item = (u32, u32)>) -> Plan {
        let Some(level) = self.levels.last() else { return Plan::default() };
        let mut best: Option<(Cell, [BigInt; 2])> = None;
        for cell in cells.filter_map(|(sent, column)| level.cell(sent, column)) {
            let bounds = self.worth_between(&cell);
            let is_better = best.as_ref().is_none_or(|(other, [low, high])| {
                if bounds[1] < *low || bounds[0] > *high {
                    return bounds[0] > *high;
                }
                let exact = self.worth(&cell).compare(&self.worth(other), &self.powers);
                exact.then((other.sent + other.answers).cmp(&(cell.sent + cell.answers))) == Ordering::Greater
            });
            if is_better {
                best = Some((cell, bounds));
            }
        }
        // Nothing is done that is worth no more than to do nothing.
        best.filter(|(cell, _)| self.worth(cell).numerator > BigInt::zero()).map(|(cell, _)| self.plan(&cell)).unwrap_or_default()
    }

    fn worth(&self, cell: &Cell) -> Amount {
        worth(&self.whole, &self.powers, cell.sent, &self.plan(cell).expected(&self.powers))
    }

    /// The value in the unit of the stakes, between two multiples of 2^-48 of it.
    fn worth_between(&self, cell: &Cell) -> [BigInt; 2] {
        let gain = BigInt::from(&self.whole.gain << BITS);
        let [least_lost, most_lost] = &self.losses[cell.sent as usize];
        let paid = |expected: u128| BigInt::from(&self.whole.messenger * expected);
        [&gain - most_lost - paid(cell.expected.high), &gain - least_lost - paid(cell.expected.low)]
    }

    /// What is lost because nothing arrives of so many, between two multiples of 2^-48 of the stakes' unit.
    fn loss(&self, sent: u32) -> [BigInt; 2] {
        let (scaled, all) = ((self.whole.span() * self.powers.captured(sent)) << BITS, self.powers.all(sent));
        [scaled.div_floor(&all), scaled.div_ceil(&all)].map(BigInt::from)
    }

    /// How many acknowledgements are best after a wave, without a budget, if after it the rest of so many is to be sent.
    ///
    /// With `G` expected messengers then, `a + p^a G` is to be smallest: one more is worth it while `p^a (1 - p) G > 1`.
    fn best_answer(&self, rest: u32) -> u32 {
        let Some(level) = self.levels.last().filter(|_| !self.counted) else { return 0 };
        let Some(cell) = level.cell(rest, 0) else { return 0 };
        let arrives = self.captured[1].complement();
        let one_more_pays = |answers: u32| {
            let spares = self.captured[answers as usize].times(arrives).times(cell.expected);
            if spares.low > ONE || spares.high < ONE {
                return spares.low > ONE;
            }
            let Amount { numerator, power } = self.plan(&cell).expected(&self.powers);
            let spares = numerator * BigInt::from(self.powers.captured(answers) * self.powers.arrives(1));
            spares > BigInt::from(self.powers.all(power + answers + 1))
        };
        (0..self.largest).find(|&answers| !one_more_pays(answers)).unwrap_or(self.largest)
    }
}
