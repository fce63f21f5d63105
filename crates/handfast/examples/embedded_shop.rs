//! A web shop with the engine inside: `POST /orders` charges the card and sends the goods, or does neither.
//!
//! `cargo run -p handfast --example embedded_shop`
//!
//! The payment and the dispatch service run in this process too, each on a port of its own, and the road to them loses answers
//! ([`handfast::testing`]). In a shop of yours they are two URLs, which the flow can name itself.

use std::error::Error;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use handfast::participant::HttpParticipant;
use handfast::store::SqliteStore;
use handfast::testing::{Road, Scripted};
use handfast::{Clock, Engine, Flow, Order, Outcome, SubmitError};
use handfast_participant::dispatch::Stock;
use handfast_participant::{Registers, Settings, dispatch, payment};
use serde::{Deserialize, Serialize};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    print!("{}", report().await?);
    Ok(())
}

#[derive(Serialize, Deserialize)]
struct Cart {
    order: String,
    sku: String,
    cents: u64,
    token: String,
}

/// The shop's one page. Who posts the same cart again is told how the same order stands, and is not charged again.
async fn place(State(engine): State<Arc<Engine>>, Json(cart): Json<Cart>) -> Response {
    let input = json!(cart).to_string();
    let charge = json!({"amount": {"minor": cart.cents, "currency": "EUR"}, "token": cart.token}).to_string();
    let parcel = json!({"lines": [{"sku": cart.sku, "quantity": 1}]}).to_string();
    let order = Order::new(cart.order, input).body("payment", charge).body("dispatch", parcel);
    // When this returns, the order is on the disk: whatever happens now, it ends in both or neither.
    let mut saga = match engine.submit(order).await {
        Ok(saga) => saga,
        Err(error @ SubmitError::DifferentBody { .. }) => return (StatusCode::CONFLICT, error.to_string()).into_response(),
        Err(error) => return (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
    };
    // Most customers get their answer at once; the others ask again, while the engine goes on.
    match saga.wait(Duration::from_secs(20)).await.map(|progress| progress.outcome()) {
        Ok(Some(Outcome::Completed)) => (StatusCode::CREATED, "paid, and on its way").into_response(),
        Ok(Some(Outcome::Cancelled)) => (StatusCode::PAYMENT_REQUIRED, "not sent, and not paid").into_response(),
        Ok(Some(Outcome::Settled)) => (StatusCode::CONFLICT, "somebody has settled it by hand").into_response(),
        Ok(None) | Err(_) => (StatusCode::ACCEPTED, "we are still at it").into_response(),
    }
}

/// A flow with two services, and the shop in front of it.
async fn shop(folder: &Path, bank: Arc<Scripted>, depot: Arc<Scripted>) -> Result<Router, Box<dyn Error>> {
    // The payment can be undone, the dispatch cannot; the other way round this would not compile.
    let flow = Flow::builder("shop")
        .compensatable("payment", "bank")
        .deadline(Duration::from_secs(10))
        .pivot("dispatch", "depot")
        .build()?;
    let store = Arc::new(SqliteStore::open(folder.join("shop.db"))?);
    let engine = Engine::builder(store).flow(flow).shared_participant("bank", bank).shared_participant("depot", depot);
    let engine = engine.open().await?;
    Ok(Router::new().route("/orders", post(place)).with_state(Arc::new(engine)))
}

/// Serves on a free port.
async fn listen(router: Router) -> Result<String, Box<dyn Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(url)
}

/// A service at this address, behind a road that loses what it is told to.
fn behind_a_road(base: &str) -> Result<Arc<Scripted>, Box<dyn Error>> {
    Ok(Arc::new(Scripted::over(HttpParticipant::new(base, Duration::from_secs(1), Clock::system())?)))
}

/// Opens everything, places four orders, and counts the services' own books.
pub(crate) async fn report() -> Result<String, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let mut stock = Stock::default();
    stock.add_list("gold=0")?;
    let bank: Registers = payment::open(folder.path().join("payment.db"), Settings::default())?;
    let depot: Registers = dispatch::open(folder.path().join("dispatch.db"), stock, Settings::default())?;
    let to_bank = behind_a_road(&(listen(payment::router(&bank)).await? + payment::BASE_PATH))?;
    let to_depot = behind_a_road(&(listen(dispatch::router(&depot)).await? + dispatch::BASE_PATH))?;
    let shop_url = listen(shop(folder.path(), Arc::clone(&to_bank), Arc::clone(&to_depot)).await?).await?;

    let mut report = String::new();
    let customer = reqwest::Client::new();
    for (order, sku, token, lost) in [
        ("order-1", "tea", "tok_visa", 0),
        ("order-2", "tea", "tok_declined", 0),
        ("order-3", "gold", "tok_visa", 0),
        ("order-4", "tea", "tok_visa", 2),
    ] {
        to_bank.next(lost, &Road::AnswerLost);
        to_depot.next(lost, &Road::AnswerLost);
        let cart = json!(Cart { order: order.into(), sku: sku.into(), cents: 1999, token: token.into() }).to_string();
        let request = customer.post(format!("{shop_url}/orders")).header("content-type", "application/json").body(cart);
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        writeln!(report, "{order}, {sku}, {token}, {lost} answers of each service lost: {status} {}", answer.text().await?)?;
    }
    let paid = bank.read(|books| Ok(payment::Audit::read(books)?)).await?;
    let sent = depot.read(|books| Ok(dispatch::Audit::read(books)?)).await?;
    writeln!(report, "books: {} charges, {} refunds, {} shipments", paid.charges, paid.refunds, sent.shipments)?;
    Ok(report)
}
