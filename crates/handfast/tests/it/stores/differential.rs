//! One test drives every kind of store with the same random operations and faults: they give the same answers, and hold the same.
//!
//! A further kind of store is a line in [`kinds`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;

use handfast::store::{
    Acceptance, Adoption, Append, ClockMark, Entry, Filter, FlakyStore, MemoryStore, NewSaga, Offer, Seen, Sighting, Store,
    TimeAcceptance, Tip, Turns,
};
use handfast_protocol::{Change, Time};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestError, TestRng, TestRunner};
use sha2::{Digest as _, Sha256};

use super::{attempt, digest, key_hash, saga, wait};

/// A store, made to fail where the operations say so.
type Tried = FlakyStore<Arc<dyn Store>>;

/// A kind of store: opens the one in a folder, the first time and again. One that keeps nothing is not opened again.
struct Kind {
    name: &'static str,
    is_kept: bool,
    open: fn(&Path) -> Arc<dyn Store>,
}

/// Every kind there is. The first is the oracle: it says what the others have to answer.
fn kinds() -> Vec<Kind> {
    vec![
        Kind { name: "memory", is_kept: false, open: |_folder| Arc::new(MemoryStore::new()) },
        Kind { name: "sqlite", is_kept: true, open: |folder| Arc::new(super::alike::open(&folder.join("store.db"))) },
    ]
}

/// How many runs of so many operations at most; another seed each.
const RUNS: u64 = 64;
const OPERATIONS: usize = 80;

/// Names the first seed of all, so that a run can be had again.
const SEED: &str = "HANDFAST_TEST_SEED";

const IDS: [&str; 3] = ["order-1", "bestellung ü", "o'3"];
const KEYS: [&str; 3] = ["key-1", "key-2", "key-3"];
const STANDINGS: [&str; 3] = ["acting", "cancelling", "completed"];

