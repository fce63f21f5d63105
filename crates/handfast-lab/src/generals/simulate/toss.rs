//! Tosses a coin for every messenger: 64 of them at a time, each with exactly the probability that was asked for.

use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng as _, SeedableRng as _};
use num_bigint::BigUint;
use num_traits::{One as _, ToPrimitive as _, Zero as _};

use crate::generals::ratio::Ratio;

/// Random bits that are the same on every machine and in every version: ChaCha with 8 rounds (Bernstein 2008), whose key
/// is the seed and the purpose, each as 8 bytes with the least first, and whose stream is the number of the block.
pub(in crate::generals) fn bits(seed: u64, purpose: u64, block: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&purpose.to_le_bytes());
    let mut bits = ChaCha8Rng::from_seed(key);
    bits.set_stream(block);
    bits
}

/// A number from 0 to below `sides`, all equally likely. Draws that fall beyond are drawn again, so nothing is favoured.
pub(in crate::generals) fn draw(sides: u32, bits: &mut ChaCha8Rng) -> u32 {
    if sides <= 1 {
        return 0;
    }
    let mask = u32::MAX >> (sides - 1).leading_zeros();
    loop {
        let drawn = bits.next_u32() & mask;
        if drawn < sides {
            return drawn;
        }
    }
}

/// A probability by its binary digits, which are worked out as far as somebody asks.
#[derive(Clone, Debug)]
pub struct CaptureRate {
    /// The digits after the point, 64 in a word, the first of them on top.
    digits: Vec<u64>,
    /// What is left of the division after them.
    rest: BigUint,
    denominator: BigUint,
    /// It is 1, which has no digits after the point.
    certain: bool,
}

impl CaptureRate {
    /// This rate, which has to be a probability.
    #[must_use]
    pub fn new(rate: &Ratio) -> Option<Self> {
        if !rate.is_probability() {
            return None;
        }
        let (numerator, denominator) = (rate.0.numer().magnitude().clone(), rate.0.denom().magnitude().clone());
        let certain = numerator.is_one() && denominator.is_one();
        let rest = if certain { BigUint::ZERO } else { numerator };
        Some(Self { digits: Vec::new(), rest, denominator, certain })
    }

    /// Whether no messenger is ever captured.
    pub(in crate::generals) fn is_zero(&self) -> bool {
        !self.certain && self.rest.is_zero() && self.digits.iter().all(|&word| word == 0)
    }

    /// Word number `place` of the digits, and how many of its digits there are before only zeros follow.
    fn word(&mut self, place: usize) -> (u64, u32) {
        while self.digits.len() <= place && !self.rest.is_zero() {
            let shifted = &self.rest << 64u32;
            let word = &shifted / &self.denominator;
            self.rest = shifted - &word * &self.denominator;
            self.digits.push(word.to_u64().unwrap_or(u64::MAX));
        }
        match self.digits.get(place) {
            None => (0, 0),
            Some(&word) if place + 1 == self.digits.len() && self.rest.is_zero() => (word, 64 - word.trailing_zeros().min(64)),
            Some(&word) => (word, 64),
        }
    }

    /// Tosses 64 coins; a bit that is set is a messenger captured.
    ///
    /// Every lane draws a number between 0 and 1 digit by digit, all lanes at once, until it differs from the rate: the
    /// messenger is captured if the number is the smaller one. So the probability is exactly the rate, whatever its digits
    /// are, and about eight random words decide 64 messengers (fewer if the rate has fewer digits).
    fn toss(&mut self, bits: &mut ChaCha8Rng) -> u64 {
        if self.certain {
            return u64::MAX;
        }
        let (mut open, mut captured) = (u64::MAX, 0);
        for place in 0.. {
            let (mut word, digits) = self.word(place);
            for _ in 0..digits {
                let digit = if word >> 63 == 1 { u64::MAX } else { 0 };
                let differs = bits.next_u64() ^ digit;
                captured |= open & differs & digit;
                open &= !differs;
                if open == 0 {
                    return captured;
                }
                word <<= 1;
            }
            if digits < 64 {
                break;
            }
        }
        captured
    }
}

/// Coins that are tossed one after the other, and kept until somebody takes them.
#[derive(Clone, Debug)]
pub(in crate::generals) struct Toss {
    rate: CaptureRate,
    kept: u64,
    left: u32,
}

impl Toss {
    /// Coins that capture at this rate.
    pub(in crate::generals) const fn new(rate: CaptureRate) -> Self {
        Self { rate, kept: 0, left: 0 }
    }

    /// Tosses a coin for each of `messengers`, and says how many of them are captured.
    #[inline]
    pub(in crate::generals) fn captured(&mut self, messengers: u32, bits: &mut ChaCha8Rng) -> u32 {
        if messengers < self.left {
            let captured = (self.kept & ((1 << messengers) - 1)).count_ones();
            self.kept >>= messengers;
            self.left -= messengers;
            return captured;
        }
        self.captured_more(messengers, bits)
    }

    /// Tosses a coin for each of `messengers`, of whom there are fewer than 64; a bit that is set is a messenger captured, and
    /// the first one has the lowest.
    #[inline]
    pub(in crate::generals) fn pattern(&mut self, messengers: u32, bits: &mut ChaCha8Rng) -> u64 {
        if messengers >= self.left {
            return self.pattern_more(messengers, bits);
        }
        let captured = self.kept & ((1 << messengers) - 1);
        self.kept >>= messengers;
        self.left -= messengers;
        captured
    }

