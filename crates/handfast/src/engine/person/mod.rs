//! What a person does about a saga that cannot go on by itself: which acts there are, and taking one.
//!
//! An act is an entry like any other. It is appended where the journal ends as the person has seen it, by a process that has
//! the store open: the service itself, or a command beside it.

mod acted;
mod followed;
mod foreseen;
mod moves;
mod values;

use handfast_protocol::{Mark, Outcome, Party as _, Ruling, Standing, Time};

pub use self::acted::Acted;
use self::followed::name;
pub(super) use self::followed::{Followed, OwnDefinitions};
pub(super) use self::foreseen::foresee;
pub use self::foreseen::{Deed, Foreseen, ForeseenPage, Outturn, Stake, WhyNot, act_as_foreseen_in, foresee_in, outturn_in};
use super::beside::Beside;
use super::drive::cancel_result;
use super::reason;
use super::shared::CancelResult;
use super::steps::StepView;
use crate::flow::Flow;
use crate::journal::{self, Line, LineError, Said};
use crate::store::{Append, Digest, Entry, Store, StoreError, StoredSaga};

/// What a person wants, with steps by their names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Act {
    /// Ask again, and sooner, wherever that is safe.
    Retry,
    /// What a participant contradicted itself about has been seen to: ask it anew.
    Resume,
    /// What became of a step, found out by other means.
    Mark {
        /// The step.
        step: String,
        /// What became of it.
        mark: Mark,
    },
    /// Give up waiting for the participants.
    Settle,
}

impl Act {
    /// The word for it in requests and on the screen.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Resume => "resume",
            Self::Mark { mark: Mark::Done, .. } => "mark_done",
            Self::Mark { mark: Mark::NotDone, .. } => "mark_not_done",
            Self::Mark { mark: Mark::Undone, .. } => "mark_undone",
            Self::Settle => "settle",
        }
    }

    /// Every word.
    pub const NAMES: [&'static str; 6] = ["retry", "resume", "mark_done", "mark_not_done", "mark_undone", "settle"];

    /// The act that [`name`](Self::name) gave this word to, if any did; a mark wants a step.
    #[must_use]
    pub fn from_name(name: &str, step: Option<&str>) -> Option<Self> {
        let mark = |mark| Some(Self::Mark { step: step?.to_owned(), mark });
        match name {
            "retry" => Some(Self::Retry),
            "resume" => Some(Self::Resume),
            "mark_done" => mark(Mark::Done),
            "mark_not_done" => mark(Mark::NotDone),
            "mark_undone" => mark(Mark::Undone),
            "settle" => Some(Self::Settle),
            _unknown => None,
        }
    }

    /// The step that it is about.
    #[must_use]
    pub fn step(&self) -> Option<&str> {
        match self {
            Self::Mark { step, .. } => Some(step),
            Self::Retry | Self::Resume | Self::Settle => None,
        }
    }

    pub(super) fn of(ruling: Ruling, flow: &Flow) -> Self {
        match ruling {
            Ruling::Retry => Self::Retry,
            Ruling::Resume => Self::Resume,
            Ruling::Mark { step, mark } => Self::Mark { step: name(flow, step).to_owned(), mark },
            Ruling::Settle => Self::Settle,
        }
    }

    pub(super) fn ruling(&self, flow: &Flow) -> Option<Ruling> {
        Some(match self {
            Self::Retry => Ruling::Retry,
            Self::Resume => Ruling::Resume,
            Self::Mark { step, mark } => {
                Ruling::Mark { step: flow.steps().iter().position(|known| known.name == *step)?, mark: *mark }
            }
            Self::Settle => Ruling::Settle,
        })
    }
}

/// What came of an act.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ActResult {
    /// It is in the journal, as this entry.
    Taken {
        /// The number of the entry.
        seq: u64,
    },
    /// It had been taken before, by the same request.
    Repeated {
        /// The number of the entry.
        seq: u64,
    },
    /// The saga has gone on since; nothing was done.
    Moved {
        /// The number of its last entry.
        seq: u64,
    },
    /// The request id stands for another act; nothing was done.
    RequestIdTaken,
    /// Later requests name what the step's answer would have brought, and that is not known; nothing was done.
    NeedsValues {
        /// The step.
        step: String,
        /// The names under which it is kept.
        names: Vec<String>,
    },
    /// It would change nothing now; nothing was done.
    Pointless {
        /// What can be done instead.
        can: Vec<&'static str>,
    },
    /// There is no such step in its flow.
    NoSuchStep {
        /// The steps.
        steps: Vec<String>,
    },
    /// There is no such saga.
    Unknown,
}

