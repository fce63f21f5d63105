//! How long it takes, and how much memory, to tell the knowledge in all runs: from the protocol to the histogram.

use criterion::{Criterion, SamplingMode, criterion_group};
use handfast_lab::generals::{Bounds, Knowledge, Limits, Shipped, Views, knowledge};
use std::thread::available_parallelism;
use std::time::Duration;

/// Prints what the figures below were measured on.
fn print_machine() {
    let cores = available_parallelism().map_or(1, usize::from);
    let description = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = description.lines().find_map(|line| line.strip_prefix("model name"));
    let name = name.map_or("of a model that /proc/cpuinfo does not name", |rest| rest.trim_start_matches([' ', '\t', ':']));
    println!("machine: {cores} cores, {name}");
}

/// The most memory that this process has ever held, as Linux counts it.
fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.map_or_else(|| "unknown".to_owned(), |peak| peak.trim().to_owned())
}

fn tell(shipped: Shipped) -> Knowledge {
    let table = shipped.tabulate(&Limits::default()).expect("it fits");
    knowledge(&table, Views::Inputs, Bounds::default()).expect("it fits")
}

fn measure(criterion: &mut Criterion, shipped: Shipped) {
    let told = tell(shipped);
    println!("{}: {} runs, in {} pairs of views; peak memory {}", shipped.title(), told.worlds, told.pairs, peak_memory());
    let mut group = criterion.benchmark_group("knowledge, tabulation to histogram");
    group.sampling_mode(SamplingMode::Flat).sample_size(10).measurement_time(Duration::from_secs(5));
    group.bench_function(shipped.title(), |bencher| bencher.iter(|| tell(shipped)));
    group.finish();
}

fn exchange(criterion: &mut Criterion) {
    measure(criterion, Shipped::RandomAttack { rounds: 10 });
}

fn handshake(criterion: &mut Criterion) {
    measure(criterion, Shipped::Handshake { steps: 20, messengers: 1000 });
}

criterion_group!(benches, exchange, handshake);

fn main() {
    print_machine();
    benches();
    Criterion::default().configure_from_args().final_summary();
}
