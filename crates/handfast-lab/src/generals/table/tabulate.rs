//! Makes a [`Table`] of a [`Protocol`]: layer by layer, tells every state everything that can reach it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display};

use handfast_protocol::generals::{Camp, Choice};
use handfast_protocol::{Input, Party, Time};

use crate::generals::table::outcome::choice;
use crate::generals::table::protocol::{Beginning, Protocol};
use crate::generals::table::{Group, Layer, MessageId, StateId, Table, Wave, WaveId};

/// How much a table may hold before it is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Pairs of states in one layer.
    pub nodes: u64,
    /// Messengers sent in all states of the generals, and messengers told to them.
    pub steps: u64,
    /// Messengers in one wave.
    pub messengers: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { nodes: 4_000_000, steps: 50_000_000, messengers: 1_000_000 }
    }
}

/// The most rounds that a table may have. Probabilities have as many digits as all messengers together, so that nothing
/// larger would ever be told.
pub const MOST_ROUNDS: u32 = 5_000;

/// Why there is no table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TableError {
    /// More pairs of states can be reached after a round than a layer may hold.
    Nodes {
        /// The round.
        round: u32,
        /// The most that a layer may hold.
        limit: u64,
    },
    /// The generals would have to send, or be told, more than this many things.
    Steps {
        /// The most that they may send, and the most that they may be told.
        limit: u64,
    },
    /// A general sends a larger wave than allowed.
    Messengers {
        /// Who sends it.
        camp: Camp,
        /// The round.
        round: u32,
        /// How many they are.
        messengers: u64,
        /// The most that a wave may have.
        limit: u64,
    },
    /// It lasts for longer than allowed.
    Rounds {
        /// How many rounds it has.
        rounds: u64,
    },
    /// A general changed its mind.
    NotFinal {
        /// Who it was.
        camp: Camp,
        /// The round in which it did.
        round: u32,
        /// What it had decided.
        before: Choice,
        /// What it says now.
        after: Option<Choice>,
    },
}

impl Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nodes { round, limit } => write!(
                f,
                "more than {limit} pairs of states can be reached by the end of round {round}, which would not fit in memory; \
                 take fewer messengers, replies or rounds"
            ),
            Self::Steps { limit } => {
                write!(
                    f,
                    "in all their states the generals would send, or be told, more than {limit} things; take fewer messengers, replies or rounds"
                )
            }
            Self::Messengers { camp, round, messengers, limit } => write!(
                f,
                "general {} sends {messengers} messengers in round {round}, and a wave may have at most {limit}",
                camp.number()
            ),
            Self::Rounds { rounds } => {
                write!(f, "it has {rounds} rounds, and may have at most {MOST_ROUNDS}; take fewer steps or rounds")
            }
            Self::NotFinal { camp, round, before, after } => write!(
                f,
                "general {} has decided ({}) and says something else after round {round} ({}): a decision is final",
                camp.number(),
                choice(*before),
                after.map_or("nothing", choice),
            ),
        }
    }
}

impl std::error::Error for TableError {}

/// The states of one general in the layer that is being made.
struct Growing<P> {
    numbers: BTreeMap<P, StateId>,
    /// In the order of their numbers.
    parties: Vec<P>,
}

/// The states of both generals after a round, and the pairs of them that can be the case.
type Reached<P> = ([Growing<P>; 2], Vec<[StateId; 2]>);

impl<P: Party> Growing<P> {
    const fn new() -> Self {
        Self { numbers: BTreeMap::new(), parties: Vec::new() }
    }

    fn number(&mut self, party: P) -> StateId {
        if let Some(&number) = self.numbers.get(&party) {
            return number;
        }
        let number = self.parties.len() as StateId;
        self.parties.push(party.clone());
        self.numbers.insert(party, number);
        number
    }
}

struct Tabulator<M> {
    messages: BTreeMap<M, MessageId>,
    words: Vec<String>,
    wave_numbers: BTreeMap<Wave, WaveId>,
    waves: Vec<Wave>,
    contents: Vec<M>,
    steps: u64,
    /// Messengers that were asked for, in every state of every layer.
    sent: u64,
    limits: Limits,
}

