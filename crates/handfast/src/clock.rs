//! The one module of this crate that reads a clock; everything else is told the time.
//!
//! Wall clocks are set, forward and back, and machines sleep. So three times are told apart. They are the same as long as the
//! wall clock is not set:
//!
//! | | is | goes back | leaps |
//! | --- | --- | --- | --- |
//! | [`wall`](Clock::wall) | what the system says that it is | yes | yes |
//! | [`now`](Clock::now) | what goes into journals: the wall clock, but that it never goes back | no | yes |
//! | [`steady`](Clock::steady) | when the clock was made, and the time that has passed since, sleep of the machine included | no | no |
//!
//! Pauses are counted in steady time. A time in a saga's journal is compared by whichever clock suits its nature
//! ([`remaining_ms`](Clock::remaining_ms)).

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use handfast_machine::locked;
use handfast_protocol::{DueAt, Nature, Time};

use crate::store::{ClockMark, StoreTime};
use crate::turns::{Come, Turn, Turns};

/// A wall clock that is further than this from where it should be was set, by a person or a program.
const TURNED_MS: u64 = 100;

/// Where an engine takes the time from. Clones are the same clock.
#[derive(Clone)]
pub struct Clock(Arc<Inner>);

struct Inner {
    read: Box<dyn Fn() -> Reading + Send + Sync>,
    boot: String,
    origin: Reading,
    known: Mutex<Known>,
}

/// What the system's two clocks said at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Reading {
    wall_ms: u64,
    /// Since the machine was started, its sleep included. This clock cannot be set.
    boot_ms: u64,
}

/// What is known of turns of the wall clock.
#[derive(Debug, Default)]
struct Known {
    /// How far the wall clock is ahead of steady time.
    wall_ahead_ms: i64,
    /// How far the time of journals is ahead of steady time.
    now_ahead_ms: u64,
    /// Those that the store keeps, and then those that were noticed here since.
    turns: Turns,
    /// How many were noticed here, and how many of them the store knows of.
    count: u64,
    count_kept: u64,
    /// How many the store found when it was told the time: no process was running that would have noticed them.
    unnoticed: u64,
    last_by_ms: i64,
}

/// How often a wall clock was set, as far as this process noticed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct ClockTurns {
    /// How often.
    pub count: u64,
    /// By how many milliseconds the last time; negative if it was set back.
    pub last_by_ms: i64,
}

impl Clock {
    /// The system's clocks.
    #[must_use]
    pub fn system() -> Self {
        Self::new(boot_id(), system_reading)
    }

    /// `start`, and from then on as much time as passes for the runtime's timers. In a test with paused time a day
    /// takes no longer than what happens in it.
    ///
    /// # Panics
    /// Outside a runtime.
    #[must_use]
    pub fn of_runtime(start: Time) -> Self {
        Self::by_hand(start).0
    }

    /// As [`of_runtime`](Self::of_runtime), with a hand that turns its wall clock: for tests.
    ///
    /// # Panics
    /// Outside a runtime.
    #[must_use]
    pub fn by_hand(start: Time) -> (Self, ClockHand) {
        // All of them count from one moment, as the clocks of one machine do.
        static ORIGIN: OnceLock<tokio::time::Instant> = OnceLock::new();
        let origin = *ORIGIN.get_or_init(runtime_now);
        let (made, turned) = (runtime_now(), Arc::new(AtomicI64::new(0)));
        // A runtime whose time stands still may have begun before that moment, and nothing is before it.
        let made_ms = whole_ms(made.saturating_duration_since(origin));
        let hand = ClockHand(Arc::clone(&turned));
        let read = move || {
            let passed_ms = whole_ms(runtime_now() - made);
            let wall_ms = start.after(passed_ms).0.saturating_add_signed(turned.load(Ordering::Relaxed));
            Reading { wall_ms, boot_ms: made_ms + passed_ms }
        };
        (Self::new("runtime".to_owned(), read), hand)
    }

    fn new(boot: String, read: impl Fn() -> Reading + Send + Sync + 'static) -> Self {
        let origin = read();
        Self(Arc::new(Inner { read: Box::new(read), boot, origin, known: Mutex::default() }))
    }

