//! Every store answers alike, case by case: what each promises is said here once.

use std::path::Path;
use std::sync::Arc;

use handfast::store::{
    Append, Created, MemoryStore, NewSaga, Seen, Sighting, SqliteOptions, SqliteStore, Store, StoreError, Synchronous,
    TRIES_KEPT, Tip,
};
use handfast_protocol::{Change, Time};
use sha2::{Digest as _, Sha256};

use super::{append, attempt, digest, key_hash, saga, wait};

/// Unflushed, since nobody pulls the plug here.
pub(super) fn open(path: &Path) -> SqliteStore {
    SqliteStore::open_with(path, &SqliteOptions { synchronous: Synchronous::Off, ..SqliteOptions::default() }).unwrap()
}

/// Runs a check on every kind of store.
fn on_every_store(check: impl AsyncFn(&dyn Store)) {
    let folder = tempfile::tempdir().unwrap();
    let stores: [Box<dyn Store>; 2] = [Box::new(MemoryStore::new()), Box::new(open(&folder.path().join("store.db")))];
    stores.iter().for_each(|store| wait(check(&**store)));
}

/// The definition that [`saga`] is of, after somebody edited it, and the one of another flow.
const EDITED: &str = r#"{"flow":"cards","steps":[{}]}"#;
const OTHER: &str = r#"{"flow":"shop","steps":[]}"#;

fn of_flow(text: &str, saga: NewSaga) -> NewSaga {
    NewSaga { flow_hash: Sha256::digest(text).into(), flow_text: Arc::from(text), ..saga }
}

#[test]
fn a_saga_is_loaded_as_it_was_placed() {
    on_every_store(async |store| {
        assert_eq!(store.create(saga("a")).await.unwrap(), Created::New);
        let loaded = store.load("a").await.unwrap().unwrap();
        let placed = saga("a");
        assert_eq!((loaded.input, loaded.bodies, loaded.flow_text), (placed.input, placed.bodies, placed.flow_text));
        assert_eq!((loaded.created, loaded.entries, loaded.version), (Time(100), placed.entries, 1));
        assert_eq!(store.load("b").await.unwrap(), None);
    });
}

#[test]
fn an_id_that_is_taken_says_by_what() {
    on_every_store(async |store| {
        store.create(saga("a")).await.unwrap();
        assert_eq!(store.create(saga("a")).await.unwrap(), Created::Same);
        let other_input = NewSaga { input: b"{}".to_vec(), ..saga("a") };
        assert_eq!(store.create(other_input).await.unwrap(), Created::Different);
        assert_eq!(store.create(of_flow(EDITED, saga("a"))).await.unwrap(), Created::Different);
        assert_eq!(store.load("a").await.unwrap().unwrap().input, saga("a").input, "the first one stays");
    });
}

#[test]
fn a_requests_key_stands_for_one_order() {
    on_every_store(async |store| {
        let create =
            async |key: &str, new: NewSaga| store.create(NewSaga { request_key_hash: key_hash(key), ..new }).await.unwrap();
        let taken_by = |id: &str| Created::KeyTaken { id: id.to_owned() };
        let other_input = |id| NewSaga { input: b"{}".to_vec(), ..saga(id) };
        assert_eq!(create("key-1", saga("a")).await, Created::New);
        assert_eq!(create("key-1", saga("a")).await, Created::Same);
        assert_eq!(create("key-1", other_input("a")).await, Created::Different);
        assert_eq!(create("key-1", saga("b")).await, taken_by("a"));
        assert_eq!(store.load("b").await.unwrap(), None, "nothing of it is written");
        // Another key for the same order stands for it from then on, also where the flow was edited meanwhile.
        assert_eq!(create("key-2", saga("a")).await, Created::Same);
        assert_eq!(create("key-2", saga("b")).await, taken_by("a"));
        assert_eq!(create("key-3", of_flow(EDITED, saga("a"))).await, Created::Different);
        assert_eq!(create("key-3", saga("b")).await, taken_by("a"));
        // A key of an order that was not taken is nobody's.
        assert_eq!(create("key-4", other_input("a")).await, Created::Different);
        assert_eq!(create("key-4", saga("b")).await, Created::New);
        assert_eq!(create("key-4", saga("a")).await, taken_by("b"));
        // The same order of a flow of another name is another one, and binds nothing.
        for (key, id, other) in [("key-5", "c", OTHER), ("key-6", "d", "{}"), ("key-7", "e", "no JSON")] {
            assert_eq!(create(key, of_flow(other, saga("a"))).await, Created::Different, "{other}");
            assert_eq!(create(key, saga(id)).await, Created::New, "{other}");
        }
        assert_eq!(store.create(saga("b")).await.unwrap(), Created::Same, "an order needs no key");
    });
}

