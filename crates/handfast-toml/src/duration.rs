//! Durations as people write them, in files and behind flags: a number and a unit.
//!
//! ```text
//!   duration = number unit | "0"          the 0 without a unit where nothing at all may be meant
//!   number   = digits [ "." digits ] | "." digits
//!   unit     = "ms" | "s" | "m" | "h" | "d"
//! ```
//!
//! The friendly format of `jiff` is far larger (words, commas, several units, signs, clock times, ISO 8601), and takes neither
//! a day as a length of time nor a part of one, so that this small grammar is read here.

use std::ops::RangeInclusive;
use std::time::Duration;

/// Which durations a place takes: from the shortest to the longest, and how finely.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Durations {
    shortest: Duration,
    longest: Duration,
    finest: Finest,
}

/// What a duration has to be a whole number of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Finest {
    Milliseconds,
    Microseconds,
}

/// Text that is no duration of those that were wanted.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "{text:?} is not a duration; write a number and a unit, from {} to {} in whole {}, as in 500ms, 1.5s, 2m, 1h or 1d",
    written(wanted.shortest), written(wanted.longest), wanted.finest.name()
)]
pub struct DurationError {
    text: String,
    wanted: Durations,
}

/// Units, the longest first, each with its length in nanoseconds.
const UNITS: [(&str, u128); 5] =
    [("d", 24 * 3_600_000_000_000), ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", MILLISECOND)];

const MILLISECOND: u128 = 1_000_000;
const MICROSECOND: u128 = 1_000;
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// More digits than this are no duration, and would not fit.
const MOST_DIGITS: usize = 15;

impl Durations {
    /// What we wait for, or put up with: from 1 ms to 30 days.
    pub const WAITING: Self = Self::in_milliseconds(1, 30);

    /// What somebody else promises for a long time: from 1 ms to ten years.
    pub const PROMISED: Self = Self::in_milliseconds(1, 3_650);

    /// Whole milliseconds, from so many to so many days.
    #[must_use]
    pub const fn in_milliseconds(shortest_ms: u64, longest_days: u32) -> Self {
        let longest = DAY.saturating_mul(longest_days);
        Self { shortest: Duration::from_millis(shortest_ms), longest, finest: Finest::Milliseconds }
    }

    /// The same down to a microsecond.
    #[must_use]
    pub const fn to_the_microsecond(self) -> Self {
        Self { finest: Finest::Microseconds, ..self }
    }

    /// From the shortest to the longest.
    #[must_use]
    pub const fn range(&self) -> RangeInclusive<Duration> {
        self.shortest..=self.longest
    }

    /// Reads one of these durations.
    ///
    /// # Errors
    /// It is none of them; the error says which there are, and how they are written.
    pub fn read(&self, text: &str) -> Result<Duration, DurationError> {
        let exact = nanoseconds(text).filter(|exact| exact.is_multiple_of(self.finest.nanoseconds()));
        exact
            .and_then(|exact| u64::try_from(exact).ok())
            .map(Duration::from_nanos)
            .filter(|duration| self.range().contains(duration))
            .ok_or_else(|| DurationError { text: text.chars().take(40).collect(), wanted: self.clone() })
    }
}

impl Finest {
    const fn nanoseconds(self) -> u128 {
        match self {
            Self::Milliseconds => MILLISECOND,
            Self::Microseconds => MICROSECOND,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Milliseconds => "milliseconds",
            Self::Microseconds => "microseconds",
        }
    }
}

/// Reads what we wait for: one of [`Durations::WAITING`].
///
/// # Errors
/// What is wanted instead.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    Durations::WAITING.read(text)
}

/// A duration as it is read: a whole number of the largest unit that divides it, and otherwise milliseconds with a point.
#[must_use]
pub fn written(duration: Duration) -> String {
    let exact = duration.as_nanos();
    let whole = UNITS.into_iter().find(|(_, length)| exact > 0 && exact.is_multiple_of(*length));
    match whole {
        Some((unit, length)) => format!("{}{unit}", exact / length),
        None if exact == 0 => "0ms".to_owned(),
        None => {
            let parts = format!("{:06}", exact % MILLISECOND);
            format!("{}.{}ms", exact / MILLISECOND, parts.trim_end_matches('0'))
        }
    }
}

