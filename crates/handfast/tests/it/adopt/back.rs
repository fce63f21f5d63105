//! Services that move back, and stores that came back from a backup: what is not known to be the same books is only looked for.

use std::path::PathBuf;

use super::*;

/// A bank that is found to have been paid, and never answers an undo.
fn mute_bank() -> (Arc<AtomicUsize>, Answering<impl Fn(&Delivery<'_>) -> Reply + Send + Sync + 'static>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let answering = Answering(move |delivery: &Delivery<'_>| match delivery.operation {
        Operation::Look => Reply::Definite { answer: Answer::State(Definite::Done), receipt: receipt("the-bank", 1) },
        Operation::Act | Operation::Close | Operation::Undo => {
            counted.fetch_add(1, Ordering::Relaxed);
            Reply::unknown("no answer")
        }
    });
    (asked, answering)
}

/// The new bank knows the payment, so its undo is asked for there. It may have begun with a copy of the former books: asked for at the
/// former bank as well, it may be paid back twice.
#[tokio::test]
async fn an_undo_that_was_asked_for_where_it_was_found_does_not_leave_for_the_former_address() {
    for (store, _folder) in stores() {
        let store = left(store).await;
        let (undone, new_bank) = mute_bank();
        let closed = || counting(Answer::State(Definite::Closed)).1;
        let engine = adopting(&store, flow("new-bank", "depot"), false).participant("new-bank", new_bank);
        let engine = engine.participant("depot", closed()).open().await.unwrap();
        engine.cancel("order-1", None, None).await.unwrap();
        while undone.load(Ordering::Relaxed) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        engine.shutdown(Duration::from_secs(10)).await;
        drop(engine);

        let (asked, bank) = looked_at(Some(Definite::Done));
        let engine = adopting(&store, flow("bank", "depot"), false).participant("bank", bank);
        let engine = engine.participant("depot", closed()).open().await.unwrap();
        let why = suspended(&engine).await;
        assert!(why.contains("step payment") && why.contains("another address"), "{why}");
        assert_eq!(asked.load(Ordering::Relaxed), 0, "nothing but a look");
        engine.shutdown(Duration::from_secs(10)).await;
    }
}

fn opened(file: PathBuf) -> Arc<dyn Store> {
    Arc::new(SqliteStore::open(file).unwrap())
}

/// Places an order in `shop.db` whose bank takes its time, and makes `backup.db` of that.
async fn backed_up(file: impl Fn(&str) -> PathBuf) {
    let store = opened(file("shop.db"));
    let engine = open(&store, flow("bank", "depot"), OtherDefinitions::Keep).participant("bank", crate::support::Silent);
    let engine = engine.open().await.unwrap();
    engine.submit(Order::in_flow_order("order-1", "{}", vec!["{}"; 2])).await.unwrap();
    engine.shutdown(Duration::from_millis(10)).await;
    drop((engine, store));

    SqliteStore::back_up(file("shop.db"), &file("backup.db"), &mut |_, _| {}).unwrap();
}

/// Its bank takes its time, so the depot was not asked when the store was copied, and may have been since.
#[tokio::test]
async fn what_a_backup_does_not_know_counts_as_asked_where_its_service_moves() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    backed_up(file).await;
    for (name, is_backup) in [("backup.db", true), ("shop.db", false)] {
        let store = opened(file(name));
        let (asked, depot) = looked_at(None);
        let engine = adopting(&store, flow("bank", "new-depot"), false).participant("new-depot", depot).open().await.unwrap();
        if is_backup {
            let why = suspended(&engine).await;
            assert!(why.contains("step dispatch") && why.contains("another address"), "{why}");
        } else {
            assert_eq!(outcome(&engine).await, Outcome::Completed, "its own journal knows that the depot was not asked");
        }
        assert_eq!(asked.load(Ordering::Relaxed), usize::from(!is_backup));
        let mut placed_since = engine.submit(Order::in_flow_order("order-2", "{}", vec!["{}"; 2])).await.unwrap();
        assert_eq!(placed_since.outcome().await.unwrap(), Outcome::Completed, "it is of no backup");
        engine.shutdown(Duration::from_secs(10)).await;
    }
}

/// Before the copy was put back the new depot may have been asked, and what was asked there is on the road. That the depot moves back
/// does not let the former one be asked as well, before a person answers for the books.
#[tokio::test]
async fn what_came_back_asks_no_former_address_for_what_may_have_been_asked_where_its_service_was_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    backed_up(file).await;
    let store = opened(file("backup.db"));
    for depot in ["new-depot", "depot"] {
        let (asked, answering) = looked_at(None);
        let engine = adopting(&store, flow("bank", depot), false).participant(depot, answering).open().await.unwrap();
        let why = suspended(&engine).await;
        assert!(why.contains("step dispatch") && why.contains("another address"), "{why}");
        assert!(engine.shutdown(Duration::from_secs(10)).await);
        assert_eq!(asked.load(Ordering::Relaxed), 0, "nothing but a look leaves for {depot}");
    }
    let engine = adopting(&store, flow("bank", "new-depot"), true).open().await.unwrap();
    assert_eq!(outcome(&engine).await, Outcome::Completed);
    engine.shutdown(Duration::from_secs(10)).await;
}

