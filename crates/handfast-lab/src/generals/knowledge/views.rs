//! What each general can have in view, round by round, and which views occur together in some run.
//!
//! With perfect recall a view is everything that the general was told: whether it has the order, how it began, and
//! round by round the messages that arrived, of which those that carry the same look alike. A run of a thousand
//! messengers has far too many views to write down, but hardly any that make a difference. So views are numbered round
//! by round as (view before, what arrived), and those that nothing can ever tell apart are given one number: two views
//! are *alike* if the general is in the same state in both, and each view of the other that is possible beside one
//! of them is alike to one that is possible beside the other (a bisimulation). Views that are alike stay so whatever
//! arrives next, and lie equally far from every kind of run. How many runs each pair of views stands for is counted
//! exactly.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use num_bigint::BigUint;
use num_traits::{One as _, Zero as _};
use rustc_hash::FxHashMap;

use super::alike;
use crate::generals::knowledge::arrivals::Arrivals;
use crate::generals::odds::chance::Chance;
use crate::generals::table::{Layer, StateId, Table, WaveId};

/// What a general goes by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Views {
    /// All inputs so far: perfect recall, and whether it was given the order.
    #[default]
    Inputs,
    /// The party's state and nothing else: what the protocol itself remembers.
    State,
}

impl Views {
    /// What it is, in a few words.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Inputs => "all inputs so far (perfect recall)",
            Self::State => "the party's state, and nothing that it has forgotten",
        }
    }
}

/// How much may be held before a question about knowledge is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// Pairs of views after one round.
    pub pairs: u64,
    /// Binary digits of all weights of one round together, for beliefs.
    pub digits: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { pairs: 4_000_000, digits: 1 << 32 }
    }
}

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TooMuch {
    /// More pairs of views can occur in a round than may be held.
    Pairs {
        /// The round.
        round: u32,
        /// How many there would be, at most.
        pairs: u64,
        /// The most that may be held.
        limit: u64,
    },
    /// The exact weights of a round have too many digits.
    Digits {
        /// The round.
        round: u32,
        /// The most binary digits that the weights may have together.
        limit: u64,
    },
}

impl Display for TooMuch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pairs { round, pairs, limit } => write!(
                f,
                "up to {pairs} different pairs of views would have to be held after round {round}, and {limit} is the most that \
                 is; take fewer messengers or rounds"
            ),
            Self::Digits { round, limit } => write!(
                f,
                "the exact weights of the views after round {round} have more than {limit} binary digits; take fewer \
                 messengers or a capture rate with a smaller denominator"
            ),
        }
    }
}

impl std::error::Error for TooMuch {}

/// A view of one general by its place in its side of a [`Moment`].
pub(in crate::generals) type ViewId = u32;

/// Views of one general that are alike.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(in crate::generals) struct View {
    pub(in crate::generals) state: StateId,
    /// The general was given the order; not told apart where the state is all that counts.
    ordered: bool,
}

/// What distinguishes runs beyond what the generals see of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(in crate::generals) struct Kind {
    /// To whom the order was given, by its place in [`Orders::ways`](crate::generals::Orders::ways).
    pub(in crate::generals) orders: u8,
    /// No messenger has arrived so far.
    pub(in crate::generals) silent: bool,
}

/// Runs of one kind in which the generals have these two views.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::generals) struct Pair {
    pub(in crate::generals) views: [ViewId; 2],
    pub(in crate::generals) kind: Kind,
    /// The number of such runs, or their share of all of them over a denominator that is the same for all pairs.
    pub(in crate::generals) weight: BigUint,
}

impl Pair {
    pub(in crate::generals) const fn key(&self) -> ([ViewId; 2], Kind) {
        (self.views, self.kind)
    }
}

/// Where each way in which a wave of the other general arrives leads a view.
pub(in crate::generals) type Leads = FxHashMap<(ViewId, WaveId), Box<[ViewId]>>;

/// What can be the case before the first round, or after one.
#[derive(Clone, Debug, Default)]
pub(in crate::generals) struct Moment {
    /// The views of general 1 and of general 2.
    pub(in crate::generals) sides: [Vec<View>; 2],
    /// In order, each once.
    pub(in crate::generals) pairs: Vec<Pair>,
    /// For general 1 and general 2, where the coming round leads; empty for the last moment.
    pub(in crate::generals) leads: [Leads; 2],
}

