//! Lists of sagas: whatever is asked for holds for every one of a page, and pages lead from one to the next without a gap.

use std::sync::Arc;

use handfast::participant::InMemory;
use handfast::store::{Filter, MOST_LOOKED_AT, MemoryStore, SqliteStore, Store};
use handfast::{Engine, Flow, ListFilter, Order, Outcome, Standing, Time, list_in};

use crate::stores::saga;
use crate::support::Silent;

const ORDERS: u64 = 12;

/// Every third order is of the flow `stay`, whose hotel never answers; the others are of `shop`, and have ended. They are about 1 to 12 euros,
/// and every fifth is in yen.
async fn engine(store: Arc<dyn Store>) -> Engine {
    let shop = Flow::builder("shop").compensatable("payment", "bank").pivot("dispatch", "depot").build().unwrap();
    let stay = Flow::builder("stay").compensatable("payment", "bank").pivot("room", "hotel").build().unwrap();
    let engine = Engine::builder(store)
        .flow(shop)
        .flow(stay)
        .participant("bank", InMemory::new(|_, _| true))
        .participant("depot", InMemory::new(|_, _| true))
        .participant("hotel", Silent)
        .open()
        .await
        .unwrap();
    for number in 1..=ORDERS {
        let currency = if number % 5 == 0 { "JPY" } else { "EUR" };
        let input = format!(r#"{{"amount":{{"minor":{},"currency":"{currency}"}}}}"#, number * 100);
        let flow = if number % 3 == 0 { "stay" } else { "shop" };
        let order = Order::in_flow_order(format!("order-{number}"), input, vec!["{}"; 2]).of_flow(flow);
        let mut placed = engine.submit(order).await.unwrap();
        if flow == "shop" {
            assert_eq!(placed.outcome().await.unwrap(), Outcome::Completed);
        }
    }
    engine
}

/// Every page after the other, by the engine that is open and by somebody who reads its store: they have to agree.
async fn all(engine: &Engine, store: &dyn Store, filter: ListFilter) -> Vec<u64> {
    let (mut wanted, mut ids) = (filter, Vec::new());
    loop {
        let page = engine.list(&wanted).await.unwrap();
        let beside = list_in(store, &wanted).await.unwrap();
        assert_eq!(page.next, beside.next);
        assert!(page.sagas.iter().map(|one| &one.id).eq(beside.sagas.iter().map(|one| &one.id)));
        assert!(page.sagas.len() <= wanted.limit);
        ids.extend(page.sagas.iter().map(|one| one.id.trim_start_matches("order-").parse::<u64>().unwrap()));
        let Some(next) = page.next else { return ids };
        wanted.after = Some(next);
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_is_of_what_was_asked_for_in_the_order_of_placing() {
    let folder = tempfile::tempdir().unwrap();
    let stores: [Arc<dyn Store>; 2] =
        [Arc::new(MemoryStore::new()), Arc::new(SqliteStore::open(folder.path().join("store.db")).unwrap())];
    for store in stores {
        let engine = engine(Arc::clone(&store)).await;
        let those = |takes: fn(&u64) -> bool| (1..=ORDERS).filter(takes).collect::<Vec<_>>();
        for limit in [1, 2, 5, 100] {
            let filter = ListFilter::all(None, limit);
            let with = |filter| all(&engine, &*store, filter);
            assert_eq!(with(filter.clone()).await, those(|_| true));
            assert_eq!(with(filter.clone().with_in_doubt(true)).await, those(|number| number % 3 == 0));
            let ended = filter.clone().with_standings(vec![Standing::Completed, Standing::Settled]);
            assert_eq!(with(ended.clone()).await, those(|number| number % 3 != 0));
            assert_eq!(with(ended.with_in_doubt(true)).await, [0; 0], "nothing is both");
            let flow = |name: &str| filter.clone().with_flow(Some(name.to_owned()));
            assert_eq!(with(flow("stay")).await, those(|number| number % 3 == 0));
            assert_eq!(with(flow("nothing")).await, [0; 0]);
            let participant = |name: &str| filter.clone().with_participant(Some(name.to_owned()));
            assert_eq!(with(participant("depot")).await, those(|number| number % 3 != 0));
            assert_eq!(with(participant("bank")).await, those(|_| true));
            let of_neither = participant("depot").with_flow(Some("stay".to_owned()));
            assert_eq!(with(of_neither).await, [0; 0]);
            let about = |amount: &str| filter.clone().with_amount_at_least(Some(amount.parse().unwrap()));
            assert_eq!(with(about("7.00 EUR")).await, [7, 8, 9, 11, 12]);
            assert_eq!(with(about("600 JPY")).await, [10]);
            assert_eq!(with(about("7.00 EUR").with_in_doubt(true)).await, [9, 12]);
            assert_eq!(with(filter.clone().with_needs_person(Some(true))).await, [0; 0]);
            assert_eq!(with(filter.clone().with_needs_person(Some(false))).await, those(|_| true));
            let sixth = store.load("order-6").await.unwrap().unwrap().created;
            let before = store.list(Filter { placed_before: Some(sixth), ..Filter::all(None, 100) }).await.unwrap();
            let from = filter.clone().with_placed_from(Some(sixth));
            assert_eq!(before.sagas.len() + with(from).await.len(), ORDERS as usize);
            assert_eq!(with(filter.clone().with_placed_from(Some(Time(u64::MAX)))).await, [0; 0]);
        }
    }
}

#[tokio::test]
async fn a_page_looks_at_so_many_and_no_more() {
    let store = MemoryStore::new();
    for number in 0..=MOST_LOOKED_AT {
        store.create(saga(&number.to_string())).await.unwrap();
    }
    let nothing = Filter { placed_from: Some(Time(u64::MAX)), ..Filter::all(None, 1) };
    let page = store.list(nothing.clone()).await.unwrap();
    assert_eq!(
        (page.sagas.len(), page.next.clone()),
        (0, Some((MOST_LOOKED_AT - 1).to_string())),
        "it is empty, and not the last"
    );
    let last = store.list(Filter { after: page.next, ..nothing }).await.unwrap();
    assert_eq!((last.sagas.len(), last.next), (0, None));
}
