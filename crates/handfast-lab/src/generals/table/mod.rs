//! A protocol as numbers: what each general sends in each of its states, and where every arrival leads.
//!
//! The table is made of layers, one before the first round and one after every round. In each layer every general has
//! its own list of states, and a *node* is a pair of them that some run can reach.

pub(super) mod outcome;
pub(super) mod protocol;
pub(super) mod run;
pub(super) mod shipped;
pub(super) mod tabulate;
pub(super) mod trace;

use handfast_protocol::generals::Choice;
use rustc_hash::FxHashMap;

use crate::generals::table::protocol::{Beginning, Orders};

/// A message by its place in [`Table::messages`].
pub type MessageId = u32;
/// A wave by its place in [`Table::waves`].
pub type WaveId = u32;
/// A state of one general by its place in its [`Side`] of a [`Layer`].
pub type StateId = u32;

/// Messengers of one wave who carry the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Group {
    /// What they carry.
    pub message: MessageId,
    /// How many they are, at least one.
    pub size: u32,
}

/// What leaves together: groups of messengers, in the order of sending. The empty wave is number 0.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Wave {
    /// The groups; neighbours carry different messages.
    pub groups: Vec<Group>,
}

impl Wave {
    /// The number of messengers.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.groups.iter().map(|group| u64::from(group.size)).sum()
    }

    /// The number of ways to arrive, if messengers who carry the same look alike: so many places has a [`Row`].
    #[must_use]
    pub fn ways(&self) -> u64 {
        self.groups.iter().fold(1, |ways, group| ways.saturating_mul(u64::from(group.size) + 1))
    }

    /// How many of each group arrive in way number `way`; the last group counts fastest.
    pub fn arrivals(&self, way: usize) -> Vec<u32> {
        let mut rest = way;
        let mut arrivals = vec![0; self.groups.len()];
        for (arrived, group) in arrivals.iter_mut().zip(&self.groups).rev() {
            let places = group.size as usize + 1;
            *arrived = (rest % places) as u32;
            rest /= places;
        }
        arrivals
    }

    /// The number of the way in which so many of each group arrive: the inverse of [`Wave::arrivals`].
    pub fn way(&self, arrivals: &[u32]) -> usize {
        self.groups.iter().zip(arrivals).fold(0, |way, (group, &arrived)| way * (group.size as usize + 1) + arrived as usize)
    }
}

/// Where each way to arrive leads: the receiver's next state, in the order of [`Wave::arrivals`].
pub type Row = Box<[StateId]>;

/// What one general can be at the start of a round, or after the last.
#[derive(Clone, Debug, Default)]
pub struct Side {
    /// For each state, what it sends in the coming round.
    pub sends: Vec<WaveId>,
    /// For each state, what it has decided.
    pub decided: Vec<Option<Choice>>,
    /// Where a state goes that is met by a wave: for every pair that can meet.
    pub rows: FxHashMap<(StateId, WaveId), Row>,
}

/// What can be the case at the start of a round, or after the last.
#[derive(Clone, Debug, Default)]
pub struct Layer {
    /// General 1 and general 2.
    pub sides: [Side; 2],
    /// The pairs of states that can be reached, in order.
    pub nodes: Vec<[StateId; 2]>,
}

impl Layer {
    /// The place of a pair of states in [`Layer::nodes`], if it can be reached.
    #[must_use]
    pub fn node(&self, pair: [StateId; 2]) -> Option<usize> {
        self.nodes.binary_search(&pair).ok()
    }

    /// What general 1 and general 2 send in the coming round if this is the case.
    #[must_use]
    pub fn sends(&self, pair: [StateId; 2]) -> [WaveId; 2] {
        [self.sides[0].sends[pair[0] as usize], self.sides[1].sends[pair[1] as usize]]
    }

    /// Where each way in which the *other's* wave arrives leads the generals: for general 1 the ways of general 2's wave.
    ///
    /// # Panics
    /// If the pair cannot be reached in this layer, or this is the last one.
    #[must_use]
    pub fn rows(&self, pair: [StateId; 2]) -> [&[StateId]; 2] {
        let sends = self.sends(pair);
        [0, 1].map(|side| &*self.sides[side].rows[&(pair[side], sends[1 - side])])
    }
}

/// A protocol for two generals, told everything that it can be told.
#[derive(Clone, Debug)]
pub struct Table {
    /// What the protocol is called.
    pub name: String,
    /// To whom the order may have been given.
    pub orders: Orders,
    /// The number of sides of the coin; 1 where none is tossed.
    pub coins: u32,
    /// What the messages say.
    pub messages: Vec<String>,
    /// Every wave that some general can send.
    pub waves: Vec<Wave>,
    /// Every way to begin, with the pair of states in the first layer. Those in which the attack is wanted come first.
    pub starts: Vec<(Beginning, [StateId; 2])>,
    /// One layer before each round, and one after the last.
    pub layers: Vec<Layer>,
}

impl Table {
    /// The number of rounds.
    #[must_use]
    pub fn rounds(&self) -> usize {
        self.layers.len() - 1
    }

    /// The layer after the last round.
    ///
    /// # Panics
    /// Never: a table has at least the layer before the first round.
    #[must_use]
    pub fn last(&self) -> &Layer {
        self.layers.last().expect("a table has at least the layer before the first round")
    }

    /// What both do at the end; whoever has not decided stays.
    #[must_use]
    pub fn choices(&self, pair: [StateId; 2]) -> [Choice; 2] {
        let last = self.last();
        [0, 1].map(|side| last.sides[side].decided[pair[side] as usize].unwrap_or(Choice::Stay))
    }

    /// Whether the attack is wanted where a run begins like this.
    #[must_use]
    pub fn wants_attack(&self, beginning: Beginning) -> bool {
        self.orders.wants_attack(beginning.ordered)
    }

    /// The ways to begin in which the attack is wanted: one for every side of the coin.
    pub fn wanted(&self) -> impl Iterator<Item = &(Beginning, [StateId; 2])> {
        self.starts.iter().filter(|(beginning, _)| self.wants_attack(*beginning))
    }
}
