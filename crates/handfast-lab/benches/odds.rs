//! How long the exact odds of a thousand messengers take, the table included, and the polynomials and the worst case.

#[path = "support/limit.rs"]
mod limit;
#[path = "support/machine.rs"]
mod machine;

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group};
use handfast_lab::generals::{Chance, Limits, Ratio, Shipped, worst_case};

fn odds(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("exact odds, table included");
    group.sample_size(10);
    let limit = Some(Duration::from_millis(10));
    let thousand = [
        Shipped::Always { messengers: 1000 },
        Shipped::Reply { messengers: 1000, replies: 1000 },
        Shipped::Handshake { steps: 3, messengers: 1000 },
        Shipped::ReplyEach { messengers: 1000 },
    ];
    for shipped in thousand {
        for capture in [Ratio::new(1, 10), Ratio::new(123_456_789, 1_000_000_000)] {
            let chance = Chance::new(&capture).expect("a probability");
            limit::measure(&mut group, &format!("{}, p = {capture}", shipped.title()), limit, || {
                shipped.tabulate(&Limits::default()).expect("it fits").odds(&chance)
            });
        }
    }
    group.finish();
}

fn everything(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("without the table");
    group.sample_size(10);
    for shipped in [Shipped::ReplyEach { messengers: 1000 }, Shipped::Handshake { steps: 3, messengers: 1000 }] {
        let table = shipped.tabulate(&Limits::default()).expect("it fits");
        let chance = Chance::new(&Ratio::new(1, 10)).expect("a probability");
        group.bench_function(format!("odds of {}, p = 1/10", shipped.title()), |bencher| {
            bencher.iter(|| black_box(table.odds(&chance)));
        });
        group.bench_function(format!("polynomials of {}", shipped.title()), |bencher| {
            bencher.iter(|| black_box(table.expansion().expect("it is short").polynomials().expect("they are short")));
        });
    }
    let table = Shipped::RandomAttack { rounds: 20 }.tabulate(&Limits::default()).expect("it fits");
    group.bench_function("worst case of random-attack, 20 rounds", |bencher| {
        bencher.iter(|| black_box(worst_case(&table, &Limits::default()).expect("it fits")));
    });
    group.finish();
}

criterion_group!(benches, odds, everything);

fn main() {
    machine::run(" (one is used)", benches);
}
