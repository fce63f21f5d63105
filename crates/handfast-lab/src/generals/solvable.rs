//! Whether two generals can agree at all against a bounded adversary, whatever they send and whatever rule they follow.
//!
//! Each may have been given the order, and in every round both send everything that they have seen so far, one messenger
//! each way: whoever sends less knows less, so a rule for any other protocol with these messengers is a rule for this one.
//! A rule has to let both attack where both have the order and nothing is captured, let nobody attack where an order is
//! missing, and never let one attack alone. Two runs that a general cannot tell apart get the same choice of it, and so by
//! agreement the same outcome, and so does a whole chain of such runs:
//!
//! ```text
//!   both orders, nothing captured --1-- run --2-- run --1-- ... --2-- run in which an order is missing
//! ```
//!
//! There is a rule if and only if there is no such chain (Fevat and Godard, "Minimal obstructions for the coordinated attack
//! problem and beyond", 2011; the chain itself goes back to Gray 1978).

use std::collections::VecDeque;
use std::fmt::{self, Display};

use handfast_protocol::generals::Camp;

use super::adversary::Adversary;

/// More runs than this are not explored: ten rounds in which anything may be captured.
const MOST_RUNS: u64 = 1 << 22;

/// One run of the exchange.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Exchange {
    /// Whether general 1 and general 2 were given the order.
    pub ordered: [bool; 2],
    /// For each round, whether general 1's and general 2's messenger was captured.
    pub captured: Vec<[bool; 2]>,
}

impl Exchange {
    /// How many messengers were captured.
    #[must_use]
    pub fn captures(&self) -> usize {
        self.captured.iter().flatten().filter(|captured| **captured).count()
    }
}

impl Display for Exchange {
    /// The orders, and for each round who got through: `>` general 1's messenger, `<` general 2's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = |ordered: bool| if ordered { "order" } else { "none" };
        write!(f, "{:>5}/{:<5}", order(self.ordered[0]), order(self.ordered[1]))?;
        for [first, second] in &self.captured {
            write!(f, " {}{}", if *second { 'x' } else { '<' }, if *first { 'x' } else { '>' })?;
        }
        Ok(())
    }
}

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Solvability {
    /// How many rounds there are.
    pub rounds: u32,
    /// What the city may do.
    pub adversary: Adversary,
    /// How many runs were explored: orders and patterns.
    pub runs: u64,
    /// Into how many classes they fall, if chains of runs that somebody cannot tell apart join what belongs together.
    pub classes: u64,
    /// Why there is no rule: a shortest chain from both orders and nothing captured to a run in which an order is
    /// missing. Between each run and the next stands the general who cannot tell the two apart.
    pub chain: Option<Vec<(Exchange, Option<Camp>)>>,
    /// Whether this rule is one: attack if and only if you have the order and have heard that the other has it.
    pub hearing_suffices: bool,
}

impl Solvability {
    /// Whether there is a rule.
    #[must_use]
    pub const fn is_solvable(&self) -> bool {
        self.chain.is_none()
    }
}

/// There are too many runs to be explored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TooManyRuns {
    /// The most that are explored.
    pub limit: u64,
}

impl Display for TooManyRuns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "more than {} runs would have to be explored; take fewer rounds or captures", self.limit)
    }
}

impl std::error::Error for TooManyRuns {}

/// What the theory says: at most f captures in all can be borne if and only if f is less than the number of rounds (Fevat
/// and Godard 2011), a capture in every round never (Santoro and Widmayer, "Time is not a healer", 1989).
#[must_use]
pub const fn is_solvable_by_theory(rounds: u32, adversary: Adversary) -> bool {
    match adversary {
        Adversary::Any => false,
        Adversary::AtMost(most) => most < rounds as u64,
        Adversary::PerRound(most) => most == 0 && rounds > 0,
    }
}

