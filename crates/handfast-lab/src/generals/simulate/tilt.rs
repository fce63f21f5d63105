//! Chooses the rates at which messengers are captured instead, so that a rare outcome becomes a common one.

use std::collections::BTreeMap;

use num_bigint::BigInt;
use num_rational::BigRational;

use crate::generals::ratio::Ratio;
use crate::generals::simulate::walk::{COINS, Coin};
use crate::generals::simulate::wide::Wide;
use crate::generals::table::outcome::Outcome;
use crate::generals::table::{Layer, StateId, Table, WaveId};

/// More transitions than this are not weighed: the choice would take longer than the simulation.
const MOST_TRANSITIONS: u64 = 20_000_000;

/// A rate that is chosen is a multiple of 2^-30.
const STEPS: f64 = (1u64 << 30) as f64;

/// At which rate the messengers of each wave are captured instead.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tilt {
    /// For every round, general 1's wave and general 2's.
    pub(in crate::generals) coins: Vec<[Coin; 2]>,
    /// The true rate, and the two that are taken instead: the higher and the lower one.
    pub(in crate::generals) rates: [Ratio; COINS],
}

/// How much of a wave was sent and captured in the runs that end as wanted, weighed by their probability.
#[derive(Clone, Copy)]
struct Fate {
    sent: Wide,
    captured: Wide,
}

const NOTHING: Fate = Fate { sent: Wide::ZERO, captured: Wide::ZERO };

impl Tilt {
    /// Every messenger is captured at this rate instead, which has to lie between 0 and 1, both excluded.
    #[must_use]
    pub fn everywhere(table: &Table, capture: &Ratio, rate: &Ratio) -> Option<Self> {
        let inside = rate.is_probability() && *rate != Ratio::new(0, 1) && *rate != Ratio::new(1, 1);
        let rates = [capture.clone(), rate.clone(), capture.clone()];
        (inside && capture.is_probability()).then(|| Self { coins: vec![[1, 1]; table.rounds()], rates })
    }

    /// The rates that make this outcome likely, by the method of cross-entropy (Rubinstein and Kroese, *The Cross-Entropy
    /// Method*, 2004, section 3): the best rate for a wave is the share of it that is captured in the runs that end so.
    ///
    /// That share is not guessed by a pilot, which might miss a way to get there, but worked out on the table. A wave whose
    /// share is not clearly another than the rate itself (odds twice as large, or half) keeps it; the rest share two
    /// rates, a higher and a lower one, so that the weight of a run depends on four numbers only. Both keep away from 0
    /// and 1, so that no run becomes impossible.
    ///
    /// `None` if nothing is random here, if the outcome cannot happen, or if the table is too large to be weighed.
    #[must_use]
    pub fn towards(table: &Table, capture: &Ratio, outcome: Outcome) -> Option<Self> {
        let rate = capture.to_f64();
        if !capture.is_probability() || *capture == Ratio::new(0, 1) || *capture == Ratio::new(1, 1) {
            return None;
        }
        let (fates, probability) = fates(table, capture, outcome)?;
        if probability.is_zero() {
            return None;
        }
        let coin = |fate: &Fate| {
            let share = (fate.captured / fate.sent).to_f64().min(1.0);
            let (up, down) = (share * (1.0 - rate), rate * (1.0 - share));
            match (up, down) {
                _ if fate.sent.is_zero() => 0,
                _ if up >= 2.0 * down && 1.0 - rate > 4.0 / STEPS => 1,
                _ if down >= 2.0 * up && rate > 4.0 / STEPS => 2,
                _ => 0,
            }
        };
        let coins: Vec<[Coin; 2]> = fates.iter().map(|round| [coin(&round[0]), coin(&round[1])]).collect();
        let pooled = |wanted: Coin| {
            let mut pooled = NOTHING;
            for (fate, coin) in fates.iter().flatten().zip(coins.iter().flatten()) {
                if *coin == wanted {
                    pooled = Fate { sent: pooled.sent + fate.sent, captured: pooled.captured + fate.captured };
                }
            }
            let messengers = (pooled.sent / probability).to_f64();
            let (share, margin) = ((pooled.captured / pooled.sent).to_f64(), 0.5 / (messengers + 1.0));
            let share = share.min(1.0 - margin.min((1.0 - rate) / 2.0)).max(margin.min(rate / 2.0));
            (share * STEPS).round().clamp(1.0, STEPS - 1.0)
        };
        let [higher, lower] = [1, 2].map(|coin| {
            if coins.iter().flatten().all(|&other| other != coin) {
                return capture.clone();
            }
            Ratio(BigRational::new(BigInt::from(pooled(coin) as u64), BigInt::from(STEPS as u64)))
        });
        Some(Self { coins, rates: [capture.clone(), higher, lower] })
    }

