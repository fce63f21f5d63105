//! Measures as criterion does, and says beside it how far the figure is from what was promised.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::BenchmarkGroup;
use criterion::measurement::WallTime;

/// Measures `work`, and prints the median of the samples beside the limit, if there is one.
pub(crate) fn measure<T>(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, limit: Option<Duration>, work: impl Fn() -> T) {
    let mut samples = Vec::new();
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|times| {
            let started = now();
            (0..times).for_each(|_| drop(black_box(work())));
            let took = started.elapsed();
            samples.push(took.as_secs_f64() / times as f64);
            took
        });
    });
    samples.sort_by(f64::total_cmp);
    // Nothing was measured if another benchmark was asked for.
    if let (Some(limit), Some(&median)) = (limit, samples.get(samples.len() / 2)) {
        let share = median / limit.as_secs_f64();
        let kept = if share <= 1.0 { "kept" } else { "NOT KEPT" };
        println!("limit {limit:.1?}: {:.3} ms, x{share:.3} of it, {kept}", median * 1e3);
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark is about the clock")]
fn now() -> Instant {
    Instant::now()
}
