//! The clock of a store: the highest time of those who keep sagas in it, and who of them may be believed.

use handfast_protocol::Time;

use crate::clock::signed;
use crate::turns::{Turn, Turns};

/// Further ahead than this nothing is ever put aside. A wake-up that is was written by another clock, and is due now.
pub const LONGEST_WAKE_UP_MS: u64 = 30 * 60 * 1000;

/// A process that drives sagas tells the store its time at least this often, or counts as gone.
const ALIVE_MS: u64 = 30_000;

/// What a process says that the time is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClockMark {
    /// The time of its journals.
    pub at: Time,
    /// What its wall clock shows.
    pub wall: Time,
    /// Which start of which machine the next number counts from.
    pub boot: String,
    /// Milliseconds since then, by a clock that cannot be set.
    pub boot_ms: u64,
    /// Which process it is.
    pub process: String,
    /// How often the wall clock was set: what it noticed and has told no store yet; in a store, everything that is known of it.
    pub turns: Turns,
}

/// A person's act: the time that a store keeps was never the time, and the present one counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TimeAcceptance {
    /// The present time, by the clock of the process that accepts it.
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
    // A mark of another machine, or of another start of this one, does not tell how long ago it was written.
    let is_there = kept.age_at(mine).is_some_and(|age_ms| age_ms <= ALIVE_MS);
    if is_there { TimeAccepted::Driven } else { TimeAccepted::Taken { before: kept.at } }
}

/// What comes of comparing a process's clock with the store's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClockVerdict {
    /// They agree as well as was declared, or there is no other process to compare with.
    Agrees,
    /// Another process drives the sagas of this store now, by a clock that differs from this one by `by_ms` milliseconds;
    /// negative if this one is behind.
    Apart {
        /// How far.
        by_ms: i64,
    },
    /// No other process drives the sagas, but the store has seen a later time.
    Behind {
        /// How far.
        by_ms: u64,
    },
}

/// What comes of telling a store the time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeptTime {
    /// What its own clock says of the process's.
    pub verdict: ClockVerdict,
    /// What the process takes over; nothing where it cannot be known what time it is by the store's clock.
    pub known: Option<StoreTime>,
}

/// What a store knows of the time, when it is told of one.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct StoreTime {
    /// The time of journals at that moment.
    pub at: Time,
    /// How often the wall clock was set.
    pub turns: Turns,
    /// By how many milliseconds it was set since the store was last told the time, if it was.
    pub unnoticed_ms: Option<i64>,
}

/// Judges a process's clock, and says what the time of journals is at that moment. Nothing is kept: the time only stamps the
/// act of a person.
pub(super) fn judge(kept: Option<&ClockMark>, mine: &ClockMark, error_ms: u64) -> (ClockVerdict, Time) {
    let (kept_time, _) = keep(kept, mine, error_ms);
    let since_boot = kept.and_then(|kept| Some(kept.at.0.saturating_add_signed(kept.apart_ms(mine)?)));
    // What a clock shows that was set since, or is another one, is no time for a journal before it is known as a turn.
    let at = since_boot.filter(|at| at.abs_diff(mine.at.0) > error_ms).map_or(mine.at, Time);
    (kept_time.verdict, at)
}

/// Compares a process's clock with what is kept, given how far clocks may be apart, and says what is kept from now on, if that
/// changes.
///
/// While the machine was not started again its own clock tells what time it has to be, however long ago the mark was made. What
/// the wall clock shows beyond that it was set to.
pub(super) fn keep(kept: Option<&ClockMark>, mine: &ClockMark, error_ms: u64) -> (KeptTime, Option<ClockMark>) {
    let Some(kept) = kept else { return agrees(mine.at, None, mine.clone()) };
    let Some(age_ms) = kept.apart_ms(mine) else {
        // Of another machine, or of another start of this one, it is not known how long ago that was.
        return match kept.at.0.saturating_sub(mine.at.0) {
            by_ms if by_ms > error_ms => (KeptTime { verdict: ClockVerdict::Behind { by_ms }, known: None }, None),
            _within => {
                let mut turns = kept.turns.clone();
                mine.turns.iter().for_each(|turn| turns.push(turn));
                agrees(mine.at, None, ClockMark { at: kept.at.max(mine.at), turns, ..mine.clone() })
            }
        };
    };
    let at = Time(kept.at.0.saturating_add_signed(age_ms));
    let wall = Time(kept.wall.0.saturating_add_signed(age_ms));
    let by_ms = signed(mine.wall.0).saturating_sub(signed(wall.0));
    let is_apart = by_ms.unsigned_abs() > error_ms;
    // A clock that this process saw being set is dealt with where it was seen.
    let is_anothers = kept.process != mine.process;
    if is_apart && is_anothers && age_ms.unsigned_abs() <= ALIVE_MS {
        return (KeptTime { verdict: ClockVerdict::Apart { by_ms }, known: None }, None);
    }
    let behind_ms = kept.at.0.saturating_sub(mine.wall.0);
    if is_apart && is_anothers && behind_ms > error_ms {
        let known = StoreTime { at, turns: kept.turns.clone(), unnoticed_ms: None };
        return (KeptTime { verdict: ClockVerdict::Behind { by_ms: behind_ms }, known: Some(known) }, None);
    }
    // Within the error the first clock stays the one that is gone by, so that small steps of others never add up unseen.
    let has_leapt = mine.at.0.saturating_sub(at.0) > error_ms;
    if !is_apart && !has_leapt {
        let mine_at = if at.0.saturating_sub(mine.at.0) > error_ms { at } else { mine.at };
        return agrees(mine_at, None, ClockMark { at, wall, turns: kept.turns.clone(), ..mine.clone() });
    }
    let after = mine.at.max(at);
    let mut turns = kept.turns.clone();
    turns.push(Turn::at_once(at, after, by_ms));
    agrees(after, Some(by_ms), ClockMark { at: after, turns, ..mine.clone() })
}

