//! The protocols that ship, by name and with their parameters.

use std::fmt;

use handfast_protocol::generals::{Camp, RandomAttacker, ReadyReady, Strategy};

use crate::generals::table::Table;
use crate::generals::table::protocol::{Orders, Protocol};
use crate::generals::table::tabulate::{Limits, MOST_ROUNDS, TableError};

/// A protocol that ships.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Shipped {
    /// Strategy 1: general 1 sends `messengers` and attacks; general 2 attacks if at least one arrives.
    Always {
        /// The size of the wave.
        messengers: u32,
    },
    /// Strategy 2: general 2 answers with `replies` and attacks; general 1 attacks if at least one arrives.
    Reply {
        /// The size of general 1's wave.
        messengers: u32,
        /// The size of the reply wave.
        replies: u32,
    },
    /// Strategy 2 with one reply for every messenger that arrives.
    ReplyEach {
        /// The size of general 1's wave.
        messengers: u32,
    },
    /// Wave after wave in turn, each sent only if the one before it arrived.
    Handshake {
        /// The number of waves.
        steps: u32,
        /// The size of each.
        messengers: u32,
    },
    /// Levels of knowledge and a key that the enemy cannot see (Lynch 1996, section 5.2).
    RandomAttack {
        /// The number of rounds, and of sides of the coin.
        rounds: u32,
    },
    /// The electronic mail game (Rubinstein 1989): machines acknowledge automatically, and a general attacks once its
    /// own machine has sent `threshold` messages.
    Email {
        /// The number of messages, at least 1.
        threshold: u32,
    },
    /// A published "solution", refuted.
    ReadyReady {
        /// The tick of the deadline, from 0.
        last_tick: u32,
    },
}

/// What a protocol can be asked for in another size.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Parameter {
    /// Messengers in a wave, or in every step of a handshake.
    Messengers,
    /// Messengers in the reply wave.
    Replies,
    /// Steps of a handshake, or the threshold of email.
    Steps,
    /// Rounds of an exchange; for ready-ready the tick of the deadline.
    Rounds,
}

impl Parameter {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 4] = [Self::Messengers, Self::Replies, Self::Steps, Self::Rounds];

    /// Its name, as it is typed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Messengers => "messengers",
            Self::Replies => "replies",
            Self::Steps => "steps",
            Self::Rounds => "rounds",
        }
    }

    /// A number of them, in words: `1 step`, `3 steps`.
    #[must_use]
    pub fn counted(self, number: u32) -> String {
        let one = match self {
            Self::Messengers => "messenger",
            Self::Replies => "reply",
            Self::Steps => "step",
            Self::Rounds => "round",
        };
        format!("{number} {}", if number == 1 { one } else { self.name() })
    }

    /// Its size where none is given.
    #[must_use]
    pub const fn usual(self) -> u32 {
        match self {
            Self::Messengers | Self::Replies => 1,
            Self::Steps | Self::Rounds => 3,
        }
    }
}

/// The sizes that were given.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sizes([Option<u32>; 4]);

impl Sizes {
    /// Those of [`Parameter::ALL`], in this order.
    #[must_use]
    pub const fn new(given: [Option<u32>; 4]) -> Self {
        Self(given)
    }

    /// The size that was given.
    #[must_use]
    pub const fn of(&self, parameter: Parameter) -> Option<u32> {
        self.0[parameter as usize]
    }

    /// The size that was given, or the usual one.
    #[must_use]
    pub fn or_usual(&self, parameter: Parameter) -> u32 {
        self.of(parameter).unwrap_or(parameter.usual())
    }

    /// The same with this size.
    #[must_use]
    pub const fn with(mut self, parameter: Parameter, size: u32) -> Self {
        self.0[parameter as usize] = Some(size);
        self
    }

    /// What was given, with its size.
    pub fn given(&self) -> impl Iterator<Item = (Parameter, u32)> + '_ {
        Parameter::ALL.into_iter().filter_map(|parameter| Some((parameter, self.of(parameter)?)))
    }
}

