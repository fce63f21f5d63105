//! How long it takes to find the best wave, the best plan and the best rule, with the machine they were measured on.

#[path = "support/limit.rs"]
mod limit;
#[path = "support/machine.rs"]
mod machine;

use std::time::Duration;

use criterion::{Criterion, criterion_group};
use handfast_lab::generals::decide::adaptive::{self, Class};
use handfast_lab::generals::decide::rule::best_rule;
use handfast_lab::generals::decide::{Stakes, wave};
use handfast_lab::generals::{Limits, Ratio, Shipped};

fn stakes(messenger: Ratio) -> Stakes {
    Stakes::new(Ratio::new(10, 1), Ratio::new(10, 1), messenger).expect("nothing is negative")
}

fn thousand_budgets(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decide, budgets 0 to 1000");
    group.sample_size(10);
    let limit = Some(Duration::from_secs(1));
    let (half, tenth) = (Ratio::new(1, 2), Ratio::new(9, 10));
    let (paid, free, cheap) = (stakes(Ratio::new(1, 10)), stakes(Ratio::new(0, 1)), stakes(Ratio::new(1, 10_000)));
    limit::measure(&mut group, "single waves, capture 1/2", limit, || {
        wave::best_for_budgets(&paid, &half, 1000).expect("it is small")
    });
    limit::measure(&mut group, "single waves, capture 9/10, free messengers", limit, || {
        wave::best_for_budgets(&free, &tenth, 1000).expect("it is small")
    });
    limit::measure(&mut group, "up to 3 waves, capture 1/2", limit, || {
        adaptive::best_for_budgets(&paid, &half, 3, 1000).expect("it is small")
    });
    limit::measure(&mut group, "up to 3 waves, capture 1/2, messengers at 1/10000", limit, || {
        adaptive::best_for_budgets(&cheap, &half, 3, 1000).expect("it is small")
    });
    group.finish();
}

fn one_plan(criterion: &mut Criterion) {
    let (paid, nine_tenths) = (stakes(Ratio::new(1, 1000)), Ratio::new(9, 10));
    let class = Class { waves: 3, budget: None };
    criterion.bench_function("decide, the best plan of up to 3 waves, capture 9/10, messengers at 1/1000", |bencher| {
        bencher.iter(|| adaptive::best(&paid, &nine_tenths, class).expect("it is small"));
    });
}

fn one_rule(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decide, the best rule and its break-points");
    group.sample_size(10);
    let (stakes, half) = (stakes(Ratio::new(0, 1)), Ratio::new(1, 2));
    for shipped in [Shipped::Handshake { steps: 20, messengers: 10 }, Shipped::RandomAttack { rounds: 3 }] {
        let table = shipped.tabulate(&Limits::default()).expect("it fits");
        group.bench_function(shipped.title(), |bencher| {
            bencher.iter(|| best_rule(&table, &stakes, &half, &half).expect("it is small"));
        });
    }
    group.finish();
}

criterion_group!(benches, thousand_budgets, one_plan, one_rule);

fn main() {
    machine::run(" (one is used)", benches);
}
