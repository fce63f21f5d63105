//! Durations as people write them: a whole number and a unit.

use std::time::Duration;

/// Text that is no duration.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{text:?} is not a duration; write a whole number and a unit, from 1ms to {longest_days}d, as in 500ms, 5s, 2m or 1h")]
pub struct DurationError {
    text: String,
    longest_days: u64,
}

const DAY_MS: u64 = 24 * 3_600_000;

/// Reads a duration: a whole number and `ms`, `s`, `m`, `h` or `d`, from 1 ms to 30 days.
///
/// # Errors
/// What is wanted instead.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    parse(text, 30)
}

/// Reads what somebody else promises for a long time: as [`parse_duration`], but up to ten years.
pub(super) fn parse_period(text: &str) -> Result<Duration, DurationError> {
    parse(text, 3_650)
}

fn parse(text: &str, longest_days: u64) -> Result<Duration, DurationError> {
    let refused = || DurationError { text: text.chars().take(40).collect(), longest_days };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| refused())?;
    let unit_ms = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => DAY_MS,
        _ => return Err(refused()),
    };
    let ms = number.checked_mul(unit_ms).filter(|ms| (1..=longest_days * DAY_MS).contains(ms));
    ms.map(Duration::from_millis).ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_and_bounds() {
        for (text, ms) in
            [("1ms", 1), ("500ms", 500), ("5s", 5_000), ("2m", 120_000), ("1h", 3_600_000), ("30d", 30 * DAY_MS), ("007s", 7_000)]
        {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "5", "s", "0s", "0ms", "31d", "-5s", "5 s", "5S", "1.5s", "5sec", "99999999999999999999s", "1e3s", "٣s"]
        {
            assert!(parse_duration(text).is_err(), "{text:?}");
        }
        assert!(parse_duration(&format!("{}d", u64::MAX)).is_err());
        assert_eq!(parse_period("3650d"), Ok(Duration::from_millis(3_650 * DAY_MS)));
        assert!(parse_period("3651d").unwrap_err().to_string().contains("from 1ms to 3650d"));
    }
}
