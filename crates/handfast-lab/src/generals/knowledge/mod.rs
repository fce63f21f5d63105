//! How deep knowledge goes in every run, after Halpern and Moses, *Knowledge and common knowledge in a distributed
//! environment* (1990), and Fagin, Halpern, Moses and Vardi, *Reasoning about knowledge* (1995).
//!
//! A run is a link between its two views: the generals cannot tell it from the other runs at either end. Everybody
//! knows that everybody knows, k times over, that the attack is wanted, if no run in which it is not wanted can be
//! reached in k links. So one search from all of those runs at once gives the depth of every run.

mod alike;
mod arrivals;
pub(super) mod belief;
pub(super) mod chain;
pub(super) mod ladder;
pub(super) mod views;

use num_bigint::BigUint;

use crate::generals::knowledge::alike::pairs_of;
use crate::generals::knowledge::views::{Bounds, Kind, Moment, TooMuch, Unfolding, Views, Weighing};
use crate::generals::table::Table;

/// What is known in all runs of a protocol, when the last round is over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Knowledge {
    /// What the generals go by.
    pub views: Views,
    /// The number of runs: orders times patterns of captures.
    pub worlds: BigUint,
    /// The runs in which the attack is wanted, by the depth of what everybody knows: at place k those in which
    /// "everybody knows" holds k times over and no more.
    pub histogram: Vec<BigUint>,
    /// The runs in which it is common knowledge that the attack is wanted.
    pub common: BigUint,
    /// The number of pairs of views that were looked at; runs that nobody tells apart are one pair.
    pub pairs: u64,
}

/// The knowledge in all runs.
///
/// # Errors
/// More would have to be held than the bounds allow.
pub fn knowledge(table: &Table, views: Views, bounds: Bounds) -> Result<Knowledge, TooMuch> {
    let unfolding = Unfolding::new(table, views, Weighing::Count, bounds, 1);
    let moment = unfolding.last()?;
    let distances = distances(&moment, |kind| wanted(table, kind));
    let mut told = Knowledge {
        views,
        worlds: moment.pairs.iter().map(|pair| &pair.weight).sum(),
        histogram: Vec::new(),
        common: BigUint::ZERO,
        pairs: moment.pairs.len() as u64,
    };
    for pair in moment.pairs.iter().filter(|pair| wanted(table, pair.kind)) {
        match depth(&distances, pair.views) {
            None => told.common += &pair.weight,
            Some(depth) => {
                let places = told.histogram.len().max(depth as usize + 1);
                told.histogram.resize(places, BigUint::ZERO);
                told.histogram[depth as usize] += &pair.weight;
            }
        }
    }
    Ok(told)
}

/// Whether the attack is wanted in runs of this kind.
pub(in crate::generals) fn wanted(table: &Table, kind: Kind) -> bool {
    table.orders.wants_attack(table.orders.ways()[usize::from(kind.orders)])
}

/// For each view of general 1 and of general 2, how many links away a run is that the general knows not to be meant:
/// 0 if it may be this one; nothing if there is none.
pub(in crate::generals) type Distances = [Vec<Option<u32>>; 2];

/// What "everybody knows" holds so many times over in a run with these views.
pub(in crate::generals) fn depth(distances: &Distances, views: [u32; 2]) -> Option<u32> {
    let [one, two] = [0, 1].map(|side| distances[side][views[side] as usize]);
    Some(one?.min(two?))
}

/// How far each view lies from the runs that are not `wanted`: a breadth-first search from all of them at once.
pub(in crate::generals) fn distances(moment: &Moment, wanted: impl Fn(Kind) -> bool) -> Distances {
    let mut distances: Distances = [0, 1].map(|side| vec![None; moment.sides[side].len()]);
    let mut edge: Vec<(usize, u32)> = Vec::new();
    for pair in moment.pairs.iter().filter(|pair| !wanted(pair.kind)) {
        for (side, distances) in distances.iter_mut().enumerate() {
            let distance = &mut distances[pair.views[side] as usize];
            if distance.is_none() {
                *distance = Some(0);
                edge.push((side, pair.views[side]));
            }
        }
    }
    let beside = [0, 1].map(|side| pairs_of(moment, side));
    let mut far = 0;
    while !edge.is_empty() {
        far += 1;
        let mut next = Vec::new();
        for (side, view) in edge {
            for &pair in beside[side].of(view as usize) {
                let other = moment.pairs[pair as usize].views[1 - side];
                let distance = &mut distances[1 - side][other as usize];
                if distance.is_none() {
                    *distance = Some(far);
                    next.push((1 - side, other));
                }
            }
        }
        edge = next;
    }
    distances
}
