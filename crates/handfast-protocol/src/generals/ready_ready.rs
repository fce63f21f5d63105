//! A published "solution" of the two generals' problem, kept because its refutation teaches: each side climbs through
//! phases as it sees the other climb, and attacks once both are ready.
//!
//! ```text
//!   Init < Commit --seen >= Commit--> Double --seen >= Double--> Ready = seen: attacks
//! ```

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use super::Choice;
use crate::party::{Input, Party, Time};

/// How far a general has come. Both start at [`Phase::Commit`], having seen [`Phase::Init`] of the other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Phase {
    /// Nothing yet.
    Init,
    /// Committed.
    Commit,
    /// Committed, and has seen the other committed.
    Double,
    /// Has seen the other so.
    Ready,
}

/// What a messenger carries.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Sighting {
    /// The sender's own phase.
    pub phase: Phase,
    /// The highest phase that it has seen of the other.
    pub seen: Phase,
}

impl fmt::Display for Sighting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.phase {
            Phase::Init => "init",
            Phase::Commit => "commit",
            Phase::Double => "double",
            Phase::Ready => "ready",
        })
    }
}

/// One of the two; both are alike.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ReadyReady {
    last_tick: u32,
    tick: u32,
    own: Sighting,
}

impl ReadyReady {
    /// Both generals, who give up at the end of tick `last_tick`, counted from 0.
    #[must_use]
    pub const fn both(last_tick: u32) -> [Self; 2] {
        [Self { last_tick, tick: 0, own: Sighting { phase: Phase::Commit, seen: Phase::Init } }; 2]
    }
}

impl Party for ReadyReady {
    type Inbound = Sighting;
    type Outbound = Sighting;
    type Decision = Choice;

    fn step(&mut self, _now: Time, input: Input<Sighting>) {
        if self.tick > self.last_tick {
            return;
        }
        match input {
            Input::Start => {}
            Input::Receive(sighting) => self.own.seen = self.own.seen.max(sighting.phase),
            Input::Timeout => {
                self.own.phase = match self.own.phase {
                    Phase::Commit if self.own.seen >= Phase::Commit => Phase::Double,
                    Phase::Double if self.own.seen >= Phase::Double => Phase::Ready,
                    unchanged @ (Phase::Init | Phase::Commit | Phase::Double | Phase::Ready) => unchanged,
                };
                self.tick += 1;
            }
        }
    }

    fn outbox(&self) -> Vec<Sighting> {
        if self.tick <= self.last_tick { vec![self.own] } else { Vec::new() }
    }

    /// The end of the tick.
    fn deadline(&self) -> Option<Time> {
        (self.tick <= self.last_tick).then(|| Time(u64::from(self.tick) + 1))
    }

    fn decision(&self) -> Option<Choice> {
        if self.own == (Sighting { phase: Phase::Ready, seen: Phase::Ready }) {
            return Some(Choice::Attack);
        }
        (self.tick > self.last_tick).then_some(Choice::Stay)
    }
}
