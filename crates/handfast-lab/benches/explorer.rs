//! How many states a second the explorer visits on the reference models, with one thread and with all cores.

use criterion::{Criterion, SamplingMode, Throughput, criterion_group};
use handfast_lab::explorer::{Limits, Model, explore};
use handfast_lab::models::shop::{Network, Shop};
use handfast_lab::models::two_phase::TwoPhaseCommit;
use std::thread::available_parallelism;
use std::time::Duration;

fn cores() -> usize {
    available_parallelism().map_or(1, usize::from)
}

/// Prints what the figures below were measured on.
fn print_machine() {
    let description = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = description
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map(|rest| rest.trim_start_matches([' ', '\t', ':']));
    println!("machine: {} cores, {}", cores(), name.unwrap_or("of a model that /proc/cpuinfo does not name"));
}

/// Criterion's throughput is in different states: the elements a second it prints are states a second.
fn measure<M: Model>(criterion: &mut Criterion, name: &str, model: &M) {
    let cores = cores();
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

fn two_phase(criterion: &mut Criterion) {
    measure(criterion, "two-phase commit, 8 managers", &TwoPhaseCommit { managers: 8, commits_early: false });
}

fn shop(criterion: &mut Criterion) {
    measure(criterion, "shop, capacity 4, 2 crashes", &Shop::new(Network::Multiset(4), 2));
}

criterion_group!(benches, two_phase, shop);

fn main() {
    print_machine();
    benches();
    Criterion::default().configure_from_args().final_summary();
}
