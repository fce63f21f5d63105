//! Which life of a participant's store counts: strays that heal, a participant that goes back to what it was, and late answers.

use std::sync::atomic::{AtomicU8, AtomicU64};

use handfast::participant::Participant;
use handfast::store::{BoxFuture, Offer, Store as _};
use handfast::{Backoff, BreakerSettings, ParticipantView};
use handfast_protocol::Time;

use super::*;

async fn bank_of(engine: &Engine) -> ParticipantView {
    engine.participants().await.unwrap().into_iter().find(|view| view.participant == "bank").unwrap()
}

async fn completes(engine: &Engine, id: &str) {
    let mut saga = engine.submit(order(id, "visa", "tea")).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_hours(1), saga.outcome()).await;
    assert_eq!(ended.unwrap_or_else(|_| panic!("{id} ends")).unwrap(), Outcome::Completed, "{id}");
}

/// One answer of somebody else's, and a participant that is as it was: the line opens again by itself.
#[tokio::test(start_paused = true)]
async fn a_stray_answer_of_another_incarnation_heals() {
    let world = World::new(None);
    let calls = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&calls);
    let bank = Answering(move |_: &Delivery<'_>| match counted.fetch_add(1, Ordering::Relaxed) {
        1 => done("stray", 700),
        call => done("first", 1 + call),
    });
    let engine = world.builder().participant("bank", bank).open().await.unwrap();
    for id in ["order-1", "order-2", "order-3"] {
        let mut saga = engine.submit(order(id, "visa", "tea")).await.unwrap();
        assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed, "{id}");
    }
    assert_eq!(engine.stats().participants[0].breaker, BreakerState::Closed);
    // What the stray had named is on offer no more, to nobody who looks into the store.
    assert_eq!((bank_of(&engine).await.offered, world.ground.journal.offers().await.unwrap()), (None, vec![]));
    let accepted = engine.accept_participant(("bank", "stray"), ("ann", "why")).await;
    assert!(matches!(accepted, Err(AcceptError::NothingOffered { .. })), "{accepted:?}");
}

/// A stray had named another incarnation, and the process ended before an answer was as it should be.
#[tokio::test(start_paused = true)]
async fn an_offer_of_before_a_restart_goes_with_the_first_answer_that_is_as_it_should_be() {
    let world = World::new(None);
    let open = async || {
        let bank = Answering(|_: &Delivery<'_>| done("first", 9));
        world.builder().participant("bank", bank).open().await.unwrap()
    };
    completes(&open().await, "order-1").await;
    let stray = Offer { participant: "bank".to_owned(), incarnation: "stray".to_owned(), seq: 700, at: Time(0) };
    world.ground.journal.offer(stray.clone()).await.unwrap();
    let engine = open().await;
    assert_eq!(bank_of(&engine).await.offered, Some(stray.clone()), "nobody has answered yet");
    completes(&engine, "order-2").await;
    assert_eq!(world.ground.journal.offers().await.unwrap(), []);
    // One that another process has heard goes, too.
    world.ground.journal.offer(stray).await.unwrap();
    tokio::time::sleep(Duration::from_mins(1)).await;
    completes(&engine, "order-3").await;
    assert_eq!(world.ground.journal.offers().await.unwrap(), []);
}

/// The bank is put back, accepted, and then it is what it was before, without a word. It does not look at what requests name.
#[tokio::test(start_paused = true)]
async fn a_participant_that_goes_back_to_a_former_life_is_told_and_can_be_accepted_again() {
    let world = World::new(None);
    let life = Arc::new(AtomicU8::new(0));
    let bank = || {
        let life = Arc::clone(&life);
        Answering(move |_: &Delivery<'_>| match life.load(Ordering::Relaxed) {
            1 => done("second", 3),
            _ => done("first", 9),
        })
    };
    let (engine, other) = (
        world.builder().participant("bank", bank()).open().await.unwrap(),
        world.builder().participant("bank", bank()).open().await.unwrap(),
    );
    completes(&engine, "order-1").await;
    life.store(1, Ordering::Relaxed);
    let mut saga = engine.submit(order("order-2", "visa", "tea")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(20)).await;
    engine.accept_participant(("bank", "second"), ("ann", "restored")).await.unwrap();
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);

    life.store(2, Ordering::Relaxed);
    let mut saga = engine.submit(order("order-3", "visa", "tea")).await.unwrap();
    tokio::time::sleep(Duration::from_mins(1)).await;
    let stored = world.ground.journal.load("order-3").await.unwrap().unwrap();
    assert!(!stored.entries.iter().any(|entry| entry.input.contains("answer")), "no answer of it counts");
    let stats = engine.stats();
    let why = stats.participants.iter().find_map(|line| line.behind.clone()).expect("it is told");
    assert!(why.contains("first, which counted before another was accepted"), "{why}");
    assert_eq!(bank_of(&engine).await.offered.map(|offer| (offer.incarnation, offer.seq)), Some(("first".to_owned(), 9)));
    engine.accept_participant(("bank", "first"), ("ann", "the restore was called off")).await.unwrap();
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);

    // Whoever shares the store takes it over, back and all.
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(other.stats().participants.iter().find_map(|line| line.behind.clone()), None);
    completes(&other, "order-4").await;
    let accepted = bank_of(&other).await.accepted;
    assert_eq!(accepted.iter().map(|one| one.incarnation.as_str()).collect::<Vec<_>>(), ["second", "first"]);
}