/// Makes the table; see [`Protocol::tabulate`].
pub(in crate::generals) fn tabulate<P>(protocol: &Protocol<P>, limits: &Limits) -> Result<Table, TableError>
where
    P: Party<Inbound: Clone + Ord + Display, Decision = Choice>,
    P: Party<Outbound = <P as Party>::Inbound>,
{
    if protocol.rounds > MOST_ROUNDS {
        return Err(TableError::Rounds { rounds: protocol.rounds.into() });
    }
    let mut tabulator = Tabulator {
        messages: BTreeMap::new(),
        words: Vec::new(),
        wave_numbers: BTreeMap::from([(Wave::default(), 0)]),
        waves: vec![Wave::default()],
        contents: Vec::new(),
        steps: 0,
        sent: 0,
        limits: *limits,
    };
    let mut growing = [Growing::new(), Growing::new()];
    let mut starts = Vec::new();
    for &ordered in protocol.orders.ways() {
        for coin in 1..=protocol.coins {
            let beginning = Beginning { ordered, coin };
            let mut pair = [0, 0];
            for (side, mut party) in (protocol.begin)(beginning).into_iter().enumerate() {
                party.step(Time(0), Input::Start);
                pair[side] = growing[side].number(party);
            }
            starts.push((beginning, pair));
        }
    }
    let nodes: BTreeSet<[StateId; 2]> = starts.iter().map(|&(_, pair)| pair).collect();
    let mut nodes: Vec<[StateId; 2]> = nodes.into_iter().collect();
    let mut layers = Vec::with_capacity(protocol.rounds as usize + 1);
    for round in 1..=protocol.rounds {
        let mut layer = tabulator.layer(&growing, nodes, round)?;
        let (next, reached) = tabulator.advance(&growing, &mut layer, round)?;
        layers.push(layer);
        (growing, nodes) = (next, reached);
    }
    layers.push(Tabulator::<P::Inbound>::bare_layer(&growing, nodes));
    Ok(Table {
        name: protocol.name.clone(),
        orders: protocol.orders,
        coins: protocol.coins,
        messages: tabulator.words,
        waves: tabulator.waves,
        starts,
        layers,
    })
}

impl<M: Clone + Ord + Display> Tabulator<M> {
    /// A layer with its states, in which nobody sends anything.
    fn bare_layer<P: Party<Decision = Choice>>(growing: &[Growing<P>; 2], nodes: Vec<[StateId; 2]>) -> Layer {
        let mut layer = Layer { nodes, ..Layer::default() };
        for (side, states) in layer.sides.iter_mut().zip(growing) {
            side.sends = vec![0; states.parties.len()];
            side.decided = states.parties.iter().map(Party::decision).collect();
        }
        layer
    }

    fn layer<P>(&mut self, growing: &[Growing<P>; 2], nodes: Vec<[StateId; 2]>, round: u32) -> Result<Layer, TableError>
    where
        P: Party<Outbound = M, Decision = Choice>,
    {
        let mut layer = Self::bare_layer(growing, nodes);
        for camp in Camp::BOTH {
            for (state, party) in growing[camp.index()].parties.iter().enumerate() {
                let wave = self.wave(party.outbox(), camp, round)?;
                layer.sides[camp.index()].sends[state] = wave;
            }
        }
        Ok(layer)
    }

    fn wave(&mut self, outbox: Vec<M>, camp: Camp, round: u32) -> Result<WaveId, TableError> {
        let (messengers, limit) = (outbox.len() as u64, self.limits.messengers);
        if messengers > limit {
            return Err(TableError::Messengers { camp, round, messengers, limit });
        }
        self.sent += messengers;
        if self.sent > self.limits.steps {
            return Err(TableError::Steps { limit: self.limits.steps });
        }
        let mut wave = Wave::default();
        for message in outbox {
            let message = self.message(message);
            match wave.groups.last_mut() {
                Some(group) if group.message == message => group.size += 1,
                Some(_) | None => wave.groups.push(Group { message, size: 1 }),
            }
        }
        let next = self.waves.len() as WaveId;
        let number = *self.wave_numbers.entry(wave.clone()).or_insert(next);
        if number == next {
            self.waves.push(wave);
        }
        Ok(number)
    }

    fn message(&mut self, message: M) -> MessageId {
        if let Some(&number) = self.messages.get(&message) {
            return number;
        }
        let number = self.words.len() as MessageId;
        self.words.push(message.to_string());
        self.contents.push(message.clone());
        self.messages.insert(message, number);
        number
    }

