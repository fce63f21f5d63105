//! The operator at the file of a store: what is done is an entry of the journal, appended where it ends as was seen.

use handfast::journal::Said;
use handfast::store::Store;
use handfast::{Act, ActError, ActResult, CancelResult, ListFilter, cancel_in, saga_in, time_in};

use super::{Trouble, needs_values, what_can_be_done};
use crate::shapes::saga::{Listed, Saga};

pub(super) async fn list(store: &dyn Store, filter: &ListFilter) -> Result<(Vec<Listed>, Option<String>), Trouble> {
    let page = handfast::list_in(store, filter).await?;
    Ok((page.sagas.iter().map(Listed::of).collect(), page.next))
}

pub(super) async fn look(store: &dyn Store, id: &str) -> Result<Saga, Trouble> {
    let seen = saga_in(store, id).await?.ok_or_else(|| unknown(id))?;
    Ok(Saga::of(&seen))
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