    /// The rates that are taken instead, each with the waves for which it is: the round, from 1, and the general, 1 or 2.
    #[must_use]
    pub fn changes(&self) -> Vec<(Ratio, Vec<(usize, usize)>)> {
        let waves = |wanted: usize| {
            let all = self.coins.iter().enumerate().flat_map(|(round, coins)| [(round, 0, coins[0]), (round, 1, coins[1])]);
            all.filter(|&(_, _, coin)| usize::from(coin) == wanted).map(|(round, side, _)| (round + 1, side + 1)).collect()
        };
        let all = (1..COINS).map(|coin| (self.rates[coin].clone(), waves(coin)));
        all.filter(|(_, waves): &(_, Vec<_>)| !waves.is_empty()).collect()
    }
}

/// Where a general goes: the next state, its probability, and that times the captured messengers of the wave.
type Edges = Vec<(StateId, Wide, Wide)>;

/// The probabilities of the numbers of messengers of a group that arrive, from 0.
struct Binomials {
    captured: Wide,
    arrives: Wide,
    known: BTreeMap<u32, Vec<Wide>>,
}

impl Binomials {
    fn of(&mut self, size: u32) -> &[Wide] {
        let (captured, arrives) = (self.captured, self.arrives);
        self.known.entry(size).or_insert_with(|| {
            let next = |before: &mut Wide, arrived: u32| {
                let now = *before;
                *before =
                    now * arrives * Wide::count(u64::from(size - arrived)) / (captured * Wide::count(u64::from(arrived) + 1));
                Some(now)
            };
            (0..=size).scan(captured.pow(u64::from(size)), next).collect()
        })
    }

    fn edges(&mut self, table: &Table, wave: WaveId, row: &[StateId]) -> Edges {
        let mut ways = vec![(Wide::ONE, 0u64)];
        for group in &table.waves[wave as usize].groups {
            let chances = self.of(group.size);
            let more = ways.iter().flat_map(|&(chance, captured)| {
                let arrivals = (0..=u64::from(group.size)).zip(chances);
                arrivals.map(move |(arrived, more)| (chance * *more, captured + u64::from(group.size) - arrived))
            });
            ways = more.collect();
        }
        let mut edges: BTreeMap<StateId, (Wide, Wide)> = BTreeMap::new();
        for ((chance, captured), &state) in ways.into_iter().zip(row) {
            let (all, caught) = edges.entry(state).or_insert((Wide::ZERO, Wide::ZERO));
            (*all, *caught) = (*all + chance, *caught + chance * Wide::count(captured));
        }
        edges.into_iter().map(|(state, (chance, captured))| (state, chance, captured)).collect()
    }
}

type Rows = [BTreeMap<(StateId, WaveId), Edges>; 2];