    /// Fills the layer's rows, and finds the states and pairs of the next one.
    fn advance<P>(&mut self, growing: &[Growing<P>; 2], layer: &mut Layer, round: u32) -> Result<Reached<P>, TableError>
    where
        P: Party<Inbound = M, Decision = Choice>,
    {
        let mut next = [Growing::new(), Growing::new()];
        let mut reached = BTreeSet::new();
        for &pair in &layer.nodes {
            let sends = layer.sends(pair);
            for camp in Camp::BOTH {
                let side = camp.index();
                let key = (pair[side], sends[1 - side]);
                if !layer.sides[side].rows.contains_key(&key) {
                    let party = &growing[side].parties[key.0 as usize];
                    let row = self.row(camp, party, key.1, round, &mut next[side])?;
                    layer.sides[side].rows.insert(key, row.into());
                }
            }
            let [ones, twos] = layer.rows(pair).map(|row| row.iter().copied().collect::<BTreeSet<StateId>>());
            for &one in &ones {
                reached.extend(twos.iter().map(|&two| [one, two]));
                // Asked for every state: all pairs of two large sets would not fit in memory.
                if reached.len() as u64 > self.limits.nodes {
                    return Err(TableError::Nodes { round, limit: self.limits.nodes });
                }
            }
        }
        Ok((next, reached.into_iter().collect()))
    }

    /// The state after each way in which the wave can arrive, and after the end of the round.
    fn row<P>(
        &mut self,
        camp: Camp,
        party: &P,
        wave: WaveId,
        round: u32,
        next: &mut Growing<P>,
    ) -> Result<Vec<StateId>, TableError>
    where
        P: Party<Inbound = M, Decision = Choice>,
    {
        let wave = self.waves[wave as usize].clone();
        let ways = wave.ways();
        if ways > self.limits.steps {
            return Err(TableError::Steps { limit: self.limits.steps });
        }
        // What each way leads to so far, by its place among what differs: after every group, as many as there are ways for the
        // groups until then.
        let mut different = vec![party.clone()];
        let mut so_far = vec![0];
        for group in &wave.groups {
            let message = &self.contents[group.message as usize];
            let mut after = Vec::new();
            let chains: Vec<std::ops::Range<usize>> = different
                .into_iter()
                .map(|told| tell_repeatedly(told, Time(u64::from(round)), message, group.size, &mut after))
                .collect();
            let mut longer = Vec::with_capacity(so_far.len() * (group.size as usize + 1));
            for told in so_far {
                let chain = &chains[told];
                longer.extend((0..=group.size as usize).map(|arrived| (chain.start + arrived).min(chain.end - 1)));
            }
            (different, so_far) = (after, longer);
        }
        self.steps += ways;
        if self.steps > self.limits.steps {
            return Err(TableError::Steps { limit: self.limits.steps });
        }
        let (before, now) = (party.decision(), Time(u64::from(round)));
        let mut numbers: Vec<Option<StateId>> = vec![None; different.len()];
        let mut row = Vec::with_capacity(so_far.len());
        for place in so_far {
            if let Some(number) = numbers[place] {
                row.push(number);
                continue;
            }
            let mut told = different[place].clone();
            if told.deadline().is_some_and(|deadline| deadline <= now) {
                told.step(now, Input::Timeout);
            }
            match (before, told.decision()) {
                (Some(before), after) if after != Some(before) => {
                    return Err(TableError::NotFinal { camp, round, before, after });
                }
                _ => row.push(*numbers[place].insert(next.number(told))),
            }
        }
        Ok(row)
    }
}

/// Tells a party the same thing up to so many times: appends what it is after each, from none on. Once it stays as it is,
/// it does so for good, and the rest is left out.
fn tell_repeatedly<P: Party>(
    mut told: P,
    now: Time,
    message: &P::Inbound,
    times: u32,
    after: &mut Vec<P>,
) -> std::ops::Range<usize>
where
    P::Inbound: Clone,
{
    let start = after.len();
    for _ in 0..times {
        after.push(told.clone());
        told.step(now, Input::Receive(message.clone()));
        if after.last() == Some(&told) {
            return start..after.len();
        }
    }
    after.push(told);
    start..after.len()
}
