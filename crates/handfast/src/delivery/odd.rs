//! Answers of one participant that mean nothing, by operation and status: each kind is told once, and counted from then on.

use std::collections::BTreeMap;

/// At most this many kinds are told apart.
const MOST: usize = 32;

/// A kind of answers that mean nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct NotUnderstood {
    /// What was asked for: `act`, `look`, `close` or `undo`.
    pub operation: &'static str,
    /// The status of the answers.
    pub status: u16,
    /// How many there were.
    pub times: u64,
    /// What was seen of the first, in plain words, with how its body begins.
    pub seen: String,
}

/// Kinds of what came, each with how often it did, and what was seen of the first.
#[derive(Debug)]
pub(super) struct Kinds<K, S>(BTreeMap<K, (u64, S)>);

/// Answers that mean nothing, by operation and status.
pub(super) type Odd = Kinds<(&'static str, u16), String>;

/// Requests that were not made, by operation and reason.
pub(super) type Unmade = Kinds<(&'static str, String), ()>;

impl<K, S> Default for Kinds<K, S> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord, S> Kinds<K, S> {
    /// Takes note of one. Says whether it is the first of its kind.
    pub(super) fn note(&mut self, kind: K, seen: impl FnOnce() -> S) -> bool {
        if let Some((times, _)) = self.0.get_mut(&kind) {
            *times += 1;
            return false;
        }
        if self.0.len() >= MOST {
            return false;
        }
        self.0.insert(kind, (1, seen()));
        true
    }
}

impl Odd {
    pub(super) fn all(&self) -> Vec<NotUnderstood> {
        let kinds = self.0.iter();
        kinds
            .map(|(&(operation, status), (times, seen))| NotUnderstood { operation, status, times: *times, seen: seen.clone() })
            .collect()
    }
}

/// A reason for which requests were not made: nothing was sent to a participant.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct NotMade {
    /// What was to be asked for: `act`, `look`, `close` or `undo`.
    pub operation: &'static str,
    /// Why it could not be.
    pub why: String,
    /// How many there were.
    pub times: u64,
}

impl Unmade {
    pub(super) fn all(&self) -> Vec<NotMade> {
        self.0.iter().map(|((operation, why), (times, ()))| NotMade { operation, why: why.clone(), times: *times }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_told_once_and_there_are_not_too_many() {
        let mut odd = Odd::default();
        let told = (0..1_000).filter(|number| odd.note(("act", 400 + number % 2), || "no".to_owned())).count();
        assert_eq!((told, odd.all()[1].times), (2, 500));
        let told = (0..1_000).filter(|&status| odd.note(("look", status), || "no".to_owned())).count();
        assert_eq!((told, odd.all().len()), (MOST - 2, MOST));
    }
}
