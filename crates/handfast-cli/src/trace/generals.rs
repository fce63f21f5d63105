//! A kept run of the two generals: its shape in JSON, and what it is made of.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context as _, anyhow, bail};
use handfast_lab::generals::{Beginning, Departure, Kept, Limits, Outcome, Run, StrategyFile, Table};
use handfast_protocol::generals::Camp;
use serde::{Deserialize, Serialize};

use super::document::{Document, members};
use crate::bad_input::OrBadInput as _;
use crate::commands::generals::Agreed;
use crate::output::Output;

/// More messengers than anybody would capture one by one: a greater number is a slip.
const MOST_MESSENGERS: usize = 5_000_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    #[serde(rename = "trace")]
    _trace: String,
    #[serde(rename = "kind")]
    _kind: String,
    #[serde(rename = "title")]
    _title: String,
    protocol: ProtocolShape,
    ordered: [bool; 2],
    coin: u32,
    captured: Vec<CapturedShape>,
    departures: Vec<DepartureShape>,
    outcome: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProtocolShape {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    messengers: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replies: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    steps: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rounds: Option<u32>,
    /// General 2's program, if it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    second: Option<String>,
    /// The text of a strategy file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    strategy: Option<String>,
}

/// A messenger's number, or a stretch of them: `"5-99"`.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum CapturedShape {
    One(usize),
    Stretch(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DepartureShape {
    round: u32,
    from: u32,
    says: String,
    messengers: u64,
    arrived: u64,
}

/// A kept run of the two generals, with the protocol that it is a run of.
#[derive(Debug)]
pub(crate) struct GeneralsTrace {
    pub(crate) agreed: Agreed,
    /// The text of the strategy file, where the protocol is one.
    strategy: Option<String>,
    kept: Kept,
}

impl GeneralsTrace {
    /// The run of this protocol, as it is kept.
    ///
    /// # Errors
    /// The strategy file cannot be read any more.
    pub(crate) fn new(agreed: &Agreed, table: &Table, run: &Run) -> anyhow::Result<Self> {
        let path = &agreed.protocol;
        let text = path.ends_with(".toml").then(|| fs::read_to_string(path).with_context(|| format!("cannot read {path}")));
        Ok(Self { agreed: agreed.clone(), strategy: text.transpose().or_bad_input()?, kept: Kept::new(table, run) })
    }

    /// Tells the protocol everything, executes the run again, and compares. A program that a file names is run only by
    /// whoever says so.
    ///
    /// # Errors
    /// There is no such protocol here, or it does something else; the error says where.
    pub(crate) fn replay(&self, run_programs: bool, output: &Output) -> anyhow::Result<(Table, Run)> {
        if self.agreed.runs_programs() && !run_programs {
            let second = self.agreed.second.iter().map(|second| format!(" and {second:?}"));
            let programs = format!("{:?}{}", self.agreed.protocol, second.collect::<String>());
            return Err(anyhow!("the trace names a program, {programs}; say --run-program to have it run")).or_bad_input();
        }
        let table = match &self.strategy {
            Some(text) => {
                StrategyFile::parse(&self.agreed.protocol, text).or_bad_input()?.tabulate(&Limits::default()).or_bad_input()?
            }
            None => self.agreed.tabulate(output)?,
        };
        let run = self.kept.replay(&table).context("the protocol does something else than is kept").or_bad_input()?;
        Ok((table, run))
    }

    pub(super) fn read(text: &str) -> anyhow::Result<Self> {
        let shape: Shape = members(text)?;
        let ProtocolShape { name, messengers, replies, steps, rounds, second, strategy } = shape.protocol;
        if name.ends_with(".toml") && strategy.is_none() {
            bail!("protocol: the text of the strategy file is missing (\"strategy\")");
        }
        let departures = shape.departures.into_iter().map(departure).collect::<anyhow::Result<_>>()?;
        let outcome = Outcome::ALL.into_iter().find(|outcome| outcome.key() == shape.outcome);
        let Some(outcome) = outcome else { bail!("{:?} is no outcome: both, alone_1, alone_2 or neither", shape.outcome) };
        let agreed = Agreed { second, ..Agreed::named(name, [messengers, replies, steps, rounds]) };
        let beginning = Beginning { ordered: shape.ordered, coin: shape.coin };
        Ok(Self { agreed, strategy, kept: Kept { beginning, captured: captured(&shape.captured)?, departures, outcome } })
    }

    pub(super) fn write(&self, title: &str) -> anyhow::Result<String> {
        let Agreed { protocol, messengers, replies, steps, rounds, second, .. } = self.agreed.clone();
        let strategy = self.strategy.clone();
        let protocol = ProtocolShape { name: protocol, messengers, replies, steps, rounds, second, strategy };
        let departures: Vec<DepartureShape> = self.kept.departures.iter().map(departure_shape).collect();
        let Beginning { ordered, coin } = self.kept.beginning;
        Ok(Document::new("generals")
            .member("title", &title)?
            .member("protocol", &protocol)?
            .member("ordered", &ordered)?
            .member("coin", &coin)?
            .member("captured", &stretches(&self.kept.captured))?
            .list("departures", &departures)?
            .member("outcome", &self.kept.outcome.key())?
            .finish())
    }
}

fn departure(shape: DepartureShape) -> anyhow::Result<Departure> {
    let DepartureShape { round, from, says, messengers, arrived } = shape;
    let Some(from) = Camp::BOTH.into_iter().find(|camp| camp.number() == from) else {
        bail!("a departure is from general {from}; there are generals 1 and 2");
    };
    Ok(Departure { round, from, says, messengers, arrived })
}

fn departure_shape(departure: &Departure) -> DepartureShape {
    let Departure { round, from, says, messengers, arrived } = departure.clone();
    DepartureShape { round, from: from.number(), says, messengers, arrived }
}

/// The numbers of captured messengers as they are typed: `0,3,5-99`.
///
/// # Errors
/// Something is no number, or a stretch ends before it begins.
pub(crate) fn parse_captured(text: &str) -> Result<BTreeSet<usize>, String> {
    let mut all = BTreeSet::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let number = |text: &str| text.trim().parse::<usize>().ok().filter(|&number| number < MOST_MESSENGERS);
        let (from, to) = part.split_once('-').map_or((number(part), number(part)), |(from, to)| (number(from), number(to)));
        let (Some(from), Some(to)) = (from, to) else {
            return Err(format!("{part:?} is no messenger; they are counted from 0 in the order of sending, as in 0,3,5-9"));
        };
        if from > to {
            return Err(format!("{part:?} ends before it begins"));
        }
        all.extend(from..=to);
    }
    Ok(all)
}

fn captured(shapes: &[CapturedShape]) -> anyhow::Result<BTreeSet<usize>> {
    let parts = shapes.iter().map(|shape| match shape {
        CapturedShape::One(number) => number.to_string(),
        CapturedShape::Stretch(text) => text.clone(),
    });
    let all = parts.map(|part| parse_captured(&part)).collect::<Result<Vec<_>, _>>();
    Ok(all.map_err(anyhow::Error::msg).context("captured")?.into_iter().flatten().collect())
}

/// Three neighbours and more are written as a stretch.
fn stretches(captured: &BTreeSet<usize>) -> Vec<CapturedShape> {
    let numbers: Vec<usize> = captured.iter().copied().collect();
    let mut shapes = Vec::new();
    for stretch in numbers.chunk_by(|one, next| one + 1 == *next) {
        match stretch {
            [first, _, .., last] => shapes.push(CapturedShape::Stretch(format!("{first}-{last}"))),
            few => shapes.extend(few.iter().map(|&number| CapturedShape::One(number))),
        }
    }
    shapes
}