/// A run as it is being made.
#[derive(Clone, Copy)]
struct Edge {
    /// What general 1 and general 2 have seen.
    views: [u32; 2],
    ordered: [bool; 2],
    /// Two bits for every round, the last at the end: set where general 1's and general 2's messenger was captured.
    captured: u64,
    captures: u64,
    /// Whether each general knows that both have the order.
    knows: [bool; 2],
}

impl Edge {
    fn is_wanted(&self) -> bool {
        self.ordered == [true, true]
    }

    fn exchange(&self, rounds: u32) -> Exchange {
        let bit = |place: u32| self.captured >> place & 1 == 1;
        let captured = (0..rounds).rev().map(|round| [bit(2 * round + 1), bit(2 * round)]).collect();
        Exchange { ordered: self.ordered, captured }
    }
}

/// Explores every run, and looks for a chain.
///
/// # Errors
/// There are more runs than fit.
pub fn solvable(rounds: u32, adversary: Adversary) -> Result<Solvability, TooManyRuns> {
    let runs = runs(rounds, adversary)?;
    let graph = Graph::new(&runs);
    let mut seen = Seen::nothing(&graph);
    // The first run of all is the one with both orders and nothing captured.
    graph.explore(0, &mut seen);
    let chain = seen.chain();
    let mut classes = 1;
    for first in 0..runs.len() {
        if !seen.runs[first] {
            classes += 1;
            graph.explore(first, &mut seen);
        }
    }
    let chain = chain.map(|links| links.into_iter().map(|(run, camp)| (runs[run].exchange(rounds), camp)).collect());
    let agree = |run: &Edge| run.knows[0] == run.knows[1] && (run.is_wanted() || !run.knows[0]);
    let hearing_suffices = runs.iter().all(agree) && runs[0].knows == [true, true];
    Ok(Solvability { rounds, adversary, runs: runs.len() as u64, classes, chain, hearing_suffices })
}

/// Every run that the adversary can make; the one with both orders and nothing captured is the first.
fn runs(rounds: u32, adversary: Adversary) -> Result<Vec<Edge>, TooManyRuns> {
    if 4 * patterns(rounds, adversary) > u128::from(MOST_RUNS) {
        return Err(TooManyRuns { limit: MOST_RUNS });
    }
    let begin =
        |ordered: [bool; 2]| Edge { views: ordered.map(u32::from), ordered, captured: 0, captures: 0, knows: [false, false] };
    let mut runs = [[true, true], [true, false], [false, true], [false, false]].map(begin).to_vec();
    // So many views of each general there are at most before the round.
    let mut views = [2, 2];
    for _ in 0..rounds {
        let mut next = Vec::with_capacity(2 * runs.len());
        for (number, run) in (0..).zip(&runs) {
            for captured in [[false, false], [false, true], [true, false], [true, true]] {
                let in_round = captured.map(u64::from).iter().sum::<u64>();
                if !adversary.allows(in_round, run.captures + in_round) {
                    continue;
                }
                let mut after = Edge {
                    captured: run.captured << 2 | u64::from(captured[0]) << 1 | u64::from(captured[1]),
                    captures: run.captures + in_round,
                    ..*run
                };
                for side in [0, 1] {
                    // Who is told nothing has seen what it had seen. Who is told what the other had seen knows the run so
                    // far: of two runs with the same two views, one and the other would have met the same captures.
                    if !captured[1 - side] {
                        after.views[side] = views[side] + number;
                        after.knows[side] |= run.is_wanted();
                    }
                }
                next.push(after);
            }
        }
        views = views.map(|views| views + runs.len() as u32);
        runs = next;
    }
    Ok(runs)
}

