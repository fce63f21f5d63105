//! What a person sees of the participants, and the one act that only a person can do there: accepting that one was put back to an
//! older copy of its store.

use std::sync::Arc;

use handfast_protocol::Time;

use super::reason;
use super::{CancelError, Engine};
use crate::delivery::{BreakerState, LineStats};
use crate::journal::Line;
use crate::store::{Acceptance, Offer, Store, StoreError};

/// A participant as its store of sagas knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParticipantView {
    /// Its base URL or name.
    pub participant: String,
    /// The incarnation that counts. `None` as long as no answer has told one.
    pub incarnation: Option<String>,
    /// The highest commit number that was seen of it.
    pub seq: u64,
    /// Another incarnation, which it says it is and nobody has accepted.
    pub offered: Option<Offer>,
    /// Everything that was ever accepted of it, in order.
    pub accepted: Vec<Acceptance>,
    /// How the line to it stands. `None` where no engine runs.
    pub line: Option<LineStats>,
}

/// A person's act was carried out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Accepted {
    /// What is kept of it.
    pub acceptance: Acceptance,
}

/// A saga that rests on what a participant had answered in a former life.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Resting {
    /// The saga.
    pub id: String,
    /// How it stands.
    pub standing: String,
    /// Whether it has ended, so that nothing of it is read again.
    pub has_ended: bool,
    /// The highest number of those answers. Those above the number at which the participant was put back are forgotten.
    pub seq: u64,
    /// The order's amounts of money, each with the name of its field: minor units and currency.
    pub money: Vec<(String, i64, String)>,
}

/// Why nothing was accepted.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
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
    /// Nobody has said who accepts it, and why.
    #[error("say who accepts it (by) and the reason (why): both are kept")]
    NoReason,
    /// The name or the reason cannot be kept.
    #[error(transparent)]
    Reason(CancelError),
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
        offered: offers.iter().find(|offer| offer.participant == seen.participant).cloned(),
        accepted: acceptances.iter().filter(|accepted| accepted.participant == seen.participant).cloned().collect(),
        participant: seen.participant,
        incarnation: Some(seen.incarnation),
        seq: seen.seq,
        line: None,
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
    if by.trim().is_empty() || why.trim().is_empty() {
        return Err(AcceptError::NoReason);
    }
    reason::check(Some(by), Some(why)).map_err(AcceptError::Reason)?;
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

/// What was accepted already, for whoever did not hear the answer and asks again.
fn accepted_before(known: &ParticipantView, incarnation: &str) -> Option<Accepted> {
    let counts = known.incarnation.as_deref() == Some(incarnation);
    let last = known.accepted.iter().max_by_key(|accepted| accepted.at).filter(|last| counts && last.incarnation == incarnation);
    last.map(|acceptance| Accepted { acceptance: acceptance.clone() })
}

/// How many sagas are read at once.
const PAGE: usize = 500;

/// The sagas that rest on what this incarnation had answered, at most `limit`, in the order of their placing after the one named:
/// the last answer about some step is its, and nothing was read again since.
///
/// # Errors
/// The store's.
pub async fn resting_in(
    store: &dyn Store,
    incarnation: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<Resting>, StoreError> {
    let mut resting = Vec::new();
    let mut after = after.map(str::to_owned);
    loop {
        let page = store.list(None, after.as_deref(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(resting) };
        after = Some(last.id.clone());
        for summary in page {
            let Some(stored) = store.load(&summary.id).await? else { continue };
            let mut answers = std::collections::BTreeMap::new();
            for entry in &stored.entries {
                if let Ok(Line::Answer { to, receipt, .. }) = Line::read(stored.version, &entry.input) {
                    answers.insert(to.step, (receipt.incarnation, receipt.seq.unwrap_or(0)));
                }
            }
            let seqs = answers.into_values().filter(|(of, _)| of.as_deref() == Some(incarnation)).map(|(_, seq)| seq);
            let Some(seq) = seqs.max() else { continue };
            let has_ended = matches!(stored.standing.as_str(), "completed" | "cancelled" | "settled");
            let money = money_of(&stored.input);
            resting.push(Resting { id: stored.id, standing: stored.standing, has_ended, seq, money });
            if resting.len() == limit {
                return Ok(resting);
            }
        }
    }
}

/// Every amount of money in an order.
fn money_of(input: &[u8]) -> Vec<(String, i64, String)> {
    let Ok(serde_json::Value::Object(members)) = serde_json::from_slice(input) else { return Vec::new() };
    let amount = |(name, value): (String, serde_json::Value)| {
        Some((name, value.get("minor")?.as_i64()?, value.get("currency")?.as_str()?.to_owned()))
    };
    members.into_iter().filter_map(amount).collect()
}

impl Engine {
    /// The participants of this engine's flows, and those that its store knows from before.
    ///
    /// # Errors
    /// The store's.
    pub async fn participants(&self) -> Result<Vec<ParticipantView>, StoreError> {
        let shared = &self.0.shared;
        let mut views = participants_in(&*shared.store).await?;
        for line in shared.definitions.lines() {
            let (stats, is_offered) = (line.stats(), line.life().offered.is_some());
            match views.iter_mut().find(|view| view.participant == stats.participant) {
                // Templates of several flows have a line each: the one that is shut is the one to look at.
                Some(view) if view.line.as_ref().is_none_or(|known| known.breaker == BreakerState::Closed) => {
                    view.line = Some(stats);
                    view.offered = view.offered.take().filter(|_| is_offered);
                }
                Some(_) => {}
                None => views.push(ParticipantView {
                    participant: stats.participant.clone(),
                    incarnation: None,
                    seq: 0,
                    offered: None,
                    accepted: Vec::new(),
                    line: Some(stats),
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
        let mut lines = shared.definitions.lines();
        lines.retain(|line| line.name() == participant);
        // What a stray answer had named is no offer any more once an answer was as it should be.
        if !lines.is_empty() && lines.iter().all(|line| line.life().offered.is_none()) {
            let known = participants_in(&*shared.store).await?.into_iter().find(|known| known.participant == participant);
            let before = known.and_then(|known| accepted_before(&known, incarnation));
            return before.ok_or_else(|| AcceptError::NothingOffered { participant: participant.to_owned() });
        }
        let accepted = accept_in(&*shared.store, shared.journal_now(), (participant, incarnation), (by, why)).await?;
        for line in lines {
            line.accept(incarnation);
        }
        shared.wake_early();
        Ok(accepted)
    }

    /// The sagas that rest on what an incarnation had answered: see [`resting_in`].
    ///
    /// # Errors
    /// The store's.
    pub async fn resting_on(&self, incarnation: &str, after: Option<&str>, limit: usize) -> Result<Vec<Resting>, StoreError> {
        let store = Arc::clone(&self.0.shared.store);
        resting_in(&*store, incarnation, after, limit).await
    }
}
