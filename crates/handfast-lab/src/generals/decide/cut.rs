//! A minimum cut, exactly: the flow of Dinic, *Algorithm for solution of a problem of maximum flow in networks with
//! power estimation* (1970), in whole numbers of any size.

use num_bigint::BigUint;
use num_traits::Zero as _;

/// A network whose edges have room for so much.
#[derive(Debug)]
pub(super) struct Network {
    /// For each node its edges; an edge and the one back have neighbouring numbers.
    edges: Vec<Vec<usize>>,
    to: Vec<usize>,
    room: Vec<BigUint>,
}

impl Network {
    pub(super) fn new(nodes: usize) -> Self {
        Self { edges: vec![Vec::new(); nodes], to: Vec::new(), room: Vec::new() }
    }

    /// Adds an edge; one without room is left out.
    pub(super) fn add(&mut self, from: usize, to: usize, room: BigUint) {
        if room.is_zero() {
            return;
        }
        for (from, to, room) in [(from, to, room), (to, from, BigUint::ZERO)] {
            self.edges[from].push(self.to.len());
            self.to.push(to);
            self.room.push(room);
        }
    }

    /// Which nodes are on the source's side of the minimum cut that has the fewest of them there: all that can still be
    /// reached when no more can flow.
    pub(super) fn source_side(mut self, source: usize, sink: usize) -> Vec<bool> {
        loop {
            let levels = self.levels(source);
            if levels[sink].is_none() {
                return levels.iter().map(Option::is_some).collect();
            }
            let mut next = vec![0; self.edges.len()];
            while self.push(source, sink, &levels, &mut next) {}
        }
    }

    /// How many edges with room lead to each node at least.
    fn levels(&self, source: usize) -> Vec<Option<u32>> {
        let mut levels = vec![None; self.edges.len()];
        levels[source] = Some(0);
        let (mut edge, mut level) = (vec![source], 0);
        while !edge.is_empty() {
            level += 1;
            let mut further = Vec::new();
            for &edge in edge.iter().flat_map(|&node| &self.edges[node]) {
                let to = self.to[edge];
                if levels[to].is_none() && !self.room[edge].is_zero() {
                    levels[to] = Some(level);
                    further.push(to);
                }
            }
            edge = further;
        }
        levels
    }

    /// Lets as much flow as fits along one shortest path, if there still is one. `next` tells which edges of a node were tried.
    fn push(&mut self, source: usize, sink: usize, levels: &[Option<u32>], next: &mut [usize]) -> bool {
        let mut path: Vec<usize> = Vec::new();
        let mut node = source;
        while node != sink {
            let Some(&edge) = self.edges[node].get(next[node]) else {
                // A dead end: nothing more goes through this node.
                let Some(back) = path.pop() else { return false };
                node = self.to[back ^ 1];
                next[node] += 1;
                continue;
            };
            let to = self.to[edge];
            let is_nearer = levels[to].is_some_and(|level| Some(level) == levels[node].map(|level| level + 1));
            if is_nearer && !self.room[edge].is_zero() {
                path.push(edge);
                node = to;
            } else {
                next[node] += 1;
            }
        }
        let Some(flow) = path.iter().map(|&edge| &self.room[edge]).min().cloned() else { return false };
        for edge in path {
            self.room[edge] -= &flow;
            self.room[edge ^ 1] += &flow;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small generator of numbers, the same every time.
    fn scrambled(seed: u64) -> impl FnMut(u64) -> u64 {
        let mut state = seed;
        move |below| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        }
    }

    #[test]
    fn no_other_cut_is_smaller_and_no_equal_one_has_fewer_nodes() {
        for seed in 0..200 {
            let mut random = scrambled(seed);
            let nodes = 2 + random(6) as usize;
            let edges: Vec<(usize, usize, u64)> = (0..random(20))
                .map(|_| (random(nodes as u64) as usize, random(nodes as u64) as usize, random(7)))
                .filter(|&(from, to, _)| from != to)
                .collect();
            let mut network = Network::new(nodes);
            edges.iter().for_each(|&(from, to, room)| network.add(from, to, room.into()));
            let side = network.source_side(0, 1);
            let cut = |inside: &dyn Fn(usize) -> bool| -> u64 {
                edges.iter().filter(|&&(from, to, _)| inside(from) && !inside(to)).map(|&(_, _, room)| room).sum()
            };
            let size = |inside: &dyn Fn(usize) -> bool| (0..nodes).filter(|&node| inside(node)).count();
            let found = (cut(&|node| side[node]), size(&|node| side[node]));
            let sets = (0..1usize << nodes).filter(|set| set & 1 == 1 && set & 2 == 0);
            let least = sets.map(|set| (cut(&|node| set >> node & 1 == 1), size(&|node| set >> node & 1 == 1))).min();
            assert_eq!(Some(found), least, "{edges:?}");
        }
    }
}
