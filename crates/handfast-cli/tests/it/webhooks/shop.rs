//! A shop whose payment service answers later: the two reference services and the coordinator as processes, and before the
//! payment service a gate that counts what passes, and may say "accepted" in its stead.

use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use handfast::Clock;
use handfast::participant::Secret;
use handfast::webhook::Scheme;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::watch;

use crate::serve::shop::{Caller, PATIENCE, Process, Reply, free_address, order, path};

/// What everybody signs with who is who they say.
pub(super) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What the gate does with an act.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Gate {
    /// It passes, and so does the answer.
    Open,
    /// It passes, and is answered with "accepted" whatever came of it.
    CarriedOut,
    /// It does not pass, and is answered with "accepted".
    Shut,
    /// It does not pass, and has no answer until the gate is another one: then it is answered with "accepted".
    Silent,
}

struct Passage {
    payment: String,
    gate: watch::Sender<Gate>,
    acts: Mutex<Vec<u64>>,
    client: Client<HttpConnector, Body>,
}

async fn pass(State(passage): State<Arc<Passage>>, request: Request) -> Response {
    let accepted = || (StatusCode::ACCEPTED, r#"{"status":"accepted"}"#).into_response();
    let is_act = request.method() == Method::PUT;
    // All of it is here before it is counted: whoever asks may be killed at any moment, and with its connection this handler ends.
    let (mut parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let gate = *passage.gate.borrow();
    if is_act {
        passage.acts.lock().unwrap().push(now_ms());
    }
    if is_act && gate == Gate::Silent {
        passage.gate.subscribe().wait_for(|gate| *gate != Gate::Silent).await.unwrap();
        return accepted();
    }
    if is_act && gate == Gate::Shut {
        return accepted();
    }
    parts.uri = format!("http://{}{}", passage.payment, parts.uri.path()).parse().unwrap();
    // In a task of its own: what was counted passes, whatever becomes of this handler.
    let request = passage.client.request(Request::from_parts(parts, body.into()));
    match tokio::spawn(request).await.expect("it does not panic") {
        Ok(_) if is_act && gate == Gate::CarriedOut => accepted(),
        Ok(answer) => answer.into_response(),
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

fn now_ms() -> u64 {
    Clock::system().now().0
}

/// The shop, with its two services for as long as it is there.
pub(super) struct Shop {
    folder: TempDir,
    passage: Arc<Passage>,
    listen: String,
    _services: [Process; 2],
}

impl Shop {
    /// A shop whose payment service is started with these options, too. `{shop}` in them is where webhooks go.
    pub(super) async fn open(payment: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (listen, address) = (free_address(), free_address());
        let store = |name: &str| format!("sqlite:{}", folder.path().join(format!("{name}.db")).display());
        let more: Vec<String> =
            payment.iter().map(|option| option.replace("{shop}", &format!("http://{listen}/webhooks/payment"))).collect();
        let payment_store = store("payment");
        let arguments = ["payment", "--listen", &address, "--store", &payment_store];
        let arguments = [&arguments[..], &more.iter().map(String::as_str).collect::<Vec<_>>()].concat();
        let payment = Process::start_in(&[("HANDFAST_WEBHOOK_SECRET", SECRET)], &arguments);
        let dispatch = Process::start(&["dispatch", "--listen", "127.0.0.1:0", "--store", &store("dispatch")]);
        let client = Client::builder(TokioExecutor::new()).build_http();
        let passage =
            Arc::new(Passage { payment: address, gate: watch::Sender::new(Gate::Open), acts: Mutex::default(), client });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gate = listener.local_addr().unwrap();
        let router = Router::new().fallback(pass).with_state(Arc::clone(&passage));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let flow = include_str!("flow.toml").replace("{gate}", &gate.to_string()).replace("{dispatch}", &dispatch.url);
        fs::write(folder.path().join("shop.toml"), flow).unwrap();
        Self { folder, passage, listen, _services: [payment, dispatch] }
    }

    pub(super) fn coordinator(&self) -> Process {
        let (flow, store) = (self.folder.path().join("shop.toml"), self.folder.path().join("shop.db"));
        let store = format!("sqlite:{}", store.display());
        let arguments = ["serve", "--flow", path(&flow), "--listen", &self.listen, "--store", &store];
        Process::start_in(&[("PAYMENT_WEBHOOK", SECRET)], &arguments)
    }

    pub(super) fn set(&self, gate: Gate) {
        self.passage.gate.send_replace(gate);
    }

    /// How many acts came to the gate.
    pub(super) fn acts(&self) -> usize {
        self.passage.acts.lock().unwrap().len()
    }

    /// What the payment service has charged and refunded.
    pub(super) async fn charges(&self) -> (u64, u64) {
        let uri = format!("http://{}/audit", self.passage.payment).parse().unwrap();
        let answer = self.passage.client.get(uri).await.unwrap();
        let audit: Value = serde_json::from_slice(&to_bytes(Body::new(answer.into_body()), 1 << 20).await.unwrap()).unwrap();
        assert_eq!((&audit["disagreements"], &audit["balanced"]), (&json!(0), &json!(true)), "{audit}");
        (audit["charges"].as_u64().unwrap(), audit["refunds"].as_u64().unwrap())
    }

    /// Places an order, and waits until the payment service has been asked and is left alone for more than a minute.
    pub(super) async fn place(&self, caller: &Caller, id: &str) -> usize {
        assert_eq!(caller.place(id, &order(id), &[]).await.status, 202);
        self.left_alone(caller, id).await
    }

    /// Waits until the payment service is left alone for more than a minute. Says how often it was asked.
    pub(super) async fn left_alone(&self, caller: &Caller, id: &str) -> usize {
        let mut acts = 0;
        until("it is left alone", async || {
            let saga = caller.get(&format!("/sagas/{id}")).await.json();
            acts = self.acts();
            let is_quiet = self.passage.acts.lock().unwrap().last().is_some_and(|at| at + 1_100 < now_ms());
            is_quiet && saga["next_look_ms"].as_u64().is_some_and(|at| at > now_ms() + 60_000)
        })
        .await;
        acts
    }
}

/// Waits until something holds, for as long as a slow machine may need.
pub(super) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..PATIENCE.as_millis() / 20 {
        if holds().await {
            return;
        }
        pause(20).await;
    }
    panic!("{what}: it does not come to that");
}

pub(super) async fn pause(time_ms: u64) {
    tokio::time::sleep(Duration::from_millis(time_ms)).await;
}

/// Longer than it takes until a hint that was taken is acted on, whatever came before it.
pub(super) async fn long_enough_for_a_hint() {
    pause(2_500).await;
}

/// What a webhook says.
pub(super) fn about(key: &Value, state: &str) -> String {
    json!({ "type": format!("charge.{state}"), "data": { "key": key, "state": state } }).to_string()
}

/// Sends a webhook that is signed with this secret, as many seconds ago as said.
pub(super) async fn send_signed(caller: &Caller, secret: &str, id: &str, body: &str, seconds_ago: u64) -> Reply {
    let at = handfast::Time(now_ms() - seconds_ago * 1000);
    let headers = Scheme::StandardWebhooks.sign(&Secret::new(secret), id, at, body.as_bytes()).unwrap();
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    // Either address is the step's, since there is no other flow.
    let address = if id.ends_with('1') { "/webhooks/payment" } else { "/flows/shop/webhooks/payment" };
    caller.send(Method::POST, address, &headers, body.to_owned()).await
}

/// Sends a webhook as the payment service would.
pub(super) async fn send(caller: &Caller, id: &str, body: &str) -> u16 {
    send_signed(caller, SECRET, id, body, 0).await.status.as_u16()
}

/// The key of the payment of a saga.
pub(super) async fn key_of(caller: &Caller, id: &str) -> Value {
    caller.get(&format!("/sagas/{id}")).await.json()["steps"][0]["key"].clone()
}
