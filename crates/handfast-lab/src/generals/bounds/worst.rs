//! The worst that an enemy can do who does not see the coin: one pattern of captures for all sides of the coin.
//!
//! ```text
//!   side 1 of the coin:   node --\                     /--> node
//!   side 2 of the coin:   node ---+-- one pattern ----+---> node      and the lone attacks among them are counted at the end
//!   side 3 of the coin:   node --/                     \--> node
//! ```

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use handfast_protocol::generals::Camp;
use num_bigint::BigInt;
use num_rational::BigRational;

use crate::generals::ratio::Ratio;
use crate::generals::table::outcome::Outcome;
use crate::generals::table::tabulate::Limits;
use crate::generals::table::{Layer, StateId, Table, Wave};

/// The pattern of captures under which exactly one general attacks with the greatest probability over the coin.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Worst {
    /// To whom the order was given.
    pub ordered: [bool; 2],
    /// The numbers of the captured messengers, in the order of sending, from 0. Of the patterns that are as bad it is one
    /// with the fewest captures.
    pub captured: Vec<usize>,
    /// How many messengers were sent.
    pub sent: usize,
    /// The probability that exactly one attacks: the share of the sides of the coin for which this is so.
    pub disagreement: Ratio,
    /// The outcome for each side of the coin, from side 1.
    pub outcomes: Vec<Outcome>,
}

/// Why the worst case is not known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WorstError {
    /// For two sides of the coin a general sends different numbers of messengers, so that what is captured for one of them
    /// need not exist for the other.
    Differs {
        /// Who sends them.
        camp: Camp,
        /// The round.
        round: usize,
        /// How many, for one side of the coin and for another.
        messengers: [u64; 2],
    },
    /// More can be the case after a round than may be kept.
    Nodes {
        /// The round.
        round: usize,
        /// The most states, over all sides of the coin, that may be kept.
        limit: u64,
    },
}

impl Display for WorstError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Differs { camp, round, messengers: [some, others] } => write!(
                f,
                "the worst pattern is one set of captured messengers for all sides of the coin, but in round {round} general {} \
                 sends {some} messengers for one side of the coin and {others} for another; let it send equally many",
                camp.number()
            ),
            Self::Nodes { round, limit } => write!(
                f,
                "more than {limit} states, over all sides of the coin, can be reached by the end of round {round}, which would not \
                 fit in memory; take fewer rounds or messengers"
            ),
        }
    }
}

impl std::error::Error for WorstError {}

/// The pairs of states for all sides of the coin, under one and the same pattern.
type Joint = Vec<[StateId; 2]>;

/// How a joint state is reached with the fewest captures.
#[derive(Clone, Debug)]
struct Reached {
    captures: u64,
    /// The place of the joint state before it, in the layer before.
    before: usize,
    /// For each general's wave how many messengers arrive of each part of it.
    arrivals: [Vec<u32>; 2],
    /// The sizes of these parts.
    parts: [Vec<u32>; 2],
}

/// One way or another in which a wave can be met: the receiver's states for all sides of the coin.
type Met = BTreeMap<Vec<StateId>, Vec<u32>>;

/// The worst case over every way in which the order can have been given and every pattern of captures.
///
/// The probability is over the coin alone; without one it is 0 or 1. It walks over the joint states of all sides of the
/// coin, so that patterns that lead to the same are one, and no pattern is left out. The value that it finds for the random
/// attack is 1/rounds (Lynch, "Distributed Algorithms", 1996, section 5.2; Varghese and Lynch 1996).
///
/// # Errors
/// What is sent depends on the coin, or more states would have to be kept than `limits` allows pairs of them in a layer.
pub fn worst_case(table: &Table, limits: &Limits) -> Result<Worst, WorstError> {
    let mut worst: Option<Worst> = None;
    for &ordered in table.orders.ways() {
        let joint: Joint =
            table.starts.iter().filter(|(beginning, _)| beginning.ordered == ordered).map(|&(_, pair)| pair).collect();
        let found = worst_of(table, ordered, joint, limits)?;
        let is_worse = worst
            .as_ref()
            .is_none_or(|worst| (&found.disagreement, worst.captured.len()) > (&worst.disagreement, found.captured.len()));
        if is_worse {
            worst = Some(found);
        }
    }
    Ok(worst.expect("a run can begin in some way"))
}

fn worst_of(table: &Table, ordered: [bool; 2], joint: Joint, limits: &Limits) -> Result<Worst, WorstError> {
    let sides = joint.len();
    let start = Reached { captures: 0, before: 0, arrivals: Default::default(), parts: Default::default() };
    let mut layers: Vec<Vec<(Joint, Reached)>> = vec![vec![(joint, start)]];
    for (round, layer) in (1..).zip(&table.layers[..table.rounds()]) {
        let mut next: BTreeMap<Joint, Reached> = BTreeMap::new();
        for (before, (joint, reached)) in layers.last().into_iter().flatten().enumerate() {
            extend(table, layer, round, (before, joint, reached.captures), &mut next)?;
            if (next.len() * sides) as u64 > limits.nodes {
                return Err(WorstError::Nodes { round, limit: limits.nodes });
            }
        }
        layers.push(next.into_iter().collect());
    }
    let lone = |joint: &Joint| joint.iter().filter(|&&pair| Outcome::of(table.choices(pair)).is_alone()).count();
    let last = layers.last().into_iter().flatten().enumerate();
    // Of equals the first is taken, whatever the order of captures inside a layer is.
    let (place, joint, alone) = last
        .map(|(place, (joint, reached))| (place, joint, lone(joint), reached.captures))
        .reduce(|best, other| if (other.2, best.3) > (best.2, other.3) { other } else { best })
        .map(|(place, joint, alone, _)| (place, joint, alone))
        .expect("every pattern ends somewhere");
    let (sent, captured) = traced(&layers, place);
    let disagreement = Ratio(BigRational::new(BigInt::from(alone), BigInt::from(sides)));
    let outcomes = joint.iter().map(|&pair| Outcome::of(table.choices(pair))).collect();
    Ok(Worst { ordered, captured, sent, disagreement, outcomes })
}

