//! What the driver does where an answer tells something of the life of a participant's store: which one it is, and which it says
//! that it is.

use super::definitions::KeptOfParticipants;
use super::shared::Shared;
use crate::delivery::Link;
use crate::participant::{Receipt, Reply};
use crate::store::{Offer, Seen, StoreError};

/// Shuts the line to a participant whose store is another one than it was, and says why.
pub(super) async fn fell_behind(shared: &Shared, line: &Link, (seq, incarnation): (u64, &str)) -> String {
    let (reason, is_news) = line.fell_behind(incarnation, seq, shared.now());
    keep_offer(shared, line).await;
    let (participant, way_out) = (line.name(), line.life().way_out(line.name()));
    // It is probed for as long as it takes.
    if is_news && line.is_former(incarnation) {
        tracing::error!(
            name: "participant_went_back",
            participant,
            reason,
            way_out,
            "a participant goes on as what it was before a person accepted another incarnation; it is not called any more"
        );
    } else if is_news {
        tracing::error!(
            name: "participant_behind",
            participant,
            reason,
            way_out,
            "a participant's store was restored; it is not called any more"
        );
    }
    format!("behind: {reason}")
}

/// Keeps which other life a participant says it is, so that a person can accept it even while no engine runs.
async fn keep_offer(shared: &Shared, line: &Link) {
    let Some((incarnation, seq)) = line.life().offered else { return };
    let offer = Offer { participant: line.name().to_owned(), incarnation, seq, at: shared.journal_now() };
    let stray = offer.incarnation.clone();
    if let Err(error) = shared.store.offer(offer).await {
        tracing::warn!(name: "offer_not_kept", participant = line.name(), %error, "what it says it is could not be kept");
    }
    // An answer may have been as it should be meanwhile.
    if line.life().offered.is_none() {
        withdraw(shared, line, &stray).await;
    }
}

async fn withdraw(shared: &Shared, line: &Link, incarnation: &str) {
    if let Err(error) = shared.store.withdraw(line.name(), incarnation).await {
        tracing::warn!(name: "offer_not_withdrawn", participant = line.name(), %error, "a stray answer's incarnation could not be withdrawn");
    }
}

/// An answer that says something ends an outage. One of the life that counts ends an offer, too: what had named another was a
/// stray. Says whether others need not wait any longer.
pub(super) async fn note_answer(shared: &Shared, line: &Link, reply: &Reply, has_room: bool) -> bool {
    let (says_something, is_of_this_life) = match reply {
        Reply::Definite { receipt: Receipt { incarnation, .. }, .. } => (has_room, has_room && incarnation.is_some()),
        Reply::Undo { .. } | Reply::Mismatch { .. } => (true, false),
        Reply::Absent { .. } | Reply::Unknown { .. } | Reply::Behind { .. } => (false, false),
    };
    if !says_something {
        return false;
    }
    let ends_outage = line.answered(is_of_this_life);
    if is_of_this_life && let Some(stray) = line.withdraw_offer() {
        tracing::info!(
            name: "offer_withdrawn",
            participant = line.name(),
            incarnation = stray,
            "a participant answers as the incarnation that counts: what it had named was a stray, and is no offer any more"
        );
        withdraw(shared, line, &stray).await;
    }
    ends_outage
}

/// Keeps what a look has confirmed to be one history, of which one change is enough from then on.
pub(super) async fn confirmed(shared: &Shared, line: &Link, seen: Seen) {
    if let Err(error) = shared.store.remember(seen.clone()).await {
        tracing::warn!(name: "seen_not_kept", participant = line.name(), %error, "what a look has confirmed could not be kept");
    }
    // What was not kept is confirmed again after a restart.
    line.raise(&seen);
}

/// What keeps a command back that rests on an answer of a former life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Hold {
    /// Nothing does.
    None,
    /// A person has accepted another life: what rests on the former one is told so first.
    Accepted,
    /// The participant is known to have been put back, or what was accepted cannot be read, and no person has accepted it yet.
    Behind,
}

/// Whether anything keeps back what rests on the answers of these incarnations. What a person has accepted is read right before it
/// leaves, and once more after it has waited for its turn: in whichever process that was, nothing leaves on the former life from
/// then on. `known` says of how many acceptances the saga has been told.
pub(super) async fn hold(shared: &Shared, line: &Link, incarnations: &[String], known: usize) -> Hold {
    if incarnations.is_empty() {
        return Hold::None;
    }
    match shared.store.acceptances().await {
        Ok(accepted) if accepted.len() == known => {}
        Ok(_) => match KeptOfParticipants::in_store(&*shared.store).await {
            Ok(kept) => {
                shared.definitions.take_over(kept);
                return Hold::Accepted;
            }
            Err(error) => return unread(&error),
        },
        Err(error) => return unread(&error),
    }
    if incarnations.iter().any(|incarnation| line.knows_behind(incarnation)) { Hold::Behind } else { Hold::None }
}

fn unread(error: &StoreError) -> Hold {
    tracing::warn!(name: "acceptances_unreadable", %error, "what a person has accepted of participants cannot be read; nothing leaves that rests on it");
    Hold::Behind
}
