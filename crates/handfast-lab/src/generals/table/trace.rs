//! A kept run: how it began, which messengers were captured, and what came of it, to be executed again and compared.

use std::collections::BTreeSet;
use std::fmt::{self, Display};

use handfast_protocol::generals::Camp;

use crate::generals::table::Table;
use crate::generals::table::outcome::Outcome;
use crate::generals::table::protocol::Beginning;
use crate::generals::table::run::Run;

/// Messengers who left together and said the same.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Departure {
    /// The round in which they left, from 1.
    pub round: u32,
    /// Who sent them.
    pub from: Camp,
    /// What each of them said.
    pub says: String,
    /// How many they were.
    pub messengers: u64,
    /// How many of them arrived.
    pub arrived: u64,
}

impl Display for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { round, from, says, messengers, arrived } = self;
        write!(f, "in round {round} general {} sends {messengers} x {says:?}, of which {arrived} arrive", from.number())
    }
}

/// A run as it is kept: what determines it, and what it is compared with when it is executed again.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Kept {
    /// How it began.
    pub beginning: Beginning,
    /// The messengers that were captured, counted from 0 in the order of sending.
    pub captured: BTreeSet<usize>,
    /// Everything that was sent, in the order of sending.
    pub departures: Vec<Departure>,
    /// How it ended.
    pub outcome: Outcome,
}

/// Why a kept run is not what the protocol does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Astray {
    /// The protocol does not begin like this.
    Beginning(Beginning),
    /// A messenger is said to be captured that was never sent.
    NeverSent {
        /// Its number, from 0.
        messenger: usize,
        /// How many were sent.
        sent: usize,
    },
    /// Something else is sent, or something else arrives.
    Departure {
        /// The place in [`Kept::departures`], from 0.
        place: usize,
        /// What was kept; `None` if there was nothing more.
        kept: Option<Departure>,
        /// What the protocol does; `None` if it sends nothing more.
        found: Option<Departure>,
    },
    /// It ends otherwise.
    Outcome {
        /// What was kept.
        kept: Outcome,
        /// What the protocol leads to.
        found: Outcome,
    },
}

impl Display for Astray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Beginning(Beginning { ordered: [first, second], coin }) => {
                write!(f, "the protocol has no run that begins with the orders [{first}, {second}] and the coin {coin}")
            }
            Self::NeverSent { messenger, sent: 0 } => {
                write!(f, "messenger {messenger} cannot be captured: with these captures none is sent")
            }
            Self::NeverSent { messenger, sent: 1 } => {
                write!(f, "messenger {messenger} cannot be captured: with these captures only messenger 0 is sent")
            }
            Self::NeverSent { messenger, sent } => {
                write!(f, "messenger {messenger} cannot be captured: with these captures messengers 0 to {} are sent", sent - 1)
            }
            Self::Departure { place, kept, found } => {
                let told = |departure: &Option<Departure>| {
                    departure.as_ref().map_or_else(|| "nothing more is sent".to_owned(), ToString::to_string)
                };
                write!(f, "departure {place} is another one: kept was that {}; now {}", told(kept), told(found))
            }
            Self::Outcome { kept, found } => {
                write!(f, "the outcome is another one: kept was {:?}, now it is {:?}", kept.key(), found.key())
            }
        }
    }
}

impl std::error::Error for Astray {}

impl Table {
    /// The place of a beginning in [`Table::starts`], if the protocol has it.
    #[must_use]
    pub fn start_of(&self, beginning: Beginning) -> Option<usize> {
        self.starts.iter().position(|&(start, _)| start == beginning)
    }

    /// The run that begins like this, in which exactly these messengers are captured, counted from 0 in the order of sending.
    ///
    /// # Errors
    /// The protocol has no such beginning, or one of the messengers is never sent.
    pub fn play_out(&self, beginning: Beginning, captured: &BTreeSet<usize>) -> Result<Run, Astray> {
        let start = self.start_of(beginning).ok_or(Astray::Beginning(beginning))?;
        let run = self.play(start, |messenger| captured.contains(&messenger));
        match captured.last() {
            Some(&messenger) if messenger >= run.journeys.len() => Err(Astray::NeverSent { messenger, sent: run.journeys.len() }),
            Some(_) | None => Ok(run),
        }
    }
}

impl Run {
    /// Everything that was sent, in the order of sending, those who left together and said the same as one.
    #[must_use]
    pub fn departures(&self, table: &Table) -> Vec<Departure> {
        let alike =
            self.journeys.chunk_by(|one, next| (one.round, one.from, one.message) == (next.round, next.from, next.message));
        alike
            .map(|journeys| Departure {
                round: journeys[0].round,
                from: journeys[0].from,
                says: table.messages[journeys[0].message as usize].clone(),
                messengers: journeys.len() as u64,
                arrived: journeys.iter().filter(|journey| !journey.captured).count() as u64,
            })
            .collect()
    }
}

impl Kept {
    /// The run of this table, as it is kept.
    #[must_use]
    pub fn new(table: &Table, run: &Run) -> Self {
        Self {
            beginning: run.beginning,
            captured: run.captured().collect(),
            departures: run.departures(table),
            outcome: run.outcome(),
        }
    }

    /// Executes it again.
    ///
    /// # Errors
    /// The first place at which the protocol does something else than was kept.
    pub fn replay(&self, table: &Table) -> Result<Run, Astray> {
        let start = table.start_of(self.beginning).ok_or(Astray::Beginning(self.beginning))?;
        let run = table.play(start, |messenger| self.captured.contains(&messenger));
        let found = run.departures(table);
        for place in 0..self.departures.len().max(found.len()) {
            let (kept, found) = (self.departures.get(place), found.get(place));
            if kept != found {
                return Err(Astray::Departure { place, kept: kept.cloned(), found: found.cloned() });
            }
        }
        let found = run.outcome();
        if found != self.outcome {
            return Err(Astray::Outcome { kept: self.outcome, found });
        }
        table.play_out(self.beginning, &self.captured)
    }
}
