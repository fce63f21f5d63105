//! The number that every commit of a store raises, kept where the header of its file has room for it (`user_version`).

/// The number that every commit of a store raises. It wraps around; 0 is said by a file from before it was counted.
#[must_use]
pub const fn next_generation(generation: i32) -> i32 {
    if generation == i32::MAX || generation < 0 { 1 } else { generation + 1 }
}

/// Whether a generation is an earlier one than another, of two that are no more than half of all numbers apart.
#[must_use]
pub const fn is_behind(generation: i32, other: i32) -> bool {
    let ahead = other.wrapping_sub(generation) & i32::MAX;
    ahead != 0 && ahead < i32::MAX / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generations_are_told_apart_around_their_end() {
        assert!(is_behind(1, 2) && !is_behind(2, 1) && !is_behind(2, 2));
        assert_eq!(next_generation(i32::MAX), 1);
        assert!(is_behind(i32::MAX - 1, 3) && !is_behind(3, i32::MAX - 1));
        assert!(is_behind(0, 1) && !is_behind(1, 0), "0 is from before they were counted");
    }
}
