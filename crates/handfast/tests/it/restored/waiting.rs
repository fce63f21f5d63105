//! What waited for its turn while another process heard that a participant was put back, and a person accepted that.

use handfast::Options;
use handfast::participant::Participant;
use handfast::store::BoxFuture;
use handfast_protocol::Time;
use tokio::sync::watch;

use super::*;

/// A depot that takes its time.
struct Depot {
    is_open: watch::Receiver<bool>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Participant for Depot {
    fn deliver<'a>(&'a self, request: Delivery<'a>) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            let order = request.key.split('.').nth(1).unwrap();
            self.asked.lock().unwrap().push(format!("{} {order}", request.operation.name()));
            let mut opens = self.is_open.clone();
            opens.wait_for(|is_open| *is_open).await.unwrap();
            done("depot", 1)
        })
    }
}

/// The only place at the depot is taken, so the goods of the second order wait for their turn, on a charge that is forgotten by the
/// time that it comes.
#[tokio::test(start_paused = true)]
async fn what_waited_for_its_turn_does_not_leave_on_a_life_that_was_given_up_meanwhile() {
    let world = World::new(None);
    let is_restored = Arc::new(AtomicBool::new(false));
    let asked = Arc::new(Mutex::new(Vec::new()));
    let bank = {
        let (answers, asked) = (restored_bank(&is_restored), Arc::clone(&asked));
        Answering(move |request: &Delivery<'_>| {
            if request.operation == Operation::Look {
                asked.lock().unwrap().push(format!("look {}", request.key.split('.').nth(1).unwrap()));
            }
            answers(request)
        })
    };
    let (opens, is_open) = watch::channel(false);
    let depot = Depot { is_open, asked: Arc::clone(&asked) };
    let options = Options { calls_per_participant: 1, ..world.options() };
    let engine = world.builder().participant("bank", bank).participant("depot", depot).options(options).open().await.unwrap();
    engine.submit(order("order-1", "visa", "tea")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut saga = engine.submit(order("order-2", "visa", "tea")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(*asked.lock().unwrap(), ["act order-1"], "the second waits");

    is_restored.store(true, Ordering::Relaxed);
    let store = &world.ground.journal;
    let offer = Offer { participant: "bank".to_owned(), incarnation: "second".to_owned(), seq: 2, at: Time(0) };
    store.offer(offer).await.unwrap();
    handfast::accept_in(&**store, Time(1), ("bank", "second"), ("ann", "restored")).await.unwrap();
    opens.send(true).unwrap();
    assert_eq!(saga.outcome().await.unwrap(), Outcome::Completed);
    let asked = asked.lock().unwrap().clone();
    let place = |of: &str| asked.iter().position(|one| one == of);
    let (look, act) = (place("look order-2"), place("act order-2"));
    assert!(look.is_some() && look < act, "it is read again first: {asked:?}");
}