/// What is done to both stores.
#[derive(Clone, Debug)]
enum Operation {
    Create {
        id: usize,
        key: Option<usize>,
        flow: u8,
        input: u8,
        entries: u8,
        wake_at: Option<u64>,
        standing: usize,
    },
    Append {
        id: usize,
        ahead: u8,
        other_previous: bool,
        other_adoptions: bool,
        wake_at: Option<u64>,
        standing: usize,
        seen: Option<(u8, u8, u64)>,
    },
    Park {
        id: usize,
        length: Option<u64>,
        wake_at: u64,
        tries: u32,
    },
    Lengths {
        ids: [usize; 2],
    },
    Adopt {
        placed_with: u8,
        follows: u8,
        flow: u8,
        same_books: bool,
    },
    Open {
        placed_with: u8,
        follows: u8,
        after: Option<usize>,
        limit: usize,
    },
    StampedAfter {
        now: u64,
    },
    Participant {
        which: u8,
        what: u8,
        incarnation: u8,
        seq: u64,
    },
    AtHand {
        flows: u8,
    },
    Time {
        at: u64,
        process: u8,
        accepts: bool,
    },
    Fault {
        countdown: u64,
        lands: bool,
        crashes: bool,
    },
    Restart,
    Snapshot,
    Suspend {
        id: usize,
        length: u64,
    },
    Tries {
        id: usize,
        number: u8,
    },
    Due {
        now: u64,
        limit: usize,
    },
    List {
        standings: Vec<usize>,
        flow: Option<u8>,
        from: Option<u64>,
        before: Option<u64>,
        after: Option<usize>,
        limit: usize,
    },
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
        6 => (id.clone(), option::of(0..KEYS.len()), 0..3_u8, 0..2_u8, 0..3_u8, option::of(time()), standing.clone()).prop_map(
            |(id, key, flow, input, entries, wake_at, standing)| {
                Operation::Create { id, key, flow, input, entries, wake_at, standing }
            }
        ),
        12 => (id.clone(), 0..4_u8, prop::bool::weighted(0.1), prop::bool::weighted(0.1), option::of(time()), standing.clone(), seen).prop_map(
            |(id, ahead, other_previous, other_adoptions, wake_at, standing, seen)| {
                // Mostly the next entry; sometimes the one that is there already, or one too far.
                let ahead = if ahead > 2 { 1 } else { ahead };
                Operation::Append { id, ahead, other_previous, other_adoptions, wake_at, standing, seen }
            }
        ),
        3 => (id.clone(), option::of(0..4_u64), time(), 0..9_u32)
            .prop_map(|(id, length, wake_at, tries)| Operation::Park { id, length, wake_at, tries }),
        1 => (id.clone(), id.clone()).prop_map(|(one, other)| Operation::Lengths { ids: [one, other] }),
        2 => (id.clone(), 0..4_u64).prop_map(|(id, length)| Operation::Suspend { id, length }),
        2 => (id.clone(), any::<u8>()).prop_map(|(id, number)| Operation::Tries { id, number }),
        3 => (time(), 0..4_usize).prop_map(|(now, limit)| Operation::Due { now, limit }),
        4 => (vec(standing, 0..3), option::of(0..2_u8), option::of(time()), option::of(time()), option::of(id), 0..4_usize)
            .prop_map(|(standings, flow, from, before, after, limit)| {
                Operation::List { standings, flow, from, before, after, limit }
            }),
        2 => (0..2_u8, 0..2_u8, 0..2_u8, any::<bool>())
            .prop_map(|(placed_with, follows, flow, same_books)| Operation::Adopt { placed_with, follows, flow, same_books }),
        1 => (0..2_u8, 0..2_u8, option::of(0..IDS.len()), 0..4_usize)
            .prop_map(|(placed_with, follows, after, limit)| Operation::Open { placed_with, follows, after, limit }),
        1 => time().prop_map(|now| Operation::StampedAfter { now }),
        3 => (0..2_u8, 0..4_u8, 0..2_u8, time())
            .prop_map(|(which, what, incarnation, seq)| Operation::Participant { which, what, incarnation, seq }),
        1 => (0..3_u8).prop_map(|flows| Operation::AtHand { flows }),
        1 => (0..6_u64, 0..2_u8, any::<bool>()).prop_map(|(at, process, accepts)| Operation::Time { at, process, accepts }),
        2 => (1..4_u64, any::<bool>(), prop::bool::weighted(0.3))
            .prop_map(|(countdown, lands, crashes)| Operation::Fault { countdown, lands, crashes }),
        2 => Just(Operation::Restart),
        1 => Just(Operation::Snapshot),
        1 => Just(Operation::Reopen),
    ]
}

fn text(answer: impl Debug) -> String {
    format!("{answer:?}")
}

