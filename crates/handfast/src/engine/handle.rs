//! What a caller that has placed an order holds: how the saga stands, and its outcome when there is one.

use std::sync::Arc;
use std::time::Duration;

use handfast_protocol::{Coordinator, Evidence, Outcome, Party as _, Standing};
use tokio::sync::watch;

use super::amounts::amounts_of;
use super::cures::Named;
use super::journaled::{Journaled, LeftAlone, Loaded};
use super::shared::Shared;
use crate::flow::{Flow, FlowStep};
use crate::store::StoreError;

/// How a saga stands, as far as it was heard of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Progress {
    standing: Standing,
    outcome: Option<Outcome>,
    trouble: Option<Arc<str>>,
    is_held: bool,
    /// How many entries of the journal it is read from.
    entries: u64,
}

impl Progress {
    /// What is known of every saga that a caller follows: it is in the store, and its first entry starts it.
    pub(crate) const STARTED: Self =
        Self { standing: Standing::Acting, outcome: None, trouble: None, is_held: false, entries: 0 };

    pub(crate) fn of(saga: &Journaled) -> Self {
        let trouble = saga.coordinator().evidence().map(|evidence| describe(saga, evidence).into());
        let trouble = trouble.filter(|_| saga.is_at_rest() && saga.decision().is_none());
        Self { standing: saga.standing(), outcome: saga.decision(), trouble, is_held: false, entries: saga.entries() }
    }

    pub(crate) fn stuck(reason: &str) -> Self {
        Self { standing: Standing::Suspended, outcome: None, trouble: Some(reason.into()), is_held: false, entries: u64::MAX }
    }

    /// It stands as it stood: nothing is sent for it here, and nothing is wrong with it.
    pub(crate) fn held(left: &LeftAlone) -> Self {
        let &LeftAlone { ref reason, standing, entries } = left;
        Self { standing, outcome: None, trouble: Some(reason.as_str().into()), is_held: true, entries }
    }

    /// Whether it tells nothing that `known` does not: a reader that got it from the store may be slower than the saga's
    /// driver.
    pub(crate) fn is_no_news_to(&self, known: &Self) -> bool {
        self.entries < known.entries || self == known
    }

    /// The word for how it stands.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        self.standing
    }

    /// How it ended, if it has.
    #[must_use]
    pub const fn outcome(&self) -> Option<Outcome> {
        self.outcome
    }

    /// Why it cannot go on by itself, if it cannot.
    #[must_use]
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Whether it is held: this program sends nothing for it, for the reason that [`trouble`](Self::trouble) gives, before a person
    /// decides or another program drives it. It stands as it stood, and nothing is wrong with it.
    #[must_use]
    pub const fn is_held(&self) -> bool {
        self.is_held
    }

    pub(crate) const fn is_at_rest(&self) -> bool {
        self.outcome.is_some() || self.trouble.is_some()
    }
}

/// Why a person has to look at a saga, in words.
pub(crate) fn describe(saga: &Journaled, evidence: Evidence) -> String {
    let said = if matches!(evidence, Evidence::UndoFailed { .. }) { saga.why_undo_failed() } else { saga.other_values() };
    let what = describe_with_values(saga.definition().flow(), evidence, (said, saga.named()));
    let amounts = amounts_of(saga.bodies());
    if amounts.is_empty() { what } else { format!("{what} ({})", amounts.join(", ")) }
}

/// The answers that a saga on its way rests on and that were not confirmed after a restore, in words, with the amount of the
/// step.
pub(crate) fn describe_unconfirmed(saga: &Journaled) -> Option<String> {
    let flow = saga.definition().flow();
    let amount = |step: usize| {
        let of_step = saga.body(step).map(|body| amounts_of(std::slice::from_ref(body))).unwrap_or_default();
        let amounts = if of_step.is_empty() { amounts_of(saga.bodies()) } else { of_step };
        (!amounts.is_empty()).then(|| amounts.join(", "))
    };
    let steps = (0..flow.steps().len()).filter_map(|step| unconfirmed_step(flow, saga.coordinator(), step, || amount(step)));
    let said: Vec<String> = steps.collect();
    (!said.is_empty()).then(|| said.join("; "))
}

/// What is known of a step from a former life of its participant only, in words. `None` if nothing is.
///
/// The amount is asked for only where something is: it is read from the bodies, and this is asked after every entry.
pub(crate) fn unconfirmed_step(
    flow: &Flow,
    coordinator: &Coordinator,
    step: usize,
    amount: impl FnOnce() -> Option<String>,
) -> Option<String> {
    if !coordinator.is_unconfirmed(step) || coordinator.decision().is_some() {
        return None;
    }
    let FlowStep { name, participant, .. } = flow.steps().get(step)?;
    let known = coordinator.step_state(step).1.map_or("nothing", handfast_protocol::Definite::name);
    let amount = amount().map(|amount| format!(" ({amount})")).unwrap_or_default();
    let then = if coordinator.may_stay_unconfirmed(step) {
        "it is looked for, and a person can say what became of it"
    } else {
        "it is asked for again"
    };
    Some(format!(
        "step {name}{amount}: that it is {known} was answered by {participant} before it was put back, and is not confirmed since; {then}"
    ))
}

