//! What requests name of a participant's history, so that only the very same can answer.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;

use handfast::participant::{Participant, Receipt};
use handfast::store::{BoxFuture, Seen, Sighting, Store as _, Tip};
use handfast_protocol::Change;

use super::*;

/// Draws marks, does not tell its openings apart, and answers after a while.
#[derive(Default)]
struct Marking {
    numbers: Mutex<BTreeMap<String, u64>>,
    /// The most changes that a request named.
    most_named: Arc<AtomicUsize>,
}

impl Participant for Marking {
    fn deliver<'a>(&'a self, request: Delivery<'a>) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            self.most_named.fetch_max(request.seen.map_or(0, |seen| seen.named.len()), Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(500)).await;
            let mut numbers = self.numbers.lock().unwrap();
            let next = numbers.len() as u64 + 1;
            let number = *numbers.entry(request.key.to_owned()).or_insert(next);
            let receipt = Receipt { mark: Some(format!("m{number}")), ..receipt("first", number) };
            Reply::Definite { answer: DONE, receipt }
        })
    }
}

/// Many answers come at once, and none is durable yet when the others are looked at.
#[tokio::test(start_paused = true)]
async fn a_burst_of_answers_leads_to_no_request_that_names_too_much() {
    let world = World::new(None);
    let marking = Marking::default();
    let most_named = Arc::clone(&marking.most_named);
    let engine = world.builder().participant("bank", marking).open().await.unwrap();
    let mut sagas = Vec::new();
    for number in 0..150 {
        sagas.push(engine.submit(order(&format!("order-{number}"), "visa", "tea")).await.unwrap());
    }
    world.ground.store.delay_answers(Duration::from_millis(200));
    for saga in &mut sagas {
        let ended = tokio::time::timeout(Duration::from_hours(1), saga.outcome()).await;
        assert_eq!(ended.expect("it ends").unwrap(), Outcome::Completed);
    }
    let mut last = engine.submit(order("order-last", "visa", "tea")).await.unwrap();
    assert_eq!(last.outcome().await.unwrap(), Outcome::Completed);
    // And what the saga itself has seen there.
    let most = most_named.load(Ordering::Relaxed);
    assert!((2..=17).contains(&most), "{most} changes were named");
}

/// Has done many things, all of which it still knows, and takes no request that names more than the contract says.
struct Knowing(Mutex<Vec<(Operation, usize)>>);

impl Participant for Knowing {
    fn deliver<'a>(&'a self, request: Delivery<'a>) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            let named = request.seen.map_or(0, |seen| seen.named.len());
            self.0.lock().unwrap().push((request.operation, named));
            let number = request.key.strip_prefix("old-").map_or(1_000, |number| number.parse().unwrap());
            let receipt = Receipt { mark: Some(format!("m{number}")), ..receipt("first", number) };
            if named > 128 { Reply::meaningless(400, "too many", None) } else { Reply::Definite { answer: DONE, receipt } }
        })
    }
}

/// Several workers have joined what they saw, until it was more than a request may name. Looks, which change nothing, name some
/// of it, and what they confirm to be one history is named by one change from then on.
#[tokio::test(start_paused = true)]
async fn what_is_too_much_to_name_is_confirmed_by_looks() {
    let world = World::new(None);
    let tip = |number| Tip {
        sighting: Sighting { key: format!("old-{number}"), change: Change { number, mark: format!("m{number}") } },
        opening: None,
    };
    for number in 1..=300 {
        let seen = Seen { participant: "bank".to_owned(), incarnation: "first".to_owned(), seq: number, ..Seen::default() };
        world.ground.journal.remember(Seen { shown: vec![tip(number)], ..seen }).await.unwrap();
    }
    let kept = async || world.ground.journal.seen().await.unwrap()[0].shown.len();
    assert_eq!(kept().await, 300);
    let bank = Arc::new(Knowing(Mutex::default()));
    let engine = world.builder().shared_participant("bank", Arc::clone(&bank) as _).open().await.unwrap();
    let mut saga = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_hours(1), saga.outcome()).await;
    assert_eq!(ended.expect("it ends").unwrap(), Outcome::Completed);
    let asked = bank.0.lock().unwrap().clone();
    assert_eq!(asked, [(Operation::Look, 128), (Operation::Look, 128), (Operation::Act, 46)]);
    assert_eq!(kept().await, 1, "and it is kept so");
}

/// The key of a request, and the marks that it named.
type Naming = (String, Vec<String>);

/// Draws a mark for each answer, of one store for all its addresses, and remembers what every request named.
struct OneStore {
    answered: Arc<AtomicUsize>,
    named: Arc<Mutex<Vec<Naming>>>,
    draws: bool,
}

impl Participant for OneStore {
    fn deliver<'a>(&'a self, request: Delivery<'a>) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            let key = request.key.split_once('.').map_or("", |(_, key)| key).to_owned();
            let marks = request.seen.into_iter().flat_map(|seen| &seen.named).map(|one| one.change.mark.clone());
            self.named.lock().unwrap().push((key, marks.collect()));
            let number = self.answered.fetch_add(1, Ordering::Relaxed) as u64 + 1;
            let mark = (self.draws || number == 1).then(|| format!("m{number}"));
            Reply::Definite { answer: DONE, receipt: Receipt { mark, ..receipt("one", number) } }
        })
    }
}

/// A bank and a depot that are two addresses of one store, and two workers on one store of sagas.
#[tokio::test(start_paused = true)]
async fn addresses_of_one_store_and_workers_on_one_store_share_what_they_saw() {
    let world = World::new(None);
    let (answered, named) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
    let address = || OneStore { answered: Arc::clone(&answered), named: Arc::clone(&named), draws: true };
    let open = async || world.builder().participant("bank", address()).participant("depot", address()).open().await.unwrap();
    let (engine, other) = (open().await, open().await);
    for (engine, id) in [(&engine, "order-1"), (&engine, "order-2"), (&other, "order-3")] {
        let mut saga = engine.submit(order(id, "visa", "tea")).await.unwrap();
        assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
        tokio::time::sleep(Duration::from_mins(1)).await;
    }
    let named = named.lock().unwrap().clone();
    let of = |key: &str| named.iter().find(|(of, _)| of == key).map(|(_, marks)| marks.join(" ")).unwrap();
    assert_eq!(of("order-1.payment"), "", "nobody has seen anything");
    assert_eq!(of("order-2.payment"), "m2 m1", "the bank is asked with what the depot had answered");
    assert!(of("order-3.payment").ends_with("m4"), "the other worker names what the first one saw: {named:?}");
}

/// A store that draws marks draws one for everything: an answer without one comes from another.
#[tokio::test(start_paused = true)]
async fn an_answer_without_a_mark_is_behind_where_there_were_marks() {
    let world = World::new(None);
    let bank = OneStore { answered: Arc::default(), named: Arc::default(), draws: false };
    let engine = world.builder().participant("bank", bank).open().await.unwrap();
    let mut saga = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
    engine.submit(order("order-2", "visa", "tea")).await.unwrap();
    tokio::time::sleep(Duration::from_mins(1)).await;
    let line = engine.stats().participants.into_iter().find(|line| line.participant == "bank").unwrap();
    assert_eq!(line.breaker, BreakerState::Behind);
    let stored = world.ground.journal.load("order-2").await.unwrap().unwrap();
    assert!(!stored.entries.iter().any(|entry| entry.input.contains("answer")), "{:?}", stored.entries);
}
