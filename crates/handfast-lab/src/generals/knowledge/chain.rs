//! The chain of runs that undoes all knowledge: from the run in which everything arrives to the one in which nothing does,
//! and on to one without the order, such that of any two neighbours some general cannot tell which one it is in.
//!
//! It is the argument by which the problem was shown to have no solution: whoever attacks in one run of the chain makes
//! both attack in the next (Gray, *Notes on data base operating systems*, 1978; Halpern and Moses 1990).

use handfast_protocol::generals::Camp;

use crate::generals::knowledge::alike::{PairsOf, pairs_of};
use crate::generals::knowledge::ladder::{Path, path};
use crate::generals::knowledge::views::{Bounds, Kind, Moment, Pair, TooMuch, Unfolding, Views, Weighing};
use crate::generals::knowledge::wanted;
use crate::generals::table::run::Run;
use crate::generals::table::{Table, WaveId};

/// The next run of a chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    /// The general who cannot tell this run from the one before.
    pub same_for: Camp,
    /// The run.
    pub run: Run,
}

/// The shortest chain of runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chain {
    /// The run in which the attack is wanted and everything arrives.
    pub first: Run,
    /// From there to the run in which nothing arrives, through runs in which the attack is wanted; nothing if no chain leads
    /// there.
    pub to_silence: Option<Vec<Link>>,
    /// From the end of that, or from the first run if there is no end, to a run in which the attack is not wanted; nothing if
    /// no chain leads to one: then it is common knowledge that the attack is wanted.
    pub to_no_order: Option<Vec<Link>>,
}

/// The shortest chain from everything delivered to nothing delivered, and on to a run in which the attack is not wanted.
///
/// # Errors
/// More would have to be held than the bounds allow.
pub fn chain(table: &Table, views: Views, bounds: Bounds) -> Result<Chain, TooMuch> {
    let unfolding = Unfolding::new(table, views, Weighing::Count, bounds, 1);
    let moments = unfolding.all()?;
    let lifting = Lifting { unfolding: &unfolding, moments: &moments, views };
    let last = &moments[table.rounds()];
    let first = table.play(0, |_| false);
    let kind = Kind { orders: 0, silent: first.journeys.is_empty() };
    let mut at = lifting.concrete(&first, kind);
    let to_silence = shortest(last, &at, |kind| wanted(table, kind), |kind| kind.silent);
    let to_silence = to_silence.map(|steps| lifting.follow(&mut at, steps));
    let to_no_order = shortest(last, &at, |_| true, |kind| !wanted(table, kind));
    let to_no_order = to_no_order.map(|steps| lifting.follow(&mut at, steps));
    Ok(Chain { first, to_silence, to_no_order })
}

/// A run with its views.
struct Concrete {
    path: Path,
    kind: Kind,
}

/// The general for whom the next pair looks the same, and the pair's place in the last moment.
type Step = (usize, usize);

/// The fewest links from a run to one that ends in `goal`, through runs that are `allowed`; by breadth-first search.
fn shortest(moment: &Moment, from: &Concrete, allowed: impl Fn(Kind) -> bool, goal: impl Fn(Kind) -> bool) -> Option<Vec<Step>> {
    let beside: [PairsOf; 2] = [0, 1].map(|side| pairs_of(moment, side));
    let key = (from.path.last(), from.kind);
    let start = moment.pairs.binary_search_by_key(&key, Pair::key).ok()?;
    let mut before: Vec<Option<(usize, usize)>> = vec![None; moment.pairs.len()];
    let mut looked = [0, 1].map(|side| vec![false; moment.sides[side].len()]);
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(place) = queue.pop_front() {
        let pair = &moment.pairs[place];
        if goal(pair.kind) {
            let mut steps = Vec::new();
            let mut place = place;
            while let Some((side, earlier)) = before[place].filter(|_| place != start) {
                steps.push((side, place));
                place = earlier;
            }
            steps.reverse();
            return Some(steps);
        }
        for side in [0, 1] {
            let view = pair.views[side] as usize;
            if std::mem::replace(&mut looked[side][view], true) {
                continue;
            }
            for &next in beside[side].of(view) {
                let next = next as usize;
                if next != start && before[next].is_none() && allowed(moment.pairs[next].kind) {
                    before[next] = Some((side, place));
                    queue.push_back(next);
                }
            }
        }
    }
    None
}

