//! From which states a goal can still be reached: a backward search over the steps that were found.

use super::table::Number;

/// The steps found in one chunk of a layer.
pub(super) struct EdgeBlock {
    /// For each state its number and where its targets end.
    pub(super) sources: Box<[(Number, u32)]>,
    /// The numbers of the states that a step leads to.
    pub(super) targets: Box<[Number]>,
}

/// A set of states.
pub(super) struct States {
    words: Vec<u64>,
}

impl States {
    pub(super) const fn new() -> Self {
        Self { words: Vec::new() }
    }

    pub(super) fn insert(&mut self, state: Number) {
        let word = state as usize / 64;
        if word >= self.words.len() {
            self.words.resize((word + 1).max(2 * self.words.len()), 0);
        }
        self.words[word] |= 1 << (state % 64);
    }

    #[inline]
    pub(super) fn contains(&self, state: Number) -> bool {
        self.words.get(state as usize / 64).is_some_and(|word| word & (1 << (state % 64)) != 0)
    }
}

/// Adds to the states that reach the goal every state with a step into one of them, until there are no more.
///
/// The steps are swept from the last to the first and back instead of being turned round, which would take as much memory
/// again. In a breadth-first order a way to a goal turns few times between forwards and backwards, and a sweep is needed only
/// for each turn.
pub(super) fn close_backwards(edges: &[EdgeBlock], reaching: &mut States) {
    loop {
        let mut changed = false;
        for block in edges.iter().rev() {
            for source in (0..block.sources.len()).rev() {
                changed |= visit(block, source, reaching);
            }
        }
        if !changed {
            return;
        }
        for block in edges {
            for source in 0..block.sources.len() {
                visit(block, source, reaching);
            }
        }
    }
}

/// Adds the state if one of its targets is in the set. Says whether it did.
#[inline]
fn visit(block: &EdgeBlock, source: usize, reaching: &mut States) -> bool {
    let (state, end) = block.sources[source];
    if reaching.contains(state) {
        return false;
    }
    let begin = if source == 0 { 0 } else { block.sources[source - 1].1 };
    let reaches = block.targets[begin as usize..end as usize].iter().any(|target| reaching.contains(*target));
    if reaches {
        reaching.insert(state);
    }
    reaches
}

/// The explored states that are not in the set: how many, and the first in breadth-first order.
pub(super) fn outside(edges: &[EdgeBlock], reaching: &States) -> (u64, Option<Number>) {
    let mut stuck =
        edges.iter().flat_map(|block| block.sources.iter()).map(|(state, _)| *state).filter(|state| !reaching.contains(*state));
    let first = stuck.next();
    (first.map_or(0, |_| 1 + stuck.count() as u64), first)
}