/// Why a person has to look at a saga, in words, with the words of the participant whose undo has failed, or with the values that an answer spoke of instead of those that were asked for, whatever came after it: they are
/// said nowhere else.
pub(crate) fn describe_with_values(flow: &Flow, evidence: Evidence, (other_values, named): (Option<&str>, Named)) -> String {
    let said = if let Evidence::Moved { step } = evidence {
        describe_move(name_of(flow, step), &named.say_same_books())
    } else {
        describe_evidence(flow, evidence)
    };
    other_values.map_or_else(|| said.clone(), |values| format!("{said}: {values}"))
}

/// How a person says that books are the same, whatever is at hand.
const ELSEWHERE: &str = "say `handfast definitions adopt HASH --same-books --by NAME --why TEXT --url URL` with the hash that \
                         `handfast definitions list` shows";

fn name_of(flow: &Flow, step: usize) -> &str {
    flow.steps().get(step).map_or("?", |step| step.name.as_str())
}

fn describe_move(step: &str, same_books: &str) -> String {
    format!(
        "step {step}: it was asked for at another address than its service has now, and the service there does not know it, or \
         cannot be looked at: that proves nothing, so nothing else is sent there; if both keep the same books {same_books}, adopt the \
         former address again, or say what became of it: that it was not done is said again once nothing can be on the road to the \
         former address"
    )
}

/// Why a person has to look at a saga of this flow, in words: which step it is about, and what is known of it.
#[must_use]
pub fn describe_evidence(flow: &Flow, evidence: Evidence) -> String {
    use handfast_protocol::{Answer, Definite};
    let name = |step: usize| name_of(flow, step);
    let (to, known, answer) = match evidence {
        Evidence::Contradiction { to, known, answer } => (to, known, answer),
        Evidence::OutOfReach { step } => {
            return format!(
                "step {}: it is not known whether it was done, and it is not safe to ask again; look it up at its participant",
                name(step)
            );
        }
        Evidence::RefusedClose { step } => {
            return format!(
                "step {}: it refused to close its key, and its refusals do not hold: what is on the road may still take effect; \
                 its participant has to answer closed, and mean it",
                name(step)
            );
        }
        Evidence::UndoFailed { step } => {
            return format!("step {}: its undo was under way and failed, and what was done is still there", name(step));
        }
        Evidence::RefusedForGood { step } => {
            return format!("step {}: it refused, and a step before it that cannot be undone was done", name(step));
        }
        Evidence::OtherValues { step } => {
            return format!("step {}: an answer is not about what was asked for", name(step));
        }
        Evidence::Moved { step } => {
            return describe_move(name(step), ELSEWHERE);
        }
        Evidence::NotFound { step } => {
            return format!(
                "step {}: it was done, and a look after the end found nothing of it; that proves nothing, so look it up at its \
                 participant",
                name(step)
            );
        }
        Evidence::LateEffect { step } => {
            return format!("step {}: it was done after all, after the saga had ended without it", name(step));
        }
    };
    let step = name(to.step);
    if answer == Answer::State(Definite::Refused) && known.is_none() && flow.plan().gate().is_some_and(|gate| to.step > gate) {
        return format!("step {step}: it refused, and a step before it that cannot be undone was done");
    }
    let said = match answer {
        Answer::State(state) => state.name(),
        Answer::OtherBody => "that its key is in use for another body",
    };
    let known = known.map_or_else(|| "nothing".to_owned(), |known| format!("it was {}", known.name()));
    format!("step {step}: the answer to {} said {said}, but {known} was known before", to.operation.name())
}

/// Why there is no outcome to wait for.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoOutcome {
    /// A person has to look at it, or another program has to drive it.
    #[error("saga {id} cannot go on by itself: {reason}")]
    Stuck {
        /// The saga.
        id: String,
        /// What is in the way.
        reason: String,
    },
    /// The engine stopped first. The saga goes on when the store is opened again.
    #[error("the engine stopped before saga {id} had ended; it goes on when its store is opened again")]
    Stopped {
        /// The saga.
        id: String,
    },
}

