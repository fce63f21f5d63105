//! Whole orders through random flow files: whatever is lost, late, doubled, garbled or said by a gateway, no order ends in a
//! way that the services' own books contradict, but for a risk that the flow names.
//!
//! ```text
//!   random flow file --the reader--> flow --the engine--> requests --a road with faults--> services with books of their own
//!                                                  <-----------answers, in the words that the file describes-----/
//! ```
//!
//! Nothing here is a socket, and time passes only while a task waits for it, so that thousands of orders take seconds.

mod answers;
mod grammar;
mod meanings;
mod road;
mod service;
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use handfast_machine::locked;
use handfast_protocol::{Outcome, Risk, Time};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::{sleep, timeout};

use self::grammar::{Form, any_form, chance, pick};
use self::road::{Fate, Roads, World};
use super::{KeptReceipts, OfSaga, Secret, TemplateParticipant};
use crate::engine::JournalReceipts;
use crate::flow_file::{FlowFile, StepParticipant};
use crate::participant::Participant;
use crate::store::{BoxFuture, MemoryStore, Store};
use crate::{Backoff, BreakerSettings, Clock, Engine, Flow, Options, SagaHandle};

const NOON: Time = Time(43_200_000);
const SECRETS: [(&str, &str); 2] = [("TOKEN", "shh-it-is-secret"), ("USER", "shop")];
/// For how long an order is waited for.
const PATIENCE: Duration = Duration::from_secs(15);

/// How an order ended.
#[derive(Clone, Debug)]
struct End {
    outcome: Option<Outcome>,
    /// How it stands in words, and what is in its way.
    standing: String,
    trouble: Option<String>,
    fates: Vec<Fate>,
    requests: u64,
    /// Something was done and undone.
    was_undone: bool,
    /// What the books contradict, and the risks that explain it.
    explained: Vec<&'static str>,
    wrongs: Vec<String>,
    log: Vec<String>,
    text: String,
}

/// A flow file that was read, as its services know it, and as the engine follows it.
#[derive(Clone)]
struct Sound {
    number: u64,
    file: Arc<FlowFile>,
    flow: Arc<Flow>,
    form: Form,
}

impl Sound {
    /// Reads random files until one is sound.
    fn of(number: u64, refused: &mut BTreeMap<String, u64>) -> Self {
        let mut random = StdRng::seed_from_u64(number);
        loop {
            let form = any_form(&mut random);
            match FlowFile::parse("random.toml", &form.text) {
                Ok(file) => {
                    let flow = file.flow(&Risk::NAMES).expect("every risk is accepted");
                    return Self { number, file: Arc::new(file), flow, form };
                }
                Err(error) => {
                    let why: String = error.message().chars().filter(|it| !it.is_ascii_digit()).take(60).collect();
                    *refused.entry(why).or_default() += 1;
                }
            }
        }
    }
}

/// What was kept, which cannot always be read.
struct Hiccups {
    read: JournalReceipts,
    world: Arc<Mutex<World>>,
}

impl KeptReceipts for Hiccups {
    fn of<'a>(&'a self, saga: &'a str) -> BoxFuture<'a, Result<OfSaga, String>> {
        let has_hiccup = locked(&self.world).cannot_be_read();
        if has_hiccup { Box::pin(async { Err("the store cannot be read".to_owned()) }) } else { self.read.of(saga) }
    }
}

/// One order of one file.
struct Run {
    file: Arc<FlowFile>,
    flow: Arc<Flow>,
    world: Arc<Mutex<World>>,
    store: Arc<MemoryStore>,
    clock: Clock,
    seed: u64,
}

impl Run {
    async fn engine(&self) -> Engine {
        let names: Vec<String> = self.file.steps().iter().map(|step| step.name.clone()).collect();
        let ms = Duration::from_millis;
        let options = Options {
            try_timeout: ms(400),
            backoff: Backoff { base: ms(20), cap: ms(800) },
            breaker: BreakerSettings { pause_cap: ms(500), ..BreakerSettings::default() },
            clock: self.clock.clone(),
            clock_error: Duration::from_secs(10),
            seed: Some(self.seed),
            ..Options::default()
        };
        let known = SECRETS.map(|(name, text)| (name.to_owned(), Secret::new(text))).into_iter().collect();
        let mut engine = Engine::builder(Arc::clone(&self.store) as Arc<dyn Store>).flow(Arc::clone(&self.flow)).options(options);
        for step in self.file.steps() {
            let StepParticipant::Http(templates) = &step.participant else { panic!("every step is called by templates") };
            let secrets = templates.load_secrets(&known).expect("they are known");
            let read = JournalReceipts::new(Arc::clone(&self.store) as Arc<dyn Store>, names.clone());
            let receipts: Arc<dyn KeptReceipts> = Arc::new(Hiccups { read, world: Arc::clone(&self.world) });
            let roads = Roads(Arc::clone(&self.world));
            let service = TemplateParticipant::over(roads, (Arc::clone(templates), secrets), receipts, self.clock.clone());
            let name = format!("{} at {}", step.name, templates.origin());
            engine = engine.shared_participant(&name, Arc::new(service) as Arc<dyn Participant>);
        }
        engine.open().await.expect("the flow can be followed")
    }

