//! What a saga is explored against: the network, the workers, the crashes, and what the participants may do.

use std::fmt;

use super::network::Network;

/// Everything that is allowed to go wrong, and every bound of the exploration.
#[derive(Clone, Debug)]
pub struct Adversary {
    /// How messages are lost, delayed, duplicated and reordered.
    pub network: Network,
    /// How many workers drive the same saga, each of which may pause between any two of load, append and send.
    pub workers: usize,
    /// How often the coordinator comes back with an older journal of the saga.
    pub restores: u8,
    /// How often a worker or a participant crashes, in all. A restart is free and keeps what is durable.
    pub crashes: u8,
    /// Whether a message that is delivered may also stay under way. A set of messages always lets them.
    pub duplicates: bool,
    /// Whether somebody cancels, at any moment.
    pub cancels: bool,
    /// What a person says of a saga that cannot go on by itself.
    pub person: Person,
    /// A step whose key somebody else has used with another body before.
    pub foreign_key: Option<usize>,
    /// What the driver does, and what a mutant of it fails to do.
    pub driver: Driver,
    /// What the participants' stores keep, and what a mutant of them loses.
    pub stores: Stores,
}

/// What a person says, if anybody says anything.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Person {
    /// Nobody says anything.
    #[default]
    Nobody,
    /// At any moment anything that a person may say, and of a step what was true at that moment.
    Truthful,
    /// Anything at all.
    Lying,
}

/// The driver's part of the protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Driver {
    /// An append succeeds only where the journal ends as the worker believes.
    pub fences_writers: bool,
    /// Messages leave only after the entry that wants them is in the journal.
    pub appends_before_sending: bool,
    /// What still wants delivering is delivered again.
    pub delivers_again: bool,
}

/// The participants' part, as far as it is not in the register's transition function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stores {
    /// A closed key stays closed.
    pub keep_tombstones: bool,
    /// A key that was used stays known.
    pub keep_keys: bool,
    /// The register's row and the effect are committed in one transaction.
    pub commit_atomically: bool,
}

impl Adversary {
    /// One worker, a set of messages, cancels at every moment, nothing broken.
    #[must_use]
    pub const fn new(network: Network) -> Self {
        Self {
            network,
            workers: 1,
            restores: 0,
            crashes: 0,
            duplicates: true,
            cancels: true,
            person: Person::Nobody,
            foreign_key: None,
            driver: Driver { fences_writers: true, appends_before_sending: true, delivers_again: true },
            stores: Stores { keep_tombstones: true, keep_keys: true, commit_atomically: true },
        }
    }

    /// The same with so many workers.
    #[must_use]
    pub const fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// The same with a person who says this much.
    #[must_use]
    pub const fn person(mut self, person: Person) -> Self {
        self.person = person;
        self
    }

    /// The same with so many returns of an older journal.
    #[must_use]
    pub const fn restores(mut self, restores: u8) -> Self {
        self.restores = restores;
        self
    }

    /// The same with so many crashes.
    #[must_use]
    pub const fn crashes(mut self, crashes: u8) -> Self {
        self.crashes = crashes;
        self
    }
}

impl fmt::Display for Adversary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.network {
            Network::Set => write!(f, "set of sent messages")?,
            Network::Multiset { capacity } => write!(f, "multiset of messages, {capacity} of a kind")?,
        }
        if !self.duplicates {
            write!(f, ", none delivered twice")?;
        }
        write!(f, ", {} worker{}", self.workers, if self.workers == 1 { "" } else { "s" })?;
        if self.cancels {
            write!(f, ", cancel at any moment")?;
        }
        if self.crashes > 0 {
            write!(f, ", {} crash{}", self.crashes, if self.crashes == 1 { "" } else { "es" })?;
        }
        if self.restores > 0 {
            write!(f, ", older journal comes back {}x", self.restores)?;
        }
        match self.person {
            Person::Nobody => {}
            Person::Truthful => write!(f, ", a person acts at any moment")?,
            Person::Lying => write!(f, ", a person acts at any moment and may be wrong")?,
        }
        if let Some(step) = self.foreign_key {
            write!(f, ", key of step {} used with another body", step + 1)?;
        }
        Ok(())
    }
}
