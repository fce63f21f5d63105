//! What a decision about a definition came to: which orders really go on, and what stays held, and why.

use std::sync::Arc;

use handfast_protocol::{Party as _, Standing};

use super::Engine;
use super::handle::describe;
use super::journaled::{Journaled, Loaded};
use super::registry::Mail;
use crate::store::StoreError;

/// At most this many orders are read one by one; reading more would take longer than a person waits.
const MOST_READ: usize = 10_000;
/// At most this many orders that stay held are named.
const MOST_NAMED: usize = 100;
const PAGE: usize = 100;

/// What a decision about the orders of a definition came to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Decided {
    /// How many open orders go on as was decided.
    pub go_on: u64,
    /// How many of those are only looked for at first, since they were asked for at another address.
    pub looked_for: u64,
    /// How many stay as they are.
    pub held: u64,
    /// Of those the first hundred, each with the reason.
    pub named: Vec<(String, String)>,
    /// There are more, which were not looked into one by one.
    pub is_partly_read: bool,
}

impl Decided {
    /// What this decision and another one came to.
    pub(super) fn and(mut self, mut other: Self) -> Self {
        self.go_on += other.go_on;
        self.looked_for += other.looked_for;
        self.held += other.held;
        self.named.append(&mut other.named);
        self.named.truncate(MOST_NAMED);
        self.is_partly_read |= other.is_partly_read;
        self
    }
}

/// What becomes of one order.
enum Becomes {
    GoesOn,
    IsLookedFor,
    IsHeld(String),
    IsGone,
}

impl Engine {
    /// Looks into every open order of a definition that follows this one, and lets each of them begin anew from that.
    pub(super) async fn come_to(&self, placed_with: [u8; 32], follows: [u8; 32]) -> Result<Decided, StoreError> {
        let shared = &self.0.shared;
        let mut decided = Decided::default();
        let mut after: Option<String> = None;
        let mut read = 0;
        loop {
            let page = shared.store.open_of(placed_with, follows, after.as_deref(), PAGE).await?;
            for id in &page {
                match self.become_of(id).await? {
                    Becomes::GoesOn => decided.go_on += 1,
                    Becomes::IsLookedFor => (decided.go_on, decided.looked_for) = (decided.go_on + 1, decided.looked_for + 1),
                    Becomes::IsHeld(why) => {
                        decided.held += 1;
                        if decided.named.len() < MOST_NAMED {
                            decided.named.push((id.clone(), why));
                        }
                    }
                    Becomes::IsGone => {}
                }
                read += 1;
            }
            match page.last() {
                Some(last) if page.len() == PAGE && read < MOST_READ => after = Some(last.clone()),
                Some(_) if page.len() == PAGE => {
                    decided.is_partly_read = true;
                    return Ok(decided);
                }
                Some(_) | None => return Ok(decided),
            }
        }
    }

    async fn become_of(&self, id: &str) -> Result<Becomes, StoreError> {
        let shared = &self.0.shared;
        let loaded = match Journaled::load(&*shared.store, id, &shared.definitions).await {
            Ok(loaded) => loaded,
            Err(StoreError::Corrupt { what, .. }) => return Ok(Becomes::IsHeld(what)),
            Err(error) => return Err(error),
        };
        let saga = match loaded {
            Loaded::Ready(saga) => saga,
            Loaded::Suspended(why) => return Ok(Becomes::IsHeld(why)),
            Loaded::LeftAlone(alone) | Loaded::Differs(alone) => return Ok(Becomes::IsHeld(alone.reason)),
            Loaded::Missing => return Ok(Becomes::IsGone),
        };
        // A running driver has to follow the other definition from now on; a suspended saga has no driver and needs one.
        if shared.is_active(id) || saga.standing() == Standing::Suspended {
            shared.tell(&Arc::from(id), Mail::Reload);
        }
        Ok(becomes(&saga))
    }
}

fn becomes(saga: &Journaled) -> Becomes {
    let mut next = saga.coordinator().clone();
    for line in saga.untold_moves() {
        next.step(next.clock(), line.told());
    }
    let is_looked_for = |step: usize| next.is_moved(step) && next.outbox().iter().any(|command| command.step == step);
    if (0..next.plan().steps().len()).any(is_looked_for) {
        return Becomes::IsLookedFor;
    }
    match next.evidence().filter(|_| next.standing() == Standing::Suspended) {
        Some(evidence) => Becomes::IsHeld(describe(saga, evidence)),
        None => Becomes::GoesOn,
    }
}
