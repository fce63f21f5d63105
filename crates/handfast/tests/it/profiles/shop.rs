//! A shop with both reference services on loopback, each behind its road, and engines that come and go.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use handfast::store::{SqliteStore, Store};
use handfast::{Backoff, Engine, Flow, FlowStep, NoOutcome, Options, Order, Outcome, SagaHandle, SagaView, Time};
use handfast_participant::{Registers, Settings, Weakness, dispatch, payment};
use handfast_protocol::{Assumptions, Kind, Plan, Profile, ProfiledStep, assess};

/// How long an engine of these tests waits for an answer.
pub(super) const TRY_TIMEOUT: Duration = Duration::from_millis(200);

/// What becomes of one request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Road {
    /// It arrives, and so does its answer.
    Open,
    /// It is captured.
    RequestCaptured,
    /// Its answer is captured.
    AnswerCaptured,
    /// It arrives so many milliseconds later, and nobody hears the answer.
    Late(u64),
    /// It arrives, and so many milliseconds later a second time.
    Twice(u64),
}

/// Decides what becomes of the n-th act (from 1), or of a request that is none (`None`).
type Fates = Box<dyn Fn(Option<usize>) -> Road + Send>;

/// What arrived at one end of a road, or was captured on it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Sent {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) at: Time,
    /// It says until when it may be carried out.
    pub(super) has_an_end: bool,
}

/// The road to one service.
pub(super) struct Way {
    fates: Mutex<Fates>,
    sent: Mutex<Vec<Sent>>,
}

impl Way {
    fn open() -> Arc<Self> {
        Arc::new(Self { fates: Mutex::new(Box::new(|_| Road::Open)), sent: Mutex::default() })
    }

    pub(super) fn set(&self, fates: impl Fn(Option<usize>) -> Road + Send + 'static) {
        *self.fates.lock().unwrap() = Box::new(fates);
    }

    pub(super) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }

    /// When requests with this method were sent.
    pub(super) fn times(&self, method: &Method) -> Vec<Time> {
        self.sent().into_iter().filter(|sent| sent.method == *method).map(|sent| sent.at).collect()
    }

    pub(super) fn count(&self, method: &Method) -> usize {
        self.times(method).len()
    }
}

async fn travel(State(way): State<Arc<Way>>, request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let has_an_end = request.headers().contains_key("handfast-not-after");
    // All of it is here before it is counted: whoever asks may be killed at any moment, and with its connection this handler ends.
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let fate = {
        let mut sent = way.sent.lock().unwrap();
        sent.push(Sent { method: method.clone(), path, at: now(), has_an_end });
        let acts = sent.iter().filter(|sent| sent.method == Method::PUT).count();
        (*way.fates.lock().unwrap())((method == Method::PUT).then_some(acts))
    };
    let copy = || Request::from_parts(parts.clone(), Body::from(body.clone()));
    let later = |delay_ms: u64| {
        let (request, next) = (copy(), next.clone());
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(delay_ms)).await;
            next.run(request).await;
        })
    };
    // In a task of its own: what was counted passes, whatever becomes of this handler.
    let passes = || {
        let (request, next) = (copy(), next.clone());
        async move { tokio::spawn(next.run(request)).await.expect("a service does not panic") }
    };
    match fate {
        Road::Open => passes().await,
        Road::RequestCaptured => std::future::pending().await,
        Road::AnswerCaptured => {
            passes().await;
            std::future::pending().await
        }
        Road::Late(delay_ms) => {
            later(delay_ms);
            std::future::pending().await
        }
        Road::Twice(delay_ms) => {
            later(delay_ms);
            passes().await
        }
    }
}

/// The time, as the services and the engines take it.
pub(super) fn now() -> Time {
    handfast::Clock::system().now()
}

/// Both services, for as long as the runtime lives, and where the engines of this shop keep their sagas.
pub(super) struct Shop {
    folder: tempfile::TempDir,
    payment: Registers,
    dispatch: Registers,
    pub(super) to_payment: Arc<Way>,
    pub(super) to_dispatch: Arc<Way>,
    pub(super) urls: [String; 2],
    pub(super) profile: Profile,
    pub(super) deadline_ms: Option<u64>,
    pub(super) assumptions: Assumptions,
}

impl Shop {
    /// A shop whose payment service has these weaknesses.
    pub(super) async fn open(weaknesses: &[Weakness]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let payment = payment::open(folder.path().join("payment.db"), Settings::default()).unwrap();
        let stock = dispatch::Stock::default();
        let dispatch = dispatch::open(folder.path().join("dispatch.db"), stock, Settings::default()).unwrap();
        let (to_payment, to_dispatch) = (Way::open(), Way::open());
        let charges = serve(payment::weak_router(&payment, weaknesses, None), &to_payment).await;
        let shipments = serve(dispatch::router(&dispatch), &to_dispatch).await;
        let urls = [charges + payment::BASE_PATH, shipments + dispatch::BASE_PATH];
        let (profile, deadline_ms, assumptions) = (Profile::CONTRACT, None, Assumptions::default());
        Self { folder, payment, dispatch, to_payment, to_dispatch, urls, profile, deadline_ms, assumptions }
    }