fn agrees(at: Time, unnoticed_ms: Option<i64>, keeps: ClockMark) -> (KeptTime, Option<ClockMark>) {
    let known = StoreTime { at, turns: keeps.turns.clone(), unnoticed_ms };
    (KeptTime { verdict: ClockVerdict::Agrees, known: Some(known) }, Some(keeps))
}

impl ClockMark {
    /// How many milliseconds after this one another was made, by the machine's own clock; fewer than none where they came in
    /// another order than they were made. `None` if the machine was started in between, or is another one.
    fn apart_ms(&self, other: &Self) -> Option<i64> {
        (self.boot == other.boot).then(|| signed(other.boot_ms).saturating_sub(signed(self.boot_ms)))
    }

    fn age_at(&self, other: &Self) -> Option<u64> {
        Some(u64::try_from(self.apart_ms(other)?).unwrap_or(0))
    }

    /// What is kept once a person has said that this is the time: a turn that leads to a later one never was.
    pub(super) fn instead_of(&self, kept: Option<&Self>) -> Self {
        Self { turns: kept.map(|kept| kept.turns.until(self.at)).unwrap_or_default(), ..self.clone() }
    }

    /// As a line of text, as a durable store keeps it.
    #[cfg(feature = "sqlite")]
    pub(super) fn write(&self) -> String {
        let Self { at, wall, boot, boot_ms, process, turns } = self;
        let mut line = format!("{} {boot_ms} {boot} {process} {}", at.0, wall.0);
        turns.write(&mut line);
        line
    }

