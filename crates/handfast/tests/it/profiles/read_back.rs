//! What an answer did not say is read back: a step is looked at beside its act, and what is there counts.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use handfast::participant::{Delivery, InMemory, Receipt, Reply};
use handfast::store::MemoryStore;
use handfast::{Clock, Engine, Flow, FlowStep, Operation, Options, Order, Outcome, Time};
use handfast_protocol::{Answer, Assumptions, Close, Definite, Kind, Profile, ProfiledStep, assess};

use crate::support::Answering;

/// How an order ends whose payment answers acts with nothing that is certain, and looks like this, one after the other; and
/// what it was asked.
async fn ends(profile: Profile, looks: &'static [Option<Definite>]) -> (Option<Outcome>, Vec<Operation>) {
    let step = ProfiledStep::new;
    let plan = assess(&[step(profile), step(Profile::of_kind(Kind::Pivot))], &Assumptions::default()).unwrap().plan;
    let steps = vec![FlowStep::new("payment", "payment"), FlowStep::new("dispatch", "dispatch")];
    let asked: Arc<Mutex<Vec<Operation>>> = Arc::default();
    let noted = Arc::clone(&asked);
    let payment = move |request: &Delivery<'_>| {
        let mut asked = noted.lock().unwrap();
        asked.push(request.operation);
        let looked = asked.iter().filter(|operation| **operation == Operation::Look).count();
        let found = match request.operation {
            Operation::Look => looks.get(looked - 1).copied().flatten(),
            Operation::Undo => Some(Definite::Undone),
            Operation::Act | Operation::Close => None,
        };
        match found {
            Some(state) => Reply::Definite { answer: Answer::State(state), receipt: Receipt::default() },
            None if request.operation == Operation::Look => Reply::Absent { seen: "404".to_owned(), retry_after: None },
            None => Reply::unknown("400 that means nothing that the flow describes"),
        }
    };
    let engine = Engine::builder(Arc::new(MemoryStore::new()))
        .flow(Flow::from_parts("shop", Arc::new(plan), steps, "shop").unwrap())
        .options(Options::default().with_clock(Clock::of_runtime(Time(0))))
        .participant("payment", Answering(payment))
        .participant("dispatch", InMemory::new(|_, _| true))
        .open()
        .await
        .unwrap();
    let mut saga = engine.submit(Order::in_flow_order("order-1", "{}", vec![b"{}".to_vec(); 2])).await.unwrap();
    let outcome = tokio::time::timeout(Duration::from_mins(3), saga.outcome()).await;
    let asked = asked.lock().unwrap().clone();
    (outcome.ok().map(|outcome| outcome.unwrap()), asked)
}

const READ_BACK: Profile = Profile { reads_back: true, close: Close::Never, ..Profile::CONTRACT };

#[tokio::test(start_paused = true)]
async fn an_act_whose_answer_says_nothing_is_looked_for_and_what_is_there_counts() {
    use Operation::{Act, Look};
    let (outcome, asked) = ends(READ_BACK, &[None, None, Some(Definite::Done)]).await;
    assert_eq!(outcome, Some(Outcome::Completed));
    assert_eq!(asked, [Act, Look, Act, Look, Act, Look], "they take turns: a look that finds nothing proves nothing");
    let (outcome, asked) = ends(READ_BACK, &[Some(Definite::Refused)]).await;
    assert_eq!((outcome, asked), (Some(Outcome::Cancelled), vec![Act, Look]));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_does_not_hold_is_not_found() {
    let loose = Profile { sticky_refusal: false, ..READ_BACK };
    let (outcome, asked) = ends(loose, &[Some(Definite::Refused), Some(Definite::Refused), Some(Definite::Done)]).await;
    assert_eq!((outcome, asked.len()), (Some(Outcome::Completed), 6));
}
