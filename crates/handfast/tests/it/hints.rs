//! Hints: somebody says that there may be news, and all that comes of it is that a participant is asked sooner.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use handfast::participant::{Delivery, InMemory, Participant, Reply};
use handfast::store::{BoxFuture, Store as _};
use handfast::{Backoff, Clock, Engine, Flow, HintResult, Operation, Options, Order, Outcome, Time};
use sha2::{Digest as _, Sha256};

use crate::support::{World, order};

/// A participant that takes everything on, and answers for good only once it is told that it has.
struct Slow {
    service: InMemory,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    has_news: bool,
    /// How long an answer takes.
    takes: Duration,
    retry_after: Option<Duration>,
    /// Nobody answers at all.
    is_silent: bool,
    /// A look is answered that there is nothing.
    finds_nothing: bool,
    asked: Vec<(Operation, Time)>,
}

impl Slow {
    fn new(clock: &Clock) -> Arc<Self> {
        Arc::new(Self { service: InMemory::new(|_, _| true), clock: clock.clone(), state: Mutex::default() })
    }

    fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
    }

    /// When it was asked.
    fn asked(&self) -> Vec<Time> {
        self.state.lock().unwrap().asked.iter().map(|(_, at)| *at).collect()
    }

    fn count(&self) -> usize {
        self.asked().len()
    }
}

impl Participant for Slow {
    fn deliver<'a>(&'a self, request: Delivery<'a>) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            let (has_news, takes, retry_after, is_silent) = {
                let mut state = self.state.lock().unwrap();
                state.asked.push((request.operation, self.clock.now()));
                (state.has_news, state.takes, state.retry_after, state.is_silent)
            };
            tokio::time::sleep(takes).await;
            if request.operation == Operation::Look && self.state.lock().unwrap().finds_nothing {
                return Reply::Absent { seen: "nothing".to_owned(), retry_after: None };
            }
            if has_news {
                return self.service.receive(request, false);
            }
            if is_silent { Reply::unknown("nothing") } else { Reply::meaningless(202, "202", retry_after) }
        })
    }
}

/// A shop whose bank answers later, and whose engine leaves it alone for minutes between two tries.
struct Shop {
    world: World,
    bank: Arc<Slow>,
}

impl Shop {
    fn new() -> Self {
        let world = World::new(None);
        let bank = Slow::new(&world.ground.clock);
        Self { world, bank }
    }

    fn options(&self) -> Options {
        let hour = Duration::from_hours(1);
        self.world.options().with_backoff(Backoff { base: hour, cap: hour })
    }

    async fn engine(&self) -> Engine {
        self.engine_with(self.options()).await
    }

    async fn engine_with(&self, options: Options) -> Engine {
        let bank = Arc::clone(&self.bank) as Arc<dyn Participant>;
        self.world.builder().shared_participant("bank", bank).options(options).open().await.unwrap()
    }

    /// Waits until the saga is put aside for more than a minute, a while after its last try, and says until when.
    async fn put_aside(&self, engine: &Engine, id: &str) -> Time {
        loop {
            let stored = self.world.ground.journal.load(id).await.unwrap().unwrap();
            let wake_at = stored.wake_at.expect("it is in doubt");
            let is_quiet = self.bank.asked().last().is_some_and(|at| at.after(1_000) < engine.now());
            if is_quiet && engine.stats().active == 0 && wake_at > engine.now().after(60_000) {
                return wake_at;
            }
            sleep(1_000).await;
        }
    }
}

async fn sleep(time_ms: u64) {
    tokio::time::sleep(Duration::from_millis(time_ms)).await;
}

