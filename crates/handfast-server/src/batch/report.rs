//! What became of the orders: one line of JSON each, and the sums.

use std::fmt;

use handfast::{NoOutcome, Outcome, Progress, SagaView};
use serde::Serialize;

/// How an order stands when its line is printed, as far as it matters for the sums.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Ending {
    /// Both.
    Completed,
    /// Neither.
    Cancelled,
    /// Not known yet: it goes on when its store is opened again.
    InDoubt,
    /// It waits for a person.
    Suspended,
    /// Nothing is sent for it before a person decides, or another program drives it; nothing is wrong with it.
    Held,
    /// A person has given up waiting for the participants.
    Settled,
}

impl From<Outcome> for Ending {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Completed => Self::Completed,
            Outcome::Cancelled => Self::Cancelled,
            Outcome::Settled => Self::Settled,
        }
    }
}

impl Ending {
    /// How it ended, if it has.
    #[must_use]
    pub const fn outcome(self) -> Option<Outcome> {
        match self {
            Self::Completed => Some(Outcome::Completed),
            Self::Cancelled => Some(Outcome::Cancelled),
            Self::Settled => Some(Outcome::Settled),
            Self::InDoubt | Self::Suspended | Self::Held => None,
        }
    }

    /// How a wait ended, and what stands in the way if it is no end.
    pub(super) fn of(waited: Result<Progress, NoOutcome>, is_held: bool) -> (Self, Option<String>) {
        let stuck = if is_held { Self::Held } else { Self::Suspended };
        match waited {
            Ok(progress) => match (progress.outcome(), progress.trouble()) {
                (Some(outcome), _) => (outcome.into(), None),
                (None, Some(trouble)) => (stuck, Some(trouble.to_owned())),
                (None, None) => (Self::InDoubt, None),
            },
            Err(NoOutcome::Stuck { reason, .. }) => (stuck, Some(reason)),
            Err(NoOutcome::Stopped { .. }) => (Self::InDoubt, None),
            Err(why) => (Self::InDoubt, Some(why.to_string())),
        }
    }
}

/// The line of an order: `line`, and a part of [`Saga`](crate::shapes::saga::Saga), in which each member is the one of that name there and
/// one that is left out is null or false. Its shape is stable: members may be added, none is renamed or removed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct ResultLine {
    /// The order's id.
    pub id: String,
    /// Its line in the input.
    pub line: u64,
    /// How it stands, in the words of `Standing::name`; null if the store does not say whether there is such a saga.
    pub standing: Option<&'static str>,
    /// `completed`, `cancelled` or `settled`, or null if it has not ended.
    pub outcome: Option<&'static str>,
    /// Of an order that has ended: until when at least its keys are watched for an effect that comes late, in milliseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watched_until_ms: Option<u64>,
    /// Nothing is sent for it before a person decides: `trouble` says what about.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
    /// The same for the sums.
    #[serde(skip)]
    pub ending: Ending,
    /// What is known of each step, in the flow's order.
    pub steps: Vec<StepLine>,
    /// What stands in the way of its end, where something does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// What is known of a step.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct StepLine {
    /// Its name.
    pub name: String,
    /// `done`, `refused`, `closed` or `undone`, or null where no answer has told.
    pub state: Option<&'static str>,
    /// Why it is not done, in the participant's own words, where it gave any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl StepLine {
    /// The steps as the store knows them.
    pub(super) fn of(view: &SagaView) -> Vec<Self> {
        let line = |step: &handfast::StepView| Self {
            name: step.name.clone(),
            state: step.known.map(handfast_protocol::Definite::name),
            detail: step.detail.clone(),
        };
        view.steps.iter().map(line).collect()
    }
}

/// How many orders stand how.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Tally {
    /// Both.
    pub completed: u64,
    /// Neither.
    pub cancelled: u64,
    /// Not known yet.
    pub in_doubt: u64,
    /// Waiting for a person.
    pub suspended: u64,
    /// Nothing is sent for them before a person decides.
    pub held: u64,
    /// A person has given up waiting for the participants.
    pub settled: u64,
    /// Lines that hold no order.
    pub bad: u64,
    /// Lines that repeat an order.
    pub repeated: u64,
}

impl Tally {
    /// Counts one more.
    pub const fn add(&mut self, ending: Ending) {
        match ending {
            Ending::Completed => self.completed += 1,
            Ending::Cancelled => self.cancelled += 1,
            Ending::InDoubt => self.in_doubt += 1,
            Ending::Suspended => self.suspended += 1,
            Ending::Held => self.held += 1,
            Ending::Settled => self.settled += 1,
        }
    }

    /// All that were driven.
    #[must_use]
    pub const fn orders(&self) -> u64 {
        self.completed + self.cancelled + self.in_doubt + self.suspended + self.held + self.settled
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { completed, cancelled, in_doubt, suspended, held, settled, bad, repeated } = *self;
        write!(
            f,
            "{}: {completed} completed (both), {cancelled} cancelled (neither), {in_doubt} in doubt, {suspended} suspended",
            counted(self.orders(), "order")
        )?;
        if held > 0 {
            write!(f, ", {held} held")?;
        }
        if settled > 0 {
            write!(f, ", {settled} settled by a person")?;
        }
        if repeated > 0 {
            write!(f, "; {} repeated an order", counted(repeated, "line"))?;
        }
        if bad > 0 {
            write!(f, "; {} refused", counted(bad, "bad line"))?;
        }
        Ok(())
    }
}

/// A number and what it counts.
#[must_use]
pub fn counted(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
