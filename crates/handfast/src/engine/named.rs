//! Sagas that need a person, or another program: the reason for each, and no more of them than a person can read.

use std::collections::BTreeMap;
use std::sync::Mutex;

use handfast_machine::locked;

#[derive(Debug, Default)]
pub(crate) struct Named(Mutex<BTreeMap<String, String>>);

impl Named {
    const MOST: usize = 1000;

    /// Says whether it is named now and was not before with this reason, so that each is told of once. Once the list is full,
    /// further ones are not named here: they are in the store, where an operator can list them.
    pub(crate) fn add(&self, id: &str, reason: &str) -> bool {
        let mut named = locked(&self.0);
        let before = named.get(id);
        let is_news = before.is_none_or(|before| before != reason);
        let is_more = before.is_none();
        if is_more && named.len() >= Self::MOST {
            return false;
        }
        named.insert(id.to_owned(), reason.to_owned());
        if is_more && named.len() == Self::MOST {
            tracing::warn!(name: "too_many_to_name", named = Self::MOST, "the list of sagas that need a person is full; further ones are not named here");
        }
        is_news
    }

    pub(crate) fn remove(&self, id: &str) {
        locked(&self.0).remove(id);
    }

    pub(crate) fn of(&self, id: &str) -> Option<String> {
        locked(&self.0).get(id).cloned()
    }

    pub(crate) fn all(&self) -> Vec<(String, String)> {
        locked(&self.0).iter().map(|(id, reason)| (id.clone(), reason.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_told_of_once_for_each_reason_however_many_there_are() {
        let named = Named::default();
        for number in 0..Named::MOST {
            assert!(named.add(&number.to_string(), "why"));
        }
        assert!(!named.add("0", "why") && named.add("0", "another reason") && !named.add("0", "another reason"));
        for _again in 0..2 {
            assert!(!named.add("one too many", "why"));
        }
        assert_eq!(named.all().len(), Named::MOST);
        named.remove("0");
        assert!(named.add("one too many", "why"));
    }
}