#[tokio::test(start_paused = true)]
async fn who_was_put_aside_for_long_is_asked_at_once_and_nothing_else_changes() {
    let shop = Shop::new();
    let engine = shop.engine().await;
    let mut saga = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    let wake_at = shop.put_aside(&engine, "order-1").await;
    let (asked, entries, writes) = (shop.bank.count(), shop.world.entries("order-1").await, shop.world.ground.store.writes());
    let stored = shop.world.ground.journal.load("order-1").await.unwrap();

    assert_eq!(engine.hint("order-1", "payment"), HintResult::Taken);
    sleep(10).await;
    assert_eq!(shop.bank.count(), asked + 1, "asked by the hint");
    assert_eq!((shop.world.entries("order-1").await, saga.progress().outcome()), (entries, None), "a hint is no answer");
    sleep(2_000).await;
    assert!(shop.world.ground.store.writes() <= writes + 1, "put aside anew, and nothing else");
    let now = shop.world.ground.journal.load("order-1").await.unwrap();
    assert_eq!(now.map(|saga| saga.entries), stored.map(|saga| saga.entries));

    shop.bank.set(|state| state.has_news = true);
    assert!(engine.now() < wake_at, "it is not its own time yet");
    let hinted = engine.now();
    let key = format!("{}.order-1.payment", shop.world.ground.journal.store_id());
    assert_eq!(engine.hint_by_key(&key), HintResult::Taken);
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
    assert_eq!((shop.bank.count(), shop.world.entries("order-1").await), (asked + 2, 3));
    assert!(engine.now() <= hinted.after(1_000), "{hinted:?} {:?}", engine.now());
}

#[tokio::test(start_paused = true)]
async fn without_a_hint_everybody_waits() {
    let shop = Shop::new();
    let engine = shop.engine().await;
    let mut saga = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    let wake_at = shop.put_aside(&engine, "order-1").await;
    let asked = shop.bank.count();
    shop.bank.set(|state| state.has_news = true);
    sleep(wake_at.0 - engine.now().0 - 1).await;
    assert_eq!(shop.bank.count(), asked);
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
    assert_eq!(shop.bank.count(), asked + 1);
}

#[tokio::test(start_paused = true)]
async fn a_hint_about_one_step_leaves_the_others_alone() {
    let shop = Shop::new();
    let club = Slow::new(&shop.world.ground.clock);
    let flow = Flow::builder("pair").compensatable("payment", "bank").compensatable("points", "club").beside();
    let flow = flow.pivot("dispatch", "depot").build().unwrap();
    let (bank, other) = (Arc::clone(&shop.bank) as Arc<dyn Participant>, Arc::clone(&club) as Arc<dyn Participant>);
    let builder = shop.world.builder().flow(flow).shared_participant("bank", bank).shared_participant("club", other);
    let engine = builder.options(shop.options()).open().await.unwrap();
    let bodies = vec![b"{}".to_vec(); 3];
    let _saga = engine.submit(Order::in_flow_order("order-1", "{}", bodies).of_flow("pair")).await.unwrap();
    let wake_at = shop.put_aside(&engine, "order-1").await;
    let (payment, points) = (shop.bank.count(), club.count());
    for _ in 0..3 {
        assert_eq!(engine.hint("order-1", "points"), HintResult::Taken);
        sleep(5_000).await;
    }
    assert!(engine.now() < wake_at);
    assert_eq!(shop.bank.count(), payment, "nobody hinted at it");
    assert!(club.count() >= points + 3, "{} {points}", club.count());
    let stored = shop.world.ground.journal.load("order-1").await.unwrap().unwrap();
    assert!(stored.wake_at.unwrap() <= wake_at, "what waits for its own time still comes then");
    sleep(wake_at.0 - engine.now().0 + 1_000).await;
    assert_eq!(shop.bank.count(), payment + 1);
}

