//! What to say of a saga that is not there: the ones whose ids come closest.

use handfast::store::{Store, StoreError};

/// So many sagas are looked through, and a store with more of them is told so.
const LOOKED_THROUGH: usize = 10_000;
const PAGE: usize = 1_000;

/// That there is no such saga, and which there are.
pub(crate) async fn unknown(store: &dyn Store, id: &str) -> Result<anyhow::Error, StoreError> {
    let mut ids: Vec<String> = Vec::new();
    while ids.len() < LOOKED_THROUGH {
        let page = store.list(None, ids.last().map(String::as_str), PAGE).await?;
        let whole = page.len() == PAGE;
        ids.extend(page.into_iter().map(|summary| summary.id));
        if !whole {
            break;
        }
    }
    let near = nearest(id, &ids);
    let bound = if ids.len() >= LOOKED_THROUGH { format!(" among the first {LOOKED_THROUGH}") } else { String::new() };
    Ok(if near.is_empty() && ids.is_empty() {
        anyhow::anyhow!("there is no saga {id:?}, and no other either: the store is empty")
    } else if near.is_empty() {
        anyhow::anyhow!("there is no saga {id:?}, and none with a similar id{bound}")
    } else {
        anyhow::anyhow!("there is no saga {id:?}; did you mean {}?", near.join(", "))
    })
}

/// Up to three ids that differ least, or that contain what was asked for.
fn nearest<'a>(id: &str, ids: &'a [String]) -> Vec<&'a str> {
    let most = (id.chars().count() / 3).max(1);
    let mut near: Vec<(usize, &str)> = ids
        .iter()
        .map(|other| {
            let contained = id.len() >= 2 && other.contains(id);
            (if contained { 0 } else { distance(id, other, most) }, other.as_str())
        })
        .filter(|&(distance, _)| distance <= most)
        .collect();
    near.sort_unstable();
    near.into_iter().take(3).map(|(_, id)| id).collect()
}

/// How many characters have to be put in, taken out or changed (Levenshtein 1966); anything above `most` is as good as any other.
fn distance(one: &str, other: &str, most: usize) -> usize {
    let other: Vec<char> = other.chars().collect();
    if one.chars().count().abs_diff(other.len()) > most {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, c) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, &d) in other.iter().enumerate() {
            let changed = diagonal + usize::from(c != d);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_ids_come_first() {
        let ids: Vec<String> = ["order-17", "order-71", "order-170", "gift-17", "x"].map(str::to_owned).into();
        assert_eq!(nearest("order-17a", &ids), ["order-17", "order-170", "order-71"]);
        assert_eq!(nearest("gift", &ids), ["gift-17"]);
        assert!(nearest("nothing-like-it", &ids).is_empty());
    }

    #[test]
    fn distances_are_counted() {
        assert_eq!([("", "abc"), ("kitten", "sitting"), ("same", "same")].map(|(one, other)| distance(one, other, 9)), [3, 3, 0]);
        assert_eq!(distance("a", "abcdef", 2), usize::MAX);
    }
}
