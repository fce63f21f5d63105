//! What the engine's tests share: a world with durable participants, a store that can fail, and the books at the end.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use handfast::journal::{Line, Receipt};
use handfast::participant::{Delivery, InMemory, Participant, Reply};
use handfast::store::{BoxFuture, FlakyStore, MemoryStore, Store};
use handfast::{Backoff, Clock, ClockHand, Engine, EngineBuilder, Flow, Operation, Options, Order, Outcome, Time};
use handfast_protocol::{Coordinator, Definite, Effect, Party, Plan};

/// When a world begins: late enough that a clock can be set back by hours.
pub(crate) const NOON: Time = Time(43_200_000);

/// What becomes of one delivery on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Road {
    /// It arrives, and so does its answer, after so many milliseconds each.
    Open(u64),
    /// The messenger with the request is captured.
    RequestCaptured,
    /// The messenger with the answer is captured.
    AnswerCaptured,
    /// Nothing comes back, and the request arrives so many milliseconds later.
    Late(u64),
}

/// How often each body was acted on (`false`) and undone (`true`).
type Effects = Arc<Mutex<BTreeMap<(Vec<u8>, bool), u32>>>;

/// Decides what becomes of each delivery.
type Fates = Box<dyn FnMut(&Delivery<'_>) -> Road + Send>;

/// A participant whose keys outlive the engine, on a road that a test decides about, and which checks at every request
/// that the entry which wants it is in the store.
pub(crate) struct Camp {
    pub(crate) name: &'static str,
    service: InMemory,
    road: Mutex<Fates>,
    journal: Arc<MemoryStore>,
    plan: Arc<Plan>,
    step: usize,
    clock: Clock,
    /// What was asked when: operation, number, time.
    pub(crate) requests: Mutex<Vec<(String, Operation, u64, Time)>>,
    pub(crate) not_afters: Mutex<Vec<Option<Time>>>,
    /// Requests that no entry in the store wanted.
    pub(crate) unwanted: Mutex<Vec<String>>,
    effects: Effects,
    late: Mutex<VecDeque<tokio::task::JoinHandle<()>>>,
    me: std::sync::Weak<Self>,
}

impl Camp {
    fn new(name: &'static str, refuses: &'static str, world: &Ground, step: usize) -> Arc<Self> {
        let effects: Effects = Arc::default();
        let counted = Arc::clone(&effects);
        let service = InMemory::new(move |effect, body| {
            let refused = effect == Effect::Act && String::from_utf8_lossy(body).contains(refuses);
            if !refused {
                *counted.lock().unwrap().entry((body.to_vec(), effect == Effect::Undo)).or_default() += 1;
            }
            !refused
        });
        Arc::new_cyclic(|me| Self {
            name,
            service,
            road: Mutex::new(Box::new(|_| Road::Open(0))),
            journal: Arc::clone(&world.journal),
            plan: Arc::clone(world.flow.plan()),
            step,
            clock: world.clock.clone(),
            requests: Mutex::default(),
            not_afters: Mutex::default(),
            unwanted: Mutex::default(),
            effects,
            late: Mutex::default(),
            me: me.clone(),
        })
    }

    /// Decides what becomes of deliveries from now on.
    pub(crate) fn set_road(&self, road: impl FnMut(&Delivery<'_>) -> Road + Send + 'static) {
        *self.road.lock().unwrap() = Box::new(road);
    }

    /// How the key of this saga stands; `None` if it is absent.
    pub(crate) fn key(&self, saga: &str) -> Option<Definite> {
        let key = format!("{}.{saga}.{}", self.journal.store_id(), self.name);
        self.service.keys().into_iter().find(|(name, _)| *name == key).and_then(|(_, register)| register.peek())
    }

    /// How often each effect happened: the most that any body was acted on or undone.
    pub(crate) fn most_effects(&self) -> u32 {
        self.effects.lock().unwrap().values().copied().max().unwrap_or(0)
    }

    pub(crate) fn asked(&self) -> Vec<Operation> {
        self.requests.lock().unwrap().iter().map(|(_, operation, _, _)| *operation).collect()
    }

    /// Lets everything arrive that was late.
    pub(crate) async fn let_the_late_arrive(&self) {
        loop {
            let Some(late) = self.late.lock().unwrap().pop_front() else { return };
            late.await.unwrap();
        }
    }

    /// *Durable before visible*: some entry in the store, replayed, wants this request.
    async fn check_wanted(&self, request: &Delivery<'_>) {
        let saga = request.key.split('.').nth(1).unwrap();
        let stored = self.journal.load(saga).await.unwrap();
        let entries = stored.map(|stored| stored.entries).unwrap_or_default();
        let mut coordinator: Coordinator = Coordinator::new(Arc::clone(&self.plan));
        let wanted = entries.iter().any(|entry| {
            coordinator.step(entry.at, Line::read(1, &entry.input).unwrap().told());
            let mut outbox = coordinator.outbox().into_iter();
            outbox.any(|command| command.step == self.step && command.operation == request.operation)
        });
        if !wanted {
            self.unwanted.lock().unwrap().push(format!(
                "{} {:?} after {} entries",
                request.key,
                request.operation,
                entries.len()
            ));
        }
    }

    fn answer(&self, request: Delivery<'_>) -> Reply {
        let expired = request.not_after.is_some_and(|not_after| not_after < self.clock.wall());
        self.service.receive(request, expired)
    }
}

impl Participant for Camp {
    fn deliver<'a>(&'a self, request: Delivery<'a>) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            self.check_wanted(&request).await;
            self.requests.lock().unwrap().push((request.key.to_owned(), request.operation, request.number, self.clock.now()));
            if request.operation == Operation::Act {
                self.not_afters.lock().unwrap().push(request.not_after);
            }
            let road = (*self.road.lock().unwrap())(&request);
            match road {
                Road::Open(0) => self.answer(request),
                Road::Open(delay_ms) => {
                    tokio::time::sleep(Duration::from_millis(delay_ms)).await;
                    let reply = self.answer(request);
                    tokio::time::sleep(Duration::from_millis(delay_ms)).await;
                    reply
                }
                Road::RequestCaptured => Reply::unknown("captured"),
                Road::AnswerCaptured => {
                    let _captured = self.answer(request);
                    Reply::unknown("captured")
                }
                Road::Late(delay_ms) => {
                    let camp = self.me.upgrade().unwrap();
                    let (key, body, hash) = (request.key.to_owned(), request.body.clone(), request.body_hash.to_owned());
                    let (operation, number, not_after) = (request.operation, request.number, request.not_after);
                    let late = tokio::spawn(async move {
                        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
                        let delivery = Delivery {
                            is_about_undo: false,
                            key: &key,
                            operation,
                            body: &body,
                            body_hash: &hash,
                            number,
                            seen: None,
                            not_after,
                            leaves_before: None,
                        };
                        let _nobody_hears = camp.answer(delivery);
                    });
                    self.late.lock().unwrap().push_back(late);
                    Reply::unknown("captured")
                }
            }
        })
    }
}

