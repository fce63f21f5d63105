//! One batch of a layer of the search: what its states lead to, and which of that is new.

use super::fingerprint::{Fingerprint, fingerprint};
use super::model::Model;
use super::sorted::Sorted;
use super::table::{NO_STATE, Number, SHARDS, Shard, Table, shard_of};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Marks, in the answer of a shard, a state that it had not seen before. Numbers are below it.
const NEW: u32 = 1 << 31;

/// No further candidate.
const END: u32 = u32::MAX;

/// Successors that are looked up together. Each look-up waits for memory; together they wait at the same time.
const LOOK_UPS: usize = 256;

/// A state that was not in the table when the batch began.
struct Candidate<S> {
    fingerprint: Fingerprint,
    predecessor: Number,
    /// Where its number goes among the targets.
    target: u32,
    /// The next candidate for the same shard.
    next: u32,
    /// Its number, once its shard has answered.
    answer: AtomicU32,
    state: S,
}

/// How many steps broke a claim, and the first: the number of the state before it, the action, the state after.
pub(super) type BadSteps<S, A> = (u64, Option<(Number, A, S)>);

/// What a chunk of the frontier leads to.
pub(super) struct Expanded<S, A> {
    candidates: Vec<Candidate<S>>,
    /// For each shard its first and last candidate.
    chains: [(u32, u32); SHARDS],
    /// The numbers of all successors, source after source, if edges are wanted.
    pub(super) targets: Vec<Number>,
    /// For each source, its number and where its targets end.
    pub(super) sources: Vec<(Number, u32)>,
    pub(super) generated: u64,
    pub(super) self_loops: u64,
    /// The kinds that did not happen before and not here either.
    pub(super) unseen: Vec<&'static str>,
    /// For each claim on steps, how many steps broke it and the first that did.
    pub(super) bad_steps: Vec<BadSteps<S, A>>,
}

/// What is new in a chunk, in order, and what was found of it.
pub(super) struct Settled<S> {
    pub(super) states: Vec<(Number, S)>,
    /// For each claim on states: how many of the new states the search wants to know of, and the first.
    pub(super) marked: Vec<(u64, Number)>,
    /// For each goal the new states that meet it.
    pub(super) goals: Vec<Vec<Number>>,
}

