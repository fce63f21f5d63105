//! The threads of a search: work is handed out in order and its results come back in order.

use std::num::NonZero;
use std::thread;

use rayon::ThreadPool;
use rayon::prelude::*;

/// This thread, and from the first work that can be shared on a pool of them.
pub(super) struct Crew {
    /// The most threads.
    most: usize,
    pool: Option<ThreadPool>,
}

impl Crew {
    /// A crew of at most so many threads; 0 stands for as many as the machine has cores.
    pub(super) fn new(threads: usize) -> Self {
        let most = if threads == 0 { thread::available_parallelism().map_or(1, NonZero::get) } else { threads };
        Self { most, pool: None }
    }

    /// Into how many pieces work should be cut: several for each thread, since some take longer than others.
    pub(super) const fn pieces(&self) -> usize {
        if self.most == 1 { 1 } else { self.most.saturating_mul(4) }
    }

    /// The results of all pieces of work, in order.
    pub(super) fn map<T: Send, R: Send>(&mut self, work: Vec<T>, each: impl Fn(T) -> R + Sync + Send) -> Vec<R> {
        self.hire(work.len());
        match &self.pool {
            Some(pool) if work.len() > 1 => pool.install(|| work.into_par_iter().map(each).collect()),
            _ => work.into_iter().map(each).collect(),
        }
    }

    /// Does something to each of the parts, which it is told the place of; with the threads that there are.
    pub(super) fn each<T: Send>(&self, parts: &mut [T], each: impl Fn(usize, &mut T) + Sync + Send) {
        match &self.pool {
            Some(pool) => pool.install(|| parts.par_iter_mut().enumerate().for_each(|(place, part)| each(place, part))),
            None => parts.iter_mut().enumerate().for_each(|(place, part)| each(place, part)),
        }
    }

    /// Sees to it that there are threads for so many pieces of work, and never more threads than pieces.
    fn hire(&mut self, pieces: usize) {
        let there = self.pool.as_ref().map_or(1, ThreadPool::current_num_threads);
        let wanted = pieces.min(self.most);
        // Every change makes a new pool, so a crew grows by steps that are worth it.
        if wanted < there.saturating_mul(2) && (wanted <= there || wanted < self.most) {
            return;
        }
        match rayon::ThreadPoolBuilder::new().num_threads(wanted).build() {
            Ok(pool) => self.pool = Some(pool),
            // The system refuses more threads; with those that there are the results are the same.
            Err(_) => self.most = there,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threads(crew: &Crew) -> usize {
        crew.pool.as_ref().map_or(1, ThreadPool::current_num_threads)
    }

    #[test]
    fn a_crew_has_never_more_threads_than_work() {
        let mut crew = Crew::new(1_000_000);
        for (pieces, hired) in [(1, 1), (2, 2), (3, 2), (4, 4), (1, 4)] {
            let done = crew.map((0..pieces).collect(), |piece: usize| piece * 2);
            assert_eq!(done, (0..pieces).map(|piece| piece * 2).collect::<Vec<_>>());
            assert_eq!(threads(&crew), hired, "{pieces} pieces");
        }
        let mut small = Crew::new(3);
        for (pieces, hired) in [(2, 2), (100, 3)] {
            small.map((0..pieces).collect(), |piece: usize| piece);
            assert_eq!(threads(&small), hired, "{pieces} pieces");
        }
        assert_eq!((Crew::new(1).pieces(), Crew::new(3).pieces()), (1, 12));
    }
}
