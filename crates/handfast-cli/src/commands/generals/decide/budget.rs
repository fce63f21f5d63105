//! A budget of messengers as it is typed: one, or a range of them.

use std::str::FromStr;

/// The largest budget of a range: a line is printed for each.
const MOST: u64 = 100_000;

/// How many messengers may leave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Budget {
    /// So many.
    One(u64),
    /// Each number from the first to the second, which is asked for in a table.
    Each(u64, u64),
}

impl FromStr for Budget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number =
            |text: &str| text.parse::<u64>().map_err(|_| "write a number of messengers, or a range like 1..12".to_owned());
        let Some((first, last)) = text.split_once("..") else { return Ok(Self::One(number(text)?)) };
        let (first, last) = (number(first)?, number(last.strip_prefix('=').unwrap_or(last))?);
        if first > last {
            return Err(format!("the range ends before it begins; write {last}..{first}"));
        }
        if last > MOST {
            return Err(format!("a table of budgets goes up to {MOST} at most"));
        }
        Ok(Self::Each(first, last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_a_number_or_a_range_with_both_ends() {
        assert_eq!("7".parse(), Ok(Budget::One(7)));
        assert_eq!("1..12".parse(), Ok(Budget::Each(1, 12)));
        assert_eq!("1..=12".parse(), Ok(Budget::Each(1, 12)));
        for text in ["", "..", "1..", "x", "-1", "1...2", "3..2", "1..100001", "1.5"] {
            assert!(text.parse::<Budget>().is_err(), "{text}");
        }
    }
}