impl<S: Clone, A: Clone> Expanded<S, A> {
    fn new(claims_on_steps: usize, unseen: &[&'static str]) -> Self {
        Self {
            candidates: Vec::new(),
            chains: [(END, END); SHARDS],
            targets: Vec::new(),
            sources: Vec::new(),
            generated: 0,
            self_loops: 0,
            unseen: unseen.to_vec(),
            bad_steps: (0..claims_on_steps).map(|_| (0, None)).collect(),
        }
    }

    #[inline]
    fn push(&mut self, fingerprint: Fingerprint, state: S, predecessor: Number) {
        let here = self.candidates.len() as u32;
        let target = self.targets.len() as u32;
        let answer = AtomicU32::new(NO_STATE);
        self.candidates.push(Candidate { fingerprint, predecessor, target, next: END, answer, state });
        let chain = &mut self.chains[shard_of(fingerprint)];
        if chain.0 == END {
            chain.0 = here;
        } else {
            self.candidates[chain.1 as usize].next = here;
        }
        chain.1 = here;
    }

    /// Counts a step and sees what it does to the claims on steps.
    #[inline]
    fn look_at_step<M: Model<State = S, Action = A>>(
        &mut self,
        model: &M,
        sorted: &Sorted<M>,
        (number, state): (Number, &S),
        action: &A,
        next: &S,
    ) {
        self.generated += 1;
        debug_assert!(sorted.kinds.contains(&model.kind(action)), "{:?} is of no kind the model names", model.kind(action));
        if !self.unseen.is_empty() {
            let kind = model.kind(action);
            self.unseen.retain(|unseen| *unseen != kind);
        }
        for ((_, holds), (count, first)) in sorted.on_steps.iter().zip(&mut self.bad_steps) {
            if !holds(model, state, action, next) {
                *count += 1;
                first.get_or_insert_with(|| (number, action.clone(), next.clone()));
            }
        }
    }

    /// Keeps as candidates the states that are not in the table yet.
    fn look_up(&mut self, table: &Table, waiting: &mut Vec<(Fingerprint, Number, S)>, keeps_edges: bool) {
        table.touch(waiting.iter().map(|(fingerprint, _, _)| *fingerprint));
        for (fingerprint, predecessor, state) in waiting.drain(..) {
            let seen = table.find(fingerprint);
            if seen.is_none() {
                self.push(fingerprint, state, predecessor);
            }
            if keeps_edges {
                // A candidate's number is filled in when its shard has answered.
                self.targets.push(seen.unwrap_or(NO_STATE));
            }
        }
    }

    /// Lets one shard number the candidates that belong to it. Chunks must come in order, so that the first to reach a state
    /// becomes its predecessor.
    pub(super) fn answer(&self, number: usize, shard: &mut Shard) {
        let mut at = self.chains[number].0;
        while at != END {
            let candidate = &self.candidates[at as usize];
            let (state, new) = shard.insert(number, candidate.fingerprint, candidate.predecessor);
            // Relaxed is enough: the threads join before anybody reads.
            candidate.answer.store(if new { state | NEW } else { state }, Relaxed);
            at = candidate.next;
        }
    }
}

/// The initial states as candidates.
pub(super) fn begin<M: Model>(model: &M, unseen: &[&'static str]) -> Expanded<M::State, M::Action> {
    let mut expanded = Expanded::new(0, unseen);
    for state in model.initial() {
        expanded.generated += 1;
        expanded.push(fingerprint(&state), state, NO_STATE);
    }
    expanded
}

/// Everything that a chunk of the frontier leads to.
pub(super) fn expand<M: Model>(
    model: &M,
    sorted: &Sorted<M>,
    table: &Table,
    unseen: &[&'static str],
    frontier: &[(Number, M::State)],
) -> Expanded<M::State, M::Action> {
    let mut expanded = Expanded::new(sorted.on_steps.len(), unseen);
    let keeps_edges = !sorted.goals.is_empty();
    let mut actions = Vec::new();
    let mut waiting = Vec::with_capacity(2 * LOOK_UPS);
    for (number, state) in frontier {
        actions.clear();
        model.actions(state, &mut actions);
        for action in &actions {
            let Some(next) = model.after(state, action) else { continue };
            if next == *state {
                expanded.self_loops += 1;
                continue;
            }
            expanded.look_at_step(model, sorted, (*number, state), action, &next);
            waiting.push((fingerprint(&next), *number, next));
        }
        if keeps_edges {
            expanded.sources.push((*number, (expanded.targets.len() + waiting.len()) as u32));
        }
        if waiting.len() >= LOOK_UPS {
            expanded.look_up(table, &mut waiting, keeps_edges);
        }
    }
    expanded.look_up(table, &mut waiting, keeps_edges);
    expanded
}

/// Takes the answers of the shards: keeps what is new and looks at it.
pub(super) fn settle<M: Model>(model: &M, sorted: &Sorted<M>, expanded: &mut Expanded<M::State, M::Action>) -> Settled<M::State> {
    let mut settled = Settled {
        states: Vec::new(),
        marked: vec![(0, NO_STATE); sorted.on_states.len()],
        goals: vec![Vec::new(); sorted.goals.len()],
    };
    for candidate in std::mem::take(&mut expanded.candidates) {
        let answer = candidate.answer.into_inner();
        let number = answer & !NEW;
        if let Some(target) = expanded.targets.get_mut(candidate.target as usize) {
            *target = number;
        }
        if answer & NEW == 0 {
            continue;
        }
        let state = candidate.state;
        for (claim, (count, first)) in sorted.on_states.iter().zip(&mut settled.marked) {
            if (claim.holds)(model, &state) == claim.wanted {
                if *count == 0 {
                    *first = number;
                }
                *count += 1;
            }
        }
        for ((_, goal), met) in sorted.goals.iter().zip(&mut settled.goals) {
            if goal(model, &state) {
                met.push(number);
            }
        }
        settled.states.push((number, state));
    }
    settled
}
