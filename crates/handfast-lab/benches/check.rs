//! How long the exhaustive check of a protocol takes, with the telling of everything that can be told.

use std::hint::black_box;
use std::thread::available_parallelism;

use criterion::{Criterion, criterion_group};
use handfast_lab::generals::{Adversary, Limits, Shipped};

/// Prints what the figures below were measured on.
fn print_machine() {
    let description = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = description
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map(|rest| rest.trim_start_matches([' ', '\t', ':']));
    let cores = available_parallelism().map_or(1, usize::from);
    println!("machine: {cores} cores (one is used), {}", name.unwrap_or("of a model that /proc/cpuinfo does not name"));
}

fn measure(criterion: &mut Criterion, shipped: Shipped, adversary: Adversary) {
    let name = format!("tabulate and check {} against {adversary}", shipped.title());
    criterion.bench_function(&name, |bencher| {
        bencher.iter(|| {
            let table = shipped.tabulate(&Limits::default()).expect("it fits");
            let checked = table.check(adversary).expect("it fits");
            black_box((checked.runs(), checked.counterexample()))
        });
    });
}

fn handshake(criterion: &mut Criterion) {
    for messengers in [1, 10, 1000] {
        measure(criterion, Shipped::Handshake { steps: 20, messengers }, Adversary::Any);
    }
    measure(criterion, Shipped::Handshake { steps: 20, messengers: 10 }, Adversary::AtMost(9));
}

fn exchange(criterion: &mut Criterion) {
    measure(criterion, Shipped::RandomAttack { rounds: 10 }, Adversary::Any);
    measure(criterion, Shipped::RandomAttack { rounds: 10 }, Adversary::PerRound(1));
}

criterion_group!(benches, handshake, exchange);

fn main() {
    print_machine();
    benches();
    Criterion::default().configure_from_args().final_summary();
}
