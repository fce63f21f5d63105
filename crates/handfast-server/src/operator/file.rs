//! The operator at the file of a store: what is done is an entry of the journal, appended where it ends as was seen.

use handfast::journal::Said;
use handfast::store::Store;
use handfast::{Act, ActError, ActResult, CancelResult, ListFilter, cancel_in, saga_in, time_in};

use super::{Trouble, no_such_saga, not_cancelled, not_taken};
use crate::listing;
use crate::shapes::saga::{Listed, Saga};

pub(super) async fn list(store: &dyn Store, filter: &ListFilter) -> Result<(Vec<Listed>, Option<String>), Trouble> {
    if let Some(after) = &filter.after
        && store.load(after).await?.is_none()
    {
        return Err(Trouble::Usage(listing::no_such_after(after)));
    }
    let page = handfast::list_in(store, filter).await?;
    Ok((page.sagas.iter().map(Listed::of).collect(), page.next))
}

pub(super) async fn look(store: &dyn Store, id: &str) -> Result<Saga, Trouble> {
    let seen = saga_in(store, id).await?.ok_or_else(|| Trouble::Unknown(no_such_saga(id)))?;
    Ok(Saga::of(&seen))
}

pub(super) async fn act(store: &dyn Store, id: &str, act: &Act, said: &Said) -> Result<bool, Trouble> {
    let now = time_in(store).await.map_err(trouble)?;
    let result = handfast::act_in(store, id, act, said, now).await.map_err(trouble)?;
    let Some(why) = not_taken(id, &result) else { return Ok(matches!(result, ActResult::Taken { .. })) };
    Err(match result {
        ActResult::RequestIdTaken | ActResult::NoSuchStep { .. } => Trouble::Usage(why),
        ActResult::Unknown => Trouble::Unknown(why),
        ActResult::Taken { .. }
        | ActResult::Repeated { .. }
        | ActResult::Moved { .. }
        | ActResult::Pointless { .. }
        | ActResult::NeedsValues { .. } => Trouble::Conflict(why),
    })
}

pub(super) async fn cancel(store: &dyn Store, id: &str, by: Option<&str>, why: Option<&str>) -> Result<(), Trouble> {
    let now = time_in(store).await.map_err(trouble)?;
    let result = cancel_in(store, id, by, why, now).await.map_err(trouble)?;
    match not_cancelled(id, &result) {
        None => Ok(()),
        Some(why) if result == CancelResult::Unknown => Err(Trouble::Unknown(why)),
        Some(why) => Err(Trouble::Conflict(why)),
    }
}

fn trouble(error: ActError) -> Trouble {
    let words = error.to_string();
    match error {
        ActError::Text { .. } => Trouble::Usage(words),
        ActError::Unreadable { .. } | ActError::Clock { .. } | ActError::Stopping => Trouble::Broken(words),
        ActError::Store(error) => error.into(),
        _ => Trouble::Broken(words),
    }
}
