//! Answers of one participant that mean nothing, by operation and status: each kind is told once, and counted from then on.

use std::collections::BTreeMap;

/// So many kinds are told apart at most.
const MOST: usize = 32;

/// A kind of answers that mean nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
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

/// The kinds that came.
#[derive(Debug, Default)]
pub(super) struct Odd(BTreeMap<(&'static str, u16), (u64, String)>);

impl Odd {
    /// Takes note of one. Says whether it is the first of its kind.
    pub(super) fn note(&mut self, operation: &'static str, status: u16, seen: &str) -> bool {
        if let Some((times, _)) = self.0.get_mut(&(operation, status)) {
            *times += 1;
            return false;
        }
        if self.0.len() >= MOST {
            return false;
        }
        self.0.insert((operation, status), (1, seen.to_owned()));
        true
    }

    pub(super) fn all(&self) -> Vec<NotUnderstood> {
        let kinds = self.0.iter();
        kinds
            .map(|(&(operation, status), (times, seen))| NotUnderstood { operation, status, times: *times, seen: seen.clone() })
            .collect()
    }
}

/// A reason for which requests were not made: nobody was asked anything.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NotMade {
    /// What was to be asked for: `act`, `look`, `close` or `undo`.
    pub operation: &'static str,
    /// Why it could not be.
    pub why: String,
    /// How many there were.
    pub times: u64,
}

/// The reasons that there were.
#[derive(Debug, Default)]
pub(super) struct Unmade(BTreeMap<(&'static str, String), u64>);

impl Unmade {
    /// Takes note of one. Says whether it is the first of its kind.
    pub(super) fn note(&mut self, operation: &'static str, why: &str) -> bool {
        let kind = (operation, why.to_owned());
        if let Some(times) = self.0.get_mut(&kind) {
            *times += 1;
            return false;
        }
        if self.0.len() >= MOST {
            return false;
        }
        self.0.insert(kind, 1);
        true
    }

    pub(super) fn all(&self) -> Vec<NotMade> {
        self.0.iter().map(|((operation, why), times)| NotMade { operation, why: why.clone(), times: *times }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_told_once_and_there_are_not_too_many() {
        let mut odd = Odd::default();
        let told = (0..1_000).filter(|number| odd.note("act", 400 + number % 2, "no")).count();
        assert_eq!((told, odd.all()[1].times), (2, 500));
        let told = (0..1_000).filter(|&status| odd.note("look", status, "no")).count();
        assert_eq!((told, odd.all().len()), (MOST - 2, MOST));
    }
}