    #[cold]
    fn pattern_more(&mut self, messengers: u32, bits: &mut ChaCha8Rng) -> u64 {
        let (first, taken) = (self.kept, self.left);
        self.kept = self.rate.toss(bits);
        self.left = 64;
        let wanted = messengers - taken;
        let more = self.kept & ((1 << wanted) - 1);
        self.kept >>= wanted;
        self.left -= wanted;
        first | more << taken
    }

    fn captured_more(&mut self, messengers: u32, bits: &mut ChaCha8Rng) -> u32 {
        let mut captured = self.kept.count_ones();
        let mut wanted = messengers - self.left;
        while wanted >= 64 {
            captured += self.rate.toss(bits).count_ones();
            wanted -= 64;
        }
        self.kept = self.rate.toss(bits);
        self.left = 64 - wanted;
        // Fewer than 64 are wanted, so the shifts are in range.
        captured += (self.kept & ((1 << wanted) - 1)).count_ones();
        self.kept >>= wanted;
        captured
    }

    /// Tosses a coin for one messenger after the other until one is captured, and says how many they were with that one.
    pub(in crate::generals) fn until_captured(&mut self, bits: &mut ChaCha8Rng) -> u64 {
        let mut before = 0;
        loop {
            if self.kept != 0 {
                let more = self.kept.trailing_zeros();
                // Two shifts, since one by 64 is out of range.
                self.kept = self.kept >> more >> 1;
                self.left -= more + 1;
                return before + u64::from(more) + 1;
            }
            before += u64::from(self.left);
            self.kept = self.rate.toss(bits);
            self.left = 64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(text: &str) -> CaptureRate {
        CaptureRate::new(&text.parse().expect(text)).expect(text)
    }

    #[track_caller]
    fn check_digits(text: &str, expected: &[(u64, u32)]) {
        let mut rate = rate(text);
        let found: Vec<_> = (0..expected.len()).map(|place| rate.word(place)).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn digits_are_those_of_the_rate() {
        check_digits("1/2", &[(1 << 63, 1), (0, 0)]);
        check_digits("3/4", &[(3 << 62, 2), (0, 0)]);
        check_digits("0", &[(0, 0)]);
        check_digits("1/3", &[(0x5555_5555_5555_5555, 64), (0x5555_5555_5555_5555, 64)]);
        check_digits("1/1180591620717411303424", &[(0, 64), (1 << 58, 6), (0, 0)]);
        check_digits("1/18446744073709551616", &[(1, 64), (0, 0)]);
    }

    /// The share captured of a million lies within five standard deviations of the rate.
    #[track_caller]
    fn check_share(text: &str, exact: f64) {
        let (mut toss, mut bits) = (Toss::new(rate(text)), bits(7, 0, 0));
        let mut captured = 0;
        for messengers in [1u32, 63, 64, 65, 128, 200].into_iter().cycle().take(12_000) {
            captured += u64::from(toss.captured(messengers, &mut bits));
        }
        let tossed = 12_000.0 / 6.0 * (1.0 + 63.0 + 64.0 + 65.0 + 128.0 + 200.0);
        let deviation = (tossed * exact * (1.0 - exact)).sqrt();
        assert!((captured as f64 - tossed * exact).abs() <= 5.0 * deviation, "{text}: {captured} of {tossed}");
    }

    #[test]
    fn coins_fall_as_often_as_they_should() {
        check_share("1/2", 0.5);
        check_share("1/3", 1.0 / 3.0);
        check_share("1/10", 0.1);
        check_share("99/100", 0.99);
        check_share("1/65536", 1.0 / 65536.0);
        check_share("0", 0.0);
        check_share("1", 1.0);
        check_share("1e-300", 0.0);
    }

    #[test]
    fn what_was_tossed_is_taken_once_and_in_order() {
        let (mut one_by_one, mut first) = (Toss::new(rate("1/3")), bits(1, 0, 0));
        let (mut together, mut second) = (Toss::new(rate("1/3")), bits(1, 0, 0));
        for messengers in [5u32, 59, 64, 1, 0, 63, 200, 17, 300] {
            let single: u32 = (0..messengers).map(|_| one_by_one.captured(1, &mut first)).sum();
            assert_eq!(single, together.captured(messengers, &mut second), "{messengers}");
        }
        for messengers in (0..64).cycle().take(1000) {
            let single = (0..messengers).fold(0, |all, place| all | u64::from(one_by_one.captured(1, &mut first)) << place);
            assert_eq!(single, together.pattern(messengers, &mut second), "{messengers}");
        }
    }

    #[test]
    fn the_first_captured_is_the_first_captured() {
        let (mut toss, mut first) = (Toss::new(rate("1/100")), bits(3, 0, 0));
        let (mut single, mut second) = (Toss::new(rate("1/100")), bits(3, 0, 0));
        for _ in 0..1000 {
            let sent = toss.until_captured(&mut first);
            assert!((1..sent).all(|_| single.captured(1, &mut second) == 0));
            assert_eq!(single.captured(1, &mut second), 1);
        }
    }

    #[test]
    fn a_draw_favours_nobody() {
        let mut bits = bits(5, 0, 0);
        let mut drawn = [0u32; 5];
        (0..50_000).for_each(|_| drawn[draw(5, &mut bits) as usize] += 1);
        // Each is expected 10,000 times, with a deviation of 89.
        assert!(drawn.iter().all(|&times| times.abs_diff(10_000) < 450), "{drawn:?}");
        assert_eq!(draw(1, &mut bits), 0);
    }
}
