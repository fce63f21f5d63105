//! A table laid out for walking: no hashing where it is not too large, and nothing is allocated on the way.

use std::collections::BTreeMap;

use chacha20::ChaCha8Rng;

use super::outcome::Outcome;
use super::table::{StateId, Table};
use super::toss::{Toss, draw};

/// A walk with more ways on than this is looked up in the table's own hash maps.
const MOST_WAYS: u64 = 1 << 22;

/// How the messengers of a wave are tossed: a place in the walker's list of coins.
pub(super) type Coin = u8;
/// A run tosses at most so many kinds of coins.
pub(super) const COINS: usize = 3;

/// How a run ended, with what was sent and captured under each kind of coin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Walked {
    pub(super) outcome: Outcome,
    pub(super) sent: [u64; COINS],
    pub(super) captured: [u64; COINS],
}

impl Walked {
    fn toss(&mut self, sizes: impl Iterator<Item = u32>, coin: Coin, tosses: &mut [Toss; COINS], bits: &mut ChaCha8Rng) -> usize {
        let coin = usize::from(coin);
        let mut way = 0;
        for size in sizes {
            let caught = tosses[coin].captured(size, bits);
            way = way * (size as usize + 1) + (size - caught) as usize;
            self.sent[coin] += u64::from(size);
            self.captured[coin] += u64::from(caught);
        }
        way
    }
}

/// The runs of a table in which the attack is wanted.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    table: &'a Table,
    /// For every round, what general 1's wave and general 2's are tossed with.
    coins: Vec<[Coin; 2]>,
    starts: Vec<[StateId; 2]>,
    spots: Option<Spots>,
}

/// The pairs of states that these runs can reach, numbered over all layers.
#[derive(Debug, Default)]
struct Spots {
    starts: Vec<u32>,
    all: Vec<Spot>,
    /// The sizes of the groups of every wave, one after the other.
    sizes: Vec<u32>,
    /// The next spot, for every spot and every way in which its two waves can arrive; general 2's counts fastest.
    next: Vec<u32>,
    /// Of the spots after the last round, which come last.
    outcomes: Vec<Outcome>,
}

/// Where a run is, with places in the lists of [`Spots`].
#[derive(Clone, Copy, Debug)]
struct Spot {
    /// Where the groups of general 1's wave begin, where those of general 2's do, and where they end.
    groups: [u32; 3],
    next: u32,
    /// In how many ways general 2's wave can arrive.
    ways_of_second: u32,
}

impl<'a> Walk<'a> {
    /// `coin` says for every round, from 0, and for each general what its wave is tossed with.
    pub(super) fn new(table: &'a Table, coin: impl Fn(usize, usize) -> Coin) -> Self {
        let coins = (0..table.rounds()).map(|round| [coin(round, 0), coin(round, 1)]).collect();
        let starts: Vec<[StateId; 2]> = table.wanted().map(|&(_, pair)| pair).collect();
        Self { table, coins, spots: Spots::of(table, &starts), starts }
    }

    /// Plays one run out.
    pub(super) fn play(&self, tosses: &mut [Toss; COINS], bits: &mut ChaCha8Rng) -> Walked {
        let start = draw(self.starts.len() as u32, bits) as usize;
        let mut walked = Walked { outcome: Outcome::Neither, sent: [0; COINS], captured: [0; COINS] };
        let Some(spots) = &self.spots else {
            return self.play_in_table(self.starts[start], walked, tosses, bits);
        };
        let mut at = spots.starts[start] as usize;
        for &[first, second] in &self.coins {
            let Spot { groups: [one, two, end], next, ways_of_second } = spots.all[at];
            let mut toss = |from: u32, to: u32, coin| {
                walked.toss(spots.sizes[from as usize..to as usize].iter().copied(), coin, tosses, bits)
            };
            let way = toss(one, two, first) * ways_of_second as usize;
            at = spots.next[next as usize + way + toss(two, end, second)] as usize;
        }
        walked.outcome = spots.outcomes[at - spots.all.len()];
        walked
    }

    fn play_in_table(
        &self,
        mut pair: [StateId; 2],
        mut walked: Walked,
        tosses: &mut [Toss; COINS],
        bits: &mut ChaCha8Rng,
    ) -> Walked {
        for (layer, coins) in self.table.layers.iter().zip(&self.coins) {
            let (sends, rows) = (layer.sends(pair), layer.rows(pair));
            for from in 0..2 {
                let groups = self.table.waves[sends[from] as usize].groups.iter();
                let way = walked.toss(groups.map(|group| group.size), coins[from], tosses, bits);
                pair[1 - from] = rows[1 - from][way];
            }
        }
        walked.outcome = Outcome::of(self.table.choices(pair));
        walked
    }
}

impl Spots {
    /// `None` if they have too many ways on.
    fn of(table: &Table, starts: &[[StateId; 2]]) -> Option<Self> {
        let mut spots = Self::default();
        let mut numbers: BTreeMap<[StateId; 2], u32> = BTreeMap::new();
        let mut pairs = Vec::new();
        let number_of = |pair, pairs: &mut Vec<_>, numbers: &mut BTreeMap<_, u32>, base: usize| {
            *numbers.entry(pair).or_insert_with(|| {
                pairs.push(pair);
                (base + pairs.len()) as u32 - 1
            })
        };
        spots.starts = starts.iter().map(|&pair| number_of(pair, &mut pairs, &mut numbers, 0)).collect();
        for layer in &table.layers[..table.rounds()] {
            let base = spots.all.len() + pairs.len();
            let (mut reached, mut numbers) = (Vec::new(), BTreeMap::new());
            for &pair in &pairs {
                let waves = layer.sends(pair).map(|wave| &table.waves[wave as usize]);
                let [ones, twos] = layer.rows(pair);
                let ways = waves[0].ways().saturating_mul(waves[1].ways());
                if ways.saturating_add(spots.next.len() as u64) > MOST_WAYS {
                    return None;
                }
                let mut groups = [spots.sizes.len() as u32; 3];
                for (side, wave) in waves.iter().enumerate() {
                    spots.sizes.extend(wave.groups.iter().map(|group| group.size));
                    groups[side + 1] = spots.sizes.len() as u32;
                }
                spots.all.push(Spot { groups, next: spots.next.len() as u32, ways_of_second: waves[1].ways() as u32 });
                // General 2 goes where general 1's wave sends it.
                for &two in twos {
                    spots.next.extend(ones.iter().map(|&one| number_of([one, two], &mut reached, &mut numbers, base)));
                }
            }
            pairs = reached;
        }
        spots.outcomes = pairs.iter().map(|&pair| Outcome::of(table.choices(pair))).collect();
        Some(spots)
    }
}
