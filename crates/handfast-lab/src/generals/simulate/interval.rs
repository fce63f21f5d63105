//! How far a share that was counted may be from the probability behind it.

use num_rational::BigRational;

use crate::generals::ratio::Ratio;

/// How sure an interval is to hold the true value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Confidence {
    /// 90 %.
    Percent90,
    /// 95 %.
    #[default]
    Percent95,
    /// 99 %.
    Percent99,
    /// 99.9 %.
    Percent999,
}

impl Confidence {
    /// In words.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Percent90 => "90 %",
            Self::Percent95 => "95 %",
            Self::Percent99 => "99 %",
            Self::Percent999 => "99.9 %",
        }
    }

    /// The share of all intervals that hold the true value.
    #[must_use]
    pub const fn share(self) -> f64 {
        match self {
            Self::Percent90 => 0.9,
            Self::Percent95 => 0.95,
            Self::Percent99 => 0.99,
            Self::Percent999 => 0.999,
        }
    }

    /// So many standard deviations to each side hold this share of the normal distribution.
    #[must_use]
    pub const fn deviations(self) -> f64 {
        match self {
            Self::Percent90 => 1.644_853_626_951_472_7,
            Self::Percent95 => 1.959_963_984_540_054,
            Self::Percent99 => 2.575_829_303_548_900_4,
            Self::Percent999 => 3.290_526_731_491_895,
        }
    }
}

/// From the lowest to the highest value that goes with what was counted.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// The score interval of Wilson (*Probable inference, the law of succession, and statistical inference*, 1927) for
    /// `count` of `runs`. It is never empty and never leaves 0 to 1, also where nothing was counted.
    #[must_use]
    pub fn wilson(count: u64, runs: u64, confidence: Confidence) -> Self {
        if runs == 0 {
            return Self { low: 0.0, high: 1.0 };
        }
        let (count, runs, deviations) = (count as f64, runs as f64, confidence.deviations());
        let squared = deviations * deviations;
        let share = count / runs;
        let centre = share + squared / (2.0 * runs);
        let spread = deviations * (share * ((runs - count) / runs) / runs + squared / (4.0 * runs * runs)).sqrt();
        let below = 1.0 + squared / runs;
        // At the two ends the difference is nothing but the error of rounding.
        let low = if count == 0.0 { 0.0 } else { (centre - spread) / below };
        let high = if count == runs { 1.0 } else { (centre + spread) / below };
        Self { low, high }
    }

    /// Its two ends, exactly these floats.
    #[must_use]
    pub fn ends(&self) -> [Ratio; 2] {
        [self.low, self.high].map(|end| Ratio(BigRational::from_float(end).unwrap_or_default()))
    }

    /// Whether this value lies in it.
    #[must_use]
    pub fn holds(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(count: u64, runs: u64, low: f64, high: f64) {
        let found = Interval::wilson(count, runs, Confidence::Percent95);
        assert!((found.low - low).abs() < 5e-5 && (found.high - high).abs() < 5e-5, "{count} of {runs}: {found:?}");
    }

    /// The values of Newcombe, *Two-sided confidence intervals for the single proportion* (1998), table I, method 3.
    #[test]
    fn intervals_are_those_of_the_literature() {
        check(81, 263, 0.2553, 0.3662);
        check(15, 148, 0.0624, 0.1605);
        check(0, 20, 0.0, 0.1611);
        check(1, 29, 0.0061, 0.1718);
        check(29, 29, 0.8830, 1.0);
    }

    #[test]
    fn nothing_counted_leaves_a_little() {
        let none = Interval::wilson(0, 1_000_000, Confidence::Percent95);
        assert!(none.low == 0.0 && none.high > 3e-6 && none.holds(1e-15));
        assert_eq!(Interval::wilson(0, 0, Confidence::Percent95), Interval { low: 0.0, high: 1.0 });
    }

    #[test]
    fn more_confidence_is_wider() {
        let wide = |confidence| Interval::wilson(3, 10, confidence);
        let widths = [Confidence::Percent90, Confidence::Percent95, Confidence::Percent99, Confidence::Percent999]
            .map(|confidence| wide(confidence).high - wide(confidence).low);
        assert!(widths.is_sorted(), "{widths:?}");
    }
}
