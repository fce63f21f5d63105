//! Times after which nothing is sent any more: before a key is forgotten, and before a hold lapses.

use std::time::Duration;

use axum::http::Method;
use handfast::{NoOutcome, Outcome};
use handfast_participant::Weakness;
use handfast_protocol::{Close, Profile, Repeat};

use super::shop::{Road, Shop, ended, now, options, order, place, sleep, view};

/// No close, and keys that are forgotten; with the margin of a second the last act is sent half a second after the first.
pub(super) const FORGETS: Profile = Profile { close: Close::Never, repeat: Repeat::For(1_500), ..Profile::CONTRACT };
pub(super) const MARGIN_MS: u64 = 1_000;
pub(super) const LAST_SEND_MS: u64 = 500;
pub(super) const WEAK: [Weakness; 2] = [Weakness::NoClose, Weakness::Remembers(Duration::from_millis(1_500))];

/// An act that leaves before its time has passed may take so long to be counted, on a machine that has other things to do.
pub(super) const ON_THE_ROAD_MS: u64 = 250;

#[tokio::test]
async fn nothing_is_sent_once_the_key_may_be_forgotten() {
    // With and without a deadline that comes at the same time: of two things that are due both are told.
    for deadline_ms in [None, Some(LAST_SEND_MS)] {
        let mut shop = Shop::open(&WEAK).await.declare(FORGETS).margin(MARGIN_MS);
        shop.deadline_ms = deadline_ms;
        shop.to_payment.set(|act| if act.is_some() { Road::AnswerCaptured } else { Road::Open });
        let engine = shop.engine().await;
        let placed = now();
        let mut saga = place(&engine, "order-1").await;
        let stuck = ended(&mut saga).await.unwrap_err();
        assert!(matches!(&stuck, NoOutcome::Stuck { reason, .. } if reason.contains("payment: it is not known")), "{stuck}");
        sleep(2_000).await;
        let times = shop.to_payment.times(&Method::PUT);
        assert!(
            times.len() > 1 && times.iter().all(|&at| at < placed.after(LAST_SEND_MS + ON_THE_ROAD_MS)),
            "{placed:?} {times:?}"
        );
        assert_eq!((shop.charges().await, shop.shipments().await), ((1, 0), 0), "nobody is charged twice");
        let view = view(&engine, "order-1").await;
        assert_eq!((view.standing.as_str(), view.wake_at, view.outcome), ("suspended", None, None));
        assert!(view.trouble.is_some_and(|trouble| trouble.contains("not safe to ask again")));
        let stats = engine.stats();
        assert_eq!((stats.totals.suspended, stats.totals.in_doubt, stats.active), (1, 0, 0));
        assert_eq!(stats.suspended[0].0, "order-1");
    }
}

#[tokio::test]
async fn what_waits_for_its_turn_does_not_leave_after_its_time() {
    let shop = Shop::open(&WEAK).await.declare(FORGETS).margin(MARGIN_MS);
    shop.to_payment.set(|_| Road::RequestCaptured);
    // One at a time, and the first keeps all others waiting for longer than they may be sent.
    let patient = options().with_calls_per_participant(1).with_try_timeout(Duration::from_millis(1_000));
    let engine = shop.engine_with(patient).await;
    let mut sagas = Vec::new();
    for number in 0..5 {
        sagas.push(place(&engine, &format!("order-{number}")).await);
    }
    for saga in &mut sagas {
        assert!(matches!(ended(saga).await, Err(NoOutcome::Stuck { .. })));
    }
    sleep(1_500).await;
    assert_eq!(shop.to_payment.count(&Method::PUT), 1, "{:?}", shop.to_payment.sent());
}

#[tokio::test]
async fn a_hold_that_is_captured_in_time_does_not_lapse() {
    let hold = Profile { hold_expires_ms: Some(1_500), ..Profile::CONTRACT };
    let shop = Shop::open(&[Weakness::HoldsFor(Duration::from_millis(1_500))]).await.declare(hold).margin(500);
    let engine = shop.engine_of(shop.capturing_flow(), options()).await;
    let mut orders = order("order-1");
    orders.bodies.push(br#"{"hold":"payment"}"#.as_slice().into());
    let mut saga = engine.submit(orders).await.unwrap();
    assert_eq!(ended(&mut saga).await.unwrap(), Outcome::Completed);
    sleep(2_000).await;
    assert_eq!((shop.charges().await, shop.captures().await, shop.shipments().await), ((1, 0), 1, 1));
}

#[tokio::test]
async fn what_rests_on_a_hold_is_committed_before_it_lapses_or_turned_back() {
    let hold = Profile { hold_expires_ms: Some(2_500), ..Profile::CONTRACT };
    let shop = Shop::open(&[Weakness::HoldsFor(Duration::from_millis(2_500))]).await.declare(hold).margin(1_700);
    // The pivot is silent until after the hold would have lapsed.
    shop.to_dispatch.set(|act| if act.is_some() { Road::Late(2_600) } else { Road::Open });
    let engine = shop.engine_of(shop.capturing_flow(), options()).await;
    let placed = now();
    let mut orders = order("order-1");
    orders.bodies.push(br#"{"hold":"payment"}"#.as_slice().into());
    let mut saga = engine.submit(orders).await.unwrap();
    assert_eq!(ended(&mut saga).await.unwrap(), Outcome::Cancelled);
    assert!(now() < placed.after(2_500), "it turned back in time");
    assert_eq!((shop.to_payment.count(&Method::DELETE), shop.charges().await), (1, (1, 1)), "the hold was released, not lapsed");
    sleep(3_500).await;
    assert_eq!(shop.shipments().await, 0, "the late acts met a closed key");
}
