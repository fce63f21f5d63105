//! What a person sees of the participants, and the one act that only a person can do there: accepting that one was put back to an
//! older copy of its store.

use std::collections::BTreeMap;
use std::sync::Arc;

use handfast_protocol::Time;

use super::Engine;
use super::amounts::{Money, money_in};
use super::definitions::KeptOfParticipants;
use super::reason;
use crate::delivery::{BreakerState, LinkStats, life};
use crate::journal::Line;
use crate::store::{Acceptance, Filter, Offer, Store, StoreError};

/// A participant as its store of sagas knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ParticipantView {
    /// Its base URL or name.
    pub participant: String,
    /// The incarnation that counts. `None` as long as no answer has told one.
    pub incarnation: Option<String>,
    /// The highest commit number that was seen of it.
    pub seq: u64,
    /// Another incarnation, which it says it is and no person has accepted.
    pub offered: Option<Offer>,
    /// Everything that was ever accepted of it, in order.
    pub accepted: Vec<Acceptance>,
    /// How the link to it stands. `None` where no engine runs.
    pub link: Option<LinkStats>,
}

impl ParticipantView {
    /// Whether this incarnation has counted before another one was accepted in its place.
    #[must_use]
    pub fn counted_before(&self, incarnation: &str) -> bool {
        self.accepted.iter().any(|accepted| accepted.former == incarnation)
    }

    /// What a person can do, if it is not called or says that it is another incarnation.
    #[must_use]
    pub fn way_out(&self) -> Option<String> {
        let offered = self.offered.as_ref().map(|offer| offer.incarnation.as_str());
        let offered = offered.map(|incarnation| (incarnation, self.counted_before(incarnation)));
        let is_behind = self.link.as_ref().is_some_and(|line| line.behind.is_some());
        (is_behind || offered.is_some()).then(|| life::way_out(&self.participant, offered))
    }
}

/// An amount of money as people write it: `19.99 EUR`. `None` of a currency that does not exist, or has no minor unit.
#[must_use]
pub fn amount_in_words(minor: u64, currency: &str) -> Option<String> {
    Money { minor, currency: currency.to_owned() }.written()
}

/// A person's act was carried out.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Accepted {
    /// What is kept of it.
    pub acceptance: Acceptance,
}

/// A saga that rests on what a participant had answered in a former life.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Resting {
    /// The saga.
    pub id: String,
    /// How it stands.
    pub standing: String,
    /// Whether it has ended, so that nothing of it is read again.
    pub has_ended: bool,
    /// The highest number of those answers. Those above the number at which the participant was put back are forgotten.
    pub seq: u64,
    /// That number lies above the one at which the participant was put back: the change is certainly not known there. Of the
    /// others the number alone does not tell.
    pub is_above_copy: bool,
    /// The order's amounts of money, each with the name of its field: minor units and currency.
    pub money: Vec<(String, u64, String)>,
}

/// Some of the sagas that rest on a former life.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct RestingPage {
    /// Those that were found, in the order of their placing. There may be none, and more to come.
    pub sagas: Vec<Resting>,
    /// The saga after which the next page begins; `None` if there is none.
    pub after: Option<String>,
}

/// Why nothing was accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// The engine's clock is not believed, so that what it writes would have the wrong time.
    #[error("{why}")]
    Clock {
        /// Why.
        why: String,
    },
    /// No flow and no saga names this participant.
    #[error("there is no participant {participant}; `handfast participants list` names them all")]
    Unknown {
        /// What was named.
        participant: String,
    },
    /// It does not say that it is another incarnation than the one that is known.
    #[error("{participant} has named no other incarnation than the one that counts: there is nothing to accept")]
    NothingOffered {
        /// The participant.
        participant: String,
    },
    /// It says that it is another one than the one that was to be accepted.
    #[error(
        "{participant} says that it is {offered} by now, and not {asked}: look at it again, and accept that one if it is right"
    )]
    Changed {
        /// The participant.
        participant: String,
        /// What it says it is.
        offered: String,
        /// What was to be accepted.
        asked: String,
    },
    /// The name of who accepts it, or the reason, is missing or cannot be kept.
    #[error("{name}: {what}; say who accepts it (by) and the reason (why): both are kept")]
    Reason {
        /// `by` or `why`.
        name: &'static str,
        /// What is wrong with it. The text itself is not repeated.
        what: String,
    },
    /// The store's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The participants that a store of sagas knows, in the order of their names.