#[tokio::test(start_paused = true)]
async fn a_hint_that_comes_while_a_request_is_out_is_kept_for_after_its_answer() {
    let shop = Shop::new();
    shop.bank.set(|state| state.takes = Duration::from_millis(800));
    let engine = shop.engine().await;
    let mut saga = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    // The webhook overtakes the answer that says "accepted".
    sleep(400).await;
    assert_eq!(shop.bank.count(), 1);
    shop.bank.set(|state| state.has_news = true);
    for _ in 0..100 {
        assert_eq!(engine.hint("order-1", "payment"), HintResult::Taken);
    }
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
    let asked = shop.bank.asked();
    assert_eq!((asked.len(), asked[1].0 - asked[0].0), (2, 1_000), "once more, a second after the last try");
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_hints_is_no_storm_of_requests() {
    const SECONDS: usize = 60;
    let shop = Shop::new();
    let engine = shop.engine().await;
    let _saga = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    shop.put_aside(&engine, "order-1").await;
    let asked = shop.bank.count();
    for _ in 0..SECONDS * 100 {
        assert_eq!(engine.hint("order-1", "payment"), HintResult::Taken);
        sleep(10).await;
    }
    let by_hints = shop.bank.count() - asked;
    assert!((SECONDS - 2..=SECONDS + 1).contains(&by_hints), "{by_hints} requests");
    let last = engine.now();
    sleep(10_000).await;
    let later = shop.bank.asked().into_iter().filter(|at| *at > last.after(1_000)).count();
    assert_eq!(later, 0, "it ends with the flood");
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_for_in_vain_is_not_left_for_as_long_as_before() {
    let shop = Shop::new();
    let backoff = Backoff { base: Duration::from_millis(50), cap: Duration::from_hours(1) };
    let engine = shop.engine_with(shop.options().with_backoff(backoff)).await;
    let mut saga = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    shop.put_aside(&engine, "order-1").await;
    // The hint is right, but the request that follows it is captured.
    assert_eq!(engine.hint("order-1", "payment"), HintResult::Taken);
    sleep(10).await;
    let hinted = engine.now();
    shop.bank.set(|state| state.has_news = true);
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
    assert!(engine.now() <= hinted.after(1_700), "{hinted:?} {:?}", engine.now());
}

#[tokio::test(start_paused = true)]
async fn who_wants_to_be_left_alone_is_whatever_anybody_hints_at() {
    let shop = Shop::new();
    shop.bank.set(|state| state.retry_after = Some(Duration::from_secs(30)));
    let engine = shop.engine().await;
    let mut saga = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    sleep(10).await;
    let asked = shop.bank.asked();
    assert_eq!(asked.len(), 1);
    shop.bank.set(|state| (state.has_news, state.retry_after) = (true, None));
    for _ in 0..100 {
        assert_eq!(engine.hint("order-1", "payment"), HintResult::Taken);
        sleep(100).await;
    }
    assert_eq!(shop.bank.count(), 1, "not for half a minute");
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
    let waited_ms = shop.bank.asked()[1].0 - asked[0].0;
    assert!((30_000..=31_100).contains(&waited_ms), "soon after that time was over: {waited_ms} ms");
}

#[tokio::test(start_paused = true)]
async fn a_shut_line_stays_shut_and_no_more_is_out_at_once_than_may_be() {
    const SAGAS: usize = 100;
    let shop = Shop::new();
    let backoff = Backoff { base: Duration::from_millis(50), cap: Duration::from_secs(30) };
    let options = shop.options().with_calls_per_participant(2).with_backoff(backoff);
    let (probes, pause) = (options.breaker.probes as usize, options.breaker.pause_cap);
    let engine = shop.engine_with(options).await;
    shop.bank.set(|state| (state.takes, state.is_silent) = (Duration::from_millis(100), true));
    let mut sagas = Vec::new();
    for number in 0..SAGAS {
        sagas.push(engine.submit(order(&format!("order-{number}"), "visa", "tea")).await.unwrap());
    }
    sleep(600_000).await;
    assert_eq!(engine.stats().participants[0].participant, "bank");
    let asked = shop.bank.count();
    for _ in 0..100 {
        for number in 0..SAGAS {
            assert_eq!(engine.hint(&format!("order-{number}"), "payment"), HintResult::Taken);
        }
        sleep(200).await;
    }
    // As many as the probes of the rounds that fit in, and none that the hints add to them.
    let rounds = 2 + 20_000 / usize::try_from(pause.as_millis()).unwrap();
    let (asked, most) = (shop.bank.count() - asked, probes * rounds);
    assert!((probes..=most).contains(&asked), "{asked} requests, and {most} at most");
    let mut times = shop.bank.asked();
    times.sort_unstable();
    assert!(times.windows(3).all(|three| three[2].0 - three[0].0 >= 100), "two at once");
    shop.bank.set(|state| state.has_news = true);
    for saga in &mut sagas {
        assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_hint_needs_room_and_waits_for_it() {
    let shop = Shop::new();
    let engine = shop.engine_with(shop.options().with_max_active(1)).await;
    let mut first = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    let wake_at = shop.put_aside(&engine, "order-1").await;
    shop.bank.set(|state| (state.has_news, state.takes) = (true, Duration::from_millis(500)));
    let mut second = engine.submit(order("order-2", "visa", "tea")).await.unwrap();
    assert_eq!(engine.stats().active, 1);
    let asked = shop.bank.count();
    assert_eq!(engine.hint("order-1", "payment"), HintResult::Taken);
    assert_eq!((engine.stats().active, shop.bank.count()), (1, asked), "there is no room yet");
    assert_eq!(second.outcome().await.unwrap(), Outcome::Completed);
    assert_eq!(first.outcome().await.unwrap(), Outcome::Completed);
    assert!(engine.now() < wake_at);
}

#[tokio::test(start_paused = true)]
async fn what_is_hinted_at_right_after_its_last_try_waits_a_little_also_after_a_restart() {
    let shop = Shop::new();
    // Nothing is kept in memory for longer than it has to be.
    let options = shop.options().with_park_after(Duration::ZERO);
    let engine = shop.engine_with(options.clone()).await;
    engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    shop.put_aside(&engine, "order-1").await;
    drop(engine);
    // Whoever starts asks for everything that is in doubt.
    let asked = shop.bank.count();
    let engine = shop.engine_with(options).await;
    sleep(200).await;
    assert_eq!((shop.bank.count(), engine.stats().active), (asked + 1, 0));
    assert_eq!(engine.hint("order-1", "payment"), HintResult::Taken);
    sleep(700).await;
    assert_eq!(shop.bank.count(), asked + 1, "it was asked less than a second ago");
    sleep(200).await;
    assert_eq!(shop.bank.count(), asked + 2);
}

#[tokio::test(start_paused = true)]
async fn a_hint_about_nothing_comes_to_nothing() {
    let shop = Shop::new();
    shop.bank.set(|state| state.has_news = true);
    let engine = shop.engine().await;
    let mut saga = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
    sleep(1_000).await;
    let (asked, shipped, writes) = (shop.bank.count(), shop.world.depot.asked().len(), shop.world.ground.store.writes());
    let store = shop.world.ground.journal.store_id();
    for (saga, step) in [("order-1", "nobody"), ("order-2", "payment")] {
        assert_eq!(engine.hint(saga, step), HintResult::Taken);
        assert_eq!(engine.hint_by_key(&format!("{store}.{saga}.{step}")), HintResult::Taken);
    }
    for key in ["", "order-1", "other.order-1.payment", "..", &format!("{store}.order-1"), &format!("{store}.a/b.payment")] {
        assert_eq!(engine.hint_by_key(key), HintResult::NotOurs, "{key}");
    }
    assert_eq!(engine.hint(&"x".repeat(129), "payment"), HintResult::NotOurs);
    assert_eq!(engine.hint("order-1", &"x".repeat(33)), HintResult::NotOurs);
    sleep(60_000).await;
    assert_eq!((shop.bank.count(), shop.world.depot.asked().len()), (asked, shipped));
    assert_eq!((shop.world.ground.store.writes(), engine.stats().active), (writes, 0));
    // A step whose turn has not come is not in doubt.
    shop.bank.set(|state| state.has_news = false);
    engine.submit(order("order-3", "visa", "tea")).await.unwrap();
    shop.put_aside(&engine, "order-3").await;
    let writes = shop.world.ground.store.writes();
    assert_eq!(engine.hint("order-3", "dispatch"), HintResult::Taken);
    sleep(10_000).await;
    assert_eq!((shop.world.depot.asked().len(), shop.world.ground.store.writes()), (shipped, writes));
    assert!(engine.shutdown(Duration::from_secs(1)).await);
    assert_eq!(engine.hint("order-3", "payment"), HintResult::Stopping);
}

/// What was paid is given back behind everybody's back, and its webhook comes long after the order is complete.
#[tokio::test(start_paused = true)]
async fn a_hint_about_what_has_ended_makes_one_look_and_what_contradicts_is_told() {
    let shop = Shop::new();
    shop.bank.set(|state| state.has_news = true);
    let engine = shop.engine().await;
    let mut saga = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
    sleep(5_000).await;
    let asked = shop.bank.count();
    assert_eq!(engine.hint("order-1", "payment"), HintResult::Taken);
    sleep(5_000).await;
    assert_eq!((shop.bank.count(), engine.saga("order-1").await.unwrap().unwrap().trouble), (asked + 1, None), "all is well");
    let entries = shop.world.entries("order-1").await;

    let stored = shop.world.ground.journal.load("order-1").await.unwrap().unwrap();
    let (key, body) = (format!("{}.order-1.payment", shop.world.ground.journal.store_id()), stored.bodies[0].clone());
    let hash: String = Sha256::digest(&body).iter().map(|byte| format!("{byte:02x}")).collect();
    let (operation, body_hash) = (Operation::Undo, hash.as_str());
    let undo = Delivery {
        is_about_undo: false,
        key: &key,
        operation,
        body: &body,
        body_hash,
        number: 1,
        seen: None,
        not_after: None,
        leaves_before: None,
    };
    let _undone = shop.bank.service.receive(undo, false);
    for _ in 0..200 {
        assert_eq!(engine.hint("order-1", "payment"), HintResult::Taken);
        sleep(10).await;
    }
    sleep(5_000).await;
    let looks = shop.bank.count() - asked - 1;
    assert!((1..=3).contains(&looks), "{looks} looks in two seconds");
    assert!(shop.bank.state.lock().unwrap().asked.iter().skip(asked).all(|(operation, _)| *operation == Operation::Look));
    let view = engine.saga("order-1").await.unwrap().unwrap();
    assert_eq!((view.outcome, view.entries.len()), (Some(Outcome::Completed), entries + 1), "what was told stays told");
    assert!(view.trouble.as_ref().is_some_and(|it| it.contains("payment: the answer to look said undone")), "{:?}", view.trouble);
    assert!(engine.stats().active == 0 && view.wake_at.is_none(), "nobody waits for anything");
}

/// Not found is not *not done*; but who completed an order and is told that there is nothing of it has to know.
#[tokio::test(start_paused = true)]
async fn a_look_after_the_end_that_finds_nothing_of_what_was_done_is_told() {
    let shop = Shop::new();
    shop.bank.set(|state| state.has_news = true);
    let engine = shop.engine().await;
    let mut saga = engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
    shop.bank.set(|state| state.finds_nothing = true);
    sleep(5_000).await;
    assert_eq!(engine.hint("order-1", "payment"), HintResult::Taken);
    sleep(5_000).await;
    let view = engine.saga("order-1").await.unwrap().unwrap();
    assert_eq!(view.outcome, Some(Outcome::Completed), "what was told stays told");
    let trouble = view.trouble.unwrap();
    assert!(trouble.contains("step payment: it was done, and a look after the end found nothing of it"), "{trouble}");
    assert!(engine.stats().active == 0 && view.wake_at.is_none(), "nobody waits for anything");
}