/// Asked for the second time, it answers late.
struct Slow {
    calls: AtomicU64,
    late: Reply,
}

impl Participant for Slow {
    fn deliver<'a>(&'a self, request: Delivery<'a>) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            match self.calls.fetch_add(1, Ordering::Relaxed) {
                0 => done("first", 9),
                1 => {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    self.late.clone()
                }
                2 => done("second", 3),
                _ if request.seen.is_some_and(|seen| seen.incarnation == "second") => done("second", 4),
                _ => Reply::Behind { seq: 3, incarnation: "second".to_owned() },
            }
        })
    }
}

/// A request was on the road when the bank was put back and accepted, and is answered by the bank of before, or by the new one,
/// which says that it is not the one that was asked.
#[tokio::test(start_paused = true)]
async fn a_late_answer_of_a_former_life_is_unknown_and_shuts_nothing() {
    for late in [done("first", 10), Reply::Behind { seq: 3, incarnation: "second".to_owned() }] {
        let world = World::new(None);
        let slow = Slow { calls: AtomicU64::new(0), late };
        let engine = world.builder().participant("bank", slow).open().await.unwrap();
        completes(&engine, "order-1").await;
        let mut late = engine.submit(order("order-2", "visa", "tea")).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let mut other = engine.submit(order("order-3", "visa", "tea")).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        engine.accept_participant(("bank", "second"), ("ann", "restored")).await.unwrap();
        tokio::time::sleep(Duration::from_millis(801)).await;
        let bank = engine.stats().participants.into_iter().find(|line| line.participant == "bank").unwrap();
        assert_eq!((bank.breaker, bank.behind), (BreakerState::Closed, None), "it shuts nothing");
        assert_eq!((late.outcome().await.unwrap(), other.outcome().await.unwrap()), (Outcome::Completed, Outcome::Completed));
        let stored = world.ground.journal.load("order-2").await.unwrap().unwrap();
        assert!(!stored.entries.iter().any(|entry| entry.input.contains("first")), "it is no answer: {:?}", stored.entries);
    }
}

