//! Plans of many sagas: applied once and again, after some have moved on, in another store, edited, and too late.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use handfast::participant::{Delivery, InMemory, Participant, Reply};
use handfast::store::{BoxFuture, MemoryStore, Store};
use handfast::{Act, Deed, Effect, Engine, Flow, ListFilter, Order};

use super::money::{Come, Range};
use super::*;
use crate::operator::{Desk, Trouble};

/// The books of a bank, and how many payments it has taken and given back.
struct Books {
    payments: InMemory,
    taken: Arc<AtomicU64>,
    given_back: Arc<AtomicU64>,
}

/// A bank that answers, or is reached by every other order and has answered none since.
struct Bank(Arc<Books>, bool);

impl Participant for Bank {
    fn deliver<'a>(&'a self, request: Delivery<'a>) -> BoxFuture<'a, Reply> {
        let is_even = |digit: u8| digit.is_ascii_digit() && digit.is_multiple_of(2);
        let order = request.key.trim_end_matches(".payment");
        let is_reached = order.bytes().next_back().is_some_and(is_even);
        Box::pin(async move {
            if self.1 {
                return self.0.payments.deliver(request).await;
            }
            if is_reached {
                self.0.payments.deliver(request).await;
            }
            std::future::pending().await
        })
    }
}

/// The shop, with its bank and the store that it keeps its sagas in.
struct Shop {
    bank: Arc<Books>,
    store: Arc<MemoryStore>,
}

fn flow() -> Flow {
    Flow::builder("shop").compensatable("payment", "bank").pivot("dispatch", "depot").build().unwrap()
}

impl Shop {
    /// Orders of whose payments nothing was heard. Some were charged.
    async fn in_doubt(orders: usize) -> Self {
        let [taken, given_back] = [Arc::<AtomicU64>::default(), Arc::default()];
        let counts = [Arc::clone(&taken), Arc::clone(&given_back)];
        let payments = InMemory::new(move |effect, _| {
            counts[usize::from(effect == Effect::Undo)].fetch_add(1, Ordering::Relaxed);
            true
        });
        let shop = Self { bank: Arc::new(Books { payments, taken, given_back }), store: Arc::new(MemoryStore::new()) };
        let engine = Engine::builder(Arc::clone(&shop.store) as Arc<dyn Store>).flow(flow());
        let engine = engine.participant("bank", Bank(Arc::clone(&shop.bank), false));
        let engine = engine.participant("depot", InMemory::new(|_, _| true)).open().await.unwrap();
        for order in 0..orders {
            let payment = r#"{"amount":{"minor":1999,"currency":"EUR"}}"#;
            let order = Order::new(format!("order-{order:05}"), "{}").body("payment", payment).body("dispatch", "{}");
            engine.submit(order).await.unwrap();
        }
        while shop.bank.taken.load(Ordering::Relaxed) == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        engine.shutdown(Duration::from_secs(60)).await;
        shop
    }

    fn desk(&self) -> Desk {
        Desk::File(Arc::clone(&self.store) as Arc<dyn Store>)
    }

    /// Brings every order to its end, with a bank that answers.
    async fn goes_on(&self, orders: usize) {
        let engine = Engine::builder(Arc::clone(&self.store) as Arc<dyn Store>).flow(flow());
        let engine =
            engine.participant("bank", Bank(Arc::clone(&self.bank), true)).participant("depot", InMemory::new(|_, _| true));
        let engine = engine.open().await.unwrap();
        for order in 0..orders {
            engine.follow(&format!("order-{order:05}")).await.unwrap().unwrap().outcome().await.unwrap();
        }
        engine.shutdown(Duration::from_secs(60)).await;
    }
}

async fn planned(desk: &Desk, deed: &Deed) -> Plan {
    let mut filter = ListFilter::all(None, 500).with_in_doubt(true);
    let mut maker = Maker::new(("ada", "the payment was down"), &filter, deed).unwrap();
    loop {
        let (made, next) = desk.plan(&filter, deed).await.unwrap();
        maker.add(made);
        let Some(next) = next else { return maker.plan() };
        filter.after = Some(next);
    }
}

async fn applied(desk: &Desk, plan: &Plan) -> Vec<Row> {
    let mut rows = Vec::new();
    for page in &plan.pages {
        rows.extend(desk.apply((plan, page), "bea", MOST_AGE_MS).await.unwrap().sagas);
    }
    rows
}

async fn come_of(desk: &Desk, plan: &Plan) -> Come {
    let mut come = Come::default();
    for page in &plan.pages {
        come.add(&desk.outcomes((plan, page)).await.unwrap().sums);
    }
    come
}

