//! Strategies of waves: who sends how many messengers when, and on which condition each general attacks.
//!
//! ```text
//!             round 1             round 2                    the last round
//!   general 1 --wave 0-->                   --wave 2--> ...  attacks if its conditions hold, else stays
//!   general 2             <--wave 1--                   ...  attacks if its conditions hold, else stays
//! ```

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use super::{Camp, Choice};
use crate::party::{Input, Party, Time};

/// What a general can tell from its own view.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Condition {
    /// It was given the order.
    Ordered,
    /// It was not given the order.
    NotOrdered,
    /// Of these waves together at least so many messengers have arrived.
    Heard {
        /// The waves, by their place in [`Strategy::waves`].
        waves: Vec<usize>,
        /// The least number of messengers.
        at_least: u32,
    },
    /// Of these waves together fewer messengers have arrived.
    Missed {
        /// The waves, by their place in [`Strategy::waves`].
        waves: Vec<usize>,
        /// One more than the greatest number of messengers.
        fewer_than: u32,
    },
    /// At least one of these holds.
    Either(Vec<Condition>),
}

impl Condition {
    /// Raises each cap to the number of arrivals that makes a difference to this condition.
    fn raise(&self, caps: &mut [u32]) {
        let (waves, number) = match self {
            Self::Ordered | Self::NotOrdered => return,
            Self::Heard { waves, at_least } => (waves, *at_least),
            Self::Missed { waves, fewer_than } => (waves, *fewer_than),
            Self::Either(conditions) => return conditions.iter().for_each(|condition| condition.raise(caps)),
        };
        for &wave in waves {
            caps[wave] = caps[wave].max(number);
        }
    }
}

/// How many messengers a wave has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Size {
    /// So many.
    Fixed(u32),
    /// So many for every messenger of an earlier wave that has arrived.
    PerArrival {
        /// The earlier wave, by its place in [`Strategy::waves`].
        wave: usize,
        /// How many for each.
        each: u32,
    },
}

/// Messengers who leave together.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Wave {
    /// Who sends them.
    pub from: Camp,
    /// The round in which they leave, from 1.
    pub round: u32,
    /// How many they are.
    pub size: Size,
    /// They leave only if all of these hold at the start of the round.
    pub when: Vec<Condition>,
    /// What each of them says.
    pub says: Arc<str>,
}

/// What the two have agreed on: waves of messengers, and when each of them attacks.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Strategy {
    /// Every wave.
    pub waves: Vec<Wave>,
    /// General 1 and general 2 attack if all of their conditions hold at the end of the last round.
    pub attack_if: [Vec<Condition>; 2],
    /// The number of rounds before the hour of the attack.
    pub rounds: u32,
}

const fn heard(waves: Vec<usize>) -> Condition {
    Condition::Heard { waves, at_least: 1 }
}

impl Strategy {
    /// Strategy 1: general 1 sends `messengers` and attacks; general 2 attacks if at least one arrives.
    #[must_use]
    pub fn always(messengers: u32) -> Self {
        let first = Wave {
            from: Camp::First,
            round: 1,
            size: Size::Fixed(messengers),
            when: vec![Condition::Ordered],
            says: "attack at dawn".into(),
        };
        Self { waves: vec![first], attack_if: [vec![Condition::Ordered], vec![heard(vec![0])]], rounds: 1 }
    }

    /// Strategy 2: general 1 sends `messengers` and attacks if at least one of the `replies` arrives, which general 2
    /// sends, attacking itself, once a messenger has arrived.
    #[must_use]
    pub fn reply(messengers: u32, replies: u32) -> Self {
        Self::replying(messengers, Size::Fixed(replies))
    }

    /// Strategy 2 with one reply for every messenger that arrives.
    #[must_use]
    pub fn reply_each(messengers: u32) -> Self {
        Self::replying(messengers, Size::PerArrival { wave: 0, each: 1 })
    }

    fn replying(messengers: u32, replies: Size) -> Self {
        let mut strategy = Self::always(messengers);
        strategy.waves.push(Wave {
            from: Camp::Second,
            round: 2,
            size: replies,
            when: vec![heard(vec![0])],
            says: "agreed".into(),
        });
        strategy.attack_if[0].push(heard(vec![1]));
        strategy.rounds = 2;
        strategy
    }

    /// A handshake: wave after wave in turn, each sent only if the one before it arrived. A general attacks if every
    /// wave addressed to it has arrived; general 1 needs the order as well.
    #[must_use]
    pub fn handshake(steps: u32, messengers: u32) -> Self {
        let mut strategy = Self { waves: Vec::new(), attack_if: [vec![Condition::Ordered], Vec::new()], rounds: steps };
        for round in 1..=steps {
            let place = strategy.waves.len();
            let from = if round % 2 == 1 { Camp::First } else { Camp::Second };
            let when = place.checked_sub(1).map_or(Condition::Ordered, |before| heard(vec![before]));
            let says: Arc<str> = match round {
                1 => "attack at dawn".into(),
                2 => "agreed".into(),
                _ => alloc::format!("your {} arrived", if round % 2 == 1 { "agreement" } else { "word" }).into(),
            };
            strategy.waves.push(Wave { from, round, size: Size::Fixed(messengers), when: vec![when], says });
            strategy.attack_if[from.other().index()].push(heard(vec![place]));
        }
        strategy
    }