/// What a world stands on.
pub(crate) struct Ground {
    pub(crate) flow: Arc<Flow>,
    pub(crate) journal: Arc<MemoryStore>,
    pub(crate) store: Arc<FlakyStore<Arc<MemoryStore>>>,
    pub(crate) clock: Clock,
    /// Turns its wall clock.
    pub(crate) hand: ClockHand,
}

/// A shop with its store, its two participants, and engines that come and go.
pub(crate) struct World {
    pub(crate) ground: Ground,
    pub(crate) bank: Arc<Camp>,
    pub(crate) depot: Arc<Camp>,
}

impl World {
    /// A shop whose payment has this deadline, if any. Inside a runtime.
    pub(crate) fn new(payment_deadline_ms: Option<u64>) -> Self {
        let builder = Flow::builder("shop").compensatable("payment", "bank");
        let builder = match payment_deadline_ms {
            Some(deadline_ms) => builder.deadline(Duration::from_millis(deadline_ms)),
            None => builder,
        };
        let flow = Arc::new(builder.pivot("dispatch", "depot").build().unwrap());
        let journal = Arc::new(MemoryStore::new());
        let store = Arc::new(FlakyStore::new(Arc::clone(&journal)));
        let (clock, hand) = Clock::by_hand(NOON);
        let ground = Ground { flow, journal, store, clock, hand };
        let bank = Camp::new("payment", "declined", &ground, 0);
        let depot = Camp::new("dispatch", "sold out", &ground, 1);
        Self { ground, bank, depot }
    }

    pub(crate) fn options(&self) -> Options {
        let backoff = Backoff { base: Duration::from_millis(5), cap: Duration::from_secs(30) };
        Options::default().with_backoff(backoff).with_clock(self.ground.clock.clone()).with_seed(Some(7))
    }

