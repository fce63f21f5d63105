//! A table laid out for walking: no hashing where it is not too large, and nothing is allocated on the way.

use std::collections::BTreeMap;
use std::ops::Range;

use chacha20::ChaCha8Rng;

use crate::generals::simulate::toss::{Toss, draw};
use crate::generals::table::outcome::Outcome;
use crate::generals::table::{StateId, Table, Wave};

/// A walk with more ways on than this is looked up in the table's own hash maps.
const MOST_WAYS: u64 = 1 << 22;

/// Where both waves of a round together have at most so many messengers, every pattern of captures has a place of its own.
const FEW_MESSENGERS: u64 = 6;

/// How the messengers of a wave are tossed: a place in the walker's list of coins.
pub(in crate::generals) type Coin = u8;
/// A run tosses at most so many kinds of coins.
pub(in crate::generals) const COINS: usize = 3;

/// How a run ended, with what was sent and captured under each kind of coin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::generals) struct Walked {
    pub(in crate::generals) outcome: Outcome,
    pub(in crate::generals) sent: [u64; COINS],
    pub(in crate::generals) captured: [u64; COINS],
}

impl Walked {
    fn toss(&mut self, sizes: &[u32], coin: Coin, tosses: &mut [Toss; COINS], bits: &mut ChaCha8Rng) -> usize {
        let coin = usize::from(coin);
        let mut way = 0;
        for &size in sizes {
            let caught = tosses[coin].captured(size, bits);
            way = way * (size as usize + 1) + (size - caught) as usize;
            self.sent[coin] += u64::from(size);
            self.captured[coin] += u64::from(caught);
        }
        way
    }

    /// Which of so few messengers are captured.
    #[inline]
    fn toss_few(&mut self, messengers: u32, coin: Coin, tosses: &mut [Toss; COINS], bits: &mut ChaCha8Rng) -> usize {
        let coin = usize::from(coin);
        let pattern = tosses[coin].pattern(messengers, bits);
        self.sent[coin] += u64::from(messengers);
        self.captured[coin] += u64::from(pattern.count_ones());
        pattern as usize
    }
}

/// The runs of a table in which the attack is wanted.
#[derive(Debug)]
pub(in crate::generals) struct Walk<'a> {
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
    /// The next spot, for every spot and every way in which its two waves can arrive; general 2's counts fastest. Where the
    /// messengers are few, for every pattern of captures instead: a bit that is set is a messenger captured, and the first
    /// one sent has the lowest.
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
    ways: Ways,
}

/// How the places of a spot in [`Spots::next`] are told apart.
#[derive(Clone, Copy, Debug)]
enum Ways {
    /// By who of so many messengers is captured.
    Patterns(u32),
    /// By how many of every group arrive, of which general 2's have so many ways.
    Arrivals(u32),
}

impl<'a> Walk<'a> {
    /// `coin` says for every round, from 0, and for each general what its wave is tossed with.
    pub(in crate::generals) fn new(table: &'a Table, coin: impl Fn(usize, usize) -> Coin) -> Self {
        let coins = (0..table.rounds()).map(|round| [coin(round, 0), coin(round, 1)]).collect();
        let starts: Vec<[StateId; 2]> = table.wanted().map(|&(_, pair)| pair).collect();
        Self { table, coins, spots: Spots::of(table, &starts), starts }
    }

    /// Plays one run out.
    pub(in crate::generals) fn play(&self, tosses: &mut [Toss; COINS], bits: &mut ChaCha8Rng) -> Walked {
        let start = draw(self.starts.len() as u32, bits) as usize;
        let mut walked = Walked { outcome: Outcome::Neither, sent: [0; COINS], captured: [0; COINS] };
        let Some(spots) = &self.spots else {
            return self.play_in_table(self.starts[start], walked, tosses, bits);
        };
        let mut at = spots.starts[start] as usize;
        for &[first, second] in &self.coins {
            let Spot { groups: [one, two, end], next, ways } = spots.all[at];
            let way = match ways {
                Ways::Patterns(messengers) if first == second => walked.toss_few(messengers, first, tosses, bits),
                Ways::Patterns(_) => {
                    let [ones, twos] = [one..two, two..end].map(|groups| spots.messengers(groups));
                    walked.toss_few(ones, first, tosses, bits) | walked.toss_few(twos, second, tosses, bits) << ones
                }
                Ways::Arrivals(of_second) => {
                    let mut toss = |groups, coin| walked.toss(spots.sizes(groups), coin, tosses, bits);
                    toss(one..two, first) * of_second as usize + toss(two..end, second)
                }
            };
            at = spots.next[next as usize + way] as usize;
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
        let mut sizes = Vec::new();
        for (layer, coins) in self.table.layers.iter().zip(&self.coins) {
            let (sends, rows) = (layer.sends(pair), layer.rows(pair));
            for from in 0..2 {
                let groups = &self.table.waves[sends[from] as usize].groups;
                sizes.clear();
                sizes.extend(groups.iter().map(|group| group.size));
                let way = walked.toss(&sizes, coins[from], tosses, bits);
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
                let messengers = waves[0].size().saturating_add(waves[1].size());
                let few = messengers <= FEW_MESSENGERS;
                let ways = if few { 1 << messengers } else { waves[0].ways().saturating_mul(waves[1].ways()) };
                if ways.saturating_add(spots.next.len() as u64) > MOST_WAYS {
                    return None;
                }
                let mut groups = [spots.sizes.len() as u32; 3];
                for (side, wave) in waves.iter().enumerate() {
                    spots.sizes.extend(wave.groups.iter().map(|group| group.size));
                    groups[side + 1] = spots.sizes.len() as u32;
                }
                let next = spots.next.len() as u32;
                // General 2 goes where general 1's wave sends it.
                if few {
                    let [sent_by_1, _] = waves.map(Wave::size);
                    spots.next.extend((0..1u64 << messengers).map(|pattern| {
                        let two = twos[way_of(waves[0], pattern)];
                        number_of([ones[way_of(waves[1], pattern >> sent_by_1)], two], &mut reached, &mut numbers, base)
                    }));
                    spots.all.push(Spot { groups, next, ways: Ways::Patterns(messengers as u32) });
                    continue;
                }
                for &two in twos {
                    spots.next.extend(ones.iter().map(|&one| number_of([one, two], &mut reached, &mut numbers, base)));
                }
                spots.all.push(Spot { groups, next, ways: Ways::Arrivals(waves[1].ways() as u32) });
            }
            pairs = reached;
        }
        spots.outcomes = pairs.iter().map(|&pair| Outcome::of(table.choices(pair))).collect();
        Some(spots)
    }

    /// The sizes of these groups.
    fn sizes(&self, groups: Range<u32>) -> &[u32] {
        &self.sizes[groups.start as usize..groups.end as usize]
    }

    /// How many messengers they have together.
    fn messengers(&self, groups: Range<u32>) -> u32 {
        self.sizes(groups).iter().sum()
    }
}

/// In which way a wave arrives if these of its messengers are captured.
fn way_of(wave: &Wave, pattern: u64) -> usize {
    let mut rest = pattern;
    wave.groups.iter().fold(0, |way, group| {
        let captured = (rest & ((1 << group.size) - 1)).count_ones();
        rest >>= group.size;
        way * (group.size as usize + 1) + (group.size - captured) as usize
    })
}
