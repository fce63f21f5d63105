//! Orders under way whose flow was edited: held back where they would call other addresses, and what a person can do about it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use handfast::journal::Said;
use handfast::participant::{Delivery, InMemory, Reply};
use handfast::store::{Adoption, MemoryStore, SqliteStore, Store};
use handfast::{
    Act, ActResult, AdoptError, CancelResult, Chosen, Engine, EngineBuilder, Flow, OpenError, Operation, Options, Order,
    OtherDefinitions, Outcome, Standing, Time,
};
use handfast_protocol::{Answer, Definite};

use crate::support::{Answering, receipt};

mod back;
mod beside;
mod waiting;

fn flow(bank: &str, depot: &str) -> Flow {
    Flow::builder("shop").compensatable("payment", bank).pivot("dispatch", depot).build().unwrap()
}

fn chosen(same_books: bool) -> Chosen {
    Chosen { by: "anna".to_owned(), why: "the depot has moved".to_owned(), same_books }
}

/// Orders that were placed with the first definition and follow the second one follow the third one from then on; nobody says that
/// the books are the same.
fn adoption((placed, follows, now): (&Flow, &Flow, &Flow), at: Time, why: &str) -> Adoption {
    Adoption {
        placed_with: placed.hash(),
        follows: follows.hash(),
        flow_hash: now.hash(),
        flow_text: Arc::clone(now.text()),
        same_books: false,
        at,
        by: "anna".to_owned(),
        why: why.to_owned(),
    }
}

fn open(store: &Arc<dyn Store>, flow: Flow, others: OtherDefinitions) -> EngineBuilder {
    let options = Options::default().with_patrol(Duration::from_millis(50)).with_park_after(Duration::from_millis(50));
    let engine = Engine::builder(Arc::clone(store)).flow(flow).options(options).other_definitions(others);
    ["bank", "new-bank", "depot", "new-depot"]
        .into_iter()
        .fold(engine, |engine, name| engine.participant(name, InMemory::new(|_, _| true)))
}

/// A store with one order that was left in the middle: its payment is done, and its depot was asked and has not answered.
async fn left(store: Arc<dyn Store>) -> Arc<dyn Store> {
    let engine = Engine::builder(Arc::clone(&store)).flow(flow("bank", "depot")).participant("bank", InMemory::new(|_, _| true));
    let engine = engine.participant("depot", crate::support::Silent).open().await.unwrap();
    let priced = r#"{"amount":{"minor":1999,"currency":"EUR"}}"#;
    engine.submit(Order::in_flow_order("order-1", priced, vec!["{}"; 2])).await.unwrap();
    while engine.saga_without_tries("order-1").await.unwrap().unwrap().entries.len() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    engine.shutdown(Duration::from_secs(10)).await;
    store
}