/// Finds runs for pairs of views that stand for many.
struct Lifting<'u, 't> {
    unfolding: &'u Unfolding<'t>,
    moments: &'u [Moment],
    views: Views,
}

impl Lifting<'_, '_> {
    fn concrete(&self, run: &Run, kind: Kind) -> Concrete {
        Concrete { path: path(self.unfolding, self.moments, run), kind }
    }

    /// The runs of a chain of pairs, each with the view of the one before that it must share.
    fn follow(&self, at: &mut Concrete, steps: Vec<Step>) -> Vec<Link> {
        let last = &self.moments[self.moments.len() - 1];
        let link = |(side, place): Step| {
            let run = self.lift(at, side, &last.pairs[place]);
            *at = self.concrete(&run, last.pairs[place].kind);
            Link { same_for: Camp::BOTH[side], run }
        };
        steps.into_iter().map(link).collect()
    }

    /// A run that ends in this pair and in which the general on this side sees all that it sees in the run `at`.
    ///
    /// Goes back round by round. There is always a way back: views that are alike are possible beside views that are alike.
    fn lift(&self, at: &Concrete, side: usize, target: &Pair) -> Run {
        let table = self.unfolding.table;
        let mut target = (target.views, target.kind);
        let mut waves = Vec::new();
        for round in (0..table.rounds()).rev() {
            let (before, sends, ways) = self.back(at, side, round, target);
            target = before;
            waves.push((sends, ways));
        }
        let orders = table.orders.ways()[usize::from(target.1.orders)];
        let start = table.starts.iter().position(|(beginning, _)| beginning.ordered == orders).unwrap_or(0);
        let mut captured = Vec::new();
        for (sends, ways) in waves.into_iter().rev() {
            for from in [0, 1] {
                let wave = &table.waves[sends[from] as usize];
                for (group, arrived) in wave.groups.iter().zip(wave.arrivals(ways[1 - from])) {
                    captured.extend((0..group.size).map(|number| number >= arrived));
                }
            }
        }
        table.play(start, |number| captured[number])
    }

    /// A pair before the round, what is sent there, and how it has to arrive at general 1 and at general 2.
    fn back(&self, at: &Concrete, side: usize, round: usize, target: Key) -> (Key, [WaveId; 2], [usize; 2]) {
        let moment = &self.moments[round];
        let layer = &self.unfolding.table.layers[round];
        let here = at.path.views[round];
        // What changes little comes first: the pair in which the run before was.
        let first = moment.pairs.iter().filter(|pair| pair.views == here);
        let rest = moment.pairs.iter().filter(|pair| pair.views != here);
        let fits = |pair: &&Pair| pair.kind.orders == target.1.orders && (!self.recalls() || pair.views[side] == here[side]);
        for pair in first.chain(rest).filter(fits) {
            let sends = moment.sends(layer, pair.views);
            let ways = [0, 1].map(|to| {
                let row = &moment.leads[to][&(pair.views[to], sends[1 - to])];
                let same = self.unfolding.arrivals().way(sends[1 - to], at.path.arrivals[round][to]);
                let most = row.iter().rposition(|&view| view == target.0[to]);
                let ways = if to == side && self.recalls() { [same, None, None] } else { [same, most, Some(0)] };
                ways.into_iter().flatten().filter(|&way| row[way] == target.0[to]).collect::<Vec<usize>>()
            });
            let silent = |one: usize, two: usize| pair.kind.silent && one == 0 && two == 0;
            let mut both = ways[0].iter().flat_map(|&one| ways[1].iter().map(move |&two| [one, two]));
            if let Some(ways) = both.find(|&[one, two]| silent(one, two) == target.1.silent) {
                return ((pair.views, pair.kind), sends, ways);
            }
        }
        unreachable!("a pair of views has a pair before it")
    }

    const fn recalls(&self) -> bool {
        matches!(self.views, Views::Inputs)
    }
}

type Key = ([u32; 2], Kind);