fn how_many(rows: &[Row], done: Done) -> usize {
    rows.iter().filter(|row| row.done == done).count()
}

#[tokio::test]
async fn of_ten_thousand_those_that_moved_on_are_told_and_nothing_is_done_twice() {
    let shop = Shop::in_doubt(10_000).await;
    let desk = shop.desk();
    let plan = planned(&desk, &Deed::Cancel).await;
    assert_eq!((plan.head.sagas, plan.head.refused, plan.pages.len()), (10_000, 0, 20));
    assert_eq!(plan.head.sums.refunds["EUR"], Range::up_to(19_990_000));
    // The key of the payment is closed where it was not charged, and that of the dispatch in any case.
    assert_eq!(plan.head.sums.closes, Range { at_least: 10_000, at_most: 20_000 });
    assert_eq!((plan.head.sums.dispatches, plan.head.sums.ends["cancelled"]), (Range::default(), Range::exactly(10_000)));
    assert_eq!(Plan::read(&serde_json::to_vec(&plan).unwrap()), Ok(plan.clone()), "what is written is read as the same");

    for order in (0..10_000).step_by(200) {
        desk.cancel(&format!("order-{order:05}"), Some("cyd"), None).await.unwrap();
    }
    let rows = applied(&desk, &plan).await;
    assert_eq!((how_many(&rows, Done::Acted), how_many(&rows, Done::Moved)), (9_950, 50));
    let told = rows.iter().find(|row| row.done == Done::Moved).unwrap();
    assert!(told.why.as_deref().unwrap().contains("has gone on since: its last entry is 2"), "{told:?}");
    let again = applied(&desk, &plan).await;
    assert_eq!(
        (how_many(&again, Done::Acted), how_many(&again, Done::ActedBefore), how_many(&again, Done::Moved)),
        (0, 9_950, 50)
    );
    let so_far = come_of(&desk, &plan).await;
    assert_eq!((so_far.under_way["EUR"], so_far.refunded.len()), (Range::exactly(9_950 * 1_999), 0));
}

#[tokio::test]
async fn what_came_of_it_lies_within_what_was_planned_and_is_what_the_bank_has_paid_back() {
    let shop = Shop::in_doubt(60).await;
    let desk = shop.desk();
    let plan = planned(&desk, &Deed::Cancel).await;
    // Broken off in the middle, and applied again by another person.
    let (first, page) = (Page { sagas: plan.pages[0].sagas[..25].to_vec(), refused: Vec::new() }, &plan.pages[0]);
    for entry in &first.sagas {
        let said = handfast::journal::Said {
            by: "bea".to_owned(),
            reason: "r".to_owned(),
            request_id: request_id(&plan.token, &entry.saga),
            saw: entry.seq,
            ..Default::default()
        };
        let digest = data_encoding::HEXLOWER.decode(entry.digest.as_bytes()).unwrap().try_into().unwrap();
        let now = handfast::time_in(&*shop.store).await.unwrap();
        handfast::act_as_foreseen_in(&*shop.store, &entry.saga, (&Deed::Cancel, &said, digest), now).await.unwrap();
    }
    let rows = desk.apply((&plan, page), "cyd", MOST_AGE_MS).await.unwrap().sagas;
    assert_eq!((how_many(&rows, Done::ActedBefore), how_many(&rows, Done::Acted)), (25, 35));
    shop.goes_on(60).await;
    let come = come_of(&desk, &plan).await;
    assert_eq!((come.standing["cancelled"], come.under_way.len(), come.for_a_person.len()), (60, 0, 0));
    let refunds = plan.head.sums.refunds["EUR"];
    assert!((refunds.at_least..=refunds.at_most).contains(&come.refunded["EUR"].at_least), "{refunds:?} {come:?}");
    let [taken, given_back] = [&shop.bank.taken, &shop.bank.given_back].map(|count| count.load(Ordering::Relaxed));
    assert!(taken > 0 && taken == given_back, "{taken} {given_back}");
    assert_eq!((come.refunded["EUR"], come.closed), (Range::exactly(given_back * 1_999), 60 - taken + 60));
}