impl Moment {
    /// What the two send in the coming round.
    pub(in crate::generals) fn sends(&self, layer: &Layer, views: [ViewId; 2]) -> [WaveId; 2] {
        layer.sends([0, 1].map(|side| self.sides[side][views[side] as usize].state))
    }

    /// The view of a general that began in this state.
    pub(in crate::generals) fn view(&self, side: usize, view: View) -> Option<ViewId> {
        self.sides[side].iter().position(|other| *other == view).map(|place| place as ViewId)
    }
}

/// How runs are weighed.
#[derive(Clone, Debug)]
pub(in crate::generals) enum Weighing {
    /// Every run counts once.
    Count,
    /// By the probability of the orders and of the captures, as whole numbers.
    Chance {
        chance: Chance,
        /// For each way in which orders can have been given.
        prior: Vec<BigUint>,
    },
}

/// Steps through the rounds of a table.
pub(in crate::generals) struct Unfolding<'t> {
    pub(in crate::generals) table: &'t Table,
    views: Views,
    weighing: Weighing,
    chance: Chance,
    bounds: Bounds,
    arrivals: Arrivals,
    /// Of which side of the coin the runs are.
    coin: u32,
}

/// From which waves, by their place among those that a view can meet, something can arrive, and how likely from each.
type Evidence = Vec<(usize, BigUint)>;

/// Where a wave leads one view: the next view, whether nothing arrived, and the weight of the ways.
type Branches = Vec<(ViewId, bool, BigUint)>;

impl<'t> Unfolding<'t> {
    pub(in crate::generals) fn new(table: &'t Table, views: Views, weighing: Weighing, bounds: Bounds, coin: u32) -> Self {
        let chance = match &weighing {
            // The numerators then count the ways to arrive.
            Weighing::Count => Chance::even(),
            Weighing::Chance { chance, .. } => chance.clone(),
        };
        Self { table, views, weighing, chance, bounds, arrivals: Arrivals::new(table), coin }
    }

    /// What can arrive of every wave.
    pub(in crate::generals) const fn arrivals(&self) -> &Arrivals {
        &self.arrivals
    }

    /// The view of a general before the first round.
    pub(in crate::generals) const fn first_view(&self, state: StateId, ordered: bool) -> View {
        View { state, ordered: ordered && matches!(self.views, Views::Inputs) }
    }

    /// What can be the case before the first round.
    pub(in crate::generals) fn first(&self) -> Moment {
        let mut moment = Moment::default();
        let starts = self.table.starts.iter().filter(|(beginning, _)| beginning.coin == self.coin);
        for &(beginning, states) in starts {
            let ways = self.table.orders.ways();
            let orders = ways.iter().position(|way| *way == beginning.ordered).unwrap_or(0);
            let weight = match &self.weighing {
                Weighing::Count => BigUint::one(),
                Weighing::Chance { prior, .. } => prior[orders].clone(),
            };
            if weight.is_zero() {
                continue;
            }
            let views = [0, 1].map(|side| {
                let view = self.first_view(states[side], beginning.ordered[side]);
                moment.view(side, view).unwrap_or_else(|| {
                    moment.sides[side].push(view);
                    moment.sides[side].len() as ViewId - 1
                })
            });
            moment.pairs.push(Pair { views, kind: Kind { orders: orders as u8, silent: true }, weight });
        }
        moment.pairs.sort_unstable_by_key(Pair::key);
        moment
    }

    /// All moments, from the one before the first round to the one after the last.
    ///
    /// # Errors
    /// More would have to be held than the bounds allow.
    pub(in crate::generals) fn all(&self) -> Result<Vec<Moment>, TooMuch> {
        let mut moments = vec![self.first()];
        for round in 1..=self.table.rounds() {
            let next = self.next(&mut moments[round - 1], round)?;
            moments.push(next);
        }
        Ok(moments)
    }

    /// The last moment; those before it are given up on the way.
    ///
    /// # Errors
    /// As [`Unfolding::all`].
    pub(in crate::generals) fn last(&self) -> Result<Moment, TooMuch> {
        let mut moment = self.first();
        for round in 1..=self.table.rounds() {
            moment = self.next(&mut moment, round)?;
        }
        Ok(moment)
    }

