//! Against whom an answer holds, in one notation for all of them.

use std::fmt::{self, Display};

use crate::generals::{Adversary, Ratio};

/// What may happen to messengers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Against {
    /// Each is captured with the same probability, independently; `None` for every probability p.
    Chance(Option<Ratio>),
    /// Every pattern of captures that this adversary may choose.
    Patterns(Adversary),
    /// Every pattern of captures, chosen without seeing the coin.
    Unseeing,
}

impl Against {
    /// What may happen, in words.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self {
            Self::Chance(None) => "every messenger is captured with probability p, independently".to_owned(),
            Self::Chance(Some(capture)) => format!("every messenger is captured with probability {capture}, independently"),
            Self::Patterns(adversary) => adversary.in_words(),
            Self::Unseeing => "any pattern of captures, the same for every side of the coin".to_owned(),
        }
    }
}

impl Display for Against {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chance(None) => f.write_str("iid:p"),
            Self::Chance(Some(capture)) => write!(f, "iid:{capture}"),
            Self::Patterns(adversary) => adversary.fmt(f),
            Self::Unseeing => f.write_str("any"),
        }
    }
}
