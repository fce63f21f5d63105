//! Every pattern of captures, tried, and the simplest run that goes wrong.

use num_bigint::BigUint;
use serde::ser::{Serialize, Serializer};

use crate::answers::object::{ByOutcome, Count, Object, verdict};
use crate::answers::{Against, played};
use crate::generals::{
    Adversary, CheckError, Checked, Counts, Covered, Limits, Property, Ratio, Run, Table, WorstError, worst_case,
};

/// So many of the simplest runs are written.
pub const MOST_WRITTEN: usize = 1_000;

/// What was found.
///
/// Written with the members `protocol`, `title`, `adversary`, `verdict`, `worlds`, `runs`, `nodes`, `outcome`, `violations`,
/// `uncounted`, `properties`, `beginnings`, `captures`, `sent`, `counterexample`, `minimal_runs`, `idle`, `remarks`, where asked
/// for `minimal`, and where one is tossed `coin`.
#[derive(Debug)]
pub struct Answer<'a> {
    /// The protocol as it is typed.
    pub protocol: &'a str,
    /// Its table.
    pub table: &'a Table,
    /// What the check found.
    pub checked: Checked<'a>,
    /// The simplest run that goes wrong.
    pub first: Option<Run>,
    /// How often the pattern of that run goes wrong, where a coin is tossed.
    pub coin: Option<Coin>,
    /// Whether all of the simplest runs are told.
    pub all: bool,
}

/// What a pattern does, whatever the coin shows.
#[derive(Debug)]
pub struct Coin {
    /// On how many sides it goes wrong.
    pub wrong: usize,
    /// The same as a probability.
    pub probability: Ratio,
    /// The greatest probability, over all orders and patterns, that exactly one attacks.
    pub worst: Result<Ratio, WorstError>,
}

/// Checks the protocol that is typed so.
///
/// # Errors
/// The check would need too much memory.
pub fn answer<'a>(table: &'a Table, protocol: &'a str, adversary: Adversary, all: bool) -> Result<Answer<'a>, CheckError> {
    let checked = table.check(adversary)?;
    let first = checked.counterexample();
    let coin = first.as_ref().and_then(|first| Coin::of(&checked, first));
    Ok(Answer { protocol, table, checked, first, coin, all })
}

impl Coin {
    /// How often the pattern of this run goes wrong, over the sides of the coin; nothing where none is tossed.
    fn of(checked: &Checked<'_>, first: &Run) -> Option<Self> {
        let table = checked.table();
        if table.coins == 1 {
            return None;
        }
        let captured: Vec<usize> = first.captured().collect();
        let starts = table.starts.iter().enumerate();
        let same = starts.filter(|(_, (beginning, _))| beginning.ordered == first.beginning.ordered);
        let wrong = same
            .map(|(start, _)| table.play(start, |number| captured.binary_search(&number).is_ok()))
            .filter(|run| !checked.broken(run).is_empty())
            .count();
        let worst = worst_case(table, &Limits::default()).map(|worst| worst.disagreement);
        Some(Self { wrong, probability: Ratio::new(wrong as i64, u64::from(table.coins)), worst })
    }
}

impl Answer<'_> {
    /// What is to be said beside it.
    #[must_use]
    pub fn remarks(&self) -> Vec<&'static str> {
        let mail = (self.protocol == "email").then_some(
            "What was checked is the rule \"attack once your machine has sent --steps messages\". It is no equilibrium: \
             where a lone attack is costly enough, never attacking is the only one (Rubinstein 1989).",
        );
        let idle = self
            .checked
            .is_idle()
            .then_some("Nobody attacks even where the attack is wanted and every messenger arrives: safe, and of no use.");
        mail.into_iter().chain(idle).collect()
    }

    /// How many runs take as little as the simplest.
    #[must_use]
    pub fn minimal_runs(&self) -> BigUint {
        self.checked.least.as_ref().map(|least| least.runs.clone()).unwrap_or_default()
    }
}

