//! Turns of a wall clock: how much time has passed, where the clock was set by which times were written.

use std::collections::VecDeque;

use handfast_protocol::Time;

use crate::clock::signed;

/// At most this many turns are remembered; older ones are folded into the first of them.
const MOST_TURNS: usize = 64;

/// A wall clock was set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Turn {
    /// The time of journals right before, and right after.
    pub before: Time,
    /// The time of journals right after.
    pub after: Time,
    /// By how many milliseconds the time of journals leapt. Less than what lies between the two where this is several turns, since
    /// time has passed between them as well.
    pub leapt_ms: u64,
    /// By how many milliseconds the wall clock was set; negative if it was set back.
    pub by_ms: i64,
}

/// What is known of turns, oldest first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Turns(VecDeque<Turn>);

/// How much time has come since another one, by the clocks that there are; both count from the same arbitrary moment as the
/// times of journals do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Come {
    /// Without the leaps.
    pub(crate) plain: i64,
    /// By whichever clock is further.
    pub(crate) furthest: i64,
    /// By whichever clock is slower.
    pub(crate) slowest: i64,
}

impl Turn {
    /// One that happened at one moment.
    pub(crate) fn at_once(before: Time, after: Time, by_ms: i64) -> Self {
        Self { before, after, leapt_ms: after.0.saturating_sub(before.0), by_ms }
    }

    /// Whether this time was written before it happened. A time in between, at which nothing was ever read, is that of
    /// something that had been due.
    fn came_after(&self, written: Time) -> bool {
        written < self.after || written <= self.before
    }

    /// Whether it is not known how much of it had happened when this was written.
    fn is_vague_at(&self, written: Time) -> bool {
        let is_folded = self.leapt_ms < self.after.0.saturating_sub(self.before.0);
        is_folded && written > self.before && written < self.after
    }

    /// This one and the next as one.
    const fn with(self, next: Self) -> Self {
        let (leapt_ms, by_ms) = (self.leapt_ms.saturating_add(next.leapt_ms), self.by_ms.saturating_add(next.by_ms));
        Self { before: self.before, after: next.after, leapt_ms, by_ms }
    }
}

impl Turns {
    /// Adds one. None is forgotten: where they are too many, the two oldest become one.
    pub(crate) fn push(&mut self, turn: Turn) {
        self.0.push_back(turn);
        if self.0.len() > MOST_TURNS
            && let (Some(first), Some(second)) = (self.0.pop_front(), self.0.pop_front())
        {
            self.0.push_front(first.with(second));
        }
    }

    /// The newest of them, at most `number`.
    pub(crate) fn newest(&self, number: u64) -> impl Iterator<Item = Turn> {
        let skipped = self.0.len().saturating_sub(usize::try_from(number).unwrap_or(usize::MAX));
        self.0.iter().skip(skipped).copied()
    }

