//! Finds views that are alike, by splitting the views into blocks until no block tells two of its views apart, after
//! Kanellakis and Smolka, *CCS expressions, finite state processes, and three problems of equivalence* (1990).

use num_bigint::BigUint;
use num_integer::Integer as _;
use num_traits::{One as _, Zero as _};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::generals::knowledge::views::{Kind, Moment, Pair, ViewId, Views};

/// The number of a block for every view of one general; numbered in the order of their first view.
pub(in crate::generals) type Blocks = Vec<ViewId>;

/// Blocks of views that are alike. `weighed`: views are alike only if they also lead to the same beliefs, that is, if the
/// other's views have the same shares beside both.
pub(in crate::generals) fn blocks(moment: &Moment, views: Views, weighed: bool) -> [Blocks; 2] {
    let mut blocks = [0, 1].map(|side| number(moment.sides[side].iter().copied()));
    match views {
        Views::State => return blocks.map(|(blocks, _)| blocks),
        Views::Inputs => {}
    }
    let beside = [0, 1].map(|side| pairs_of(moment, side));
    let mut calm = 0;
    for side in [0, 1].into_iter().cycle() {
        let other = &blocks[1 - side].0;
        let sign_of = |view: usize| {
            let pairs = beside[side].of(view).iter().map(|&pair| &moment.pairs[pair as usize]);
            (blocks[side].0[view], sign(pairs, 1 - side, other, weighed))
        };
        let signs: Vec<(ViewId, Sign)> = (0..moment.sides[side].len()).into_par_iter().with_min_len(FEW).map(sign_of).collect();
        let split = number(signs.into_iter());
        calm = if split.1 == blocks[side].1 { calm + 1 } else { 0 };
        blocks[side] = split;
        // Neither side could be split by the other: that is so for good.
        if calm >= 2 {
            break;
        }
    }
    blocks.map(|(blocks, _)| blocks)
}

/// So many views are not worth a thread of their own.
const FEW: usize = 512;

/// What a view's pairs look like: the other's blocks, and their shares where these count.
type Sign = (Vec<(ViewId, Kind)>, Vec<BigUint>);

fn sign<'p>(pairs: impl Iterator<Item = &'p Pair>, other_side: usize, other: &[ViewId], weighed: bool) -> Sign {
    let key = |pair: &Pair| (other[pair.views[other_side] as usize], pair.kind);
    if !weighed {
        let mut keys: Vec<(ViewId, Kind)> = pairs.map(key).collect();
        keys.sort_unstable();
        keys.dedup();
        return (keys, Vec::new());
    }
    let mut pairs: Vec<&Pair> = pairs.collect();
    pairs.sort_unstable_by_key(|pair| key(pair));
    let (mut keys, mut weights) = (Vec::new(), Vec::new());
    for chunk in pairs.chunk_by(|one, next| key(one) == key(next)) {
        keys.push(key(chunk[0]));
        weights.push(chunk.iter().map(|pair| &pair.weight).sum::<BigUint>());
    }
    shorten(&mut weights, |weight| weight);
    (keys, weights)
}

/// Divides weights by what they have in common, so that equal shares look equal.
pub(in crate::generals) fn shorten<T>(weights: &mut [T], weight: impl Fn(&mut T) -> &mut BigUint) {
    let common = weights.iter_mut().fold(BigUint::zero(), |common, each| common.gcd(weight(each)));
    if common > BigUint::one() {
        weights.iter_mut().for_each(|each| *weight(each) /= &common);
    }
}

/// Gives equal keys the same number, in the order in which they first occur. Also says how many there are.
fn number<K: std::hash::Hash + Eq>(keys: impl Iterator<Item = K>) -> (Blocks, usize) {
    let mut numbers: FxHashMap<K, ViewId> = FxHashMap::default();
    let blocks = keys.map(|key| {
        let next = numbers.len() as ViewId;
        *numbers.entry(key).or_insert(next)
    });
    let blocks = blocks.collect();
    (blocks, numbers.len())
}

/// For every view of one general the pairs that it is in.
pub(in crate::generals) struct PairsOf {
    ends: Vec<u32>,
    pairs: Vec<u32>,
}

impl PairsOf {
    /// The places of the pairs of this view in the moment.
    pub(in crate::generals) fn of(&self, view: usize) -> &[u32] {
        let start = if view == 0 { 0 } else { self.ends[view - 1] };
        &self.pairs[start as usize..self.ends[view] as usize]
    }
}

/// The pairs of every view of one general, by counting.
pub(in crate::generals) fn pairs_of(moment: &Moment, side: usize) -> PairsOf {
    let mut ends = vec![0u32; moment.sides[side].len() + 1];
    for pair in &moment.pairs {
        ends[pair.views[side] as usize + 1] += 1;
    }
    for view in 1..ends.len() {
        ends[view] += ends[view - 1];
    }
    let mut pairs = vec![0; moment.pairs.len()];
    for (place, pair) in moment.pairs.iter().enumerate() {
        let end = &mut ends[pair.views[side] as usize];
        pairs[*end as usize] = place as u32;
        *end += 1;
    }
    ends.pop();
    PairsOf { ends, pairs }
}

/// Keeps one view a block, and renames the views in the pairs.
pub(in crate::generals) fn merge(moment: &mut Moment, side: usize, blocks: &Blocks) {
    let mut kept = Vec::new();
    for (view, &block) in moment.sides[side].iter().zip(blocks) {
        if block as usize == kept.len() {
            kept.push(*view);
        }
    }
    moment.sides[side] = kept;
    for pair in &mut moment.pairs {
        pair.views[side] = blocks[pair.views[side] as usize];
    }
}

/// Sorts the pairs, and makes one of those that have become the same.
pub(in crate::generals) fn add_up(pairs: &mut Vec<Pair>) {
    pairs.sort_unstable_by_key(Pair::key);
    pairs.dedup_by(|next, before| {
        let same = next.key() == before.key();
        if same {
            before.weight += std::mem::take(&mut next.weight);
        }
        same
    });
}
