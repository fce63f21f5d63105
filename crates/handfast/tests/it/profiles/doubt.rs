//! How doubt ends where a key can be closed, where it cannot, and where a refusal does not hold.

use axum::http::Method;
use handfast::{CancelResult, Outcome};
use handfast_participant::Weakness;
use handfast_protocol::{Answers, Close, Profile, Repeat, Undo};

use std::time::Duration;

use super::shop::{Road, Shop, ended, place, sleep, until, view};

const NO_CLOSE: Profile = Profile { close: Close::Never, undo: Undo::NoOpWhenAbsent, ..Profile::CONTRACT };

#[tokio::test]
async fn a_key_is_closed_at_its_deadline_and_the_late_act_meets_it() {
    let shop = Shop::open(&[]).await.deadline(500);
    shop.to_payment.set(|act| if act.is_some() { Road::Late(1_000) } else { Road::Open });
    let engine = shop.engine().await;
    assert_eq!(ended(&mut place(&engine, "order-1").await).await.unwrap(), Outcome::Cancelled);
    let sent = shop.to_payment.sent();
    assert_eq!(shop.to_payment.count(&Method::POST), 1, "{sent:?}");
    assert!(sent.iter().all(|sent| sent.has_an_end == (sent.method == Method::PUT)), "{sent:?}");
    until("the late act arrives", async || shop.late_acts().await == 1).await;
    assert_eq!((shop.charges().await, shop.shipments().await), ((0, 0), 0));
}

#[tokio::test]
async fn a_key_that_cannot_be_closed_is_asked_until_it_answers_and_then_undone() {
    let shop = Shop::open(&[Weakness::NoClose, Weakness::NoOpUndo]).await.declare(NO_CLOSE);
    // The first act is late, every other that comes before it is captured.
    shop.to_payment.set(|act| match act {
        Some(1) => Road::Late(1_000),
        Some(2..=4) => Road::RequestCaptured,
        Some(_) | None => Road::Open,
    });
    let engine = shop.engine().await;
    let mut saga = place(&engine, "order-1").await;
    sleep(300).await;
    assert_eq!(engine.cancel("order-1", None, None).await.unwrap(), CancelResult::Accepted);
    assert_eq!(ended(&mut saga).await.unwrap(), Outcome::Cancelled);
    sleep(1_200).await;
    assert_eq!(shop.charges().await, (1, 1), "charged briefly, and refunded");
    let methods: Vec<Method> = shop.to_payment.sent().into_iter().map(|sent| sent.method).collect();
    assert!(methods.len() > 4 && !methods.contains(&Method::POST), "{methods:?}");
    let first_undo = methods.iter().position(|method| *method == Method::DELETE).unwrap();
    assert!(methods[first_undo..].iter().all(|method| *method == Method::DELETE), "{methods:?}");
    assert_eq!(shop.shipments().await, 0);
}

#[tokio::test]
async fn a_deadline_is_no_end_of_an_act_on_a_key_that_cannot_be_closed() {
    // Whether the act is repeated or only looked for: one that met its end would close what cannot be closed.
    for profile in [NO_CLOSE, Profile { repeat: Repeat::Never, ..NO_CLOSE }] {
        let shop = Shop::open(&[Weakness::NoClose, Weakness::NoOpUndo]).await.declare(profile).margin(10_000).deadline(100);
        shop.to_payment.set(|act| if act == Some(1) { Road::AnswerCaptured } else { Road::Open });
        let engine = shop.engine().await;
        assert_eq!(ended(&mut place(&engine, "order-1").await).await.unwrap(), Outcome::Cancelled);
        assert_eq!((shop.charges().await, shop.shipments().await), ((1, 1), 0), "charged, and refunded");
        let sent = shop.to_payment.sent();
        assert!(sent.iter().all(|sent| !sent.has_an_end), "{sent:?}");
    }
}

#[tokio::test]
async fn a_refusal_that_does_not_hold_is_followed_by_a_close() {
    let profile = Profile { sticky_refusal: false, ..Profile::CONTRACT };
    let shop = Shop::open(&[Weakness::LooseRefusals]).await.declare(profile);
    // The copy of the refused act would be carried out.
    shop.to_payment.set(|act| if act == Some(1) { Road::Twice(600) } else { Road::Open });
    let engine = shop.engine().await;
    assert_eq!(ended(&mut place(&engine, "order-1").await).await.unwrap(), Outcome::Cancelled);
    until("the copy arrives", async || shop.late_acts().await == 1).await;
    assert_eq!((shop.charges().await, shop.shipments().await), ((0, 0), 0));
    assert_eq!((shop.to_payment.count(&Method::PUT), shop.to_payment.count(&Method::POST)), (1, 1));
    let view = view(&engine, "order-1").await;
    assert_eq!((view.trouble, view.wake_at), (None, None));
}

#[tokio::test]
async fn an_answer_that_comes_later_is_asked_for_until_it_is_there() {
    let profile = Profile { answers: Answers::Later, ..Profile::CONTRACT };
    let shop = Shop::open(&[Weakness::AnswersAfter(Duration::from_millis(500))]).await.declare(profile);
    let engine = shop.engine().await;
    assert_eq!(ended(&mut place(&engine, "order-1").await).await.unwrap(), Outcome::Completed);
    assert_eq!((shop.charges().await, shop.shipments().await), ((1, 0), 1));
    let asked = shop.to_payment.count(&Method::PUT);
    assert!((2..60).contains(&asked), "asked again, with pauses: {asked} times");
    let tries = view(&engine, "order-1").await.tries;
    assert!(tries.iter().all(|attempt| attempt.seen.starts_with("202 without a receipt")), "{tries:?}");
}
