//! A provider that takes another amount and does not say whose it is: a person has a way on.

use std::collections::BTreeMap;

use axum::http::Method;
use handfast::journal::Said;
use handfast::{Act, ActResult, Mark, Outcome};
use serde_json::json;

use super::provider::{Provider, UNDONE, flow, order};
use super::shop::{Shop, until, view};

#[tokio::test]
async fn what_was_taken_in_part_and_by_nobody_knows_whom_can_be_marked_and_is_given_back() {
    let shop = Shop::open(&[]).await;
    let (provider, url) = Provider::start(|books, _, method, _| {
        if *method == Method::PUT {
            books.charged = 50;
            return Some((200, json!({"state": "charged", "minor": 50})));
        }
        books.charged = 0;
        Some((200, json!({"state": "refunded"})))
    })
    .await;
    let act = "done = { json = { \"/state\" = \"charged\", \"/minor\" = \"{input.amount.minor}\" } }";
    let file = flow(&url, &shop.urls[1], act, &UNDONE.replace("PROVIDER", &url));
    let remarks: Vec<_> = file.assessment().remarks.iter().map(|remark| remark.what.name()).collect();
    assert!(remarks.contains(&"whose-unseen"), "{remarks:?}");
    let (engine, _saga) = order(&shop, &file).await;
    let can = || async { view(&engine, "order-1").await.can.iter().map(|it| it.act.name()).collect::<Vec<_>>() };
    until("a person can say what became of it", || async { can().await.contains(&"mark_done") }).await;
    let seen = view(&engine, "order-1").await;
    let trouble = seen.trouble.unwrap();
    assert!(seen.standing == "cancelling" && trouble.contains("/minor: 100 was asked for, and 50 stands there"), "{trouble}");
    let act = Act::Mark { step: "payment".to_owned(), mark: Mark::Done };
    let said = |saw| Said {
        by: "ada".to_owned(),
        reason: "their page shows 0.50".to_owned(),
        request_id: "r-1".to_owned(),
        saw,
        evidence: Some("their page".to_owned()),
        kept: BTreeMap::new(),
    };
    // The saga goes on meanwhile: the key of its dispatch is being closed.
    until("the mark is taken", || async {
        let saw = view(&engine, "order-1").await.entries.len() as u64;
        matches!(engine.act("order-1", &act, &said(saw)).await.unwrap(), ActResult::Taken { .. } | ActResult::Repeated { .. })
    })
    .await;
    until("it is given back", || async { view(&engine, "order-1").await.outcome == Some(Outcome::Cancelled) }).await;
    assert_eq!(provider.charged(), 0);
}
