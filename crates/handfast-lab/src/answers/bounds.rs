//! What theory allows, beside what the protocols that ship achieve.

use std::fmt::{self, Display};

use handfast_protocol::generals::Camp;
use serde::ser::{Serialize, Serializer};

use crate::answers::Against;
use crate::answers::object::{Count, Object};
use crate::generals::{
    Adversary, BoundError, Exchange, Limits, Ratio, RoundsBound, Solvability, TooManyRounds, is_solvable_by_theory, rounds_bound,
    solvable,
};

/// The rule that decides wherever one can.
pub const RULE: &str = "attack if and only if you have the order and have heard that the other has it";

/// The bounds of so many rounds.
///
/// Written with the members `rounds`, `bounds` (for every number of rounds `lower`, `random_attack`, `exact`, `captures` and
/// `deterministic`) and `solvable` (for every adversary `verdict`, `theorem`, `agrees`, `source`, `runs`, `classes`,
/// `links_to_no_order`, `rule` and `chain`).
#[derive(Debug)]
pub struct Answer {
    /// Rounds of the exchange.
    pub rounds: u32,
    /// The worst case with a coin, for every number of rounds up to that.
    pub bounds: Vec<RoundsBound>,
    /// What can be decided for certain, against each adversary.
    pub explored: Vec<(Adversary, Solvability)>,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum BoundsError {
    /// A worst case.
    Bound(BoundError),
    /// There are too many rounds.
    Rounds(TooManyRounds),
}

impl Display for BoundsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bound(error) => error.fmt(f),
            Self::Rounds(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for BoundsError {}

/// The bounds of so many rounds; `watch` is told what is worked out next, [`steps`] times.
///
/// # Errors
/// There are too many rounds, or a worst case needs more memory than it may have.
pub fn answer(rounds: u32, watch: &dyn Fn(String)) -> Result<Answer, BoundsError> {
    let mut bounds = Vec::new();
    for rounds in 1..=rounds {
        watch(format!("worst case of {rounds} rounds"));
        bounds.push(rounds_bound(rounds, &Limits::default()).map_err(BoundsError::Bound)?);
    }
    let mut explored = Vec::new();
    for adversary in adversaries(rounds) {
        watch(format!("{rounds} rounds against {adversary}"));
        explored.push((adversary, solvable(rounds, adversary).map_err(BoundsError::Rounds)?));
    }
    Ok(Answer { rounds, bounds, explored })
}

/// In how many steps the answer is worked out.
#[must_use]
pub fn steps(rounds: u32) -> u64 {
    u64::from(rounds) + adversaries(rounds).len() as u64
}

fn adversaries(rounds: u32) -> Vec<Adversary> {
    let in_all = (0..=u64::from(rounds)).map(Adversary::AtMost);
    in_all.chain([Adversary::PerRound(1), Adversary::Any]).collect()
}

/// What is said of whether there is a rule.
#[must_use]
pub const fn verdict(solvable: bool) -> &'static str {
    if solvable { "solvable" } else { "unsolvable" }
}

const fn source(adversary: Adversary) -> &'static str {
    match adversary {
        Adversary::Any => "Gray 1978",
        Adversary::AtMost(_) => "Fevat and Godard 2011",
        Adversary::PerRound(_) => "Santoro and Widmayer 1989",
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let explored =
            self.explored.iter().map(|(adversary, found)| SolvableData { rounds: self.rounds, adversary: *adversary, found });
        let mut object = Object::begin(serializer)?;
        object.put("rounds", &self.rounds)?.put("bounds", &self.bounds.iter().map(BoundData).collect::<Vec<_>>())?;
        object.put("solvable", &explored.collect::<Vec<_>>())?;
        object.end()
    }
}

struct BoundData<'a>(&'a RoundsBound);

impl Serialize for BoundData<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(bound) = self;
        let worst = bound.worst.as_ref();
        let mut object = Object::begin(serializer)?;
        object.put("rounds", &bound.rounds)?.number("lower", &bound.lower)?.number("random_attack", &bound.random_attack)?;
        object.number("exact", worst.map(|worst| &worst.disagreement))?;
        object.put("captures", &worst.map(|worst| worst.captured.len()))?.number("deterministic", &Ratio::new(1, 1))?;
        object.end()
    }
}

struct SolvableData<'a> {
    rounds: u32,
    adversary: Adversary,
    found: &'a Solvability,
}

#[derive(serde::Serialize)]
struct LinkData<'a> {
    ordered: [bool; 2],
    captured: &'a [[bool; 2]],
    same_for: Option<u32>,
}

impl Serialize for SolvableData<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { rounds, adversary, found } = self;
        let theorem = is_solvable_by_theory(*rounds, *adversary);
        let mut object = Object::begin(serializer)?;
        object.against(&Against::Patterns(*adversary))?;
        object.put("verdict", verdict(found.is_solvable()))?.put("theorem", verdict(theorem))?;
        object.put("agrees", &(found.is_solvable() == theorem))?.put("source", source(*adversary))?;
        object.put("runs", &Count(found.runs))?.put("classes", &Count(found.classes))?;
        object.put("links_to_no_order", &found.links.map(Count))?;
        object.put("rule", &found.hearing_suffices.then_some(RULE))?.put("chain", &found.chain.as_deref().map(links))?;
        object.end()
    }
}

/// A chain in which each run says to whom it looks like the one before it.
fn links(chain: &[(Exchange, Option<Camp>)]) -> Vec<LinkData<'_>> {
    let before = std::iter::once(None).chain(chain.iter().map(|(_, like_next)| *like_next));
    let mut links = Vec::with_capacity(chain.len());
    for ((run, _), same_for) in chain.iter().zip(before) {
        links.push(LinkData { ordered: run.ordered, captured: &run.captured, same_for: same_for.map(Camp::number) });
    }
    links
}
