//! The problem itself: two generals who must attack together or not at all, and what they can agree on.
//!
//! Both must attack, or neither; a messenger between them may be captured, and the sender never knows. Time is counted
//! in rounds: what [`Party::outbox`](crate::Party::outbox) holds at the start of a round leaves then and arrives in the same
//! round or never, and every round ends with a [`Timeout`](crate::Input::Timeout) at the [`Time`](crate::Time) of its number,
//! from 1, where the general asked for one.
//!
//! - [`Strategy`]: waves of messengers with conditions. Both strategies of the problem are of this kind, so are
//!   handshakes of any length and what a strategy file says.
//! - [`RandomAttacker`]: the generals toss a coin that the enemy cannot see.
//! - [`ReadyReady`]: a published solution, which is none.

mod random_attack;
mod ready_ready;
mod strategy;

pub use random_attack::{RandomAttacker, Report};
pub use ready_ready::{Phase, ReadyReady, Sighting};
pub use strategy::{Condition, General, Size, Strategy, Tidings, Wave};

/// What a general does when the time has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Choice {
    /// Attacks, alone or not.
    Attack,
    /// Stays in the camp.
    Stay,
}

/// Which of the two.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Camp {
    /// General 1.
    First,
    /// General 2.
    Second,
}

impl Camp {
    /// Both, in order.
    pub const BOTH: [Self; 2] = [Self::First, Self::Second];

    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }

    /// The place of this general in a list of both: 0 or 1.
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::First => 0,
            Self::Second => 1,
        }
    }

    /// The general's number, as the problem has it: 1 or 2.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::First => 1,
            Self::Second => 2,
        }
    }
}
