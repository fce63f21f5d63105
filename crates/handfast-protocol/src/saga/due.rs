//! What is due after a time, and by which clock: clocks are set and machines sleep, and not everything that is due means the
//! same then.

use alloc::vec::Vec;

use super::coordinator::{Coordinator, Phase};
use super::message::Operation;
use super::plan::Doubt;
use crate::guards::Guards;
use crate::party::Time;

/// What has to be thought of when a time is compared with clocks that somebody may set.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Nature {
    /// Something has to stop before it: a last send, a key that is forgotten, a hold that lapses, an act that leaves once. It
    /// has come as soon as any clock says so.
    Stops,
    /// Something has to go on until it: a watch, a horizon. It has come once every clock says so.
    Waits,
    /// A wish, on which no safety rests. It has come when so much time has passed.
    Plain,
}

impl Nature {
    /// The word for it in a journal.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stops => "stops",
            Self::Waits => "waits",
            Self::Plain => "plain",
        }
    }

    /// The nature that [`name`](Self::name) gave this word to, if any did.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Stops, Self::Waits, Self::Plain].into_iter().find(|nature| nature.name() == name)
    }
}

/// Something that is due at a time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DueAt {
    /// When.
    pub at: Time,
    /// From when on that is counted.
    pub since: Time,
    /// By which clock.
    pub nature: Nature,
}

/// What has come of all that is due after a time.
#[derive(Clone, Copy, Debug)]
pub(super) enum Come {
    /// Everything whose time is not later than this.
    Until(Time),
    /// This alone.
    Only(DueAt),
}

impl Come {
    /// Whether it has come, if it is due at all.
    pub(super) fn has(self, at: Option<Time>, since: Time, nature: Nature) -> bool {
        at.is_some_and(|at| match self {
            Self::Until(now) => at <= now,
            Self::Only(due) => due == DueAt { at, since, nature },
        })
    }
}

impl<G: Guards> Coordinator<G> {
    /// Everything that is due after a time; the first of it is [`deadline`](crate::Party::deadline). Whoever drives the saga compares
    /// clocks with it, and tells a time-out when one of them has come.
    #[must_use]
    pub fn dues(&self) -> Vec<DueAt> {
        let mut dues = Vec::new();
        let mut add = |at: Option<Time>, since: Time, nature: Nature| dues.extend(at.map(|at| DueAt { at, since, nature }));
        match self.phase {
            Phase::Forward => {
                for step in 0..self.steps.len() {
                    let since = self.steps[step].since;
                    add(self.deadline_of(step), since, self.nature_of_deadline(step));
                    add(self.gives_up_at(step), since, self.nature_of_giving_up(step));
                    add(self.mark_counts_at(step), since, Nature::Waits);
                }
                if let Some((at, since)) = self.commit_by() {
                    add(Some(at), since, Nature::Stops);
                }
            }
            Phase::TurningBack => {
                for step in 0..self.steps.len() {
                    add(self.gives_up_at(step), self.steps[step].since, self.nature_of_giving_up(step));
                    add(self.undo_gives_up_at(step), self.steps[step].since, Nature::Waits);
                    add(self.mark_counts_at(step), self.steps[step].since, Nature::Waits);
                }
            }
            Phase::Watching => {
                for step in 0..self.steps.len() {
                    add(self.undo_gives_up_at(step), self.steps[step].since, Nature::Waits);
                }
                if let Some((at, since)) = self.watched_until() {
                    add(Some(at), since, Nature::Waits);
                }
            }
            Phase::Placed | Phase::Completed | Phase::Cancelled | Phase::Suspended | Phase::Settled => {}
        }
        dues
    }

    /// When a look at this step has to leave at the earliest so that it ends the watch over its key, as
    /// [`watch_ends_at`](Self::watch_ends_at) says, and by which clock.
    #[must_use]
    pub fn watch_due(&self, step: usize) -> Option<DueAt> {
        self.watch_ends_at(step).map(|at| DueAt { at, since: self.steps[step].since, nature: Nature::Waits })
    }

    /// An act that leaves once must not leave after its deadline; any other deadline is a wish.
    pub(super) fn nature_of_deadline(&self, step: usize) -> Nature {
        match self.plan.steps()[step].doubt {
            Doubt::Looks { .. } if self.was_never_sent(step) => Nature::Stops,
            Doubt::Looks { .. } | Doubt::Closes | Doubt::Repeats { .. } => Nature::Plain,
        }
    }

    /// A participant may forget a key by its own clock; what was sent once is looked for at least as long as was promised.
    pub(super) fn nature_of_giving_up(&self, step: usize) -> Nature {
        match (self.plan.steps()[step].doubt, self.steps[step].asked) {
            (Doubt::Looks { .. }, Some(Operation::Look)) => Nature::Waits,
            (Doubt::Looks { .. } | Doubt::Closes | Doubt::Repeats { .. }, _) => Nature::Stops,
        }
    }
}
