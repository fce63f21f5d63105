//! The network between a coordinator and its participants: what is under way, as a set or as a multiset.

use std::str::FromStr;

use handfast_protocol::{Answer, Command, Definite, Operation, UndoTold};

use super::automaton::{ANSWERS, answer_number};

/// How messages under way are kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Network {
    /// A set of sent messages: what was sent once may arrive at any time, any number of times, or never.
    /// It covers loss, delay, duplication and reordering, and hides a message that was sent once and lost.
    Set,
    /// So many copies of each message at most (1 to 3): each may be lost, delivered, or delivered and kept. Longer flows
    /// fit where one copy is enough.
    Multiset {
        /// Copies of one message that fit; a further one is lost at once.
        capacity: u8,
    },
}

/// A network is written otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a network is set, or multiset:N with N from 1 to 3")]
pub struct NoNetwork;

impl Network {
    /// As it is typed: `set`, or `multiset:N`.
    #[must_use]
    pub fn typed(self) -> String {
        match self {
            Self::Set => "set".to_owned(),
            Self::Multiset { capacity } => format!("multiset:{capacity}"),
        }
    }
}

impl FromStr for Network {
    type Err = NoNetwork;

    /// Reads `set` and `multiset:N`, with N from 1 to 3.
    fn from_str(text: &str) -> Result<Self, NoNetwork> {
        match text.split_once(':') {
            None if text == "set" => Ok(Self::Set),
            Some(("multiset", copies)) => {
                let copies = copies.parse().ok().filter(|copies| (1..=3).contains(copies));
                copies.map(|capacity| Self::Multiset { capacity }).ok_or(NoNetwork)
            }
            None | Some(_) => Err(NoNetwork),
        }
    }
}

/// A message between the coordinator and a participant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Message {
    /// From the coordinator: something that is to be done. A look is none of these.
    Command(Command),
    /// From a participant, answering a command, or a look where what was there may count by itself.
    Answer(Command, Answer),
    /// From the coordinator: has it happened?
    Look(Look),
    /// From a participant: whoever looked found nothing that tells that it was done.
    Nothing(Look),
    /// From a participant: something else is in effect under the key of this step than was asked for.
    Differs {
        /// The step.
        step: usize,
    },
    /// From a participant: the undo of a step is under way, or has failed.
    Undo(usize, UndoTold),
    /// Whoever was asked to look found what was done still there, and says when the look left.
    Still(Look),
}

/// A look at the key of one step.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Look {
    /// The step.
    pub step: usize,
    /// When it left.
    pub left: Left,
}

/// When a look left, in a world where time stands still.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Left {
    /// While an act may be on the road beside it.
    Early,
    /// Once every act that was ever sent has arrived or died of old age, and nobody sends another.
    Late,
}

impl Left {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Early, Self::Late];
}

/// Three operations that change something, five answers to each, a look that leaves early or late, the two answers to it that
/// may count, that it found nothing, that something else is in effect, that it found it undone, that an undo is under way or
/// has failed, and that what was to be undone is still there.
const PER_STEP: u32 = 30;
const CHANGING: [Operation; 3] = [Operation::Act, Operation::Close, Operation::Undo];
const LOOK: u32 = 18;
const FOUND: u32 = 20;
const NEVER_TO_BE_FOUND: u32 = 21;
const NOTHING: u32 = 22;
const DIFFERS: u32 = 24;
const FOUND_UNDONE_AT: u32 = 25;
const UNDO: u32 = 26;
const STILL: u32 = 28;
const UNDO_TOLD: [UndoTold; 2] = [UndoTold::Accepted, UndoTold::Failed];

/// The answers to a look that may count: it is there, and it was refused.
pub(super) const FOUND_DONE: Answer = Answer::State(Definite::Done);
pub(super) const FOUND_REFUSED: Answer = Answer::State(Definite::Refused);
/// The answer to a look at an undo that was accepted.
pub(super) const FOUND_UNDONE: Answer = Answer::State(Definite::Undone);

/// The place of an operation among all of them, those that change something first.
pub(super) const fn operation_number(operation: Operation) -> u32 {
    match operation {
        Operation::Act => 0,
        Operation::Close => 1,
        Operation::Undo => 2,
        Operation::Look => 3,
    }
}

impl Message {
    /// The step that it is about.
    const fn step(self) -> usize {
        match self {
            Self::Command(Command { step, .. })
            | Self::Answer(Command { step, .. }, _)
            | Self::Look(Look { step, .. })
            | Self::Nothing(Look { step, .. })
            | Self::Undo(step, _)
            | Self::Still(Look { step, .. })
            | Self::Differs { step } => step,
        }
    }

