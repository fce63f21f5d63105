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
//!
//! The runs are not gone through one by one: their number grows with four to the power of the rounds. A run is an edge between
//! what general 1 has seen and what general 2 has seen, and a round makes of it up to four edges, always in the same way
//! (Herlihy, Kozlov and Rajsbaum, "Distributed Computing Through Combinatorial Topology", 2013, chapter 2):
//!
//! ```text
//!        what 1 had seen --------------- both captured --------------- what 2 had seen
//!             |                                                             |
//!      2's is captured                                               1's is captured
//!             |                                                             |
//!     what 2 has seen now ------------ nothing captured ------------ what 1 has seen now
//! ```
//!
//! So what becomes of an edge depends on nothing but the rounds that are left and the captures so far, and is found once for
//! each of these: how many runs and classes of runs there are, and the shortest way across.

use std::fmt::{self, Display};

use handfast_protocol::generals::Camp;

use crate::generals::check::adversary::Adversary;

/// The runs of more rounds than this cannot be counted in 128 bits.
const MOST_ROUNDS: u32 = 60;

/// Of a longer chain so many runs are listed.
const MOST_LISTED: usize = 1_000;

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
    /// How many runs there are: orders and patterns.
    pub runs: u128,
    /// Into how many classes they fall, if chains of runs that somebody cannot tell apart join what belongs together.
    pub classes: u128,
    /// How many links a shortest chain has from both orders and nothing captured to a run in which an order is missing;
    /// nothing if there is no chain.
    pub links: Option<u128>,
    /// Such a chain, which is why there is no rule: its runs, or the first 1,000 of them. Between each run and the next
    /// stands the general who cannot tell the two apart.
    pub chain: Option<Vec<(Exchange, Option<Camp>)>>,
    /// Whether this rule is one: attack if and only if you have the order and have heard that the other has it.
    pub hearing_suffices: bool,
}

impl Solvability {
    /// Whether there is a rule.
    #[must_use]
    pub const fn is_solvable(&self) -> bool {
        self.links.is_none()
    }
}

/// There are too many rounds for their runs to be counted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TooManyRounds {
    /// The most rounds that are explored.
    pub limit: u32,
}

impl Display for TooManyRounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the runs of more than {} rounds cannot be counted; take fewer rounds", self.limit)
    }
}

impl std::error::Error for TooManyRounds {}

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

/// Explores every run, and looks for a chain.
///
/// # Errors
/// There are more rounds than can be counted.
pub fn solvable(rounds: u32, adversary: Adversary) -> Result<Solvability, TooManyRounds> {
    if rounds > MOST_ROUNDS {
        return Err(TooManyRounds { limit: MOST_ROUNDS });
    }
    let stretches = Stretches::new(rounds, adversary);
    let whole = stretches.of(rounds, 0);
    // The four ways to begin are edges too, and make a ring of what each general can have seen before the first round.
    let beginnings = match (whole.across, whole.keeps_ends) {
        (Some(_), _) => 1,
        (None, true) => 4,
        (None, false) => 0,
    };
    let links = stretches.links(rounds);
    let chain = links.map(|_| Lister::new(&stretches, rounds).chain());
    Ok(Solvability {
        rounds,
        adversary,
        runs: 4 * whole.runs,
        classes: 4 * whole.apart + beginnings,
        links,
        chain,
        // With both orders exactly one of them hears of the other's if all messengers of one are captured and not all of the
        // other, which is easiest where none of the other is. Where an order is missing nobody hears of both.
        hearing_suffices: rounds > 0 && !(1..=u64::from(rounds)).all(|captures| adversary.allows(1, captures)),
    })
}

/// What becomes of one edge in the rounds that are left: runs between what the generals have seen by then, the two ends of the
/// edge among it where nothing more is heard. The adversary makes no difference between the generals, nor do the numbers here.
#[derive(Clone, Copy, Default)]
struct Stretch {
    runs: u128,
    /// Whether some run leaves general 1 with what it had seen; then some run leaves general 2 so as well.
    keeps_ends: bool,
    /// How many runs there are in the shortest chain from one end to the other.
    across: Option<u128>,
    /// How many classes of runs hang together with neither end.
    apart: u128,
}

impl Stretch {
    /// The edge itself, when no round is left.
    const EDGE: Self = Self { runs: 1, keeps_ends: true, across: Some(1), apart: 0 };

    /// One round earlier: what becomes of the edges in which nothing, one messenger and both are captured.
    fn before([none, one, both]: [Self; 3]) -> Self {
        // What has been heard now hangs together with an end by the edge in which one messenger is captured, or not at all.
        let inner = match (one.across, none.across) {
            (Some(_), _) => 0,
            (None, Some(_)) => 1,
            (None, None) => 2 * u128::from(one.keeps_ends || none.keeps_ends),
        };
        Self {
            runs: none.runs + 2 * one.runs + both.runs,
            keeps_ends: one.keeps_ends || both.keeps_ends,
            across: both.across.into_iter().chain(Self::around(none, one)).min(),
            apart: none.apart + 2 * one.apart + both.apart + inner,
        }
    }