    /// What was written, also by a version that kept neither a wall clock nor turns.
    #[cfg(feature = "sqlite")]
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let (at, boot_ms) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let (boot, process) = (words.next()?.to_owned(), words.next()?.to_owned());
        let wall = words.next().and_then(|word| word.parse().ok()).unwrap_or(at);
        Some(Self { at: Time(at), wall: Time(wall), boot, boot_ms, process, turns: Turns::read(words) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: u64 = 3_600_000;
    const NOON: u64 = 12 * HOUR_MS;

    fn mark(at: u64, boot_ms: u64, process: &str) -> ClockMark {
        let turns = Turns::default();
        ClockMark { at: Time(at), wall: Time(at), boot: "b".to_owned(), boot_ms, process: process.to_owned(), turns }
    }

    fn verdict(kept: &ClockMark, mine: &ClockMark) -> ClockVerdict {
        keep(Some(kept), mine, 1_000).0.verdict
    }

    #[test]
    fn a_clock_that_joins_others_has_to_agree_with_them() {
        let kept = mark(NOON, 5_000, "one");
        assert_eq!(verdict(&kept, &mark(NOON + 10_500, 15_000, "two")), ClockVerdict::Agrees);
        assert_eq!(verdict(&kept, &mark(NOON + HOUR_MS + 10_000, 15_000, "two")), ClockVerdict::Apart { by_ms: 3_600_000 });
        assert_eq!(verdict(&kept, &mark(NOON - HOUR_MS + 10_000, 15_000, "two")), ClockVerdict::Apart { by_ms: -3_600_000 });
        assert_eq!(verdict(&kept, &mark(NOON - HOUR_MS, 15_000, "one")), ClockVerdict::Agrees, "its own clock was turned");
        assert_eq!(verdict(&kept, &mark(NOON - 20, 4_980, "two")), ClockVerdict::Agrees, "made before it and told after it");
    }

    #[test]
    fn where_no_process_is_left_a_leap_is_a_turn_and_an_earlier_time_is_suspect() {
        let kept = mark(NOON, 5_000, "one");
        let mine = mark(NOON + HOUR_MS + 55_000, 60_000, "two");
        let (told, keeps) = keep(Some(&kept), &mine, 1_000);
        let turn = Turn::at_once(Time(NOON + 55_000), mine.at, 3_600_000);
        assert_eq!(told.verdict, ClockVerdict::Agrees);
        let known = told.known.unwrap();
        assert_eq!(
            (known.at, known.turns.iter().collect::<Vec<_>>(), known.unnoticed_ms),
            (mine.at, vec![turn], Some(3_600_000))
        );
        // A process that comes later, by the same clock, is told of it, and it is one turn for all processes.
        let keeps = keeps.unwrap();
        let (told, again) = keep(Some(&keeps), &mark(NOON + HOUR_MS + 60_000, 65_000, "three"), 1_000);
        let known = told.known.unwrap();
        assert_eq!((known.turns.iter().collect::<Vec<_>>(), known.unnoticed_ms), (vec![turn], None));
        assert_eq!(again.unwrap().turns, keeps.turns);
        let earlier = mark(NOON - HOUR_MS, 60_000, "two");
        assert_eq!(verdict(&kept, &earlier), ClockVerdict::Behind { by_ms: HOUR_MS });
        let known = keep(Some(&kept), &earlier, 1_000).0.known.unwrap();
        assert_eq!(known.at, Time(NOON + 55_000), "what it writes has its place among what was written before");
    }

    #[test]
    fn one_that_was_set_back_and_has_come_to_the_latest_time_again_waits_longer() {
        let kept = mark(NOON, 0, "one");
        let (told, keeps) = keep(Some(&kept), &mark(NOON + HOUR_MS, 2 * HOUR_MS, "two"), 1_000);
        let (known, now) = (told.known.unwrap(), Time(NOON + 2 * HOUR_MS));
        assert_eq!((told.verdict, known.at, keeps.unwrap().at), (ClockVerdict::Agrees, now, now));
        assert_eq!(known.turns.iter().collect::<Vec<_>>(), [Turn::at_once(now, now, -3_600_000)]);
    }

    #[test]
    fn who_starts_again_after_its_clock_was_set_back_goes_on() {
        let kept = ClockMark { wall: Time(NOON - HOUR_MS), ..mark(NOON, 5_000, "one") };
        for age_ms in [5_000, 60_000] {
            let mine = mark(NOON - HOUR_MS + age_ms, 5_000 + age_ms, "two");
            let told = keep(Some(&kept), &mine, 1_000).0;
            assert_eq!((told.verdict, told.known.unwrap().at), (ClockVerdict::Agrees, Time(NOON + age_ms)));
        }
    }

    #[test]
    fn a_leap_to_and_fro_is_told_and_small_steps_add_up() {
        let kept = mark(NOON, 0, "one");
        let mine = ClockMark { wall: Time(NOON + 10_000), ..mark(NOON + HOUR_MS + 10_000, 10_000, "one") };
        let turns = keep(Some(&kept), &mine, 1_000).1.unwrap().turns;
        assert_eq!(turns.iter().collect::<Vec<_>>(), [Turn::at_once(Time(NOON + 10_000), mine.at, 0)]);
        let (mut kept, mut turned) = (kept, 0);
        for number in 1..=10 {
            let (told, keeps) = keep(Some(&kept), &mark(NOON + number * 10_300, number * 10_000, "one"), 1_000);
            turned += told.known.unwrap().unnoticed_ms.unwrap_or(0);
            kept = keeps.unwrap();
        }
        assert!((2_000..=3_000).contains(&turned), "{turned}");
    }

    #[test]
    fn of_another_start_of_the_machine_only_an_earlier_time_is_suspect() {
        let kept = mark(NOON, 5_000, "one");
        let elsewhere = |at| ClockMark { boot: "c".to_owned(), ..mark(at, 6_000, "two") };
        assert_eq!(verdict(&kept, &elsewhere(NOON - 999)), ClockVerdict::Agrees);
        assert_eq!(verdict(&kept, &elsewhere(NOON - HOUR_MS)), ClockVerdict::Behind { by_ms: HOUR_MS });
        let turn = Turn::at_once(Time(1), Time(2), 1);
        let mut mine = elsewhere(NOON + HOUR_MS);
        mine.turns.push(turn);
        assert_eq!(keep(Some(&kept), &mine, 1_000).1.unwrap().turns, mine.turns, "no other process has told of it");
    }

    #[test]
    fn an_act_is_stamped_by_the_time_that_has_passed() {
        let kept = mark(NOON, 0, "one");
        let judge = |at: u64, boot_ms| judge(Some(&kept), &mark(at, boot_ms, "two"), 1_000);
        assert_eq!(judge(NOON + 60_500, 60_000), (ClockVerdict::Agrees, Time(NOON + 60_500)));
        assert_eq!(judge(NOON + 5 * HOUR_MS, 60_000), (ClockVerdict::Agrees, Time(NOON + 60_000)));
        assert_eq!(judge(NOON + 5 * HOUR_MS, 0).0, ClockVerdict::Apart { by_ms: 5 * 3_600_000 });
        assert_eq!(judge(NOON - HOUR_MS, 60_000).0, ClockVerdict::Behind { by_ms: HOUR_MS });
    }

    #[test]
    fn the_present_is_accepted_where_no_process_goes_by_what_is_kept() {
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
        let mut kept = ClockMark { wall: Time(9), ..mark(10, 20, "p") };
        kept.turns.push(Turn::at_once(Time(1), Time(2), -7));
        assert_eq!(ClockMark::read(&kept.write()), Some(kept));
        assert_eq!(ClockMark::read("10 20 b p"), Some(mark(10, 20, "p")), "as it was kept before");
        assert_eq!(ClockMark::read("ten 20 b p"), None);
    }
}