#[test]
fn only_the_entry_that_follows_is_appended() {
    on_every_store(async |store| {
        store.create(saga("a")).await.unwrap();
        store.append(append("a", 2)).await.unwrap();
        let older_journal = Append { previous: digest(77), ..append("a", 3) };
        for (what, wrong) in [
            ("the same entry again", append("a", 2)),
            ("a gap", append("a", 4)),
            ("a journal that grew another way", older_journal),
            ("an unknown saga", append("b", 2)),
        ] {
            let answer = store.append(wrong).await;
            assert!(matches!(answer, Err(StoreError::Conflict)), "{what}: {answer:?}");
        }
        store.append(append("a", 3)).await.unwrap();
        let seqs: Vec<u64> = store.load("a").await.unwrap().unwrap().entries.iter().map(|entry| entry.seq).collect();
        assert_eq!(seqs, [1, 2, 3]);
    });
}

#[test]
fn first_entries_that_are_not_numbered_from_one_are_refused() {
    on_every_store(async |store| {
        let answer = store.create(NewSaga { entries: vec![super::entry(2, 100)], ..saga("a") }).await;
        assert!(matches!(answer, Err(StoreError::Corrupt { .. })), "{answer:?}");
        assert_eq!(store.load("a").await.unwrap(), None);
    });
}

#[test]
fn the_most_overdue_comes_first_and_who_has_ended_never() {
    on_every_store(async |store| {
        for (id, wake_at) in [("c", Some(30)), ("a", Some(10)), ("ended", None), ("b", Some(20)), ("later", Some(99))] {
            store.create(NewSaga { wake_at: wake_at.map(Time), ..saga(id) }).await.unwrap();
        }
        let due = async |now, limit| store.due(Time(now), limit).await.unwrap();
        assert_eq!(due(50, 9).await, (vec!["a".into(), "b".into(), "c".into()], Some(Time(99))));
        assert_eq!(due(50, 2).await, (vec!["a".into(), "b".into()], Some(Time(30))));
        assert_eq!(due(5, 9).await, (vec![], Some(Time(10))));
        let before = store.load("a").await.unwrap().unwrap();
        let length = before.entries.len() as u64;
        let refused = store.park("a", Some(length - 1), Time(99), 9).await;
        assert!(matches!(refused, Err(StoreError::Conflict)), "somebody has added to it: {refused:?}");
        assert_eq!(store.load("a").await.unwrap().unwrap(), before);
        assert_eq!(store.lengths(vec!["a".into(), "nobody".into()]).await.unwrap(), [("a".into(), length)]);
        store.park("a", Some(length), Time(40), 3).await.unwrap();
        store.park("ended", None, Time(1), 3).await.unwrap();
        let other = store.load("b").await.unwrap().unwrap();
        let refused = store.suspend("b", other.entries.len() as u64 - 1, "its journal is damaged").await;
        assert!(matches!(refused, Err(StoreError::Conflict)), "somebody has added to it: {refused:?}");
        assert_eq!(store.load("b").await.unwrap().unwrap(), other);
        store.suspend("b", other.entries.len() as u64, "its journal is damaged").await.unwrap();
        store.suspend("nobody", 0, "there is none").await.unwrap();
        assert_eq!(due(50, 9).await, (vec!["c".into(), "a".into()], Some(Time(99))));
        assert_eq!(store.load("a").await.unwrap().unwrap().tries, 3);
        assert_eq!(store.load("ended").await.unwrap().unwrap().wake_at, None, "parking does not wake the dead");
        let suspended = store.load("b").await.unwrap().unwrap();
        assert_eq!((&*suspended.standing, suspended.why.as_deref()), ("suspended", Some("its journal is damaged")));
        store.append(append("a", 2)).await.unwrap();
        assert_eq!(store.load("a").await.unwrap().unwrap().tries, 0, "an answer ends the row of tries");
    });
}

