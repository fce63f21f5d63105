//! How long the exhaustive check of a protocol takes, with the telling of everything that can be told.

#[path = "support/limit.rs"]
mod limit;
#[path = "support/machine.rs"]
mod machine;

use std::time::Duration;

use criterion::{Criterion, criterion_group};
use handfast_lab::generals::{Adversary, Counts, Limits, Shipped};

fn measure(criterion: &mut Criterion, shipped: Shipped, adversary: Adversary, limit: Option<Duration>) {
    let mut group = criterion.benchmark_group("tabulate and check");
    limit::measure(&mut group, &format!("{} against {adversary}", shipped.title()), limit, || {
        let table = shipped.tabulate(&Limits::default()).expect("it fits");
        let checked = table.check(adversary).expect("it fits");
        (checked.counts.as_ref().ok().map(Counts::runs), checked.counterexample())
    });
    group.finish();
}

fn handshake(criterion: &mut Criterion) {
    let limit = Some(Duration::from_millis(10));
    for messengers in [1, 10, 1000] {
        measure(criterion, Shipped::Handshake { steps: 20, messengers }, Adversary::Any, limit);
    }
    measure(criterion, Shipped::Handshake { steps: 20, messengers: 10 }, Adversary::AtMost(9), limit);
}

fn exchange(criterion: &mut Criterion) {
    measure(criterion, Shipped::RandomAttack { rounds: 10 }, Adversary::Any, None);
    measure(criterion, Shipped::RandomAttack { rounds: 10 }, Adversary::PerRound(1), None);
}

criterion_group!(benches, handshake, exchange);

fn main() {
    machine::run(" (one is used)", benches);
}