    pub(crate) fn builder(&self) -> EngineBuilder {
        let store: Arc<dyn Store> = Arc::clone(&self.ground.store) as Arc<dyn Store>;
        Engine::builder(store)
            .flow(Arc::clone(&self.ground.flow))
            .shared_participant("bank", Arc::clone(&self.bank) as Arc<dyn Participant>)
            .shared_participant("depot", Arc::clone(&self.depot) as Arc<dyn Participant>)
            .options(self.options())
    }

    pub(crate) async fn engine(&self) -> Engine {
        self.builder().open().await.unwrap()
    }

    /// What went wrong with this saga, given how it ended. Nothing, if all is as it should be.
    pub(crate) fn wrongs(&self, saga: &str, outcome: Outcome) -> Vec<String> {
        let (paid, dispatched) = (self.bank.key(saga), self.depot.key(saga));
        let mut wrongs: Vec<String> =
            [&self.bank, &self.depot].iter().flat_map(|camp| camp.unwanted.lock().unwrap().clone()).collect();
        let both = paid == Some(Definite::Done) && dispatched == Some(Definite::Done);
        let neither = paid != Some(Definite::Done) && dispatched != Some(Definite::Done);
        let consistent = match outcome {
            Outcome::Completed => both,
            Outcome::Cancelled => neither && dispatched.is_some(),
            Outcome::Settled => false,
        };
        if !consistent {
            wrongs.push(format!("{saga} ended {outcome:?}, but payment is {paid:?} and dispatch {dispatched:?}"));
        }
        if self.bank.most_effects() > 1 || self.depot.most_effects() > 1 {
            wrongs.push(format!("an effect happened twice: {} {}", self.bank.most_effects(), self.depot.most_effects()));
        }
        wrongs
    }

    /// How many entries the store holds of a saga.
    pub(crate) async fn entries(&self, saga: &str) -> usize {
        self.ground.journal.load(saga).await.unwrap().map_or(0, |stored| stored.entries.len())
    }
}

/// An order whose two bodies are its own.
pub(crate) fn order(id: &str, card: &str, item: &str) -> Order {
    let payment = format!(r#"{{"order":"{id}","card":"{card}"}}"#).into_bytes();
    let dispatch = format!(r#"{{"order":"{id}","item":"{item}"}}"#).into_bytes();
    Order::in_flow_order(id, format!(r#"{{"card":"{card}","item":"{item}"}}"#), vec![payment, dispatch])
}

/// A receipt with a commit number.
pub(crate) fn receipt(incarnation: &str, seq: u64) -> Receipt {
    Receipt { seq: Some(seq), incarnation: Some(incarnation.to_owned()), at: None, ..Receipt::default() }
}

/// A participant that is a closure.
pub(crate) struct Answering<F>(pub(crate) F);

impl<F: Fn(&Delivery<'_>) -> Reply + Send + Sync + 'static> Participant for Answering<F> {
    fn deliver<'a>(&'a self, request: Delivery<'a>) -> BoxFuture<'a, Reply> {
        let reply = (self.0)(&request);
        Box::pin(async move { reply })
    }
}

/// Everything that a store does but append, by the store that the implementing type holds as its first field: for tests in
/// which appending is what goes another way.
macro_rules! forwarded_but_for_append {
    () => {
        handfast::every_method_of_a_store!(forwarded_but_for_append);
    };
    ($($kind:ident $name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {
        $(forwarded_but_for_append!(@ $kind $name($($argument: $type),*) -> $answer);)*
    };
    (@ write append($argument:ident: $type:ty) -> $answer:ty) => {};
    (@ now $name:ident($($argument:ident: $type:ty),*) -> $answer:ty) => {
        fn $name(&self, $($argument: $type),*) -> $answer {
            self.0.$name($($argument),*)
        }
    };
    (@ $kind:ident $name:ident($($argument:ident: $type:ty),*) -> $answer:ty) => {
        fn $name<'a>(
            &'a self,
            $($argument: $type),*
        ) -> handfast::store::BoxFuture<'a, Result<$answer, handfast::store::StoreError>> {
            self.0.$name($($argument),*)
        }
    };
}
pub(crate) use forwarded_but_for_append;

/// A participant that never answers.
pub(crate) struct Silent;

impl Participant for Silent {
    fn deliver<'a>(&'a self, _request: Delivery<'a>) -> BoxFuture<'a, Reply> {
        Box::pin(std::future::pending())
    }
}
