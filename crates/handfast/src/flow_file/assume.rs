//! Reads `[assume]`: what is taken for granted about the world, and the numbers of what cannot be promised.

use std::fmt;
use std::time::Duration;

use handfast_protocol::Assumptions;
use handfast_toml::{Durations, FileError, Spanned, Table};

use super::errors::Found;
use crate::clock::whole_ms;

/// How likely it is that things go wrong where no protocol can prevent it, as far as the flow's author declared it: with two
/// steps that may refuse and cannot be undone, `refusal + (1 - refusal) * loss ^ tries` at most.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ResidualOdds {
    /// How likely the second of the two refuses.
    pub refusal: Option<Ratio>,
    /// How likely one try is lost.
    pub loss: Option<Ratio>,
    /// How many tries are made, each independent of the others.
    pub tries: Option<u32>,
}

/// A number from 0 to 1, exactly.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ratio {
    text: String,
    numerator: u64,
    denominator: u64,
}

impl Ratio {
    /// Its numerator, not above the [`denominator`](Self::denominator).
    #[must_use]
    pub const fn numerator(&self) -> u64 {
        self.numerator
    }

    /// Its denominator, which is not 0.
    #[must_use]
    pub const fn denominator(&self) -> u64 {
        self.denominator
    }

    /// Reads a decimal of up to 18 places, as in `0.05`, or a fraction, as in `1/20`.
    fn parse(text: &str) -> Option<Self> {
        const PLACES: usize = 18;
        let digits = |text: &str| {
            let is_number = (1..=PLACES + 1).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
            if is_number { text.parse::<u64>().ok() } else { None }
        };
        let (numerator, denominator) = if let Some((above, below)) = text.split_once('/') {
            (digits(above)?, digits(below)?)
        } else {
            let (whole, places) = text.split_once('.').unwrap_or((text, "0"));
            let denominator = 10_u64.checked_pow(u32::try_from(places.len()).ok()?).filter(|_| places.len() <= PLACES)?;
            (digits(whole)?.checked_mul(denominator)?.checked_add(digits(places)?)?, denominator)
        };
        let fits = denominator > 0 && numerator <= denominator;
        fits.then(|| Self { text: text.to_owned(), numerator, denominator })
    }
}

impl fmt::Display for Ratio {
    /// As it was written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Reads the table, where there is one.
pub(super) fn read(root: &Table<'_, '_>, found: &mut Found) -> Option<(Assumptions, ResidualOdds)> {
    let Some(table) = found.take(root.table("assume", "[assume]"))? else {
        return Some((Assumptions::default(), ResidualOdds::default()));
    };
    let mut parts = found.parts(&table, &["message_lifetime", "clock_error", "longest_outage", "refusal", "loss", "tries"]);
    let [message_lifetime, clock_error, longest_outage] =
        ["message_lifetime", "clock_error", "longest_outage"].map(|key| parts.take(period(&table, key)));
    let [refusal, loss] = ["refusal", "loss"].map(|key| parts.take(ratio(&table, key)));
    let tries = parts.take(table.number("tries", 1..=1_000_000));
    let assumptions = Assumptions {
        message_lifetime_ms: message_lifetime?.map(whole_ms),
        clock_error_ms: clock_error?.map(whole_ms),
        longest_outage_ms: longest_outage?.map(whole_ms),
    };
    Some((assumptions, ResidualOdds { refusal: refusal?, loss: loss?, tries: tries? }))
}

/// A long duration, if the key is there.
pub(super) fn period(table: &Table<'_, '_>, key: &str) -> Result<Option<Duration>, FileError> {
    let Some(text) = table.text(key)? else { return Ok(None) };
    let read = Durations::PROMISED.read(text.get_ref());
    read.map(Some).map_err(|error| table.source().error(text.span(), format!("{key}: {error}")))
}

fn ratio(table: &Table<'_, '_>, key: &str) -> Result<Option<Ratio>, FileError> {
    let wrong = |text: &Spanned<&str>| {
        let message = format!("{key} is a number from 0 to 1, written as \"0.05\" or \"1/20\", and this is {:?}", text.get_ref());
        table.source().error(text.span(), message)
    };
    table.text(key)?.map(|text| Ratio::parse(text.get_ref()).ok_or_else(|| wrong(&text))).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_and_fractions_are_exact() {
        let parts = |text: &str| Ratio::parse(text).map(|ratio| (ratio.numerator, ratio.denominator));
        assert_eq!(parts("0.05"), Some((5, 100)));
        assert_eq!(parts("1/20"), Some((1, 20)));
        assert_eq!(parts("1"), Some((10, 10)));
        assert_eq!(parts("0"), Some((0, 10)));
        assert_eq!(parts("1.0"), Some((10, 10)));
        assert_eq!(parts("0.000000000000000001"), Some((1, 1_000_000_000_000_000_000)));
        for wrong in ["", "1.1", "2", "-0.1", "3/2", "1/0", "0.", ".5", "1/", "0,5", "5%", "1e-3", "0.0000000000000000001", "٠.٥"]
        {
            assert_eq!(parts(wrong), None, "{wrong:?}");
        }
    }
}
