//! A participant that was put back to an older copy of its store: what a person accepts, and what becomes of the sagas.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use handfast::journal::Said;
use handfast::participant::{Delivery, Reply};
use handfast::store::{Acceptance, Offer, Store as _};
use handfast::{AcceptError, Act, ActResult, BreakerState, Engine, Operation, Outcome, Standing, act_in};
use handfast_protocol::{Answer, Definite};

use crate::support::{Answering, World, order, receipt};

mod lives;
mod named;
mod waiting;

const DONE: Answer = Answer::State(Definite::Done);

fn done(incarnation: &str, seq: u64) -> Reply {
    Reply::Definite { answer: DONE, receipt: receipt(incarnation, seq) }
}

/// A bank that is put back when it is told to, and goes on as another incarnation.
fn restored_bank(is_restored: &Arc<AtomicBool>) -> impl Fn(&Delivery<'_>) -> Reply + Send + Sync + 'static {
    let is_restored = Arc::clone(is_restored);
    move |request: &Delivery<'_>| match (is_restored.load(Ordering::Relaxed), request.seen.map(|seen| seen.incarnation.as_str()))
    {
        (false, _) => done("first", 9),
        (true, Some("second") | None) => done("second", 3),
        (true, Some(_)) => Reply::Behind { seq: 2, incarnation: "second".to_owned() },
    }
}

#[tokio::test(start_paused = true)]
async fn a_person_accepts_another_incarnation_without_a_restart() {
    let world = World::new(None);
    let is_restored = Arc::new(AtomicBool::new(false));
    let engine = world.builder().participant("bank", Answering(restored_bank(&is_restored))).open().await.unwrap();
    engine.submit(order("order-1", "visa", "tea")).await.unwrap().outcome().await.unwrap();
    is_restored.store(true, Ordering::Relaxed);
    let mut saga = engine.submit(order("order-2", "visa", "tea")).await.unwrap();
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!(engine.stats().participants[0].breaker, BreakerState::Behind, "probes are answered as before");

    let bank = engine.participants().await.unwrap().into_iter().find(|view| view.participant == "bank").unwrap();
    assert_eq!(bank.incarnation.as_deref(), Some("first"));
    assert_eq!(bank.offered.map(|offer| (offer.incarnation, offer.seq)), Some(("second".to_owned(), 2)));
    let accept = async |incarnation, by| engine.accept_participant(("bank", incarnation), (by, "restored")).await;
    assert!(matches!(accept("third", "ann").await, Err(AcceptError::Changed { .. })));
    assert!(matches!(accept("second", " ").await, Err(AcceptError::Reason { name: "by", .. })));
    let view = engine.saga("order-2").await.unwrap().unwrap();
    let (trouble, command) = (view.trouble.unwrap(), "handfast participants accept bank --incarnation second");
    assert!(trouble.contains(command), "{trouble}");
    assert!(view.can.iter().all(|possible| possible.act != Act::Retry), "who is not called is not called sooner");
    let listed = engine.list(&handfast::ListFilter::all(None, 10)).await.unwrap().sagas;
    assert!(listed.iter().all(|one| !one.can.contains(&Act::Retry)), "{listed:?}");
    let beside = handfast::list_in(&*world.ground.journal, &handfast::ListFilter::all(None, 10)).await.unwrap().sagas;
    assert!(beside.iter().all(|one| !one.can.contains(&Act::Retry)), "who acts beside it sees the same: {beside:?}");
    let shown = handfast::saga_in(&*world.ground.journal, "order-2").await.unwrap().unwrap();
    assert!(shown.can.iter().all(|possible| possible.act != Act::Retry), "{shown:?}");
    let (lines, _guard) = crate::lines::Lines::listen();
    assert!(accept("second", "ann").await.is_ok());
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
    let resting = engine.resting_on("first", None, 10).await.unwrap();
    assert_eq!(resting.sagas.iter().map(|one| (one.id.as_str(), one.has_ended)).collect::<Vec<_>>(), [("order-1", true)]);
    assert!(resting.sagas[0].is_above_copy, "9 is more than 2");
    lines.check_once(tracing::Level::INFO, "participant_accepted");

    // Another engine on the same store knows it, and who accepted it.
    drop(engine);
    let engine = world.builder().participant("bank", Answering(restored_bank(&is_restored))).open().await.unwrap();
    engine.submit(order("order-3", "visa", "tea")).await.unwrap().outcome().await.unwrap();
    let bank = engine.participants().await.unwrap().into_iter().find(|view| view.participant == "bank").unwrap();
    assert_eq!(bank.accepted.iter().map(|one| (one.former.as_str(), one.by.as_str())).collect::<Vec<_>>(), [("first", "ann")]);
}

/// Puts the bank back while an order waits, has a person accept it, and opens the depot. What was asked since is all that is left.
async fn put_back(
    engine: &Engine,
    is_restored: &AtomicBool,
    is_open: &AtomicBool,
    asked: &Mutex<Vec<(&'static str, Operation)>>,
) {
    tokio::time::sleep(Duration::from_secs(20)).await;
    is_restored.store(true, Ordering::Relaxed);
    engine.submit(order("order-2", "visa", "tea")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(20)).await;
    engine.accept_participant(("bank", "second"), ("ann", "restored")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    asked.lock().unwrap().clear();
    is_open.store(true, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_mins(10)).await;
}

/// A suspended saga is driven by nobody, so nobody has told it that its bank was put back: who acts on it in the store sees that
/// first, and what was seen before it counts no more.
#[tokio::test(start_paused = true)]
async fn who_acts_on_a_suspended_saga_is_told_first_what_was_forgotten() {
    let world = World::new(None);
    let bank = Answering(|_: &Delivery<'_>| done("first", 9));
    let depot = Answering(|_: &Delivery<'_>| Reply::Definite { answer: Answer::OtherBody, receipt: receipt("depot", 1) });
    let engine = world.builder().participant("bank", bank).participant("depot", depot).open().await.unwrap();
    let mut saga = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    saga.outcome().await.unwrap_err();
    let saw = engine.saga("order-1").await.unwrap().unwrap().entries.len() as u64;
    engine.shutdown(Duration::from_secs(1)).await;
    drop(engine);
    let store = &world.ground.journal;
    let (by, why) = ("ann".to_owned(), "restored".to_owned());
    let (participant, incarnation, former) = ("bank".to_owned(), "second".to_owned(), "first".to_owned());
    let at = world.ground.clock.now();
    store.offer(Offer { participant: participant.clone(), incarnation: incarnation.clone(), seq: 3, at }).await.unwrap();
    store.accept(Acceptance { participant, incarnation, former, seq: 3, at, by, why }).await.unwrap();
    let act = async |saw: u64| {
        let said = Said { by: "ann".to_owned(), reason: "r".to_owned(), request_id: format!("r-{saw}"), saw, ..Said::default() };
        act_in(&**store, "order-1", &Act::Resume, &said, world.ground.clock.now()).await.unwrap()
    };
    assert_eq!(act(saw).await, ActResult::Moved { seq: saw + 1 });
    let journal = store.load("order-1").await.unwrap().unwrap().entries;
    assert_eq!(journal.last().unwrap().input, r#"{"forgotten":{"step":0,"incarnation":"second"}}"#);
    assert_eq!(act(saw + 1).await, ActResult::Taken { seq: saw + 2 });
}

/// The payment is done, the dispatch is silent, and the bank is put back: the dispatch is not asked again before the bank has
/// confirmed the payment.
#[tokio::test(start_paused = true)]
async fn what_an_open_saga_rests_on_is_read_again_before_the_goods_leave() {
    let world = World::new(None);
    let (is_restored, knows) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let asked = Arc::new(Mutex::new(Vec::new()));
    let bank = {
        let (answers, knows, asked) = (restored_bank(&is_restored), Arc::clone(&knows), Arc::clone(&asked));
        Answering(move |request: &Delivery<'_>| {
            asked.lock().unwrap().push(("bank", request.operation));
            let is_look = request.operation == Operation::Look;
            if is_look && !knows.load(Ordering::Relaxed) {
                return Reply::Absent { seen: "nothing under this key".to_owned(), retry_after: None };
            }
            answers(request)
        })
    };
    let is_open = Arc::new(AtomicBool::new(false));
    let depot = {
        let (is_open, asked) = (Arc::clone(&is_open), Arc::clone(&asked));
        Answering(move |request: &Delivery<'_>| {
            asked.lock().unwrap().push(("depot", request.operation));
            if is_open.load(Ordering::Relaxed) { done("depot", 1) } else { Reply::unknown("silence") }
        })
    };
    let engine = world.builder().participant("bank", bank).participant("depot", depot).open().await.unwrap();
    let mut saga = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    put_back(&engine, &is_restored, &is_open, &asked).await;
    let view = engine.saga("order-1").await.unwrap().unwrap();
    assert_eq!(
        (view.standing.as_str(), view.outcome),
        (Standing::Acting.name(), None),
        "nothing leaves on what is not confirmed"
    );
    assert!(asked.lock().unwrap().contains(&("bank", Operation::Look)));
    knows.store(true, Ordering::Relaxed);
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
    let view = engine.saga("order-1").await.unwrap().unwrap();
    let forgotten = view.entries.iter().filter(|entry| entry.input.contains("forgotten")).count();
    assert_eq!(forgotten, 1, "it is journaled once");
}

/// What a person sees, and can do, where a bank that was put back does not know any more what it had done.
mod unconfirmed {
    use handfast::journal::Said;
    use handfast::{Act, ActResult, Mark, Order, SagaHandle};

    use super::*;

    fn priced(id: &str) -> Order {
        let payment = br#"{"amount":{"minor":1999,"currency":"EUR"}}"#.to_vec();
        Order::in_flow_order(id, r#"{"amount":{"minor":1999,"currency":"EUR"}}"#, vec![payment, b"{}".to_vec()])
    }

    /// A payment is done, the depot is silent, and the bank that has forgotten the payment is accepted. The depot answers from
    /// then on. Says what was asked of both since.
    async fn forgotten(world: &World, close: Definite) -> (Engine, SagaHandle, Arc<Mutex<Vec<(&'static str, Operation)>>>) {
        let (is_restored, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let bank = {
            let (answers, is_back, asked) = (restored_bank(&is_restored), Arc::clone(&is_restored), Arc::clone(&asked));
            Answering(move |request: &Delivery<'_>| {
                let is_ours = request.key.contains("order-1");
                if is_ours {
                    asked.lock().unwrap().push(("bank", request.operation));
                }
                let is_back = is_back.load(Ordering::Relaxed) && is_ours;
                match (request.operation, answers(request)) {
                    (Operation::Undo, Reply::Definite { receipt, .. }) => {
                        Reply::Definite { answer: Answer::State(Definite::Undone), receipt }
                    }
                    (Operation::Look, Reply::Definite { .. }) if is_back => {
                        Reply::Absent { seen: "nothing under this key".to_owned(), retry_after: None }
                    }
                    (Operation::Close, Reply::Definite { receipt, .. }) if is_back => {
                        Reply::Definite { answer: Answer::State(close), receipt }
                    }
                    (_, reply) => reply,
                }
            })
        };
        let is_open = Arc::new(AtomicBool::new(false));
        let depot = {
            let (is_open, asked) = (Arc::clone(&is_open), Arc::clone(&asked));
            Answering(move |request: &Delivery<'_>| {
                if request.key.contains("order-1") {
                    asked.lock().unwrap().push(("depot", request.operation));
                }
                let state = if request.operation == Operation::Close { Definite::Closed } else { Definite::Done };
                let answer = Reply::Definite { answer: Answer::State(state), receipt: receipt("depot", 1) };
                if is_open.load(Ordering::Relaxed) { answer } else { Reply::unknown("silence") }
            })
        };
        let engine = world.builder().participant("bank", bank).participant("depot", depot).open().await.unwrap();
        let saga = engine.submit(priced("order-1")).await.unwrap();
        put_back(&engine, &is_restored, &is_open, &asked).await;
        (engine, saga, asked)
    }

    async fn say(engine: &Engine, mark: Mark) {
        let saw = engine.saga("order-1").await.unwrap().unwrap().entries.len() as u64;
        let said = Said {
            by: "ann".to_owned(),
            reason: "looked it up".to_owned(),
            request_id: format!("say-{saw}"),
            saw,
            ..Said::default()
        };
        let act = Act::Mark { step: "payment".to_owned(), mark };
        let taken = engine.act("order-1", &act, &said).await.unwrap();
        assert!(matches!(taken, ActResult::Taken { .. }), "{taken:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_named_with_its_step_its_participant_and_its_money() {
        let world = World::new(None);
        let (engine, _saga, asked) = forgotten(&world, Definite::Closed).await;
        assert!(!asked.lock().unwrap().contains(&("depot", Operation::Act)), "nothing leaves on what is not confirmed");
        let view = engine.saga("order-1").await.unwrap().unwrap();
        let trouble = view.trouble.unwrap();
        for word in ["payment", "bank", "19.99 EUR", "before it was put back"] {
            assert!(trouble.contains(word), "{word}: {trouble}");
        }
        assert_eq!(view.remains[0].to_string(), "payment is in effect, by a former life's word (19.99 EUR)");
        let can: Vec<&str> = view.can.iter().map(|can| can.act.name()).collect();
        assert_eq!(can, ["retry", "mark_done", "mark_not_done", "mark_undone"]);
        let [(id, why)] = &engine.stats().unconfirmed[..] else { panic!("{:?}", engine.stats().unconfirmed) };
        assert!(id == "order-1" && why.contains("bank") && why.contains("19.99 EUR"), "{id}: {why}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_person_who_knows_that_it_was_done_lets_it_go_on() {
        let world = World::new(None);
        let (engine, mut saga, asked) = forgotten(&world, Definite::Closed).await;
        asked.lock().unwrap().clear();
        say(&engine, Mark::Done).await;
        assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
        assert_eq!(*asked.lock().unwrap(), [("depot", Operation::Act)]);
        assert_eq!(engine.stats().unconfirmed, []);
        let trouble = engine.saga("order-1").await.unwrap().unwrap().trouble.unwrap();
        assert_eq!(trouble, "payment is done by ann's word alone (19.99 EUR), dispatch is in effect (19.99 EUR)");
    }

    /// The key is closed, so the bank answers for it, and not the person.
    #[tokio::test(start_paused = true)]
    async fn a_person_who_knows_that_it_was_not_done_has_it_closed() {
        let world = World::new(None);
        let (engine, mut saga, asked) = forgotten(&world, Definite::Closed).await;
        asked.lock().unwrap().clear();
        say(&engine, Mark::NotDone).await;
        assert_eq!(saga.outcome().await.unwrap(), Outcome::Cancelled);
        assert!(!asked.lock().unwrap().contains(&("depot", Operation::Act)), "{asked:?}");
        assert!(asked.lock().unwrap().contains(&("bank", Operation::Close)), "{asked:?}");
        assert_eq!((engine.stats().unconfirmed, engine.saga("order-1").await.unwrap().unwrap().trouble), (vec![], None));
    }

    #[tokio::test(start_paused = true)]
    async fn a_person_who_is_wrong_is_overruled_by_the_bank() {
        let world = World::new(None);
        let (engine, mut saga, _asked) = forgotten(&world, Definite::Done).await;
        say(&engine, Mark::NotDone).await;
        assert_eq!(saga.outcome().await.unwrap(), Outcome::Cancelled);
        assert_eq!(engine.stats().unconfirmed, []);
        let trouble = engine.saga("order-1").await.unwrap().unwrap().trouble.unwrap();
        assert_eq!(trouble, "ann said that payment was not done (19.99 EUR), and bank said done since: what bank says counts");
    }
}
