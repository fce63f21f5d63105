//! What participants write is cleaned before it is kept anywhere, whichever way it came.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use handfast::journal::{Receipt, Scalar};
use handfast::participant::{Delivery, Participant, Reply};
use handfast::store::Store as _;
use handfast::{Operation, Outcome};
use handfast_protocol::{Answer, Definite};

use crate::support::{Answering, World, order};

/// A card's number as people and programs write it.
const CARDS: [&str; 5] = [
    "4242424242424242",
    "4242.4242.4242.4242",
    "4242_4242_4242_4242",
    "4242/4242/4242/4242",
    "\u{ff14}\u{ff12}\u{ff14}\u{ff12}\u{ff14}\u{ff12}\u{ff14}\u{ff12}\u{ff14}\u{ff12}\u{ff14}\u{ff12}\u{ff14}\u{ff12}\u{ff14}\u{ff12}",
];

/// The first two answers to an act prove nothing: one quotes a card's number, one brings it as a value that is to be kept.
/// The third refuses, and quotes it too.
fn reply(request: &Delivery<'_>, card: &str, acts: &AtomicU32) -> Reply {
    let definite = |state, receipt| Reply::Definite { answer: Answer::State(state), receipt };
    match (request.operation, acts.fetch_add(1, Ordering::Relaxed)) {
        (Operation::Act, 0) => Reply::unknown(format!("500 with state {card:?}")),
        (Operation::Act, 1) => {
            let kept = [("id".to_owned(), Scalar::Text(card.to_owned()))].into();
            definite(Definite::Done, Receipt { kept, ..Receipt::default() })
        }
        (Operation::Act | Operation::Look | Operation::Close | Operation::Undo, _) => {
            definite(Definite::Refused, Receipt { detail: Some(format!("card {card} declined")), ..Receipt::default() })
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_card_number_in_an_answer_is_kept_nowhere() {
    for card in CARDS {
        check(card).await;
    }
}

async fn check(card: &'static str) {
    let world = World::new(None);
    let acts = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&acts);
    let bank = Answering(move |request: &Delivery<'_>| reply(request, card, &counted));
    let engine = world.builder().shared_participant("bank", Arc::new(bank) as Arc<dyn Participant>).open().await.unwrap();
    let mut saga = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Cancelled);
    assert!(acts.load(Ordering::Relaxed) >= 3);
    let view = engine.saga("order-1").await.unwrap().unwrap();
    assert_eq!((view.steps[0].known, view.steps[0].detail.as_deref()), (Some(Definite::Refused), None));
    let journal = world.ground.journal.load("order-1").await.unwrap().unwrap();
    let tries = world.ground.journal.tries("order-1").await.unwrap();
    assert!(!tries.is_empty());
    let begins: String = card.chars().take(4).collect();
    for kept in journal.entries.iter().map(|entry| &entry.input).chain(tries.iter().map(|attempt| &attempt.seen)) {
        assert!(!kept.contains(&begins), "{card}: {kept}");
    }
}