/// However many sagas there are, a page looks at so many only, and says where to go on.
#[tokio::test(start_paused = true)]
async fn what_rests_on_a_former_life_comes_in_pages() {
    let world = World::new(None);
    let engine = world.builder().participant("bank", Answering(|_: &Delivery<'_>| done("first", 9))).open().await.unwrap();
    for id in ["order-1", "order-2", "order-3"] {
        completes(&engine, id).await;
    }
    let (mut after, mut found) = (None::<String>, Vec::new());
    loop {
        let page = engine.resting_on("first", after.as_deref(), 2).await.unwrap();
        assert!(page.sagas.len() <= 2, "{page:?}");
        found.extend(page.sagas.into_iter().map(|saga| saga.id));
        after = page.after;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(found, ["order-1", "order-2", "order-3"]);
    for number in 4..=2_100 {
        engine.submit(order(&format!("order-{number}"), "visa", "tea")).await.unwrap();
    }
    let page = engine.resting_on("of nobody", None, 10).await.unwrap();
    assert_eq!((page.sagas, page.after.as_deref()), (vec![], Some("order-2000")));
    let page = engine.resting_on("of nobody", Some("order-2000"), 10).await.unwrap();
    assert_eq!((page.sagas, page.after), (vec![], None));
}

/// What a payment and a dispatch are asked: the payment was put back undeclared, or declared, and the dispatch is away for a while.
struct Away {
    engine: Engine,
    world: World,
    is_restored: Arc<AtomicBool>,
    is_open: Arc<AtomicBool>,
    asked: Arc<Mutex<Vec<(&'static str, Operation)>>>,
}

impl Away {
    async fn new() -> Self {
        let world = World::new(None);
        let (is_restored, is_open) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let bank = {
            let (answers, asked) = (restored_bank(&is_restored), Arc::clone(&asked));
            Answering(move |request: &Delivery<'_>| {
                asked.lock().unwrap().push(("bank", request.operation));
                answers(request)
            })
        };
        let depot = {
            let (is_open, asked) = (Arc::clone(&is_open), Arc::clone(&asked));
            Answering(move |request: &Delivery<'_>| {
                asked.lock().unwrap().push(("depot", request.operation));
                if is_open.load(Ordering::Relaxed) { done("depot", 1) } else { Reply::unknown("silence") }
            })
        };
        // Asked far more often than the store is looked into for what others have done.
        let backoff = Backoff { base: Duration::from_millis(5), cap: Duration::from_millis(100) };
        let breaker = BreakerSettings::default().with_threshold(u32::MAX);
        let options = world.options().with_backoff(backoff).with_breaker(breaker);
        let engine = world.builder().participant("bank", bank).participant("depot", depot).options(options);
        let engine = engine.open().await.unwrap();
        engine.submit(order("order-1", "visa", "tea")).await.unwrap();
        tokio::time::sleep(Duration::from_secs(20)).await;
        is_restored.store(true, Ordering::Relaxed);
        Self { engine, world, is_restored, is_open, asked }
    }

    async fn opens(&self) {
        self.asked.lock().unwrap().clear();
        self.is_open.store(true, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_mins(10)).await;
    }
}

/// Another order has heard that the bank was put back, and nobody has accepted that: the goods of the first do not leave on a
/// charge that the bank may have forgotten.
#[tokio::test(start_paused = true)]
async fn nothing_irrevocable_leaves_on_an_answer_of_a_participant_that_is_known_to_be_behind() {
    let away = Away::new().await;
    away.engine.submit(order("order-2", "visa", "tea")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    away.opens().await;
    assert!(!away.asked.lock().unwrap().contains(&("depot", Operation::Act)), "{:?}", away.asked);
    let view = away.engine.saga("order-1").await.unwrap().unwrap();
    let trouble = view.trouble.unwrap_or_default();
    assert!(trouble.contains("dispatch") && trouble.contains("rests on"), "{trouble}");
    // It was a stray, or the right store is back.
    away.is_restored.store(false, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_mins(10)).await;
    assert_eq!(away.engine.saga("order-1").await.unwrap().unwrap().outcome, Some(Outcome::Completed));
}

/// A person has accepted it through the store, beside the running engine: the first act that leaves afterwards knows.
#[tokio::test(start_paused = true)]
async fn what_is_accepted_elsewhere_counts_before_the_next_irrevocable_act_leaves() {
    let away = Away::new().await;
    let store = &away.world.ground.journal;
    let offer = Offer { participant: "bank".to_owned(), incarnation: "second".to_owned(), seq: 2, at: Time(0) };
    store.offer(offer).await.unwrap();
    // Right after the store was looked at for what others have done.
    tokio::time::sleep(Duration::from_millis(10_500)).await;
    let line = |engine: &Engine| engine.stats().participants.into_iter().find(|line| line.participant == "bank").unwrap();
    assert_eq!(line(&away.engine).behind, None, "nobody has asked it since");
    handfast::accept_in(&**store, Time(1), ("bank", "second"), ("ann", "restored")).await.unwrap();
    away.asked.lock().unwrap().clear();
    away.is_open.store(true, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_mins(10)).await;
    let asked = away.asked.lock().unwrap().clone();
    let place = |of| asked.iter().position(|one| *one == of);
    let (look, act) = (place(("bank", Operation::Look)), place(("depot", Operation::Act)));
    assert!(look.is_some() && look < act, "it is read again first: {asked:?}");
}

/// Two answers of two lives come at once, before one of them is durable.
#[tokio::test(start_paused = true)]
async fn of_two_first_answers_only_one_is_believed() {
    struct Two(AtomicU64);
    impl Participant for Two {
        fn deliver<'a>(&'a self, _: Delivery<'a>) -> BoxFuture<'a, Reply> {
            Box::pin(async move {
                let call = self.0.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_secs(1)).await;
                if call == 1 { done("stray", 700) } else { done("first", 1 + call) }
            })
        }
    }
    let world = World::new(None);
    let engine = world.builder().participant("bank", Two(AtomicU64::new(0))).open().await.unwrap();
    let mut sagas = Vec::new();
    for id in ["order-1", "order-2"] {
        sagas.push(engine.submit(order(id, "visa", "tea")).await.unwrap());
    }
    world.ground.store.delay_answers(Duration::from_secs(2));
    for saga in &mut sagas {
        let ended = tokio::time::timeout(Duration::from_hours(1), saga.outcome()).await;
        assert_eq!(ended.expect("it ends").unwrap(), Outcome::Completed);
    }
    for id in ["order-1", "order-2"] {
        let stored = world.ground.journal.load(id).await.unwrap().unwrap();
        assert!(!stored.entries.iter().any(|entry| entry.input.contains("stray")), "{:?}", stored.entries);
    }
}