    /// The time of journals, in milliseconds since the Unix epoch: never earlier than before.
    #[must_use]
    pub fn now(&self) -> Time {
        let (steady, known) = self.look();
        steady.after(known.now_ahead_ms)
    }

    /// When this clock was made, and the time that has passed since.
    #[must_use]
    pub fn steady(&self) -> Time {
        self.look().0
    }

    /// What the system says that it is, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn wall(&self) -> Time {
        let (steady, known) = self.look();
        Time(steady.0.saturating_add_signed(known.wall_ahead_ms))
    }

    /// How many milliseconds are left until something is due that stands in a saga's journal; none or fewer once it is.
    ///
    /// What has to stop in time goes by whichever of wall clock and steady time has come further since it was written, what
    /// has to wait long enough by the slower of them; a plain deadline is a wish about time that passes, and discounts turns.
    #[must_use]
    pub fn remaining_ms(&self, due: DueAt) -> i64 {
        let Come { plain, furthest, slowest } = self.come(self.now(), due.since);
        let come = match due.nature {
            Nature::Stops => furthest,
            Nature::Waits => slowest,
            Nature::Plain => plain,
        };
        signed(due.at.0).saturating_sub(come)
    }

    /// A time of journals as it counts for what has to wait long enough since another: by the slower clock.
    pub(crate) fn waited(&self, at: Time, since: Time) -> Time {
        Time(u64::try_from(self.come(at, since).slowest).unwrap_or(0))
    }

    fn come(&self, at: Time, since: Time) -> Come {
        self.look().1.turns.come(at, since)
    }

    /// A time that was reckoned from one in a journal, as the wall clocks of others will show it.
    #[must_use]
    pub(crate) fn for_others(&self, at: Time, since: Time) -> Time {
        let remaining = self.remaining_ms(DueAt { at, since, nature: Nature::Plain });
        Time(self.wall().0.saturating_add_signed(remaining))
    }

    /// How often the wall clock was set.
    #[must_use]
    pub fn turns(&self) -> ClockTurns {
        let (_, known) = self.look();
        ClockTurns { count: known.count + known.unnoticed, last_by_ms: known.last_by_ms }
    }

    /// What this process says that the time is, with the turns that the store was not told of yet; and how many were noticed.
    pub(crate) fn mark(&self, process: &str) -> (ClockMark, u64) {
        let (steady, known) = self.look();
        let mut turns = Turns::default();
        known.turns.newest(known.count - known.count_kept).for_each(|turn| turns.push(turn));
        let mark = ClockMark {
            at: steady.after(known.now_ahead_ms),
            wall: Time(steady.0.saturating_add_signed(known.wall_ahead_ms)),
            boot: self.0.boot.clone(),
            boot_ms: self.0.origin.boot_ms.saturating_add(steady.0.saturating_sub(self.0.origin.wall_ms)),
            process: process.to_owned(),
            turns,
        };
        (mark, known.count)
    }

    /// The same for a person who lets the wall clock count, whatever the time of journals has come to.
    pub(crate) fn mark_by_wall(&self, process: &str) -> ClockMark {
        let (mark, _) = self.mark(process);
        ClockMark { at: mark.wall, turns: Turns::default(), ..mark }
    }

    /// Lets the time of journals go back to the wall clock, which a person lets count that showed this time. Turns that led to a
    /// later one never were.
    pub(crate) fn go_back_to(&self, at: Time) {
        let (_, mut known) = self.look();
        known.now_ahead_ms = u64::try_from(known.wall_ahead_ms).unwrap_or(0);
        known.turns = known.turns.until(at);
        known.count_kept = known.count;
    }

    /// Takes over what a store knows of turns, and how far its time has come, as it was answered to a mark. Says by how much
    /// the clock was set unnoticed, if it was.
    pub(crate) fn join(&self, (mark, count): &(ClockMark, u64), of_store: StoreTime) {
        let (_, mut known) = self.look();
        let StoreTime { at, mut turns, unnoticed_ms } = of_store;
        // What was noticed meanwhile the store does not know.
        let since_then: Vec<Turn> = known.turns.newest(known.count - count).collect();
        since_then.into_iter().for_each(|turn| turns.push(turn));
        known.turns = turns;
        known.now_ahead_ms = known.now_ahead_ms.saturating_add(at.0.saturating_sub(mark.at.0));
        if let Some(by_ms) = unnoticed_ms.filter(|_| known.count_kept == *count) {
            (known.unnoticed, known.last_by_ms) = (known.unnoticed + 1, by_ms);
        }
        known.count_kept = *count;
    }

    fn look(&self) -> (Time, std::sync::MutexGuard<'_, Known>) {
        let mut known = locked(&self.0.known);
        // Read under the lock, so that readings come in their order.
        let reading = (self.0.read)();
        let steady = Time(self.0.origin.wall_ms).after(reading.boot_ms.saturating_sub(self.0.origin.boot_ms));
        known.take(steady, reading.wall_ms);
        (steady, known)
    }
}

