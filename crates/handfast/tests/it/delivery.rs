//! How hard participants are asked: back-off, outages, limits, and restored stores.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use handfast::participant::{Delivery, InMemory, Participant, Reply};
use handfast::store::BoxFuture;
use handfast::{BreakerState, Flow, Order, Outcome};
use handfast_protocol::{Answer, Definite};

use crate::support::{Answering, Road, World, order, receipt};

#[tokio::test(start_paused = true)]
async fn a_days_outage_costs_no_rows_and_little_work() {
    const SAGAS: usize = 8;
    let world = World::new(None);
    world.bank.set_road(|_| Road::RequestCaptured);
    let engine = world.engine().await;
    let mut handles = Vec::new();
    for number in 0..SAGAS {
        handles.push(engine.submit(order(&format!("order-{number}"), "visa", "tea")).await.unwrap());
    }
    tokio::time::sleep(Duration::from_hours(1)).await;
    let (writes, asked) = (world.ground.store.writes(), world.bank.asked().len() as u64);
    tokio::time::sleep(Duration::from_hours(24)).await;
    for number in 0..SAGAS {
        assert_eq!(world.entries(&format!("order-{number}")).await, 1, "a day's outage adds no entry");
    }
    let (writes, asked) = (world.ground.store.writes() - writes, world.bank.asked().len() as u64 - asked);
    // At most one every few seconds for each saga, all of them rows that were there before; and all sagas together call
    // about as often as one probe at a time can be sent.
    assert!(writes < 24 * 3600 / 4 * SAGAS as u64, "{writes} times put aside");
    assert!((24 * 60..24 * 3600).contains(&asked), "{asked} calls");
    let stats = engine.stats();
    assert_eq!((stats.totals.in_doubt, stats.participants[0].participant.as_str()), (SAGAS as u64, "bank"));
    assert!(matches!(stats.participants[0].breaker, BreakerState::Open | BreakerState::HalfOpen));
    assert!(stats.active <= 2, "everything else is out of memory: {}", stats.active);

    world.bank.set_road(|_| Road::Open(1));
    let back = world.ground.clock.now();
    for handle in &mut handles {
        assert_eq!(handle.outcome().await.unwrap(), Outcome::Completed);
    }
    let took_ms = world.ground.clock.now().0 - back.0;
    assert!(took_ms < 35_000, "all of them went on soon after the first probe was answered: {took_ms} ms");
    for number in 0..SAGAS {
        assert_eq!(world.entries(&format!("order-{number}")).await, 3);
    }
}