    fn number(self) -> u32 {
        self.step() as u32 * PER_STEP
            + match self {
                Self::Answer(Command { operation: Operation::Look, .. }, FOUND_REFUSED) => NEVER_TO_BE_FOUND,
                Self::Answer(Command { operation: Operation::Look, .. }, FOUND_UNDONE) => FOUND_UNDONE_AT,
                Self::Answer(Command { operation: Operation::Look, .. }, _) => FOUND,
                Self::Undo(_, told) => UNDO + u32::from(told == UndoTold::Failed),
                Self::Still(Look { left, .. }) => STILL + left as u32,
                Self::Look(Look { left, .. }) => LOOK + left as u32,
                Self::Nothing(Look { left, .. }) => NOTHING + left as u32,
                Self::Differs { .. } => DIFFERS,
                Self::Command(Command { operation, .. }) => operation_number(operation),
                Self::Answer(Command { operation, .. }, answer) => {
                    3 + operation_number(operation) * ANSWERS.len() as u32 + answer_number(answer) as u32
                }
            }
    }

    fn numbered(number: u32) -> Self {
        let step = (number / PER_STEP) as usize;
        match number % PER_STEP {
            operation @ 0..3 => Self::Command(Command { step, operation: CHANGING[operation as usize] }),
            look @ LOOK..FOUND => Self::Look(Look { step, left: Left::ALL[(look - LOOK) as usize] }),
            nothing @ NOTHING..DIFFERS => Self::Nothing(Look { step, left: Left::ALL[(nothing - NOTHING) as usize] }),
            DIFFERS => Self::Differs { step },
            FOUND_UNDONE_AT => Self::Answer(Command { step, operation: Operation::Look }, FOUND_UNDONE),
            undo @ UNDO..STILL => Self::Undo(step, UNDO_TOLD[(undo - UNDO) as usize]),
            still @ STILL..PER_STEP => Self::Still(Look { step, left: Left::ALL[(still - STILL) as usize] }),
            FOUND => Self::Answer(Command { step, operation: Operation::Look }, FOUND_DONE),
            NEVER_TO_BE_FOUND => Self::Answer(Command { step, operation: Operation::Look }, FOUND_REFUSED),
            rest => {
                let rest = rest as usize - 3;
                let operation = CHANGING[rest / ANSWERS.len()];
                Self::Answer(Command { step, operation }, ANSWERS[rest % ANSWERS.len()])
            }
        }
    }
}

/// The messages under way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct UnderWay(u128);

impl Network {
    /// The largest number of steps whose messages fit.
    #[must_use]
    pub const fn max_steps(self) -> usize {
        (u128::BITS / (PER_STEP * self.bits())) as usize
    }

    const fn bits(self) -> u32 {
        match self {
            Self::Set | Self::Multiset { capacity: 0 | 1 } => 1,
            Self::Multiset { .. } => 2,
        }
    }

    const fn capacity(self) -> u128 {
        match self {
            Self::Set => 1,
            Self::Multiset { capacity } => capacity as u128,
        }
    }

    /// How many copies of a message are under way.
    #[must_use]
    pub fn copies(self, under_way: UnderWay, message: Message) -> u8 {
        let bits = self.bits();
        ((under_way.0 >> (message.number() * bits)) & ((1 << bits) - 1)) as u8
    }

    /// After a message was sent. Where its copies no longer fit, this one is lost.
    #[must_use]
    pub fn sent(self, under_way: UnderWay, message: Message) -> UnderWay {
        if u128::from(self.copies(under_way, message)) >= self.capacity() {
            return under_way;
        }
        UnderWay(under_way.0 + (1 << (message.number() * self.bits())))
    }

    /// After one copy of a message was delivered or lost. In a set it stays.
    #[must_use]
    pub fn consumed(self, under_way: UnderWay, message: Message) -> UnderWay {
        match self {
            Self::Set => under_way,
            Self::Multiset { .. } => UnderWay(under_way.0 - (1 << (message.number() * self.bits()))),
        }
    }

    /// After every copy of a message has died of old age, in a set too.
    #[must_use]
    pub fn died(self, under_way: UnderWay, message: Message) -> UnderWay {
        let bits = self.bits();
        UnderWay(under_way.0 & !(((1 << bits) - 1) << (message.number() * bits)))
    }

    /// After everything about one step has died of old age, in a set too.
    #[must_use]
    pub fn without_step(self, under_way: UnderWay, step: usize) -> UnderWay {
        let of_step = self.messages(under_way).filter(|message| message.step() == step);
        of_step.fold(under_way, |under_way, message| self.died(under_way, message))
    }

    /// Every message of which at least one copy is under way, in order.
    pub fn messages(self, under_way: UnderWay) -> impl Iterator<Item = Message> {
        let bits = self.bits();
        let mut rest = under_way.0;
        std::iter::from_fn(move || {
            if rest == 0 {
                return None;
            }
            let number = rest.trailing_zeros() / bits;
            rest &= !(((1 << bits) - 1) << (number * bits));
            Some(Message::numbered(number))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_messages_are_one_to_one() {
        for number in 0..4 * PER_STEP {
            assert_eq!(Message::numbered(number).number(), number);
        }
    }
}
