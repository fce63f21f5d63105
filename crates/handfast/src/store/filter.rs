//! Which sagas a list is of, how much one page of it looks at, and the one loop that makes a page in every store.

use std::collections::BTreeSet;

use handfast_protocol::Time;

use super::{StoreError, Summary};

/// The most sagas that are looked at for one page: a list of few among many comes in pages that are not full, and keeps nothing else waiting.
pub const MOST_LOOKED_AT: usize = 10_000;

/// Nearly every saga comes to stand in one of these ways, so no index leads to them.
const ENDED: [&str; 2] = ["completed", "cancelled"];

/// Which sagas are listed, in the order of their placing. All that is named has to hold.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// Those that stand in one of these ways, in the words of `Standing::name`; all, where none is named.
    pub standings: BTreeSet<String>,
    /// Those that follow one of these definitions, by SHA-256; all, where it is `None`.
    pub flows: Option<BTreeSet<[u8; 32]>>,
    /// Those placed at this time or later.
    pub placed_from: Option<Time>,
    /// Those placed before this time.
    pub placed_before: Option<Time>,
    /// Those placed after this one. Nothing comes after a saga that is unknown.
    pub after: Option<String>,
    /// The most sagas on the page.
    pub limit: usize,
}

/// A page of a list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Page {
    /// The sagas, in the order of their placing. There may be none on a page that is not the last.
    pub sagas: Vec<Summary>,
    /// The saga after which the next page begins; `None` on the last.
    pub next: Option<String>,
}

/// A saga that may be on a page.
pub(super) struct Candidate {
    pub(super) summary: Summary,
    /// The definition that it follows, where the filter names any.
    pub(super) follows: Option<[u8; 32]>,
}

impl Filter {
    /// All sagas, `limit` at most, after the one named.
    #[must_use]
    pub fn all(after: Option<&str>, limit: usize) -> Self {
        Self { after: after.map(str::to_owned), limit, ..Self::default() }
    }

    /// Nothing comes after a saga that is unknown, which is an error where all are added up.
    pub(super) fn after_unknown(&self) -> StoreError {
        let what = "it is not in the store, so that nothing can be read after it; begin anew".to_owned();
        StoreError::Corrupt { id: self.after.clone().unwrap_or_default(), what }
    }

    /// Those that an index leads to, by how they stand, if it does: only they are looked at then.
    pub(super) fn indexed(&self) -> Option<&BTreeSet<String>> {
        let is_indexed = !self.standings.is_empty() && self.standings.iter().all(|standing| !ENDED.contains(&standing.as_str()));
        is_indexed.then_some(&self.standings)
    }

    fn takes(&self, Candidate { summary, follows }: &Candidate) -> bool {
        (self.standings.is_empty() || self.standings.contains(&summary.standing))
            && self.flows.as_ref().is_none_or(|flows| follows.as_ref().is_some_and(|follows| flows.contains(follows)))
            && self.placed_from.is_none_or(|from| summary.created >= from)
            && self.placed_before.is_none_or(|before| summary.created < before)
    }

    /// A page of those that stand so, which come in the order of their placing and begin after the one named.
    pub(super) fn page<E>(&self, candidates: impl Iterator<Item = Result<Candidate, E>>) -> Result<Page, E> {
        let mut sagas = Vec::new();
        let mut last = self.after.clone();
        for (looked_at, candidate) in candidates.enumerate() {
            let candidate = candidate?;
            if sagas.len() == self.limit || looked_at == MOST_LOOKED_AT {
                return Ok(Page { sagas, next: last });
            }
            last = Some(candidate.summary.id.clone());
            if self.takes(&candidate) {
                sagas.push(candidate.summary);
            }
        }
        Ok(Page { sagas, next: None })
    }
}
