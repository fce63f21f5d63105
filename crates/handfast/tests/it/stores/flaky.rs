//! The store that fails where it is told to.

use handfast::store::{Created, FlakyStore, MemoryStore, Store, StoreError};
use handfast_protocol::Time;

use super::{append, saga, wait};

fn unavailable<T: std::fmt::Debug>(answer: Result<T, StoreError>) {
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
}

#[test]
fn it_fails_at_the_write_it_was_told_and_at_no_other() {
    wait(async {
        let store = FlakyStore::new(MemoryStore::new());
        store.fail_at(2, false);
        assert_eq!(store.create(saga("a")).await.unwrap(), Created::New);
        unavailable(store.append(append("a", 2)).await);
        assert_eq!(store.load("a").await.unwrap().unwrap().entries.len(), 1, "the write did not land");
        store.append(append("a", 2)).await.unwrap();
        store.fail_at(1, true);
        unavailable(store.append(append("a", 3)).await);
        assert_eq!(store.load("a").await.unwrap().unwrap().entries.len(), 3, "the write landed, and nobody heard of it");
        assert_eq!(store.writes(), 4);
    });
}

#[test]
fn after_a_crash_nothing_answers_until_it_is_restarted() {
    wait(async {
        for (write_lands, entries) in [(false, 1), (true, 2)] {
            let store = FlakyStore::new(MemoryStore::new());
            store.create(saga("a")).await.unwrap();
            store.crash_at(1, write_lands);
            unavailable(store.append(append("a", 2)).await);
            assert!(store.has_crashed());
            unavailable(store.append(append("a", 2)).await);
            unavailable(store.park("a", None, Time(1), 1).await);
            unavailable(store.load("a").await);
            unavailable(store.due(Time(1), 1).await);
            assert_eq!(store.writes(), 2, "writes to a crashed store are not counted");
            store.restart();
            assert_eq!(store.load("a").await.unwrap().unwrap().entries.len(), entries);
        }
    });
}
