//! A refusal that does not hold, from a participant that remembers it: what it says of a close closes nothing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use handfast::participant::{Delivery, InMemory, Receipt, Reply};
use handfast::store::MemoryStore;
use handfast::{Clock, Engine, Flow, FlowStep, Operation, Options, Order, Outcome, SagaView, Time};
use handfast_protocol::{Answer, Assumptions, Definite, Kind, Profile, ProfiledStep, assess};

use crate::support::Answering;

const MARGIN_MS: u64 = 1_000;

/// A payment, a hotel whose refusals do not hold, a dispatch.
fn flow() -> Flow {
    let step = ProfiledStep::new;
    let payment = step(Profile::CONTRACT);
    let hotel = ProfiledStep { deadline_ms: Some(300), ..step(Profile { sticky_refusal: false, ..Profile::CONTRACT }) };
    let dispatch = step(Profile::of_kind(Kind::Pivot));
    let zero = Some(0);
    let assumptions = Assumptions { message_lifetime_ms: Some(MARGIN_MS), clock_error_ms: zero, longest_outage_ms: zero };
    let plan = assess(&[payment, hotel, dispatch], &assumptions).unwrap().plan;
    let steps = ["payment", "hotel", "dispatch"].map(|name| FlowStep::new(name, name)).to_vec();
    Flow::from_parts("trip", Arc::new(plan), steps, "trip").unwrap()
}

/// A hotel that says *refused* to everything until somebody has booked by another way, and what it was asked.
struct Hotel {
    is_booked: AtomicBool,
    asked: Mutex<Vec<Operation>>,
}

impl Hotel {
    fn take(&self, request: &Delivery<'_>) -> Reply {
        self.asked.lock().unwrap().push(request.operation);
        let was_booked = self.is_booked.load(Ordering::Relaxed);
        let state = match request.operation {
            Operation::Undo if was_booked => {
                self.is_booked.store(false, Ordering::Relaxed);
                Definite::Undone
            }
            Operation::Act | Operation::Look | Operation::Close | Operation::Undo if was_booked => Definite::Done,
            Operation::Act | Operation::Look | Operation::Close | Operation::Undo => Definite::Refused,
        };
        Reply::Definite { answer: Answer::State(state), receipt: Receipt::default() }
    }
}

/// An order whose refused booking is carried out after so many milliseconds, if at all; how it ended, what the hotel was
/// asked, and when that was.
async fn placed(books_after_ms: Option<u64>) -> (SagaView, Vec<Operation>, u64) {
    let hotel = Arc::new(Hotel { is_booked: AtomicBool::new(false), asked: Mutex::default() });
    let taken = Arc::clone(&hotel);
    let clock = Clock::of_runtime(Time(0));
    let engine = Engine::builder(Arc::new(MemoryStore::new()))
        .flow(flow())
        .options(Options::default().with_clock(clock.clone()))
        .participant("payment", InMemory::new(|_, _| true))
        .participant("hotel", Answering(move |request: &Delivery<'_>| taken.take(request)))
        .participant("dispatch", InMemory::new(|_, _| true))
        .open()
        .await
        .unwrap();
    let mut saga = engine.submit(Order::in_flow_order("trip-1", "{}", vec![b"{}".to_vec(); 3])).await.unwrap();
    if let Some(after_ms) = books_after_ms {
        tokio::time::sleep(Duration::from_millis(after_ms)).await;
        hotel.is_booked.store(true, Ordering::Relaxed);
    }
    let outcome = tokio::time::timeout(Duration::from_mins(5), saga.outcome()).await.expect("it ends");
    assert_eq!(outcome.unwrap(), Outcome::Cancelled);
    let asked = hotel.asked.lock().unwrap().clone();
    assert!(!hotel.is_booked.load(Ordering::Relaxed), "nothing is left");
    (engine.saga("trip-1").await.unwrap().unwrap(), asked, clock.now().0)
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_answers_a_close_is_waited_out_while_the_rest_is_taken_back() {
    let (view, asked, ended_at) = placed(None).await;
    assert_eq!(
        view.steps.iter().map(|step| step.known).collect::<Vec<_>>(),
        [Some(Definite::Undone), Some(Definite::Refused), Some(Definite::Closed)]
    );
    assert_eq!(asked[..2], [Operation::Act, Operation::Close]);
    assert!(asked[2..].iter().all(|operation| *operation == Operation::Look), "{asked:?}");
    assert!(ended_at >= MARGIN_MS, "not before nothing can be on the road any more: {ended_at}");
    assert!(view.trouble.unwrap().contains("hotel: it refused to close its key"));
}

#[tokio::test(start_paused = true)]
async fn what_takes_effect_after_a_refused_close_is_undone_before_the_end() {
    let (view, asked, _) = placed(Some(MARGIN_MS / 2)).await;
    assert_eq!(view.steps[1].known, Some(Definite::Undone));
    assert_eq!(asked.last(), Some(&Operation::Undo));
    assert!(view.trouble.is_some());
}
