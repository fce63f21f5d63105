//! Durations as people write them: a whole number and a unit.

use std::time::Duration;

/// Text that is no duration.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0:?} is not a duration; write a whole number and a unit, from 1ms to 30d, as in 500ms, 5s, 2m or 1h")]
pub struct DurationError(String);

const LONGEST_MS: u64 = 30 * 24 * 3_600_000;

/// Reads a duration: a whole number and `ms`, `s`, `m`, `h` or `d`, from 1 ms to 30 days.
///
/// # Errors
/// What is wanted instead.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let refused = || DurationError(text.chars().take(40).collect());
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| refused())?;
    let unit_ms = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 24 * 3_600_000,
        _ => return Err(refused()),
    };
    number.checked_mul(unit_ms).filter(|ms| (1..=LONGEST_MS).contains(ms)).map(Duration::from_millis).ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_and_bounds() {
        for (text, ms) in
            [("1ms", 1), ("500ms", 500), ("5s", 5_000), ("2m", 120_000), ("1h", 3_600_000), ("30d", LONGEST_MS), ("007s", 7_000)]
        {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "5", "s", "0s", "0ms", "31d", "-5s", "5 s", "5S", "1.5s", "5sec", "99999999999999999999s", "1e3s", "٣s"]
        {
            assert!(parse_duration(text).is_err(), "{text:?}");
        }
        assert!(parse_duration(&format!("{}d", u64::MAX)).is_err());
    }
}