    /// How many arrivals of each wave make a difference to anybody; more of them are not told apart.
    fn caps(&self) -> Vec<u32> {
        let mut caps = vec![0; self.waves.len()];
        let conditions = self.waves.iter().flat_map(|wave| &wave.when).chain(self.attack_if.iter().flatten());
        conditions.for_each(|condition| condition.raise(&mut caps));
        for wave in &self.waves {
            if let Size::PerArrival { wave, .. } = wave.size {
                caps[wave] = u32::MAX;
            }
        }
        caps
    }
}

/// What a messenger of a wave carries.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Tidings {
    /// The wave to which the messenger belongs, by its place in [`Strategy::waves`].
    pub wave: usize,
    /// What the messenger says.
    pub words: Arc<str>,
}

impl fmt::Display for Tidings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

/// A general who follows a [`Strategy`].
///
/// It counts the arrivals of a wave only as far as the count can make a difference, so that a thousand messengers lead
/// to as few states as one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct General {
    camp: Camp,
    ordered: bool,
    /// The rounds that are over.
    over: u32,
    /// How many of each wave have arrived, none counted beyond its cap.
    heard: Vec<u32>,
    caps: Arc<[u32]>,
    strategy: Arc<Strategy>,
}

impl General {
    /// Both generals, who know the strategy, and of whom the first may have been given the order.
    #[must_use]
    pub fn both(strategy: Arc<Strategy>, ordered: bool) -> [Self; 2] {
        let caps: Arc<[u32]> = strategy.caps().into();
        Camp::BOTH.map(|camp| Self {
            camp,
            ordered: ordered && camp == Camp::First,
            over: 0,
            heard: vec![0; caps.len()],
            caps: Arc::clone(&caps),
            strategy: Arc::clone(&strategy),
        })
    }

    fn holds(&self, condition: &Condition) -> bool {
        let arrived = |waves: &[usize]| waves.iter().map(|&wave| u64::from(self.heard[wave])).sum::<u64>();
        match condition {
            Condition::Ordered => self.ordered,
            Condition::NotOrdered => !self.ordered,
            Condition::Either(conditions) => conditions.iter().any(|condition| self.holds(condition)),
            Condition::Heard { waves, at_least } => arrived(waves) >= u64::from(*at_least),
            Condition::Missed { waves, fewer_than } => arrived(waves) < u64::from(*fewer_than),
        }
    }

    fn size(&self, wave: &Wave) -> u32 {
        match wave.size {
            Size::Fixed(messengers) => messengers,
            Size::PerArrival { wave, each } => self.heard[wave].saturating_mul(each),
        }
    }
}

impl Party for General {
    type Inbound = Tidings;
    type Outbound = Tidings;
    type Decision = Choice;

    fn step(&mut self, _now: Time, input: Input<Tidings>) {
        // What arrives after the hour has struck changes nothing: the decision is final.
        if self.over >= self.strategy.rounds {
            return;
        }
        match input {
            Input::Start => {}
            Input::Receive(tidings) => {
                if let (Some(heard), Some(&cap)) = (self.heard.get_mut(tidings.wave), self.caps.get(tidings.wave)) {
                    *heard = heard.saturating_add(1).min(cap);
                }
            }
            Input::Timeout => self.over += 1,
        }
    }

    fn outbox(&self) -> Vec<Tidings> {
        let mut outbox = Vec::new();
        for (place, wave) in self.strategy.waves.iter().enumerate() {
            let leaves = wave.from == self.camp && wave.round == self.over + 1 && wave.when.iter().all(|when| self.holds(when));
            if leaves {
                let tidings = Tidings { wave: place, words: Arc::clone(&wave.says) };
                outbox.resize(outbox.len() + self.size(wave) as usize, tidings);
            }
        }
        outbox
    }

    /// The end of the round.
    fn deadline(&self) -> Option<Time> {
        (self.over < self.strategy.rounds).then(|| Time(u64::from(self.over) + 1))
    }

    fn decision(&self) -> Option<Choice> {
        let attacks = || self.strategy.attack_if[self.camp.index()].iter().all(|condition| self.holds(condition));
        (self.over >= self.strategy.rounds).then(|| if attacks() { Choice::Attack } else { Choice::Stay })
    }
}

/// What this general knows and nothing of the strategy, which every state has in common.
impl fmt::Debug for General {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for General {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heard: Vec<String> = self.heard.iter().map(|heard| alloc::format!("{heard}")).collect();
        write!(f, "general {}, order {}, heard [{}]", self.camp.number(), self.ordered, heard.join(" "))
    }
}
