//! The road to the services: what becomes of every request and of every answer, and what is noted of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use handfast_machine::locked;
use handfast_protocol::Operation;
use rand::RngExt;
use rand::rngs::StdRng;
use reqwest::{Request, Response};
use serde_json::{Value as Json, json};
use tokio::time::sleep;

use super::answers::{Sent, Written, names_whose, of_two};
use super::grammar::{Amount, CallForm, Form, Place, StepForm, chance, pick};
use super::service::{Money, Said, Service, Wish};
use crate::clock::Clock;
use crate::participant::client::{CallError, Carrier};
use crate::participant::template::operation_key;
use crate::store::BoxFuture;

/// What becomes of a request and its answer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Fate {
    Open,
    RequestLost,
    AnswerLost,
    Late,
    Twice,
    Slow,
    /// A gateway in between answers, before or after the service was asked.
    Gateway,
    Garbled,
    SaysNothing,
    OfTwo,
    OfAnother,
    /// Nothing leaves, since what was kept cannot be read.
    Unread,
}

pub(super) const FAULTS: [Fate; 12] = [
    Fate::RequestLost,
    Fate::AnswerLost,
    Fate::AnswerLost,
    Fate::Late,
    Fate::Twice,
    Fate::Slow,
    Fate::Gateway,
    Fate::Gateway,
    Fate::Garbled,
    Fate::SaysNothing,
    Fate::OfTwo,
    Fate::OfAnother,
];

/// Everything outside of the coordinator, for one order.
pub(super) struct World {
    pub(super) form: Form,
    pub(super) services: Vec<Service>,
    random: StdRng,
    clock: Clock,
    money: Money,
    /// How many faults are still to come, and how often one comes in a hundred requests.
    faults_left: u32,
    fault_percent: u32,
    /// How many requests there were.
    pub(super) requests: u64,
    /// What is wrong with what is asked or answered.
    pub(super) wrongs: Vec<String>,
    /// Which have come.
    pub(super) met: Vec<Fate>,
    /// What was said by nothing but what others send as well, and was not so: step, operation and meaning.
    pub(super) misled: Vec<(usize, Operation, &'static str)>,
    /// The bodies of acts, by their keys.
    bodies: BTreeMap<String, Vec<u8>>,
    pub(super) log: Option<Vec<String>>,
}

impl World {
    pub(super) fn new(mut random: StdRng, (form, money): (Form, Money), clock: Clock, is_told: bool) -> Self {
        let services = form.steps.iter().map(|step| Service::new(&mut random, step)).collect();
        let is_calm = chance(&mut random, 20);
        let faults_left = if is_calm { 0 } else { random.random_range(1..14) };
        Self {
            form,
            services,
            faults_left,
            fault_percent: random.random_range(10..80),
            random,
            clock,
            money,
            requests: 0,
            wrongs: Vec::new(),
            met: Vec::new(),
            misled: Vec::new(),
            bodies: BTreeMap::new(),
            log: is_told.then(Vec::new),
        }
    }

    pub(super) fn now(&self) -> u64 {
        self.clock.now().0
    }

    /// Notes what must not be. A panic would only end a task of the engine, which begins it again.
    fn must(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.wrongs.push(what());
        }
    }

    fn tell(&mut self, line: impl FnOnce() -> String) {
        let now = self.now();
        if let Some(log) = &mut self.log {
            log.push(format!("{now:>6} {}", line()));
        }
    }

    fn fate(&mut self) -> Fate {
        if self.faults_left == 0 || !chance(&mut self.random, self.fault_percent) {
            return Fate::Open;
        }
        self.faults_left -= 1;
        let fate = pick(&mut self.random, &FAULTS);
        self.met.push(fate);
        fate
    }

    /// Whether the store has a hiccup, so that what was kept of the order cannot be read.
    pub(super) fn cannot_be_read(&mut self) -> bool {
        let has_hiccup = self.faults_left > 0 && chance(&mut self.random, 10);
        if has_hiccup {
            self.faults_left -= 1;
            self.met.push(Fate::Unread);
            self.tell(|| "the store cannot be read".to_owned());
        }
        has_hiccup
    }

