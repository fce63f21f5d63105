//! A service that knows nothing of the contract, and answers as a test lets it.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use handfast::flow_file::FlowFile;
use handfast::{Engine, SagaHandle};
use serde_json::Value;

use super::shop::{Shop, options};

/// What the service has in its books, and was asked for.
#[derive(Default)]
pub(super) struct Books {
    /// What is charged now, in minor units.
    pub(super) charged: i64,
    pub(super) asked: Vec<(Method, String)>,
}

/// Answers the n-th request (from 1), and changes the books. `None`: no answer leaves.
type Clerk = Box<dyn Fn(&mut Books, usize, &Method, &str) -> Option<(u16, Value)> + Send + Sync>;

pub(super) struct Provider {
    books: Mutex<Books>,
    clerk: Clerk,
}

async fn answer(State(provider): State<Arc<Provider>>, method: Method, uri: Uri, _body: Bytes) -> Response {
    let path = uri.path().to_owned();
    let answer = {
        let mut books = provider.books.lock().unwrap();
        books.asked.push((method.clone(), path.clone()));
        let number = books.asked.len();
        (provider.clerk)(&mut books, number, &method, &path)
    };
    match answer {
        Some((status, Value::Null)) => StatusCode::from_u16(status).unwrap().into_response(),
        Some((status, body)) => (StatusCode::from_u16(status).unwrap(), body.to_string()).into_response(),
        None => std::future::pending().await,
    }
}

impl Provider {
    pub(super) async fn start(
        clerk: impl Fn(&mut Books, usize, &Method, &str) -> Option<(u16, Value)> + Send + Sync + 'static,
    ) -> (Arc<Self>, String) {
        let provider = Arc::new(Self { books: Mutex::default(), clerk: Box::new(clerk) });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(Arc::clone(&provider));
        tokio::spawn(async move { axum::serve(listener, router).await });
        (provider, url)
    }

    pub(super) fn charged(&self) -> i64 {
        self.books.lock().unwrap().charged
    }

    pub(super) fn asked(&self) -> Vec<(Method, String)> {
        self.books.lock().unwrap().asked.clone()
    }
}

/// A payment at the provider, whose answers mean this, and then a dispatch that speaks the contract.
pub(super) fn flow(provider: &str, shipments: &str, act: &str, undo: &str) -> FlowFile {
    read(&text(provider, shipments, act, undo))
}

pub(super) fn read(text: &str) -> FlowFile {
    FlowFile::parse("shop.toml", text).unwrap_or_else(|error| panic!("{error}"))
}

/// The file of that flow.
pub(super) fn text(provider: &str, shipments: &str, act: &str, undo: &str) -> String {
    format!(
        r#"
name = "shop"
[input]
amount = "money"
token = "token"
lines = "list"
[[step]]
name = "payment"
participant = "http"
send = ["amount", "token"]
[step.profile]
idempotent = true
remembers = "for-ever"
sticky_refusal = true
[step.http.act]
method = "PUT"
url = "{provider}/charges/{{key}}"
body = '{{"amount": {{input.amount.minor}}, "token": "{{input.token}}"}}'
{act}
[step.http.undo]
{undo}
[[step]]
name = "dispatch"
kind = "pivot"
url = "{shipments}"
send = ["lines"]
"#
    )
}

pub(super) async fn order(shop: &Shop, file: &FlowFile) -> (Engine, SagaHandle) {
    order_at_risk(shop, file, &[]).await
}

/// The same where these risks are accepted.
pub(super) async fn order_at_risk(shop: &Shop, file: &FlowFile, risks: &[&str]) -> (Engine, SagaHandle) {
    let engine = shop.engine_of((*file.flow(risks).unwrap()).clone(), options()).await;
    let order =
        r#"{"id":"order-1","amount":{"minor":100,"currency":"EUR"},"token":"tok_visa","lines":[{"sku":"mug","quantity":1}]}"#;
    let saga = engine.submit(file.parse_order(order.as_bytes()).unwrap()).await.unwrap();
    (engine, saga)
}

pub(super) const UNDONE: &str = "url = \"PROVIDER/charges/{key}/refund\"\nundone = { json = { \"/state\" = \"refunded\" } }";
