//! The table of states seen: fingerprints, a number for each state, and the number of the state it was first reached from.

use super::fingerprint::Fingerprint;

/// The number of shards. A constant, so that the numbers of the states do not depend on the number of threads.
pub(super) const SHARDS: usize = 1 << SHARD_BITS;

const SHARD_BITS: u32 = 6;

/// The predecessor of an initial state.
pub(super) const NO_STATE: u32 = u32::MAX;

/// The number of a state: the place in its shard times [`SHARDS`], plus the shard. Always below 2^31.
pub(super) type Number = u32;

/// The table, split by fingerprint so that threads can write to different shards without a lock.
pub(super) struct Table {
    pub(super) shards: Vec<Shard>,
}

/// One part of the table: open addressing with linear probing.
///
/// The slot a fingerprint belongs to grows with the fingerprint, so that moving to a greater table reads and writes
/// memory from one end to the other.
pub(super) struct Shard {
    slots: Vec<Slot>,
    predecessors: Vec<Number>,
}

/// Twenty bytes: the fingerprint, and the place in the shard plus one, or zero if the slot is free.
#[derive(Clone, Copy)]
struct Slot {
    key: [u32; 4],
    place_plus_one: u32,
}

const FREE: Slot = Slot { key: [0; 4], place_plus_one: 0 };

/// The shard a fingerprint belongs to.
#[inline]
pub(super) fn shard_of(fingerprint: Fingerprint) -> usize {
    (fingerprint.high >> (u64::BITS - SHARD_BITS)) as usize
}

impl Table {
    pub(super) fn new() -> Self {
        Self { shards: (0..SHARDS).map(|_| Shard { slots: vec![FREE; 16], predecessors: Vec::new() }).collect() }
    }

    /// The number of the state with this fingerprint, if it was seen.
    #[inline]
    pub(super) fn find(&self, fingerprint: Fingerprint) -> Option<Number> {
        let shard = shard_of(fingerprint);
        self.shards[shard].find(fingerprint).map(|place| number(place, shard))
    }

    /// Brings the slots of these fingerprints into the cache. The processor fetches several at the same time as long as
    /// nothing is decided by what it finds, which here nothing is.
    pub(super) fn touch(&self, fingerprints: impl Iterator<Item = Fingerprint>) {
        let mut mixed = 0;
        for fingerprint in fingerprints {
            let slots = &self.shards[shard_of(fingerprint)].slots;
            let slot = &slots[home(key(fingerprint), slots.len())];
            // Both ends, since a slot may lie across two lines of the cache.
            mixed ^= slot.key[0] ^ slot.place_plus_one;
        }
        // Otherwise the compiler would see that the loop is good for nothing.
        std::hint::black_box(mixed);
    }

    /// The state from which this one was first reached, or [`NO_STATE`].
    pub(super) fn predecessor(&self, state: Number) -> Number {
        self.shards[state as usize % SHARDS].predecessors[state as usize / SHARDS]
    }

    /// How many states were seen.
    pub(super) fn len(&self) -> u64 {
        self.shards.iter().map(|shard| shard.predecessors.len() as u64).sum()
    }
}

#[inline]
fn number(place: u32, shard: usize) -> Number {
    place * SHARDS as u32 + shard as u32
}

impl Shard {
    /// Adds a state, unless it is there already. Gives its number, and whether it is new.
    #[inline]
    pub(super) fn insert(&mut self, shard: usize, fingerprint: Fingerprint, predecessor: Number) -> (Number, bool) {
        if (self.predecessors.len() + 1) * 3 > self.slots.len() * 2 {
            self.grow();
        }
        let key = key(fingerprint);
        let mut at = home(key, self.slots.len());
        loop {
            let slot = &mut self.slots[at];
            if slot.place_plus_one == 0 {
                let place = self.predecessors.len() as u32;
                *slot = Slot { key, place_plus_one: place + 1 };
                self.predecessors.push(predecessor);
                return (number(place, shard), true);
            }
            if slot.key == key {
                return (number(slot.place_plus_one - 1, shard), false);
            }
            at = next(at, self.slots.len());
        }
    }