/// How many nanoseconds a text means, if it is a duration and comes to a whole number of them.
fn nanoseconds(text: &str) -> Option<u128> {
    if text == "0" {
        return Some(0);
    }
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit() && c != '.')?);
    let (_, length) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
    let (whole, parts) = match number.split_once('.') {
        Some((whole, parts)) if !parts.is_empty() => (whole, parts.trim_end_matches('0')),
        Some(_) => return None,
        None if number.is_empty() => return None,
        None => (number, ""),
    };
    let digits = format!("{whole}{parts}");
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Some(0);
    }
    if digits.len() > MOST_DIGITS {
        return None;
    }
    let scaled = digits.parse::<u128>().ok()? * length;
    let scale = 10_u128.checked_pow(u32::try_from(parts.len()).ok()?)?;
    scaled.is_multiple_of(scale).then(|| scaled / scale)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Down to nothing at all, and finely.
    const FINE: Durations = Durations::in_milliseconds(0, 7).to_the_microsecond();

    #[test]
    fn every_place_reads_the_same_grammar() {
        // What is read, in microseconds, and which of the places take it.
        let all = [true, true, true];
        let table: &[(&str, u64, [bool; 3])] = &[
            ("1ms", 1_000, all),
            ("500ms", 500_000, all),
            ("5s", 5_000_000, all),
            ("1.5s", 1_500_000, all),
            (".5s", 500_000, all),
            ("0.001s", 1_000, all),
            ("1.50s", 1_500_000, all),
            ("007s", 7_000_000, all),
            ("2m", 120_000_000, all),
            ("0.5m", 30_000_000, all),
            ("1h", 3_600_000_000, all),
            ("1d", 86_400_000_000, all),
            ("0.25d", 21_600_000_000, all),
            ("7d", 604_800_000_000, all),
            ("8d", 691_200_000_000, [true, true, false]),
            ("30d", 2_592_000_000_000, [true, true, false]),
            ("31d", 2_678_400_000_000, [false, true, false]),
            ("3650d", 315_360_000_000_000, [false, true, false]),
            ("3651d", 0, [false; 3]),
            ("0", 0, [false, false, true]),
            ("0s", 0, [false, false, true]),
            ("0.0ms", 0, [false, false, true]),
            ("0.5ms", 500, [false, false, true]),
            ("1.0005s", 1_000_500, [false, false, true]),
            ("0.0001ms", 0, [false; 3]),
        ];
        for &(text, microseconds, takes) in table {
            for (durations, takes) in [Durations::WAITING, Durations::PROMISED, FINE].into_iter().zip(takes) {
                let read = durations.read(text).ok();
                assert_eq!(read, takes.then(|| Duration::from_micros(microseconds)), "{text}, {durations:?}");
            }
        }
    }

    #[test]
    fn what_is_no_duration_is_refused_everywhere_with_the_same_words() {
        let texts = [
            "",
            "5",
            "s",
            ".",
            ".s",
            "5.",
            "5.s",
            "1.2.3s",
            "-5s",
            "+5s",
            "5 s",
            " 5s",
            "5s ",
            "5S",
            "5sec",
            "1h30m",
            "1e3s",
            "nan",
            "inf",
            "٣s",
            "99999999999999999999s",
            "1,5s",
            "1w",
            "1y",
            "5us",
        ];
        let long = format!("{}d", u128::MAX);
        let endless = format!("0.{}s", "9".repeat(1_000_000));
        let tiny = format!("0.{}1s", "0".repeat(1_000_000));
        for text in texts.into_iter().chain([long.as_str(), endless.as_str(), tiny.as_str()]) {
            for durations in [Durations::WAITING, Durations::PROMISED, FINE] {
                let error = durations.read(text).expect_err(text).to_string();
                assert!(error.contains(" is not a duration; write a number and a unit, from "), "{error}");
                assert!(error.len() < 300, "{error}");
            }
        }
        let message = |durations: &Durations| durations.read("soon").unwrap_err().to_string();
        let rest = ", as in 500ms, 1.5s, 2m, 1h or 1d";
        let said = |bounds: &str| format!("\"soon\" is not a duration; write a number and a unit, from {bounds}{rest}");
        assert_eq!(message(&Durations::WAITING), said("1ms to 30d in whole milliseconds"));
        assert_eq!(message(&Durations::PROMISED), said("1ms to 3650d in whole milliseconds"));
        assert_eq!(message(&FINE), said("0ms to 7d in whole microseconds"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(ms in 1..=30 * 86_400_000_u64) {
            let duration = Duration::from_millis(ms);
            prop_assert_eq!(parse_duration(&written(duration)), Ok(duration));
        }

        #[test]
        fn what_is_written_finely_is_read_again(microseconds in 0..=7 * 86_400_000_000_u64) {
            let duration = Duration::from_micros(microseconds);
            prop_assert_eq!(FINE.read(&written(duration)), Ok(duration));
        }

        #[test]
        fn a_point_means_what_it_means_in_decimal(whole in 0..1_000_u64, thousandths in 0..1_000_u64, unit in 0..5_usize) {
            // By whole numbers of the thousandth part, which every unit but the smallest has in whole milliseconds.
            let (name, length) = UNITS[unit];
            let expected = Duration::from_nanos(u64::try_from(length / 1_000).unwrap() * (whole * 1_000 + thousandths));
            let read = FINE.read(&format!("{whole}.{thousandths:03}{name}"));
            prop_assert_eq!(read.ok(), FINE.range().contains(&expected).then_some(expected));
        }

        #[test]
        fn nothing_that_is_typed_panics(text in "[0-9.smhd+-]{0,40}|.{0,40}") {
            for durations in [Durations::WAITING, Durations::PROMISED, FINE] {
                if let Ok(duration) = durations.read(&text) {
                    prop_assert!(durations.range().contains(&duration));
                    prop_assert_eq!(durations.read(&written(duration)), Ok(duration));
                }
            }
        }
    }
}