#[test]
fn what_is_at_hand_is_what_was_said_last() {
    on_every_store(async |store| {
        assert!(store.at_hand().await.unwrap().is_empty());
        for flows in [vec!["{\"name\":\"a\"}".into(), "b".into()], vec!["b".into()], vec![]] {
            store.keep_at_hand(flows.clone()).await.unwrap();
            assert_eq!(store.at_hand().await.unwrap(), flows);
        }
    });
}

#[test]
fn what_was_seen_of_a_participant_only_rises() {
    on_every_store(async |store| {
        store.create(saga("a")).await.unwrap();
        let steps = [("i", 5, 5), ("i", 9, 9), ("i", 7, 9), ("other", 50, 9), ("i", 10, 10)];
        for (seq, (incarnation, number, expected)) in (2..).zip(steps) {
            let participant = "http://payment".to_owned();
            let seen =
                Seen { participant: participant.clone(), incarnation: incarnation.to_owned(), seq: number, ..Seen::default() };
            store.append(Append { seen: Some(seen), ..append("a", seq) }).await.unwrap();
            let kept = Seen { participant, incarnation: "i".to_owned(), seq: expected, ..Seen::default() };
            assert_eq!(store.seen().await.unwrap(), [kept]);
        }
    });
}

#[test]
fn changes_that_were_seen_are_kept_until_one_of_them_stands_for_the_others() {
    on_every_store(async |store| {
        store.create(saga("a")).await.unwrap();
        let tip = |key: &str, number: u64, opening: Option<&str>| Tip {
            sighting: Sighting { key: key.to_owned(), change: Change { number, mark: format!("m{number}") } },
            opening: opening.map(str::to_owned),
        };
        let seen = |participant: &str, shown: &Tip, named: &[Tip]| Seen {
            participant: participant.to_owned(),
            incarnation: "i".to_owned(),
            seq: shown.sighting.change.number,
            shown: vec![shown.clone()],
            named: named.iter().map(|tip| tip.sighting.clone()).collect(),
        };
        let [first, later, beside, last] =
            [tip("a", 1, Some("x")), tip("b", 3, Some("x")), tip("c", 2, None), tip("d", 2, Some("y"))];
        let steps: [(&str, &Tip, &[Tip], Vec<Tip>); 4] = [
            ("http://charges", &first, &[], vec![first.clone()]),
            ("http://charges", &later, &[], vec![later.clone()]),
            ("http://holds", &beside, &[], vec![later.clone(), beside.clone()]),
            // It confirms both, and the highest number of all stands for them.
            ("http://holds", &last, &[later.clone(), beside.clone()], vec![tip("b", 3, Some("y"))]),
        ];
        for (seq, (participant, shown, named, expected)) in (2..).zip(steps) {
            store.append(Append { seen: Some(seen(participant, shown, named)), ..append("a", seq) }).await.unwrap();
            for kept in store.seen().await.unwrap() {
                assert_eq!(kept.shown, expected, "all addresses of one incarnation share it");
            }
        }
        assert_eq!(store.seen().await.unwrap().len(), 2);
    });
}

#[test]
fn the_newest_tries_are_kept() {
    on_every_store(async |store| {
        store.create(saga("a")).await.unwrap();
        (1..=200).for_each(|number| store.record_try(attempt("a", number)));
        store.record_try(attempt("nobody", 1));
        let kept = store.tries("a").await.unwrap();
        assert_eq!(kept.len(), TRIES_KEPT);
        assert_eq!(kept, (200 - TRIES_KEPT as u64 + 1..=200).map(|number| attempt("a", number)).collect::<Vec<_>>());
        assert_eq!(store.tries("nobody").await.unwrap(), []);
    });
}
