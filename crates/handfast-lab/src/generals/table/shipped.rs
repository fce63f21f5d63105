//! The protocols that ship, by name and with their parameters.

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

/// A number of things in words.
fn counted(number: u32, thing: &str) -> String {
    if number == 1 { format!("one {thing}") } else { format!("{number} {thing}s") }
}

impl Shipped {
    /// The names of all of them, as they are typed.
    pub const NAMES: [&'static str; 7] = ["always", "reply", "reply-each", "handshake", "random-attack", "email", "ready-ready"];

    /// The name, as it is typed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Always { .. } => "always",
            Self::Reply { .. } => "reply",
            Self::ReplyEach { .. } => "reply-each",
            Self::Handshake { .. } => "handshake",
            Self::RandomAttack { .. } => "random-attack",
            Self::Email { .. } => "email",
            Self::ReadyReady { .. } => "ready-ready",
        }
    }

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
