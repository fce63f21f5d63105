//! Webhooks that were taken lately, so that one that is sent again costs nothing. What is forgotten costs a request when it
//! comes again, and no more.

use std::collections::VecDeque;

use rustc_hash::FxHashSet;

use super::scheme::MessageId;

/// At most this many are remembered.
pub(super) const REMEMBERED: usize = 4096;

#[derive(Debug, Default)]
pub(super) struct Recent {
    known: FxHashSet<MessageId>,
    in_order: VecDeque<MessageId>,
}

impl Recent {
    /// Takes note of a webhook. Says whether it is new.
    pub(super) fn note(&mut self, id: MessageId) -> bool {
        if !self.known.insert(id) {
            return false;
        }
        self.in_order.push_back(id);
        if self.in_order.len() > REMEMBERED
            && let Some(oldest) = self.in_order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }

    /// Forgets a webhook that could not be acted on, so that it can come again.
    pub(super) fn forget(&mut self, id: &MessageId) {
        if self.known.remove(id) {
            self.in_order.retain(|other| other != id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> MessageId {
        let mut id = [0; 32];
        id[..8].copy_from_slice(&(number as u64).to_le_bytes());
        id
    }

    #[test]
    fn the_newest_are_known_and_no_more_of_them() {
        let mut recent = Recent::default();
        assert!((0..REMEMBERED).all(|number| recent.note(id(number))));
        assert!((0..REMEMBERED).all(|number| !recent.note(id(number))), "all of them are known");
        assert!(recent.note(id(REMEMBERED)));
        assert!(recent.note(id(0)), "the oldest made room");
        assert!(!recent.note(id(2)));
        assert_eq!((recent.known.len(), recent.in_order.len()), (REMEMBERED, REMEMBERED));
        recent.forget(&id(2));
        assert!(recent.note(id(2)), "what was not acted on is new again");
        assert_eq!((recent.known.len(), recent.in_order.len()), (REMEMBERED, REMEMBERED));
    }
}