#[tokio::test]
async fn a_plan_is_applied_as_it_was_made_where_it_was_made_and_in_time() {
    let shop = Shop::in_doubt(3).await;
    let desk = shop.desk();
    let plan = planned(&desk, &Deed::Cancel).await;
    let why =
        async |desk: &Desk, plan: &Plan, most_age_ms: u64| match desk.apply((plan, &plan.pages[0]), "bea", most_age_ms).await {
            Err(Trouble::Usage(why)) => why,
            other => panic!("{other:?}"),
        };
    let mut other_act = plan.clone();
    "settle".clone_into(&mut other_act.head.act);
    assert!(why(&desk, &other_act, MOST_AGE_MS).await.contains("its token is another"));
    let mut other_saga = plan.clone();
    "order-9".clone_into(&mut other_saga.pages[0].sagas[0].saga);
    assert!(why(&desk, &other_saga, MOST_AGE_MS).await.contains("a page of it is none that it names"));
    let read = |plan: &Plan| Plan::read(&serde_json::to_vec(plan).unwrap());
    assert_eq!(read(&other_act), Err(NotThisPlan::Edited("its token is another")));
    assert_eq!(read(&other_saga), Err(NotThisPlan::Edited("its pages are others than it names")));
    let mut other_sums = plan.clone();
    other_sums.head.sums.refunds.clear();
    other_sums.token = other_sums.head.token();
    assert_eq!(read(&other_sums), Err(NotThisPlan::Edited("its sums are not those of its sagas")));

    let elsewhere = Shop::in_doubt(3).await;
    assert!(why(&elsewhere.desk(), &plan, MOST_AGE_MS).await.contains("and this one is"));
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert!(why(&desk, &plan, 1).await.contains("make it anew, or say how old it may be"));
    assert_eq!(how_many(&applied(&desk, &plan).await, Done::Acted), 3, "none of these has done anything");
}

#[tokio::test]
async fn what_would_change_nothing_is_refused_in_the_plan_with_the_reason() {
    let shop = Shop::in_doubt(2).await;
    let desk = shop.desk();
    let mark = Deed::Act(Act::Mark { step: "payment".to_owned(), mark: handfast::Mark::Done });
    let plan = planned(&desk, &mark).await;
    assert_eq!((plan.head.sagas, plan.head.refused), (0, 2));
    assert!(plan.pages[0].refused[0].why.contains("it would change nothing of saga order-00000"), "{plan:?}");
    let nowhere = Deed::Act(Act::Mark { step: "hotel".to_owned(), mark: handfast::Mark::Done });
    assert!(
        planned(&desk, &nowhere).await.pages[0].refused[0].why.contains("the steps of saga order-00000 are payment, dispatch")
    );
    applied(&desk, &planned(&desk, &Deed::Cancel).await).await;
    let again = planned(&desk, &Deed::Cancel).await;
    assert_eq!((again.head.sagas, again.head.refused), (0, 2), "neither is wanted already");
    assert!(again.head.sums.is_nothing());
}

#[tokio::test]
async fn an_older_journal_of_the_same_length_is_another_one() {
    let shop = Shop::in_doubt(1).await;
    let desk = shop.desk();
    let plan = planned(&desk, &Deed::Cancel).await;
    let mut entry = plan.pages[0].sagas[0].clone();
    entry.digest = "0123456789abcdef".to_owned();
    let mut other = plan.clone();
    other.pages[0].sagas[0] = entry;
    other.head.pages = other.pages.iter().map(Page::digest).collect();
    other.token = other.head.token();
    let rows = applied(&desk, &other).await;
    assert_eq!(rows[0].done, Done::Moved, "{rows:?}");
    assert_eq!(applied(&desk, &plan).await[0].done, Done::Acted);
}

#[tokio::test]
async fn an_error_about_one_saga_is_a_row_and_keeps_no_other_from_being_acted_on() {
    let shop = Shop::in_doubt(100).await;
    let plan = planned(&shop.desk(), &Deed::Cancel).await;
    let (token, head, page) = (plan.token.clone(), plan.head.clone(), plan.pages[0].clone());
    let applying = Applying { token, head, page, by: None, not_older_than_ms: None };
    let applied = apply_page((&applying, &Deed::Cancel), "bea", |id, _, _, _| async move {
        if id == "order-00003" {
            return Err(NoResult::Unknown("the disk is full".to_owned()));
        }
        // The others are under way where that one ends.
        tokio::time::sleep(Duration::from_millis(5)).await;
        Ok(handfast::ActResult::Taken { seq: 2 })
    });
    let rows = applied.await.sagas;
    assert_eq!((how_many(&rows, Done::Acted), how_many(&rows, Done::Unknown)), (99, 1));
    assert_eq!((rows[3].saga.as_str(), rows[3].why.as_deref()), ("order-00003", Some("the disk is full")));
}