/// Why an act had no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ActError {
    /// What was said about who acts, or why, is not kept; nothing was done.
    #[error("{name}: {what}; say it otherwise")]
    Text {
        /// `by`, `reason`, `request_id`, `evidence` or `kept`.
        name: &'static str,
        /// What is wrong with it. The text itself is not repeated.
        what: String,
    },
    /// The journal cannot be followed here; nothing was done.
    #[error("saga {id} cannot be followed: {reason}")]
    Unreadable {
        /// The saga.
        id: String,
        /// Why.
        reason: String,
    },
    /// The store failed: the act may be in the journal or not.
    #[error("whether the act was taken is unknown, so send it again with the same request id: {0}")]
    Store(#[from] StoreError),
    /// The clock of this process is not believed; nothing was done.
    #[error("{why}; nothing was done")]
    Clock {
        /// What is wrong with it.
        why: String,
    },
    /// The engine is stopping; nothing was done.
    #[error("the engine is stopping; act again when it is back")]
    Stopping,
}

/// Something that a person can do now.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Possible {
    /// What.
    pub act: Act,
    /// What it does to the saga and to the money, in one sentence.
    pub does: String,
    /// The names of the values that have to be said with it: later requests name what the step's answer would have brought.
    pub needs: Vec<String>,
}

/// What the journal cannot show to be gone.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Remains {
    /// The step.
    pub step: String,
    /// `in effect`, `unknown`, or whose word it is that it is not.
    pub state: String,
    /// How much, as in `19.99 EUR`, where its body or the order says so.
    pub amount: Option<String>,
}

impl std::fmt::Display for Remains {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} is {}", self.step, self.state)?;
        self.amount.iter().try_for_each(|amount| write!(f, " ({amount})"))
    }
}

/// A saga as a person who acts on it has to see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::engine) struct ForPerson {
    /// How it stands.
    pub standing: Standing,
    /// How it ended, if it has.
    pub outcome: Option<Outcome>,
    /// Of a saga that has ended: until when at least it is watched for an effect that comes late.
    pub watched_until: Option<Time>,
    /// What is known of its steps, in order.
    pub steps: Vec<StepView>,
    /// Why it cannot go on by itself, and what remains of it.
    pub trouble: Option<String>,
    /// What remains in effect, or may, by what the journal shows.
    pub remains: Vec<Remains>,
    /// What can be done.
    pub can: Vec<Possible>,
    /// What asking for *neither* would do, in one sentence, where that would change something.
    pub cancel: Option<String>,
    /// What people have done about it.
    pub acts: Vec<Acted>,
}

fn followed(stored: &StoredSaga) -> Result<Followed, ActError> {
    Followed::of(stored).map_err(|reason| ActError::Unreadable { id: stored.id.clone(), reason })
}

/// Takes an act where the journal ends as `said.saw` says. An engine that has the same store open goes on from there: at once if
/// the act is taken through it, and otherwise the next time that it looks into the store or appends to the saga.
///
/// # Errors
/// Why there is no result.
pub async fn act_in(store: &dyn Store, id: &str, act: &Act, said: &Said, now: Time) -> Result<ActResult, ActError> {
    take_deed((store, Through::Store), id, (&Deed::Act(act.clone()), said, None), now).await
}

/// Through what a person acts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Through {
    /// An engine, which knows itself what it holds back, and has looked.
    Engine,
    /// The store, which shows what the engine holds back that was opened on it last.
    Store,
}