#[tokio::test(start_paused = true)]
async fn memory_is_bounded_when_everything_is_in_doubt() {
    let world = World::new(None);
    world.bank.set_road(|_| Road::RequestCaptured);
    let engine = world.builder().options(world.options().with_max_active(4)).open().await.unwrap();
    let mut handles = Vec::new();
    for number in 0..60 {
        handles.push(engine.submit(order(&format!("order-{number}"), "visa", "tea")).await.unwrap());
        assert!(engine.stats().active <= 4);
    }
    for _ in 0..600 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(engine.stats().active <= 4);
    }
    world.bank.set_road(|_| Road::Open(1));
    for handle in &mut handles {
        assert_eq!(handle.outcome().await.unwrap(), Outcome::Completed);
    }
    assert_eq!((engine.stats().active, engine.totals().borrow().in_doubt), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_was_put_aside_goes_on_however_many_new_orders_come() {
    let world = World::new(None);
    world.bank.set_road(|_| Road::RequestCaptured);
    let engine = world.builder().options(world.options().with_max_active(8)).open().await.unwrap();
    let mut first = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    while engine.stats().active > 0 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    // Each of the others stays for more than a second, and ten of them come in one.
    world.bank.set_road(|request| Road::Open(if request.key.contains("order-1.") { 1 } else { 700 }));
    let placing = engine.clone();
    let load = tokio::spawn(async move {
        for number in 0..2_000 {
            placing.submit(order(&format!("new-{number}"), "visa", "tea")).await.unwrap();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(engine.stats().active >= 6, "there is no place left for one that is new");
    let outcome = tokio::time::timeout(Duration::from_secs(120), first.outcome()).await;
    assert_eq!(outcome.expect("it is not kept waiting").unwrap(), Outcome::Completed);
    load.abort();
}

/// Counts how many are in it at once.
struct Narrow {
    inside: AtomicU64,
    most: Arc<AtomicU64>,
    service: InMemory,
}

impl Participant for Narrow {
    fn deliver<'a>(&'a self, request: Delivery<'a>) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            let inside = self.inside.fetch_add(1, Ordering::Relaxed) + 1;
            self.most.fetch_max(inside, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(20)).await;
            self.inside.fetch_sub(1, Ordering::Relaxed);
            self.service.deliver(request).await
        })
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_calls_are_out_to_one_participant_than_it_may_have() {
    let world = World::new(None);
    let most = Arc::new(AtomicU64::new(0));
    let narrow = Narrow { inside: AtomicU64::new(0), most: Arc::clone(&most), service: InMemory::new(|_, _| true) };
    let options = world.options().with_calls_per_participant(3);
    let engine = world.builder().participant("bank", narrow).options(options).open().await.unwrap();
    let mut handles = Vec::new();
    for number in 0..30 {
        handles.push(engine.submit(order(&format!("order-{number}"), "visa", "tea")).await.unwrap());
    }
    for handle in &mut handles {
        assert_eq!(handle.outcome().await.unwrap(), Outcome::Completed);
    }
    assert_eq!(most.load(Ordering::Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn a_step_may_allow_its_participant_fewer_calls_than_the_engine_does() {
    let world = World::new(None);
    let most = Arc::new(AtomicU64::new(0));
    let narrow = Narrow { inside: AtomicU64::new(0), most: Arc::clone(&most), service: InMemory::new(|_, _| true) };
    let flow = Flow::builder("narrow").compensatable("payment", "alone").in_flight(2).pivot("dispatch", "depot").build().unwrap();
    let engine = world.builder().flow(flow).participant("alone", narrow).options(world.options()).open().await.unwrap();
    let mut handles = Vec::new();
    for number in 0..20 {
        handles.push(engine.submit(order(&format!("order-{number}"), "visa", "tea").of_flow("narrow")).await.unwrap());
    }
    for handle in &mut handles {
        assert_eq!(handle.outcome().await.unwrap(), Outcome::Completed);
    }
    assert_eq!(most.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn a_step_may_have_its_participant_asked_more_or_less_often_than_the_engine_would() {
    let asked_in_an_hour = async |base: Option<Duration>, cap: Option<Duration>| {
        let world = World::new(None);
        let asked = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&asked);
        let silent = Answering(move |_: &Delivery<'_>| {
            counted.fetch_add(1, Ordering::Relaxed);
            Reply::meaningless(500, "nothing that means anything", None)
        });
        let flow = Flow::builder("silent").compensatable("payment", "silent");
        let flow = base.into_iter().fold(flow, |flow, base| flow.retry_base(base));
        let flow = cap.into_iter().fold(flow, |flow, cap| flow.retry_cap(cap)).build().unwrap();
        let engine = world.builder().flow(flow).participant("silent", silent).options(world.options()).open().await.unwrap();
        engine.submit(Order::in_flow_order("order-1", "{}", vec![b"{}".to_vec()]).of_flow("silent")).await.unwrap();
        tokio::time::sleep(Duration::from_hours(1)).await;
        asked.load(Ordering::Relaxed)
    };
    let minutes = Some(Duration::from_mins(5));
    let (by_default, often) = (asked_in_an_hour(None, None).await, asked_in_an_hour(None, Some(Duration::from_secs(1))).await);
    let seldom = asked_in_an_hour(minutes, minutes).await;
    // With full jitter a pause is half its ceiling on average: 30 s and 1 s.
    assert!((120..500).contains(&by_default), "{by_default} tries");
    assert!((3_600..14_000).contains(&often), "{often} tries");
    assert!((12..50).contains(&seldom), "from the first pause on: {seldom} tries");
}

#[tokio::test(start_paused = true)]
async fn whoever_was_silent_is_asked_again_within_seconds_however_few_there_are_to_ask() {
    for sagas in [1, 5, 40, 300] {
        let world = World::new(None);
        world.bank.set_road(|_| Road::RequestCaptured);
        let options = world.options().with_backoff(handfast::Backoff::default());
        let engine = world.builder().options(options).open().await.unwrap();
        let mut handles = Vec::new();
        for number in 0..sagas {
            handles.push(engine.submit(order(&format!("order-{number}"), "visa", "tea")).await.unwrap());
        }
        tokio::time::sleep(Duration::from_secs(75)).await;
        let back = world.ground.clock.now();
        let mut times: Vec<u64> = world.bank.requests.lock().unwrap().iter().map(|(_, _, _, at)| at.0).collect();
        times.push(back.0);
        let longest = times.windows(2).map(|two| two[1] - two[0]).max().unwrap();
        assert!(longest <= 5_100, "{sagas} sagas: {longest} ms without a try");
        world.bank.set_road(|_| Road::Open(1));
        for handle in &mut handles {
            assert_eq!(handle.outcome().await.unwrap(), Outcome::Completed);
        }
        let took_ms = world.ground.clock.now().0 - back.0;
        assert!(took_ms <= 6_000, "{sagas} sagas: the last ended {took_ms} ms after it was back");
    }
}

/// A gateway answers for a participant that is away, so each of these statuses counts as silence; any other has its order's own pauses.
#[tokio::test(start_paused = true)]
async fn whoever_is_away_behind_a_gateway_is_asked_again_within_seconds_too() {
    for (status, is_silent) in [(429, true), (502, true), (503, true), (504, true), (500, false), (202, false)] {
        let world = World::new(None);
        let times = Arc::new(Mutex::new(Vec::new()));
        let (noted, clock) = (Arc::clone(&times), world.ground.clock.clone());
        let gateway = Answering(move |_: &Delivery<'_>| {
            noted.lock().unwrap().push(clock.now().0);
            Reply::meaningless(status, "nobody is behind it", None)
        });
        let options = world.options().with_backoff(handfast::Backoff::default());
        let engine = world.builder().participant("bank", gateway).options(options).open().await.unwrap();
        let _saga = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
        tokio::time::sleep(Duration::from_mins(10)).await;
        let longest = times.lock().unwrap().windows(2).map(|two| two[1] - two[0]).max().unwrap();
        assert_eq!(longest <= 5_100, is_silent, "{status}: {longest} ms without a try");
    }
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_for_one_that_is_away_cost_little_however_many_they_are() {
    const SAGAS: u64 = 3_000;
    let world = World::new(None);
    world.bank.set_road(|_| Road::RequestCaptured);
    let engine = world.engine().await;
    for number in 0..SAGAS {
        engine.submit(order(&format!("order-{number}"), "visa", "tea")).await.unwrap();
    }
    tokio::time::sleep(Duration::from_mins(10)).await;
    let writes = world.ground.store.writes();
    tokio::time::sleep(Duration::from_mins(10)).await;
    let a_second = (world.ground.store.writes() - writes) / 600;
    assert!(a_second <= 120, "{a_second} sagas are looked at each second");
    world.bank.set_road(|_| Road::Open(1));
    while engine.totals().borrow().completed < SAGAS {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_participant_that_asks_for_quiet_gets_it_from_every_saga() {
    let world = World::new(None);
    let calls = Arc::new(Mutex::new(Vec::new()));
    let (noted, clock) = (Arc::clone(&calls), world.ground.clock.clone());
    let service = InMemory::new(|_, _| true);
    let busy = Answering(move |request: &Delivery<'_>| {
        let mut calls = noted.lock().unwrap();
        calls.push(clock.now().0);
        if calls.len() == 1 {
            let retry_after = Some(Duration::from_secs(10));
            return Reply::meaningless(429, "429", retry_after);
        }
        service.receive(*request, false)
    });
    let engine = world.builder().participant("bank", busy).open().await.unwrap();
    let mut first = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut second = engine.submit(order("order-2", "visa", "tea")).await.unwrap();
    assert_eq!((first.outcome().await.unwrap(), second.outcome().await.unwrap()), (Outcome::Completed, Outcome::Completed));
    let calls = calls.lock().unwrap().clone();
    assert_eq!(calls.len(), 3);
    assert!(calls[1] - calls[0] >= 10_000 && calls[2] - calls[0] >= 10_000, "{calls:?}");
}

/// Answers every order that is named `odd` with this, and all others as it should.
fn odd(reply: impl Fn() -> Reply + Send + Sync + 'static) -> impl Participant {
    let service = InMemory::new(|_, _| true);
    Answering(move |request: &Delivery<'_>| if request.key.contains("odd") { reply() } else { service.receive(*request, false) })
}

#[tokio::test(start_paused = true)]
async fn answers_that_mean_nothing_open_no_breaker_and_slow_nobody_else() {
    for status in [202, 400, 422, 500] {
        let world = World::new(None);
        let bank = odd(move || Reply::meaningless(status, "it means nothing", None));
        let engine = world.builder().participant("bank", bank).open().await.unwrap();
        for number in 0..150 {
            engine.submit(order(&format!("odd-{number}"), "visa", "tea")).await.unwrap();
        }
        tokio::time::sleep(Duration::from_secs(20)).await;
        for number in 0..20 {
            let placed = world.ground.clock.now();
            let mut saga = engine.submit(order(&format!("order-{number}"), "visa", "tea")).await.unwrap();
            assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
            let took_ms = world.ground.clock.now().0 - placed.0;
            assert!(took_ms < 10, "{status}: {took_ms} ms beside orders that are answered by nothing that means anything");
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        let line = engine.stats().participants.remove(0);
        assert_eq!((line.breaker, line.unanswered, line.meaningless), (BreakerState::Closed, 0, Some(status)));
        assert!(line.indefinite >= 150 && line.answered == 20, "{line:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_turns_requests_away_is_asked_less_often_and_told_apart_from_who_is_silent() {
    let world = World::new(None);
    let bank = odd(|| Reply::meaningless(503, "busy", None));
    let depot = odd(|| Reply::unknown("nothing"));
    let engine = world.builder().participant("bank", bank).participant("depot", depot).open().await.unwrap();
    for number in 0..40 {
        engine.submit(order(&format!("odd-{number}"), "visa", "tea")).await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    let line = engine.stats().participants.remove(0);
    assert_ne!(line.breaker, BreakerState::Closed);
    assert_eq!((line.turned_away, line.unanswered), (Some(503), 0));
}

#[tokio::test(start_paused = true)]
async fn a_wish_for_quiet_beside_an_answer_is_about_its_key_alone() {
    let world = World::new(None);
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (noted, clock) = (Arc::clone(&asked), world.ground.clock.clone());
    let service = InMemory::new(|_, _| true);
    let bank = Answering(move |request: &Delivery<'_>| {
        let mut asked = noted.lock().unwrap();
        asked.push((request.key.contains("order-1"), clock.now().0));
        if asked.len() == 1 {
            return Reply::meaningless(202, "202 that means nothing", Some(Duration::from_secs(20)));
        }
        service.receive(*request, false)
    });
    let engine = world.builder().participant("bank", bank).open().await.unwrap();
    let mut first = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let placed = world.ground.clock.now();
    assert_eq!(engine.submit(order("order-2", "visa", "tea")).await.unwrap().outcome().await.unwrap(), Outcome::Completed);
    assert!(world.ground.clock.now().0 < placed.0 + 10, "nobody else waits");
    assert_eq!(first.outcome().await.unwrap(), Outcome::Completed);
    let of_first: Vec<u64> = asked.lock().unwrap().iter().filter(|(is_first, _)| *is_first).map(|(_, at)| *at).collect();
    let waited_ms = of_first[1] - of_first[0];
    assert!((20_000..=21_000).contains(&waited_ms), "{waited_ms} ms");
}

#[tokio::test(start_paused = true)]
async fn a_restored_store_is_not_called_any_more_and_nothing_is_journaled() {
    let world = World::new(None);
    let (restored, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let (is_restored, counted) = (Arc::clone(&restored), Arc::clone(&calls));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let bank = Answering(move |request: &Delivery<'_>| {
        let call = counted.fetch_add(1, Ordering::Relaxed) + 1;
        noted.lock().unwrap().push(request.seen.map(|seen| (seen.incarnation.clone(), seen.seq)));
        if is_restored.load(Ordering::Relaxed) {
            return Reply::Behind { seq: 1, incarnation: "first".to_owned() };
        }
        Reply::Definite { answer: Answer::State(Definite::Done), receipt: receipt("first", 40 + call) }
    });
    let engine = world.builder().participant("bank", bank).open().await.unwrap();
    engine.submit(order("order-1", "visa", "tea")).await.unwrap().outcome().await.unwrap();
    engine.submit(order("order-2", "visa", "tea")).await.unwrap().outcome().await.unwrap();
    restored.store(true, Ordering::Relaxed);
    let mut saga = engine.submit(order("order-3", "visa", "tea")).await.unwrap();
    tokio::time::sleep(Duration::from_hours(5)).await;
    assert_eq!(calls.load(Ordering::Relaxed), 3, "one call found it out, and there was no other");
    let first = "first".to_owned();
    assert_eq!(*seen.lock().unwrap(), [None, Some((first.clone(), 41)), Some((first, 42))]);
    assert_eq!(world.entries("order-3").await, 1);
    let line = engine.stats().participants.remove(0);
    assert_eq!(line.breaker, BreakerState::Behind);
    assert!(line.behind.is_some_and(|why| why.contains("commit 1") && why.contains("commit 42")));

    restored.store(false, Ordering::Relaxed);
    assert!(engine.resume_participant("bank"));
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
    assert!(!engine.resume_participant("nobody"));
}

#[tokio::test(start_paused = true)]
async fn how_far_a_participant_had_come_outlives_the_engine() {
    let world = World::new(None);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let bank = |incarnation: &'static str, seq| {
        let noted = Arc::clone(&seen);
        Answering(move |request: &Delivery<'_>| {
            noted.lock().unwrap().push(request.seen.map(|seen| seen.seq));
            Reply::Definite { answer: Answer::State(Definite::Done), receipt: receipt(incarnation, seq) }
        })
    };
    let engine = world.builder().participant("bank", bank("first", 77)).open().await.unwrap();
    engine.submit(order("order-1", "visa", "tea")).await.unwrap().outcome().await.unwrap();
    drop(engine);
    let engine = world.builder().participant("bank", bank("first", 50)).open().await.unwrap();
    engine.submit(order("order-2", "visa", "tea")).await.unwrap().outcome().await.unwrap();
    drop(engine);
    let engine = world.builder().participant("bank", bank("second", 90)).open().await.unwrap();
    engine.submit(order("order-3", "visa", "tea")).await.unwrap();
    tokio::time::sleep(Duration::from_mins(1)).await;
    let seen = seen.lock().unwrap().clone();
    assert_eq!(seen[..3], [None, Some(77), Some(77)]);
    // Now and then one is let through, in case the answer was a stray one; it names the same.
    assert!(seen.len() < 30 && seen[3..].iter().all(|seen| *seen == Some(77)), "{seen:?}");
    assert_eq!(engine.stats().participants[0].breaker, BreakerState::Behind, "another incarnation is a restored store");
    assert_eq!(world.entries("order-3").await, 1);
}
