//! The threads of a search: work is handed out in order and its results come back in order.

use rayon::ThreadPool;
use rayon::prelude::*;

/// One thread (this one) or a pool of them.
pub(super) struct Crew {
    pool: Option<ThreadPool>,
}

impl Crew {
    /// A crew of so many threads; 0 stands for as many as the machine has cores.
    pub(super) fn new(threads: usize) -> Self {
        // One thread needs no pool; nor can a system that refuses more threads have one, and the results are the same.
        let pool = if threads == 1 { None } else { rayon::ThreadPoolBuilder::new().num_threads(threads).build().ok() };
        Self { pool: pool.filter(|pool| pool.current_num_threads() > 1) }
    }

    /// Into how many pieces work should be cut: several for each thread, since some take longer than others.
    pub(super) fn pieces(&self) -> usize {
        self.pool.as_ref().map_or(1, |pool| 4 * pool.current_num_threads())
    }

    /// The results of all pieces of work, in order.
    pub(super) fn map<T: Send, R: Send>(&self, work: Vec<T>, each: impl Fn(T) -> R + Sync + Send) -> Vec<R> {
        match &self.pool {
            Some(pool) if work.len() > 1 => pool.install(|| work.into_par_iter().map(each).collect()),
            _ => work.into_iter().map(each).collect(),
        }
    }

    /// Does something to each of the parts, which it is told the place of.
    pub(super) fn each<T: Send>(&self, parts: &mut [T], each: impl Fn(usize, &mut T) + Sync + Send) {
        match &self.pool {
            Some(pool) => pool.install(|| parts.par_iter_mut().enumerate().for_each(|(place, part)| each(place, part))),
            None => parts.iter_mut().enumerate().for_each(|(place, part)| each(place, part)),
        }
    }
}
