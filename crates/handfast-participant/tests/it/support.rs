//! A service on a store of its own, and a way to ask it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use handfast_participant::dispatch::{self, Stock};
use handfast_participant::{BodyHash, Registers, Settings, Time, payment};
use rusqlite::Connection;
use rusqlite::types::FromSql;
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt as _;

pub(crate) const VISA: &str = r#"{"amount":{"minor":1999,"currency":"EUR"},"token":"tok_visa"}"#;
pub(crate) const OTHER: &str = r#"{"amount":{"minor":500,"currency":"EUR"},"token":"tok_visa"}"#;
pub(crate) const DECLINED: &str = r#"{"amount":{"minor":1999,"currency":"EUR"},"token":"tok_declined"}"#;
pub(crate) const LAMP: &str = r#"{"lines":[{"sku":"lamp","quantity":1}]}"#;

/// A service, its store, and a clock that goes only where it is told to.
pub(crate) struct Subject {
    pub(crate) router: Router,
    pub(crate) registers: Registers,
    pub(crate) clock: Arc<AtomicU64>,
    folder: TempDir,
}

impl Subject {
    pub(crate) fn payment() -> Self {
        Self::made("payment.db", |path, settings| payment::open(path, settings).unwrap(), payment::router)
    }

    pub(crate) fn dispatch(stock: &str) -> Self {
        let mut given = Stock::default();
        given.add_list(stock).unwrap();
        Self::made("dispatch.db", |path, settings| dispatch::open(path, given, settings).unwrap(), dispatch::router)
    }

    pub(crate) fn made(name: &str, open: impl FnOnce(PathBuf, Settings) -> Registers, router: fn(&Registers) -> Router) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(AtomicU64::new(1_000));
        let told = Arc::clone(&clock);
        let settings = Settings::default().with_clock(Arc::new(move || Time(told.load(Ordering::SeqCst))));
        let registers = open(folder.path().join(name), settings);
        Self { router: router(&registers), registers, clock, folder }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.registers.path().to_owned()
    }

    /// The folder of the store, which goes away with what is returned.
    pub(crate) fn into_folder(self) -> TempDir {
        self.folder
    }

    pub(crate) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        send(&self.router, method, path, headers, Body::from(body.to_owned())).await
    }

    pub(crate) async fn act(&self, key: &str, body: &str) -> Answer {
        self.send("PUT", &self.at(key), &[JSON], body).await
    }

    pub(crate) async fn close(&self, key: &str) -> Answer {
        self.send("POST", &format!("{}/close", self.at(key)), &[], "").await
    }

    pub(crate) async fn undo(&self, key: &str) -> Answer {
        self.send("DELETE", &self.at(key), &[], "").await
    }

    pub(crate) async fn peek(&self, key: &str) -> Answer {
        self.send("GET", &self.at(key), &[], "").await
    }

    pub(crate) async fn audit(&self) -> Value {
        let answer = self.send("GET", "/audit", &[], "").await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.body
    }

    pub(crate) fn at(&self, key: &str) -> String {
        let base = if self.registers.service() == "dispatch" { dispatch::BASE_PATH } else { payment::BASE_PATH };
        format!("{base}/{key}")
    }

    /// What a query over the file says, past all our code.
    pub(crate) fn sql<T: FromSql>(&self, query: &str) -> T {
        let connection = Connection::open(self.path()).unwrap();
        connection.query_row(query, [], |row| row.get(0)).unwrap()
    }
}

pub(crate) const JSON: (&str, &str) = ("content-type", "application/json");

/// An answer, read whole.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn state(&self) -> &str {
        self.body["state"].as_str().unwrap_or("no state")
    }

    pub(crate) fn content_type(&self) -> &str {
        self.headers.get("content-type").map_or("none", |value| value.to_str().unwrap())
    }
}

async fn send(router: &Router, method: &str, path: &str, headers: &[(&str, &str)], body: Body) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
    Answer { status: parts.status, headers: parts.headers, body }
}

pub(crate) fn hash(body: &str) -> String {
    BodyHash::of(body.as_bytes()).to_string()
}
