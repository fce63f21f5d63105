//! What was to leave, and waited for its turn while a person let the orders follow another definition, in another process.

use std::sync::Mutex;

use handfast::participant::{Participant, Receipt};
use handfast::store::BoxFuture;
use handfast_protocol::{Assumptions, Kind, Profile};
use tokio::sync::watch;

use super::*;
use crate::support::World;

/// A till that pays back each time that it is asked.
fn till_at(address: &str) -> Flow {
    let till = Profile { undo_idempotent: false, ..Profile::CONTRACT };
    let (message_lifetime_ms, clock_error_ms, longest_outage_ms) = (Some(60_000), Some(1_000), Some(1_000));
    let flow =
        Flow::builder("till").in_any_order().assume(Assumptions { message_lifetime_ms, clock_error_ms, longest_outage_ms });
    let flow = flow.step("payment", address, till).accept_risk("undo-not-idempotent");
    flow.step("dispatch", "depot", Profile::of_kind(Kind::Pivot)).build().unwrap()
}

/// A till that takes its time for the second order, and undoes as a no-op what it does not know.
struct Till {
    name: &'static str,
    is_open: watch::Receiver<bool>,
    asked: Arc<Mutex<Vec<(&'static str, Operation)>>>,
}

impl Participant for Till {
    fn deliver<'a>(&'a self, request: Delivery<'a>) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            if request.key.contains("order-2") {
                let mut opens = self.is_open.clone();
                opens.wait_for(|is_open| *is_open).await.unwrap();
            } else {
                self.asked.lock().unwrap().push((self.name, request.operation));
            }
            let state = match (request.operation, self.name) {
                (Operation::Undo, _) => Definite::Undone,
                (Operation::Act | Operation::Close | Operation::Look, "till") => Definite::Done,
                _ => return Reply::Absent { seen: "nothing".to_owned(), retry_after: None },
            };
            Reply::Definite { answer: Answer::State(state), receipt: Receipt::default() }
        })
    }
}

