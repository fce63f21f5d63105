//! How many messengers a second are simulated, each with a coin of its own, with one thread and with two.

use std::thread::available_parallelism;
use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput, criterion_group};
use handfast_lab::generals::{CaptureRate, Limits, Ratio, Shipped, Simulation};

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

/// Criterion's throughput is in messengers.
fn measure(criterion: &mut Criterion, shipped: Shipped, runs: u64) {
    let table = shipped.tabulate(&Limits::default()).expect("it fits in memory");
    let rate = CaptureRate::new(&Ratio::new(1, 10)).expect("a probability");
    let mut group = criterion.benchmark_group(shipped.title());
    group.sampling_mode(SamplingMode::Flat).sample_size(10).measurement_time(Duration::from_secs(3));
    for threads in [1, 2] {
        let simulation = Simulation { runs, seed: 1, threads };
        let simulated = table.simulate(&rate, &simulation, &|_| {});
        group.throughput(Throughput::Elements(simulated.messengers));
        let name = format!("threads: {threads} of {} cores", cores());
        group.bench_function(name, |bencher| bencher.iter(|| table.simulate(&rate, &simulation, &|_| {})));
    }
    group.finish();
}

fn always(criterion: &mut Criterion) {
    measure(criterion, Shipped::Always { messengers: 1000 }, 100_000);
}

fn handshake(criterion: &mut Criterion) {
    measure(criterion, Shipped::Handshake { steps: 5, messengers: 10 }, 500_000);
}

fn random_attack(criterion: &mut Criterion) {
    measure(criterion, Shipped::RandomAttack { rounds: 10 }, 500_000);
}

criterion_group!(benches, always, handshake, random_attack);

fn main() {
    print_machine();
    benches();
    Criterion::default().configure_from_args().final_summary();
}