    /// The payment's profile as it is declared.
    pub(super) fn declare(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// For how many milliseconds after its last send an act may still arrive.
    pub(super) fn margin(mut self, margin_ms: u64) -> Self {
        let zero = Some(0);
        self.assumptions = Assumptions { message_lifetime_ms: Some(margin_ms), clock_error_ms: zero, longest_outage_ms: zero };
        self
    }

    /// The payment's deadline, in milliseconds.
    pub(super) fn deadline(mut self, deadline_ms: u64) -> Self {
        self.deadline_ms = Some(deadline_ms);
        self
    }

    pub(super) fn flow(&self) -> Flow {
        flow(self.profile, self.deadline_ms, self.assumptions, &self.urls)
    }

    pub(super) fn store_path(&self) -> PathBuf {
        self.folder.path().join("shop.db")
    }

    pub(super) async fn engine(&self) -> Engine {
        self.engine_with(options()).await
    }

    pub(super) async fn engine_with(&self, options: Options) -> Engine {
        self.engine_of(self.flow(), options).await
    }

    pub(super) async fn engine_of(&self, flow: Flow, options: Options) -> Engine {
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(self.store_path()).unwrap());
        Engine::builder(store).flow(flow).options(options).open().await.unwrap()
    }

    /// Authorize, dispatch, capture.
    pub(super) fn capturing_flow(&self) -> Flow {
        let [charges, shipments] = &self.urls;
        let url = |path: &str| charges.replace(payment::BASE_PATH, path);
        let hold = ProfiledStep::new(self.profile);
        let dispatch = ProfiledStep::new(Profile::of_kind(Kind::Pivot));
        let capture = ProfiledStep { captures: Some(0), ..ProfiledStep::new(Profile::of_kind(Kind::Retriable)) };
        let plan = assess(&[hold, dispatch, capture], &self.assumptions).unwrap().plan;
        let urls = [url(payment::HOLDS_PATH), shipments.clone(), url(payment::CAPTURES_PATH)];
        named(plan, &["payment", "dispatch", "capture"], &urls)
    }

    /// What is charged and what is refunded, effect by effect.
    pub(super) async fn charges(&self) -> (u64, u64) {
        let audit = self.payment.read(|snapshot| Ok(payment::Audit::read(snapshot)?)).await.unwrap();
        (audit.charges, audit.refunds)
    }

    pub(super) async fn captures(&self) -> u64 {
        self.payment.read(|snapshot| Ok(payment::Audit::read(snapshot)?)).await.unwrap().captures
    }

    pub(super) async fn shipments(&self) -> u64 {
        self.dispatch.read(|snapshot| Ok(dispatch::Audit::read(snapshot)?)).await.unwrap().shipments
    }

    /// Acts that met a key of the payment service which had been closed.
    pub(super) async fn late_acts(&self) -> u64 {
        let audit = self.payment.read(|snapshot| Ok(payment::Audit::read(snapshot)?)).await.unwrap();
        audit.registers.late_acts_at_closed_keys
    }
}

/// The flow of a shop whose payment promises this.
pub(super) fn flow(profile: Profile, deadline_ms: Option<u64>, assumptions: Assumptions, urls: &[String; 2]) -> Flow {
    let payment = ProfiledStep { deadline_ms, ..ProfiledStep::new(profile) };
    let dispatch = ProfiledStep::new(Profile::of_kind(Kind::Pivot));
    let plan = assess(&[payment, dispatch], &assumptions).unwrap().plan;
    named(plan, &["payment", "dispatch"], urls)
}

fn named(plan: Plan, names: &[&str], urls: &[String]) -> Flow {
    let text = format!("{plan:?} {urls:?}");
    let steps = names.iter().zip(urls);
    let steps = steps.map(|(&name, url)| FlowStep::new(name, url.as_str())).collect();
    Flow::from_parts("shop", Arc::new(plan), steps, &text).unwrap()
}

/// Impatient, so that a test takes a second and not a minute.
pub(super) fn options() -> Options {
    Options::default()
        .with_try_timeout(TRY_TIMEOUT)
        .with_backoff(Backoff { base: Duration::from_millis(5), cap: Duration::from_millis(100) })
        .with_park_after(Duration::from_millis(50))
}

async fn serve(router: Router, way: &Arc<Way>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = router.layer(from_fn_with_state(Arc::clone(way), travel));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// An order that nobody declines.
pub(super) fn order(id: &str) -> Order {
    let payment = br#"{"amount":{"minor":100,"currency":"EUR"},"token":"tok_visa"}"#.to_vec();
    let dispatch = br#"{"lines":[{"sku":"mug","quantity":1}]}"#.to_vec();
    Order::in_flow_order(id, "{}", vec![payment, dispatch])
}

pub(super) async fn place(engine: &Engine, id: &str) -> SagaHandle {
    engine.submit(order(id)).await.unwrap()
}

/// The saga's end, for which a slow machine may need a while, but not for ever.
pub(super) async fn ended(saga: &mut SagaHandle) -> Result<Outcome, NoOutcome> {
    tokio::time::timeout(Duration::from_mins(2), saga.outcome()).await.expect("it ends, or cannot go on")
}

pub(super) async fn view(engine: &Engine, id: &str) -> SagaView {
    engine.saga(id).await.unwrap().unwrap()
}

pub(super) async fn sleep(time_ms: u64) {
    tokio::time::sleep(Duration::from_millis(time_ms)).await;
}

/// Waits until something holds, for as long as a slow machine may need.
pub(super) async fn until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    for _ in 0..1_000 {
        if holds().await {
            return;
        }
        sleep(20).await;
    }
    panic!("{what}: it does not come to that");
}