/// The payment is done at the one till, and its undo waits for its turn while the order moves to another till with other books. It
/// would be undone there, where nothing is known of it, and that would count.
#[tokio::test(start_paused = true)]
async fn a_marked_undo_does_not_leave_for_another_address_before_the_coordinator_knows() {
    let world = World::new(None);
    let (opens, is_open) = watch::channel(false);
    let asked = Arc::new(Mutex::new(Vec::new()));
    let till = |name| Till { name, is_open: is_open.clone(), asked: Arc::clone(&asked) };
    let depot = |request: &Delivery<'_>| match request.operation {
        Operation::Act => Reply::unknown("captured"),
        Operation::Look | Operation::Close | Operation::Undo => {
            Reply::Definite { answer: Answer::State(Definite::Closed), receipt: Receipt::default() }
        }
    };
    let options = world.options().with_calls_per_participant(1);
    let engine = world.builder().flow(till_at("till")).participant("till", till("till")).options(options);
    let engine = engine.participant("new-till", till("new-till")).participant("depot", Answering(depot)).open().await.unwrap();
    let order = |id: &str| Order::in_flow_order(id, "{}", vec!["{}"; 2]).of_flow("till");
    engine.submit(order("order-1")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    engine.submit(order("order-2")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    engine.cancel("order-1", None, None).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(*asked.lock().unwrap(), [("till", Operation::Act)], "the undo waits");

    let (former, now) = (till_at("till"), till_at("new-till"));
    let adoption = adoption((&former, &former, &now), world.ground.clock.now(), "the till has moved");
    assert_eq!(world.ground.journal.adopt(adoption).await.unwrap(), 2);
    opens.send(true).unwrap();
    tokio::time::sleep(Duration::from_mins(5)).await;
    let undone: Vec<_> = asked.lock().unwrap().iter().filter(|(_, operation)| *operation == Operation::Undo).copied().collect();
    assert_eq!(undone, [], "nothing but a look leaves for the new address");
    let saga = engine.saga("order-1").await.unwrap().unwrap();
    assert_eq!((saga.outcome, saga.standing.as_str()), (None, "suspended"), "{:?}", saga.trouble);
    assert!(asked.lock().unwrap().contains(&("new-till", Operation::Look)), "{asked:?}");
}

/// An act waits for its turn at the former till while another process lets the order follow another definition, and drives it. Whoever
/// waits reads the journal once it has grown, and the act leaves for nobody: what is on the road to a former address has an end.
#[tokio::test(start_paused = true)]
async fn an_act_that_waits_for_its_turn_does_not_leave_for_a_former_address_for_long() {
    let world = World::new(None);
    let (opens, is_open) = watch::channel(false);
    let asked = Arc::new(Mutex::new(Vec::new()));
    let engine = |at: &str| {
        let till = |name| Till { name, is_open: is_open.clone(), asked: Arc::clone(&asked) };
        let options = world.options().with_calls_per_participant(1).with_try_timeout(Duration::from_hours(1));
        let engine = world.builder().flow(till_at(at)).options(options);
        let engine = engine.participant("till", till("till")).participant("new-till", till("new-till"));
        engine.participant("depot", crate::support::Silent)
    };
    let behind = engine("till").open().await.unwrap();
    let order = |id: &str| Order::in_flow_order(id, "{}", vec!["{}"; 2]).of_flow("till");
    behind.submit(order("order-2")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    behind.submit(order("order-1")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(*asked.lock().unwrap(), [], "the act waits");

    let chosen = Chosen { by: "anna".to_owned(), why: "the till has moved".to_owned(), same_books: false };
    let ahead = engine("new-till").other_definitions(OtherDefinitions::Adopt(chosen)).open().await.unwrap();
    tokio::time::sleep(Duration::from_mins(2)).await;
    opens.send(true).unwrap();
    tokio::time::sleep(Duration::from_mins(2)).await;
    let acts: Vec<_> = asked.lock().unwrap().iter().filter(|(_, operation)| *operation == Operation::Act).copied().collect();
    assert_eq!(acts, [], "it left for neither");
    assert!(asked.lock().unwrap().contains(&("new-till", Operation::Look)), "{asked:?}");
    drop(is_open);
    for engine in [behind, ahead] {
        engine.shutdown(Duration::from_secs(10)).await;
    }
}

/// A depot that takes its time to say that it knows the order.
struct SlowDepot {
    is_open: watch::Receiver<bool>,
    looks: Arc<AtomicUsize>,
}

impl Participant for SlowDepot {
    fn deliver<'a>(&'a self, request: Delivery<'a>) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            if request.operation != Operation::Look {
                return Reply::unknown("only looks are answered");
            }
            self.looks.fetch_add(1, Ordering::Relaxed);
            let mut opens = self.is_open.clone();
            opens.wait_for(|is_open| *is_open).await.unwrap();
            Reply::Definite { answer: Answer::State(Definite::Done), receipt: Receipt::default() }
        })
    }
}

/// A look is out while another process lets the order follow yet another definition. What the look finds is of other books than those
/// that are called by now: it is dropped, whether the driver learns of that by the answer itself or by a cancel before it.
#[tokio::test]
async fn an_answer_to_a_look_that_left_for_a_former_address_is_dropped() {
    for is_cancelled in [false, true] {
        let store = left(Arc::new(MemoryStore::new())).await;
        let adopt = async |follows: Flow, now: Flow| {
            let adoption = adoption((&flow("bank", "depot"), &follows, &now), Time(1), "the depot has moved");
            assert_eq!(store.adopt(adoption).await.unwrap(), 1);
        };
        adopt(flow("bank", "depot"), flow("bank", "new-depot")).await;
        let (opens, is_open) = watch::channel(false);
        let looks = Arc::new(AtomicUsize::new(0));
        let (asked, third) = looked_at(None);
        let engine = open(&store, flow("bank", "new-depot"), OtherDefinitions::Keep);
        let engine = engine.participant("new-depot", SlowDepot { is_open, looks: Arc::clone(&looks) });
        let engine = engine.participant("third-depot", third).open().await.unwrap();
        while looks.load(Ordering::Relaxed) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        adopt(flow("bank", "new-depot"), flow("bank", "third-depot")).await;
        if is_cancelled {
            engine.cancel("order-1", None, None).await.unwrap();
        }
        opens.send(true).unwrap();
        let why = suspended(&engine).await;
        assert!(why.contains("step dispatch") && why.contains("another address"), "{why}");
        assert_eq!(asked.load(Ordering::Relaxed), 0, "nothing but a look leaves for the third depot");
        engine.shutdown(Duration::from_secs(10)).await;
    }
}