/// The second address is a typo, at which it is only looked for. That the third one keeps the same books as the first says nothing of
/// it: the act that has left for the third one does not leave for the second as well.
#[tokio::test]
async fn an_address_that_was_only_looked_at_keeps_no_books_that_somebody_said_are_the_same() {
    for (store, _folder) in stores() {
        let store = left(store).await;
        let third = Arc::new(AtomicUsize::new(0));
        for (depot, same_books) in [("new-depot", false), ("third-depot", true), ("new-depot", false)] {
            let (asked, new_depot) = looked_at(None);
            let counted = Arc::clone(&third);
            let silent = Answering(move |_: &Delivery<'_>| {
                counted.fetch_add(1, Ordering::Relaxed);
                Reply::unknown("no answer")
            });
            let engine = adopting(&store, flow("bank", depot), same_books).participant("new-depot", new_depot);
            let engine = engine.participant("third-depot", silent).open().await.unwrap();
            if same_books {
                while third.load(Ordering::Relaxed) == 0 {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            } else {
                let why = suspended(&engine).await;
                assert!(why.contains("step dispatch") && why.contains("another address"), "{why}");
                assert_eq!(asked.load(Ordering::Relaxed), 0, "nothing but a look leaves for the typo");
            }
            assert!(engine.shutdown(Duration::from_secs(10)).await);
        }
        // Back at an address of which that was said it is asked for again.
        let engine = adopting(&store, flow("bank", "depot"), false).open().await.unwrap();
        assert_eq!(outcome(&engine).await, Outcome::Completed);
        engine.shutdown(Duration::from_secs(10)).await;
    }
}

/// The depot had moved when the store was copied. What was said of its books since, and left for it, is forgotten: the coordinator is
/// told so once, though nothing is adopted, and neither where it moved before nor what was waited with counts.
#[tokio::test]
async fn a_backup_of_an_order_that_had_moved_is_told_to_have_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let store = left(opened(file("shop.db"))).await;
    let engine = adopting(&store, flow("bank", "new-depot"), false).participant("new-depot", looked_at(None).1);
    let engine = engine.open().await.unwrap();
    suspended(&engine).await;
    assert!(engine.shutdown(Duration::from_secs(10)).await);
    drop((engine, store));

    SqliteStore::back_up(file("shop.db"), &file("backup.db"), &mut |_, _| {}).unwrap();
    for (name, is_backup) in [("backup.db", true), ("shop.db", false)] {
        let store = opened(file(name));
        for attempt in 0..2 {
            let (asked, depot) = looked_at(None);
            let engine = open(&store, flow("bank", "new-depot"), OtherDefinitions::Hold).participant("new-depot", depot);
            let engine = engine.open().await.unwrap();
            let said = Said {
                by: "anna".to_owned(),
                reason: "once more".to_owned(),
                request_id: format!("{name}-{attempt}"),
                saw: engine.saga_without_tries("order-1").await.unwrap().unwrap().entries.len() as u64,
                ..Said::default()
            };
            engine.act("order-1", &Act::Retry, &said).await.unwrap();
            suspended(&engine).await;
            assert!(engine.shutdown(Duration::from_secs(10)).await);
            assert_eq!(asked.load(Ordering::Relaxed), 0);
            let entries = engine.saga_without_tries("order-1").await.unwrap().unwrap().entries;
            let told = entries.iter().filter(|entry| entry.input.contains(r#""came_back":true"#)).count();
            assert_eq!(told, usize::from(is_backup), "{entries:?}");
        }
    }
}

/// Does what `handfast definitions adopt HASH --same-books` does that this trouble names, for the engine that runs.
async fn take_the_cure(engine: &Engine, trouble: &str) {
    let command = trouble.split_once("definitions adopt ").map(|(_, command)| command).unwrap_or_default();
    let (begins, then) = command.split_once(' ').unwrap_or_default();
    assert!(then.starts_with("--same-books"), "{trouble}");
    let others = engine.other_definitions().await.unwrap();
    let named: Vec<_> = others.iter().filter(|other| other.hash.starts_with(begins)).collect();
    let [other] = named.as_slice() else { panic!("{begins} is to name one of {others:?}") };
    let decided = engine.choose_definition(&other.hash, true, &chosen(true)).await.unwrap();
    assert_eq!((decided.go_on, decided.held), (1, 0), "{decided:?}");
}

/// What is printed: by the engine for those who follow the order, in its view of it, and beside it.
async fn troubles(engine: &Engine, store: &Arc<dyn Store>) -> [String; 3] {
    let followed = engine.follow("order-1").await.unwrap().unwrap().progress();
    let shown = handfast::saga_in(&**store, "order-1").await.unwrap().unwrap();
    [followed.trouble().unwrap_or_default().to_owned(), trouble(engine).await, shown.trouble.unwrap_or_default()]
}

/// The undo left for the new bank, and its address is the former one again: what the order's trouble says is taken while the
/// engine runs, and moves that order alone.
#[tokio::test]
async fn what_a_trouble_says_of_the_same_books_is_taken_back_at_the_former_address() {
    for nth in 0..3 {
        for (store, _folder) in stores() {
            let store = left(store).await;
            let (undone, new_bank) = mute_bank();
            let closed = || counting(Answer::State(Definite::Closed)).1;
            let engine = adopting(&store, flow("new-bank", "depot"), false).participant("new-bank", new_bank);
            let engine = engine.participant("depot", closed()).open().await.unwrap();
            engine.cancel("order-1", None, None).await.unwrap();
            while undone.load(Ordering::Relaxed) == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            assert!(engine.shutdown(Duration::from_secs(10)).await);
            drop(engine);

            let bank = Answering(|delivery: &Delivery<'_>| {
                let is_undo = delivery.operation == Operation::Undo;
                let state = if is_undo { Definite::Undone } else { Definite::Done };
                Reply::Definite { answer: Answer::State(state), receipt: receipt("the-bank", 1) }
            });
            let depot = Answering(|delivery: &Delivery<'_>| {
                if delivery.key.contains("order-2") {
                    return Reply::unknown("no answer");
                }
                Reply::Definite { answer: Answer::State(Definite::Closed), receipt: receipt("the-depot", 1) }
            });
            let engine = adopting(&store, flow("bank", "depot"), false).participant("bank", bank).participant("depot", depot);
            let engine = engine.open().await.unwrap();
            engine.submit(Order::in_flow_order("order-2", "{}", vec!["{}"; 2])).await.unwrap();
            suspended(&engine).await;
            let said = troubles(&engine, &store).await;
            assert!(said.iter().all(|why| why.contains("step payment") && why.contains("another address")), "{said:?}");
            take_the_cure(&engine, &said[nth]).await;
            assert_eq!(outcome(&engine).await, Outcome::Cancelled);
            assert_eq!(store.load("order-2").await.unwrap().unwrap().adopted, [], "it has never moved");
            engine.shutdown(Duration::from_secs(10)).await;
        }
    }
}