#[tokio::test]
async fn what_could_not_be_kept_is_told_before_a_plan_is_made_and_before_one_is_applied() {
    let filter = ListFilter::all(None, 500);
    let why = |by: &str, reason: &str| Maker::new((by, reason), &filter, &Deed::Cancel).err().map(|error| error.to_string());
    assert_eq!(why("ada", "r"), None);
    assert_eq!(why("ada", &"x".repeat(257)).as_deref(), Some("reason: it has more than 256 characters; say it otherwise"));
    assert_eq!(why("ada", " ").as_deref(), Some("reason: it is empty; say it otherwise"));
    assert_eq!(why("", "r").as_deref(), Some("by: it is empty; say it otherwise"));
    assert!(why("ada", "card 4111111111111111").unwrap().contains("could be a card's number"));
    assert_eq!(why(&"x".repeat(177), "r"), None, "it stands with the token");
    assert!(why(&"x".repeat(178), "r").unwrap().starts_with("by: the name of the plan's maker stands with its token"));

    let shop = Shop::in_doubt(2).await;
    let desk = shop.desk();
    let plan = planned(&desk, &Deed::Cancel).await;
    let refused = desk.apply((&plan, &plan.pages[0]), &"x".repeat(300), MOST_AGE_MS).await;
    assert!(matches!(&refused, Err(Trouble::Usage(why)) if why.starts_with("by: it has more than 256")), "{refused:?}");
    assert_eq!(how_many(&applied(&desk, &plan).await, Done::Acted), 2, "it has done nothing");
}

#[tokio::test]
async fn a_held_saga_is_planned_and_cancelled_as_one_alone_is_and_not_retried() {
    let shop = Shop::in_doubt(2).await;
    let other = Flow::builder("shop").compensatable("payment", "new-bank").pivot("dispatch", "depot").build().unwrap();
    let engine = Engine::builder(Arc::clone(&shop.store) as Arc<dyn Store>).flow(other);
    let engine = engine.other_definitions(handfast::OtherDefinitions::Hold);
    let engine = ["bank", "new-bank", "depot"]
        .into_iter()
        .fold(engine, |engine, name| engine.participant(name, InMemory::new(|_, _| true)))
        .open()
        .await
        .unwrap();
    engine.shutdown(Duration::from_secs(60)).await;
    let desk = shop.desk();
    let (listed, _) = desk.list(&ListFilter::all(None, 10)).await.unwrap();
    assert!(listed.iter().all(|saga| saga.held), "{listed:?}");

    let retry = planned(&desk, &Deed::Act(Act::Retry)).await;
    assert_eq!((retry.head.sagas, retry.head.refused), (0, 2), "nothing is sent for it, so a retry changes nothing");
    let plan = planned(&desk, &Deed::Cancel).await;
    assert_eq!((plan.head.sagas, plan.head.refused), (2, 0), "{plan:?}");
    desk.cancel("order-00000", Some("cyd"), None).await.unwrap();
    let rows = applied(&desk, &plan).await;
    assert_eq!([rows[0].done, rows[1].done], [Done::Moved, Done::Acted], "{rows:?}");
}

#[tokio::test]
async fn what_a_plan_is_made_of_is_searched_for_on_no_thread_that_drives_sagas() {
    let shop = Shop::in_doubt(50).await;
    let turns = Arc::new(AtomicU64::new(0));
    // All that this runtime has besides is one thread, on which this counts whenever it is free.
    let counting = tokio::spawn({
        let turns = Arc::clone(&turns);
        async move {
            loop {
                turns.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        }
    });
    let page = handfast::foresee_in(&*shop.store, &ListFilter::all(None, 50), &Deed::Cancel).await.unwrap();
    counting.abort();
    assert_eq!(page.sagas.len(), 50);
    assert!(turns.load(Ordering::Relaxed) >= 10, "{turns:?}");
}

#[test]
fn a_request_is_named_after_the_plan_and_the_saga_and_holds_no_card() {
    assert_eq!(request_id("plan-a", "order-1"), "plan-a/order-1");
    assert_eq!(request_id("plan-a", "4111-1111-1111-1111"), "plan-a");
}

#[tokio::test]
async fn a_plan_is_read_by_people() {
    let shop = Shop::in_doubt(2).await;
    let plan = planned(&shop.desk(), &Deed::Cancel).await;
    let lines = in_words(&plan);
    let token = lines.last().unwrap().clone();
    assert_eq!(token, format!("token: {}", plan.token));
    assert_eq!(
        lines[..lines.len() - 1],
        [
            "cancel, 2 sagas",
            "",
            "  order-00000: refunds 0.00 EUR to 19.99 EUR, closes 1 to 2 keys",
            "  order-00001: refunds 0.00 EUR to 19.99 EUR, closes 1 to 2 keys",
            "",
            "In sum, while participants keep their promises:",
            "  is given back: 0.00 EUR to 39.98 EUR",
            "  keys closed: 2 to 4 keys",
            "  end in neither: 2 sagas",
            "",
        ]
    );
}
