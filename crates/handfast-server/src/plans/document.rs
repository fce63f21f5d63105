//! A plan as a document: what would be done, to which sagas as they stood, what would come of it, and a token over all of that.
//!
//! Nothing of a plan is kept by the store. A person who has the document can read it, keep it, hand it to a second person and apply
//! it; that it is the one which was made shows its token, which is a digest and no signature. It is made of pages, each with a digest
//! of its own, so that a service can check and apply a page without the others.

use handfast::Deed;
use handfast::journal::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::money::Effects;

/// What the first member of every plan says.
pub const FORMAT: &str = "handfast-plan/1";

/// How old a plan is at most that is applied, in milliseconds, where nothing else is said: a day.
pub const MOST_AGE_MS: u64 = 24 * 60 * 60 * 1_000;

/// By how much the clocks of two processes may differ.
const MOST_SKEW_MS: u64 = 60 * 1_000;

/// A plan.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The digest of the head.
    pub token: String,
    /// What it is about.
    pub head: Head,
    /// The sagas, in the order of their placing.
    pub pages: Vec<Page>,
}

/// What a plan is about. Its digest is the plan's token, and it names the digest of each page.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// [`FORMAT`].
    pub format: String,
    /// The id of the store whose sagas it is about.
    pub store: String,
    /// When it was begun to be made, in milliseconds since 1970, by the clock of the process that made it.
    pub made_at_ms: u64,
    /// Who made it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Which sagas were asked for, as in the address of a list.
    pub filter: String,
    /// What is to be done: one of [`Deed::NAMES`].
    pub act: String,
    /// The step that a mark is about.
    pub step: Option<String>,
    /// How many sagas it would be done to.
    pub sagas: u64,
    /// About how many of those that were asked for it would be refused.
    pub refused: u64,
    /// What would come of it in sum.
    pub sums: Effects,
    /// The digests of its pages, in order.
    pub pages: Vec<String>,
}

/// Some sagas of a plan.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// Those to which it would be done.
    pub sagas: Vec<Entry>,
    /// Those about which it would be refused.
    pub refused: Vec<Refused>,
}

/// A saga of a plan, as it stood.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its id.
    pub saga: String,
    /// The number of its last entry.
    pub seq: u64,
    /// The digest of that, in hexadecimal digits.
    pub digest: String,
    /// What would come of it.
    pub effects: Effects,
}

/// A saga about which nothing would be done.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// Its id.
    pub saga: String,
    /// Why.
    pub why: String,
}

/// Why a plan is not applied. Nothing was done.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotThisPlan {
    /// It is none.
    #[error("this is no plan of handfast: {0}; make one with handfast sagas plan")]
    Unreadable(String),
    /// Another program has made it.
    #[error("this is a plan of the format {0:?}, and this handfast knows {FORMAT:?}; make it anew")]
    Format(String),
    /// It is not the one that was made.
    #[error("the plan was changed since it was made: {0}; make it anew")]
    Edited(&'static str),
    /// It is about sagas of another store.
    #[error("the plan is about the store {theirs}, and this one is {ours}; apply it where it was made")]
    AnotherStore {
        /// The plan's.
        theirs: String,
        /// The one at hand.
        ours: String,
    },
    /// It says that it was made at a time that has not come.
    #[error("the plan says that it was made at a time that has not come; make it anew")]
    Future,
    /// It was made too long ago.
    #[error("the plan was made {} ago, and at most {} is applied; make it anew, or say how old it may be", handfast_protocol::Span(*age_ms), handfast_protocol::Span(*most_ms))]
    Old {
        /// How long ago.
        age_ms: u64,
        /// How long ago at most.
        most_ms: u64,
    },
    /// What it says is to be done is nothing that can be.
    #[error("{0:?} is nothing that can be done to a saga, or not with this step; what can be done is {names}, and a mark needs its step", names = Deed::NAMES.join(", "))]
    Act(String),
}

impl Head {
    /// The token of a plan with this head.
    #[must_use]
    pub fn token(&self) -> String {
        format!("plan-{}", in_letters(&digest(self)))
    }

