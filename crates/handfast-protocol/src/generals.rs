//! The problem itself: two generals, and the two strategies that one can think of first.
//!
//! Both must attack, or neither; a messenger between them may be captured, and the sender never knows.
//! Strategy 1 sends many messengers and attacks whatever happens; strategy 2 attacks only on a reply, which puts the
//! other general into the place that the first has left.

use alloc::vec;
use alloc::vec::Vec;

use crate::party::{Input, Party, Time};

/// What a messenger carries.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Tidings {
    /// From general 1: attack at the agreed time.
    Attack,
    /// From general 2: your message arrived, I shall attack.
    Agreed,
}

/// What a general does when the time has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Choice {
    /// Attacks, alone or not.
    Attack,
    /// Stays in the camp.
    Stay,
}

/// How the two generals have agreed to decide.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Strategy {
    /// Strategy 1: general 1 sends `messengers` and attacks; general 2 attacks if at least one arrives.
    Always {
        /// How many messengers general 1 sends.
        messengers: u32,
    },
    /// Strategy 2: general 1 sends `messengers` and attacks if at least one of the `replies` arrives, which general 2
    /// sends, attacking itself, once a messenger has arrived.
    Reply {
        /// How many messengers general 1 sends.
        messengers: u32,
        /// How many messengers general 2 sends back.
        replies: u32,
    },
}

/// Which of the two.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Camp {
    /// General 1, who may be given the order.
    First,
    /// General 2.
    Second,
}

/// One of the two generals. General 1 is told [`Input::Start`] when the order is given.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct General {
    camp: Camp,
    strategy: Strategy,
    ordered: bool,
    heard: bool,
    over: bool,
}

impl General {
    /// A general who knows the strategy, and nothing else yet.
    #[must_use]
    pub const fn new(camp: Camp, strategy: Strategy) -> Self {
        Self { camp, strategy, ordered: false, heard: false, over: false }
    }

    /// What the strategy says as soon as it is certain; `None` while a messenger may still change it.
    const fn resolve(&self) -> Option<Choice> {
        let attacks = match (self.camp, self.strategy) {
            (Camp::First, Strategy::Always { .. }) => self.ordered,
            (Camp::First, Strategy::Reply { .. }) => self.ordered && self.heard,
            (Camp::Second, Strategy::Always { .. } | Strategy::Reply { .. }) => self.heard,
        };
        match (attacks, self.over) {
            (true, _) => Some(Choice::Attack),
            (false, true) => Some(Choice::Stay),
            (false, false) => None,
        }
    }
}

impl Party for General {
    type Inbound = Tidings;
    type Outbound = Tidings;
    type Decision = Choice;

    fn step(&mut self, _now: Time, input: Input<Tidings>) {
        // What arrives after the hour has struck changes nothing: the decision is final.
        if self.over {
            return;
        }
        match (self.camp, input) {
            (Camp::First, Input::Start) => self.ordered = true,
            (Camp::First, Input::Receive(Tidings::Agreed)) | (Camp::Second, Input::Receive(Tidings::Attack)) => self.heard = true,
            (_, Input::Timeout) => self.over = true,
            (Camp::Second, Input::Start | Input::Receive(Tidings::Agreed)) | (Camp::First, Input::Receive(Tidings::Attack)) => {}
        }
    }

    fn outbox(&self) -> Vec<Tidings> {
        match (self.camp, self.strategy) {
            (Camp::First, Strategy::Always { messengers } | Strategy::Reply { messengers, .. }) if self.ordered => {
                vec![Tidings::Attack; messengers as usize]
            }
            (Camp::Second, Strategy::Reply { replies, .. }) if self.heard => vec![Tidings::Agreed; replies as usize],
            (Camp::First | Camp::Second, Strategy::Always { .. } | Strategy::Reply { .. }) => Vec::new(),
        }
    }

    /// The hour of the attack is the lab's to set, the same for both.
    fn deadline(&self) -> Option<Time> {
        (!self.over).then_some(Time(0))
    }

    fn decision(&self) -> Option<Choice> {
        self.resolve()
    }
}
