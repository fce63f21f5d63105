//! Making a plan: pages of what is foreseen, put together into one document.

use handfast::journal::hex;
use handfast::{ActError, Deed, Foreseen, ForeseenPage, ListFilter, WhyNot};
use serde::{Deserialize, Serialize};

use super::applied::check_words;
use super::document::{Counted, Entry, FORMAT, Head, Page, Plan, Refused};
use super::money::Effects;
use crate::listing;
use crate::operator::not_taken;

/// A page of what is foreseen, as it is answered.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Made {
    /// The id of the store whose sagas it is about.
    pub store: String,
    /// When it was made, in milliseconds since 1970.
    pub made_at_ms: u64,
    /// The page.
    pub page: Page,
    /// What comes of it in sum.
    pub sums: Effects,
    /// The path of the next page, or null on the last.
    #[serde(default)]
    pub next: Option<String>,
}

impl Made {
    /// A page of what is foreseen of sagas of this store now.
    pub(crate) fn of((store, made_at_ms): (&str, u64), page: Page, next: Option<String>) -> Self {
        let sums = Counted::of(std::slice::from_ref(&page)).sums;
        Self { store: store.to_owned(), made_at_ms, page, sums, next }
    }
}

/// What is foreseen, as it stands in a plan.
pub(crate) fn page_of(foreseen: &ForeseenPage) -> Page {
    let entry = |Foreseen { id, seq, digest, stakes, ends, .. }: &Foreseen| Entry {
        saga: id.clone(),
        seq: *seq,
        digest: hex(digest),
        effects: Effects::of(stakes, ends.as_deref()),
    };
    let refused = |(id, why): &(String, WhyNot)| Refused { saga: id.clone(), why: why_not(id, why) };
    Page { sagas: foreseen.sagas.iter().map(entry).collect(), refused: foreseen.refused.iter().map(refused).collect() }
}

fn why_not(id: &str, why: &WhyNot) -> String {
    match why {
        WhyNot::Answered(result) => not_taken(id, result).unwrap_or_default(),
        WhyNot::Unreadable(why) => format!("its journal cannot be followed here: {why}"),
        _ => "it cannot be done to it".to_owned(),
    }
}

/// Puts pages together into a plan.
#[derive(Debug)]
pub struct Maker {
    head: Head,
    pages: Vec<Page>,
    counted: Counted,
}

impl Maker {
    /// A plan of nothing yet, with who makes it and why.
    ///
    /// # Errors
    /// What it says could not be kept where it is applied.
    pub fn new((by, reason): (&str, &str), filter: &ListFilter, deed: &Deed) -> Result<Self, ActError> {
        let head = Head {
            format: FORMAT.to_owned(),
            store: String::new(),
            made_at_ms: 0,
            by: by.to_owned(),
            reason: reason.to_owned(),
            filter: listing::in_words(filter),
            act: deed.name().to_owned(),
            step: deed.step().map(str::to_owned),
            sagas: 0,
            refused: 0,
            sums: Effects::default(),
            pages: Vec::new(),
        };
        check_words(&head, by)?;
        Ok(Self { head, pages: Vec::new(), counted: Counted::default() })
    }

    /// Adds a page. How old the plan is counts from its first one.
    pub fn add(&mut self, made: Made) {
        if self.head.store.is_empty() {
            (self.head.store, self.head.made_at_ms) = (made.store, made.made_at_ms);
        }
        let page = made.page;
        if !page.sagas.is_empty() || !page.refused.is_empty() {
            self.head.pages.push(page.digest());
            self.counted.add(&page);
            self.pages.push(page);
        }
    }

    /// How many sagas have been looked at.
    #[must_use]
    pub const fn looked_at(&self) -> u64 {
        self.counted.sagas + self.counted.refused
    }

    /// The plan.
    #[must_use]
    pub fn plan(self) -> Plan {
        let Self { mut head, pages, counted } = self;
        (head.sagas, head.refused, head.sums) = (counted.sagas, counted.refused, counted.sums);
        Plan { token: head.token(), head, pages }
    }
}