/// Takes a deed where the journal ends with the entry that was seen, and where that has the digest, if one is given.
pub(super) async fn take_deed(
    (store, through): (&dyn Store, Through),
    id: &str,
    (deed, said, digest): (&Deed, &Said, Option<Digest>),
    now: Time,
) -> Result<ActResult, ActError> {
    check_said(said)?;
    loop {
        let Some(stored) = store.load(id).await? else { return Ok(ActResult::Unknown) };
        let followed = followed(&stored)?;
        // What was foreseen is acted on as it was seen, so nothing is told before; and where it has to be, it has moved on.
        if digest.is_some() && (!followed.untold.is_empty() || followed.forgotten(&store.acceptances().await?).is_some()) {
            let seq = followed.trail.lines.len() as u64;
            let was_before = |result: &ActResult| matches!(result, ActResult::Repeated { .. } | ActResult::RequestIdTaken);
            let decided = followed.decide(deed, said, digest).err().filter(was_before);
            return Ok(decided.unwrap_or(ActResult::Moved { seq }));
        }
        // A suspended saga has no driver, so it was not told yet which steps have moved, and whose answers no longer count.
        if let Some(line) = followed.untold.first() {
            append(store, &stored, &followed, line, now).await?;
            continue;
        }
        if let Some(line) = followed.forgotten(&store.acceptances().await?) {
            append(store, &stored, &followed, &line, now).await?;
            continue;
        }
        followed.check_kept(deed.act(), &said.kept)?;
        let line = match followed.decide(deed, said, digest) {
            Ok(line) => line,
            Err(result) => return Ok(result),
        };
        if deed.act() == Some(&Act::Retry) && through == Through::Store {
            let beside = Beside::of(store).await?;
            if beside.why_held(&stored, Ok(&followed)).is_some() || beside.is_uncalled(Some(&followed)) {
                let can = followed.acts().into_iter().filter(|act| *act != Act::Retry);
                return Ok(ActResult::Pointless { can: can.map(|act| act.name()).collect() });
            }
        }
        // Where another writer was faster, what the person has seen is compared with the journal again.
        if let Some(seq) = append(store, &stored, &followed, &line, now).await? {
            return Ok(ActResult::Taken { seq });
        }
    }
}

/// Asks for *neither* in the store itself, as [`Engine::cancel`](crate::Engine::cancel) does in an engine.
///
/// # Errors
/// Why there is no result.
pub async fn cancel_in(
    store: &dyn Store,
    id: &str,
    by: Option<&str>,
    why: Option<&str>,
    now: Time,
) -> Result<CancelResult, ActError> {
    for (name, text) in [("by", by), ("why", why)] {
        if let Some(what) = reason::what_is_wrong(text.unwrap_or_default()) {
            return Err(ActError::Text { name, what });
        }
    }
    let line = Line::Cancel { by: by.map(str::to_owned), why: why.map(str::to_owned), request_id: None };
    loop {
        let Some(stored) = store.load(id).await? else { return Ok(CancelResult::Unknown) };
        if stored.why.is_some() {
            return Ok(CancelResult::Suspended);
        }
        let followed = followed(&stored)?;
        let mut next = followed.journaled.clone();
        next.step(now, line.told());
        if next == followed.journaled {
            return Ok(cancel_result(next.decision(), next.standing()));
        }
        if append(store, &stored, &followed, &line, now).await?.is_some() {
            return Ok(CancelResult::Accepted);
        }
    }
}

/// Appends a line where the journal ends as it was read, and says its number; `None` if another writer was faster.
async fn append(
    store: &dyn Store,
    stored: &StoredSaga,
    followed: &Followed,
    line: &Line,
    now: Time,
) -> Result<Option<u64>, ActError> {
    let mut next = followed.journaled.clone();
    next.step(now, line.told());
    let unreadable = |error: LineError| ActError::Unreadable { id: stored.id.clone(), reason: error.to_string() };
    let input = line.write(stored.version).map_err(unreadable)?;
    let seq = followed.trail.lines.len() as u64 + 1;
    let at_rest = next.outbox().is_empty() && next.deadline().is_none();
    let append = Append {
        id: stored.id.clone(),
        previous: followed.digest,
        entry: Entry { seq, at: now, input, digest: journal::digest(&next) },
        adoptions: stored.adopted.len() as u64,
        wake_at: (!at_rest).then_some(now),
        standing: next.standing().name(),
        seen: None,
    };
    match store.append(append).await {
        Ok(()) => Ok(Some(seq)),
        Err(StoreError::Conflict) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The most characters of a request id.
const MAX_REQUEST_ID: usize = 255;

/// Checks what a person says with an act, as taking it does.
///
/// # Errors
/// [`ActError::Text`].
pub fn check_said(said: &Said) -> Result<(), ActError> {
    let texts = [("by", Some(&said.by)), ("reason", Some(&said.reason)), ("evidence", said.evidence.as_ref())];
    for (name, text) in texts {
        let Some(text) = text else { continue };
        if let Some(what) = reason::what_is_wrong_if_said(text) {
            return Err(ActError::Text { name, what });
        }
    }
    let id = &said.request_id;
    if id.is_empty() || id.len() > MAX_REQUEST_ID || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
        let what = format!("it is not 1 to {MAX_REQUEST_ID} printable ASCII characters");
        return Err(ActError::Text { name: "request_id", what });
    }
    reason::what_is_wrong(id).map_or(Ok(()), |what| Err(ActError::Text { name: "request_id", what }))
}
