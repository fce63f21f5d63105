//! How many records a second a store takes, durably, by how many orders are under way at once; and what a line costs.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use handfast::journal::{Line, Receipt};
use handfast::store::{Append, Digest, Entry, NewSaga, Seen, SqliteStore, Store};
use handfast_protocol::{Answer, Command, Definite, Operation, Time};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

fn line() -> Line {
    let receipt = Receipt {
        seq: Some(123_456),
        incarnation: Some("k3q9x0m2aa".into()),
        at: Some(Time(1_700_000_000_000)),
        ..Receipt::default()
    };
    Line::Answer { to: Command { step: 0, operation: Operation::Act }, answer: Answer::State(Definite::Done), receipt }
}

fn digest(seq: u64) -> Digest {
    seq.to_le_bytes()
}

fn entry(seq: u64) -> Entry {
    Entry { seq, at: Time(seq), input: line().write(1).expect("version 1 is known"), digest: digest(seq) }
}

fn saga(id: String) -> NewSaga {
    NewSaga {
        id,
        request_key_hash: None,
        flow_hash: [7; 32],
        flow_text: Arc::from("steps = []"),
        version: 1,
        input: vec![b'x'; 300],
        bodies: vec![vec![b'y'; 120].into(); 2],
        entries: vec![entry(1)],
        wake_at: Some(Time(1)),
        standing: "acting",
    }
}

/// All of them at once, and all of them flushed when it returns.
fn together<F>(runtime: &Runtime, writes: impl Iterator<Item = F>)
where
    F: Future<Output = ()> + Send + 'static,
{
    runtime.block_on(async { writes.collect::<JoinSet<_>>().join_all().await });
}

/// The three records of an order that goes well: placed, paid, dispatched.
async fn order(store: Arc<SqliteStore>, id: String) {
    store.create(saga(id.clone())).await.expect("it is new");
    for (seq, wake_at, standing) in [(2, Some(Time(1)), "acting"), (3, None, "completed")] {
        let seen = Seen {
            participant: "http://127.0.0.1:8001/charges".into(),
            incarnation: "k3q9x0m2aa".into(),
            seq,
            ..Seen::default()
        };
        let (previous, entry) = (digest(seq - 1), entry(seq));
        let append = Append { id: id.clone(), previous, entry, adoptions: 0, wake_at, standing, seen: Some(seen) };
        store.append(append).await.expect("nobody else writes");
    }
}

fn store(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("records of whole orders");
    for at_once in [1_u64, 64, 1_024] {
        let folder = tempfile::tempdir().expect("a folder for the store");
        let store = Arc::new(SqliteStore::open(folder.path().join("store.db")).expect("a new store"));
        let runtime = Runtime::new().expect("a runtime");
        let mut next = 0;
        group.throughput(Throughput::Elements(3 * at_once));
        group.bench_function(BenchmarkId::from_parameter(at_once), |bencher| {
            bencher.iter(|| {
                let orders = (next..next + at_once).map(|number| order(Arc::clone(&store), format!("order-{number}")));
                together(&runtime, orders);
                next += at_once;
            });
        });
    }
    group.finish();
    criterion.bench_function("write a line", |bencher| bencher.iter(|| black_box(line()).write(1)));
    let text = line().write(1).expect("version 1 is known");
    criterion.bench_function("read a line", |bencher| bencher.iter(|| Line::read(1, black_box(&text))));
}

criterion_group!(benches, store);
criterion_main!(benches);