/// It waits at the new address: the definition at hand is that one, or one that calls the same addresses.
#[tokio::test]
async fn what_a_trouble_says_of_the_same_books_is_taken_at_the_new_address() {
    let limited = Flow::builder("shop").compensatable("payment", "bank").pivot("dispatch", "new-depot").in_flight(3).build();
    let limited = limited.unwrap();
    for nth in 0..3 {
        for at_hand in [None, Some(limited.clone())] {
            for (store, _folder) in stores() {
                let store = left(store).await;
                let engine = adopting(&store, flow("bank", "new-depot"), false).participant("new-depot", looked_at(None).1);
                let mut engine = engine.open().await.unwrap();
                suspended(&engine).await;
                if let Some(at_hand) = &at_hand {
                    assert!(engine.shutdown(Duration::from_secs(10)).await);
                    drop(engine);
                    let opened =
                        open(&store, at_hand.clone(), OtherDefinitions::Hold).participant("new-depot", looked_at(None).1);
                    engine = opened.open().await.unwrap();
                }
                let said = troubles(&engine, &store).await;
                take_the_cure(&engine, &said[nth]).await;
                assert_eq!(outcome(&engine).await, Outcome::Completed);
                engine.shutdown(Duration::from_secs(10)).await;
            }
        }
    }
}

/// What is at hand is another plan, so that no order can be let follow it: the trouble names the file to start with.
#[tokio::test]
async fn what_a_trouble_says_to_start_with_is_taken() {
    for (store, _folder) in stores() {
        let store = left(store).await;
        let moved = flow("bank", "new-depot");
        let engine = adopting(&store, moved.clone(), false).participant("new-depot", looked_at(None).1).open().await.unwrap();
        suspended(&engine).await;
        assert!(engine.shutdown(Duration::from_secs(10)).await);
        drop(engine);

        let other_plan = Flow::builder("shop").compensatable("payment", "bank").pivot("ship", "new-depot").build().unwrap();
        let engine = open(&store, other_plan, OtherDefinitions::Hold).open().await.unwrap();
        let others = engine.other_definitions().await.unwrap();
        let [other] = others.as_slice() else { panic!("{others:?}") };
        let refused = engine.choose_definition(&other.hash, true, &chosen(true)).await;
        assert!(matches!(refused, Err(AdoptError::Impossible { .. })), "{refused:?}");
        let cure = format!("start with the flow file of definition {}, --adopt and --same-books", &other.hash[..12]);
        let said = troubles(&engine, &store).await;
        assert!(said.iter().all(|why| why.contains(&cure)), "{said:?}");
        assert!(engine.shutdown(Duration::from_secs(10)).await);
        drop(engine);

        let engine = adopting(&store, moved, true).open().await.unwrap();
        assert_eq!(outcome(&engine).await, Outcome::Completed);
        engine.shutdown(Duration::from_secs(10)).await;
    }
}