async fn outcome(engine: &Engine) -> Outcome {
    let mut saga = engine.follow("order-1").await.unwrap().unwrap();
    // It may be left alone for a moment still, as it was before the decision.
    for _ in 0..2_000 {
        if let Ok(outcome) = saga.outcome().await {
            return outcome;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        saga = engine.follow("order-1").await.unwrap().unwrap();
    }
    panic!("{:?}", engine.saga("order-1").await)
}

async fn trouble(engine: &Engine) -> String {
    engine.saga("order-1").await.unwrap().unwrap().trouble.unwrap_or_default()
}

fn stores() -> [(Arc<dyn Store>, Option<tempfile::TempDir>); 2] {
    let folder = tempfile::tempdir().unwrap();
    let file = SqliteStore::open(folder.path().join("shop.db")).unwrap();
    [(Arc::new(MemoryStore::new()), None), (Arc::new(file), Some(folder))]
}

#[tokio::test]
async fn nothing_is_sent_to_another_address_before_somebody_decides() {
    for (store, _folder) in stores() {
        let store = left(store).await;
        let engine = open(&store, flow("bank", "new-depot"), OtherDefinitions::Hold).open().await.unwrap();
        let others = engine.other_definitions().await.unwrap();
        let [other] = others.as_slice() else { panic!("{others:?}") };
        assert_eq!((other.flow.as_str(), other.orders, other.is_held), ("shop", 1, true));
        assert_eq!(other.difference.in_words(), "step dispatch: its address; they would call depot");
        let trouble = trouble(&engine).await;
        assert!(trouble.contains("--adopt") && trouble.contains("depot"), "{trouble}");
        assert_eq!(engine.saga("order-1").await.unwrap().unwrap().entries.len(), 2);

        let held = engine.saga("order-1").await.unwrap().unwrap();
        assert!(held.is_held && held.standing == "acting", "{held:?}");
        let known: Vec<_> = held.steps.iter().map(|step| (step.name.as_str(), step.known)).collect();
        assert_eq!(known, [("payment", Some(Definite::Done)), ("dispatch", None)], "what is known of it is said");
        assert_eq!(held.can, [], "nobody is asked sooner, since nobody is asked");
        let listed = engine.list(&handfast::ListFilter::all(None, 10)).await.unwrap().sagas;
        assert!(listed[0].is_held && listed[0].can.is_empty(), "{listed:?}");
        let handle = engine.follow("order-1").await.unwrap().unwrap();
        assert!(handle.progress().is_held() && handle.progress().standing() == Standing::Acting, "{handle:?}");
        let said =
            Said { by: "anna".to_owned(), reason: "now".to_owned(), request_id: "r".to_owned(), saw: 2, ..Said::default() };
        let hurried = engine.act("order-1", &Act::Retry, &said).await.unwrap();
        assert_eq!(hurried, ActResult::Pointless { can: vec![] });

        let nobody = Chosen { by: " ".to_owned(), ..chosen(false) };
        assert!(matches!(
            engine.choose_definition(&other.hash, false, &nobody).await,
            Err(AdoptError::Reason { name: "by", .. })
        ));
        assert!(matches!(engine.choose_definition("abc", false, &chosen(false)).await, Err(AdoptError::Unknown { .. })));
        assert_eq!(engine.choose_definition(&other.hash, false, &chosen(false)).await.unwrap().go_on, 1);
        assert_eq!(outcome(&engine).await, Outcome::Completed);
        engine.shutdown(Duration::from_secs(10)).await;
    }
}

/// Whoever acts in the store beside the engine sees the same: nobody is asked sooner where nobody is asked.
#[tokio::test]
async fn who_acts_beside_the_engine_sees_that_an_order_is_held() {
    for (store, _folder) in stores() {
        let store = left(store).await;
        let said =
            Said { by: "anna".to_owned(), reason: "now".to_owned(), request_id: "r".to_owned(), saw: 2, ..Said::default() };
        let retries = async || {
            let shown = handfast::saga_in(&*store, "order-1").await.unwrap().unwrap();
            let listed = handfast::list_in(&*store, &handfast::ListFilter::all(None, 10)).await.unwrap().sagas.remove(0);
            assert_eq!((listed.is_held, listed.needs_person), (shown.is_held, shown.is_held));
            let is_retry = |act: &Act| *act == Act::Retry;
            let can = shown.can.iter().any(|possible| is_retry(&possible.act));
            assert_eq!(can, listed.can.iter().any(is_retry));
            (shown.trouble.filter(|_| shown.is_held), can)
        };
        assert_eq!(retries().await, (None, true), "nobody holds anything");
        let engine = open(&store, flow("bank", "new-depot"), OtherDefinitions::Hold).open().await.unwrap();
        let (held, can) = retries().await;
        assert!(held.is_some_and(|why| why.contains("they would call depot") && why.contains("--adopt")) && !can);
        let hurried = handfast::act_in(&*store, "order-1", &Act::Retry, &said, Time(9)).await.unwrap();
        assert_eq!(hurried, ActResult::Pointless { can: vec![] });
        assert_eq!(engine.saga("order-1").await.unwrap().unwrap().entries.len(), 2, "nothing is written");
        engine.shutdown(Duration::from_secs(10)).await;
        // Whoever opens the store without holding anything back drives it all.
        let engine = open(&store, flow("bank", "new-depot"), OtherDefinitions::Keep).open().await.unwrap();
        engine.shutdown(Duration::from_secs(10)).await;
        assert_eq!(retries().await.0, None);
    }
}

/// Nothing is sent for it, and its journal keeps the wish all the same: it turns back as soon as somebody has decided.
#[tokio::test]
async fn an_order_that_is_held_can_be_cancelled() {
    for (store, _folder) in stores() {
        let store = left(store).await;
        let remembers = Answering(|request: &Delivery<'_>| {
            let state = if request.operation == Operation::Undo { Definite::Undone } else { Definite::Done };
            Reply::Definite { answer: Answer::State(state), receipt: receipt("the-bank", 2) }
        });
        let engine = open(&store, flow("bank", "new-depot"), OtherDefinitions::Hold).participant("bank", remembers);
        let engine = engine.open().await.unwrap();
        let cancelled = engine.cancel("order-1", Some("ada"), Some("a mistake")).await.unwrap();
        assert_eq!(cancelled, CancelResult::Accepted);
        let held = engine.saga("order-1").await.unwrap().unwrap();
        assert_eq!((held.standing.as_str(), held.entries.len(), held.is_held), ("cancelling", 3, true));
        let hash = engine.other_definitions().await.unwrap()[0].hash.clone();
        assert_eq!(engine.choose_definition(&hash, false, &chosen(false)).await.unwrap().go_on, 1);
        assert_eq!(outcome(&engine).await, Outcome::Cancelled);
        engine.shutdown(Duration::from_secs(10)).await;
    }
}

