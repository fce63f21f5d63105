//! A table laid out for walking: no hashing where it is small, and nothing is allocated on the way.

use chacha20::ChaCha8Rng;
use rustc_hash::FxHashMap;

use super::outcome::Outcome;
use super::table::{Group, Layer, Row, StateId, Table, WaveId};
use super::toss::{Toss, draw};

/// A layer whose states times waves are more than this keeps its rows in the table's hash map.
const MOST_DENSE: usize = 1 << 18;

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

/// The runs of a table in which the attack is wanted.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    table: &'a Table,
    starts: Vec<[StateId; 2]>,
    floors: Vec<[Post<'a>; 2]>,
}

/// One general in one layer.
#[derive(Debug)]
struct Post<'a> {
    /// For each state the number of its wave, counted within this post.
    sends: Vec<u32>,
    waves: Vec<(WaveId, &'a [Group])>,
    rows: Rows<'a>,
    /// What its waves are tossed with.
    coin: Coin,
}

#[derive(Debug)]
enum Rows<'a> {
    /// A row for each state and each wave of the other's post.
    Dense { waves: usize, rows: Vec<&'a [StateId]> },
    Sparse(&'a FxHashMap<(StateId, WaveId), Row>),
}

impl<'a> Walk<'a> {
    /// `coin` says for every round, from 0, and for each general what its wave is tossed with.
    pub(super) fn new(table: &'a Table, coin: impl Fn(usize, usize) -> Coin) -> Self {
        let layers = &table.layers[..table.rounds()];
        let floors = layers.iter().enumerate().map(|(round, layer)| floor(table, layer, [coin(round, 0), coin(round, 1)]));
        Self { table, starts: table.wanted().map(|&(_, pair)| pair).collect(), floors: floors.collect() }
    }

    /// Plays one run out.
    pub(super) fn play(&self, tosses: &mut [Toss; COINS], bits: &mut ChaCha8Rng) -> Walked {
        let mut pair = self.starts[draw(self.starts.len() as u32, bits) as usize];
        let (mut sent, mut captured) = ([0; COINS], [0; COINS]);
        for posts in &self.floors {
            let mut next = pair;
            for from in 0..2 {
                let (post, to) = (&posts[from], 1 - from);
                let number = post.sends[pair[from] as usize];
                let (wave, groups) = post.waves[number as usize];
                let mut way = 0;
                for group in groups {
                    let caught = tosses[post.coin as usize].captured(group.size, bits);
                    way = way * (group.size as usize + 1) + (group.size - caught) as usize;
                    sent[post.coin as usize] += u64::from(group.size);
                    captured[post.coin as usize] += u64::from(caught);
                }
                next[to] = posts[to].row(pair[to], wave, number)[way];
            }
            pair = next;
        }
        Walked { outcome: Outcome::of(self.table.choices(pair)), sent, captured }
    }
}

impl<'a> Post<'a> {
    fn row(&self, state: StateId, wave: WaveId, number: u32) -> &'a [StateId] {
        match &self.rows {
            Rows::Dense { waves, rows } => rows[state as usize * waves + number as usize],
            Rows::Sparse(rows) => &rows[&(state, wave)],
        }
    }
}

fn floor<'a>(table: &'a Table, layer: &'a Layer, coins: [Coin; 2]) -> [Post<'a>; 2] {
    let mut posts = [0, 1].map(|side| {
        let states = &layer.sides[side];
        let mut numbers: FxHashMap<WaveId, u32> = FxHashMap::default();
        let mut waves = Vec::new();
        let sends = states.sends.iter().map(|&wave| {
            *numbers.entry(wave).or_insert_with(|| {
                waves.push((wave, table.waves[wave as usize].groups.as_slice()));
                waves.len() as u32 - 1
            })
        });
        Post { sends: sends.collect(), waves, rows: Rows::Sparse(&states.rows), coin: coins[side] }
    });
    for side in 0..2 {
        let (states, waves) = (layer.sides[side].sends.len(), posts[1 - side].waves.len());
        if states.saturating_mul(waves) > MOST_DENSE {
            continue;
        }
        let mut rows: Vec<&[StateId]> = vec![&[]; states * waves];
        for &pair in &layer.nodes {
            let number = posts[1 - side].sends[pair[1 - side] as usize];
            rows[pair[side] as usize * waves + number as usize] = layer.rows(pair)[side];
        }
        posts[side].rows = Rows::Dense { waves, rows };
    }
    posts
}
