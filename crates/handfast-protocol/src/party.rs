//! What a party is: a value with one pure function, told one thing at a time.

use alloc::vec::Vec;
use core::fmt::Debug;

/// Milliseconds since the Unix epoch, as told to a party. It is an argument, never read from a clock in here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Time(pub u64);

impl Time {
    /// This time and `duration_ms` more, or the last representable time.
    #[must_use]
    pub const fn after(self, duration_ms: u64) -> Self {
        Self(self.0.saturating_add(duration_ms))
    }
}

/// The one thing a party is told at a time. The list of them is at once its view, its journal and its trace.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Input<M> {
    /// The protocol begins for this party.
    Start,
    /// A message arrived.
    Receive(M),
    /// The time that [`Party::deadline`] named has come, or any later one.
    Timeout,
}

/// One side of a protocol.
///
/// Everything a party wants is read from its value, so a crash forgets nothing: whoever holds the journal holds the party.
pub trait Party: Clone + Ord + Debug {
    /// What reaches this party.
    type Inbound;
    /// What this party wants delivered.
    type Outbound;
    /// What it decides in the end.
    type Decision;

    /// Takes one input. Total: an input that means nothing now changes nothing, and there is no error to return.
    fn step(&mut self, now: Time, input: Input<Self::Inbound>);

    /// What still wants delivering. A driver delivers it again and again until the state says otherwise,
    /// which keeps retries out of the journal.
    fn outbox(&self) -> Vec<Self::Outbound>;

    /// When to call [`step`](Party::step) with [`Input::Timeout`] if nothing else happens.
    fn deadline(&self) -> Option<Time>;

    /// What this side has decided. Once it is `Some` it never changes.
    fn decision(&self) -> Option<Self::Decision>;
}

/// The state that a journal leads to: `party` after every entry, in order.
#[must_use]
pub fn replay<P: Party>(mut party: P, journal: impl IntoIterator<Item = (Time, Input<P::Inbound>)>) -> P {
    for (now, input) in journal {
        party.step(now, input);
    }
    party
}