/// The edges of everything that can be met in a layer.
fn rows(table: &Table, layer: &Layer, binomials: &mut Binomials) -> Rows {
    let mut rows = Rows::default();
    for &pair in &layer.nodes {
        let (sends, targets) = (layer.sends(pair), layer.rows(pair));
        for side in 0..2 {
            let wave = sends[1 - side];
            rows[side].entry((pair[side], wave)).or_insert_with(|| binomials.edges(table, wave, targets[side]));
        }
    }
    rows
}

/// What becomes of every wave in the runs that end like this, and their probability: once forward, once backward.
fn fates(table: &Table, capture: &Ratio, outcome: Outcome) -> Option<(Vec<[Fate; 2]>, Wide)> {
    let mut binomials =
        Binomials { captured: Wide::of(capture), arrives: Wide::of(&capture.complement()), known: BTreeMap::new() };
    let layers = &table.layers[..table.rounds()];
    let ways: u64 = table.waves.iter().map(crate::generals::table::Wave::ways).fold(0, u64::saturating_add);
    let nodes: u64 = layers.iter().map(|layer| layer.nodes.len() as u64).sum();
    if ways.max(nodes) > MOST_TRANSITIONS {
        return None;
    }
    let rows: Vec<Rows> = layers.iter().map(|layer| rows(table, layer, &mut binomials)).collect();
    let edges = |round: usize, pair: [StateId; 2]| {
        let sends = layers[round].sends(pair);
        [0, 1].map(|side| &rows[round][side][&(pair[side], sends[1 - side])])
    };
    let mut transitions = 0u64;
    let mut before: Vec<Vec<Wide>> = table.layers.iter().map(|layer| vec![Wide::ZERO; layer.nodes.len()]).collect();
    let starts = Wide::ONE / Wide::count(table.wanted().count() as u64);
    for &(_, pair) in table.wanted() {
        let node = table.layers[0].node(pair)?;
        before[0][node] = before[0][node] + starts;
    }
    for (round, layer) in layers.iter().enumerate() {
        for (node, &pair) in layer.nodes.iter().enumerate() {
            let (reached, [ones, twos]) = (before[round][node], edges(round, pair));
            transitions += (ones.len() * twos.len()) as u64;
            if transitions > MOST_TRANSITIONS {
                return None;
            }
            for &(one, first, _) in ones {
                for &(two, second, _) in twos {
                    let next = table.layers[round + 1].node([one, two])?;
                    before[round + 1][next] = before[round + 1][next] + reached * first * second;
                }
            }
        }
    }
    let ends = |pair: &[StateId; 2]| if Outcome::of(table.choices(*pair)) == outcome { Wide::ONE } else { Wide::ZERO };
    let mut after: Vec<Wide> = table.last().nodes.iter().map(ends).collect();
    let mut fates = vec![[NOTHING; 2]; layers.len()];
    for (round, layer) in layers.iter().enumerate().rev() {
        let mut now = vec![Wide::ZERO; layer.nodes.len()];
        for (node, &pair) in layer.nodes.iter().enumerate() {
            let (reached, [ones, twos], sends) = (before[round][node], edges(round, pair), layer.sends(pair));
            let mut captured = [Wide::ZERO; 2];
            for &(one, first, first_caught) in ones {
                for &(two, second, second_caught) in twos {
                    let then = after[table.layers[round + 1].node([one, two])?];
                    now[node] = now[node] + first * second * then;
                    // General 1 goes where general 2's wave sends it, and the other way round.
                    captured[1] = captured[1] + first_caught * second * then;
                    captured[0] = captured[0] + first * second_caught * then;
                }
            }
            for side in 0..2 {
                let sent = Wide::count(table.waves[sends[side] as usize].size());
                let fate = &mut fates[round][side];
                fate.sent = fate.sent + reached * now[node] * sent;
                fate.captured = fate.captured + reached * captured[side];
            }
        }
        after = now;
    }
    let probability = table
        .wanted()
        .try_fold(Wide::ZERO, |sum, &(_, pair)| table.layers[0].node(pair).map(|node| sum + starts * after[node]))?;
    Some((fates, probability))
}
