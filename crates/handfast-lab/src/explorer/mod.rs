//! Explores every reachable state of a model, breadth first, and reports what holds and the shortest runs where it does not.
//!
//! ```text
//! frontier ──expand──> candidates ──shards number them──> new states ──settle──> next frontier
//!          (threads)               (threads, by fingerprint)          (threads)
//! ```
//!
//! Each of the three steps works on pieces that are cut the same way whatever the number of threads, and hands its results on
//! in order. So the first run to reach a state in the order of the model's lists is the one kept, and the report is the same
//! with one thread and with many.
//!
//! Sources: breadth-first search with fingerprints and predecessors kept, states themselves only on the frontier, after TLC
//! (Yu, Manolios, Lamport 1999) and Murphi (Stern and Dill 1995); nondeterminism as a list after Stateright (Nadal).

mod crew;
mod fingerprint;
mod layer;
mod model;
mod reach;
mod report;
mod search;
mod sorted;
mod table;

pub use model::{Claim, Model, OnState, OnStep, Property};
pub use report::{Bound, Judged, Report, Run, Verdict};

/// How far a search may go. A search that stops early says so in [`Report::bounds`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Stop soon after more states than this were found (what was begun is finished first, so a few more may be reported).
    /// At most 2^30, about a thousand million, whatever is said here.
    pub max_states: u64,
    /// Do not continue runs of this many states.
    pub max_depth: u32,
    /// Threads; 0 stands for as many as the machine has cores. The report does not depend on it.
    pub threads: usize,
    /// Stop as soon as a claim that must always hold is found violated.
    pub stop_at_first: bool,
}

impl Default for Limits {
    /// A hundred million states, any depth, all cores, no early stop.
    fn default() -> Self {
        Self { max_states: 100_000_000, max_depth: u32::MAX, threads: 0, stop_at_first: false }
    }
}

impl Limits {
    /// The same limits with this number of threads.
    pub const fn with_threads(self, threads: usize) -> Self {
        Self { threads, ..self }
    }
}

/// Explores a model within limits.
///
/// Memory: about 45 bytes a state; if a claim is made about what can always be reached, 8 more for each state and 4 for each
/// step; and the states themselves of two neighbouring layers. Two-phase commit of ten managers, 61,515,776 states and
/// 512,802,818 steps, takes 5.4 GB.
pub fn explore<M: Model>(model: &M, limits: &Limits) -> Report<M::State, M::Action> {
    search::Search::new(model, limits).run()
}
