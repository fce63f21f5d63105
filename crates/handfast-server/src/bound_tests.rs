//! A caller that is bound to one flow learns nothing of the sagas of others, and everything of its own.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use handfast::flow_file::FlowFile;
use handfast::store::{Counts, Entry, MOST_LOOKED_AT, MemoryStore, NewSaga, Store, StoreError};
use handfast::{Engine, Flow, ListFilter, ListPage, Order, Outcome, SagaView, Standing, Stats, SubmitError, Time};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::access::{Access, Callers, Scope, Secret, Token, TokenFile};
use crate::coordinator::Offered;
use crate::test_support::{FLOW, asked};
use crate::{Asked, Coordinator, Followed, Server, Stands};

/// An engine of which a saga cannot be read, and another ends after its caller has heard of it.
struct Odd(Engine);

struct Heard(String);

impl Followed for Heard {
    fn id(&self) -> &str {
        &self.0
    }
    fn was_placed_before(&self) -> bool {
        false
    }
    fn stands(&self) -> Stands {
        Stands::new(Standing::Acting, None, Some("its participant does not answer".to_owned()))
    }
    fn wait(&mut self, _longest: Duration) -> Asked<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

impl Coordinator for Odd {
    fn place(&self, order: Order) -> Asked<'_, Result<Box<dyn Followed>, SubmitError>> {
        Box::pin(async {
            let placed = self.0.submit(order).await?;
            Ok(Box::new(Heard(placed.id().to_owned())) as Box<dyn Followed>)
        })
    }
    fn watch<'a>(&'a self, id: &'a str) -> Asked<'a, Result<Option<Box<dyn Followed>>, StoreError>> {
        Coordinator::watch(&self.0, id)
    }
    fn look<'a>(&'a self, id: &'a str, with_tries: bool) -> Asked<'a, Result<Option<SagaView>, StoreError>> {
        Box::pin(async move {
            if id == "damaged" {
                return Err(StoreError::Corrupt { id: id.to_owned(), what: "its row in `placed` is missing".to_owned() });
            }
            let mut view = Coordinator::look(&self.0, id, with_tries).await?;
            if let Some(view) = view.as_mut().filter(|view| view.id == "quick") {
                (view.outcome, view.standing) = (Some(Outcome::Completed), "completed".to_owned());
            }
            Ok(view)
        })
    }
    fn check_ready(&self) -> Asked<'_, Result<(), StoreError>> {
        Coordinator::check_ready(&self.0)
    }
    fn dead_part(&self) -> Option<&'static str> {
        None
    }
    fn store_trouble(&self) -> Option<String> {
        None
    }
    fn stats(&self) -> Asked<'_, Result<(Stats, Counts), StoreError>> {
        Coordinator::stats(&self.0)
    }
    fn shutdown(&self, longest: Duration) -> Asked<'_, bool> {
        Coordinator::shutdown(&self.0, longest)
    }
    fn list<'a>(&'a self, filter: &'a ListFilter) -> Offered<'a, ListPage, StoreError> {
        Coordinator::list(&self.0, filter)
    }
}

/// A saga that is there and has ended.
fn stored(id: &str, flow: &Flow, version: u32) -> NewSaga {
    NewSaga {
        id: id.to_owned(),
        request_key_hash: None,
        flow_hash: flow.hash(),
        flow_text: Arc::clone(flow.text()),
        version,
        input: b"{}".to_vec(),
        bodies: vec!["{}".into()],
        entries: vec![Entry { seq: 1, at: Time(5), input: "{\"start\":{}}".to_owned(), digest: [7; 8] }],
        wake_at: None,
        standing: "completed",
    }
}

struct Service {
    server: Server,
    /// The token of the flow `shop`, and the one of all.
    tokens: [Secret; 2],
    _keeps_on: watch::Sender<bool>,
}

