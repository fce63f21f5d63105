//! What to say of a saga that is not there: the ones whose ids come closest.

use handfast::store::{Filter, Store, StoreError};
use handfast_toml::suggest;

/// So many sagas are looked through, and a store with more of them is told so.
const LOOKED_THROUGH: usize = 10_000;
const PAGE: usize = 1_000;

/// That there is no such saga, and which there are.
pub(crate) async fn unknown(store: &dyn Store, id: &str) -> Result<anyhow::Error, StoreError> {
    let mut ids: Vec<String> = Vec::new();
    let mut filter = Filter::all(None, PAGE);
    while ids.len() < LOOKED_THROUGH {
        let page = store.list(filter.clone()).await?;
        ids.extend(page.sagas.into_iter().map(|summary| summary.id));
        if page.next.is_none() {
            break;
        }
        filter.after = page.next;
    }
    let near = suggest::similar(id, ids.iter().map(String::as_str), 3);
    let bound = if ids.len() >= LOOKED_THROUGH { format!(" among the first {LOOKED_THROUGH}") } else { String::new() };
    Ok(if near.is_empty() && ids.is_empty() {
        anyhow::anyhow!("there is no saga {id:?}, and no other either: the store is empty")
    } else if near.is_empty() {
        anyhow::anyhow!("there is no saga {id:?}, and none with a similar id{bound}")
    } else {
        anyhow::anyhow!("there is no saga {id:?}; did you mean {}?", near.join(", "))
    })
}
