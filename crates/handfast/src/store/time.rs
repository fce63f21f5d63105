//! The clock of a store: the highest time of those who keep sagas in it, and who of them may be believed.

use handfast_protocol::Time;

use crate::clock::signed;

/// Further ahead than this nothing is ever put aside. A wake-up that is was written by another clock, and is due now.
pub const LONGEST_WAKE_UP_MS: u64 = 30 * 60 * 1000;

/// Whoever drives sagas tells its time at least this often, or counts as gone.
const ALIVE_MS: u64 = 30_000;

/// What a process says that the time is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClockMark {
    /// The time of its journals.
    pub at: Time,
    /// Which start of which machine the next number counts from.
    pub boot: String,
    /// Milliseconds since then, which nobody can set.
    pub boot_ms: u64,
    /// Which process it is.
    pub process: String,
}

/// A person's act: the time that a store keeps was never the time, and the present one counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TimeAcceptance {
    /// The present time, by the clock of whoever accepts it.
    pub mark: ClockMark,
    /// Who accepts it.
    pub by: String,
    /// The reason given.
    pub why: String,
}

/// What came of that.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TimeAccepted {
    /// The present time counts, instead of this one.
    Taken {
        /// What had counted.
        before: Time,
    },
    /// What the store keeps is not later than the present; nothing was done.
    NotLater,
    /// A process that goes by the store's time was there within the last half minute; nothing was done.
    Driven,
}

/// Judges whether the present time may take the place of what is kept.
pub(super) fn judge_acceptance(kept: Option<&ClockMark>, mine: &ClockMark) -> TimeAccepted {
    let Some(kept) = kept.filter(|kept| kept.at > mine.at) else { return TimeAccepted::NotLater };
    // Of another machine, or of another start of this one, nobody knows when it was written.
    let is_there = kept.boot == mine.boot && mine.boot_ms.checked_sub(kept.boot_ms).is_none_or(|age_ms| age_ms <= ALIVE_MS);
    if is_there { TimeAccepted::Driven } else { TimeAccepted::Taken { before: kept.at } }
}

/// What comes of comparing a process's clock with the store's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClockVerdict {
    /// They agree as well as was declared, or there is nobody to compare with.
    Agrees,
    /// Somebody else drives the sagas of this store now, by a clock from which this one is so many milliseconds away; negative
    /// if it is behind.
    Apart {
        /// How far.
        by_ms: i64,
    },
    /// Nobody else is there, but the store has seen a later time.
    Behind {
        /// How far.
        by_ms: u64,
    },
}

/// Compares a process's clock with what is kept, given how far clocks may be apart.
pub(super) fn judge(kept: Option<&ClockMark>, mine: &ClockMark, error_ms: u64) -> ClockVerdict {
    // A clock that this process saw being set is dealt with where it was seen.
    let Some(kept) = kept.filter(|kept| kept.process != mine.process) else { return ClockVerdict::Agrees };
    let age_ms = mine.boot_ms.checked_sub(kept.boot_ms).filter(|&age_ms| kept.boot == mine.boot && age_ms <= ALIVE_MS);
    if let Some(age_ms) = age_ms {
        let by_ms = signed(mine.at.0).saturating_sub(signed(kept.at.after(age_ms).0));
        if by_ms.unsigned_abs() > error_ms {
            return ClockVerdict::Apart { by_ms };
        }
    }
    match kept.at.0.saturating_sub(mine.at.0) {
        by_ms if by_ms > error_ms => ClockVerdict::Behind { by_ms },
        _within => ClockVerdict::Agrees,
    }
}

impl ClockMark {
    /// The same with the highest time.
    pub(super) fn highest(&self, kept: Option<&Self>) -> Self {
        Self { at: kept.map_or(self.at, |kept| kept.at.max(self.at)), ..self.clone() }
    }

    /// As a line of text, as a durable store keeps it.
    pub(super) fn write(&self) -> String {
        format!("{} {} {} {}", self.at.0, self.boot_ms, self.boot, self.process)
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(' ');
        let (at, boot_ms) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        Some(Self { at: Time(at), boot_ms, boot: parts.next()?.to_owned(), process: parts.next()?.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: u64 = 3_600_000;

    fn mark(at: u64, boot_ms: u64, process: &str) -> ClockMark {
        ClockMark { at: Time(at), boot: "b".to_owned(), boot_ms, process: process.to_owned() }
    }

    #[test]
    fn whoever_joins_others_has_to_agree_with_them() {
        let kept = mark(10 * HOUR_MS, 5_000, "one");
        let judge = |mine: &ClockMark| judge(Some(&kept), mine, 1_000);
        assert_eq!(judge(&mark(10 * HOUR_MS + 10_500, 15_000, "two")), ClockVerdict::Agrees);
        assert_eq!(judge(&mark(11 * HOUR_MS + 10_000, 15_000, "two")), ClockVerdict::Apart { by_ms: 3_600_000 });
        assert_eq!(judge(&mark(9 * HOUR_MS + 10_000, 15_000, "two")), ClockVerdict::Apart { by_ms: -3_600_000 });
        assert_eq!(judge(&mark(9 * HOUR_MS, 15_000, "one")), ClockVerdict::Agrees, "its own clock was turned");
    }

    #[test]
    fn where_nobody_is_left_only_an_earlier_time_is_suspect() {
        let kept = mark(10 * HOUR_MS, 5_000, "one");
        let judge = |mine: &ClockMark| judge(Some(&kept), mine, 1_000);
        assert_eq!(judge(&mark(11 * HOUR_MS, 60_000, "two")), ClockVerdict::Agrees);
        assert_eq!(judge(&mark(9 * HOUR_MS, 60_000, "two")), ClockVerdict::Behind { by_ms: HOUR_MS });
        let elsewhere = ClockMark { boot: "c".to_owned(), ..mark(10 * HOUR_MS - 999, 6_000, "two") };
        assert_eq!(judge(&elsewhere), ClockVerdict::Agrees);
    }

    #[test]
    fn the_present_is_accepted_where_nobody_goes_by_what_is_kept() {
        let kept = mark(10 * HOUR_MS, 5_000, "one");
        let judge = |mine: &ClockMark| judge_acceptance(Some(&kept), mine);
        assert_eq!(judge(&mark(9 * HOUR_MS, 6_000, "two")), TimeAccepted::Driven);
        assert_eq!(judge(&mark(9 * HOUR_MS, 60_000, "two")), TimeAccepted::Taken { before: kept.at });
        assert_eq!(judge(&mark(11 * HOUR_MS, 60_000, "two")), TimeAccepted::NotLater);
        let elsewhere = ClockMark { boot: "c".to_owned(), ..mark(9 * HOUR_MS, 1_000, "two") };
        assert_eq!(judge(&elsewhere), TimeAccepted::Taken { before: kept.at });
        assert_eq!(judge_acceptance(None, &elsewhere), TimeAccepted::NotLater);
    }

    #[test]
    fn a_mark_comes_back_as_it_was() {
        let kept = mark(10, 20, "p");
        assert_eq!(ClockMark::read(&kept.write()), Some(kept));
        assert_eq!(ClockMark::read("ten 20 b p"), None);
    }
}