impl Known {
    fn take(&mut self, steady: Time, wall_ms: u64) {
        let ahead_ms = signed(wall_ms).saturating_sub(signed(steady.0));
        let by_ms = ahead_ms.saturating_sub(self.wall_ahead_ms);
        if by_ms.unsigned_abs() < TURNED_MS {
            return;
        }
        let before = steady.after(self.now_ahead_ms);
        self.now_ahead_ms = self.now_ahead_ms.max(u64::try_from(ahead_ms).unwrap_or(0));
        self.wall_ahead_ms = ahead_ms;
        self.turns.push(Turn::at_once(before, steady.after(self.now_ahead_ms), by_ms));
        self.last_by_ms = by_ms;
        self.count += 1;
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.now()).finish()
    }
}

/// Turns the wall clock of a [`Clock::by_hand`], as a person does who sets it.
#[derive(Clone, Debug)]
pub struct ClockHand(Arc<AtomicI64>);

impl ClockHand {
    /// Moves it by `by_ms` milliseconds; back if that is negative.
    pub fn turn_by_ms(&self, by_ms: i64) {
        self.0.fetch_add(by_ms, Ordering::Relaxed);
    }
}

/// The whole milliseconds of a duration: what [`Time`] counts in.
pub(crate) fn whole_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Milliseconds as a number from which others can be taken away.
pub(crate) fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

/// Both clocks at one moment: if the thread was suspended in between, they are read again.
fn system_reading() -> Reading {
    const TRIES: u32 = 8;
    let mut boot_ms = since_boot_ms();
    for _ in 0..TRIES {
        let wall_ms = wall_now_ms();
        let again_ms = since_boot_ms();
        if again_ms.saturating_sub(boot_ms) <= TURNED_MS / 10 {
            return Reading { wall_ms, boot_ms: again_ms };
        }
        boot_ms = again_ms;
    }
    Reading { wall_ms: wall_now_ms(), boot_ms }
}

#[expect(clippy::disallowed_methods, reason = "this is the module that may read the clock")]
fn wall_now_ms() -> u64 {
    whole_ms(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

#[cfg(target_os = "linux")]
fn since_boot_ms() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let (seconds, nanoseconds) = (u64::try_from(time.tv_sec).unwrap_or(0), u64::try_from(time.tv_nsec).unwrap_or(0));
    seconds.saturating_mul(1000).saturating_add(nanoseconds / 1_000_000)
}

/// Elsewhere the sleep of the machine is not counted.
#[cfg(not(target_os = "linux"))]
#[expect(clippy::disallowed_methods, reason = "this is the module that may read the clock")]
fn since_boot_ms() -> u64 {
    static ORIGIN: OnceLock<std::time::Instant> = OnceLock::new();
    whole_ms(ORIGIN.get_or_init(std::time::Instant::now).elapsed())
}

/// What tells this start of this machine from every other; where the system does not say, it is compared with no other clock.
fn boot_id() -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    if id.trim().is_empty() { uuid::Uuid::now_v7().to_string() } else { id.trim().to_owned() }
}

/// What comes of something, and how long it took, finer than milliseconds.
pub(crate) async fn timed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let begun = runtime_now();
    let done = work.await;
    (done, begun.elapsed())
}