    #[inline]
    fn find(&self, fingerprint: Fingerprint) -> Option<u32> {
        let key = key(fingerprint);
        let mut at = home(key, self.slots.len());
        loop {
            let slot = &self.slots[at];
            if slot.place_plus_one == 0 {
                return None;
            }
            if slot.key == key {
                return Some(slot.place_plus_one - 1);
            }
            at = next(at, self.slots.len());
        }
    }

    #[cold]
    fn grow(&mut self) {
        // At most two slots of three are taken, for short searches. Half as much again, and not twice, keeps more than four of
        // nine taken: about 36 bytes a state.
        let greater = self.slots.len() + self.slots.len() / 2;
        let mut slots = vec![FREE; greater];
        for slot in self.slots.iter().filter(|slot| slot.place_plus_one != 0) {
            let mut at = home(slot.key, greater);
            while slots[at].place_plus_one != 0 {
                at = next(at, greater);
            }
            slots[at] = *slot;
        }
        self.slots = slots;
    }
}

#[inline]
fn key(fingerprint: Fingerprint) -> [u32; 4] {
    [(fingerprint.low >> 32) as u32, fingerprint.low as u32, (fingerprint.high >> 32) as u32, fingerprint.high as u32]
}

/// Where a key belongs: its first 32 bits as a fraction of the table. A shard has fewer than 2^25 states.
#[inline]
fn home(key: [u32; 4], slots: usize) -> usize {
    ((u64::from(key[0]) * slots as u64) >> 32) as usize
}

#[inline]
fn next(at: usize, slots: usize) -> usize {
    if at + 1 == slots { 0 } else { at + 1 }
}

#[cfg(test)]
mod tests {
    use super::super::fingerprint::{Fingerprint, fingerprint};
    use super::{NO_STATE, SHARD_BITS, SHARDS, Table, shard_of};

    #[test]
    fn everything_put_in_is_found_through_every_growth() {
        let mut table = Table::new();
        let mut numbers = Vec::new();
        for state in 0..50_000u32 {
            let name = fingerprint(&state);
            let shard = shard_of(name);
            assert_eq!(table.find(name), None);
            let (number, new) = table.shards[shard].insert(shard, name, state);
            assert!(new);
            assert_eq!(table.shards[shard].insert(shard, name, NO_STATE), (number, false));
            numbers.push(number);
        }
        assert_eq!(table.len(), 50_000);
        for (state, number) in (0..).zip(&numbers) {
            assert_eq!(table.find(fingerprint(&state)), Some(*number));
            assert_eq!(table.predecessor(*number), state);
        }
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 50_000);
        assert!(table.shards.iter().all(|shard| shard.predecessors.len() > 50_000 / SHARDS / 2));
    }

    #[test]
    fn fingerprints_that_differ_in_one_bit_are_told_apart_however_near_they_lie() {
        // All in the last slots of one shard, or in the first, so that they crowd and go round the end.
        for low in [u64::MAX, 0] {
            let mut table = Table::new();
            let mut near = vec![Fingerprint { high: 0, low }];
            near.extend((0..u64::BITS - SHARD_BITS).map(|bit| Fingerprint { high: 1 << bit, low }));
            near.extend((0..u64::BITS).map(|bit| Fingerprint { high: 0, low: low ^ (1 << bit) }));
            for (place, name) in (0..).zip(&near) {
                assert_eq!(table.find(*name), None, "{name:?}");
                assert!(table.shards[0].insert(0, *name, place).1, "{name:?}");
            }
            for (place, name) in (0..).zip(&near) {
                let number = table.find(*name).expect("it was put in");
                assert_eq!(table.predecessor(number), place);
            }
        }
    }
}
