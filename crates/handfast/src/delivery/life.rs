//! Which lives of a participant's store are known: the one that counts, those that did, and one that it says it is.

use std::collections::BTreeSet;

use crate::store::{Acceptance, Offer, Seen};

/// What a person can do where a participant is not called since its store is another one than it was: which other life it says it
/// is, if it says so, and whether that one has counted before.
pub(crate) fn way_out(participant: &str, offered: Option<(&str, bool)>) -> String {
    match offered {
        None => "put its right store back; or reconcile what it forgot, start it with --declare-restored, once (a service of your own \
                 draws a new incarnation), and accept that one"
            .to_owned(),
        Some((incarnation, counted_before)) => {
            let first = if counted_before { "put its newer store back; or reconcile" } else { "reconcile" };
            format!(
                "{first} what it forgot, and accept it: handfast participants accept {participant} --incarnation {incarnation} \
                 --by NAME --why TEXT, with the --store or --url of the sagas"
            )
        }
    }
}

/// Which lives of a participant's store are known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Life {
    /// The one that counts, once an answer has told it.
    pub(crate) current: Option<String>,
    /// Those that counted before: what they answered late means nothing any more.
    pub(crate) former: BTreeSet<String>,
    /// Another one that answers have named, and how far it has come.
    pub(crate) offered: Option<(String, u64)>,
    /// How often a person has accepted another one.
    accepted: usize,
}

impl Life {
    /// What a store has kept of it: the incarnation that was seen first, everything that was accepted since, in order, and what
    /// was offered last.
    pub(crate) fn kept(seen: Option<&Seen>, accepted: &[&Acceptance], offer: Option<&Offer>) -> Self {
        let accepted_last = accepted.last().map(|last| last.incarnation.clone());
        let current = accepted_last.or_else(|| seen.map(|seen| seen.incarnation.clone()));
        let formers = accepted.iter().flat_map(|accepted| [&accepted.former, &accepted.incarnation]);
        let former = formers.filter(|former| current.as_ref() != Some(former)).cloned().collect();
        let offered = offer.filter(|offer| current.as_ref() != Some(&offer.incarnation));
        let offered = offered.map(|offer| (offer.incarnation.clone(), offer.seq));
        Self { current, former, offered, accepted: accepted.len() }
    }

    /// Whether this is the one that counts. The first that answers is, before that is durable: of two that answer at first only
    /// one is believed.
    pub(crate) fn is_current(&mut self, incarnation: &str) -> bool {
        self.current.get_or_insert_with(|| incarnation.to_owned()) == incarnation
    }

    /// What a person can do while it is another one than it was.
    pub(crate) fn way_out(&self, participant: &str) -> String {
        let offered = self.offered.as_ref().map(|(incarnation, _)| (incarnation.as_str(), self.former.contains(incarnation)));
        way_out(participant, offered)
    }

    /// Takes over what is kept of it by now. Says whether another one counts.
    pub(crate) fn take_over(&mut self, kept: Self) -> bool {
        // What others on the same store had heard first was durable first.
        let is_of_others = kept.accepted == self.accepted && kept.current.is_some() && kept.current != self.current;
        let is_newer = kept.accepted > self.accepted || is_of_others;
        if is_newer {
            *self = kept;
        } else if self.current == kept.current && self.offered.is_none() {
            self.offered = kept.offered;
        }
        is_newer
    }
}