    /// What is to be done.
    ///
    /// # Errors
    /// It is nothing that can be.
    pub fn deed(&self) -> Result<Deed, NotThisPlan> {
        Deed::from_name(&self.act, self.step.as_deref()).ok_or_else(|| NotThisPlan::Act(self.act.clone()))
    }

    /// Whether a plan with this head and this token is applied here and now. Says what is to be done.
    ///
    /// # Errors
    /// Why it is not.
    pub fn check(&self, token: &str, store: &str, (now_ms, most_ms): (u64, u64)) -> Result<Deed, NotThisPlan> {
        if self.format != FORMAT {
            return Err(NotThisPlan::Format(self.format.chars().take(64).collect()));
        }
        if self.token() != token {
            return Err(NotThisPlan::Edited("its token is another"));
        }
        if self.store != store {
            return Err(NotThisPlan::AnotherStore { theirs: self.store.clone(), ours: store.to_owned() });
        }
        if self.made_at_ms > now_ms.saturating_add(MOST_SKEW_MS) {
            return Err(NotThisPlan::Future);
        }
        let age_ms = now_ms.saturating_sub(self.made_at_ms);
        if age_ms > most_ms {
            return Err(NotThisPlan::Old { age_ms, most_ms });
        }
        self.deed()
    }

    /// Whether this page is one of the plan's.
    ///
    /// # Errors
    /// It is not.
    pub fn check_page(&self, page: &Page) -> Result<(), NotThisPlan> {
        let digest = page.digest();
        let is_there = self.pages.contains(&digest);
        is_there.then_some(()).ok_or(NotThisPlan::Edited("a page of it is none that it names"))
    }
}

impl Page {
    /// The digest of all that stands on it.
    #[must_use]
    pub fn digest(&self) -> String {
        hex(&digest(self))
    }
}

impl Plan {
    /// Reads a plan that is whole and says the truth about its own sums.
    ///
    /// # Errors
    /// It is no plan, or was edited.
    pub fn read(text: &[u8]) -> Result<Self, NotThisPlan> {
        let plan: Self = serde_json::from_slice(text).map_err(|error| NotThisPlan::Unreadable(error.to_string()))?;
        let Self { token, head, pages } = &plan;
        if head.format != FORMAT {
            return Err(NotThisPlan::Format(head.format.chars().take(64).collect()));
        }
        if head.token() != *token {
            return Err(NotThisPlan::Edited("its token is another"));
        }
        if !pages.iter().map(Page::digest).eq(head.pages.iter().cloned()) {
            return Err(NotThisPlan::Edited("its pages are others than it names"));
        }
        let counted = Counted::of(pages);
        if (counted.sagas, counted.refused, &counted.sums) != (head.sagas, head.refused, &head.sums) {
            return Err(NotThisPlan::Edited("its sums are not those of its sagas"));
        }
        Ok(plan)
    }
}

/// What a plan's pages come to.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Counted {
    pub(super) sagas: u64,
    pub(super) refused: u64,
    pub(super) sums: Effects,
}

impl Counted {
    pub(super) fn of(pages: &[Page]) -> Self {
        let mut counted = Self::default();
        pages.iter().for_each(|page| counted.add(page));
        counted
    }

    pub(super) fn add(&mut self, page: &Page) {
        self.sagas += page.sagas.len() as u64;
        self.refused += page.refused.len() as u64;
        page.sagas.iter().for_each(|entry| self.sums.add(&entry.effects));
    }
}

/// The id of the request by which a plan acts on a saga: the same whenever it is applied, and by whomever.
#[must_use]
pub fn request_id(token: &str, saga: &str) -> String {
    let whole = format!("{token}/{saga}");
    // No number that could be a card's enters a journal, and an id may look like one. The journal is the saga's own.
    if handfast_protocol::holds_card_number(&whole) { token.to_owned() } else { whole }
}

fn digest(of: &impl Serialize) -> [u8; 32] {
    // Every member has a text for its name, which is all that could go wrong.
    let text = serde_json::to_vec(of).unwrap_or_default();
    Sha256::digest(text).into()
}

/// Bytes as letters from `a` to `p`: digits alone could look like a card's number.
fn in_letters(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|half| char::from(b'a' + half)).collect()
}