    /// The service does what it was asked for.
    fn deliver(&mut self, step: usize, wish: &Wish) -> Said {
        let wish = Wish { now: self.now(), ..wish.clone() };
        let holds = match self.services[step].captures() {
            Some(held) if wish.operation == Operation::Act => self.services[held].capture(wish.now),
            Some(_) | None => true,
        };
        let said = self.services[step].take(&mut self.random, &wish, holds);
        self.requests += 1;
        self.tell(|| format!("s{step} {} of {:?}: {said:?}", wish.operation.name(), wish.key));
        said
    }

    /// What an answer is compared with, where it is read.
    fn asked(&self, step: usize, wish: &Wish) -> impl Fn(&str) -> Json + use<> {
        self.filled(step, wish, &Said::Pending)
    }

    /// What a service puts where a flow file has a gap: what it knows.
    fn filled(&self, step: usize, wish: &Wish, said: &Said) -> impl Fn(&str) -> Json + use<> {
        let reference = self.form.steps[step].reference;
        let effect = if let Said::Done(at) = said { self.services[step].effects.get(*at) } else { None };
        let by_id = || wish.id.as_ref().and_then(|id| self.services[step].effects.iter().find(|effect| effect.id == *id));
        let key = effect.or_else(by_id).map_or_else(|| wish.key.clone(), |effect| effect.key.clone());
        let minor = match said {
            Said::Done(_) => effect.map_or(wish.minor, |effect| effect.minor),
            Said::Undone(minor) => *minor,
            Said::Refused | Said::Closed | Said::Absent | Said::Pending => wish.minor,
        };
        let currency = self.money.1;
        move |gap: &str| match gap {
            "{input.amount.minor}" => json!(minor),
            "{input.amount.decimal}" => json!(decimal(minor, currency)),
            "{input.amount.decimal} {input.amount.currency.lower}" => {
                json!(format!("{} {}", decimal(minor, currency), currency.to_lowercase()))
            }
            "{input.count}" => json!(3),
            other => json!(other.replace(reference, &key)),
        }
    }

    /// What the service says of what it knows, in the words of the flow file.
    fn honest(&mut self, step: usize, wish: &Wish, said: &Said) -> Written {
        let described = self.form.steps[step].calls[&wish.operation].described.clone();
        let filled = self.filled(step, wish, said);
        let shapes = said.meaning().map_or(&[][..], |meaning| described.shapes(meaning));
        let mut written = Written::neutral(&mut self.random);
        if let Some(shape) = shapes.get(self.random.random_range(0..shapes.len().max(1))) {
            written.say(&mut self.random, shape, &filled);
        }
        if let Said::Done(at) = said {
            written.keep(described.keep.as_ref(), &self.services[step].effects[*at].id);
        }
        let is_said = written.meanings(&described, &filled).iter().any(|(meaning, _)| Some(*meaning) == said.meaning());
        self.must(is_said || shapes.is_empty(), || format!("{written:?} does not say {said:?}"));
        self.note(step, wish, said, &written);
        written
    }

    /// Notes a meaning that an answer has by the document and that is not so.
    fn note(&mut self, step: usize, wish: &Wish, said: &Said, written: &Written) {
        let meanings = written.meanings(&self.form.steps[step].calls[&wish.operation].described, &self.asked(step, wish));
        if let [(meaning, is_proven)] = meanings[..]
            && Some(meaning) != said.meaning()
        {
            self.must(!is_proven, || format!("only the service says {meaning}, where it is {said:?}: {written:?}"));
            self.misled.push((step, wish.operation, meaning));
        }
    }

    /// What a gateway in between says, whatever became of the request.
    fn of_gateway(&mut self, step: usize, wish: &Wish) -> Written {
        let described = self.form.steps[step].calls[&wish.operation].described.clone();
        let filled = self.asked(step, wish);
        let all: Vec<_> = described.answers.iter().flat_map(|(_, shapes)| shapes).collect();
        let mut written = Written::neutral(&mut self.random);
        let shape = all[self.random.random_range(0..all.len())];
        written.imitate(&mut self.random, shape, &filled);
        let written = if chance(&mut self.random, 30) { written.turned_into_a_page() } else { written };
        self.note(step, wish, &Said::Pending, &written);
        written
    }

