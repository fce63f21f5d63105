//! Sagas end to end: orders, outcomes, cancels, deadlines, restarts, and what an engine says of those that cannot go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use handfast::journal::Said;
use handfast::participant::{InMemory, Participant, Reply};
use handfast::store::{Entry, MemoryStore, NewSaga, SqliteStore, Store};
use handfast::{
    Act, ActResult, CancelError, CancelResult, Engine, Flow, MAX_BODY_BYTES, MAX_REASON_CHARACTERS, NoOutcome, OpenError,
    Operation, Order, Outcome, Standing, SubmitError, Time,
};
use handfast_protocol::{Answer, Definite};
use tokio::sync::Barrier;

use crate::support::{Answering, Road, World, order, receipt};

const ENOUGH: Duration = Duration::from_mins(10);

#[tokio::test(start_paused = true)]
async fn every_step_done_is_both() {
    let world = World::new(None);
    let engine = world.engine().await;
    let mut saga = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
    assert_eq!(world.wrongs("order-1", Outcome::Completed), [""; 0]);
    let view = engine.saga("order-1").await.unwrap().unwrap();
    assert_eq!((view.standing.as_str(), view.flow.as_deref(), view.is_in_doubt()), ("completed", Some("shop"), false));
    assert_eq!(view.steps.iter().map(|step| step.known).collect::<Vec<_>>(), [Some(Definite::Done); 2]);
    assert_eq!(view.entries.len(), 3, "the start and two answers");
    assert_eq!((engine.totals().borrow().completed, engine.totals().borrow().in_doubt), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_repeated_order_is_the_same_saga_and_another_one_of_its_id_is_refused() {
    let world = World::new(None);
    let engine = world.engine().await;
    for number in 0..3 {
        let mut saga = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
        assert_eq!(saga.was_placed_before(), number > 0);
        assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
    }
    assert_eq!(world.bank.asked(), [Operation::Act]);
    let error = engine.submit(order("order-1", "visa", "coffee")).await.unwrap_err();
    assert!(matches!(&error, SubmitError::DifferentBody { id } if id == "order-1"), "{error}");
    assert_eq!(world.bank.asked(), [Operation::Act]);
    assert_eq!(engine.totals().borrow().placed, 1);
}

#[tokio::test(start_paused = true)]
async fn the_same_order_of_another_flow_is_another_order_and_its_key_stays_free() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let of = async |name: &str, bank: &str| {
        let flow = Flow::builder(name).compensatable("payment", bank).pivot("dispatch", "depot").build().unwrap();
        let engine = Engine::builder(Arc::clone(&store)).flow(flow).participant(bank, InMemory::new(|_, _| true));
        engine.participant("depot", InMemory::new(|_, _| true)).open().await.unwrap()
    };
    of("cards", "bank").await.submit(order("order-1", "visa", "tea")).await.unwrap().outcome().await.unwrap();
    let shop = of("shop", "bank").await;
    let keyed = |id: &str| order(id, "visa", "tea").with_request_key("key-1");
    let error = shop.submit(keyed("order-1")).await.unwrap_err();
    assert!(matches!(&error, SubmitError::DifferentBody { id } if id == "order-1"), "{error}");
    assert!(!shop.submit(keyed("order-2")).await.unwrap().was_placed_before(), "the key stood for nothing");
    // One that was edited since is the flow that it was.
    let edited = of("cards", "other-bank").await;
    assert!(edited.submit(order("order-1", "visa", "tea").with_request_key("key-2")).await.unwrap().was_placed_before());
}

#[tokio::test(start_paused = true)]
async fn one_of_those_who_place_an_order_side_by_side_placed_it() {
    let world = World::new(None);
    world.bank.set_road(|_| Road::RequestCaptured);
    let engines = [world.engine().await, world.engine().await];
    let placings = (0..20).map(|number| {
        let engine = engines[number % 2].clone();
        tokio::spawn(async move { engine.submit(order("order-1", "visa", "tea").with_request_key("key-1")).await.unwrap() })
    });
    let mut new = 0;
    for placing in placings.collect::<Vec<_>>() {
        let handle = placing.await.unwrap();
        new += u32::from(!handle.was_placed_before());
        assert_eq!(handle.progress().standing(), Standing::Acting, "what is placed has been started");
    }
    assert_eq!(new, 1);
    assert!(engines[0].follow("order-1").await.unwrap().unwrap().was_placed_before());
}

#[tokio::test(start_paused = true)]
async fn a_handle_says_how_a_saga_stands_as_soon_as_there_is_one() {
    let world = World::new(None);
    world.bank.set_road(|_| Road::RequestCaptured);
    let engine = world.engine().await;
    let placed = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    assert_eq!(placed.progress().standing(), Standing::Acting);
    assert_eq!(engine.cancel("order-1", None, None).await.unwrap(), CancelResult::Accepted);
    let again = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    assert_eq!(again.progress().standing(), Standing::Cancelling);
    drop(engine);
    // Nobody drives it here before the next line; the store says how it stands.
    let engine = world.engine().await;
    assert_eq!(engine.follow("order-1").await.unwrap().unwrap().progress().standing(), Standing::Cancelling);
}

#[tokio::test(start_paused = true)]
async fn the_key_of_a_request_stands_for_one_order_across_engines() {
    let world = World::new(None);
    let engine = world.engine().await;
    let keyed = |id: &str, card: &str| order(id, card, "tea").with_request_key("key-1");
    engine.submit(keyed("order-1", "visa")).await.unwrap().outcome().await.unwrap();
    drop(engine);
    let engine = world.engine().await;
    let mut again = engine.submit(keyed("order-1", "visa")).await.unwrap();
    assert_eq!(again.outcome().await.unwrap(), Outcome::Completed);
    let error = engine.submit(keyed("order-2", "visa")).await.unwrap_err();
    assert!(matches!(&error, SubmitError::KeyTaken { id } if id == "order-1"), "{error}");
    let error = engine.submit(keyed("order-1", "amex")).await.unwrap_err();
    assert!(matches!(&error, SubmitError::DifferentBody { id } if id == "order-1"), "{error}");
    assert_eq!((engine.follow("order-2").await.unwrap().is_none(), world.bank.asked()), (true, vec![Operation::Act]));
    assert!(engine.submit(order("order-2", "visa", "tea")).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn orders_that_cannot_be_placed_leave_nothing() {
    let world = World::new(None);
    let engine = world.engine().await;
    let long = "x".repeat(129);
    for id in ["", " ", "a/b", "käse", ".", "..", long.as_str()] {
        let error = engine.submit(order(id, "visa", "tea")).await.unwrap_err();
        assert!(matches!(error, SubmitError::Id { .. }), "{id:?}: {error}");
    }
    let mut wrong = order("order-1", "visa", "tea");
    wrong.flow = Some("shopping".to_owned());
    assert!(matches!(engine.submit(wrong).await, Err(SubmitError::Flow { known, .. }) if known == ["shop"]));
    let mut wrong = order("order-1", "visa", "tea");
    wrong.bodies.pop();
    assert!(matches!(engine.submit(wrong).await, Err(SubmitError::Bodies { .. })));
    let mut wrong = order("order-1", "visa", "tea");
    wrong.bodies[0] = vec![b' '; MAX_BODY_BYTES + 1].into();
    assert!(matches!(engine.submit(wrong).await, Err(SubmitError::Bodies { .. })));
    assert!(engine.list(&handfast::ListFilter::all(None, 10)).await.unwrap().sagas.is_empty());
    assert!(engine.submit(order(&long[1..], "visa", "tea")).await.is_ok(), "the longest id there is");
}

#[tokio::test(start_paused = true)]
async fn every_key_is_a_function_of_store_saga_and_step() {
    let world = World::new(None);
    let mut left = 5;
    world.bank.set_road(move |_| {
        left -= 1;
        if left > 0 { Road::RequestCaptured } else { Road::Open(0) }
    });
    let engine = world.engine().await;
    engine.submit(order("order-1", "visa", "tea")).await.unwrap().outcome().await.unwrap();
    let requests = world.bank.requests.lock().unwrap().clone();
    let key = format!("{}.order-1.payment", world.ground.journal.store_id());
    assert!(requests.iter().all(|(asked, ..)| *asked == key), "{requests:?}");
    assert_eq!(requests.iter().map(|(_, _, number, _)| *number).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    let tries = engine.saga("order-1").await.unwrap().unwrap().tries;
    assert_eq!(tries.iter().map(|attempt| attempt.number).collect::<Vec<_>>(), [1, 2, 3, 4], "only those without an answer");
}

#[tokio::test(start_paused = true)]
async fn a_cancel_comes_in_time_or_too_late_and_says_so() {
    let world = World::new(None);
    let act_is_lost = |request: &handfast::participant::Delivery<'_>| {
        if request.operation == Operation::Act { Road::AnswerCaptured } else { Road::Open(0) }
    };
    world.bank.set_road(act_is_lost);
    let engine = world.engine().await;
    assert_eq!(engine.cancel("order-1", None, None).await.unwrap(), CancelResult::Unknown);
    let mut in_doubt = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(engine.cancel("order-1", Some("anna"), Some("wrong size")).await.unwrap(), CancelResult::Accepted);
    assert_eq!(in_doubt.outcome().await.unwrap(), Outcome::Cancelled);
    assert_eq!(world.wrongs("order-1", Outcome::Cancelled), [""; 0]);
    assert_eq!(world.bank.key("order-1"), Some(Definite::Undone));
    assert_eq!(engine.cancel("order-1", None, None).await.unwrap(), CancelResult::Ended(Outcome::Cancelled));
    let view = engine.saga("order-1").await.unwrap().unwrap();
    assert!(view.entries[1].input.contains("anna") && view.entries[1].input.contains("wrong size"), "{:?}", view.entries[1]);

    // A saga that is committed and has not ended: the last step's answers are captured.
    world.bank.set_road(|_| Road::Open(0));
    let flow =
        Flow::builder("mail").compensatable("payment", "bank").pivot("dispatch", "depot").retriable("mail", "post").build();
    let silent = Answering(|_: &handfast::participant::Delivery<'_>| Reply::unknown("captured"));
    let engine = world.builder().flow(flow.unwrap()).participant("post", silent).open().await.unwrap();
    let mut late = order("order-2", "visa", "tea");
    late.flow = Some("mail".to_owned());
    late.bodies.push("{}".into());
    let saga = engine.submit(late).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(saga.progress().standing(), Standing::Committed);
    assert_eq!(engine.cancel("order-2", None, None).await.unwrap(), CancelResult::TooLate);
}

#[tokio::test(start_paused = true)]
async fn a_reason_is_bounded_and_holds_no_card_number() {
    let world = World::new(None);
    world.bank.set_road(|_| Road::RequestCaptured);
    let engine = world.engine().await;
    engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    let longest = "ü".repeat(MAX_REASON_CHARACTERS);
    let too_long = format!("{longest}.");
    for text in [too_long.as_str(), "\u{1b}[2J", "charged 4111 1111 1111 1111 by mistake"] {
        for (by, why, named) in [(Some(text), None, "by"), (Some("anna"), Some(text), "why")] {
            let error = engine.cancel("order-1", by, why).await.unwrap_err();
            assert!(matches!(&error, CancelError::Reason { name, .. } if *name == named), "{error}");
            assert!(!error.to_string().contains(text), "{error}");
        }
    }
    assert_eq!(world.entries("order-1").await, 1, "nothing of it is in the journal");
    assert_eq!(engine.cancel("order-1", Some("line one\n\tline two"), Some(&longest)).await.unwrap(), CancelResult::Accepted);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_closes_the_key_and_every_act_before_it_names_it() {
    let world = World::new(Some(700));
    let placed = world.ground.clock.now();
    world.bank.set_road(|request| if request.operation == Operation::Act { Road::Late(5_000) } else { Road::Open(0) });
    let engine = world.engine().await;
    let mut saga = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Cancelled);
    assert_eq!(world.ground.clock.now(), placed.after(700));
    world.bank.let_the_late_arrive().await;
    assert_eq!(world.bank.key("order-1"), Some(Definite::Closed), "the late charges met a closed key");
    assert_eq!(world.bank.most_effects(), 0);
    let not_afters = world.bank.not_afters.lock().unwrap().clone();
    assert!(not_afters.len() > 1 && not_afters.iter().all(|not_after| *not_after == Some(placed.after(700))), "{not_afters:?}");
    assert!(world.depot.not_afters.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_comes_back_goes_on_at_once_with_everything_unfinished() {
    let world = World::new(None);
    world.bank.set_road(|_| Road::RequestCaptured);
    let engine = world.engine().await;
    for number in 0..20 {
        engine.submit(order(&format!("order-{number}"), "visa", "tea")).await.unwrap();
    }
    tokio::time::sleep(Duration::from_mins(3)).await;
    assert!(engine.shutdown(Duration::from_secs(10)).await);
    assert!(matches!(engine.submit(order("order-99", "visa", "tea")).await, Err(SubmitError::Stopping)));

    world.bank.set_road(|_| Road::Open(0));
    let engine = world.engine().await;
    assert_eq!(engine.totals().borrow().in_doubt, 20);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(
        (engine.totals().borrow().completed, engine.totals().borrow().in_doubt),
        (20, 0),
        "nothing waits for its back-off"
    );
    let numbers: Vec<u64> = world
        .bank
        .requests
        .lock()
        .unwrap()
        .iter()
        .filter(|(key, ..)| key.contains("order-3."))
        .map(|(_, _, number, _)| *number)
        .collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "no request has the number of an earlier one: {numbers:?}");
}

#[tokio::test(start_paused = true)]
async fn a_saga_keeps_the_flow_it_started_with() {
    let world = World::new(None);
    world.bank.set_road(|_| Road::RequestCaptured);
    let engine = world.engine().await;
    engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    drop(engine);
    world.bank.set_road(|_| Road::Open(0));
    let edited = Flow::builder("shop").compensatable("reserve", "depot").build().unwrap();
    let store: Arc<dyn Store> = Arc::clone(&world.ground.store) as Arc<dyn Store>;
    let engine = Engine::builder(store)
        .flow(edited)
        .shared_participant("bank", Arc::clone(&world.bank) as Arc<dyn Participant>)
        .shared_participant("depot", Arc::clone(&world.depot) as Arc<dyn Participant>)
        .options(world.options())
        .open()
        .await
        .unwrap();
    let mut saga = engine.follow("order-1").await.unwrap().unwrap();
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
    assert_eq!(world.wrongs("order-1", Outcome::Completed), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn steps_side_by_side_are_asked_side_by_side() {
    let flow = Flow::builder("trip").compensatable("hotel", "hotel").compensatable("flight", "flight").beside().build().unwrap();
    let both_asked = Arc::new(Barrier::new(2));
    struct Waiting(Arc<Barrier>, InMemory);
    impl Participant for Waiting {
        fn deliver<'a>(&'a self, request: handfast::participant::Delivery<'a>) -> handfast::store::BoxFuture<'a, Reply> {
            Box::pin(async move {
                self.0.wait().await;
                self.1.deliver(request).await
            })
        }
    }
    let engine = Engine::builder(Arc::new(MemoryStore::new()))
        .flow(flow)
        .participant("hotel", Waiting(Arc::clone(&both_asked), InMemory::new(|_, _| true)))
        .participant("flight", Waiting(Arc::clone(&both_asked), InMemory::new(|_, _| true)))
        .open()
        .await
        .unwrap();
    let mut saga = engine.submit(Order::in_flow_order("trip-1", "{}", vec![b"{}".to_vec(), b"{}".to_vec()])).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(1), saga.outcome()).await;
    assert_eq!(ended.expect("one waits for the other to be asked").unwrap(), Outcome::Completed);
}

#[tokio::test(start_paused = true)]
async fn another_body_suspends_with_the_evidence_and_undoes_nothing() {
    let world = World::new(None);
    let asked = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&asked);
    let taken = Answering(move |_: &handfast::participant::Delivery<'_>| {
        counted.fetch_add(1, Ordering::Relaxed);
        Reply::Definite { answer: Answer::OtherBody, receipt: receipt("i", 1) }
    });
    let engine = world.builder().participant("depot", taken).open().await.unwrap();
    let mut saga = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    let stuck = saga.outcome().await.unwrap_err();
    assert!(
        matches!(&stuck, NoOutcome::Stuck { reason, .. } if reason.contains("dispatch") && reason.contains("another body")),
        "{stuck}"
    );
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!((asked.load(Ordering::Relaxed), world.bank.asked()), (1, vec![Operation::Act]));
    let stats = engine.stats();
    assert_eq!((stats.totals.suspended, stats.totals.in_doubt, stats.active), (1, 0, 0));
    assert_eq!(stats.suspended[0].0, "order-1");
    assert_eq!(engine.cancel("order-1", None, None).await.unwrap(), CancelResult::Suspended);
}

#[tokio::test]
async fn how_a_saga_stands_is_told_while_nothing_can_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let flow = Flow::builder("shop").compensatable("payment", "bank").build().unwrap();
    let engine = Engine::builder(Arc::new(SqliteStore::open(&path).unwrap()))
        .flow(flow)
        .participant("bank", InMemory::new(|_, _| true))
        .open()
        .await
        .unwrap();
    engine.submit(Order::in_flow_order("order-1", "{}", vec![b"{}".to_vec()])).await.unwrap().outcome().await.unwrap();
    // Somebody else writes, and takes their time.
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let with_tries = tokio::spawn({
        let engine = engine.clone();
        async move { engine.saga("order-1").await }
    });
    let view = engine.saga_without_tries("order-1").await.unwrap().unwrap();
    assert_eq!((view.standing.as_str(), view.outcome), ("completed", Some(Outcome::Completed)));
    assert_eq!(engine.saga_without_tries("order-2").await.unwrap(), None);
    assert_eq!(engine.cancel("order-1", None, None).await.unwrap(), CancelResult::Ended(Outcome::Completed));
    assert!(!with_tries.is_finished(), "tries are written before they are read");
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(with_tries.await.unwrap().unwrap().unwrap(), view);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_takes_no_writes_is_told_until_it_takes_them_again() {
    let world = World::new(None);
    let engine = world.engine().await;
    let trouble = || engine.stats().store_trouble;
    assert_eq!(trouble(), None);
    // The order is placed, and nothing can be written from then on; reading it goes on.
    world.ground.store.crash_at(2, false);
    let mut handle = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(10)).await;
    let said = trouble().unwrap();
    assert!(
        matches!(engine.submit(order("order-2", "visa", "tea")).await, Err(SubmitError::Store(error)) if error.to_string() == said)
    );
    world.ground.store.restart();
    assert_eq!(handle.outcome().await.unwrap(), Outcome::Completed);
    // What was refused was an order, so only an order shows that they are taken again.
    engine.submit(order("order-2", "visa", "tea")).await.unwrap();
    // The index is read again by the next patrol.
    tokio::time::sleep(Duration::from_secs(15)).await;
    assert_eq!(trouble(), None);
}

pub(crate) fn stored(id: &str, flow: &Flow, version: u32, digest: [u8; 8]) -> NewSaga {
    let entry = Entry { seq: 1, at: Time(5), input: "{\"start\":{}}".to_owned(), digest };
    NewSaga {
        id: id.to_owned(),
        request_key_hash: None,
        flow_hash: flow.hash(),
        flow_text: Arc::clone(flow.text()),
        version,
        input: b"{}".to_vec(),
        bodies: vec!["{}".into(); 2],
        entries: vec![entry],
        wake_at: Some(Time(5)),
        standing: "acting",
    }
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_leads_elsewhere_is_left_alone_and_nothing_is_kept_of_that() {
    let world = World::new(None);
    world.ground.journal.create(stored("damaged", &world.ground.flow, 1, [7; 8])).await.unwrap();
    let engine = world.engine().await;
    let mut saga = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let stats = engine.stats();
    let [(id, reason)] = &stats.left_alone[..] else { panic!("{stats:?}") };
    assert!(id == "damaged" && reason.contains("entry 1"), "{id}: {reason}");
    let mut damaged = engine.follow("damaged").await.unwrap().unwrap();
    assert!(matches!(damaged.outcome().await, Err(NoOutcome::Stuck { .. })));
    let view = engine.saga("damaged").await.unwrap().unwrap();
    assert_eq!((view.standing.as_str(), view.wake_at.is_some(), view.trouble.is_some()), ("acting", true, true));
    assert_eq!(world.ground.journal.load("damaged").await.unwrap().unwrap().why, None);
    assert!(world.bank.requests.lock().unwrap().iter().all(|(key, ..)| !key.contains("damaged")), "nobody was asked anything");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_cannot_be_made_is_told() {
    let world = World::new(None);
    let missing = Answering(|_: &handfast::participant::Delivery<'_>| Reply::not_sent("its earlier answer kept no id"));
    let engine = world.builder().participant("depot", missing).open().await.unwrap();
    engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(30)).await;
    let line = engine.stats().participants.into_iter().find(|line| line.participant == "depot").unwrap();
    let [kind] = line.not_made.as_slice() else { panic!("{line:?}") };
    assert!(kind.operation == "act" && kind.why == "its earlier answer kept no id" && kind.times > 1, "{kind:?}");
    let trouble = engine.saga("order-1").await.unwrap().unwrap().trouble.unwrap();
    assert_eq!(
        trouble,
        "step dispatch: act cannot be asked for, and its participant is not asked: its earlier answer kept no id"
    );
}

/// One whose row was damaged, and was put right since.
#[tokio::test(start_paused = true)]
async fn a_saga_that_was_suspended_for_its_journal_goes_on_once_it_can_be_followed_and_a_person_says_so() {
    let world = World::new(None);
    world.bank.set_road(|_| Road::RequestCaptured);
    let engine = world.engine().await;
    engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    engine.shutdown(Duration::from_secs(5)).await;
    drop(engine);
    world.ground.journal.suspend("order-1", 1, "its row in `placed` was damaged").await.unwrap();
    world.bank.set_road(|_| Road::Open(1));
    let engine = world.engine().await;
    tokio::time::sleep(Duration::from_mins(10)).await;
    assert_eq!((engine.stats().totals.suspended, engine.stats().totals.in_doubt), (1, 0));
    let view = engine.saga("order-1").await.unwrap().unwrap();
    let trouble = view.trouble.unwrap();
    assert!(trouble.contains("was damaged") && trouble.contains("resume"), "{trouble}");
    assert_eq!(view.can.iter().map(|can| can.act.clone()).collect::<Vec<_>>(), [Act::Resume]);
    let said = |request_id: &str| Said {
        by: "anna".to_owned(),
        reason: "put right".to_owned(),
        request_id: request_id.to_owned(),
        saw: 1,
        ..Said::default()
    };
    let refused = engine.act("order-1", &Act::Settle, &said("one")).await.unwrap();
    assert_eq!(refused, ActResult::Pointless { can: vec!["resume"] });
    assert_eq!(engine.act("order-1", &Act::Resume, &said("two")).await.unwrap(), ActResult::Taken { seq: 2 });
    let mut saga = engine.follow("order-1").await.unwrap().unwrap();
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
    let totals = engine.stats().totals;
    assert_eq!((totals.suspended, totals.in_doubt, totals.completed), (0, 0, 1), "what a person said is counted once");
}

#[tokio::test(start_paused = true)]
async fn what_another_program_can_drive_is_left_as_it_is() {
    let world = World::new(None);
    let foreign = Flow::builder("foreign").compensatable("a", "somebody").pivot("b", "nobody").build().unwrap();
    let unreadable =
        Flow::from_parts("toml", Arc::clone(world.ground.flow.plan()), world.ground.flow.steps().to_vec(), "name = 1");
    world.ground.journal.create(stored("newer", &world.ground.flow, 99, [7; 8])).await.unwrap();
    world.ground.journal.create(stored("foreign", &foreign, 1, [7; 8])).await.unwrap();
    world.ground.journal.create(stored("unreadable", &unreadable.unwrap(), 1, [7; 8])).await.unwrap();
    let before: Vec<_> =
        [world.ground.journal.load("newer").await.unwrap(), world.ground.journal.load("foreign").await.unwrap()].into();
    let engine = world.engine().await;
    tokio::time::sleep(Duration::from_hours(2)).await;
    let left_alone = engine.stats().left_alone;
    let names: Vec<&str> = left_alone.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(names, ["foreign", "newer", "unreadable"]);
    assert!(left_alone[1].1.contains("99"), "{left_alone:?}");
    let after: Vec<_> =
        [world.ground.journal.load("newer").await.unwrap(), world.ground.journal.load("foreign").await.unwrap()].into();
    for (before, after) in before.into_iter().flatten().zip(after.into_iter().flatten()) {
        assert_eq!((before.entries, before.standing), (after.entries, after.standing));
        assert!(after.wake_at.is_some(), "another program finds it in the index");
    }
    assert!(engine.cancel("newer", None, None).await.is_err());
    // Whose it is does not depend on whether its journal can be followed here.
    for (id, flow) in [("newer", Some("shop")), ("foreign", Some("foreign")), ("unreadable", None)] {
        assert_eq!(engine.saga(id).await.unwrap().unwrap().flow.as_deref(), flow, "{id}");
        assert_eq!(handfast::saga_in(&*world.ground.journal, id).await.unwrap().unwrap().flow.as_deref(), flow, "{id}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_participant_whose_code_panics_costs_nothing_but_time() {
    let world = World::new(None);
    let panics = AtomicU32::new(2);
    let fragile = InMemory::new(|_, _| true);
    struct Fragile(AtomicU32, InMemory);
    impl Participant for Fragile {
        fn deliver<'a>(&'a self, request: handfast::participant::Delivery<'a>) -> handfast::store::BoxFuture<'a, Reply> {
            Box::pin(async move {
                let left = self.0.load(Ordering::Relaxed);
                self.0.store(left.saturating_sub(1), Ordering::Relaxed);
                assert_eq!(left, 0, "this panic belongs to the test");
                self.1.deliver(request).await
            })
        }
    }
    let engine = world.builder().participant("depot", Fragile(panics, fragile)).open().await.unwrap();
    let mut saga = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    let ended = tokio::time::timeout(ENOUGH, saga.outcome()).await;
    assert_eq!(ended.unwrap().unwrap(), Outcome::Completed);
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_learns_that_the_engine_stopped() {
    let world = World::new(None);
    world.bank.set_road(|_| Road::RequestCaptured);
    let engine = world.engine().await;
    let mut saga = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    let still = saga.wait(Duration::from_secs(3)).await.unwrap();
    assert_eq!((still.standing(), still.outcome()), (Standing::Acting, None));
    let waiting = tokio::spawn(async move { saga.outcome().await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    drop(engine);
    assert!(matches!(waiting.await.unwrap(), Err(NoOutcome::Stopped { .. })));
}

#[tokio::test]
async fn a_flow_without_its_participants_is_refused() {
    let flow = || Flow::builder("shop").pivot("dispatch", "depot").build().unwrap();
    let error = Engine::builder(Arc::new(MemoryStore::new())).flow(flow()).open().await.unwrap_err();
    assert!(
        matches!(&error, OpenError::Participant { step, .. } if step == "dispatch" && error.to_string().contains("depot")),
        "{error}"
    );
    let twice = Engine::builder(Arc::new(MemoryStore::new())).participant("depot", InMemory::new(|_, _| true));
    let error = twice.flow(flow()).flow(flow()).open().await.unwrap_err();
    assert!(matches!(&error, OpenError::TwoFlows { .. }), "{error}");
}