///
/// # Errors
/// The store's.
pub async fn participants_in(store: &dyn Store) -> Result<Vec<ParticipantView>, StoreError> {
    let (seen, offers, acceptances) = (store.seen().await?, store.offers().await?, store.acceptances().await?);
    let view = |seen: crate::store::Seen| ParticipantView {
        offered: offers
            .iter()
            .find(|offer| offer.participant == seen.participant && offer.incarnation != seen.incarnation)
            .cloned(),
        accepted: acceptances.iter().filter(|accepted| accepted.participant == seen.participant).cloned().collect(),
        participant: seen.participant,
        incarnation: Some(seen.incarnation),
        seq: seen.seq,
        link: None,
    };
    Ok(seen.into_iter().map(view).collect())
}

/// Lets another incarnation of a participant count. It names the incarnation that it accepts, and is refused if the participant
/// says by now that it is yet another one. Engines on this store take it over within seconds; in each of them every open saga
/// that rests on an answer of the former one reads it again before anything irrevocable leaves.
///
/// # Errors
/// Why nothing was accepted.
pub async fn accept_in(
    store: &dyn Store,
    now: Time,
    (participant, incarnation): (&str, &str),
    (by, why): (&str, &str),
) -> Result<Accepted, AcceptError> {
    for (name, text) in [("by", by), ("why", why)] {
        if let Some(what) = reason::what_is_wrong_if_said(text) {
            return Err(AcceptError::Reason { name, what });
        }
    }
    let known = participants_in(store).await?.into_iter().find(|known| known.participant == participant);
    let Some(known) = known else { return Err(AcceptError::Unknown { participant: participant.to_owned() }) };
    if let Some(before) = accepted_before(&known, incarnation) {
        return Ok(before);
    }
    let (Some(offer), Some(former)) = (known.offered, known.incarnation) else {
        return Err(AcceptError::NothingOffered { participant: participant.to_owned() });
    };
    let changed =
        |offered: String| AcceptError::Changed { participant: participant.to_owned(), offered, asked: incarnation.to_owned() };
    if offer.incarnation != incarnation {
        return Err(changed(offer.incarnation));
    }
    let acceptance = Acceptance {
        participant: participant.to_owned(),
        incarnation: incarnation.to_owned(),
        former,
        seq: offer.seq,
        at: now,
        by: by.to_owned(),
        why: why.to_owned(),
    };
    match store.accept(acceptance.clone()).await {
        Ok(()) => Ok(Accepted { acceptance }),
        Err(StoreError::Conflict) => Err(changed("another one".to_owned())),
        Err(error) => Err(error.into()),
    }
}

/// What was accepted already, for a caller that did not get the answer and asks again.
fn accepted_before(known: &ParticipantView, incarnation: &str) -> Option<Accepted> {
    let counts = known.incarnation.as_deref() == Some(incarnation);
    let last = known.accepted.last().filter(|last| counts && last.incarnation == incarnation);
    last.map(|acceptance| Accepted { acceptance: acceptance.clone() })
}

/// How many sagas are read at once.
const PAGE: usize = 500;
/// At most this many sagas are read for one page, however few of them rest on what is asked for.
const MOST_LOOKED_AT: usize = 2_000;

