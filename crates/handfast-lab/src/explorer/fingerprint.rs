//! The 128-bit fingerprint by which a state is recognised, and how likely it is that two states share one.

use std::hash::{Hash, Hasher};

/// The name of a state in the table of those seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint {
    pub(super) high: u64,
    pub(super) low: u64,
}

/// The multiplier of PCG's 128-bit generator, chosen for its spectrum (O'Neill 2014, after L'Ecuyer 1999).
const MULTIPLIER: u128 = 0x2360_ED05_1FC6_5DA4_4385_DF64_9FCC_F645;

/// PCG's increment, here only a start that is not zero.
const START: u128 = 0x5851_F42D_4C95_7F2D_1405_7B7E_F767_814F;

/// A length or discriminant up to this is fed as one byte; a greater one as this byte and then eight.
const LONG: u8 = 0xFF;

/// Collects the bytes of a state eight at a time and mixes them into 128 bits.
///
/// With the word given, each mixing is a bijection of the 128 bits, so nothing that made two states different is lost
/// before the difference has spread. Narrow fields are packed: what a type feeds can be read back unambiguously, whether
/// packed or not.
struct Mixer {
    mixed: u128,
    waiting: u64,
    waiting_bits: u32,
}

/// The fingerprint of a state: the same on every machine, in every run and thread.
pub(super) fn fingerprint(state: &impl Hash) -> Fingerprint {
    let mut mixer = Mixer { mixed: START, waiting: 0, waiting_bits: 0 };
    state.hash(&mut mixer);
    // The bits left over, with their number, so that a shorter state is not the beginning of a longer one.
    let left = mixer.waiting;
    let bits = mixer.waiting_bits;
    mixer.mix(left);
    let mut last = mixer.mixed ^ (u128::from(bits) << 64);
    // The low half of a product knows nothing of the high half of its factors; after these two rounds it does.
    last = last.wrapping_mul(MULTIPLIER);
    last ^= last >> 64;
    last = last.wrapping_mul(MULTIPLIER);
    last ^= last >> 64;
    Fingerprint { high: (last >> 64) as u64, low: last as u64 }
}

/// How likely it is at most that among so many states two share a fingerprint and one of them went unexplored: the
/// number of pairs over 2^128, taking the fingerprints for random.
pub(super) fn collision_odds(states: u64) -> f64 {
    let states = states as f64;
    states * states / 2f64.powi(129)
}

impl Mixer {
    #[inline]
    fn mix(&mut self, word: u64) {
        let product = (self.mixed ^ u128::from(word)).wrapping_mul(MULTIPLIER);
        self.mixed = product ^ (product >> 64);
    }

    #[inline]
    fn feed(&mut self, value: u64, bits: u32) {
        self.waiting |= value << self.waiting_bits;
        let filled = self.waiting_bits + bits;
        if filled < u64::BITS {
            self.waiting_bits = filled;
        } else {
            let word = self.waiting;
            self.mix(word);
            let over = filled - u64::BITS;
            // What did not fit; nothing is left when the word was filled exactly.
            self.waiting = if over == 0 { 0 } else { value >> (bits - over) };
            self.waiting_bits = over;
        }
    }
}

impl Hasher for Mixer {
    fn finish(&self) -> u64 {
        // Only `fingerprint` uses this hasher, and takes all 128 bits.
        self.mixed as u64
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.feed(u64::from_le_bytes(*word), 64);
        }
        let mut last = 0;
        for (place, byte) in rest.iter().enumerate() {
            last |= u64::from(*byte) << (8 * place);
        }
        if !rest.is_empty() {
            self.feed(last, 8 * rest.len() as u32);
        }
    }

    #[inline]
    fn write_u8(&mut self, value: u8) {
        self.feed(u64::from(value), 8);
    }

    #[inline]
    fn write_u16(&mut self, value: u16) {
        self.feed(u64::from(value), 16);
    }

    #[inline]
    fn write_u32(&mut self, value: u32) {
        self.feed(u64::from(value), 32);
    }

    #[inline]
    fn write_u64(&mut self, value: u64) {
        self.feed(value, 64);
    }

    #[inline]
    fn write_usize(&mut self, value: usize) {
        if value < usize::from(LONG) {
            self.feed(value as u64, 8);
        } else {
            self.feed(u64::from(LONG), 8);
            self.feed(value as u64, 64);
        }
    }

    #[inline]
    fn write_isize(&mut self, value: isize) {
        // Enums feed their discriminant as an `isize`.
        self.write_usize(value as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::fingerprint;
    use std::collections::BTreeSet;
    use std::hash::{Hash, Hasher};

    #[test]
    fn near_states_have_far_fingerprints() {
        let mut seen = BTreeSet::new();
        let mut halves = BTreeSet::new();
        for first in 0..64u64 {
            for second in 0..64u8 {
                for third in [None, Some(0u16), Some(1)] {
                    let name = fingerprint(&(first, second, third));
                    seen.insert((name.high, name.low));
                    halves.insert(name.high);
                    halves.insert(name.low);
                }
            }
        }
        assert_eq!(seen.len(), 64 * 64 * 3);
        // Also each half on its own tells them apart, so neither is idle.
        assert_eq!(halves.len(), 2 * 64 * 64 * 3);
    }

    #[test]
    fn every_bit_of_the_input_moves_about_half_of_the_output() {
        let plain = [0x0123_4567_89AB_CDEFu64, 42, u64::MAX, 0];
        let before = fingerprint(&plain);
        for bit in 0..256 {
            let mut other = plain;
            other[bit / 64] ^= 1 << (bit % 64);
            let after = fingerprint(&other);
            let moved = (before.high ^ after.high).count_ones() + (before.low ^ after.low).count_ones();
            assert!((32..=96).contains(&moved), "bit {bit} moved {moved} of 128");
        }
    }

    #[test]
    fn lengths_and_long_values_are_told_apart() {
        let lists: [&[u8]; 6] = [&[], &[0], &[0, 0], &[0; 8], &[0; 9], &[0; 255]];
        let names: BTreeSet<_> = lists.iter().map(fingerprint).map(|name| (name.high, name.low)).collect();
        assert_eq!(names.len(), lists.len());
        let sizes = [0usize, 1, 254, 255, 256, usize::MAX];
        let names: BTreeSet<_> = sizes.iter().map(fingerprint).map(|name| (name.high, name.low)).collect();
        assert_eq!(names.len(), sizes.len());
    }

    #[test]
    fn what_is_fed_without_its_length_is_told_apart_by_it() {
        /// Like a hand-written `Hash` that forgets the length.
        struct Bare(usize);
        impl Hash for Bare {
            fn hash<H: Hasher>(&self, hasher: &mut H) {
                (0..self.0).for_each(|_| hasher.write_u8(0));
            }
        }
        let names: BTreeSet<_> = (0..40).map(|length| fingerprint(&Bare(length))).map(|name| (name.high, name.low)).collect();
        assert_eq!(names.len(), 40);
    }

    #[test]
    fn packing_across_words_loses_nothing() {
        // Fields that straddle the eight-byte words at every offset.
        let mut seen = BTreeSet::new();
        for offset in 0..16usize {
            for bit in 0..32 {
                let name = fingerprint(&(vec![7u8; offset], 1u32 << bit, 9u8));
                assert!(seen.insert((name.high, name.low)), "offset {offset} bit {bit}");
            }
        }
    }
}
