//! The runs that go wrong most simply, one after the other.

use std::cmp::Reverse;

use super::ways::branches;
use super::{Checked, Distance};
use crate::generals::table::run::Run;
use crate::generals::table::{Group, Table};

/// One way in which a round can pass on the way to the goal.
struct Passing {
    /// How many are captured of each group: those of general 1's wave, then those of general 2's.
    captured: Vec<u32>,
    /// The node that follows.
    node: usize,
}

/// A round of the run that is being made.
struct Stage {
    groups: Vec<Group>,
    /// What is still to be tried, the next at the end.
    passings: Vec<Passing>,
    /// The node that follows, and who of each group is captured, in order.
    now: Option<(usize, Vec<Vec<u32>>)>,
}

impl Stage {
    /// Goes on to the next choice of those who are captured.
    fn advance(&mut self) -> Option<usize> {
        if let Some((node, chosen)) = &mut self.now {
            let sizes = self.groups.iter().map(|group| group.size);
            if chosen.iter_mut().zip(sizes).rev().any(|(chosen, size)| next_choice(chosen, size)) {
                return Some(*node);
            }
        }
        let passing = self.passings.pop()?;
        self.now = Some((passing.node, passing.captured.iter().map(|&captured| (0..captured).collect()).collect()));
        Some(passing.node)
    }

    /// The places of those who are captured, if the first of this round has the place `first`.
    fn captured(&self, first: usize) -> impl Iterator<Item = usize> {
        let chosen = self.now.iter().flat_map(|(_, chosen)| chosen);
        let firsts = self.groups.iter().scan(first, |next, group| {
            let first = *next;
            *next += group.size as usize;
            Some(first)
        });
        chosen.zip(firsts).flat_map(|(chosen, first)| chosen.iter().map(move |&place| first + place as usize))
    }
}

/// Makes of a choice of some of `size` the next one, in the order of the lists; of the last one the first again.
fn next_choice(chosen: &mut [u32], size: u32) -> bool {
    let last = chosen.len();
    let can_move = |place: usize, chosen: &[u32]| chosen[place] + ((last - place) as u32) < size;
    let Some(moved) = (0..last).rev().find(|&place| can_move(place, chosen)) else {
        chosen.iter_mut().zip(0..).for_each(|(place, first)| *place = first);
        return false;
    };
    let first = chosen[moved] + 1;
    chosen[moved..].iter_mut().zip(first..).for_each(|(place, next)| *place = next);
    true
}

/// Every run with the fewest captures and then the fewest messengers that goes wrong; see [`Checked::minimal`].
pub struct Minimal<'a> {
    checked: &'a Checked<'a>,
    start: usize,
    goal: usize,
    stages: Vec<Stage>,
    /// Without rounds a run is over as soon as it begins: there is one to be told.
    ended: bool,
}

impl<'a> Minimal<'a> {
    pub(super) fn new(checked: &'a Checked<'a>) -> Self {
        let mut minimal = Self { checked, start: 0, goal: 0, stages: Vec::new(), ended: false };
        minimal.begin();
        minimal
    }

    fn table(&self) -> &'a Table {
        self.checked.table()
    }

    /// Prepares the first round from `start`, if there is something to find from there; else there is no stage.
    fn begin(&mut self) {
        let Some(least) = &self.checked.least else { return };
        let Some(&(_, pair)) = self.table().starts.get(self.start) else { return };
        let (goal, distance) = self.checked.goal(self.start);
        self.goal = goal;
        if let Some(node) = self.table().layers[0].node(pair).filter(|_| distance == least.distance) {
            if self.table().rounds() == 0 {
                self.ended = true;
                return;
            }
            let stage = self.stage(0, node);
            self.stages.push(stage);
        }
    }

    /// The ways in which a round can pass that stay on a shortest way.
    fn stage(&self, round: usize, node: usize) -> Stage {
        let table = self.table();
        let adversary = self.checked.adversary;
        let (layer, next) = (&table.layers[round], &table.layers[round + 1]);
        let pair = layer.nodes[node];
        let (sends, rows) = (layer.sends(pair).map(|wave| &table.waves[wave as usize]), layer.rows(pair));
        let [ones, twos] = [0, 1].map(|side: usize| branches(sends[1 - side], rows[side], adversary));
        let steps = sends[0].size() + sends[1].size();
        let goal = self.checked.toward[round][node][self.goal];
        let mut passings = Vec::new();
        for (one, two) in ones.iter().flat_map(|one| twos.iter().map(move |two| (one, two))) {
            let Some(node) = next.node([one.to, two.to]) else { continue };
            let rest = self.checked.toward[round + 1][node][self.goal];
            let captures = one.least + two.least;
            let fits = rest != Distance::NEVER
                && adversary.allows(captures, captures)
                && goal == Distance { captures: captures + rest.captures, steps: steps + rest.steps };
            if !fits {
                continue;
            }
            // General 1's wave leads general 2 on, and stands first.
            let captured = |side: usize, way: usize| {
                sends[side].groups.iter().zip(sends[side].arrivals(way)).map(|(group, arrived)| group.size - arrived)
            };
            let least = |side: usize, ways: &[usize], least: u64| -> Vec<Vec<u32>> {
                let all = ways.iter().map(|&way| captured(side, way).collect::<Vec<u32>>());
                all.filter(|captured| captured.iter().copied().map(u64::from).sum::<u64>() == least).collect()
            };
            let (firsts, seconds) = (least(0, &two.ways, two.least), least(1, &one.ways, one.least));
            for first in &firsts {
                passings.extend(seconds.iter().map(|second| Passing { captured: [&first[..], second].concat(), node }));
            }
        }
        passings.sort_by_key(|passing| Reverse(passing.captured.clone()));
        // The next is taken from the end.
        passings.reverse();
        Stage { groups: [&sends[0].groups[..], &sends[1].groups].concat(), passings, now: None }
    }

    fn run(&self) -> Run {
        let mut captured = Vec::new();
        let mut first = 0;
        for stage in &self.stages {
            captured.extend(stage.captured(first));
            first += stage.groups.iter().map(|group| group.size as usize).sum::<usize>();
        }
        let mut captured = captured.into_iter().peekable();
        self.table().play(self.start, |number| captured.next_if_eq(&number).is_some())
    }
}

impl Iterator for Minimal<'_> {
    type Item = Run;

    fn next(&mut self) -> Option<Run> {
        let rounds = self.table().rounds();
        loop {
            if std::mem::take(&mut self.ended) {
                return Some(self.run());
            }
            let Some(stage) = self.stages.last_mut() else {
                if self.start >= self.table().starts.len() {
                    return None;
                }
                self.start += 1;
                self.begin();
                continue;
            };
            let Some(node) = stage.advance() else {
                self.stages.pop();
                continue;
            };
            if self.stages.len() == rounds {
                return Some(self.run());
            }
            let next = self.stage(self.stages.len(), node);
            self.stages.push(next);
        }
    }
}