    /// The way across by what has been heard now.
    fn around(none: Self, one: Self) -> Option<u128> {
        Some(none.across? + 2 * one.across?)
    }
}

/// All stretches, by the rounds that are left and the captures so far.
struct Stretches {
    adversary: Adversary,
    by_left: Vec<Vec<Stretch>>,
}

impl Stretches {
    fn new(rounds: u32, adversary: Adversary) -> Self {
        let most = 2 * rounds as usize;
        let mut stretches = Self { adversary, by_left: vec![vec![Stretch::EDGE; most + 1]] };
        for left in 1..=rounds {
            let before = |captures| Stretch::before(stretches.parts(left, captures));
            let row = (0..=most as u64).map(before).collect();
            stretches.by_left.push(row);
        }
        stretches
    }

    fn of(&self, left: u32, captures: u64) -> Stretch {
        self.by_left[left as usize].get(captures as usize).copied().unwrap_or_default()
    }

    /// What becomes of the edges that the next round makes: where nothing, one messenger, and both are captured.
    fn parts(&self, left: u32, captures: u64) -> [Stretch; 3] {
        [0, 1, 2].map(|in_round| {
            let possible = self.adversary.allows(in_round, captures + in_round);
            if possible { self.of(left - 1, captures + in_round) } else { Stretch::default() }
        })
    }

    /// The links of the shortest chain from nothing captured to what a general had seen before the first of these rounds, and
    /// one more to a run that begins in another way.
    fn links(&self, rounds: u32) -> Option<u128> {
        (1..=rounds).try_fold(1, |links, left| Some(links + self.parts(left, 0)[1].across?))
    }
}

/// Writes down a shortest chain, run by run.
struct Lister<'a> {
    stretches: &'a Stretches,
    rounds: u32,
    /// The captures in the rounds before those that are left.
    captured: Vec<[bool; 2]>,
    chain: Vec<(Exchange, Option<Camp>)>,
}

impl<'a> Lister<'a> {
    fn new(stretches: &'a Stretches, rounds: u32) -> Self {
        Self { stretches, rounds, captured: Vec::new(), chain: Vec::new() }
    }

    /// From both orders and nothing captured to the run in which general 2 has no order, and general 1 hears nothing.
    fn chain(mut self) -> Vec<(Exchange, Option<Camp>)> {
        self.outward(self.rounds, Camp::First);
        if !self.is_full() {
            let captured = vec![losing_to(Camp::First); self.rounds as usize];
            self.chain.push((Exchange { ordered: [true, false], captured }, None));
        }
        self.chain
    }

    fn is_full(&self) -> bool {
        self.chain.len() >= MOST_LISTED
    }

    /// From the run in which nothing is captured to what this general had seen when so many rounds were left.
    fn outward(&mut self, left: u32, to: Camp) {
        if left == 0 {
            return self.push(to);
        }
        self.within([false, false], |lister| lister.outward(left - 1, to.other()));
        self.within(losing_to(to), |lister| lister.across(left - 1, 1, to.other()));
    }

    /// From one end of an edge, what this general had seen when so many rounds were left, to its other end.
    fn across(&mut self, left: u32, captures: u64, from: Camp) {
        if left == 0 || self.is_full() {
            return self.push(from.other());
        }
        let [none, one, both] = self.stretches.parts(left, captures);
        let around = Stretch::around(none, one);
        if both.across.is_some_and(|both| around.is_none_or(|around| both <= around)) {
            return self.within([true, true], |lister| lister.across(left - 1, captures + 2, from));
        }
        self.within(losing_to(from), |lister| lister.across(left - 1, captures + 1, from));
        self.within([false, false], |lister| lister.across(left - 1, captures, from.other()));
        self.within(losing_to(from.other()), |lister| lister.across(left - 1, captures + 1, from));
    }

    /// Does it after a round with these captures.
    fn within(&mut self, captured: [bool; 2], list: impl FnOnce(&mut Self)) {
        self.captured.push(captured);
        list(self);
        self.captured.pop();
    }

    /// Adds the run, which looks to this general like the next.
    fn push(&mut self, alike_for: Camp) {
        if !self.is_full() {
            let run = Exchange { ordered: [true, true], captured: self.captured.clone() };
            self.chain.push((run, Some(alike_for)));
        }
    }
}

/// The captures of a round in which nothing arrives at this general alone.
const fn losing_to(camp: Camp) -> [bool; 2] {
    match camp {
        Camp::First => [false, true],
        Camp::Second => [true, false],
    }
}
