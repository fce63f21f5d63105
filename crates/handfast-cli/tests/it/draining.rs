//! A service that is told to stop: what spreads requests notices first, and no order that was accepted is dropped.
#![expect(clippy::disallowed_methods, reason = "how long a test is ready to wait is counted in real time")]

use std::time::{Duration, Instant};

use crate::serve::shop::{Caller, PATIENCE, Shop, order};

/// Orders come from four callers until nobody answers any more. Each that was answered with 2xx ends at the next start.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_under_load_drops_no_accepted_order_and_readiness_goes_first() {
    let shop = Shop::closed();
    let coordinator = shop.coordinator(&["--drain-for", "1s"]);
    let caller = Caller::of(&coordinator);
    let placing: Vec<_> = (0..4)
        .map(|number| {
            let caller = caller.clone();
            tokio::spawn(async move {
                let mut accepted = Vec::new();
                for count in 0.. {
                    let id = format!("order-{number}-{count}");
                    let headers = [("content-type", "application/json"), ("idempotency-key", id.as_str())];
                    let body = order(&id).to_string();
                    match caller.try_send(hyper::Method::POST, "/sagas", &headers, body).await {
                        Ok(reply) if reply.status.is_success() => accepted.push((id, Instant::now())),
                        Ok(reply) => assert_eq!(reply.status, 503, "{}", reply.text),
                        Err(_nobody_answers) => break,
                    }
                }
                accepted
            })
        })
        .collect();
    let started = Instant::now();
    while caller.get("/stats").await.json()["in_doubt"].as_u64().unwrap() < 20 {
        assert!(started.elapsed() < PATIENCE);
    }
    assert_eq!(caller.get("/readyz").await.status, 200);
    coordinator.signal("TERM");
    let told = Instant::now();
    let mut unready = None;
    while let Ok(reply) = caller.try_send(hyper::Method::GET, "/readyz", &[], "").await {
        match reply.status.as_u16() {
            200 => assert_eq!(unready, None, "it is not ready again"),
            _ => {
                assert_eq!(reply.problem(), "stopping");
                unready.get_or_insert_with(Instant::now);
            }
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert!(told.elapsed() < PATIENCE);
    }
    let unready = unready.expect("it said that it is not ready while it still listened");
    assert_eq!(coordinator.wait().code(), Some(0));
    let mut accepted = Vec::new();
    for placed in placing {
        accepted.extend(placed.await.unwrap());
    }
    assert!(accepted.iter().any(|(_, at)| *at > unready), "orders are taken as long as callers come");
    let _services = shop.services();
    let coordinator = shop.coordinator(&[]);
    let caller = Caller::of(&coordinator);
    for (id, _) in &accepted {
        assert_eq!(caller.outcome(id).await, "completed", "{id} of {}", accepted.len());
    }
}