/// A participant that counts how often it is asked, and always answers the same.
fn counting(answer: Answer) -> (Arc<AtomicUsize>, Answering<impl Fn(&Delivery<'_>) -> Reply + Send + Sync + 'static>) {
    let (asked, count) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&asked);
    let answering = Answering(move |_: &Delivery<'_>| {
        let seq = count.fetch_add(1, Ordering::Relaxed) as u64 + 1;
        counted.fetch_add(1, Ordering::Relaxed);
        Reply::Definite { answer, receipt: receipt("the-one", seq) }
    });
    (asked, answering)
}

fn alone(depot: &str) -> Flow {
    Flow::builder("shop").pivot("dispatch", depot).build().unwrap()
}

#[tokio::test]
async fn a_suspended_order_calls_no_former_address_when_a_person_lets_it_go_on() {
    for (store, _folder) in stores() {
        let (_asked, stubborn) = counting(Answer::OtherBody);
        let engine =
            Engine::builder(Arc::clone(&store)).flow(alone("depot")).participant("depot", stubborn).open().await.unwrap();
        let mut saga = engine.submit(Order::in_flow_order("order-1", "{}", vec!["{}"])).await.unwrap();
        saga.outcome().await.unwrap_err();
        engine.shutdown(Duration::from_secs(10)).await;
        drop(engine);

        let (asked, willing) = counting(Answer::State(Definite::Closed));
        let engine = Engine::builder(Arc::clone(&store)).flow(alone("new-depot")).participant("depot", willing);
        let options = Options::default().with_patrol(Duration::from_millis(50));
        let engine = engine.participant("new-depot", InMemory::new(|_, _| true)).options(options);
        let engine = engine.other_definitions(OtherDefinitions::Hold).open().await.unwrap();
        let others = engine.other_definitions().await.unwrap();
        let [other] = others.as_slice() else { panic!("{others:?}") };
        assert_eq!((other.orders, other.is_held), (1, true), "what is suspended is open");
        let saw = engine.saga("order-1").await.unwrap().unwrap().entries.len() as u64;
        let request_id = "one".to_owned();
        let said = Said { by: "anna".to_owned(), reason: "looked".to_owned(), request_id, saw, ..Said::default() };
        assert_eq!(engine.act("order-1", &Act::Resume, &said).await.unwrap(), ActResult::Taken { seq: saw + 1 });
        while engine.stats().left_alone.is_empty() && asked.load(Ordering::Relaxed) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(asked.load(Ordering::Relaxed), 0, "nobody has decided about its definition");
        assert_eq!(engine.choose_definition(&other.hash, false, &chosen(false)).await.unwrap().go_on, 1);
        assert_eq!(outcome(&engine).await, Outcome::Cancelled);
        assert!(asked.load(Ordering::Relaxed) > 0);
        engine.shutdown(Duration::from_secs(10)).await;
    }
}

