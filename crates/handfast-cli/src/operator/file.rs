//! The operator at the file of a store: what is done is an entry of the journal, appended where it ends as was seen.

use handfast::journal::Said;
use handfast::store::Store;
use handfast::{Act, ActError, ActResult, CancelResult, cancel_in, look_into, time_in};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Listed, Looked, Trouble};
use crate::serve::acts::{needs_values, what_can_be_done};
use crate::serve::shapes;

pub(super) async fn list(
    store: &dyn Store,
    standing: Option<&str>,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<Listed>, Trouble> {
    let sagas = handfast::list_in(store, standing, after, limit).await?;
    sagas.iter().map(|saga| as_service_says(shapes::listed(saga))).collect()
}

/// What the service would say of it, so that both say the same.
fn as_service_says<T: DeserializeOwned>(shape: Value) -> Result<T, Trouble> {
    serde_json::from_value(shape).map_err(|error| Trouble::Broken(format!("this program does not understand itself: {error}")))
}

pub(super) async fn look(store: &dyn Store, id: &str) -> Result<Looked, Trouble> {
    let seen = look_into(store, id).await.map_err(trouble)?.ok_or_else(|| unknown(id))?;
    Ok(Looked {
        id: id.to_owned(),
        standing: seen.standing.name().to_owned(),
        outcome: seen.outcome.map(|outcome| outcome.name().to_owned()),
        trouble: seen.trouble,
        seq: seen.seq,
        next_look_ms: seen.wake_at.map(|at| at.0),
        watched_until_ms: seen.watched_until.map(|at| at.0),
        steps: seen.steps.iter().map(|step| as_service_says(shapes::step(step))).collect::<Result<_, _>>()?,
        remains: seen.remains.iter().map(|left| as_service_says(shapes::remains(left))).collect::<Result<_, _>>()?,
        can: shapes::can(&seen.can, seen.cancel.as_deref()).into_iter().map(as_service_says).collect::<Result<_, _>>()?,
        acts: seen.acts.iter().map(|acted| as_service_says(shapes::acted(acted))).collect::<Result<_, _>>()?,
        // Who drives it knows.
        held: false,
    })
}

pub(super) async fn act(store: &dyn Store, id: &str, act: &Act, said: &Said) -> Result<bool, Trouble> {
    let now = time_in(store).await.map_err(trouble)?;
    let result = handfast::act_in(store, id, act, said, now).await.map_err(trouble)?;
    match result {
        ActResult::Taken { .. } => Ok(true),
        ActResult::Repeated { .. } => Ok(false),
        ActResult::Moved { seq } => {
            Err(Trouble::Conflict(format!("saga {id} has gone on since: its last entry is {seq}; look at it again")))
        }
        ActResult::RequestIdTaken => Err(Trouble::Usage(format!("this request id stands for another act on saga {id}"))),
        ActResult::Pointless { can } => {
            Err(Trouble::Conflict(format!("it would change nothing of saga {id}; {}", what_can_be_done(&can))))
        }
        ActResult::NeedsValues { step, names } => Err(Trouble::Conflict(needs_values(id, &step, &names))),
        ActResult::NoSuchStep { steps } => Err(Trouble::Usage(format!("the steps of saga {id} are {}", steps.join(", ")))),
        ActResult::Unknown => Err(unknown(id)),
    }
}

pub(super) async fn cancel(store: &dyn Store, id: &str, by: Option<&str>, why: Option<&str>) -> Result<(), Trouble> {
    let now = time_in(store).await.map_err(trouble)?;
    match cancel_in(store, id, by, why, now).await.map_err(trouble)? {
        CancelResult::Accepted => Ok(()),
        CancelResult::Ended(handfast::Outcome::Cancelled) => Ok(()),
        CancelResult::Ended(outcome) => Err(Trouble::Conflict(format!("saga {id} has ended: {}", outcome.name()))),
        CancelResult::TooLate => {
            Err(Trouble::Conflict(format!("saga {id} can only go forward: the step that decides it is done")))
        }
        CancelResult::Suspended => Err(Trouble::Conflict(format!("saga {id} is suspended: a person has to look at it first"))),
        CancelResult::Unknown => Err(unknown(id)),
    }
}

fn unknown(id: &str) -> Trouble {
    Trouble::Unknown(format!("there is no saga {id:?}"))
}

fn trouble(error: ActError) -> Trouble {
    match error {
        error @ ActError::Text { .. } => Trouble::Usage(error.to_string()),
        error @ (ActError::Unreadable { .. } | ActError::Clock { .. } | ActError::Stopping) => Trouble::Broken(error.to_string()),
        ActError::Store(error) => error.into(),
    }
}
