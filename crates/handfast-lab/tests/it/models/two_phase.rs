//! Two-phase commit, the explorer's yardstick: its number of states is known for every number of managers.
//!
//! After Gray and Lamport, "Consensus on transaction commit" (2006), section 3 and appendix A.2: the messages ever sent form
//! a set, nothing is lost for good, and nothing forces anybody to act. With N managers there are 6^N + 4^N + 2^N states,
//! according to whether the decision is to abort, not made yet, or to commit.

use handfast_lab::explorer::{Model, Property};
use std::fmt::{self, Debug};

/// The most managers: one bit each in a set of sixteen.
pub(crate) const MOST_MANAGERS: u32 = 16;

/// Two-phase commit among a number of resource managers, at most [`MOST_MANAGERS`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct TwoPhaseCommit {
    /// How many resource managers there are.
    pub(crate) managers: u32,
    /// A transaction manager that also commits when not all are prepared, to see that this is caught.
    pub(crate) commits_early: bool,
}

/// A set of managers, one bit each.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Managers(u16);

/// Everybody's state and everything sent. A manager that is in none of the three sets is working.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct State {
    /// Managers that are prepared and know of no decision.
    pub(crate) prepared: Managers,
    /// Managers that have committed.
    pub(crate) committed: Managers,
    /// Managers that have aborted.
    pub(crate) aborted: Managers,
    /// Managers whose message that they are prepared was sent. It stays true for ever.
    pub(crate) sent_prepared: Managers,
    /// Managers whose message the transaction manager has received.
    pub(crate) known_prepared: Managers,
    /// What the transaction manager has decided, and so told everybody.
    pub(crate) decision: Decision,
}

/// What the transaction manager has decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Decision {
    /// Nothing yet.
    Open,
    /// To commit.
    Commit,
    /// To abort.
    Abort,
}

/// What may happen next; a manager is named by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Action {
    /// The transaction manager decides to commit.
    Commit,
    /// The transaction manager decides to abort.
    Abort,
    /// The transaction manager receives that this one is prepared.
    ReceivePrepared(u32),
    /// This manager gets ready and says so.
    Prepare(u32),
    /// This manager aborts on its own account.
    ChooseToAbort(u32),
    /// This manager receives the decision to commit.
    ReceiveCommit(u32),
    /// This manager receives the decision to abort.
    ReceiveAbort(u32),
}

impl Managers {
    const NONE: Self = Self(0);

    /// Whether this manager is in the set.
    pub(crate) const fn contains(self, manager: u32) -> bool {
        self.0 & (1 << manager) != 0
    }

    const fn with(self, manager: u32) -> Self {
        Self(self.0 | (1 << manager))
    }

    const fn without(self, manager: u32) -> Self {
        Self(self.0 & !(1 << manager))
    }

    const fn len(self) -> u32 {
        self.0.count_ones()
    }
}

impl Debug for Managers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries((0..MOST_MANAGERS).filter(|manager| self.contains(*manager))).finish()
    }
}

impl State {
    const fn is_working(&self, manager: u32) -> bool {
        !self.prepared.contains(manager) && !self.committed.contains(manager) && !self.aborted.contains(manager)
    }
}

impl Model for TwoPhaseCommit {
    type State = State;
    type Action = Action;

    fn initial(&self) -> Vec<State> {
        let none = Managers::NONE;
        let (prepared, committed, aborted) = (none, none, none);
        let (sent_prepared, known_prepared) = (none, none);
        vec![State { prepared, committed, aborted, sent_prepared, known_prepared, decision: Decision::Open }]
    }

    fn actions(&self, state: &State, into: &mut Vec<Action>) {
        if state.decision == Decision::Open {
            if self.commits_early || state.known_prepared.len() == self.managers {
                into.push(Action::Commit);
            }
            into.push(Action::Abort);
        }
        for manager in 0..self.managers {
            if state.decision == Decision::Open && state.sent_prepared.contains(manager) {
                into.push(Action::ReceivePrepared(manager));
            }
            if state.is_working(manager) {
                into.extend([Action::Prepare(manager), Action::ChooseToAbort(manager)]);
            }
            match state.decision {
                Decision::Open => {}
                Decision::Commit => into.push(Action::ReceiveCommit(manager)),
                Decision::Abort => into.push(Action::ReceiveAbort(manager)),
            }
        }
    }

    fn after(&self, state: &State, action: &Action) -> Option<State> {
        let mut next = *state;
        match *action {
            Action::Commit => next.decision = Decision::Commit,
            Action::Abort => next.decision = Decision::Abort,
            Action::ReceivePrepared(manager) => next.known_prepared = next.known_prepared.with(manager),
            Action::Prepare(manager) => {
                next.prepared = next.prepared.with(manager);
                next.sent_prepared = next.sent_prepared.with(manager);
            }
            Action::ChooseToAbort(manager) => next.aborted = next.aborted.with(manager),
            Action::ReceiveCommit(manager) => {
                // A manager does as it is told, whatever its state: that nothing goes wrong is for the protocol to see to.
                next.prepared = next.prepared.without(manager);
                next.aborted = next.aborted.without(manager);
                next.committed = next.committed.with(manager);
            }
            Action::ReceiveAbort(manager) => {
                next.prepared = next.prepared.without(manager);
                next.committed = next.committed.without(manager);
                next.aborted = next.aborted.with(manager);
            }
        }
        // Also where nothing changes, as in the specification, so that the number generated can be compared with TLC's.
        Some(next)
    }

    fn kinds(&self) -> Vec<&'static str> {
        vec!["commit", "abort", "receive prepared", "prepare", "choose to abort", "receive commit", "receive abort"]
    }

    fn kind(&self, action: &Action) -> &'static str {
        match action {
            Action::Commit => "commit",
            Action::Abort => "abort",
            Action::ReceivePrepared(_) => "receive prepared",
            Action::Prepare(_) => "prepare",
            Action::ChooseToAbort(_) => "choose to abort",
            Action::ReceiveCommit(_) => "receive commit",
            Action::ReceiveAbort(_) => "receive abort",
        }
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::<Self>::always("no manager has aborted where another has committed", |_, state| {
                state.aborted == Managers::NONE || state.committed == Managers::NONE
            }),
            Property::<Self>::always_step("what a manager has decided stays decided", |_, before, _, after| {
                before.aborted.0 & !after.aborted.0 == 0 && before.committed.0 & !after.committed.0 == 0
            }),
            Property::<Self>::can_always_reach("all have committed or all have aborted", |model, state| {
                state.committed.len() == model.managers || state.aborted.len() == model.managers
            }),
            Property::<Self>::sometimes("all have committed", |model, state| state.committed.len() == model.managers),
            Property::<Self>::sometimes("all have aborted", |model, state| state.aborted.len() == model.managers),
        ]
    }
}
