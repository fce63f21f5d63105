//! What becomes of a messenger: a pure function of the seed, the method, the key and how often they were sent before.
//!
//! No draw depends on the time, on another key, or on the order in which requests of different keys come in. Two runs with
//! the same seed therefore lose the same messengers, whatever the interleaving:
//!
//! ```text
//! draw(i) = mix((mix(seed ^ golden) ^ mix(fnv1a(method, 0, key))) + mix(n) + i * golden), read as a fraction in [0, 1),
//!           for the n-th such request, n from 1; with n = 0 for what holds of a key as a whole
//! ```
//!
//! `mix` is the finalizer of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014),
//! `fnv1a` the 64-bit hash of Fowler, Noll and Vo.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use handfast_toml::{DurationError, Durations, written};

/// What the road does to messengers.
#[derive(Clone, Debug)]
pub struct Hazards {
    /// Where the random choices start.
    pub seed: u64,
    /// The chance that one messenger is captured. A request is one messenger, its reply another.
    pub capture: f64,
    /// How long a messenger takes, each way.
    pub delay: Delay,
    /// The chance that a request which is not captured comes late.
    pub late: f64,
    /// The chance that all acts (`PUT`) for one key come late, those that are captured aside. Only acts: a sender who has
    /// given up on them still gets through with what it does instead.
    pub late_acts: f64,
    /// By how much it comes late; also how long the second copy of a duplicated request is under way.
    pub late_by: Delay,
    /// The chance that a request which is not captured arrives twice.
    pub duplicate: f64,
}

/// What becomes of one request and of its reply, as long as the road is not cut.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Fate {
    /// The request never arrives.
    pub(crate) request_captured: bool,
    /// The reply never arrives.
    pub(crate) reply_captured: bool,
    /// How long the request is under way, lateness not counted.
    pub(crate) request_delay: Duration,
    /// How long the reply is under way.
    pub(crate) reply_delay: Duration,
    /// By how much the request comes late, if it does.
    pub(crate) late_by: Option<Duration>,
    /// How long after the first departure a second copy arrives, if one does.
    pub(crate) duplicate_after: Option<Duration>,
}

impl Hazards {
    /// Whether all acts for this key come late.
    pub(crate) fn has_late_acts(&self, key: &str) -> bool {
        Draws::new(self.seed, "PUT", key, 0).unit(0) < self.late_acts
    }

    /// What becomes of the `nth` request (counted from 1) with this method and key.
    pub(crate) fn fate(&self, method: &str, key: &str, nth: u32) -> Fate {
        let draws = Draws::new(self.seed, method, key, nth);
        let request_captured = draws.unit(0) < self.capture;
        let late = !request_captured && (draws.unit(4) < self.late || (method == "PUT" && self.has_late_acts(key)));
        let duplicated = !request_captured && draws.unit(6) < self.duplicate;
        Fate {
            request_captured,
            reply_captured: draws.unit(1) < self.capture,
            request_delay: self.delay.at(draws.unit(2)),
            reply_delay: self.delay.at(draws.unit(3)),
            late_by: late.then(|| self.late_by.at(draws.unit(5))),
            duplicate_after: duplicated.then(|| self.late_by.at(draws.unit(7))),
        }
    }
}

/// The number of a method and a key, by which arrivals are counted and keys told apart.
pub(crate) fn fingerprint(method: &str, key: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in method.bytes().chain([0]).chain(key.bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    mix(hash)
}

/// Numbers that depend on nothing but what they are drawn for.
#[derive(Clone, Copy, Debug)]
pub struct Draws {
    start: u64,
}

impl Draws {
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

    /// The draws for the `nth` thing of a kind that has this name.
    pub fn new(seed: u64, kind: &str, name: &str, nth: u32) -> Self {
        Self { start: (mix(seed ^ Self::GOLDEN) ^ fingerprint(kind, name)).wrapping_add(mix(u64::from(nth))) }
    }

    /// The `index`-th draw, at least 0 and below 1.
    pub fn unit(&self, index: u64) -> f64 {
        let bits = mix(self.start.wrapping_add(index.wrapping_mul(Self::GOLDEN)));
        // The upper 53 bits are exact in a double.
        (bits >> 11) as f64 / (1_u64 << 53) as f64
    }
}

const fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// How long something takes, as a distribution.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Delay {
    /// Anything between two durations, evenly: `5ms..50ms`. A single duration is both its ends.
    Even {
        /// The shortest.
        from: Duration,
        /// The longest.
        to: Duration,
    },
    /// Mostly short, sometimes long: exponential with this mean, cut at twenty times the mean: `exp:20ms`.
    Exponential {
        /// The mean.
        mean: Duration,
    },
}

