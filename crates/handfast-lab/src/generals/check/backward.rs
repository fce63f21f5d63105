//! From the last layer to the first: how many patterns end in each row of the table, and the shortest way to go wrong.

use std::collections::hash_map::Entry;

use num_bigint::BigUint;
use num_traits::{One as _, Zero as _};
use rustc_hash::FxHashMap;

use super::ways::{Counted, Counter, Patterns, branches, together};
use super::{CheckError, Distance};
use crate::generals::check::adversary::Adversary;
use crate::generals::table::outcome::Outcome;
use crate::generals::table::{Layer, StateId, Table, WaveId};

/// The place of the distance to a lone attack.
pub(super) const LONE: usize = 0;
/// The place of the distance to an attack of anybody.
pub(super) const ATTACK: usize = 1;

/// More products of long numbers than this are not made: they take some seconds.
const MOST_PRODUCTS: u64 = 2_000_000;

/// What is found.
pub(super) struct Found {
    /// For each way to begin, the patterns by outcome, unless it takes too long to count them.
    pub(super) outcomes: Result<Vec<[BigUint; 4]>, CheckError>,
    /// For each way to begin, how many runs have the least distance to a lone attack, and to any attack.
    pub(super) least: Vec<[BigUint; 2]>,
    /// For each layer and node these distances.
    pub(super) toward: Vec<Vec<[Distance; 2]>>,
}

/// Of the patterns with 0, 1, 2, .. captures from here on, how many end in each row of the table. Where captures in all do
/// not matter, everything stands under 0.
type Tally = Vec<[BigUint; 4]>;

/// What is known of one node.
#[derive(Clone)]
struct Known {
    tally: Tally,
    /// How many runs have the least distances.
    least: [BigUint; 2],
    toward: [Distance; 2],
}

impl Known {
    fn nothing() -> Self {
        Self { tally: Tally::new(), least: [BigUint::ZERO, BigUint::ZERO], toward: [Distance::NEVER; 2] }
    }

    /// A node of the last layer.
    fn end(outcome: Outcome) -> Self {
        let mut known = Self::nothing();
        let mut row = [BigUint::ZERO, BigUint::ZERO, BigUint::ZERO, BigUint::ZERO];
        row[outcome.index()] = BigUint::one();
        known.tally.push(row);
        for (goal, reached) in [(LONE, outcome.is_alone()), (ATTACK, outcome != Outcome::Neither)] {
            if reached {
                known.toward[goal] = Distance { captures: 0, steps: 0 };
                known.least[goal] = BigUint::one();
            }
        }
        known
    }
}

struct Search<'a> {
    table: &'a Table,
    /// Whom the numbers are counted for: [`Adversary::Any`] as well where a bound is never met.
    counted: Adversary,
    adversary: Adversary,
    counter: Counter,
    products: u64,
}

/// The branches of every row of a layer that was asked for, for general 1 and general 2.
type Spreads = [FxHashMap<(StateId, WaveId), Vec<Counted>>; 2];

/// Goes through all layers.
pub(super) fn search(table: &Table, adversary: Adversary) -> Result<Found, CheckError> {
    let counted = match adversary {
        Adversary::AtMost(most) if most >= most_sent(table) => Adversary::Any,
        Adversary::Any | Adversary::AtMost(_) | Adversary::PerRound(_) => adversary,
    };
    let mut search = Search { table, counted, adversary, counter: Counter::default(), products: 0 };
    let end = |&pair: &[StateId; 2]| Known::end(Outcome::of(table.choices(pair)));
    let mut known: Vec<Known> = table.last().nodes.iter().map(end).collect();
    let distances = |known: &[Known]| known.iter().map(|known| known.toward).collect::<Vec<_>>();
    let mut toward = vec![distances(&known)];
    for round in (0..table.rounds()).rev() {
        known = search.layer(&table.layers[round], &table.layers[round + 1], &known)?;
        toward.push(distances(&known));
    }
    toward.reverse();
    let (mut outcomes, mut least) = (Vec::new(), Vec::new());
    for &(_, pair) in &table.starts {
        let known = table.layers[0].node(pair).map_or_else(Known::nothing, |node| known[node].clone());
        let sum = |outcome: Outcome| known.tally.iter().map(|row| &row[outcome.index()]).sum();
        outcomes.push(Outcome::ALL.map(sum));
        least.push(known.least);
    }
    let too_long = (search.products > MOST_PRODUCTS).then_some(CheckError::Products { limit: MOST_PRODUCTS });
    let outcomes = search.counter.gave_up.or(too_long).map_or(Ok(outcomes), Err);
    Ok(Found { outcomes, least, toward })
}

