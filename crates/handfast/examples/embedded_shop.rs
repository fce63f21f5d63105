//! A web shop with the engine inside: `POST /orders` charges the card and sends the goods, or does neither.
//!
//! `cargo run -p handfast --example embedded_shop`
//!
//! The payment and the dispatch service run in this process too, each on a port of its own, with a road before them that
//! loses answers. In a shop of yours they are two URLs.

use std::error::Error;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use handfast::store::SqliteStore;
use handfast::{Engine, Flow, Order, Outcome, SubmitError};
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
    let order = Order::new(cart.order, input, vec![charge.into_bytes(), parcel.into_bytes()]);
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

/// A flow with two services at these addresses, and the shop in front of it.
async fn shop(folder: &Path, payment: &str, dispatch: &str) -> Result<Router, Box<dyn Error>> {
    // The payment can be undone, the dispatch cannot; the other way round this would not compile.
    let flow = Flow::builder("shop")
        .compensatable("payment", payment)
        .deadline(Duration::from_secs(10))
        .pivot("dispatch", dispatch)
        .build()?;
    let store = Arc::new(SqliteStore::open(folder.join("shop.db"))?);
    let engine = Engine::builder(store).flow(flow).open().await?;
    Ok(Router::new().route("/orders", post(place)).with_state(Arc::new(engine)))
}

/// Loses the first answers of a service: the work is done, and the caller hears only that something went wrong.
async fn lose(State(left): State<Arc<AtomicU32>>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    match left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)) {
        Ok(_) => StatusCode::GATEWAY_TIMEOUT.into_response(),
        Err(_) => response,
    }
}

/// Serves on a free port, behind a road that loses as many answers as it is told.
async fn listen(router: Router) -> Result<(String, Arc<AtomicU32>), Box<dyn Error>> {
    let losses = Arc::new(AtomicU32::new(0));
    let router = router.layer(from_fn_with_state(Arc::clone(&losses), lose));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok((url, losses))
}

/// Opens everything, places four orders, and counts the services' own books.
pub(crate) async fn report() -> Result<String, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let mut stock = Stock::default();
    stock.add_list("gold=0")?;
    let bank: Registers = payment::open(folder.path().join("payment.db"), Settings::default())?;
    let depot: Registers = dispatch::open(folder.path().join("dispatch.db"), stock, Settings::default())?;
    let (bank_url, bank_losses) = listen(payment::router(&bank)).await?;
    let (depot_url, depot_losses) = listen(dispatch::router(&depot)).await?;
    let shop = shop(folder.path(), &(bank_url + payment::BASE_PATH), &(depot_url + dispatch::BASE_PATH)).await?;
    let (shop_url, _) = listen(shop).await?;

    let mut report = String::new();
    let customer = reqwest::Client::new();
    for (order, sku, token, lost) in [
        ("order-1", "tea", "tok_visa", 0),
        ("order-2", "tea", "tok_declined", 0),
        ("order-3", "gold", "tok_visa", 0),
        ("order-4", "tea", "tok_visa", 2),
    ] {
        bank_losses.store(lost, Ordering::Relaxed);
        depot_losses.store(lost, Ordering::Relaxed);
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