    /// Those of them that lead to no time later than this one.
    pub(crate) fn until(&self, at: Time) -> Self {
        Self(self.0.iter().filter(|turn| turn.after <= at).copied().collect())
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Turn> {
        self.0.iter().copied()
    }

    /// What a time of journals comes to for something that was written at another one.
    pub(crate) fn come(&self, at: Time, written: Time) -> Come {
        let count = |counts: &dyn Fn(&Turn) -> bool| {
            let turns = self.0.iter().filter(|turn| turn.came_after(written) && counts(turn));
            let (leapt, set) = turns.fold((0_i64, 0_i64), |(leapt, set), turn| {
                (leapt.saturating_add(signed(turn.leapt_ms)), set.saturating_add(turn.by_ms))
            });
            let steady = signed(at.0).saturating_sub(leapt);
            [steady, steady.saturating_add(set)]
        };
        let [plain, wall] = count(&|_| true);
        let [surely, wall_surely] = count(&|turn| !turn.is_vague_at(written));
        let all = [plain, wall, surely, wall_surely];
        let furthest = all.into_iter().fold(plain, i64::max);
        Come { plain, furthest, slowest: all.into_iter().fold(plain, i64::min) }
    }

    /// As a part of a line of text: one word for each.
    #[cfg(feature = "sqlite")]
    pub(crate) fn write(&self, line: &mut String) {
        for Turn { before, after, leapt_ms, by_ms } in self.iter() {
            line.push_str(&format!(" {},{},{leapt_ms},{by_ms}", before.0, after.0));
        }
    }

    /// What [`write`](Self::write) wrote. What is not one is left out.
    #[cfg(feature = "sqlite")]
    pub(crate) fn read<'a>(words: impl Iterator<Item = &'a str>) -> Self {
        let turn = |word: &str| {
            let mut numbers = word.split(',');
            let mut next = || numbers.next()?.parse().ok().map(Time);
            let (before, after, Time(leapt_ms)) = (next()?, next()?, next()?);
            Some(Turn { before, after, leapt_ms, by_ms: numbers.next()?.parse().ok()? })
        };
        let mut turns = Self::default();
        words.filter_map(turn).for_each(|turn| turns.push(turn));
        turns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: u64 = 3_600_000;
    const START: Time = Time(10 * HOUR_MS);

    /// A leap of an hour, and then as many steps to and fro as there is room for.
    fn leap_and_steps() -> (Turns, Time) {
        let (mut turns, mut now) = (Turns::default(), START.after(HOUR_MS));
        turns.push(Turn::at_once(START, now, 3_600_000));
        for number in 0..MOST_TURNS {
            now = now.after(30_000);
            let by_ms = if number % 2 == 0 { 150 } else { -150 };
            let after = if number == 0 { now.after(150) } else { now };
            turns.push(Turn::at_once(now, after, by_ms));
            now = after;
        }
        (turns, now)
    }

    #[test]
    fn a_leap_is_not_forgotten_for_many_small_steps() {
        let (turns, now) = leap_and_steps();
        assert_eq!(turns.iter().count(), MOST_TURNS);
        let passed = i64::try_from(30_000 * MOST_TURNS).unwrap();
        let come = turns.come(now, START);
        assert_eq!(come.plain - signed(START.0), passed, "neither the leap nor the steps");
        assert_eq!((come.slowest, come.furthest), (come.plain, come.plain + 3_600_000));
    }

    #[test]
    fn what_was_written_between_folded_turns_is_counted_by_the_worst_of_them() {
        // The clock leaps an hour, and later is set back to where it had been.
        let (leap, between) = (START.after(HOUR_MS), START.after(HOUR_MS + 5_000));
        let back = START.after(HOUR_MS + 10_000);
        let folded = Turn::at_once(START, leap, 3_600_000).with(Turn::at_once(back, back, -3_600_000));
        let turns = Turns([folded].into());
        let come = turns.come(back.after(20_000), between);
        // By boot time 25 s have passed since: what must stop counts at least those, and what has to be waited for no more.
        assert!(come.furthest - signed(between.0) >= 25_000 && come.slowest - signed(between.0) <= 25_000, "{come:?}");
        let before = turns.come(back.after(20_000), START);
        assert_eq!(before.plain - signed(START.0), 30_000);
    }

    /// Set back, the time of journals stands still: what bears the very moment was written before.
    #[test]
    fn what_was_written_in_the_moment_of_a_turn_was_written_before_it() {
        let back = Turns([Turn::at_once(START, START, -3_600_000)].into());
        let (then, later) = (START.after(10_000), START.after(20_000));
        let come = back.come(later, START);
        assert_eq!((come.plain, come.slowest), (signed(later.0), signed(later.0) - 3_600_000));
        assert_eq!(back.come(later, then).slowest, signed(later.0), "what came after it knows the clock as it is");
    }

    #[test]
    fn turns_that_lead_to_a_later_time_are_left_out_and_the_newest_are_taken_from_the_end() {
        let at = |number: u64| START.after(number * 1_000);
        let turns = Turns([0, 1, 2, 3].map(|number| Turn::at_once(at(number), at(number), 1)).into());
        let times = |turns: &mut dyn Iterator<Item = Turn>| turns.map(|turn| turn.after).collect::<Vec<_>>();
        assert_eq!(times(&mut turns.until(at(1)).iter()), [at(0), at(1)]);
        assert_eq!(times(&mut turns.newest(2)), [at(2), at(3)]);
        assert_eq!(turns.newest(9).count(), 4);
    }

    #[test]
    fn they_come_back_as_they_were() {
        let (turns, _) = leap_and_steps();
        let mut line = String::new();
        turns.write(&mut line);
        assert_eq!(Turns::read(line.split_whitespace()), turns);
        assert_eq!(Turns::read(["1,2", "x,1,1,1", "1,2,1,-5"].into_iter()).iter().count(), 1);
    }
}