/// A page of the sagas that rest on what this incarnation had answered, at most `limit`, in the order of their placing after the one
/// named: the last answer about some step is its, and nothing was read again since.
///
/// # Errors
/// The store's.
pub async fn resting_in(
    store: &dyn Store,
    incarnation: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<RestingPage, StoreError> {
    let copy = copy_of(store, incarnation).await?;
    let mut sagas = Vec::new();
    let mut after = after.map(str::to_owned);
    for _read in 0..MOST_LOOKED_AT / PAGE {
        let page = store.list(Filter::all(after.as_deref(), PAGE)).await?;
        for summary in page.sagas {
            after = Some(summary.id.clone());
            sagas.extend(resting_of(store, &summary.id, (incarnation, copy)).await?);
            if sagas.len() >= limit {
                return Ok(RestingPage { sagas, after });
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(RestingPage { sagas, after });
        }
    }
    Ok(RestingPage { sagas, after })
}

/// At which number the participant of this incarnation said that it was put back, if another one was accepted or is on offer.
async fn copy_of(store: &dyn Store, incarnation: &str) -> Result<Option<u64>, StoreError> {
    let accepted = store.acceptances().await?.into_iter().find(|accepted| accepted.former == incarnation);
    if let Some(accepted) = accepted {
        return Ok(Some(accepted.seq));
    }
    let seen = store.seen().await?.into_iter().find(|seen| seen.incarnation == incarnation);
    let offers = store.offers().await?;
    let offer = |of: &str| offers.iter().find(|offer| offer.participant == of && offer.incarnation != incarnation);
    Ok(seen.and_then(|seen| offer(&seen.participant)).map(|offer| offer.seq))
}

/// Says in the log what a person has accepted, here or in another process, and how much rests on what counted before.
pub(super) fn tell_accepted(store: &Arc<dyn Store>, acceptances: Vec<Acceptance>) {
    if acceptances.is_empty() {
        return;
    }
    let store = Arc::clone(store);
    // In a task of its own, since the caller need not wait until they are counted.
    drop(tokio::spawn(async move {
        for Acceptance { participant, incarnation, former, by, why, .. } in acceptances {
            let resting = match resting_in(&*store, &former, None, usize::MAX).await {
                Ok(RestingPage { sagas, after: None }) => sagas.len().to_string(),
                Ok(RestingPage { sagas, after: Some(_) }) => format!("{} or more", sagas.len()),
                Err(error) => format!("unknown: {error}"),
            };
            tracing::info!(
                name: "participant_accepted",
                participant,
                incarnation,
                former,
                by,
                why,
                resting,
                "a person lets another incarnation of a participant count; sagas that rest on the former one read it again"
            );
        }
    }));
}

/// What of a saga rests on this incarnation, if anything does.
async fn resting_of(
    store: &dyn Store,
    id: &str,
    (incarnation, copy): (&str, Option<u64>),
) -> Result<Option<Resting>, StoreError> {
    let Some(stored) = store.load(id).await? else { return Ok(None) };
    let mut answers = BTreeMap::new();
    for entry in &stored.entries {
        if let Ok(Line::Answer { to, receipt, .. }) = Line::read(stored.version, &entry.input) {
            answers.insert(to.step, (receipt.incarnation, receipt.seq.unwrap_or(0)));
        }
    }
    let seqs = answers.into_values().filter(|(of, _)| of.as_deref() == Some(incarnation)).map(|(_, seq)| seq);
    let Some(seq) = seqs.max() else { return Ok(None) };
    let has_ended = matches!(stored.standing.as_str(), "completed" | "cancelled" | "settled");
    let money = money_in(&stored.input).into_iter().map(|(field, Money { minor, currency })| (field, minor, currency)).collect();
    let is_above_copy = copy.is_some_and(|copy| seq > copy);
    Ok(Some(Resting { id: stored.id, standing: stored.standing, has_ended, seq, is_above_copy, money }))
}

impl Engine {
    /// The participants of this engine's flows, and those that its store knows from before.
    ///
    /// # Errors
    /// The store's.
    pub async fn participants(&self) -> Result<Vec<ParticipantView>, StoreError> {
        let shared = &self.0.shared;
        let mut views = participants_in(&*shared.store).await?;
        for line in shared.definitions.links() {
            let stats = line.stats();
            match views.iter_mut().find(|view| view.participant == stats.participant) {
                // Templates of several flows have a line each: the one that is shut is the one to look at.
                Some(view) if view.link.as_ref().is_none_or(|known| known.breaker == BreakerState::Closed) => {
                    view.link = Some(stats);
                }
                Some(_) => {}
                None => views.push(ParticipantView {
                    participant: stats.participant.clone(),
                    incarnation: None,
                    seq: 0,
                    offered: None,
                    accepted: Vec::new(),
                    link: Some(stats),
                }),
            }
        }
        views.sort_by(|one, other| one.participant.cmp(&other.participant));
        Ok(views)
    }

    /// Lets another incarnation of a participant count, at once: see [`accept_in`].
    ///
    /// # Errors
    /// Why nothing was accepted.
    pub async fn accept_participant(
        &self,
        (participant, incarnation): (&str, &str),
        (by, why): (&str, &str),
    ) -> Result<Accepted, AcceptError> {
        let shared = &self.0.shared;
        if let Some(why) = shared.clock_trouble() {
            return Err(AcceptError::Clock { why });
        }
        let accepted = accept_in(&*shared.store, shared.journal_now(), (participant, incarnation), (by, why)).await?;
        match KeptOfParticipants::in_store(&*shared.store).await {
            Ok(kept) => shared.definitions.take_over(kept),
            // It is accepted, and read again within seconds.
            Err(error) => tracing::warn!(name: "acceptance_unread", participant, %error, "what was accepted cannot be read yet"),
        }
        shared.wake_early();
        Ok(accepted)
    }

    /// A page of the sagas that rest on what an incarnation had answered: see [`resting_in`].
    ///
    /// # Errors
    /// The store's.
    pub async fn resting_on(&self, incarnation: &str, after: Option<&str>, limit: usize) -> Result<RestingPage, StoreError> {
        let store = Arc::clone(&self.0.shared.store);
        resting_in(&*store, incarnation, after, limit).await
    }
}
