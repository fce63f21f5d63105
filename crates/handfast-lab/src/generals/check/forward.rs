//! Which nodes an adversary can reach.

use super::ways::branches;
use crate::generals::check::adversary::Adversary;
use crate::generals::table::Table;

/// The number of nodes that the adversary can reach, in all layers.
pub(super) fn reachable(table: &Table, adversary: Adversary) -> u64 {
    let sizes = || table.layers.iter().map(|layer| layer.nodes.len() as u64);
    if adversary == Adversary::Any {
        return sizes().sum();
    }
    // For each node of a layer the fewest captures that lead to it.
    let mut least = vec![None; table.layers[0].nodes.len()];
    for &(_, pair) in &table.starts {
        if let Some(node) = table.layers[0].node(pair) {
            least[node] = Some(0);
        }
    }
    let mut reached = least.iter().flatten().count() as u64;
    for (layer, next) in table.layers.iter().zip(&table.layers[1..]) {
        let mut after: Vec<Option<u64>> = vec![None; next.nodes.len()];
        for (&pair, so_far) in layer.nodes.iter().zip(least) {
            let Some(so_far) = so_far else { continue };
            let (sends, rows) = (layer.sends(pair), layer.rows(pair));
            let [ones, twos] = [0, 1].map(|side: usize| branches(&table.waves[sends[1 - side] as usize], rows[side], adversary));
            for one in &ones {
                for two in &twos {
                    let captures = one.least + two.least;
                    if !adversary.allows(captures, so_far + captures) {
                        continue;
                    }
                    if let Some(node) = next.node([one.to, two.to]) {
                        let before = after[node].unwrap_or(u64::MAX);
                        after[node] = Some(before.min(so_far + captures));
                    }
                }
            }
        }
        reached += after.iter().flatten().count() as u64;
        least = after;
    }
    reached
}