    fn answer(&mut self, step: usize, wish: &Wish, fate: Fate) -> Option<Sent> {
        let call = &self.form.steps[step].calls[&wish.operation];
        let described = call.described.clone();
        let whose = self.form.steps[step].reference;
        let sent = match fate {
            Fate::Gateway => {
                if chance(&mut self.random, 50) {
                    self.deliver(step, wish);
                }
                self.of_gateway(step, wish).sent()
            }
            Fate::OfTwo => {
                let said = self.deliver(step, wish);
                let filled = self.filled(step, wish, &said);
                let truth = said.meaning().filter(|meaning| !described.shapes(meaning).is_empty());
                let asked = self.asked(step, wish);
                let of_two = of_two(&mut self.random, &described, truth, (&filled, &asked));
                let written = of_two.unwrap_or_else(|| self.honest(step, wish, &said));
                let id =
                    if let Said::Done(at) = said { self.services[step].effects[at].id.clone() } else { "nothing".to_owned() };
                let mut written = written;
                written.keep(described.keep.as_ref(), &id);
                written.sent()
            }
            Fate::OfAnother if names_whose(&described, whose) => {
                self.deliver(step, wish);
                let another = Wish { key: "another".to_owned(), id: None, ..wish.clone() };
                let filled = self.filled(step, &another, &Said::Pending);
                let all: Vec<_> = described.answers.iter().flat_map(|(_, shapes)| shapes).collect();
                let shape = all[self.random.random_range(0..all.len())];
                let mut written = Written::neutral(&mut self.random);
                written.say(&mut self.random, shape, &filled);
                written.keep(described.keep.as_ref(), "another's");
                written.sent()
            }
            Fate::SaysNothing => {
                self.deliver(step, wish);
                let written = Written::neutral(&mut self.random);
                self.note(step, wish, &Said::Pending, &written);
                written.sent()
            }
            Fate::Garbled => {
                let said = self.deliver(step, wish);
                let written = self.honest(step, wish, &said);
                // What cannot be read is as good as a page.
                self.note(step, wish, &said, &written.clone().turned_into_a_page());
                written.sent().garbled(&mut self.random)
            }
            Fate::RequestLost => return None,
            Fate::AnswerLost => {
                self.deliver(step, wish);
                return None;
            }
            Fate::Open | Fate::Late | Fate::Twice | Fate::Slow | Fate::OfAnother | Fate::Unread => {
                let said = self.deliver(step, wish);
                let written = self.honest(step, wish, &said);
                let waits = chance(&mut self.random, 5);
                if waits { written.with_header("retry-after", "1").sent() } else { written.sent() }
            }
        };
        self.tell(|| format!("s{step} {} is answered: {}", wish.operation.name(), sent.in_words()));
        Some(sent)
    }
}

/// An amount as people write it.
fn decimal(minor: i64, currency: &str) -> String {
    let places = match currency {
        "JPY" => 0,
        "KWD" => 3,
        _ => 2,
    };
    let one = 10_i64.pow(places);
    if places == 0 { minor.to_string() } else { format!("{}.{:0width$}", minor / one, minor % one, width = places as usize) }
}

/// The road that every service of an order is reached by.
#[derive(Clone)]
pub(super) struct Roads(pub(super) Arc<Mutex<World>>);

impl Roads {
    fn with<T>(&self, work: impl FnOnce(&mut World) -> T) -> T {
        work(&mut locked(&self.0))
    }

    async fn go(&self, request: Request) -> Result<Response, CallError> {
        let (step, wish) = self.with(|world| world.read(&request));
        let (fate, lifetime_ms) = self.with(|world| (world.fate(), world.form.road.lifetime_ms));
        self.with(|world| world.tell(|| format!("s{step} {} is asked: {fate:?}", wish.operation.name())));
        if matches!(fate, Fate::Late | Fate::Twice) {
            let after = Duration::from_millis(self.with(|world| world.random.random_range(0..lifetime_ms)));
            let (roads, wish) = (self.clone(), Wish { is_stray: true, ..wish.clone() });
            tokio::spawn(async move {
                sleep(after).await;
                roads.with(|world| world.deliver(step, &wish));
            });
        }
        let pause = Duration::from_millis(self.with(|world| world.random.random_range(0..300)));
        if fate == Fate::Slow {
            sleep(pause).await;
        }
        let sent = if fate == Fate::Late { None } else { self.with(|world| world.answer(step, &wish, fate)) };
        if fate == Fate::Slow {
            sleep(pause).await;
        }
        match sent {
            Some(sent) => Ok(sent.response()),
            None => {
                sleep(pause * 4).await;
                Err(no_answer())
            }
        }
    }
}

fn no_answer() -> CallError {
    CallError { is_connect: false, cause: "nothing came back".into() }
}