#[tokio::test]
async fn an_order_that_another_worker_places_with_another_flow_is_left_alone() {
    for (store, _folder) in stores() {
        let (asked, willing) = counting(Answer::State(Definite::Done));
        let options = Options::default().with_patrol(Duration::from_millis(50));
        let engine = Engine::builder(Arc::clone(&store)).flow(alone("depot")).participant("depot", InMemory::new(|_, _| true));
        let engine = engine.participant("new-depot", willing).options(options);
        let engine = engine.other_definitions(OtherDefinitions::Hold).open().await.unwrap();

        let other = Engine::builder(Arc::clone(&store)).flow(alone("new-depot")).participant("new-depot", crate::support::Silent);
        let other = other.open().await.unwrap();
        other.submit(Order::in_flow_order("order-1", "{}", vec!["{}"])).await.unwrap();
        other.shutdown(Duration::from_secs(10)).await;
        drop(other);
        while engine.stats().left_alone.is_empty() && asked.load(Ordering::Relaxed) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(asked.load(Ordering::Relaxed), 0);
        let others = engine.other_definitions().await.unwrap();
        assert!(others[0].is_held, "{others:?}");
        engine.choose_definition(&others[0].hash, false, &chosen(false)).await.unwrap();
        assert_eq!(outcome(&engine).await, Outcome::Completed);
        assert_eq!(store.load("order-1").await.unwrap().unwrap().adopted.len(), 1);
        engine.shutdown(Duration::from_secs(10)).await;
    }
}

#[tokio::test]
async fn a_decision_moves_the_orders_that_it_names_and_no_others() {
    for (store, _folder) in stores() {
        let store = left(store).await;
        let adopt = OtherDefinitions::Adopt(chosen(true));
        // It follows the new depot now, by one decision, however often that is said.
        for _again in 0..3 {
            let engine = open(&store, flow("bank", "new-depot"), adopt.clone()).participant("new-depot", crate::support::Silent);
            engine.open().await.unwrap().shutdown(Duration::from_secs(10)).await;
        }
        let adopted = store.load("order-1").await.unwrap().unwrap().adopted;
        assert_eq!(adopted.len(), 1, "{adopted:?}");
        // Whoever decides about those that follow the first definition names none.
        let named = flow("bank", "depot");
        let adoption = adoption((&named, &named, &named), Time(1), "back");
        assert_eq!(store.adopt(adoption.clone()).await.unwrap(), 0);
        assert_eq!(store.adopt(Adoption { follows: adopted[0].flow_hash, ..adoption.clone() }).await.unwrap(), 1);
        assert_eq!(store.adopt(adoption.clone()).await.unwrap(), 1, "it goes on with its own");
        assert_eq!(store.adopt(adoption).await.unwrap(), 0, "that is known");
        let stored = store.load("order-1").await.unwrap().unwrap();
        assert_eq!((stored.adopted.len(), stored.is_kept()), (3, true));
    }
}