/// A protocol that ships, before it has sizes.
#[derive(Debug)]
pub struct Shippable {
    /// Its name, as it is typed.
    pub name: &'static str,
    /// What can be asked for in another size.
    pub takes: &'static [Parameter],
    /// What grows where several sizes are compared.
    pub grows: Parameter,
    /// The least size of each.
    pub least: u32,
    make: fn(&Sizes) -> Shipped,
}

/// The one table of the protocols that ship.
const SHIPPED: [Shippable; 7] = {
    use Parameter::{Messengers, Replies, Rounds, Steps};
    [
        Shippable {
            name: "always",
            takes: &[Messengers],
            grows: Messengers,
            least: 1,
            make: |sizes| Shipped::Always { messengers: sizes.or_usual(Messengers) },
        },
        Shippable {
            name: "reply",
            takes: &[Messengers, Replies],
            grows: Messengers,
            least: 1,
            make: |sizes| Shipped::Reply { messengers: sizes.or_usual(Messengers), replies: sizes.or_usual(Replies) },
        },
        Shippable {
            name: "reply-each",
            takes: &[Messengers],
            grows: Messengers,
            least: 1,
            make: |sizes| Shipped::ReplyEach { messengers: sizes.or_usual(Messengers) },
        },
        Shippable {
            name: "handshake",
            takes: &[Steps, Messengers],
            grows: Messengers,
            least: 1,
            make: |sizes| Shipped::Handshake { steps: sizes.or_usual(Steps), messengers: sizes.or_usual(Messengers) },
        },
        Shippable {
            name: "random-attack",
            takes: &[Rounds],
            grows: Rounds,
            least: 1,
            make: |sizes| Shipped::RandomAttack { rounds: sizes.or_usual(Rounds) },
        },
        Shippable {
            name: "email",
            takes: &[Steps],
            grows: Steps,
            least: 1,
            make: |sizes| Shipped::Email { threshold: sizes.or_usual(Steps) },
        },
        Shippable {
            name: "ready-ready",
            takes: &[Rounds],
            grows: Rounds,
            least: 0,
            make: |sizes| Shipped::ReadyReady { last_tick: sizes.or_usual(Rounds) },
        },
    ]
};

/// The names of all protocols that ship, as they are typed.
#[must_use]
pub fn shipped_names() -> [&'static str; SHIPPED.len()] {
    SHIPPED.map(|shippable| shippable.name)
}

/// The protocol that is typed so.
#[must_use]
pub fn find_shipped(name: &str) -> Option<&'static Shippable> {
    const TABLE: &[Shippable] = &SHIPPED;
    TABLE.iter().find(|shippable| shippable.name == name)
}

/// A size that makes no sense.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SizeError {
    /// The protocol has no such parameter.
    NotTaken {
        /// The protocol.
        protocol: &'static str,
        /// The parameter.
        parameter: Parameter,
        /// Those that it has.
        takes: &'static [Parameter],
    },
    /// Nothing would be left to do.
    Nothing(Parameter),
}

impl fmt::Display for SizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotTaken { protocol, parameter, takes } => {
                let takes = takes.iter().map(|parameter| format!("--{}", parameter.name())).collect::<Vec<_>>().join(" and ");
                write!(f, "{protocol} has no --{}; it takes {takes}", parameter.name())
            }
            Self::Nothing(parameter) => write!(f, "--{} 0 leaves nothing to do; give at least 1", parameter.name()),
        }
    }
}

impl std::error::Error for SizeError {}

impl Shippable {
    /// The protocol with these sizes, and the usual ones where none is given.
    ///
    /// # Errors
    /// It does not take one of them, or one leaves nothing to do.
    pub fn sized(&'static self, sizes: &Sizes) -> Result<Shipped, SizeError> {
        let Self { name, takes, least, .. } = self;
        for (parameter, size) in sizes.given() {
            if !takes.contains(&parameter) {
                return Err(SizeError::NotTaken { protocol: name, parameter, takes });
            }
            if size < *least {
                return Err(SizeError::Nothing(parameter));
            }
        }
        Ok((self.make)(sizes))
    }
}

/// A number of things in words.
fn counted(number: u32, thing: &str) -> String {
    if number == 1 { format!("one {thing}") } else { format!("{number} {thing}s") }
}

