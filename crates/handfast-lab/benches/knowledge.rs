//! How long it takes, and how much memory, to tell the knowledge in all runs: from the protocol to the histogram.

#[path = "support/limit.rs"]
mod limit;
#[path = "support/machine.rs"]
mod machine;

use std::time::Duration;

use criterion::{Criterion, SamplingMode, criterion_group};
use handfast_lab::generals::{Bounds, Knowledge, Limits, Shipped, Views, knowledge};

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

fn measure(criterion: &mut Criterion, shipped: Shipped, limit: Option<Duration>) {
    let told = tell(shipped);
    let (runs, pairs, title) = (told.worlds.bits(), told.pairs, shipped.title());
    println!("{title}: below 2^{runs} runs, in {pairs} pairs of views; peak memory {} (limit 200 MB)", peak_memory());
    let mut group = criterion.benchmark_group("knowledge, tabulation to histogram");
    group.sampling_mode(SamplingMode::Flat).sample_size(10).measurement_time(Duration::from_secs(5));
    limit::measure(&mut group, &title, limit, || tell(shipped));
    group.finish();
}

fn exchange(criterion: &mut Criterion) {
    measure(criterion, Shipped::RandomAttack { rounds: 10 }, Some(Duration::from_millis(600)));
}

fn handshake(criterion: &mut Criterion) {
    measure(criterion, Shipped::Handshake { steps: 20, messengers: 1000 }, None);
}

criterion_group!(benches, exchange, handshake);

fn main() {
    machine::run(" (one is used)", benches);
}
