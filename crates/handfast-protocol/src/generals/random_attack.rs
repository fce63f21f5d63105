//! The generals toss a coin that the enemy cannot see: after Lynch, *Distributed Algorithms* (1996), section 5.2.
//!
//! Each keeps a level, which says how deep its knowledge goes: 0 at first, and one more than the highest level that it has
//! heard of the other. General 1 draws a key from 1 to the number of rounds. Whoever ends with the key, a level as high as
//! the key, and two generals willing, attacks. The two levels never differ by more than one, so at most one key in
//! all of them parts the generals.

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use super::{Camp, Choice};
use crate::party::{Input, Party, Time};

/// What a messenger carries: all that its sender knew at the start of the round.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Report {
    /// The sender's own level.
    pub level: u32,
    /// The key, where the sender knows it.
    pub key: Option<u32>,
    /// Whether general 1 and general 2 are willing to attack, where the sender knows it.
    pub willing: [Option<bool>; 2],
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "level {}", self.level)
    }
}

/// One of the two.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RandomAttacker {
    camp: Camp,
    rounds: u32,
    over: u32,
    knows: Report,
    /// The highest level of the other that was heard of, plus one: none is -1 in the book, and 0 here.
    other: u32,
}

impl RandomAttacker {
    /// Both generals, each willing to attack or not, with the key that general 1 has drawn from 1 to `rounds`.
    #[must_use]
    pub fn both(rounds: u32, key: u32, willing: [bool; 2]) -> [Self; 2] {
        Camp::BOTH.map(|camp| {
            let mut known = [None, None];
            known[camp.index()] = Some(willing[camp.index()]);
            let key = (camp == Camp::First).then_some(key);
            Self { camp, rounds, over: 0, knows: Report { level: 0, key, willing: known }, other: 0 }
        })
    }

    /// How deep this general's knowledge goes.
    #[must_use]
    pub const fn level(&self) -> u32 {
        self.knows.level
    }
}

impl Party for RandomAttacker {
    type Inbound = Report;
    type Outbound = Report;
    type Decision = Choice;

    fn step(&mut self, _now: Time, input: Input<Report>) {
        if self.over >= self.rounds {
            return;
        }
        match input {
            Input::Start => {}
            Input::Receive(report) => {
                self.knows.key = self.knows.key.or(report.key);
                for (known, told) in self.knows.willing.iter_mut().zip(report.willing) {
                    *known = known.or(told);
                }
                self.other = self.other.max(report.level + 1);
            }
            Input::Timeout => {
                self.knows.level = self.other;
                self.over += 1;
            }
        }
    }

    fn outbox(&self) -> Vec<Report> {
        if self.over < self.rounds { vec![self.knows] } else { Vec::new() }
    }

    fn deadline(&self) -> Option<Time> {
        (self.over < self.rounds).then(|| Time(u64::from(self.over) + 1))
    }

    fn decision(&self) -> Option<Choice> {
        let willing = self.knows.willing == [Some(true), Some(true)];
        let attacks = willing && self.knows.key.is_some_and(|key| self.knows.level >= key);
        (self.over >= self.rounds).then_some(if attacks { Choice::Attack } else { Choice::Stay })
    }
}
