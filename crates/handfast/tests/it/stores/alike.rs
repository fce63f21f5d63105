//! The same operations on every store, and the same answers: the one in memory is the oracle.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;

use handfast::store::{
    Append, Created, Entry, Filter, MemoryStore, NewSaga, Seen, Sighting, SqliteOptions, SqliteStore, Store, StoreError,
    Synchronous, TRIES_KEPT, Tip,
};
use handfast_protocol::{Change, Time};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::{append, attempt, digest, key_hash, saga, wait};

const IDS: [&str; 3] = ["order-1", "bestellung ü", "o'3"];
const KEYS: [&str; 3] = ["key-1", "key-2", "key-3"];
const STANDINGS: [&str; 3] = ["acting", "cancelling", "completed"];

/// What is done to both stores.
#[derive(Clone, Debug)]
enum Operation {
    Create { id: usize, key: Option<usize>, flow: u8, input: u8, entries: u8, wake_at: Option<u64>, standing: usize },
    Append { id: usize, ahead: u8, other_previous: bool, wake_at: Option<u64>, standing: usize, seen: Option<(u8, u8, u64)> },
    Park { id: usize, length: Option<u64>, wake_at: u64, tries: u32 },
    Lengths { ids: [usize; 2] },
    Suspend { id: usize },
    Tries { id: usize, number: u8 },
    Due { now: u64, limit: usize },
    List { standings: Vec<usize>, flow: Option<u8>, from: Option<u64>, before: Option<u64>, after: Option<usize>, limit: usize },
    Reopen,
}

/// Mostly near one another, so that they meet; sometimes as far out as a number goes.
fn time() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 0..6_u64, 1 => Just(u64::MAX)]
}

fn operation() -> impl Strategy<Value = Operation> {
    let id = 0..IDS.len();
    let standing = 0..STANDINGS.len();
    let seen = option::of((0..2_u8, 0..2_u8, time()));
    prop_oneof![
        6 => (id.clone(), option::of(0..KEYS.len()), 0..2_u8, 0..2_u8, 0..3_u8, option::of(time()), standing.clone()).prop_map(
            |(id, key, flow, input, entries, wake_at, standing)| {
                Operation::Create { id, key, flow, input, entries, wake_at, standing }
            }
        ),
        12 => (id.clone(), 0..4_u8, prop::bool::weighted(0.1), option::of(time()), standing.clone(), seen).prop_map(
            |(id, ahead, other_previous, wake_at, standing, seen)| {
                // Mostly the next entry; sometimes the one that is there already, or one too far.
                let ahead = if ahead > 2 { 1 } else { ahead };
                Operation::Append { id, ahead, other_previous, wake_at, standing, seen }
            }
        ),
        3 => (id.clone(), option::of(0..4_u64), time(), 0..9_u32)
            .prop_map(|(id, length, wake_at, tries)| Operation::Park { id, length, wake_at, tries }),
        1 => (id.clone(), id.clone()).prop_map(|(one, other)| Operation::Lengths { ids: [one, other] }),
        1 => id.clone().prop_map(|id| Operation::Suspend { id }),
        2 => (id.clone(), any::<u8>()).prop_map(|(id, number)| Operation::Tries { id, number }),
        3 => (time(), 0..4_usize).prop_map(|(now, limit)| Operation::Due { now, limit }),
        4 => (vec(standing, 0..3), option::of(0..2_u8), option::of(time()), option::of(time()), option::of(id), 0..4_usize)
            .prop_map(|(standings, flow, from, before, after, limit)| {
                Operation::List { standings, flow, from, before, after, limit }
            }),
        1 => Just(Operation::Reopen),
    ]
}

/// Unflushed, since nobody pulls the plug here.
fn open(path: &Path) -> SqliteStore {
    SqliteStore::open_with(path, &SqliteOptions { synchronous: Synchronous::Off, ..SqliteOptions::default() }).unwrap()
}

fn text(answer: impl Debug) -> String {
    format!("{answer:?}")
}

fn placed(id: usize, flow: u8, input: u8, entries: u8, wake_at: Option<u64>, standing: usize) -> NewSaga {
    let flow_text = format!("flow {flow}");
    NewSaga {
        id: IDS[id].to_owned(),
        request_key_hash: None,
        flow_hash: Sha256::digest(&flow_text).into(),
        flow_text: Arc::from(flow_text),
        version: u32::from(flow) + 1,
        input: vec![input; usize::from(input)],
        bodies: vec![vec![input; 3].into(); usize::from(flow)],
        entries: (1..=u64::from(entries)).map(|seq| super::entry(seq, seq * 7)).collect(),
        wake_at: wake_at.map(Time),
        standing: STANDINGS[standing],
    }
}

