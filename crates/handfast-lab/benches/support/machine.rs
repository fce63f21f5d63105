//! What stands around the benchmarks of a target: the machine that they are measured on, and criterion's own beginning and end.

use std::thread::available_parallelism;

use criterion::Criterion;

pub(crate) fn cores() -> usize {
    available_parallelism().map_or(1, usize::from)
}

/// Says what the figures are measured on, with `used` behind the number of cores, and measures them.
pub(crate) fn run(used: &str, benches: fn()) {
    let description = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = description
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map(|rest| rest.trim_start_matches([' ', '\t', ':']));
    println!("machine: {} cores{used}, {}", cores(), name.unwrap_or("of a model that /proc/cpuinfo does not name"));
    benches();
    Criterion::default().configure_from_args().final_summary();
}
