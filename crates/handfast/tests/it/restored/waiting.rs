//! What waited for its turn while something became known for which it must not leave: that a participant was put back, that a person
//! accepted that in another process, that another worker has the saga.

use handfast::SagaHandle;
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

/// The only place at the depot is taken, so the goods of the second order wait for their turn, and its payment is done.
struct Waiting {
    world: World,
    engine: Engine,
    is_restored: Arc<AtomicBool>,
    opens: watch::Sender<bool>,
    asked: Arc<Mutex<Vec<String>>>,
    second: SagaHandle,
}

impl Waiting {
    async fn new() -> Self {
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
        let options = world.options().with_calls_per_participant(1).with_try_timeout(Duration::from_mins(5));
        let engine = world.builder().participant("bank", bank).participant("depot", depot).options(options).open().await.unwrap();
        engine.submit(order("order-1", "visa", "tea")).await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        let second = engine.submit(order("order-2", "visa", "tea")).await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(*asked.lock().unwrap(), ["act order-1"], "the second waits");
        Self { world, engine, is_restored, opens, asked, second }
    }

    fn place(&self, of: &str) -> Option<usize> {
        self.asked.lock().unwrap().iter().position(|one| one == of)
    }
}

/// On a charge that is forgotten by the time that its turn comes.
#[tokio::test(start_paused = true)]
async fn what_waited_for_its_turn_does_not_leave_on_a_life_that_was_given_up_meanwhile() {
    let mut waiting = Waiting::new().await;
    waiting.is_restored.store(true, Ordering::Relaxed);
    let store = &waiting.world.ground.journal;
    let offer = Offer { participant: "bank".to_owned(), incarnation: "second".to_owned(), seq: 2, at: Time(0) };
    store.offer(offer).await.unwrap();
    handfast::accept_in(&**store, Time(1), ("bank", "second"), ("ann", "restored")).await.unwrap();
    waiting.opens.send(true).unwrap();
    assert_eq!(waiting.second.outcome().await.unwrap(), Outcome::Completed);
    let (look, act) = (waiting.place("look order-2"), waiting.place("act order-2"));
    assert!(look.is_some() && look < act, "it is read again first: {:?}", waiting.asked);
}

/// Another order hears meanwhile that the bank was put back, and nobody has accepted that.
#[tokio::test(start_paused = true)]
async fn what_waited_for_its_turn_does_not_leave_on_a_participant_that_is_known_to_be_behind_meanwhile() {
    let mut waiting = Waiting::new().await;
    waiting.is_restored.store(true, Ordering::Relaxed);
    waiting.engine.submit(order("order-3", "visa", "tea")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(waiting.engine.stats().participants.iter().any(|line| line.behind.is_some()), "it is heard");
    waiting.opens.send(true).unwrap();
    tokio::time::sleep(Duration::from_mins(10)).await;
    assert_eq!(waiting.place("act order-2"), None, "the goods leave on a charge that may be forgotten: {:?}", waiting.asked);
    // The right store is back.
    waiting.is_restored.store(false, Ordering::Relaxed);
    assert_eq!(waiting.second.outcome().await.unwrap(), Outcome::Completed);
}

/// It is the other worker's to send, or the store is not the one any more in which its cause was written.
#[tokio::test(start_paused = true)]
async fn what_waited_for_its_turn_does_not_leave_for_a_saga_that_another_worker_has_meanwhile() {
    let mut waiting = Waiting::new().await;
    waiting.world.ground.store.lend_all(true);
    waiting.opens.send(true).unwrap();
    tokio::time::sleep(Duration::from_mins(10)).await;
    assert_eq!(waiting.place("act order-2"), None, "{:?}", waiting.asked);
    waiting.world.ground.store.lend_all(false);
    assert_eq!(waiting.second.outcome().await.unwrap(), Outcome::Completed);
}