/// Adds what can be the case one round later.
fn extend(
    table: &Table,
    layer: &Layer,
    round: usize,
    (before, joint, captures): (usize, &Joint, u64),
    next: &mut BTreeMap<Joint, Reached>,
) -> Result<(), WorstError> {
    let mut parts: [Vec<u32>; 2] = Default::default();
    let mut met: [Met; 2] = Default::default();
    for camp in Camp::BOTH {
        let from = camp.index();
        let waves: Vec<&Wave> = joint.iter().map(|&pair| &table.waves[layer.sends(pair)[from] as usize]).collect();
        parts[from] = common_parts(&waves).map_err(|messengers| WorstError::Differs { camp, round, messengers })?;
        let rows: Vec<&[StateId]> = joint.iter().map(|&pair| layer.rows(pair)[1 - from]).collect();
        met[from] = every_way(&parts[from], &waves, &rows);
    }
    let lost = |from: usize, arrivals: &[u32]| u64::from(parts[from].iter().sum::<u32>() - arrivals.iter().sum::<u32>());
    // General 1 meets general 2's wave.
    for (twos, from_1) in &met[0] {
        for (ones, from_2) in &met[1] {
            let captures = captures + lost(0, from_1) + lost(1, from_2);
            let joint: Joint = ones.iter().zip(twos).map(|(&one, &two)| [one, two]).collect();
            let reached = || Reached { captures, before, arrivals: [from_1.clone(), from_2.clone()], parts: parts.clone() };
            next.entry(joint)
                .and_modify(|known| {
                    if captures < known.captures {
                        *known = reached();
                    }
                })
                .or_insert_with(reached);
        }
    }
    Ok(())
}

/// The sizes of the parts into which the boundaries between groups, of any of the waves, divide them all; otherwise two sizes
/// of waves that differ.
fn common_parts(waves: &[&Wave]) -> Result<Vec<u32>, [u64; 2]> {
    let mut boundaries = Vec::new();
    for wave in waves {
        if wave.size() != waves[0].size() {
            return Err([waves[0].size(), wave.size()]);
        }
        let mut end = 0;
        for group in &wave.groups {
            end += group.size;
            boundaries.push(end);
        }
    }
    boundaries.sort_unstable();
    boundaries.dedup();
    let mut begin = 0;
    Ok(boundaries.into_iter().map(|end| end - std::mem::replace(&mut begin, end)).collect())
}

/// Where every way in which these parts can arrive leads whoever meets the wave, for all sides of the coin; each with a way
/// that has the most arrivals.
fn every_way(parts: &[u32], waves: &[&Wave], rows: &[&[StateId]]) -> Met {
    let mut met = Met::new();
    let mut arrivals = parts.to_vec();
    loop {
        let states = waves.iter().zip(rows).map(|(wave, row)| row[wave.way(&regrouped(parts, &arrivals, wave))]).collect();
        let most = met.entry(states).or_insert_with(|| arrivals.clone());
        if arrivals.iter().sum::<u32>() > most.iter().sum() {
            most.clone_from(&arrivals);
        }
        // From everything arrives to nothing does, the last part counts fastest.
        let Some(place) = arrivals.iter().rposition(|&arrived| arrived > 0) else { return met };
        arrivals[place] -= 1;
        arrivals[place + 1..].copy_from_slice(&parts[place + 1..]);
    }
}

/// How many arrive of each group of this wave, if so many arrive of each of its parts.
fn regrouped(parts: &[u32], arrivals: &[u32], wave: &Wave) -> Vec<u32> {
    let mut parts = parts.iter().zip(arrivals);
    let mut grouped = Vec::with_capacity(wave.groups.len());
    for group in &wave.groups {
        let (mut size, mut arrived) = (0, 0);
        while size < group.size {
            let Some((part, of_part)) = parts.next() else { break };
            size += part;
            arrived += of_part;
        }
        grouped.push(arrived);
    }
    grouped
}

/// How many were sent on the way to a joint state of the last layer, and the numbers of those that were captured.
fn traced(layers: &[Vec<(Joint, Reached)>], mut place: usize) -> (usize, Vec<usize>) {
    let mut way = Vec::new();
    for layer in layers[1..].iter().rev() {
        let reached = &layer[place].1;
        way.push(reached);
        place = reached.before;
    }
    let (mut sent, mut captured) = (0, Vec::new());
    for reached in way.into_iter().rev() {
        for (parts, arrivals) in reached.parts.iter().zip(&reached.arrivals) {
            for (&part, &arrived) in parts.iter().zip(arrivals) {
                captured.extend(sent + arrived as usize..sent + part as usize);
                sent += part as usize;
            }
        }
    }
    (sent, captured)
}