#[expect(clippy::disallowed_methods, reason = "this is the module that may read the clock")]
fn runtime_now() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: u64 = 3_600_000;
    const START: Time = Time(10 * HOUR_MS);

    fn left(clock: &Clock, nature: Nature, since: Time, after_ms: u64) -> i64 {
        clock.remaining_ms(DueAt { at: since.after(after_ms), since, nature })
    }

    #[tokio::test(start_paused = true)]
    async fn they_agree_as_long_as_the_wall_clock_is_not_set() {
        let (clock, _hand) = Clock::by_hand(START);
        tokio::time::advance(Duration::from_secs(90)).await;
        let now = START.after(90_000);
        assert_eq!((clock.now(), clock.steady(), clock.wall(), clock.turns().count), (now, now, now, 0));
        for nature in [Nature::Stops, Nature::Waits, Nature::Plain] {
            assert_eq!(left(&clock, nature, START, 100_000), 10_000);
        }
        assert_eq!(clock.for_others(Time(77), START), Time(77));
    }

    #[tokio::test(start_paused = true)]
    async fn set_forward_it_stops_what_must_stop_and_ends_nothing_else() {
        let (clock, hand) = Clock::by_hand(START);
        hand.turn_by_ms(3_600_000);
        tokio::time::advance(Duration::from_secs(1)).await;
        let leapt = START.after(HOUR_MS + 1000);
        assert_eq!((clock.now(), clock.wall(), clock.steady()), (leapt, leapt, START.after(1000)));
        assert_eq!(left(&clock, Nature::Stops, START, 60_000), 59_000 - 3_600_000);
        assert_eq!((left(&clock, Nature::Waits, START, 60_000), left(&clock, Nature::Plain, START, 60_000)), (59_000, 59_000));
        // A participant that is told of a deadline goes by the clock as it is set now.
        assert_eq!(clock.for_others(START.after(60_000), START), START.after(HOUR_MS + 60_000));
        // What is written from now on knows of no turn.
        for nature in [Nature::Stops, Nature::Waits, Nature::Plain] {
            assert_eq!(left(&clock, nature, leapt, 60_000), 60_000);
        }
        assert_eq!(clock.turns(), ClockTurns { count: 1, last_by_ms: 3_600_000 }, "noticed once");
    }

    #[tokio::test(start_paused = true)]
    async fn set_back_it_goes_on_and_what_must_wait_waits_longer() {
        let (clock, hand) = Clock::by_hand(START);
        assert_eq!(clock.now(), START);
        hand.turn_by_ms(-3_600_000);
        tokio::time::advance(Duration::from_secs(1)).await;
        let now = START.after(1000);
        assert_eq!((clock.now(), clock.steady(), clock.wall()), (now, now, Time(9 * HOUR_MS + 1000)));
        assert_eq!((left(&clock, Nature::Stops, START, 60_000), left(&clock, Nature::Plain, START, 60_000)), (59_000, 59_000));
        assert_eq!(left(&clock, Nature::Waits, START, 60_000), 59_000 + 3_600_000);
        // Of what was written in the very millisecond it is unknown on which side it was, so it waits longer.
        assert_eq!(left(&clock, Nature::Waits, now, 60_000), 60_000 + 3_600_000);
        tokio::time::advance(Duration::from_millis(1)).await;
        let later = now.after(1);
        assert_eq!(left(&clock, Nature::Waits, later, 60_000), 60_000, "what is written since waits no longer than it should");
        assert_eq!(clock.for_others(now.after(60_000), now), Time(9 * HOUR_MS + 61_000));
        // Set right again, nothing leaps.
        hand.turn_by_ms(3_600_000);
        assert_eq!((clock.now(), clock.turns().count), (later, 2));
        assert_eq!(left(&clock, Nature::Waits, START, 60_000), 58_999);
    }

    #[test]
    fn the_system_has_clocks_that_go() {
        let clock = Clock::system();
        assert!(clock.wall().0 > 1_700_000_000_000 && clock.now() == clock.now().max(clock.steady()));
    }
}
