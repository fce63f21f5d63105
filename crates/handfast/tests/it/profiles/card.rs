//! The card trade's own form, as it ships: a bank has let the hold go before it is captured.

use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use handfast::flow_file::FlowFile;
use handfast::participant::Secret;
use handfast::store::SqliteStore;
use handfast::{Engine, NoOutcome};
use handfast_participant::{Weakness, dispatch, payment};

use super::shop::{Road, Shop, ended, options, sleep, until, view};

const ORDER: &str = r#"{"id":"order-1","customer":"c-1","amount":{"minor":1999,"currency":"EUR"},"token":"tok_visa","lines":[{"sku":"mug","quantity":1}]}"#;

#[tokio::test]
async fn a_hold_that_is_gone_before_the_capture_is_told_at_once_with_the_amount() {
    let shop = Shop::open(&[Weakness::HoldsFor(Duration::from_millis(300))]).await;
    let [charges, shipments] = &shop.urls;
    let text = include_str!("../../../../../examples/card/flow.toml")
        .replace("http://127.0.0.1:4001", charges.trim_end_matches(payment::BASE_PATH))
        .replace("http://127.0.0.1:4002", shipments.trim_end_matches(dispatch::BASE_PATH));
    let file = FlowFile::parse("flow.toml", &text).unwrap_or_else(|error| panic!("{error}"));
    let flow = (*file.flow(&["hold-lapse"]).unwrap()).clone();
    shop.to_dispatch.set(|_| Road::RequestCaptured);
    let store = Arc::new(SqliteStore::open(shop.store_path()).unwrap());
    let engine = Engine::builder(store)
        .flow(flow)
        .options(options())
        .secret("BANK_TOKEN", Secret::new("a-token-of-a-test"))
        .open()
        .await
        .unwrap();
    let mut saga = engine.submit(file.parse_order(ORDER.as_bytes()).unwrap()).await.unwrap();
    until("the goods are asked for", || async { shop.to_dispatch.count(&Method::PUT) > 0 }).await;
    // The goods leave late, and nobody holds the amount any more.
    sleep(600).await;
    shop.to_dispatch.set(|_| Road::Open);
    let stuck = ended(&mut saga).await.unwrap_err();
    let NoOutcome::Stuck { reason, .. } = &stuck else { panic!("{stuck}") };
    for said in ["step capture: it refused", "cannot be undone was done", "19.99 EUR"] {
        assert!(reason.contains(said), "{reason}");
    }
    let view = view(&engine, "order-1").await;
    assert!(view.trouble.as_ref().is_some_and(|trouble| trouble.contains("19.99 EUR")), "{:?}", view.trouble);
    assert_eq!(view.steps[2].detail.as_deref(), Some("hold_lapsed"));
    assert_eq!((shop.shipments().await, shop.captures().await, engine.stats().totals.suspended), (1, 0, 1));
}