/// How many patterns the adversary can make; of more than fit, some number that does not fit either.
fn patterns(rounds: u32, adversary: Adversary) -> u128 {
    let of_rounds = |ways: u128| ways.saturating_pow(rounds).min(u128::from(MOST_RUNS));
    match adversary {
        Adversary::Any => of_rounds(4),
        Adversary::PerRound(0) => of_rounds(1),
        Adversary::PerRound(1) => of_rounds(3),
        Adversary::PerRound(_) => of_rounds(4),
        Adversary::AtMost(most) => {
            let messengers = 2 * u128::from(rounds);
            let (mut sum, mut choices) = (0, 1);
            for captures in 0..=u128::from(most).min(messengers) {
                sum += choices;
                if sum > u128::from(MOST_RUNS) {
                    break;
                }
                choices = choices * (messengers - captures) / (captures + 1);
            }
            sum
        }
    }
}

/// Runs as edges between the views of general 1 and those of general 2.
struct Graph<'a> {
    runs: &'a [Edge],
    /// For each general and view the place of its first run in `members`; one more at the end.
    firsts: [Vec<u32>; 2],
    /// The runs by the view of general 1, and of general 2.
    members: [Vec<u32>; 2],
}

impl<'a> Graph<'a> {
    fn new(runs: &'a [Edge]) -> Self {
        let mut firsts = [Vec::new(), Vec::new()];
        let mut members = [Vec::new(), Vec::new()];
        for side in [0, 1] {
            let views = runs.iter().map(|run| run.views[side] as usize + 1).max().unwrap_or(0);
            let mut counts = vec![0_u32; views + 1];
            runs.iter().for_each(|run| counts[run.views[side] as usize + 1] += 1);
            (0..views).for_each(|view| counts[view + 1] += counts[view]);
            firsts[side].clone_from(&counts);
            members[side] = vec![0; runs.len()];
            for (number, run) in (0..).zip(runs) {
                let place = &mut counts[run.views[side] as usize];
                members[side][*place as usize] = number;
                *place += 1;
            }
        }
        Self { runs, firsts, members }
    }

    fn alike(&self, side: usize, view: u32) -> &[u32] {
        let firsts = &self.firsts[side];
        &self.members[side][firsts[view as usize] as usize..firsts[view as usize + 1] as usize]
    }

    /// Sees every run that a chain joins to this one, nearest first.
    fn explore(&self, first: usize, seen: &mut Seen) {
        let mut waiting = VecDeque::from([first as u32]);
        seen.runs[first] = true;
        while let Some(number) = waiting.pop_front() {
            for camp in Camp::BOTH {
                let (side, view) = (camp.index(), self.runs[number as usize].views[camp.index()]);
                // All that look like this have been seen with the first of them.
                if std::mem::replace(&mut seen.views[side][view as usize], true) {
                    continue;
                }
                for &other in self.alike(side, view) {
                    if !std::mem::replace(&mut seen.runs[other as usize], true) {
                        seen.before[other as usize] = Some((number, camp));
                        seen.goal = seen.goal.or((!self.runs[other as usize].is_wanted()).then_some(other));
                        waiting.push_back(other);
                    }
                }
            }
        }
    }
}

/// What a search through the graph has seen.
struct Seen {
    runs: Vec<bool>,
    views: [Vec<bool>; 2],
    /// The run before it in a shortest chain, and who cannot tell the two apart.
    before: Vec<Option<(u32, Camp)>>,
    /// The first run that was seen in which an order is missing.
    goal: Option<u32>,
}

impl Seen {
    fn nothing(graph: &Graph<'_>) -> Self {
        let runs = graph.runs.len();
        let views = [0, 1].map(|side: usize| vec![false; graph.firsts[side].len()]);
        Self { runs: vec![false; runs], views, before: vec![None; runs], goal: None }
    }

    /// The chain from the first run to the goal.
    fn chain(&self) -> Option<Vec<(usize, Option<Camp>)>> {
        let mut chain = vec![(self.goal? as usize, None)];
        while let Some((number, camp)) = chain.last().and_then(|&(run, _)| self.before[run]) {
            chain.push((number as usize, Some(camp)));
        }
        chain.reverse();
        Some(chain)
    }
}