impl Shipped {
    /// What it is in words, with its parameters.
    #[must_use]
    pub fn title(self) -> String {
        match self {
            Self::Always { messengers } => format!("Strategy 1: send {}, and attack", counted(messengers, "messenger")),
            Self::Reply { messengers: 1, replies: 1 } => "Strategy 2: attack only on a reply".to_owned(),
            Self::Reply { messengers, replies: 1 } => {
                format!("Strategy 2: send {}, attack only on the reply", counted(messengers, "messenger"))
            }
            Self::Reply { messengers, replies } => {
                format!("Strategy 2: send {}, attack only on one of {replies} replies", counted(messengers, "messenger"))
            }
            Self::ReplyEach { messengers } => {
                format!("Strategy 2: send {}, each is answered, attack only on a reply", counted(messengers, "messenger"))
            }
            Self::Handshake { steps, messengers: 1 } => format!("Handshake of {}", counted(steps, "step")),
            Self::Handshake { steps, messengers } => {
                format!("Handshake of {}, {messengers} messengers in each", counted(steps, "step"))
            }
            Self::RandomAttack { rounds } => format!("Random attack after {}", counted(rounds, "round")),
            Self::Email { threshold } => format!("Electronic mail game: attack after sending {}", counted(threshold, "message")),
            Self::ReadyReady { last_tick } => format!("Ready-ready: a published \"solution\", deadline at tick {last_tick}"),
        }
    }

    /// Refuses what is too large before anything is made of it: a wave is made whole, however large it is.
    fn check(self, limits: &Limits) -> Result<(), TableError> {
        let wave = |messengers: u32, camp, round| {
            let (messengers, limit) = (u64::from(messengers), limits.messengers);
            if messengers > limit { Err(TableError::Messengers { camp, round, messengers, limit }) } else { Ok(()) }
        };
        let lasts = |rounds: u64| if rounds > MOST_ROUNDS.into() { Err(TableError::Rounds { rounds }) } else { Ok(()) };
        match self {
            Self::Always { messengers } | Self::ReplyEach { messengers } => wave(messengers, Camp::First, 1),
            Self::Reply { messengers, replies } => wave(messengers, Camp::First, 1).and_then(|()| wave(replies, Camp::Second, 2)),
            Self::Handshake { steps, messengers } => lasts(steps.into()).and_then(|()| wave(messengers, Camp::First, 1)),
            Self::Email { threshold } => lasts(2 * u64::from(threshold)),
            Self::RandomAttack { rounds } => lasts(rounds.into()),
            Self::ReadyReady { last_tick } => lasts(u64::from(last_tick) + 1),
        }
    }

    /// The protocol, told everything that it can be told.
    ///
    /// # Errors
    /// It would hold more than `limits` allows.
    pub fn tabulate(self, limits: &Limits) -> Result<Table, TableError> {
        self.check(limits)?;
        let name = self.title();
        match self {
            Self::Always { messengers } => Protocol::waves(name, Strategy::always(messengers)).tabulate(limits),
            Self::Reply { messengers, replies } => Protocol::waves(name, Strategy::reply(messengers, replies)).tabulate(limits),
            Self::ReplyEach { messengers } => Protocol::waves(name, Strategy::reply_each(messengers)).tabulate(limits),
            Self::Handshake { steps, messengers } => {
                Protocol::waves(name, Strategy::handshake(steps, messengers)).tabulate(limits)
            }
            // Whether general 1 has sent its message number h is known after h - 1 answers, and general 2's after h messages:
            // what comes later changes nobody's decision.
            Self::Email { threshold } => {
                Protocol::waves(name, Strategy::handshake((2 * threshold).saturating_sub(1), 1)).tabulate(limits)
            }
            Self::RandomAttack { rounds } => {
                let begin =
                    move |beginning: crate::generals::Beginning| RandomAttacker::both(rounds, beginning.coin, beginning.ordered);
                Protocol::beginning(name, rounds, Orders::Each, rounds, begin).tabulate(limits)
            }
            Self::ReadyReady { last_tick } => {
                let begin = move |_| ReadyReady::both(last_tick);
                Protocol::beginning(name, last_tick.saturating_add(1), Orders::Nobody, 1, begin).tabulate(limits)
            }
        }
    }
}
