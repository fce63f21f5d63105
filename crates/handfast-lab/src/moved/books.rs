//! What is kept of one step's key at both addresses, and what was done and undone by whoever keeps it.

use handfast_protocol::{Definite, Guards, Operation};

use super::plan::Plan;
use crate::one_saga::asked;

/// Which of a service's two addresses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Address {
    /// Where it was called first.
    #[default]
    Former,
    /// Where it has moved to.
    New,
}

impl Address {
    pub(super) const fn other(self) -> Self {
        match self {
            Self::Former => Self::New,
            Self::New => Self::Former,
        }
    }

    pub(super) const fn index(self) -> usize {
        match self {
            Self::Former => 0,
            Self::New => 1,
        }
    }
}

/// What the new address keeps.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kept {
    /// The same books.
    Same,
    /// Other books, in which the key is not known.
    Others,
    /// What the former books were at one moment, and what has come to the new address since.
    Copy,
}

/// What was carried out for one key by whoever answers at one address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Effect {
    /// How often it was done.
    pub done: u8,
    /// How often it was undone.
    pub undone: u8,
}

impl Effect {
    const fn is_in_effect(self) -> bool {
        self.done > self.undone
    }
}

/// What is kept of one step's key, at both addresses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Books {
    /// The key's state in the books of each address. The second ones are in use only where they are not the same.
    pub keys: [Option<Definite>; 2],
    /// What was carried out by whoever keeps each of them.
    pub effects: [Effect; 2],
    /// What the new address keeps; the adversary says so with the copy, or with the first move.
    pub kept: Option<Kept>,
    /// Where the step's service is called now.
    pub called_at: Address,
}

impl Books {
    /// Which books are kept at an address.
    const fn index(self, address: Address) -> usize {
        match (address, self.kept) {
            (Address::Former, _) | (Address::New, None | Some(Kept::Same)) => 0,
            (Address::New, Some(Kept::Others | Kept::Copy)) => 1,
        }
    }

    /// The key's state in the books that are kept at an address.
    pub(super) const fn at(self, address: Address) -> Option<Definite> {
        self.keys[self.index(address)]
    }

    /// It is done, by whoever keeps whichever books.
    pub(super) fn is_in_effect(self) -> bool {
        self.effects.iter().any(|effect| effect.is_in_effect())
    }

    /// It was done, by whoever keeps whichever books.
    pub(super) fn was_done(self) -> bool {
        self.times_done() > 0
    }

    /// How often it was done.
    pub(super) fn times_done(self) -> u8 {
        self.effects.iter().map(|effect| effect.done).sum()
    }

    /// What is there is seen by whoever looks at this address.
    pub(super) fn is_seen_at(self, address: Address) -> bool {
        self.at(address) == Some(Definite::Done)
    }

    /// The former books are copied as they are, for the new address to begin with.
    pub(super) fn copied(mut self) -> Self {
        self.keys[1] = self.keys[0];
        self.kept = Some(Kept::Copy);
        self
    }

    /// The copy knows everything that was seen of this key.
    pub(super) fn confirms(self, known: Option<Definite>) -> bool {
        let changes = |state: Option<Definite>| match state {
            None => 0,
            Some(Definite::Done | Definite::Refused | Definite::Closed) => 1,
            Some(Definite::Undone) => 2,
        };
        self.kept == Some(Kept::Copy) && changes(self.at(Address::New)) >= changes(known)
    }

    /// Something that is no look arrives at an address, and what is answered. `None`: it was a look.
    pub(super) fn arrive<G: Guards>(
        &mut self,
        (operation, address, accepts): (Operation, Address, bool),
        plan: &handfast_protocol::StepPlan,
    ) -> Option<handfast_protocol::Answer> {
        let books = self.index(address);
        let before = self.keys[books];
        let (answer, after) = asked::<G>(before, operation, accepts)?;
        self.keys[books] = after;
        // What was copied was done by whoever was asked at the former address.
        let of = if books == 1 && self.effects[1].done > 0 { 1 } else { 0 };
        match operation {
            Operation::Act => {
                let is_repeated = !plan.closes() && matches!(plan.doubt, handfast_protocol::Doubt::Looks { .. });
                let is_done = after == Some(Definite::Done) && (before.is_none() || is_repeated);
                self.effects[books].done = (self.effects[books].done + u8::from(is_done)).min(2);
            }
            Operation::Undo => {
                let is_undone = before == Some(Definite::Done) || (before == Some(Definite::Undone) && plan.undo_leaves_once());
                self.effects[of].undone = (self.effects[of].undone + u8::from(is_undone)).min(2);
            }
            Operation::Close | Operation::Look => {}
        }
        Some(answer)
    }
}

/// The books of every step of a plan before anything has arrived.
pub(super) fn empty(plan: Plan) -> Vec<Books> {
    vec![Books::default(); plan.names().len()]
}