/// Waits until an order is suspended, and says why.
async fn suspended(engine: &Engine) -> String {
    for _ in 0..2_000 {
        if let [(_, why)] = engine.stats().suspended.as_slice() {
            return why.clone();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{:?}", engine.saga("order-1").await)
}

/// A participant that answers every look like this, and counts everything else that it is asked for.
fn looked_at(found: Option<Definite>) -> (Arc<AtomicUsize>, Answering<impl Fn(&Delivery<'_>) -> Reply + Send + Sync + 'static>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let (counted, seq) = (Arc::clone(&asked), AtomicUsize::new(0));
    let answering = Answering(move |delivery: &Delivery<'_>| {
        let seq = seq.fetch_add(1, Ordering::Relaxed) as u64 + 1;
        let definite = |state| Reply::Definite { answer: Answer::State(state), receipt: receipt("another", seq) };
        match (delivery.operation, found) {
            (Operation::Look, Some(found)) => definite(found),
            (Operation::Look, None) => Reply::Absent { seen: "nothing".to_owned(), retry_after: None },
            (Operation::Act | Operation::Close | Operation::Undo, _) => {
                counted.fetch_add(1, Ordering::Relaxed);
                definite(Definite::Done)
            }
        }
    });
    (asked, answering)
}

fn adopting(store: &Arc<dyn Store>, flow: Flow, same_books: bool) -> EngineBuilder {
    open(store, flow, OtherDefinitions::Adopt(chosen(same_books)))
}

#[tokio::test]
async fn a_key_that_was_asked_at_another_address_is_only_looked_for_unless_both_are_the_same_books() {
    for (store, folder) in stores() {
        let store = left(store).await;
        for found in [None, Some(Definite::Closed), Some(Definite::Refused)] {
            let (asked, depot) = looked_at(found);
            let engine = adopting(&store, flow("bank", "new-depot"), false).participant("new-depot", depot).open().await.unwrap();
            let why = suspended(&engine).await;
            assert!(why.contains("step dispatch") && why.contains("another address") && why.contains("--same-books"), "{why}");
            assert_eq!(asked.load(Ordering::Relaxed), 0, "nothing but a look was sent there");
            let saga = engine.saga("order-1").await.unwrap().unwrap();
            assert_eq!((saga.outcome, saga.standing.as_str()), (None, "suspended"));
            let can: Vec<&Act> = saga.can.iter().map(|possible| &possible.act).collect();
            assert!(can.contains(&&Act::Retry), "{can:?}");
            engine.shutdown(Duration::from_secs(10)).await;
        }
        // Who has looked into both books says so, or goes back to the former address.
        let again = if folder.is_some() { flow("bank", "new-depot") } else { flow("bank", "depot") };
        let engine = adopting(&store, again, folder.is_some()).open().await.unwrap();
        assert_eq!(outcome(&engine).await, Outcome::Completed);
        let entries = engine.saga("order-1").await.unwrap().unwrap().entries;
        let same = entries.iter().find(|entry| entry.input.contains("same_books")).map(|entry| entry.input.as_str());
        let by_name = r#"{"same_books":{"step":1,"by":"anna","why":"the depot has moved"}}"#;
        assert_eq!(same, Some(if folder.is_some() { by_name } else { r#"{"same_books":{"step":1}}"# }));
        engine.shutdown(Duration::from_secs(10)).await;
    }
}

#[tokio::test]
async fn what_is_found_done_at_another_address_is_done() {
    for (store, _folder) in stores() {
        let store = left(store).await;
        let (asked, depot) = looked_at(Some(Definite::Done));
        let engine = adopting(&store, flow("bank", "new-depot"), false).participant("new-depot", depot).open().await.unwrap();
        assert_eq!(outcome(&engine).await, Outcome::Completed);
        assert_eq!(asked.load(Ordering::Relaxed), 0);
        engine.shutdown(Duration::from_secs(10)).await;
    }
}

#[tokio::test]
async fn a_decision_says_what_really_goes_on_and_can_be_taken_back() {
    for (store, _folder) in stores() {
        let store = left(store).await;
        let (asked, new_depot) = looked_at(None);
        let engine = open(&store, flow("bank", "new-depot"), OtherDefinitions::Hold).participant("new-depot", new_depot);
        let engine = engine.participant("depot", crate::support::Silent).open().await.unwrap();
        let hash = engine.other_definitions().await.unwrap()[0].hash.clone();
        let kept = engine.choose_definition(&hash, false, &chosen(false)).await.unwrap();
        assert_eq!((kept.go_on, kept.looked_for, kept.held), (1, 0, 0));
        // It is being driven by its own now, and follows the one at hand all the same once somebody says so.
        let adopted = engine.choose_definition(&hash, true, &chosen(false)).await.unwrap();
        assert_eq!((adopted.go_on, adopted.looked_for, adopted.held), (1, 1, 0), "{adopted:?}");
        let why = suspended(&engine).await;
        let again = engine.choose_definition(&hash, true, &chosen(false)).await.unwrap();
        assert_eq!((again.go_on, again.held, again.named), (0, 1, vec![("order-1".to_owned(), why)]));
        assert_eq!(asked.load(Ordering::Relaxed), 0);
        let back = engine.choose_definition(&hash, false, &chosen(false)).await.unwrap();
        assert_eq!((back.go_on, back.looked_for, back.held), (1, 0, 0), "{back:?}");
        let others = engine.other_definitions().await.unwrap();
        assert!(others[0].is_kept && !others[0].is_adopted && !others[0].is_held, "{others:?}");
        engine.shutdown(Duration::from_secs(10)).await;
        drop(engine);
        let engine = open(&store, flow("bank", "new-depot"), OtherDefinitions::Hold).open().await.unwrap();
        assert_eq!(outcome(&engine).await, Outcome::Completed, "by its own");
        engine.shutdown(Duration::from_secs(10)).await;
    }
}

#[tokio::test]
async fn what_is_asked_first_by_the_adopted_definition_is_asked_at_its_address() {
    for (store, _folder) in stores() {
        let store = left(store).await;
        let engine = open(&store, flow("bank", "new-depot"), OtherDefinitions::Adopt(chosen(true))).open().await.unwrap();
        assert_eq!(outcome(&engine).await, Outcome::Completed);
        assert_eq!(engine.other_definitions().await.unwrap(), []);
        engine.shutdown(Duration::from_secs(10)).await;
    }
}

#[tokio::test]
async fn another_plan_is_never_adopted() {
    let (store, _) = stores().into_iter().next().unwrap();
    let store = left(store).await;
    let longer = Flow::builder("shop").compensatable("payment", "bank").pivot("ship", "new-depot").build().unwrap();
    let engine = open(&store, longer, OtherDefinitions::Adopt(chosen(true))).open().await.unwrap();
    let others = engine.other_definitions().await.unwrap();
    assert!(others[0].is_held && others[0].difference.plan.is_some(), "{others:?}");
    let refused = engine.choose_definition(&others[0].hash, true, &chosen(true)).await;
    assert!(matches!(refused, Err(AdoptError::Impossible { .. })), "{refused:?}");
    let card = Chosen { why: "4242424242424242".to_owned(), ..chosen(false) };
    let refused = open(&store, flow("bank", "new-depot"), OtherDefinitions::KeepAll(card)).open().await;
    assert!(matches!(refused, Err(OpenError::Adopt(AdoptError::Reason { name: "why", .. }))));
}

/// A suspended order moves to another address while no engine runs: whoever looks at it is told what would be done, and not what
/// would have been done at the former address.
#[tokio::test]
async fn what_a_person_is_shown_of_a_suspended_order_that_has_moved_is_what_happens() {
    for (store, _folder) in stores() {
        let (_asked, stubborn) = counting(Answer::OtherBody);
        let engine = Engine::builder(Arc::clone(&store)).flow(alone("depot")).participant("depot", stubborn);
        let engine = engine.open().await.unwrap();
        engine.submit(Order::in_flow_order("order-1", "{}", vec!["{}"])).await.unwrap().outcome().await.unwrap_err();
        engine.shutdown(Duration::from_secs(10)).await;
        let (former, now) = (alone("depot"), alone("new-depot"));
        let adoption = adoption((&former, &former, &now), Time(1), "moved");
        assert_eq!(store.adopt(adoption).await.unwrap(), 1);
        let shown = handfast::saga_in(&*store, "order-1").await.unwrap().unwrap();
        let resume = shown.can.iter().find(|can| can.act == Act::Resume).unwrap();
        assert!(resume.does.contains("look for dispatch") && !resume.does.contains("close"), "{}", resume.does);
        let act = async |request_id: &str, saw| {
            let (by, reason, request_id) = ("anna".to_owned(), "seen to".to_owned(), request_id.to_owned());
            let said = Said { by, reason, request_id, saw, ..Said::default() };
            handfast::act_in(&*store, "order-1", &Act::Resume, &said, Time(4_000_000_000_000)).await.unwrap()
        };
        // It is told so first, and whoever acts has to have seen that.
        assert_eq!(act("one", shown.seq()).await, ActResult::Moved { seq: shown.seq() + 1 });
        assert_eq!(act("one", shown.seq() + 1).await, ActResult::Taken { seq: shown.seq() + 2 });
        let entries = store.load("order-1").await.unwrap().unwrap().entries;
        assert!(entries[entries.len() - 2].input.contains("moved"), "{entries:?}");
    }
}
