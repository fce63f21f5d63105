//! One pass over a table's layers, carrying a weight to every pair of states: what all probabilities and counts come from.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::generals::table::outcome::Outcome;
use crate::generals::table::{Layer, StateId, Table, Wave, WaveId};

/// A kind of weight that runs can have: a probability, a polynomial, a number of patterns.
///
/// The weight of a run is the product of what its waves weigh, and that of many runs is their sum.
pub trait Weigh {
    /// What runs weigh.
    type Weight: Clone;
    /// A sum that is still being added up.
    type Sum: Default;
    /// Why there is no weight.
    type Refusal;

    /// The weight of what has not begun.
    fn certain(&self) -> Self::Weight;

    /// The weight of each class of ways in which the wave arrives. The classes share no way, and leave none out.
    fn of_classes(&self, wave: &Wave, classes: &[Vec<usize>]) -> Vec<Self::Weight>;

    /// The weight of one and then the other.
    fn both(&self, one: &Self::Weight, other: &Self::Weight) -> Self::Weight;

    /// Adds a weight.
    fn add(&self, sum: &mut Self::Sum, weight: Self::Weight);

    /// The weight of everything that was added.
    ///
    /// # Errors
    /// It does not fit in memory.
    fn total(&self, sum: Self::Sum) -> Result<Self::Weight, Self::Refusal>;
}

/// Where a wave can lead the one who meets it, with the weight of each.
type Steps<W> = Vec<(StateId, W)>;
/// The same for every state and wave of one general that can meet in a layer.
type Known<W> = FxHashMap<(StateId, WaveId), Steps<W>>;
/// A wave, and the classes into which a row divides its ways.
type Divided = (WaveId, Vec<Vec<usize>>);

/// What the classes of a row weigh, found once for every way in which a row divides a wave.
struct Rows<'a, W: Weigh> {
    table: &'a Table,
    weigh: &'a W,
    /// Rows that divide a wave alike weigh alike, also in other layers and for other states.
    divided: FxHashMap<Divided, Vec<W::Weight>>,
}

impl<W: Weigh> Rows<'_, W> {
    fn steps(&mut self, wave: WaveId, row: &[StateId]) -> Steps<W::Weight> {
        let (states, classes) = divide(row);
        let weights = self
            .divided
            .entry((wave, classes))
            .or_insert_with_key(|(wave, classes)| self.weigh.of_classes(&self.table.waves[*wave as usize], classes));
        states.into_iter().zip(weights.iter().cloned()).collect()
    }

    /// One layer further.
    fn advance(&mut self, layer: &Layer, next: &Layer, weights: &[Option<W::Weight>]) -> Vec<Option<W::Sum>> {
        let mut sums: Vec<Option<W::Sum>> = next.nodes.iter().map(|_| None).collect();
        let mut known: [Known<W::Weight>; 2] = [FxHashMap::default(), FxHashMap::default()];
        for (&pair, weight) in layer.nodes.iter().zip(weights) {
            let Some(weight) = weight else { continue };
            let (sends, rows) = (layer.sends(pair), layer.rows(pair));
            for side in [0, 1] {
                let wave = sends[1 - side];
                known[side].entry((pair[side], wave)).or_insert_with(|| self.steps(wave, rows[side]));
            }
            for (one, of_one) in &known[0][&(pair[0], sends[1])] {
                let of_one = self.weigh.both(weight, of_one);
                for (two, of_two) in &known[1][&(pair[1], sends[0])] {
                    if let Some(node) = next.node([*one, *two]) {
                        let sum = sums[node].get_or_insert_default();
                        self.weigh.add(sum, self.weigh.both(&of_one, of_two));
                    }
                }
            }
        }
        sums
    }
}

/// The states that a row leads to, in order, with the ways that lead to each.
///
/// Most rows of many ways lead to few states, the same for many ways on end, so a state is looked up only where it changes.
fn divide(row: &[StateId]) -> (Vec<StateId>, Vec<Vec<usize>>) {
    let mut classes: BTreeMap<StateId, Vec<usize>> = BTreeMap::new();
    let mut from = 0;
    for same in row.chunk_by(|one, other| one == other) {
        classes.entry(same[0]).or_default().extend(from..from + same.len());
        from += same.len();
    }
    classes.into_iter().unzip()
}

impl Table {
    /// What the runs that begin in these pairs of states weigh, by the node of the last layer in which they end; `None`
    /// where none of them does.
    ///
    /// # Errors
    /// The weights do not fit in memory.
    pub fn weigh<W: Weigh>(
        &self,
        weigh: &W,
        starts: impl IntoIterator<Item = [StateId; 2]>,
    ) -> Result<Vec<Option<W::Weight>>, W::Refusal> {
        let totals = |sums: Vec<Option<W::Sum>>| -> Result<Vec<Option<W::Weight>>, W::Refusal> {
            sums.into_iter().map(|sum| sum.map(|sum| weigh.total(sum)).transpose()).collect()
        };
        let mut sums: Vec<Option<W::Sum>> = self.layers[0].nodes.iter().map(|_| None).collect();
        for node in starts.into_iter().filter_map(|pair| self.layers[0].node(pair)) {
            weigh.add(sums[node].get_or_insert_default(), weigh.certain());
        }
        let mut weights = totals(sums)?;
        let mut rows = Rows { table: self, weigh, divided: FxHashMap::default() };
        for layers in self.layers.windows(2) {
            weights = totals(rows.advance(&layers[0], &layers[1], &weights))?;
        }
        Ok(weights)
    }

    /// What the runs weigh in which the attack is wanted, by their outcome, in the order of [`Outcome::ALL`]. Where a coin
    /// is tossed the runs of all of its sides are added up.
    ///
    /// # Errors
    /// The weights do not fit in memory.
    pub fn weigh_outcomes<W: Weigh>(&self, weigh: &W) -> Result<[W::Weight; 4], W::Refusal> {
        let weights = self.weigh(weigh, self.wanted().map(|&(_, pair)| pair))?;
        let mut rows: [W::Sum; 4] = Default::default();
        for (&pair, weight) in self.last().nodes.iter().zip(weights) {
            if let Some(weight) = weight {
                weigh.add(&mut rows[Outcome::of(self.choices(pair)).index()], weight);
            }
        }
        let [both, alone_1, alone_2, neither] = rows;
        Ok([weigh.total(both)?, weigh.total(alone_1)?, weigh.total(alone_2)?, weigh.total(neither)?])
    }
}
