//! What was seen of the participants' stores, by their incarnations: all links to one incarnation share one memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::store::{Memory, Seen, Sighting};
use handfast_machine::locked;

/// What is known of every incarnation.
#[derive(Debug, Default)]
pub(crate) struct Memories(Mutex<BTreeMap<String, Kept>>);

/// What is known of one.
#[derive(Debug, Default)]
struct Kept {
    /// The highest number of any of its answers.
    seq: u64,
    memory: Memory,
    /// What answers have shown that are being written down.
    pending: BTreeMap<u64, Seen>,
    /// How many there were.
    drawn: u64,
    /// Its store is known to be another one than it was, and no answer has been as it should be since.
    is_behind: bool,
}

/// Room for what one answer has shown, until it is durable or will not be.
#[derive(Debug)]
pub(crate) struct Room {
    memories: Arc<Memories>,
    incarnation: String,
    number: u64,
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut memories = locked(&self.memories.0);
        if let Some(kept) = memories.get_mut(&self.incarnation) {
            kept.pending.remove(&self.number);
        }
    }
}

impl Memories {
    /// What a store has kept.
    pub(crate) fn new(seen: &[Seen]) -> Self {
        let memories = Self::default();
        memories.join(seen);
        memories
    }

    /// Takes over what others have kept in the same store.
    pub(crate) fn join(&self, seen: &[Seen]) {
        let mut memories = locked(&self.0);
        for Seen { incarnation, seq, shown, .. } in seen {
            let kept = memories.entry(incarnation.clone()).or_default();
            kept.seq = kept.seq.max(*seq);
            kept.memory.join(shown);
        }
    }

    /// What a request to this incarnation has to name, with what its own saga saw there.
    pub(crate) fn naming(&self, incarnation: &str, own: &[(u64, Option<Sighting>)]) -> Seen {
        let memories = locked(&self.0);
        let (seq, mut named) = memories.get(incarnation).map_or((0, Vec::new()), |kept| (kept.seq, kept.memory.named()));
        for sighting in own.iter().filter_map(|(_, sighting)| sighting.as_ref()) {
            if !named.contains(sighting) {
                named.push(sighting.clone());
            }
        }
        let seq = own.iter().map(|(seq, _)| *seq).fold(seq, u64::max);
        Seen { incarnation: incarnation.to_owned(), seq, named, ..Seen::default() }
    }

    /// Takes note of whether the store of this incarnation is known to be another one than it was. All links to it share that.
    pub(crate) fn note_behind(&self, incarnation: &str, is_behind: bool) {
        locked(&self.0).entry(incarnation.to_owned()).or_default().is_behind = is_behind;
    }

    pub(crate) fn is_behind(&self, incarnation: &str) -> bool {
        locked(&self.0).get(incarnation).is_some_and(|kept| kept.is_behind)
    }

    /// Whether this incarnation has ever given a mark, so that each of its receipts has to have one.
    pub(crate) fn draws_marks(&self, incarnation: &str) -> bool {
        let memories = locked(&self.0);
        memories.get(incarnation).is_some_and(|kept| !kept.memory.tips().is_empty())
    }

    /// Room for what an answer has shown, beside everything else that is being written down; where there is none it has to be
    /// asked for again, naming more.
    pub(crate) fn reserve(self: &Arc<Self>, seen: &Seen) -> Option<Room> {
        let mut memories = locked(&self.0);
        let kept = memories.entry(seen.incarnation.clone()).or_default();
        let all = kept.pending.values().chain([seen]);
        let all: Vec<_> = all.flat_map(|seen| seen.shown.iter().map(|tip| (tip, seen.named.as_slice()))).collect();
        if !seen.shown.is_empty() && !kept.memory.has_room_for(&all) {
            return None;
        }
        kept.drawn += 1;
        let number = kept.drawn;
        kept.pending.insert(number, seen.clone());
        Some(Room { memories: Arc::clone(self), incarnation: seen.incarnation.clone(), number })
    }

    /// Takes note of what is durable now.
    pub(crate) fn raise(&self, seen: &Seen) {
        let mut memories = locked(&self.0);
        let kept = memories.entry(seen.incarnation.clone()).or_default();
        kept.seq = kept.seq.max(seen.seq);
        seen.remember_in(&mut kept.memory);
    }
}

#[cfg(test)]
mod tests {
    use handfast_protocol::Change;

    use super::*;

    /// A worker that has taken a saga over names what its journal saw, whatever it has heard itself.
    #[test]
    fn a_request_names_at_least_what_its_saga_saw() {
        let own = Sighting { key: "k".to_owned(), change: Change { number: 9, mark: "m9".to_owned() } };
        let named = Memories::default().naming("first", &[(9, Some(own.clone())), (11, None)]);
        assert_eq!((named.seq, named.named), (11, vec![own]));
    }
}