    /// What can be the case after the round, counted from 1; fills in where the round leads.
    fn next(&self, moment: &mut Moment, round: usize) -> Result<Moment, TooMuch> {
        let layer = &self.table.layers[round - 1];
        let mut met = [Vec::new(), Vec::new()];
        let mut sent = Vec::with_capacity(moment.pairs.len());
        for pair in &moment.pairs {
            let sends = moment.sends(layer, pair.views);
            for (side, met) in met.iter_mut().enumerate() {
                met.push((pair.views[side], sends[1 - side]));
            }
            sent.push(sends);
        }
        let mut next = Moment::default();
        let mut branches: [FxHashMap<(ViewId, WaveId), Branches>; 2] = Default::default();
        for side in [0, 1] {
            met[side].sort_unstable();
            met[side].dedup();
            for waves in met[side].chunk_by(|one, other| one.0 == other.0) {
                self.lead(moment, &mut next, round, side, waves)?;
            }
            for &(view, wave) in &met[side] {
                let row = &moment.leads[side][&(view, wave)];
                branches[side].insert((view, wave), self.branches(wave, row));
            }
        }
        self.pair(moment, &mut next, round, &sent, &branches)?;
        // Taking views together makes the coming rounds quick, which the last one alone does not pay for.
        let over = round + 1 >= self.table.rounds() && matches!((self.views, &self.weighing), (Views::Inputs, Weighing::Count));
        if !over {
            let blocks = alike::blocks(&next, self.views, matches!(self.weighing, Weighing::Chance { .. }));
            for (side, blocks) in blocks.iter().enumerate() {
                alike::merge(&mut next, side, blocks);
                // In whatever order: every entry is renamed on its own.
                moment.leads[side].values_mut().flatten().for_each(|view| *view = blocks[*view as usize]);
            }
        }
        alike::add_up(&mut next.pairs);
        Ok(next)
    }

    /// Numbers what one view can become in the round: one new view for each thing that can arrive, where it matters.
    fn lead(
        &self,
        moment: &mut Moment,
        next: &mut Moment,
        round: usize,
        side: usize,
        waves: &[(ViewId, WaveId)],
    ) -> Result<(), TooMuch> {
        let (view, _) = waves[0];
        let from = moment.sides[side][view as usize];
        let rows: Vec<&[StateId]> =
            waves.iter().map(|&(_, wave)| &*self.table.layers[round - 1].sides[side].rows[&(from.state, wave)]).collect();
        let mut add = |state: StateId| {
            next.sides[side].push(View { state, ordered: from.ordered });
            next.sides[side].len() as ViewId - 1
        };
        let only_states = matches!(self.views, Views::State) || waves.len() == 1;
        // What can arrive from several waves says less about the sender than what can arrive from one.
        let shared = if only_states { FxHashMap::default() } else { self.arrivals.shared(waves.iter().map(|&(_, wave)| wave)) };
        let mut digits = 0;
        let mut alone: FxHashMap<(StateId, bool, usize), ViewId> = FxHashMap::default();
        let mut together: BTreeMap<(StateId, bool, Evidence), ViewId> = BTreeMap::new();
        for (place, (&(_, wave), row)) in waves.iter().zip(&rows).enumerate() {
            let mut leads = Vec::with_capacity(row.len());
            for (way, &state) in row.iter().enumerate() {
                // Whether anything has arrived at all distinguishes runs of different kinds.
                let nothing = way == 0 && matches!(self.views, Views::Inputs);
                let sources = shared.get(&self.arrivals.of(wave, way));
                leads.push(match sources {
                    None => {
                        let key = (state, nothing, if only_states { 0 } else { place });
                        *alone.entry(key).or_insert_with(|| add(state))
                    }
                    Some(sources) => {
                        let evidence = self.evidence(waves, sources, &mut digits);
                        *together.entry((state, nothing, evidence)).or_insert_with(|| add(state))
                    }
                });
            }
            if digits > self.bounds.digits {
                return Err(TooMuch::Digits { round: round as u32, limit: self.bounds.digits });
            }
            moment.leads[side].insert((view, wave), leads.into());
        }
        Ok(())
    }

