//! How many lines of each kind are written: a few at once, then one every so often, and a count of what was left out.

use std::collections::BTreeMap;
use std::time::Duration;

/// So many lines of one kind may come at once.
const AT_ONCE: u32 = 20;
/// After this time one more line of a kind that had its share may come.
const ONE_EVERY: Duration = Duration::from_secs(1);

/// Whether a line is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Admitted {
    /// It is, and with it the number of lines of its kind that were left out before.
    Line { left_out: u64 },
    /// It is counted only.
    LeftOut,
}

/// What was written of every kind. There are as many kinds as there are places in the code that report something.
#[derive(Debug, Default)]
pub(super) struct Kinds(BTreeMap<&'static str, Kind>);

#[derive(Debug)]
struct Kind {
    /// So many lines may come at once.
    room: u32,
    /// Up to when room has been given back.
    given_back: Duration,
    /// When its last line was written.
    last: Duration,
    left_out: u64,
}

impl Kinds {
    /// Asks to write a line of this kind.
    pub(super) fn admit(&mut self, kind: &'static str, now: Duration) -> Admitted {
        let kind = self.of(kind, now);
        let earned = now.saturating_sub(kind.given_back).as_millis() / ONE_EVERY.as_millis();
        let earned = u32::try_from(earned).unwrap_or(u32::MAX);
        if earned > 0 {
            kind.room = kind.room.saturating_add(earned).min(AT_ONCE);
            kind.given_back = now;
        }
        if kind.room == 0 {
            kind.left_out += 1;
            return Admitted::LeftOut;
        }
        if kind.room == AT_ONCE {
            // Nothing was owed to it, so its time begins now.
            kind.given_back = now;
        }
        kind.room -= 1;
        kind.last = now;
        Admitted::Line { left_out: std::mem::take(&mut kind.left_out) }
    }

    /// Takes note of lines that were admitted and could not be written, and of what they would have told.
    pub(super) fn leave_out(&mut self, kind: &'static str, lines: u64) {
        self.of(kind, Duration::ZERO).left_out += lines;
    }

    /// The kinds of which lines were left out and nothing was written for so long, and how many. Each is told once.
    pub(super) fn overdue(&mut self, now: Duration, silence: Duration) -> Vec<(&'static str, u64)> {
        let is_overdue = |kind: &Kind| kind.left_out > 0 && now.saturating_sub(kind.last) >= silence;
        let overdue = self.0.iter_mut().filter(|(_, kind)| is_overdue(kind));
        overdue
            .map(|(name, kind)| {
                kind.last = now;
                (*name, std::mem::take(&mut kind.left_out))
            })
            .collect()
    }

    fn of(&mut self, kind: &'static str, now: Duration) -> &mut Kind {
        self.0.entry(kind).or_insert(Kind { room: AT_ONCE, given_back: now, last: now, left_out: 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_a_few_lines_and_a_count() {
        let mut kinds = Kinds::default();
        let second = Duration::from_secs;
        let written = (0..10_000).filter(|_| kinds.admit("flood", second(0)) == Admitted::Line { left_out: 0 }).count();
        assert_eq!(written, AT_ONCE as usize);
        assert_eq!(kinds.admit("trickle", second(0)), Admitted::Line { left_out: 0 }, "one kind takes no room of another");
        assert_eq!(kinds.admit("flood", Duration::from_millis(999)), Admitted::LeftOut);
        let told = 10_001 - u64::from(AT_ONCE);
        assert_eq!(kinds.admit("flood", second(1)), Admitted::Line { left_out: told });
        assert_eq!(kinds.admit("flood", second(1)), Admitted::LeftOut);
        assert_eq!(kinds.admit("flood", second(3)), Admitted::Line { left_out: 1 });
        assert_eq!(kinds.admit("flood", second(3)), Admitted::Line { left_out: 0 }, "two seconds give two lines");
    }

    #[test]
    fn what_was_left_out_is_told_even_if_nothing_more_comes() {
        let mut kinds = Kinds::default();
        for _ in 0..AT_ONCE + 5 {
            kinds.admit("flood", Duration::ZERO);
        }
        let silence = Duration::from_secs(5);
        assert_eq!(kinds.overdue(Duration::from_secs(4), silence), []);
        assert_eq!(kinds.overdue(Duration::from_secs(5), silence), [("flood", 5)]);
        assert_eq!(kinds.overdue(Duration::from_secs(60), silence), [], "once");
        kinds.leave_out("flood", 2);
        assert_eq!(kinds.overdue(Duration::from_secs(60), Duration::ZERO), [("flood", 2)]);
    }
}
