//! The operator at the file of a store: what is done is an entry of the journal, appended where it ends as was seen.

use std::sync::Arc;

use handfast::journal::Said;
use handfast::store::Store;
use handfast::{Act, ActError, ActResult, CancelResult, Deed, ListFilter, Time, cancel_in, saga_in, time_in};

use super::{Trouble, no_such_saga, not_cancelled, not_taken};
use crate::listing;
use crate::plans::{Applied, Made, NoResult, Outcomes, Page, Plan, apply_page, check_words, outcomes_of, page_of};
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

pub(super) async fn plan(store: &dyn Store, filter: &ListFilter, deed: &Deed) -> Result<(Made, Option<String>), Trouble> {
    if let Some(after) = &filter.after
        && store.load(after).await?.is_none()
    {
        return Err(Trouble::Usage(listing::no_such_after(after)));
    }
    let made_at = time_in(store).await.map_err(trouble)?;
    let page = handfast::foresee_in(store, filter, deed).await?;
    Ok((Made::of((store.store_id(), made_at.0), page_of(&page), None), page.next))
}

/// What is to be done, where the plan is applied in this store and is not too old.
async fn checked(store: &dyn Store, plan: (&Plan, &Page), most_age_ms: u64) -> Result<(Deed, Time), Trouble> {
    let now = time_in(store).await.map_err(trouble)?;
    let (Plan { token, head, .. }, page) = plan;
    let deed = head.check(token, store.store_id(), (now.0, most_age_ms));
    let deed = deed.and_then(|deed| head.check_page(page).map(|()| deed)).map_err(|why| Trouble::Usage(why.to_string()))?;
    Ok((deed, now))
}

pub(super) async fn apply(store: &Arc<dyn Store>, plan: (&Plan, &Page), by: &str, most_age_ms: u64) -> Result<Applied, Trouble> {
    let (deed, now) = checked(store.as_ref(), plan, most_age_ms).await?;
    let applying = super::applying(plan, Some(by), Some(most_age_ms));
    check_words(&applying.head, by).map_err(trouble)?;
    let applied = apply_page((&applying, &deed), by, |id, deed, said, digest| {
        let store = Arc::clone(store);
        async move {
            let result = handfast::act_as_foreseen_in(store.as_ref(), &id, (&deed, &said, digest), now).await;
            result.map_err(|error| {
                let is_refused = matches!(error, ActError::Unreadable { .. });
                if is_refused { NoResult::Refused(error.to_string()) } else { NoResult::Unknown(error.to_string()) }
            })
        }
    });
    Ok(applied.await)
}

pub(super) async fn outcomes(store: &Arc<dyn Store>, plan: (&Plan, &Page)) -> Result<Outcomes, Trouble> {
    checked(store.as_ref(), plan, u64::MAX).await?;
    let asking = super::applying(plan, None, None);
    let outcomes = outcomes_of(&asking, |id, request_id| {
        let store = Arc::clone(store);
        async move { handfast::outturn_in(store.as_ref(), &id, &request_id).await.map_err(trouble) }
    });
    outcomes.await
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