impl Carrier for Roads {
    fn carry(&self, request: Request) -> BoxFuture<'_, Result<Response, CallError>> {
        Box::pin(self.go(request))
    }
}

impl World {
    /// Reads a request as its service does.
    fn read(&mut self, request: &Request) -> (usize, Wish) {
        let mut path = request.url().path_segments().expect("it has a path");
        let (name, key) = (path.next().unwrap_or_default(), path.next().unwrap_or_default().to_owned());
        let step: usize = name.trim_start_matches('s').parse().expect("it names a step");
        let form = self.form.steps[step].clone();
        let operation =
            form.calls.keys().copied().find(|operation| operation_key(*operation) == key).expect("it names an operation");
        let call = &form.calls[&operation];
        let authorization = header(request, "authorization");
        let expected =
            ["Bearer shh-it-is-secret", &format!("Basic {}", BASE64_STANDARD.encode("shop:shh-it-is-secret"))].map(str::to_owned);
        self.must(expected.contains(&authorization), || format!("authorization: {authorization}"));
        let which = which(call, &form, request);
        let (key, id) = if call.by_id { (String::new(), Some(which)) } else { (which, None) };
        let minor = amount(call, request, self.money.1).unwrap_or(self.money.0);
        self.must(minor == self.money.0, || format!("{minor} is asked for"));
        if let Some(other) = call.uses {
            let named = members(request).remove("held").unwrap_or_default();
            let is_known = self.services[other].effects.iter().any(|effect| named == effect.id);
            self.must(is_known, || format!("{named} is no id of s{other}"));
        }
        if operation == Operation::Act {
            let body = request.body().and_then(|body| body.as_bytes()).unwrap_or_default().to_vec();
            let known = self.bodies.entry(format!("{step} {key}")).or_insert_with(|| body.clone());
            let is_same = *known == body;
            self.must(is_same, || "a try has other bytes".to_owned());
            let of_step = self.bodies.keys().filter(|of| of.starts_with(&format!("{step} "))).count();
            self.must(of_step == 1, || "a try has another key".to_owned());
        }
        (step, Wish { operation, key, id, minor, now: 0, is_stray: false })
    }
}

fn header(request: &Request, name: &str) -> String {
    request.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

fn members(request: &Request) -> BTreeMap<String, Json> {
    let body = request.body().and_then(|body| body.as_bytes()).unwrap_or_default();
    if let Ok(members) = serde_json::from_slice(body) {
        return members;
    }
    let url = format!("http://x.example/?{}", String::from_utf8_lossy(body));
    let url = reqwest::Url::parse(&url).expect("a form is a query");
    url.query_pairs().map(|(name, value)| (name.into_owned(), json!(value))).collect()
}

/// The reference or the id that a request names.
fn which(call: &CallForm, form: &StepForm, request: &Request) -> String {
    let decoded = |text: &str| String::from_utf8(BASE64_STANDARD.decode(text).expect("it is base 64")).unwrap();
    match call.at {
        Place::Path => request.url().path_segments().and_then(|mut path| path.nth(2)).unwrap_or_default().to_owned(),
        Place::Query => request.url().query_pairs().find(|(name, _)| name == "ref").expect("it is there").1.into_owned(),
        Place::Header => header(request, "x-ref"),
        Place::Base64 if form.reference == "{saga}-{step}" && !call.by_id => {
            let parts: Vec<String> = header(request, "x-coded").split('.').map(decoded).collect();
            parts.join("-")
        }
        Place::Base64 => decoded(&header(request, "x-coded")),
        Place::Json | Place::Form => members(request)["ref"].as_str().unwrap_or_default().to_owned(),
    }
}

/// The amount that a request names, in minor units.
fn amount(call: &CallForm, request: &Request, currency: &str) -> Option<i64> {
    let named = call.amount?;
    let value = members(request).remove("amount")?;
    let text = if let Some(text) = value.as_str() { text.to_owned() } else { value.to_string() };
    let places = decimal(0, currency).len().saturating_sub(2);
    let places = if places == 0 { 0 } else { places };
    match named {
        Amount::Minor | Amount::MinorText => text.parse().ok(),
        Amount::Object => value["minor"].as_i64(),
        Amount::Decimal | Amount::DecimalText => {
            let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
            format!("{whole}{part:0<places$}").parse().ok()
        }
    }
}