impl Service {
    /// Over `own` sagas of its flow, of which the last was written by a newer version, and after the first more of another flow
    /// than one page looks at.
    async fn open(folder: &Path) -> Self {
        let tokens = [Secret::draw().unwrap(), Secret::draw().unwrap()];
        let token = |name: &str, secret: &Secret, flow: Option<&str>| {
            let (name, scopes) = (name.to_owned(), Scope::ALL.into_iter().collect());
            Token { name, hash: secret.hash(), scopes, flow: flow.map(str::to_owned), expires_ms: None }.to_toml()
        };
        let path = folder.join("tokens.toml");
        std::fs::write(&path, [token("own", &tokens[0], Some("shop")), token("all", &tokens[1], None)].join("\n")).unwrap();
        let access = Access::Tokens(TokenFile::open(&path).unwrap());
        let file = FlowFile::parse("shop.toml", FLOW).unwrap();
        let flow = file.flow::<&str>(&[]).unwrap();
        let cards = Flow::builder("cards").pivot("dispatch", "http://127.0.0.1:1").build().unwrap();
        let store = Arc::new(MemoryStore::new());
        store.create(stored("shop-1", &flow, 1)).await.unwrap();
        for number in 0..=MOST_LOOKED_AT {
            store.create(stored(&format!("cards-{number}"), &cards, 1)).await.unwrap();
        }
        store.create(stored("shop-2", &flow, 99)).await.unwrap();
        let engine = Engine::builder(store).flow(Arc::clone(&flow)).open().await.unwrap();
        let (_keeps_on, stop) = watch::channel(false);
        let server = Server::over(Arc::new(Odd(engine)), (file, flow), Callers { access, most: 64 }, stop);
        Self { server, tokens, _keeps_on }
    }

    async fn ask(&self, which: usize, request: (&str, &str), sent: Value) -> (StatusCode, Value) {
        let (method, path) = request;
        let request = Request::builder().method(method).uri(path).header("idempotency-key", "key-1");
        let request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.tokens[which].as_str()));
        let request = request.header(header::CONTENT_TYPE, "application/json").body(Body::from(sent.to_string())).unwrap();
        let (head, answer) = asked(&self.server, request).await;
        (head.status, answer.unwrap_or(Value::Null))
    }

    async fn own(&self, path: &str) -> (StatusCode, Value) {
        self.ask(0, ("GET", path), Value::Null).await
    }
}

#[tokio::test]
async fn a_caller_of_one_flow_learns_of_its_own_sagas_alone() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::open(folder.path()).await;
    // Its own, also where a newer version has written it.
    for (id, expected) in [("shop-1", 200), ("shop-2", 200), ("cards-1", 404), ("unknown", 404)] {
        let (status, answer) = service.own(&format!("/sagas/{id}")).await;
        assert_eq!(status, expected, "{id}: {answer}");
    }
    // Of one that cannot be read it is not told what is wrong with it; a caller who may see all is.
    let (status, answer) = service.own("/sagas/damaged").await;
    assert!(status.is_server_error() && !answer.to_string().contains("placed"), "{status}: {answer}");
    assert!(answer["detail"].as_str().unwrap().contains("cannot be read"), "{answer}");
    let (_, answer) = service.ask(1, ("GET", "/sagas/damaged"), Value::Null).await;
    assert!(answer.to_string().contains("its row in `placed` is missing"), "{answer}");
    // A page begins after one of its own, and ends there.
    let unknown = service.own("/sagas?after=unknown").await;
    let foreign = service.own("/sagas?after=cards-1").await;
    assert_eq!((foreign.0, unknown.0), (StatusCode::BAD_REQUEST, StatusCode::BAD_REQUEST), "{}", foreign.1);
    assert_eq!(foreign.1.to_string().replace("cards-1", "unknown"), unknown.1.to_string());
    let ids = |page: &Value| -> Vec<String> {
        page["sagas"].as_array().unwrap().iter().map(|saga| saga["id"].as_str().unwrap().to_owned()).collect()
    };
    let (status, first) = service.own("/sagas").await;
    assert_eq!((status, ids(&first)), (StatusCode::OK, vec!["shop-1".to_owned()]));
    let next = first["next"].as_str().unwrap();
    assert!(next.contains("after=shop-1"), "{next}");
    let (status, second) = service.own(next).await;
    assert_eq!((status, ids(&second), &second["next"]), (StatusCode::OK, vec!["shop-2".to_owned()], &Value::Null));
}

#[tokio::test]
async fn the_status_of_an_answer_to_an_order_says_what_its_body_says() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::open(folder.path()).await;
    let order = |id: &str| json!({ "id": id, "lines": [{ "sku": "tea" }] });
    let (status, answer) = service.ask(0, ("POST", "/sagas"), order("quick")).await;
    assert_eq!((status, &answer["outcome"]), (StatusCode::CREATED, &json!("completed")), "{answer}");
    // The key stands for that order; which one that is, is not said.
    let (status, answer) = service.ask(0, ("POST", "/sagas"), order("slow")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
    assert!(!answer.to_string().contains("quick"), "{answer}");
}
