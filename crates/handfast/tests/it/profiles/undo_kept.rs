//! What an undo brings is about the undo: the next one is sent for what was done, whatever a flow of before calls the two.

use std::collections::BTreeMap;

use axum::http::Method;
use handfast::journal::Said;
use handfast::{Act, Flow};
use serde_json::json;

use super::provider::{Provider, read, text};
use super::shop::{Road, Shop, options, until, view};

/// The charge is number 17, and every refund is number 42, which is also the number of somebody else's charge.
async fn numbered() -> (std::sync::Arc<Provider>, String) {
    Provider::start(|books, _, method, path| {
        if *method == Method::PUT {
            books.charged = 100;
            return Some((200, json!({"state": "charged", "id": 17})));
        }
        if *method == Method::GET {
            return Some((200, json!({"state": "failed"})));
        }
        let is_first = books.asked.iter().filter(|(method, _)| *method == Method::POST).count() == 1;
        if is_first {
            return Some((202, json!({"state": "pending", "id": 42})));
        }
        books.charged -= if path == "/refunds/17" { 100 } else { 0 };
        Some((200, json!({"state": "refunded", "id": 42})))
    })
    .await
}

#[tokio::test]
async fn an_undo_that_keeps_what_its_act_keeps_is_sent_for_no_other_object() {
    let shop = Shop::open(&[]).await;
    let (provider, url) = numbered().await;
    let undo = "url = \"PROVIDER/refunds/{receipt.payment.id}\"\n\
                undone = { json = { \"/state\" = \"refunded\" } }\n\
                accepted = { json = { \"/state\" = \"pending\" } }\n\
                keep = { refund = \"/id\" }\n\
                [step.http.undo_peek]\n\
                url = \"PROVIDER/refund-of/{key}\"\n\
                undone = { json = { \"/state\" = \"refunded\" } }\n\
                failed = { json = { \"/state\" = \"failed\" } }";
    let act = "done = { json = { \"/state\" = \"charged\" } }\nkeep = { id = \"/id\" }";
    let file = read(&text(&url, &shop.urls[1], act, &undo.replace("PROVIDER", &url)));
    // A flow file like this is refused; an order of before, or a definition that was adopted, may have it.
    let flow = file.flow::<&str>(&[]).unwrap();
    let former = flow.text().replace(r#""keep":{"refund":"/id"}"#, r#""keep":{"id":"/id"}"#);
    assert_ne!(former.as_str(), &**flow.text());
    let engine = shop.engine_of(Flow::from_built_text(&former).unwrap(), options()).await;
    shop.to_dispatch.set(|_| Road::RequestCaptured);
    let order =
        r#"{"id":"order-1","amount":{"minor":100,"currency":"EUR"},"token":"tok_visa","lines":[{"sku":"mug","quantity":1}]}"#;
    let _saga = engine.submit(file.parse_order(order.as_bytes()).unwrap()).await.unwrap();
    until("the dispatch is asked for", || async { shop.to_dispatch.count(&Method::PUT) > 0 }).await;
    engine.cancel("order-1", None, None).await.unwrap();
    shop.to_dispatch.set(|_| Road::Open);
    let failed = || async { view(&engine, "order-1").await.trouble.is_some_and(|trouble| trouble.contains("its undo")) };
    until("the refund has failed", failed).await;
    let saw = view(&engine, "order-1").await.entries.len() as u64;
    let (by, reason, request_id) = ("ada".to_owned(), "the bank was told".to_owned(), "r-1".to_owned());
    engine
        .act("order-1", &Act::Resume, &Said { by, reason, request_id, saw, evidence: None, kept: BTreeMap::new() })
        .await
        .unwrap();
    until("it is undone", || async { view(&engine, "order-1").await.outcome.is_some() }).await;
    let posted: Vec<String> =
        provider.asked().into_iter().filter(|(method, _)| *method == Method::POST).map(|(_, path)| path).collect();
    assert_eq!((posted, provider.charged()), (vec!["/refunds/17".to_owned(), "/refunds/17".to_owned()], 0));
}
