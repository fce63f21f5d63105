//! How many states a second the explorer visits on the reference models, with one thread and with all cores.

#[path = "support/machine.rs"]
mod machine;
#[expect(dead_code, reason = "its tests use more of it")]
#[path = "../tests/it/models/shop.rs"]
mod shop;
#[path = "../tests/it/models/two_phase.rs"]
mod two_phase;

use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput, criterion_group};
use handfast_lab::explorer::{Limits, Model, explore};

use shop::{Network, Shop};
use two_phase::TwoPhaseCommit;

/// Criterion's throughput is in different states: the elements a second it prints are states a second.
fn measure<M: Model>(criterion: &mut Criterion, name: &str, model: &M) {
    let cores = machine::cores();
    let mut group = criterion.benchmark_group(name);
    group.sampling_mode(SamplingMode::Flat).sample_size(10).measurement_time(Duration::from_secs(5));
    for threads in [1, cores] {
        let limits = Limits { threads, ..Limits::default() };
        let report = explore(model, &limits);
        assert!(report.holds() && report.is_exhaustive(), "{report}");
        println!(
            "{name}: {} states, {} generated, {} of them self-loops",
            report.unique,
            report.generated + report.self_loops,
            report.self_loops
        );
        group.throughput(Throughput::Elements(report.unique));
        group.bench_function(format!("threads: {threads}"), |bencher| bencher.iter(|| explore(model, &limits)));
        if cores == 1 {
            break;
        }
    }
    group.finish();
}

fn managers(criterion: &mut Criterion) {
    measure(criterion, "two-phase commit, 8 managers", &TwoPhaseCommit { managers: 8, commits_early: false });
}

fn orders(criterion: &mut Criterion) {
    measure(criterion, "shop, capacity 4, 2 crashes", &Shop::new(Network::Multiset(4), 2));
}

criterion_group!(benches, managers, orders);

fn main() {
    machine::run("", benches);
}
