//! Checks a protocol against every pattern of captures, without going through the patterns one by one.
//!
//! ```text
//!   layer 0 ----> layer 1 ----> ... ----> last layer     which nodes the adversary can reach
//!   layer 0 <---- layer 1 <---- ... <---- last layer     for each node: patterns by outcome, and the shortest way to go wrong
//! ```
//!
//! Two runs that meet in a node go on alike, so what can follow is found once for every node: dynamic programming over the
//! layers. The numbers are those of an enumeration of all patterns, whose number grows with two to the power of the messengers.

pub(super) mod adversary;
mod backward;
mod forward;
mod minimal;
mod ways;

use std::fmt::{self, Display};

use num_bigint::BigUint;

pub use self::minimal::Minimal;
use crate::generals::check::adversary::Adversary;
use crate::generals::table::Table;
use crate::generals::table::outcome::Outcome;
use crate::generals::table::protocol::Beginning;
use crate::generals::table::run::Run;

/// What a run can break.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Property {
    /// Army 1 attacks if and only if army 2 attacks.
    Agreement,
    /// Nobody attacks unless the attack is wanted: no order, no attack.
    Validity,
}

impl Property {
    /// Both, in order.
    pub const ALL: [Self; 2] = [Self::Agreement, Self::Validity];

    /// Its name in JSON.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Agreement => "agreement",
            Self::Validity => "validity",
        }
    }

    /// What it demands.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Agreement => "army 1 attacks if and only if army 2 attacks",
            Self::Validity => "nobody attacks where the attack is not wanted",
        }
    }

    /// Whether a run that ends like this breaks it.
    #[must_use]
    pub const fn is_broken(self, wanted: bool, outcome: Outcome) -> bool {
        match self {
            Self::Agreement => outcome.is_alone(),
            Self::Validity => !wanted && !matches!(outcome, Outcome::Neither),
        }
    }
}

/// Why a protocol was not checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CheckError {
    /// The patterns of a wave cannot be counted exactly in memory.
    Wave {
        /// How many messengers of the wave carry the same.
        messengers: u32,
        /// The most bits that their binomial coefficients may take.
        bits: u64,
    },
    /// To count the patterns of a bounded adversary takes too long. The verdict does not need their numbers.
    Products {
        /// The most products that are made.
        limit: u64,
    },
}

impl Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wave { messengers, bits } => write!(
                f,
                "the exact numbers of patterns of a wave of {messengers} messengers take more than {bits} bits, which would \
                 not fit in memory; take fewer messengers"
            ),
            Self::Products { limit } => write!(
                f,
                "to count the patterns of this adversary takes more than {limit} products of long numbers; take fewer \
                 messengers or captures to have them counted"
            ),
        }
    }
}

impl std::error::Error for CheckError {}

/// The fewest captures, and then the fewest messengers sent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Distance {
    /// How many messengers are captured.
    pub captures: u64,
    /// How many are sent.
    pub steps: u64,
}

impl Distance {
    pub(super) const NEVER: Self = Self { captures: u64::MAX, steps: u64::MAX };
}

/// What was found from one way to begin.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Covered {
    /// The way to begin.
    pub beginning: Beginning,
    /// Whether the attack is wanted where a run begins like this.
    pub wanted: bool,
    /// How many patterns end in each row of the problem's table, in the order of [`Outcome::ALL`].
    pub outcomes: [BigUint; 4],
}

impl Covered {
    /// The number of patterns.
    #[must_use]
    pub fn patterns(&self) -> BigUint {
        self.outcomes.iter().sum()
    }

    /// The number of patterns that break one of these properties.
    #[must_use]
    pub fn breaking(&self, properties: &[Property]) -> BigUint {
        let breaks = |outcome: Outcome| properties.iter().any(|property| property.is_broken(self.wanted, outcome));
        Outcome::ALL.into_iter().filter(|&outcome| breaks(outcome)).map(|outcome| &self.outcomes[outcome.index()]).sum()
    }
}

/// How many patterns there are, and how they end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Counts {
    /// What was found from every way to begin, in the order of [`Table::starts`].
    pub beginnings: Vec<Covered>,
}

impl Counts {
    /// The number of runs: patterns from every way to begin, every side of the coin apart.
    #[must_use]
    pub fn runs(&self) -> BigUint {
        self.beginnings.iter().map(Covered::patterns).sum()
    }

    /// The number of worlds: orders and patterns. What a coin shows is no part of a world.
    #[must_use]
    pub fn worlds(&self) -> BigUint {
        self.beginnings.iter().filter(|covered| covered.beginning.coin == 1).map(Covered::patterns).sum()
    }

    /// The number of runs that break one of these properties.
    #[must_use]
    pub fn breaking(&self, properties: &[Property]) -> BigUint {
        self.beginnings.iter().map(|covered| covered.breaking(properties)).sum()
    }
}