/// A number of messengers that no run exceeds.
fn most_sent(table: &Table) -> u64 {
    let size = |wave: WaveId| table.waves[wave as usize].size();
    let most = |layer: &Layer| layer.nodes.iter().map(|&pair| layer.sends(pair).map(size).iter().sum()).max().unwrap_or(0);
    table.layers[..table.rounds()].iter().map(most).sum()
}

impl Search<'_> {
    fn layer(&mut self, layer: &Layer, next: &Layer, after: &[Known]) -> Result<Vec<Known>, CheckError> {
        let mut spreads: Spreads = [FxHashMap::default(), FxHashMap::default()];
        let mut known = Vec::with_capacity(layer.nodes.len());
        for &pair in &layer.nodes {
            let (sends, rows) = (layer.sends(pair), layer.rows(pair));
            let steps: u64 = sends.iter().map(|&wave| self.table.waves[wave as usize].size()).sum();
            // A bound that the two waves together cannot exceed is none.
            let counted = match self.counted {
                Adversary::PerRound(most) if steps <= most => Adversary::Any,
                Adversary::Any | Adversary::AtMost(_) | Adversary::PerRound(_) => self.counted,
            };
            for (side, spread) in spreads.iter_mut().enumerate() {
                let key = (pair[side], sends[1 - side]);
                if let Entry::Vacant(free) = spread.entry(key) {
                    free.insert(self.spread(key.1, rows[side])?);
                }
            }
            let [ones, twos] = [0, 1].map(|side| &spreads[side][&(pair[side], sends[1 - side])]);
            let mut here = Known::nothing();
            for one in ones {
                for two in twos {
                    if let Some(node) = next.node([one.to, two.to]) {
                        self.tell(&mut here, &after[node], one, two, counted);
                        self.shorten(&mut here, &after[node], one, two, steps);
                    }
                }
            }
            known.push(here);
        }
        Ok(known)
    }

    fn spread(&mut self, wave: WaveId, row: &[StateId]) -> Result<Vec<Counted>, CheckError> {
        let wave = &self.table.waves[wave as usize];
        let branches = branches(wave, row, self.adversary);
        self.counter.count(wave, &branches, self.counted == Adversary::Any)
    }

    /// Adds the patterns that go on in one of the nodes that follow, until there have been too many products.
    fn tell(&mut self, here: &mut Known, after: &Known, one: &Counted, two: &Counted, counted: Adversary) {
        self.products += (one.patterns.len() * two.patterns.len()) as u64;
        if self.products > MOST_PRODUCTS {
            return;
        }
        let now: Patterns = together(&one.patterns, &two.patterns, counted);
        self.products += (now.len() * after.tally.len()) as u64;
        if self.products > MOST_PRODUCTS {
            return;
        }
        for (captures, patterns) in &now {
            for (later, row) in after.tally.iter().enumerate() {
                let place = *captures as usize + later;
                if matches!(counted, Adversary::AtMost(most) if place as u64 > most) {
                    break;
                }
                while here.tally.len() <= place {
                    here.tally.push([BigUint::ZERO, BigUint::ZERO, BigUint::ZERO, BigUint::ZERO]);
                }
                for (sum, number) in here.tally[place].iter_mut().zip(row).filter(|(_, number)| !number.is_zero()) {
                    *sum += number * patterns;
                }
            }
        }
    }

    /// Takes the shorter way to each goal.
    fn shorten(&self, here: &mut Known, after: &Known, one: &Counted, two: &Counted, steps: u64) {
        let captures = one.least + two.least;
        if !self.adversary.allows(captures, captures) {
            return;
        }
        for goal in [LONE, ATTACK] {
            let rest = after.toward[goal];
            if rest == Distance::NEVER {
                continue;
            }
            let distance = Distance { captures: captures + rest.captures, steps: steps + rest.steps };
            if distance > here.toward[goal] {
                continue;
            }
            let runs = &one.with_least * &two.with_least * &after.least[goal];
            if distance < here.toward[goal] {
                here.toward[goal] = distance;
                here.least[goal] = runs;
            } else {
                here.least[goal] += runs;
            }
        }
    }
}
