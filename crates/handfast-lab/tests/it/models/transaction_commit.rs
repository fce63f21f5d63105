//! Transaction commit: what any commit protocol must do, without messages.
//!
//! After Gray and Lamport, "Consensus on transaction commit" (2006), section 2 and appendix A.1. With N managers there are
//! 3^N + 2^N - 1 states: everybody is working, prepared or committed, or working, prepared or aborted, as far as is allowed.

use handfast_lab::explorer::{Model, Property};

/// Transaction commit among a number of resource managers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TransactionCommit {
    /// How many resource managers there are.
    pub(crate) managers: usize,
}

/// How far a resource manager is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Manager {
    /// It works on its part.
    Working,
    /// It is ready to commit.
    Prepared,
    /// It has committed.
    Committed,
    /// It has aborted.
    Aborted,
}

/// What a resource manager may do; each names it by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Action {
    /// It gets ready.
    Prepare(usize),
    /// It commits.
    Commit(usize),
    /// It aborts.
    Abort(usize),
}

impl Model for TransactionCommit {
    type State = Vec<Manager>;
    type Action = Action;

    fn initial(&self) -> Vec<Self::State> {
        vec![vec![Manager::Working; self.managers]]
    }

    fn actions(&self, _: &Self::State, into: &mut Vec<Action>) {
        for manager in 0..self.managers {
            into.extend([Action::Prepare(manager), Action::Commit(manager), Action::Abort(manager)]);
        }
    }

    fn after(&self, state: &Self::State, action: &Action) -> Option<Self::State> {
        use Manager::{Aborted, Committed, Prepared, Working};
        let (manager, becomes) = match *action {
            Action::Prepare(manager) => (manager, Prepared),
            Action::Commit(manager) => (manager, Committed),
            Action::Abort(manager) => (manager, Aborted),
        };
        let possible = match (state[manager], becomes) {
            (Working, Prepared) => true,
            (Prepared, Committed) => state.iter().all(|other| matches!(other, Prepared | Committed)),
            (Working | Prepared, Aborted) => !state.contains(&Committed),
            (Working | Prepared | Committed | Aborted, Working | Prepared | Committed | Aborted) => false,
        };
        possible.then(|| {
            let mut next = state.clone();
            next[manager] = becomes;
            next
        })
    }

    fn kinds(&self) -> Vec<&'static str> {
        vec!["prepare", "commit", "abort"]
    }

    fn kind(&self, action: &Action) -> &'static str {
        match action {
            Action::Prepare(_) => "prepare",
            Action::Commit(_) => "commit",
            Action::Abort(_) => "abort",
        }
    }

    fn properties(&self) -> Vec<Property<Self>> {
        use Manager::{Aborted, Committed};
        vec![
            Property::<Self>::always("no manager has aborted where another has committed", |_, state| {
                !(state.contains(&Aborted) && state.contains(&Committed))
            }),
            Property::<Self>::always_step("what is decided stays decided", |_, before, _, after| {
                before.iter().zip(after).all(|(before, after)| before == after || !matches!(before, Aborted | Committed))
            }),
            Property::<Self>::can_always_reach("all have committed or all have aborted", |_, state| {
                [Aborted, Committed].iter().any(|end| state.iter().all(|manager| manager == end))
            }),
            Property::<Self>::sometimes("all have committed", |_, state| state.iter().all(|manager| *manager == Committed)),
            Property::<Self>::sometimes("all have aborted", |_, state| state.iter().all(|manager| *manager == Aborted)),
        ]
    }
}