    fn with<T>(&self, work: impl FnOnce(&mut World) -> T) -> T {
        work(&mut locked(&self.world))
    }

    /// What the books contradict of such an end, by step.
    fn contradictions(&self, outcome: Outcome, minor: i64) -> Vec<(usize, String)> {
        self.with(|world| {
            let now = world.now();
            let mut all = Vec::new();
            for (step, service) in world.services.iter_mut().enumerate() {
                service.settle(now);
                let in_effect = service.in_effect();
                let is_right = match outcome {
                    Outcome::Completed if service.is_harmless() => in_effect.contains(&minor),
                    Outcome::Completed => in_effect == [minor],
                    Outcome::Cancelled => service.is_harmless() || in_effect.is_empty(),
                    Outcome::Settled => false,
                };
                if !is_right {
                    all.push((
                        step,
                        format!("{outcome:?}, and {in_effect:?} is in effect of s{step}, where {minor} was asked for"),
                    ));
                }
            }
            all
        })
    }

    /// Whether a risk of the step explains that, and came true; and which.
    fn explained(&self, step: usize) -> Option<&'static str> {
        let risks = self.file.assessment().risks.iter().filter(|risk| risk.step == step);
        self.with(|world| {
            let mut risks = risks.filter(|risk| match risk.what {
                Risk::BareStatus { operation, meaning } => world.misled.contains(&(step, operation, meaning.name())),
                Risk::TwoPivots { .. }
                | Risk::ForgottenKey { .. }
                | Risk::ShortTombstone { .. }
                | Risk::LooseRefusal
                | Risk::NotIdempotent { .. }
                | Risk::UndoNotIdempotent { .. }
                | Risk::HoldLapse { .. }
                | Risk::SecondId { .. } => world.services[step].came_true.contains(&risk.what.name()),
            });
            risks.next().map(|risk| risk.what.name())
        })
    }
}

/// How a saga ends in the end, even if a person has to be told of it meanwhile.
async fn outcome_of(saga: &mut SagaHandle) -> Outcome {
    loop {
        match saga.outcome().await {
            Ok(outcome) => return outcome,
            Err(_stuck) => sleep(Duration::from_secs(1)).await,
        }
    }
}

/// Places the order with this seed, of the file that is its, and looks what comes of it.
async fn end_of(seed: u64, is_told: bool, sound: Sound) -> End {
    let mut random = StdRng::seed_from_u64(!seed);
    let Sound { file, flow, form, .. } = sound;
    let (minor, currency) = pick(&mut random, &[(1999, "EUR"), (1500, "JPY"), (12_345, "KWD"), (5, "USD")]);
    let note = pick(&mut random, &[",\"note\":\"two & two\"", ""]);
    let order = format!(
        "{{\"id\":\"order-{seed}\",\"amount\":{{\"minor\":{minor},\"currency\":\"{currency}\"}},\"lines\":[{{\"sku\":\"tea\"}}],\"count\":3{note}}}"
    );
    let order = file.parse_order(order.as_bytes()).expect("the order is one of the flow");
    let (cancelled_at, killed_at) = (chance(&mut random, 12), chance(&mut random, 12));
    let (cancel_ms, kill_ms) = (random.random_range(0..2_000), random.random_range(0..1_500));
    let (text, margin_ms) = (form.text.clone(), form.road.margin_ms());
    let clock = Clock::of_runtime(NOON);
    let world = Arc::new(Mutex::new(World::new(random, (form, (minor, currency)), clock.clone(), is_told)));
    let run = Run { file, flow, world, store: Arc::new(MemoryStore::new()), clock, seed };
    let mut engine = run.engine().await;
    let id = order.id.clone();
    let mut saga = engine.submit(order).await.expect("it is placed");
    let canceller = engine.clone();
    let cancel = tokio::spawn({
        let id = id.clone();
        async move {
            if cancelled_at {
                sleep(Duration::from_millis(cancel_ms)).await;
                // Too late is an answer, too.
                let _said = canceller.cancel(&id, None, None).await;
            }
        }
    });
    if killed_at && timeout(Duration::from_millis(kill_ms), saga.outcome()).await.is_err() {
        cancel.abort();
        drop((saga, engine));
        sleep(Duration::from_millis(run.with(|world| world.form.road.outage_ms))).await;
        engine = run.engine().await;
        saga = engine.follow(&id).await.expect("the store is there").expect("the saga is there");
    }
    let outcome = timeout(PATIENCE, outcome_of(&mut saga)).await.ok();
    let mut contradictions = outcome.map_or_else(Vec::new, |outcome| run.contradictions(outcome, minor));
    // What is late arrives, and what is watched is looked at until that has happened.
    sleep(Duration::from_millis(2 * margin_ms + 2_000)).await;
    contradictions.extend(outcome.map_or_else(Vec::new, |outcome| run.contradictions(outcome, minor)));
    let view = engine.saga(&id).await.expect("the store is there").expect("the saga is there");
    drop((saga, engine));
    // No person is asked to look at a contradiction as long as services keep what they promise.
    if let Some(trouble) = view.trouble.as_ref().filter(|trouble| trouble.contains(", but ") && trouble.contains("known before"))
    {
        let step = trouble.trim_start_matches("step s").split(':').next().and_then(|step| step.parse().ok());
        contradictions.push((step.expect("it names the step"), trouble.clone()));
    }
    let mut end = End {
        outcome,
        standing: view.standing,
        trouble: view.trouble,
        fates: run.with(|world| std::mem::take(&mut world.met)),
        requests: run.with(|world| world.requests),
        was_undone: run.with(|world| world.services.iter().any(|service| service.has_undone())),
        explained: Vec::new(),
        wrongs: run.with(|world| std::mem::take(&mut world.wrongs)),
        log: run.with(|world| world.log.take().unwrap_or_default()),
        text,
    };
    for (step, what) in contradictions {
        match run.explained(step) {
            Some(risk) => end.explained.push(risk),
            None => end.wrongs.push(what),
        }
    }
    end
}