fn placed(id: usize, flow: u8, input: u8, entries: u8, wake_at: Option<u64>, standing: usize) -> NewSaga {
    let flow_text = flow_text(flow);
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

/// The first two are of one name, as after an edit; the third is another flow.
fn flow_text(flow: u8) -> String {
    format!(r#"{{"flow":"f{}","steps":{flow}}}"#, flow / 2)
}

fn flow_hash(flow: u8) -> [u8; 32] {
    Sha256::digest(flow_text(flow)).into()
}

/// The entry that comes next, or one that is wrong somewhere.
fn appended(
    (id, standing, wake_at): (usize, usize, Option<u64>),
    known: (u64, u64),
    (ahead, other_previous, other_adoptions): (u8, bool, bool),
    seen: Option<(u8, u8, u64)>,
) -> Append {
    let (length, adoptions) = (known.0, known.1 + u64::from(other_adoptions));
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
    Append { id, previous, entry, adoptions, wake_at: wake_at.map(Time), standing, seen }
}

/// Does it to one store. `known` are the saga's entries and adoptions as they were before, by the first of the stores.
async fn perform(store: &Tried, known: (u64, u64), operation: &Operation) -> String {
    match *operation {
        Operation::Create { id, key, flow, input, entries, wake_at, standing } => {
            let request_key_hash = key.and_then(|key| key_hash(KEYS[key]));
            let new = NewSaga { request_key_hash, ..placed(id, flow, input, entries, wake_at, standing) };
            text(store.create(new).await)
        }
        Operation::Append { id, ahead, other_previous, other_adoptions, wake_at, standing, ref seen } => {
            let wrong = (ahead, other_previous, other_adoptions);
            text(store.append(appended((id, standing, wake_at), known, wrong, *seen)).await)
        }
        Operation::Lengths { ids } => text(store.lengths(ids.map(|id| IDS[id].into()).to_vec()).await),
        Operation::Park { id, length, wake_at, tries } => text(store.park(IDS[id], length, Time(wake_at), tries).await),
        Operation::Suspend { id, length } => text(store.suspend(IDS[id], length, "for a reason").await),
        Operation::Tries { id, number } => {
            (0..u64::from(number)).for_each(|number| store.record_try(attempt(IDS[id], number)));
            text(store.tries(IDS[id]).await)
        }
        Operation::Due { now, limit } => text(store.due(Time(now), limit).await),
        Operation::List { ref standings, flow, from, before, after, limit } => {
            let filter = Filter {
                standings: standings.iter().map(|&standing| STANDINGS[standing].to_owned()).collect(),
                flows: flow.map(|flow| BTreeSet::from([flow_hash(flow)])),
                placed_from: from.map(Time),
                placed_before: before.map(Time),
                after: after.map(|after| IDS[after].to_owned()),
                limit,
            };
            text(store.list(filter).await)
        }
        Operation::Adopt { placed_with, follows, flow, same_books } => {
            let (by, why) = ("ada".to_owned(), "moved".to_owned());
            let (flow_hash, flow_text) = (flow_hash(flow), Arc::from(flow_text(flow)));
            let (placed_with, follows) = (self::flow_hash(placed_with), self::flow_hash(follows));
            let adoption = Adoption { placed_with, follows, flow_hash, flow_text, same_books, at: Time(1), by, why };
            text(store.adopt(adoption).await)
        }
        Operation::Open { placed_with, follows, after, limit } => {
            let after = after.map(|after| IDS[after]);
            text(store.open_of(flow_hash(placed_with), flow_hash(follows), after, limit).await)
        }
        Operation::StampedAfter { now } => text(store.stamped_after(Time(now)).await),
        Operation::Participant { which, what, incarnation, seq } => participant(store, (which, what, incarnation, seq)).await,
        Operation::AtHand { flows } => {
            let flows = (0..flows).map(|flow| Arc::from(flow_text(flow))).collect();
            text(store.keep_at_hand(flows).await)
        }
        Operation::Time { at, process, accepts } => clock(store, (at, process, accepts)).await,
        Operation::Fault { countdown, lands, crashes } => {
            if crashes {
                store.crash_at(countdown, lands)
            } else {
                store.fail_at(countdown, lands)
            }
            String::new()
        }
        Operation::Restart => {
            store.restart();
            String::new()
        }
        Operation::Snapshot => read_all(store.inner()).await.join("\n"),
        Operation::Reopen => String::new(),
    }
}

/// What a process says of its clock, or a person of the time that is kept.
async fn clock(store: &Tried, (at, process, accepts): (u64, u8, bool)) -> String {
    let (at, wall, turns) = (Time(at * 1_000), Time(at * 1_000), Turns::default());
    let name = format!("process-{process}");
    let mark = ClockMark { at, wall, boot: name.clone(), boot_ms: at.0, process: name, turns };
    let judged = text(store.judge_time(mark.clone(), 500).await);
    if accepts {
        let acceptance = TimeAcceptance { mark, by: "ada".to_owned(), why: "ntp".to_owned() };
        return judged + &text(store.accept_time(acceptance).await);
    }
    judged + &text(store.keep_time(mark, 500).await)
}

/// What a participant says of itself, and a person of it.
async fn participant(store: &Tried, (which, what, incarnation, seq): (u8, u8, u8, u64)) -> String {
    let (participant, other) = (format!("http://p{which}"), format!("i{}", 1 - incarnation));
    let incarnation = format!("i{incarnation}");
    match what {
        0 => text(store.offer(Offer { participant, incarnation, seq, at: Time(seq.min(9)) }).await),
        1 => text(store.withdraw(&participant, &incarnation).await),
        2 => text(store.remember(Seen { participant, incarnation, seq, ..Seen::default() }).await),
        _ => {
            let (by, why) = ("ada".to_owned(), "put back".to_owned());
            text(store.accept(Acceptance { participant, incarnation, former: other, seq: 1, at: Time(1), by, why }).await)
        }
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
        text(store.orders(Filter::all(None, 2)).await),
        text(store.orders(Filter::all(Some("nobody"), 2)).await),
        text(store.counts().await),
        text(store.seen().await),
        text(store.flows().await),
        text(store.at_hand().await),
        text(store.open_flows().await),
        text(store.offers().await),
        text(store.acceptances().await),
        text(store.reachable().await),
    ];
    for id in IDS.into_iter().chain(["nobody"]) {
        answers.push(text(store.load(id).await));
        answers.push(text(store.tries(id).await));
    }
    answers
}

/// What the stores had to answer alike and did not.
fn differ(name: &str, (expected, found): (&str, &str), when: &dyn Debug) -> Result<(), TestCaseError> {
    prop_assert_eq!(expected, found, "{} answers otherwise: {:?}", name, when);
    Ok(())
}

async fn drive(folder: &Path, operations: &[Operation]) -> Result<(), TestCaseError> {
    let kinds = kinds();
    let mut stores: Vec<Tried> = kinds.iter().map(|kind| FlakyStore::new((kind.open)(folder))).collect();
    for operation in operations {
        if matches!(operation, Operation::Reopen) {
            for (kind, store) in kinds.iter().zip(&mut stores).filter(|(kind, _)| kind.is_kept) {
                // What was planned for it is forgotten with it, so the others forget it, too.
                *store = FlakyStore::new(Arc::new(MemoryStore::new()));
                *store = FlakyStore::new((kind.open)(folder));
            }
            stores.iter().for_each(Tried::restart);
        }
        let known = known(stores[0].inner(), operation).await;
        let expected = perform(&stores[0], known, operation).await;
        for (kind, store) in kinds.iter().zip(&stores).skip(1) {
            differ(kind.name, (&expected, &perform(store, known, operation).await), operation)?;
        }
    }
    let expected = read_all(stores[0].inner()).await;
    let keys = claim_all(stores[0].inner()).await;
    for (kind, store) in kinds.iter().zip(stores).skip(1) {
        differ(kind.name, (&expected.join("\n"), &read_all(store.inner()).await.join("\n")), &"at the end")?;
        drop(store);
        let again = (kind.open)(folder);
        differ(kind.name, (&expected.join("\n"), &read_all(&*again).await.join("\n")), &"after it was opened again")?;
        differ(kind.name, (&keys.join("\n"), &claim_all(&*again).await.join("\n")), &"whose each key is")?;
    }
    Ok(())
}

/// How many entries a saga has, and how often somebody has let it follow another definition.
async fn known(store: &dyn Store, operation: &Operation) -> (u64, u64) {
    let Operation::Append { id, .. } = operation else { return (0, 0) };
    let saga = store.load(IDS[*id]).await.unwrap();
    saga.map_or((0, 0), |saga| (saga.entries.len() as u64, saga.adopted.len() as u64))
}

#[test]
fn every_store_answers_as_the_one_in_memory_does() {
    let drawn = || uuid::Uuid::now_v7().as_u64_pair().1;
    let first = std::env::var(SEED).ok().map_or_else(drawn, |seed| seed.parse().unwrap());
    for seed in (0..RUNS).map(|run| first.wrapping_add(run)) {
        let config = ProptestConfig { cases: 1, max_shrink_iters: 300, failure_persistence: None, ..ProptestConfig::default() };
        let random = TestRng::from_seed(RngAlgorithm::ChaCha, &Sha256::digest(seed.to_le_bytes()));
        let run = TestRunner::new_with_rng(config, random).run(&vec(operation(), 1..OPERATIONS), |operations| {
            let folder = tempfile::tempdir().unwrap();
            wait(drive(folder.path(), &operations))
        });
        if let Err(TestError::Fail(why, operations)) = run {
            panic!("{SEED}={seed}: {why}\nafter {operations:#?}");
        }
        assert!(run.is_ok(), "{SEED}={seed}: {run:?}");
    }
}
