//! Strategy files: waves of messengers, replies, thresholds, a deadline, and when each general attacks, as TOML.
//!
//! ```toml
//! rounds = 2                        # the hour of the attack comes after so many; the last wave's when left out
//!
//! [[wave]]
//! name = "order"
//! from = 1
//! round = 1                         # or [1, 3, 5], to send it again
//! messengers = 3
//! when = "ordered"
//! says = "attack at dawn"
//!
//! [[wave]]
//! name = "reply"
//! reply-to = "order"                # from the other general, a round later, if one of them arrived
//! messengers = 2                    # or per-arrival = 1
//!
//! [general-1]
//! attacks-if = ["ordered", "heard reply"]
//!
//! [general-2]
//! attacks-if = "heard order"
//! ```
//!
//! `docs/strategies.md` goes through it key by key. Whoever has such a file hands in its text: nothing is opened here.

mod condition;
mod wave;

#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;
use std::path::Path;

use handfast_protocol::generals::{Camp, Choice, Condition, Strategy};
use handfast_toml::{FileError, Source, Spanned, Table};

use self::condition::View;
use crate::generals::table::Table as Tabulated;
use crate::generals::table::protocol::Protocol;
use crate::generals::table::tabulate::{Limits, TableError};

/// A strategy file that was read and found sound.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StrategyFile {
    name: String,
    strategy: Strategy,
    file: String,
    text: String,
    /// Where each wave of the strategy stands, with its name.
    waves: Vec<(Range<usize>, String)>,
    /// Where the rules of the two generals stand.
    rules: [Range<usize>; 2],
}

/// Why there is no table of a strategy file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StrategyError {
    /// Something in it can never happen, or always does.
    Nonsense(FileError),
    /// It is too large.
    TooLarge {
        /// The file.
        file: String,
        /// The bound.
        error: TableError,
    },
}

impl fmt::Display for StrategyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nonsense(error) => error.fmt(f),
            Self::TooLarge { file, error } => write!(f, "{file}: {error}"),
        }
    }
}

impl std::error::Error for StrategyError {}

impl StrategyFile {
    /// Reads the text of a strategy file; `file` is what messages call it.
    ///
    /// # Errors
    /// What is wrong with it, with its line, and what to do.
    pub fn parse(file: &str, text: &str) -> Result<Self, FileError> {
        let source = Source { file, text };
        let root = source.parse()?;
        let table = Table::new(source, root.get_ref(), 0..0, "a strategy");
        table.only(&["name", "rounds", "wave", "general-1", "general-2"])?;
        let name = read_name(source, &table)?;
        let waves = wave::read_all(source, &table)?;
        let mut attack_if = [Vec::new(), Vec::new()];
        let mut rules = [0..0, 0..0];
        for camp in Camp::BOTH {
            let view = View { source, waves: &waves.named, camp, asker: None, round: waves.last_round + 1 };
            (rules[camp.index()], attack_if[camp.index()]) = read_rule(&view, &table)?;
        }
        let names = waves.named.iter().flat_map(|named| named.rounds.iter().map(|_| named.name.clone()));
        Ok(Self {
            name,
            strategy: Strategy { waves: waves.waves, attack_if, rounds: waves.last_round },
            file: file.to_owned(),
            text: text.to_owned(),
            waves: waves.spans.into_iter().zip(names).collect(),
            rules,
        })
    }

    /// The strategy, told everything that it can be told.
    ///
    /// # Errors
    /// It would hold more than `limits` allows; or a wave never leaves, or a general never attacks, or always.
    pub fn tabulate(&self, limits: &Limits) -> Result<Tabulated, StrategyError> {
        // Every wave says its place, so that the table tells which of them ever leave.
        let mut strategy = self.strategy.clone();
        for (place, wave) in strategy.waves.iter_mut().enumerate() {
            wave.says = place.to_string().into();
        }
        let table = Protocol::waves(&self.name, strategy).tabulate(limits);
        let mut table = table.map_err(|error| StrategyError::TooLarge { file: self.file.clone(), error })?;
        self.check_waves(&table)?;
        Camp::BOTH.into_iter().try_for_each(|camp| self.check_rule(&table, camp))?;
        for message in &mut table.messages {
            let wave = message.parse().ok().and_then(|place: usize| self.strategy.waves.get(place));
            if let Some(wave) = wave {
                *message = wave.says.as_ref().into();
            }
        }
        Ok(table)
    }

    fn nonsense(&self, span: &Range<usize>, message: String) -> StrategyError {
        StrategyError::Nonsense(Source { file: &self.file, text: &self.text }.error(span.clone(), message))
    }

    fn check_waves(&self, table: &Tabulated) -> Result<(), StrategyError> {
        let left = |place: usize| table.messages.contains(&place.to_string());
        let Some(never) = (0..self.waves.len()).find(|&place| !left(place)) else {
            return Ok(());
        };
        let (span, name) = &self.waves[never];
        let again = self.waves.iter().filter(|(_, other)| other == name).count() > 1;
        let round = if again { format!(" in round {}", self.strategy.waves[never].round) } else { String::new() };
        let message =
            format!("wave {name:?} never leaves{round}, whichever messengers are captured: what it waits for cannot all happen");
        Err(self.nonsense(span, format!("{message}; change its conditions")))
    }

    fn check_rule(&self, table: &Tabulated, camp: Camp) -> Result<(), StrategyError> {
        let states = &table.last().sides[camp.index()].decided;
        let attacks = states.iter().filter(|decided| **decided == Some(Choice::Attack)).count();
        let wrong = match attacks {
            0 => "never attacks, whichever messengers are captured: what its rule asks for cannot all happen",
            all if all == states.len() => "attacks in every run, ordered or not, whichever messengers are captured",
            _ => return Ok(()),
        };
        let message = format!("general {} {wrong}; change attacks-if", camp.number());
        Err(self.nonsense(&self.rules[camp.index()], message))
    }
}

/// The name in the file, or that of the file itself.
fn read_name(source: Source<'_>, table: &Table<'_, '_>) -> Result<String, FileError> {
    let Some(name) = table.text("name")? else {
        let stem = Path::new(source.file).file_stem();
        return Ok(stem.map_or_else(|| source.file.to_owned(), |stem| stem.to_string_lossy().into_owned()));
    };
    let text = *name.get_ref();
    if (1..=60).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    Err(source.error(name.span(), "the name of a strategy is 1 to 60 characters in one line"))
}

/// When this general attacks, and where that is said.
fn read_rule(view: &View<'_>, root: &Table<'_, '_>) -> Result<(Range<usize>, Vec<Condition>), FileError> {
    let (key, example) = match view.camp {
        Camp::First => ("general-1", "attacks-if = \"ordered\""),
        Camp::Second => ("general-2", "attacks-if = \"heard first\""),
    };
    let value = root.value(key).ok_or_else(|| root.missing(key, &format!("[{key}] with {example}")))?;
    let Some(table) = value.get_ref().as_table() else {
        return Err(view.source.error(value.span(), format!("{key} is a table, as in [{key}] with {example}")));
    };
    let table = Table::new(view.source, table, value.span(), format!("[{key}]"));
    table.only(&["attacks-if"])?;
    let texts = wave::read_conditions(view.source, &table, "attacks-if")?.ok_or_else(|| table.missing("attacks-if", example))?;
    let span = table.value("attacks-if").map_or_else(|| value.span(), Spanned::span);
    let rule = texts.iter().map(|text| condition::read(view, text)).collect::<Result<Vec<_>, _>>()?;
    Ok((span, rule))
}