/// Does it to one store. `oracle` tells how long a journal is; a wrong answer there is a difference here.
async fn perform(store: &dyn Store, oracle: &MemoryStore, operation: &Operation) -> String {
    match *operation {
        Operation::Create { id, key, flow, input, entries, wake_at, standing } => {
            let request_key_hash = key.and_then(|key| key_hash(KEYS[key]));
            let new = NewSaga { request_key_hash, ..placed(id, flow, input, entries, wake_at, standing) };
            text(store.create(new).await)
        }
        Operation::Append { id, ahead, other_previous, wake_at, standing, seen } => {
            let length = oracle.load(IDS[id]).await.unwrap().map_or(0, |saga| saga.entries.len() as u64);
            let seq = length + u64::from(ahead);
            let previous = digest(if other_previous { 99 } else { seq.saturating_sub(1) });
            let input = format!(r#"{{"timeout":{{}},"ü":{seq}}}"#);
            let entry = Entry { seq, at: Time(wake_at.unwrap_or(seq)), input, digest: digest(seq) };
            let seen = seen.map(|(participant, incarnation, seq)| Seen {
                participant: format!("http://p{participant}"),
                incarnation: format!("i{incarnation}"),
                seq,
                shown: vec![Tip {
                    sighting: Sighting { key: format!("k{seq}"), change: Change { number: seq, mark: "m".to_owned() } },
                    opening: (seq % 3 > 0).then(|| format!("o{}", seq % 3)),
                }],
                named: Vec::new(),
            });
            let (id, standing) = (IDS[id].to_owned(), STANDINGS[standing]);
            text(store.append(Append { id, previous, entry, adoptions: 0, wake_at: wake_at.map(Time), standing, seen }).await)
        }
        Operation::Lengths { ids } => text(store.lengths(ids.map(|id| IDS[id].into()).to_vec()).await),
        Operation::Park { id, length, wake_at, tries } => text(store.park(IDS[id], length, Time(wake_at), tries).await),
        Operation::Suspend { id } => text(store.suspend(IDS[id], "for a reason").await),
        Operation::Tries { id, number } => {
            (0..u64::from(number)).for_each(|number| store.record_try(attempt(IDS[id], number)));
            text(store.tries(IDS[id]).await)
        }
        Operation::Due { now, limit } => text(store.due(Time(now), limit).await),
        Operation::List { ref standings, flow, from, before, after, limit } => {
            let filter = Filter {
                standings: standings.iter().map(|&standing| STANDINGS[standing].to_owned()).collect(),
                flows: flow.map(|flow| BTreeSet::from([Sha256::digest(format!("flow {flow}")).into()])),
                placed_from: from.map(Time),
                placed_before: before.map(Time),
                after: after.map(|after| IDS[after].to_owned()),
                limit,
            };
            text(store.list(filter).await)
        }
        Operation::Reopen => String::new(),
    }
}

/// Whose each key is: asked for by an order of its own, which takes those that are nobody's.
async fn claim_all(store: &dyn Store) -> Vec<String> {
    let mut answers = Vec::new();
    for key in KEYS {
        answers.push(text(store.create(NewSaga { request_key_hash: key_hash(key), ..saga(key) }).await));
    }
    answers
}

/// Everything that can be read.
async fn read_all(store: &dyn Store) -> Vec<String> {
    let mut counted = BTreeMap::<String, u64>::new();
    for saga in store.list(Filter::all(None, usize::MAX)).await.unwrap().sagas {
        *counted.entry(saga.standing).or_default() += 1;
    }
    assert_eq!(store.counts().await.unwrap().by_standing, counted.into_iter().collect::<Vec<_>>(), "what is kept is as counted");
    let mut answers = vec![
        text(store.due(Time(u64::MAX), usize::MAX).await),
        text(store.due(Time(3), 2).await),
        text(store.list(Filter::all(None, usize::MAX)).await),
        text(store.counts().await),
        text(store.seen().await),
        text(store.flows().await),
        text(store.reachable().await),
    ];
    for id in IDS.into_iter().chain(["nobody"]) {
        answers.push(text(store.load(id).await));
        answers.push(text(store.tries(id).await));
    }
    answers
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn sqlite_answers_as_memory_does(operations in vec(operation(), 1..60)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let oracle = MemoryStore::new();
        wait(async {
            let mut sqlite = open(&path);
            for operation in &operations {
                if matches!(operation, Operation::Reopen) {
                    drop(sqlite);
                    sqlite = open(&path);
                }
                // The other store first: the oracle is asked how things were before.
                let answer = perform(&sqlite, &oracle, operation).await;
                prop_assert_eq!(&answer, &perform(&oracle, &oracle, operation).await, "{:?}", operation);
            }
            let answers = read_all(&sqlite).await;
            prop_assert_eq!(&answers, &read_all(&oracle).await);
            drop(sqlite);
            let sqlite = open(&path);
            prop_assert_eq!(&answers, &read_all(&sqlite).await, "after it was opened again");
            prop_assert_eq!(claim_all(&sqlite).await, claim_all(&oracle).await);
            Ok(())
        })?;
    }
}

/// Runs a check on every kind of store.
fn on_every_store(check: impl AsyncFn(&dyn Store)) {
    let folder = tempfile::tempdir().unwrap();
    let stores: [Box<dyn Store>; 2] = [Box::new(MemoryStore::new()), Box::new(open(&folder.path().join("store.db")))];
    stores.iter().for_each(|store| wait(check(&**store)));
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
        let other_flow = NewSaga { flow_hash: Sha256::digest("x").into(), flow_text: Arc::from("x"), ..saga("a") };
        assert_eq!(store.create(other_flow).await.unwrap(), Created::Different);
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
        let edited = NewSaga { flow_hash: Sha256::digest("x").into(), flow_text: Arc::from("x"), ..saga("a") };
        assert_eq!(create("key-3", edited).await, Created::Different);
        assert_eq!(create("key-3", saga("b")).await, taken_by("a"));
        // A key of an order that was not taken is nobody's.
        assert_eq!(create("key-4", other_input("a")).await, Created::Different);
        assert_eq!(create("key-4", saga("b")).await, Created::New);
        assert_eq!(create("key-4", saga("a")).await, taken_by("b"));
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
        store.suspend("b", "its journal is damaged").await.unwrap();
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
