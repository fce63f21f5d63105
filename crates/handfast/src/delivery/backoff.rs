//! How long to wait before the next try: capped, exponential, with full jitter.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Waiting times between tries. Full jitter after Brooker, "Exponential Backoff And Jitter" (2015): uniform between
/// nothing and the doubled-up base, so that those who were turned away together do not come back together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Backoff {
    /// The longest wait after the first try.
    pub base: Duration,
    /// The longest wait there is.
    pub cap: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { base: Duration::from_millis(50), cap: Duration::from_secs(30) }
    }
}

impl Backoff {
    /// The longest wait after this many tries in a row without an answer.
    #[must_use]
    pub fn ceiling(&self, tries: u32) -> Duration {
        let doublings = tries.saturating_sub(1).min(31);
        self.base.saturating_mul(1 << doublings).min(self.cap)
    }

    /// After this many tries in a row the next wait is the first that may be as long as `pause`, or that is capped.
    pub(crate) fn tries_below(&self, pause: Duration) -> u32 {
        (0..32).find(|&tries| self.ceiling(tries + 1) >= pause.min(self.cap)).unwrap_or(32)
    }

    pub(crate) fn delay(&self, tries: u32, jitter: &Jitter) -> Duration {
        jitter.up_to(self.ceiling(tries))
    }
}

/// A source of numbers for jitter and nothing else: splitmix64 (Steele, Lea, Flood 2014) over a shared counter.
#[derive(Debug)]
pub(crate) struct Jitter(AtomicU64);

impl Jitter {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// A duration between nothing and `longest`, in whole microseconds.
    pub(crate) fn up_to(&self, longest: Duration) -> Duration {
        let longest_us = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(self.draw() % longest_us.saturating_add(1).max(1))
    }

    fn draw(&self) -> u64 {
        let mut z = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed).wrapping_add(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ceiling_doubles_up_to_the_cap() {
        let backoff = Backoff::default();
        let ceilings_ms: Vec<u128> = [0, 1, 2, 3, 10, 11, 64, u32::MAX].map(|tries| backoff.ceiling(tries).as_millis()).into();
        assert_eq!(ceilings_ms, [50, 50, 100, 200, 25_600, 30_000, 30_000, 30_000]);
    }

    #[test]
    fn waits_begin_again_at_about_a_pause() {
        let backoff = Backoff::default();
        let second = Duration::from_secs(1);
        assert_eq!(backoff.tries_below(second), 5);
        assert_eq!((backoff.ceiling(5).as_millis(), backoff.ceiling(6).as_millis()), (800, 1600));
        assert_eq!(Backoff { base: Duration::from_mins(1), cap: Duration::from_mins(1) }.tries_below(second), 0);
        assert_eq!(Backoff { cap: Duration::from_millis(100), ..backoff }.tries_below(second), 1, "the second wait is capped");
        assert_eq!(Backoff { base: Duration::ZERO, ..backoff }.tries_below(second), 32);
    }

    #[test]
    fn jitter_is_full_and_never_beyond_the_ceiling() {
        let (backoff, jitter) = (Backoff::default(), Jitter::new(1));
        let delays_ms: Vec<u128> = (0..1000).map(|_| backoff.delay(5, &jitter).as_millis()).collect();
        assert!(delays_ms.iter().all(|&delay| delay <= 800));
        // A jitter that covered only a part of the range would leave one of its ends empty.
        assert!(delays_ms.iter().any(|&delay| delay < 80) && delays_ms.iter().any(|&delay| delay > 720));
        assert_eq!(jitter.up_to(Duration::ZERO), Duration::ZERO);
    }
}