impl Delay {
    /// No time at all.
    pub const NONE: Self = Self::Even { from: Duration::ZERO, to: Duration::ZERO };

    /// The delay at this quantile, in `[0, 1)`.
    fn at(self, quantile: f64) -> Duration {
        match self {
            Self::Even { from, to } => from + (to - from).mul_f64(quantile),
            Self::Exponential { mean } => mean.mul_f64((-(1.0 - quantile).ln()).min(20.0)),
        }
    }
}

impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Even { from, to } => write!(f, "{}..{}", written(*from), written(*to)),
            Self::Exponential { mean } => write!(f, "exp:{}", written(*mean)),
        }
    }
}

impl FromStr for Delay {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        if let Some(mean) = text.strip_prefix("exp:") {
            return Ok(Self::Exponential { mean: duration(mean)? });
        }
        let (from, to) = match text.split_once("..") {
            Some((from, to)) => (duration(from)?, duration(to)?),
            None => (duration(text)?, duration(text)?),
        };
        ensure!(from <= to, "{text} ends before it begins; write the shorter duration first");
        Ok(Self::Even { from, to })
    }
}

/// A stretch of time in which the road is cut, counted from the start of the road.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cut {
    /// When it is cut.
    pub from: Duration,
    /// When it is restored.
    pub to: Duration,
}

impl FromStr for Cut {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (from, to) = text.split_once("..").with_context(|| format!("{text} is no stretch of time; write it as 10s..20s"))?;
        let cut = Self { from: duration(from)?, to: duration(to)? };
        ensure!(cut.from < cut.to, "{text} ends before it begins; write the earlier time first");
        Ok(cut)
    }
}

/// How long something takes on a road: from nothing at all to a week.
const ON_THE_ROAD: Durations = Durations::in_milliseconds(0, 7).to_the_microsecond();

/// Reads how long something takes on a road.
///
/// # Errors
/// What is wrong with the text, and how a duration is written.
pub fn duration(text: &str) -> Result<Duration, DurationError> {
    ON_THE_ROAD.read(text)
}