/// A saga that was placed. Dropping the handle changes nothing for the saga.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use handfast::participant::InMemory;
/// use handfast::store::MemoryStore;
/// use handfast::testing::{Road, Scripted};
/// use handfast::{CancelResult, Engine, Flow, Order};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let depot = Scripted::over(InMemory::new(|_, _| true));
/// depot.next(1_000, &Road::RequestLost);
/// let engine = Engine::builder(Arc::new(MemoryStore::new()))
///     .flow(Flow::builder("shop").compensatable("payment", "bank").pivot("dispatch", "depot").build()?)
///     .participant("bank", InMemory::new(|_, _| true))
///     .participant("depot", depot)
///     .open()
///     .await?;
/// let mut saga = engine.submit(Order::new("order-1", "{}").body("payment", "{}").body("dispatch", "{}")).await?;
/// // A caller that has waited long enough goes on with something else: the saga goes on, too.
/// let progress = saga.wait(Duration::from_millis(1)).await?;
/// assert_eq!(progress.outcome(), None);
/// // There is a way back as long as the goods are not on their way.
/// assert_eq!(engine.cancel("order-1", Some("ada"), Some("ordered twice")).await?, CancelResult::Accepted);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct SagaHandle {
    id: Arc<str>,
    shared: Arc<Shared>,
    progress: watch::Receiver<Progress>,
    was_placed_before: bool,
}

impl SagaHandle {
    /// Follows a saga that is in the store, or is about to be.
    pub(crate) fn new(id: Arc<str>, shared: &Arc<Shared>) -> Self {
        let progress = shared.followers.watch(&id);
        Self { id, shared: Arc::clone(shared), progress, was_placed_before: true }
    }

    /// The same, of a saga that this order placed.
    pub(crate) const fn of_new(mut self) -> Self {
        self.was_placed_before = false;
        self
    }

    /// The saga's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether the order had been placed before the call that gave this handle. Of several that place one order side by
    /// side, exactly one gets to hear that it had not, unless its answer was lost.
    #[must_use]
    pub const fn was_placed_before(&self) -> bool {
        self.was_placed_before
    }

    /// How it stands, as far as was heard.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress.borrow().clone()
    }

    /// Waits until it stands otherwise than when this was asked last.
    ///
    /// # Errors
    /// [`NoOutcome::Stopped`] if it will not change here any more.
    pub async fn changed(&mut self) -> Result<Progress, NoOutcome> {
        match self.progress.changed().await {
            Ok(()) => Ok(self.progress.borrow_and_update().clone()),
            Err(_stopped) => Err(NoOutcome::Stopped { id: self.id.to_string() }),
        }
    }

    /// Waits for the saga's end, for as long as it takes.
    ///
    /// # Errors
    /// Why there will be none here.
    pub async fn outcome(&mut self) -> Result<Outcome, NoOutcome> {
        // Another worker on the same store may bring it to its end; that is only seen in the store.
        let mut patience = Duration::from_secs(2);
        loop {
            let progress = self.progress.borrow_and_update().clone();
            if let Some(outcome) = progress.outcome {
                return Ok(outcome);
            }
            if let Some(reason) = progress.trouble() {
                return Err(NoOutcome::Stuck { id: self.id.to_string(), reason: reason.to_owned() });
            }
            match tokio::time::timeout(patience, self.progress.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_stopped)) => return Err(NoOutcome::Stopped { id: self.id.to_string() }),
                Err(_elapsed) => {
                    look_up(&self.shared, &self.id).await;
                    patience = (2 * patience).min(Duration::from_mins(1));
                }
            }
        }
    }

    /// Waits for the saga's end for so long at most, and says how it stands then.
    ///
    /// # Errors
    /// As [`outcome`](Self::outcome).
    pub async fn wait(&mut self, longest: Duration) -> Result<Progress, NoOutcome> {
        match tokio::time::timeout(longest, self.outcome()).await {
            Ok(ended) => ended.map(|_outcome| self.progress()),
            Err(_elapsed) => Ok(self.progress()),
        }
    }
}

impl std::fmt::Debug for SagaHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SagaHandle").field("id", &self.id).field("progress", &self.progress()).finish_non_exhaustive()
    }
}

impl Drop for SagaHandle {
    fn drop(&mut self) {
        if !self.progress.borrow().is_at_rest() {
            self.shared.followers.unwatch(&self.id);
        }
    }
}

/// Tells those who follow a saga how it stands in the store.
pub(crate) async fn look_up(shared: &Shared, id: &Arc<str>) {
    tell_followers(shared, id, Journaled::load(&*shared.store, id, &shared.definitions).await);
}

/// The same of what was loaded already.
pub(crate) fn tell_followers(shared: &Shared, id: &Arc<str>, loaded: Result<Loaded, StoreError>) {
    match loaded {
        Ok(Loaded::Ready(saga)) => shared.followers.publish(id, Progress::of(&saga)),
        Ok(Loaded::Suspended(reason)) => shared.followers.publish(id, Progress::stuck(&reason)),
        Ok(Loaded::LeftAlone(left) | Loaded::Differs(left)) => shared.followers.publish(id, Progress::held(&left)),
        Ok(Loaded::Missing) => {}
        Err(error) => tracing::debug!(name: "saga_not_looked_up", saga = %id, %error, "could not be looked up"),
    }
}