    /// From which waves something can arrive, and how likely it is from each of them, up to a factor.
    fn evidence(&self, waves: &[(ViewId, WaveId)], sources: &[(usize, usize)], digits: &mut u64) -> Evidence {
        let mut evidence: Evidence = Vec::with_capacity(sources.len());
        match self.weighing {
            Weighing::Count => {
                evidence.extend(sources.iter().map(|&(place, _)| (place, BigUint::one())));
                evidence.dedup();
                return evidence;
            }
            Weighing::Chance { .. } => {}
        }
        let most = waves.iter().map(|&(_, wave)| self.table.waves[wave as usize].size()).max().unwrap_or(0);
        for &(place, way) in sources {
            let wave = &self.table.waves[waves[place].1 as usize];
            let share = self.chance.of_ways(wave, &[way]);
            let weight = share.numerator() * self.chance.certain(most - wave.size());
            *digits += weight.bits();
            match evidence.last_mut() {
                Some((last, sum)) if *last == place => *sum += weight,
                Some(_) | None => evidence.push((place, weight)),
            }
        }
        alike::shorten(&mut evidence, |(_, weight)| weight);
        evidence
    }

    /// The weights with which a wave leads on. Nothing at all is kept apart from what leads to the same view.
    fn branches(&self, wave: WaveId, row: &[ViewId]) -> Branches {
        let wave = &self.table.waves[wave as usize];
        let mut ways: BTreeMap<(ViewId, bool), Vec<usize>> = BTreeMap::new();
        for (way, &view) in row.iter().enumerate() {
            ways.entry((view, way == 0)).or_default().push(way);
        }
        let weigh = |((view, nothing), ways): ((ViewId, bool), Vec<usize>)| {
            let share = self.chance.of_ways(wave, &ways);
            (view, nothing, share.numerator().clone())
        };
        ways.into_iter().map(weigh).filter(|(_, _, weight)| !weight.is_zero()).collect()
    }

    /// Every pair of views after the round, unsorted.
    fn pair(
        &self,
        moment: &Moment,
        next: &mut Moment,
        round: usize,
        sent: &[[WaveId; 2]],
        branches: &[FxHashMap<(ViewId, WaveId), Branches>; 2],
    ) -> Result<(), TooMuch> {
        let of = |pair: &Pair, sends: [WaveId; 2]| [0, 1].map(|side| &branches[side][&(pair.views[side], sends[1 - side])]);
        let count = moment.pairs.iter().zip(sent).map(|(pair, &sends)| {
            let [ones, twos] = of(pair, sends);
            ones.len() as u64 * twos.len() as u64
        });
        let (pairs, limit) = (count.sum(), self.bounds.pairs);
        if pairs > limit {
            return Err(TooMuch::Pairs { round: round as u32, pairs, limit });
        }
        next.pairs.reserve_exact(pairs as usize);
        let size = |sends: [WaveId; 2]| sends.iter().map(|&wave| self.table.waves[wave as usize].size()).sum::<u64>();
        let most = match self.weighing {
            Weighing::Count => 0,
            Weighing::Chance { .. } => sent.iter().map(|&sends| size(sends)).max().unwrap_or(0),
        };
        let mut digits = 0;
        for (pair, &sends) in moment.pairs.iter().zip(sent) {
            let [ones, twos] = of(pair, sends);
            let scale = self.chance.certain(most.saturating_sub(size(sends)));
            let scaled = if scale.is_one() { pair.weight.clone() } else { &pair.weight * scale };
            for (one, nothing_for_1, ways_1) in ones {
                let half = &scaled * ways_1;
                for (two, nothing_for_2, ways_2) in twos {
                    let silent = pair.kind.silent && *nothing_for_1 && *nothing_for_2;
                    let weight = &half * ways_2;
                    digits += weight.bits();
                    next.pairs.push(Pair { views: [*one, *two], kind: Kind { silent, ..pair.kind }, weight });
                }
            }
            if digits > self.bounds.digits {
                return Err(TooMuch::Digits { round: round as u32, limit: self.bounds.digits });
            }
        }
        Ok(())
    }
}
