//! One run of two generals: how it began, every messenger and its fate, and what both did when the hour came.

use handfast_protocol::generals::{Camp, Choice};

use crate::generals::table::outcome::Outcome;
use crate::generals::table::protocol::Beginning;
use crate::generals::table::{MessageId, StateId, Table};

/// One messenger of a run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Journey {
    /// The round in which it left, from 1; it arrives in the same round or never.
    pub round: u32,
    /// Who sent it.
    pub from: Camp,
    /// What it carried, by its place in [`Table::messages`].
    pub message: MessageId,
    /// The city caught it.
    pub captured: bool,
}

/// A run of two generals.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Run {
    /// How it began.
    pub beginning: Beginning,
    /// Every messenger, in the order of sending: round by round, in each general 1's before general 2's.
    pub journeys: Vec<Journey>,
    /// The pair of states before the first round and after each.
    pub states: Vec<[StateId; 2]>,
    /// What the two did when the hour came.
    pub choices: [Choice; 2],
}

impl Run {
    /// The row of the problem's table that the run belongs to.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        Outcome::of(self.choices)
    }

    /// How many messengers were captured.
    #[must_use]
    pub fn captures(&self) -> u64 {
        self.journeys.iter().filter(|journey| journey.captured).count() as u64
    }

    /// The places in [`Run::journeys`] of those that were captured: together with the beginning they determine the run.
    pub fn captured(&self) -> impl Iterator<Item = usize> {
        self.journeys.iter().enumerate().filter(|(_, journey)| journey.captured).map(|(number, _)| number)
    }
}

impl Table {
    /// Plays a run out from one of the ways to begin. `captured` is asked once for every messenger actually sent, with
    /// its number from 0 in the order of sending.
    ///
    /// # Panics
    /// If there are not so many ways to begin.
    #[must_use]
    pub fn play(&self, start: usize, mut captured: impl FnMut(usize) -> bool) -> Run {
        let (beginning, mut pair) = self.starts[start];
        let mut journeys = Vec::new();
        let mut states = vec![pair];
        for (round, layer) in (1..).zip(&self.layers[..self.rounds()]) {
            let sends = layer.sends(pair);
            let rows = layer.rows(pair);
            for from in Camp::BOTH {
                let wave = &self.waves[sends[from.index()] as usize];
                let mut arrivals = vec![0; wave.groups.len()];
                for (group, arrived) in wave.groups.iter().zip(&mut arrivals) {
                    for _ in 0..group.size {
                        let journey = Journey { round, from, message: group.message, captured: captured(journeys.len()) };
                        *arrived += u32::from(!journey.captured);
                        journeys.push(journey);
                    }
                }
                let to = from.other().index();
                pair[to] = rows[to][wave.way(&arrivals)];
            }
            states.push(pair);
        }
        Run { beginning, journeys, states, choices: self.choices(pair) }
    }
}