/// Reads a probability between 0 and 1.
///
/// # Errors
/// What is wrong with the text.
pub fn probability(text: &str) -> anyhow::Result<f64> {
    let value: f64 = text.parse().with_context(|| format!("{text:?} is no probability; write a number between 0 and 1"))?;
    ensure!((0.0..=1.0).contains(&value), "{text} is no probability; write a number between 0 and 1");
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hazards(seed: u64, capture: f64) -> Hazards {
        let late_by = "1s..3s".parse().expect("a delay");
        Hazards {
            seed,
            capture,
            delay: "5ms..50ms".parse().expect("a delay"),
            late: 0.1,
            late_acts: 0.0,
            late_by,
            duplicate: 0.2,
        }
    }

    fn count(road: &Hazards, holds: impl Fn(&Fate) -> bool) -> usize {
        (0..10_000).filter(|order| holds(&road.fate("PUT", &format!("order-{order}"), 1))).count()
    }

    #[test]
    fn the_same_messenger_always_has_the_same_fate() {
        let road = hazards(7, 0.3);
        let fate = road.fate("PUT", "order-17", 2);
        assert_eq!(fate, road.clone().fate("PUT", "order-17", 2));
        // Each argument matters: over a hundred keys some fate differs.
        let differs = |other: &dyn Fn(&str) -> Fate| {
            (0..100).map(|order| format!("order-{order}")).any(|key| other(&key) != road.fate("PUT", &key, 2))
        };
        assert!(differs(&|key| road.fate("DELETE", key, 2)));
        assert!(differs(&|key| road.fate("PUT", key, 3)));
        assert!(differs(&|key| hazards(8, 0.3).fate("PUT", key, 2)));
    }

    #[test]
    fn as_many_are_captured_as_asked_for() {
        // Exact counts of 10,000: they change only if the function does, and then no recorded run repeats any more.
        let road = hazards(1, 0.3);
        let requests = count(&road, |fate| fate.request_captured);
        let replies = count(&road, |fate| fate.reply_captured);
        let either = count(&road, |fate| fate.request_captured || fate.reply_captured);
        let late = count(&road, |fate| fate.late_by.is_some());
        let duplicated = count(&road, |fate| fate.duplicate_after.is_some());
        for (counted, expected) in [(requests, 3_000), (replies, 3_000), (either, 5_100), (late, 700), (duplicated, 1_400)] {
            assert!(usize::abs_diff(counted, expected) < 200, "{counted} instead of about {expected}");
        }
        assert_eq!((requests, replies, either, late, duplicated), PINNED);
    }

    const PINNED: (usize, usize, usize, usize, usize) = (3_044, 2_951, 5_092, 661, 1_342);

    #[test]
    fn the_tries_of_one_key_are_independent() {
        let road = hazards(3, 0.5);
        let both = (0..10_000)
            .filter(|order| (1..=2).all(|nth| road.fate("PUT", &format!("order-{order}"), nth).request_captured))
            .count();
        assert!(both.abs_diff(2_500) < 200, "{both}");
    }

    #[test]
    fn late_acts_are_late_every_time_and_nothing_else_is() {
        let road = Hazards { late: 0.0, late_acts: 0.1, ..hazards(5, 0.3) };
        let keys: Vec<String> = (0..1_000).map(|order| format!("order-{order}")).collect();
        let late = |key: &String, nth| road.fate("PUT", key, nth).late_by.is_some();
        let arrives = |key: &String, nth| !road.fate("PUT", key, nth).request_captured;
        let of_every_try = |key| (1..=5).all(|nth| late(key, nth) == (arrives(key, nth) && road.has_late_acts(key)));
        assert!(keys.iter().all(of_every_try));
        let unlucky = keys.iter().filter(|key| road.has_late_acts(key)).count();
        assert!((70..130).contains(&unlucky), "{unlucky}");
        let others_are =
            |key: &String| ["GET", "POST", "DELETE"].iter().any(|method| road.fate(method, key, 1).late_by.is_some());
        assert!(!keys.iter().any(others_are));
    }

    #[test]
    fn nobody_and_everybody_can_be_captured() {
        assert_eq!(count(&hazards(1, 0.0), |fate| fate.request_captured || fate.reply_captured), 0);
        assert_eq!(count(&hazards(1, 1.0), |fate| fate.request_captured && fate.reply_captured), 10_000);
    }

    #[test]
    fn delays_stay_within_their_bounds() {
        let road = hazards(1, 0.0);
        let (shortest, longest) = (Duration::from_millis(5), Duration::from_millis(50));
        assert_eq!(count(&road, |fate| fate.request_delay >= shortest && fate.request_delay < longest), 10_000);
        let near_each_end = |fate: &Fate| fate.request_delay < shortest * 2 || fate.request_delay > longest * 9 / 10;
        assert!(count(&road, near_each_end) > 1_500);
        let heavy: Delay = "exp:20ms".parse().expect("a delay");
        assert_eq!(heavy.at(0.0), Duration::ZERO);
        assert_eq!(heavy.at(1.0 - f64::EPSILON / 4.0), Duration::from_millis(400));
    }

    #[test]
    fn delays_and_cuts_are_read_and_a_road_takes_a_week_at_most() {
        assert_eq!(duration("0").expect("nothing at all"), Duration::ZERO);
        assert!(duration("7d").is_ok() && duration("169h").is_err());
        for text in ["5ms..50ms", "exp:20ms", "0ms..0.5ms"] {
            assert_eq!(text.parse::<Delay>().expect(text).to_string(), text);
        }
        assert!("50ms..5ms".parse::<Delay>().is_err());
        assert!("10s..10s".parse::<Cut>().is_err());
        assert!("10s".parse::<Cut>().is_err());
        assert!(["1.1", "-0.1", "nan", "x"].iter().all(|text| probability(text).is_err()));
    }
}
