//! What the city may do: which of the messengers that are sent it can capture.

use std::fmt::{self, Display};
use std::str::FromStr;

/// Which patterns of captures are possible. Rounds are synchronous, and nothing but captures is the city's choice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Adversary {
    /// Any of the messengers that are sent may be captured.
    Any,
    /// At most so many messengers are captured in a whole run.
    AtMost(u64),
    /// At most so many messengers are captured in each round, those of both generals taken together.
    PerRound(u64),
}

impl Adversary {
    /// Whether so many captures in one round, and so many in the whole run so far, are possible.
    #[must_use]
    pub const fn allows(self, in_round: u64, in_all: u64) -> bool {
        match self {
            Self::Any => true,
            Self::AtMost(most) => in_all <= most,
            Self::PerRound(most) => in_round <= most,
        }
    }

    /// What it may do, in words.
    #[must_use]
    pub fn in_words(self) -> String {
        let some = |most: u64| match most {
            0 => "no messenger is captured".to_owned(),
            1 => "at most one messenger is captured".to_owned(),
            _ => format!("at most {most} messengers are captured"),
        };
        match self {
            Self::Any => "any of the messengers that are sent may be captured".to_owned(),
            Self::AtMost(most) => format!("{} in all", some(most)),
            Self::PerRound(most) => format!("{} in each round", some(most)),
        }
    }
}

impl Display for Adversary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::AtMost(most) => write!(f, "at-most:{most}"),
            Self::PerRound(most) => write!(f, "per-round:{most}"),
        }
    }
}

/// What was typed names no adversary.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AdversaryError(String);

impl Display for AdversaryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(typed) = self;
        write!(
            f,
            "there is no adversary {typed:?}; give any, at-most:f (f captures in all) or per-round:k (k captures in each round)"
        )
    }
}

impl std::error::Error for AdversaryError {}

impl FromStr for Adversary {
    type Err = AdversaryError;

    /// Reads what [`Display`] writes.
    fn from_str(text: &str) -> Result<Self, AdversaryError> {
        let wrong = || AdversaryError(text.to_owned());
        let count = |digits: &str| {
            let plain = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
            plain.then(|| digits.parse().ok()).flatten().ok_or_else(wrong)
        };
        match text.split_once(':') {
            None if text == "any" => Ok(Self::Any),
            Some(("at-most", most)) => Ok(Self::AtMost(count(most)?)),
            Some(("per-round", most)) => Ok(Self::PerRound(count(most)?)),
            None | Some(_) => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_adversary_is_read_as_it_is_written() {
        for text in ["any", "at-most:0", "at-most:12", "per-round:1", "per-round:3"] {
            assert_eq!(text.parse::<Adversary>().map(|adversary| adversary.to_string()), Ok(text.to_owned()));
        }
        for text in
            ["", "all", "any:1", "at-most", "at-most:", "at-most:-1", "at-most:f", "per-round:+1", "at-most:99999999999999999999"]
        {
            assert!(text.parse::<Adversary>().is_err(), "{text}");
        }
    }
}
