//! The rows of the problem's own table.

use handfast_protocol::generals::Choice;

/// What a general does, in a word.
pub(crate) const fn choice(choice: Choice) -> &'static str {
    match choice {
        Choice::Attack => "attack",
        Choice::Stay => "stay",
    }
}

/// How a run ends, as a row of the problem's table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Outcome {
    /// Both attack.
    Both,
    /// General 1 alone.
    Alone1,
    /// General 2 alone.
    Alone2,
    /// Nobody attacks.
    Neither,
}

impl Outcome {
    /// Every row, in the order in which results are given.
    pub const ALL: [Self; 4] = [Self::Both, Self::Alone1, Self::Alone2, Self::Neither];

    /// The row to which these choices of general 1 and general 2 belong.
    #[must_use]
    pub const fn of(choices: [Choice; 2]) -> Self {
        match choices {
            [Choice::Attack, Choice::Attack] => Self::Both,
            [Choice::Attack, Choice::Stay] => Self::Alone1,
            [Choice::Stay, Choice::Attack] => Self::Alone2,
            [Choice::Stay, Choice::Stay] => Self::Neither,
        }
    }

    /// Whether one attacks without the other: what must not happen.
    #[must_use]
    pub const fn is_alone(self) -> bool {
        matches!(self, Self::Alone1 | Self::Alone2)
    }

    /// The place of this row in [`Outcome::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::Both => 0,
            Self::Alone1 => 1,
            Self::Alone2 => 2,
            Self::Neither => 3,
        }
    }

    /// The row's name in JSON.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Alone1 => "alone_1",
            Self::Alone2 => "alone_2",
            Self::Neither => "neither",
        }
    }

    /// Its name where there is little room, as in a table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Alone1 => "1 alone",
            Self::Alone2 => "2 alone",
            Self::Neither => "neither",
        }
    }

    /// What becomes of the armies and the city.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Both => "both attack: the city is captured",
            Self::Alone1 => "1 alone: army 1 is defeated",
            Self::Alone2 => "2 alone: army 2 is defeated",
            Self::Neither => "neither attacks: nothing happens",
        }
    }
}
