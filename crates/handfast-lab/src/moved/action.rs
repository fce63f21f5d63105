//! What may happen next, and what is on the road.

use handfast_protocol::{Answer, Command, DueAt, Nature, Ruling};

use super::books::{Address, Kept};

/// A request on the road.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Sent {
    /// What is asked for.
    pub command: Command,
    /// Of whom.
    pub address: Address,
    /// It left once nothing of an undo that leaves once could be on the road any more.
    pub is_late: bool,
}

/// What is answered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Said {
    /// Something definite.
    Answer(Answer),
    /// A look has found nothing.
    Nothing,
}

/// One thing that may happen next.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Action {
    /// A command of the outbox leaves for where its step is called now.
    Send(Sent),
    /// The same by the worker that is behind.
    SendBehind(Command),
    /// A request arrives, and an act is accepted or declined.
    Arrive(Sent, bool),
    /// An answer is journaled.
    Hear(Sent, Said),
    /// A deadline passes.
    Deadline,
    /// Of everything that is due this has come alone.
    Due(DueAt),
    /// Somebody cancels.
    Cancel,
    /// A person says something that is true.
    Say(Ruling),
    /// A person says that a step's two addresses keep the same books, and they do.
    SameBooks(usize),
    /// The former books of a step's service are copied for the new address to begin with.
    Copy(usize),
    /// A step's service is called at its other address from now on, where this is kept.
    Move(usize, Kept),
    /// The journal is copied.
    BackUp,
    /// The journal comes back from its copy, and follows the definition at hand.
    Restore,
    /// The other worker reads the journal, and nothing more of it.
    FallBehind,
}

/// What has come, in words.
pub(super) const fn nature(due: DueAt) -> &'static str {
    match due.nature {
        Nature::Stops => "something has to stop",
        Nature::Waits => "something was waited for",
        Nature::Plain => "a deadline alone passes",
    }
}