/// What became of many.
#[derive(Default, Debug)]
struct Tally {
    orders: u64,
    files: u64,
    templates: u64,
    met_faults: u64,
    completed: u64,
    cancelled: u64,
    undone: u64,
    suspended: u64,
    requests: u64,
    /// Why a person is asked.
    for_persons: BTreeMap<String, u64>,
    /// How often what became of a request or its answer.
    fates: BTreeMap<Fate, u64>,
    open: BTreeMap<String, u64>,
    explained: BTreeMap<&'static str, u64>,
    refused: BTreeMap<String, u64>,
    wrongs: Vec<(u64, Vec<String>)>,
    open_seeds: Vec<(u64, String, Option<String>)>,
}

impl Tally {
    fn add(&mut self, seed: u64, end: End) {
        self.orders += 1;
        self.met_faults += u64::from(!end.fates.is_empty());
        self.undone += u64::from(end.was_undone);
        self.requests += end.requests;
        end.fates.into_iter().for_each(|fate| *self.fates.entry(fate).or_default() += 1);
        match end.outcome {
            Some(Outcome::Completed) => self.completed += 1,
            Some(Outcome::Cancelled) => self.cancelled += 1,
            Some(Outcome::Settled) => {}
            None if end.standing == "suspended" => {
                self.suspended += 1;
                let why: String = end.trouble.unwrap_or_default().chars().filter(|it| !it.is_ascii_digit()).take(70).collect();
                *self.for_persons.entry(why).or_default() += 1;
            }
            None => {
                *self.open.entry(end.standing.clone()).or_default() += 1;
                self.open_seeds.push((seed, end.standing, end.trouble));
            }
        }
        for risk in end.explained {
            *self.explained.entry(risk).or_default() += 1;
        }
        if !end.wrongs.is_empty() {
            self.wrongs.push((seed, end.wrongs));
        }
    }

    fn join(&mut self, other: Self) {
        self.orders += other.orders;
        self.files += other.files;
        self.templates += other.templates;
        self.met_faults += other.met_faults;
        self.completed += other.completed;
        self.cancelled += other.cancelled;
        self.undone += other.undone;
        self.requests += other.requests;
        self.suspended += other.suspended;
        other.for_persons.into_iter().for_each(|(name, count)| *self.for_persons.entry(name).or_default() += count);
        other.fates.into_iter().for_each(|(fate, count)| *self.fates.entry(fate).or_default() += count);
        other.open.into_iter().for_each(|(name, count)| *self.open.entry(name).or_default() += count);
        other.explained.into_iter().for_each(|(name, count)| *self.explained.entry(name).or_default() += count);
        other.refused.into_iter().for_each(|(name, count)| *self.refused.entry(name).or_default() += count);
        self.wrongs.extend(other.wrongs);
        self.open_seeds.extend(other.open_seeds);
    }
}

/// A runtime in which time is what is waited for.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime")
}

fn tally(seeds: impl Iterator<Item = u64>) -> Tally {
    let mut tally = Tally::default();
    runtime().block_on(async {
        let mut sound: Option<Sound> = None;
        for seed in seeds {
            let file = match sound.take().filter(|sound| sound.number == seed / 2) {
                Some(sound) => sound,
                None => {
                    let sound = Sound::of(seed / 2, &mut tally.refused);
                    (tally.files, tally.templates) = (tally.files + 1, tally.templates + sound.form.templates());
                    sound
                }
            };
            sound = Some(file.clone());
            tally.add(seed, end_of(seed, false, file).await);
        }
    });
    tally
}
