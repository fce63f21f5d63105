//! An undo that is accepted and done later, or fails later: it is looked for, and never counted before it is done.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use handfast::participant::{Delivery, InMemory, Receipt, Reply};
use handfast::store::MemoryStore;
use handfast::{Clock, Engine, Flow, FlowStep, NoOutcome, Operation, Options, Order, Outcome, SagaView, Time};
use handfast_protocol::{Answer, Assumptions, Definite, Kind, Profile, ProfiledStep, Standing, UndoTold, assess};

use crate::support::Answering;

/// What a payment is asked: an operation, and whether it is about its undo.
type Asked = Arc<Mutex<Vec<(Operation, bool)>>>;

/// An order whose dispatch refuses, so that its payment is to be undone: how it ends where that is accepted, and then found
/// like this.
async fn turned_back(found: fn() -> Reply) -> (Result<Outcome, NoOutcome>, SagaView, Vec<(Operation, bool)>) {
    let step = ProfiledStep::new;
    let payment = step(Profile { undoes_later: true, ..Profile::CONTRACT });
    let plan = assess(&[payment, step(Profile::of_kind(Kind::Pivot))], &Assumptions::default()).unwrap().plan;
    let steps = vec![FlowStep::new("payment", "payment"), FlowStep::new("dispatch", "dispatch")];
    let asked: Asked = Arc::default();
    let noted = Arc::clone(&asked);
    let payment = move |request: &Delivery<'_>| {
        let mut asked = noted.lock().unwrap();
        asked.push((request.operation, request.is_about_undo));
        let looks = asked.iter().filter(|(operation, _)| *operation == Operation::Look).count();
        match request.operation {
            Operation::Undo => Reply::Undo { told: UndoTold::Accepted, receipt: Receipt::default() },
            Operation::Look if looks > 3 => found(),
            Operation::Look => Reply::unknown("200 pending"),
            Operation::Act | Operation::Close => {
                Reply::Definite { answer: Answer::State(Definite::Done), receipt: Receipt::default() }
            }
        }
    };
    let engine = Engine::builder(Arc::new(MemoryStore::new()))
        .flow(Flow::from_parts("shop", Arc::new(plan), steps, "shop").unwrap())
        .options(Options::default().with_clock(Clock::of_runtime(Time(0))))
        .participant("payment", Answering(payment))
        .participant("dispatch", InMemory::new(|_, _| false))
        .open()
        .await
        .unwrap();
    let body = br#"{"amount":{"minor":1999,"currency":"EUR"}}"#.to_vec();
    let mut saga = engine.submit(Order::in_flow_order("order-1", "{}", vec![body, b"{}".to_vec()])).await.unwrap();
    let outcome = tokio::time::timeout(Duration::from_mins(5), saga.outcome()).await.expect("it comes to something");
    let view = engine.saga("order-1").await.unwrap().unwrap();
    let asked = asked.lock().unwrap().clone();
    (outcome, view, asked)
}

#[tokio::test(start_paused = true)]
async fn an_undo_that_was_accepted_is_looked_for_until_it_is_done() {
    let undone = || Reply::Definite { answer: Answer::State(Definite::Undone), receipt: Receipt::default() };
    let (outcome, view, asked) = turned_back(undone).await;
    assert_eq!((outcome.unwrap(), view.trouble), (Outcome::Cancelled, None));
    let look = (Operation::Look, true);
    assert_eq!(asked, [(Operation::Act, false), (Operation::Undo, false), look, look, look, look]);
}

#[tokio::test(start_paused = true)]
async fn an_undo_that_failed_is_told_with_amount_and_detail() {
    let failed = || {
        let receipt = Receipt { detail: Some("account_closed".to_owned()), ..Receipt::default() };
        Reply::Undo { told: UndoTold::Failed, receipt }
    };
    let (outcome, view, _) = turned_back(failed).await;
    assert!(matches!(outcome, Err(NoOutcome::Stuck { .. })), "{outcome:?}");
    assert_eq!(view.standing, Standing::Suspended.name());
    let trouble = view.trouble.unwrap();
    for said in ["payment: its undo was under way and failed", "19.99 EUR", "account_closed"] {
        assert!(trouble.contains(said), "{trouble}");
    }
}