impl Serialize for Answer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let checked = &self.checked;
        let least = checked.least.as_ref();
        let counts = checked.counts.as_ref().ok();
        let count = |of: &dyn Fn(&Counts) -> BigUint| counts.map(|counts| Count(of(counts)));
        let properties = Property::ALL.map(|property| PropertyData {
            name: property.key(),
            meaning: property.in_words(),
            verdict: verdict(!checked.breaks(property)),
            violations: count(&|counts| counts.breaking(&[property])),
        });
        let sum =
            |counts: &Counts, place: usize| counts.beginnings.iter().map(|covered| &covered.outcomes[place]).sum::<BigUint>();
        let mut object = Object::begin(serializer)?;
        object.head(self.protocol, &self.table.name, &Against::Patterns(checked.adversary))?;
        object.put("verdict", verdict(checked.holds()))?;
        object.put("worlds", &count(&Counts::worlds))?.put("runs", &count(&Counts::runs))?.put("nodes", &checked.nodes)?;
        object.put("outcome", &counts.map(|counts| ByOutcome([0, 1, 2, 3].map(|place| Count(sum(counts, place))))))?;
        object.put("violations", &count(&|counts| counts.breaking(&Property::ALL)))?;
        object.put("uncounted", &checked.counts.as_ref().err().map(ToString::to_string))?.put("properties", &properties)?;
        object.put("beginnings", &counts.map(|counts| counts.beginnings.iter().map(BeginningData).collect::<Vec<_>>()))?;
        object.put("sent", &least.map(|least| least.distance.steps))?;
        object.put("captures", &least.map(|least| least.distance.captures))?;
        object.put("counterexample", &self.first.as_ref().map(|run| WrongRun { answer: self, run }))?;
        object.put("minimal_runs", &Count(self.minimal_runs()))?.put("idle", &checked.is_idle())?;
        object.put("remarks", &self.remarks())?;
        if self.all {
            let runs: Vec<Run> = checked.minimal().take(MOST_WRITTEN).collect();
            object.put("minimal", &runs.iter().map(|run| WrongRun { answer: self, run }).collect::<Vec<_>>())?;
        }
        if let Some(coin) = &self.coin {
            object.put("coin", &CoinData { sides: self.table.coins, coin })?;
        }
        object.end()
    }
}

#[derive(serde::Serialize)]
struct PropertyData {
    name: &'static str,
    meaning: &'static str,
    verdict: &'static str,
    violations: Option<Count<BigUint>>,
}

struct WrongRun<'a> {
    answer: &'a Answer<'a>,
    run: &'a Run,
}

impl Serialize for WrongRun<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { answer, run } = self;
        let mut object = Object::begin(serializer)?;
        played::put(&mut object, answer.table, run)?;
        object.put("broken", &answer.checked.broken(run).into_iter().map(Property::key).collect::<Vec<_>>())?;
        object.end()
    }
}

struct BeginningData<'a>(&'a Covered);

impl Serialize for BeginningData<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(covered) = self;
        let mut object = Object::begin(serializer)?;
        object.put("ordered", &covered.beginning.ordered)?.put("coin", &covered.beginning.coin)?;
        object.put("wanted", &covered.wanted)?.put("patterns", &Count(covered.patterns()))?;
        object.put("outcome", &ByOutcome(covered.outcomes.each_ref().map(Count)))?;
        object.put("violations", &Count(covered.breaking(&Property::ALL)))?;
        object.end()
    }
}

struct CoinData<'a> {
    sides: u32,
    coin: &'a Coin,
}

impl Serialize for CoinData<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { sides, coin } = self;
        let mut object = Object::begin(serializer)?;
        object.put("sides", sides)?.put("wrong", &coin.wrong)?.number("probability", &coin.probability)?;
        object.number("worst", coin.worst.as_ref().ok())?;
        object.end()
    }
}