/// The runs that go wrong with the fewest captures, and among them those in which the fewest messengers are sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Least {
    /// What such a run takes.
    pub distance: Distance,
    /// How many such runs there are.
    pub runs: BigUint,
}

/// What a check has found.
#[derive(Clone, Debug)]
pub struct Checked<'a> {
    table: &'a Table,
    /// Whom the protocol was checked against.
    pub adversary: Adversary,
    /// The numbers of patterns, or why they were not counted: the verdict stands without them.
    pub counts: Result<Counts, CheckError>,
    /// How many nodes the adversary can reach, those of every layer taken together.
    pub nodes: u64,
    /// How to break the protocol most simply; nothing if it holds.
    pub least: Option<Least>,
    /// For each layer and node, the distance to a lone attack, and to any attack.
    toward: Vec<Vec<[Distance; 2]>>,
}

impl Table {
    /// Tries every pattern of captures that the adversary can make, from every way to begin.
    ///
    /// # Errors
    /// A wave is so large that the number of the simplest runs would not fit in memory.
    pub fn check(&self, adversary: Adversary) -> Result<Checked<'_>, CheckError> {
        let nodes = forward::reachable(self, adversary);
        let found = backward::search(self, adversary)?;
        let covered = |(&(beginning, _), outcomes)| Covered { beginning, wanted: self.wants_attack(beginning), outcomes };
        let counts =
            found.outcomes.map(|outcomes| Counts { beginnings: self.starts.iter().zip(outcomes).map(covered).collect() });
        let checked = Checked { table: self, adversary, counts, nodes, least: None, toward: found.toward };
        let mut least: Option<Least> = None;
        for (start, runs) in found.least.into_iter().enumerate() {
            let (goal, distance) = checked.goal(start);
            if distance == Distance::NEVER {
                continue;
            }
            match &mut least {
                Some(least) if least.distance == distance => least.runs += &runs[goal],
                Some(least) if least.distance < distance => {}
                Some(_) | None => least = Some(Least { distance, runs: runs[goal].clone() }),
            }
        }
        Ok(Checked { least, ..checked })
    }
}

impl<'a> Checked<'a> {
    /// Whether nothing that the adversary can do breaks a property.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.least.is_none()
    }

    /// Whether some run breaks this property.
    #[must_use]
    pub fn breaks(&self, property: Property) -> bool {
        let starts = self.table.starts.iter();
        let nodes = starts.filter_map(|&(beginning, pair)| Some((beginning, self.table.layers[0].node(pair)?)));
        let mut toward = nodes.map(|(beginning, node)| (self.table.wants_attack(beginning), self.toward[0][node]));
        toward.any(|(wanted, toward)| match property {
            Property::Agreement => self.is_possible(toward[backward::LONE]),
            Property::Validity => !wanted && self.is_possible(toward[backward::ATTACK]),
        })
    }

    /// Whether the adversary may capture so many in all.
    fn is_possible(&self, distance: Distance) -> bool {
        distance != Distance::NEVER && self.adversary.allows(0, distance.captures)
    }

    /// Whether nobody attacks although the attack is wanted and every messenger arrives: such a protocol is safe because
    /// it is of no use. This is no violation.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        let starts = self.table.starts.iter().enumerate();
        let wanted = starts.filter(|(_, (beginning, _))| self.table.wants_attack(*beginning));
        wanted.map(|(start, _)| self.table.play(start, |_| false)).any(|run| run.outcome() == Outcome::Neither)
    }

    /// The simplest run that goes wrong: of all with the fewest captures, and among them the fewest messengers, the
    /// first in the order of [`Checked::minimal`].
    #[must_use]
    pub fn counterexample(&self) -> Option<Run> {
        self.minimal().next()
    }

    /// Every run that goes wrong with the fewest captures and then the fewest messengers, one after the other: by the
    /// beginning, then round by round by how many are captured, most first, and then by who they are.
    #[must_use]
    pub fn minimal(&self) -> Minimal<'_> {
        Minimal::new(self)
    }

    /// What a run breaks.
    #[must_use]
    pub fn broken(&self, run: &Run) -> Vec<Property> {
        let wanted = self.table.wants_attack(run.beginning);
        Property::ALL.into_iter().filter(|property| property.is_broken(wanted, run.outcome())).collect()
    }

    /// The table that was checked.
    #[must_use]
    pub const fn table(&self) -> &'a Table {
        self.table
    }

    /// Which of the two distances counts where a run begins like this, and what it is.
    fn goal(&self, start: usize) -> (usize, Distance) {
        let (beginning, pair) = self.table.starts[start];
        let goal = if self.table.wants_attack(beginning) { backward::LONE } else { backward::ATTACK };
        let node = self.table.layers[0].node(pair);
        let distance = node.map_or(Distance::NEVER, |node| self.toward[0][node][goal]);
        (goal, if self.is_possible(distance) { distance } else { Distance::NEVER })
    }
}
