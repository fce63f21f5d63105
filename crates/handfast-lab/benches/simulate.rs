//! How many messengers a second are simulated, each with a coin of its own, with one thread and with two.

#[path = "support/limit.rs"]
mod limit;
#[path = "support/machine.rs"]
mod machine;

use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput, criterion_group};
use handfast_lab::generals::{CaptureRate, Limits, Ratio, Shipped, Simulation};

/// Criterion's throughput is in messengers.
fn measure(criterion: &mut Criterion, shipped: Shipped, runs: u64) {
    let table = shipped.tabulate(&Limits::default()).expect("it fits in memory");
    let rate = CaptureRate::new(&Ratio::new(1, 10)).expect("a probability");
    let mut group = criterion.benchmark_group(shipped.title());
    group.sampling_mode(SamplingMode::Flat).sample_size(10).measurement_time(Duration::from_secs(3));
    for threads in [1, 2] {
        let simulation = Simulation { runs, seed: 1, threads };
        let elements = table.simulate(&rate, &simulation, &|_| {}).messengers;
        group.throughput(Throughput::Elements(elements));
        // The promise: 50 million a second on two cores.
        let limit = (threads == 2).then(|| Duration::from_secs_f64(elements as f64 / 50e6));
        let name = format!("threads: {threads} of {} cores", machine::cores());
        limit::measure(&mut group, &name, limit, || table.simulate(&rate, &simulation, &|_| {}));
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
    machine::run("", benches);
}
