//! A kept run of the two generals: its shape in JSON, and what it is made of.

use std::collections::BTreeSet;

use handfast_protocol::generals::Camp;
use serde::{Deserialize, Serialize};

use super::document::{Document, members};
use super::{Kind, TraceError};
use crate::generals::{Beginning, Departure, Kept, Outcome};

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
    protocol: TracedProtocol,
    ordered: [bool; 2],
    coin: u32,
    captured: Vec<CapturedShape>,
    departures: Vec<DepartureShape>,
    outcome: String,
}

/// What the generals have agreed on, as it is typed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TracedProtocol {
    /// A shipped protocol, the path of a strategy file, or `exec:COMMAND`.
    pub name: String,
    /// `--messengers`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messengers: Option<u32>,
    /// `--replies`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replies: Option<u32>,
    /// `--steps`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<u32>,
    /// `--rounds`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounds: Option<u32>,
    /// General 2's program, if it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second: Option<String>,
    /// The text of a strategy file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<String>,
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
pub struct GeneralsTrace {
    /// The protocol.
    pub protocol: TracedProtocol,
    /// The run; [`Kept::replay`] executes it again.
    pub kept: Kept,
}

impl GeneralsTrace {
    /// The run that this text is.
    ///
    /// # Errors
    /// It is none.
    pub fn read(text: &str) -> Result<Self, TraceError> {
        let Shape { protocol, ordered, coin, captured: numbers, departures, outcome, .. } = members(text)?;
        if protocol.name.ends_with(".toml") && protocol.strategy.is_none() {
            return Err(TraceError::Member("protocol: the text of the strategy file is missing (\"strategy\")".to_owned()));
        }
        let departures = departures.into_iter().map(departure).collect::<Result<_, _>>()?;
        let known = Outcome::ALL.into_iter().find(|known| known.key() == outcome);
        let outcome =
            known.ok_or_else(|| TraceError::Member(format!("{outcome:?} is no outcome: both, alone_1, alone_2 or neither")))?;
        let beginning = Beginning { ordered, coin };
        Ok(Self { protocol, kept: Kept { beginning, captured: captured(&numbers)?, departures, outcome } })
    }

    /// As it is kept, with the protocol in words.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, title: &str) -> Result<String, TraceError> {
        let departures: Vec<DepartureShape> = self.kept.departures.iter().map(departure_shape).collect();
        let Beginning { ordered, coin } = self.kept.beginning;
        Ok(Document::new(Kind::Generals)
            .member("title", &title)?
            .member("protocol", &self.protocol)?
            .member("ordered", &ordered)?
            .member("coin", &coin)?
            .member("captured", &stretches(&self.kept.captured))?
            .list("departures", &departures)?
            .member("outcome", &self.kept.outcome.key())?
            .finish())
    }
}

fn departure(shape: DepartureShape) -> Result<Departure, TraceError> {
    let DepartureShape { round, from, says, messengers, arrived } = shape;
    let Some(from) = Camp::BOTH.into_iter().find(|camp| camp.number() == from) else {
        return Err(TraceError::Member(format!("a departure is from general {from}; there are generals 1 and 2")));
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
pub fn parse_captured(text: &str) -> Result<BTreeSet<usize>, String> {
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

fn captured(shapes: &[CapturedShape]) -> Result<BTreeSet<usize>, TraceError> {
    let parts = shapes.iter().map(|shape| match shape {
        CapturedShape::One(number) => number.to_string(),
        CapturedShape::Stretch(text) => text.clone(),
    });
    let all = parts.map(|part| parse_captured(&part)).collect::<Result<Vec<_>, _>>();
    let all = all.map_err(|why| TraceError::Member(format!("captured: {why}")))?;
    Ok(all.into_iter().flatten().collect())
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
