//! The search itself: layer by layer, then the verdicts and the runs that show them.

use super::crew::Crew;
use super::fingerprint::{collision_odds, fingerprint};
use super::layer::{BadSteps, Expanded, Settled, begin, expand, settle};
use super::model::{Claim, Model, Property};
use super::reach::{EdgeBlock, States, close_backwards, outside};
use super::sorted::Sorted;
use super::table::{NO_STATE, Number, Table};
use super::{Bound, Judged, Limits, Report, Run, Verdict};
use std::collections::VecDeque;

/// States of the frontier after which the bounds are looked at.
const BATCH: usize = 1 << 14;

/// States of the frontier that one thread expands at a time. Few, so that what it looked up is still in its cache when the
/// shards number what is new.
const CHUNK: usize = 1 << 8;

/// The greatest number of states: their numbers must stay below 2^31, in shards that are not quite even.
const MOST_STATES: u64 = 1 << 30;

/// Batches of states that were found and not expanded yet, in breadth-first order.
type Frontier<M> = VecDeque<Vec<(Number, <M as Model>::State)>>;

/// A search under way.
pub(super) struct Search<'m, M: Model> {
    model: &'m M,
    limits: Limits,
    crew: Crew,
    properties: Vec<Property<M>>,
    sorted: Sorted<M>,
    table: Table,
    frontier: Frontier<M>,
    next: Frontier<M>,
    depth: u32,
    generated: u64,
    self_loops: u64,
    unseen: Vec<&'static str>,
    edges: Vec<EdgeBlock>,
    /// For each claim on states, how many settle it and the first that does.
    marked: Vec<(u64, Number)>,
    bad_steps: Vec<BadSteps<M::State, M::Action>>,
    /// For each goal the states that meet it.
    goals: Vec<States>,
    bounds: Vec<Bound>,
}

impl<'m, M: Model> Search<'m, M> {
    pub(super) fn new(model: &'m M, limits: &Limits) -> Self {
        let properties = model.properties();
        let sorted = Sorted::new(&properties, model.kinds());
        let limits = Limits { max_states: limits.max_states.min(MOST_STATES), ..*limits };
        Self {
            crew: Crew::new(limits.threads),
            table: Table::new(),
            frontier: Frontier::<M>::new(),
            next: Frontier::<M>::new(),
            depth: 0,
            generated: 0,
            self_loops: 0,
            unseen: sorted.kinds.clone(),
            edges: Vec::new(),
            marked: vec![(0, NO_STATE); sorted.on_states.len()],
            bad_steps: sorted.on_steps.iter().map(|_| (0, None)).collect(),
            goals: sorted.goals.iter().map(|_| States::new()).collect(),
            bounds: Vec::new(),
            model,
            limits,
            properties,
            sorted,
        }
    }

    pub(super) fn run(mut self) -> Report<M::State, M::Action> {
        let initial = begin(self.model, &self.unseen);
        self.number(vec![initial]);
        self.descend();
        while let Some(bound) = self.layer() {
            if let Some(bound) = bound {
                self.bounds.push(bound);
                break;
            }
            self.descend();
        }
        self.report()
    }

    /// Makes what was found the frontier.
    fn descend(&mut self) {
        debug_assert!(self.frontier.is_empty(), "a layer is finished before the next begins");
        std::mem::swap(&mut self.frontier, &mut self.next);
        if !self.frontier.is_empty() {
            self.depth += 1;
        }
    }

    /// Expands the frontier. `None` when there was nothing left, a bound when it was hit with states left.
    fn layer(&mut self) -> Option<Option<Bound>> {
        if self.frontier.is_empty() {
            return None;
        }
        if self.depth >= self.limits.max_depth {
            return Some(Some(Bound::Depth(self.limits.max_depth)));
        }
        while let Some(batch) = self.frontier.pop_front() {
            if let Some(bound) = self.bound_hit() {
                self.frontier.push_front(batch);
                return Some(Some(bound));
            }
            // How many chunks go together changes nothing in the results: each state keeps its place in the order.
            for part in batch.chunks(CHUNK * self.crew.pieces()) {
                let chunks = part.chunks(CHUNK).collect();
                let expand = |chunk| expand(self.model, &self.sorted, &self.table, &self.unseen, chunk);
                let expanded = self.crew.map(chunks, expand);
                self.number(expanded);
            }
        }
        Some(None)
    }

    /// The bound that forbids to go on, if one does.
    fn bound_hit(&self) -> Option<Bound> {
        if self.limits.stop_at_first && self.is_violated() {
            return Some(Bound::FirstViolation);
        }
        (self.table.len() > self.limits.max_states).then_some(Bound::States(self.limits.max_states))
    }

    fn is_violated(&self) -> bool {
        let in_states = self.sorted.on_states.iter().zip(&self.marked).any(|(claim, (count, _))| !claim.wanted && *count > 0);
        in_states || self.bad_steps.iter().any(|(count, _)| *count > 0)
    }

    /// Numbers what a batch led to, and takes in what is new.
    fn number(&mut self, expanded: Vec<Expanded<M::State, M::Action>>) {
        self.crew.each(&mut self.table.shards, |number, shard| {
            for chunk in &expanded {
                chunk.answer(number, shard);
            }
        });
        let settled = self.crew.map(expanded, |mut chunk| {
            let settled = settle(self.model, &self.sorted, &mut chunk);
            (chunk, settled)
        });
        for (chunk, new) in settled {
            self.take_steps(chunk);
            self.take_states(new);
        }
    }

    fn take_steps(&mut self, chunk: Expanded<M::State, M::Action>) {
        self.generated += chunk.generated;
        self.self_loops += chunk.self_loops;
        self.unseen.retain(|kind| chunk.unseen.contains(kind));
        for ((count, first), (more, earliest)) in self.bad_steps.iter_mut().zip(chunk.bad_steps) {
            *count += more;
            if first.is_none() {
                *first = earliest;
            }
        }
        if !chunk.sources.is_empty() {
            self.edges.push(EdgeBlock { sources: chunk.sources.into(), targets: chunk.targets.into() });
        }
    }

    fn take_states(&mut self, new: Settled<M::State>) {
        for ((count, first), (more, earliest)) in self.marked.iter_mut().zip(new.marked) {
            if *count == 0 {
                *first = earliest;
            }
            *count += more;
        }
        for (goal, met) in self.goals.iter_mut().zip(new.goals) {
            met.into_iter().for_each(|state| goal.insert(state));
        }
        for state in new.states {
            match self.next.back_mut() {
                Some(batch) if batch.len() < BATCH => batch.push(state),
                _ => self.next.push_back(vec![state]),
            }
        }
    }

    fn report(mut self) -> Report<M::State, M::Action> {
        if !self.next.is_empty() {
            // The search stopped amid a layer, and runs into the next one were found.
            self.depth += 1;
        }
        let mut verdicts: Vec<_> = self.properties.iter().map(|_| Verdict::Unknown).collect();
        for (claim, (count, first)) in self.sorted.on_states.iter().zip(&self.marked) {
            verdicts[claim.property] = match (count, claim.wanted) {
                (0, wanted) => self.none_found(wanted),
                (_, true) => Verdict::Reached(self.run_to(*first)),
                (_, false) => Verdict::Violated { run: self.run_to(*first), count: *count },
            };
        }
        for ((property, _), (count, first)) in self.sorted.on_steps.iter().zip(&self.bad_steps) {
            verdicts[*property] = first.as_ref().map_or(self.none_found(false), |(before, action, after)| {
                let mut run = self.run_to(*before);
                run.steps.push((action.clone(), after.clone()));
                Verdict::Violated { run, count: *count }
            });
        }
        let properties: Vec<_> = self.sorted.goals.iter().map(|(property, _)| *property).collect();
        for (property, goal) in properties.into_iter().zip(std::mem::take(&mut self.goals)) {
            verdicts[property] = self.judge_goal(goal);
        }
        let judge =
            |(property, verdict): (&Property<M>, _)| Judged { name: property.name, word: Claim::word(&property.claim), verdict };
        Report {
            unique: self.table.len(),
            generated: self.generated,
            self_loops: self.self_loops,
            depth: self.depth,
            verdicts: self.properties.iter().zip(verdicts).map(judge).collect(),
            never_happened: self.unseen,
            bounds: self.bounds,
            collision_odds: collision_odds(self.table.len()),
        }
    }

    /// The verdict on a claim for which no state or step was found that settles it.
    fn none_found(&self, wanted: bool) -> Verdict<M::State, M::Action> {
        match (self.bounds.is_empty(), wanted) {
            (false, _) => Verdict::Unknown,
            (true, true) => Verdict::NeverReached,
            (true, false) => Verdict::Holds,
        }
    }

    fn judge_goal(&self, mut reaching: States) -> Verdict<M::State, M::Action> {
        // A state that was not expanded may lead anywhere. What cannot even reach one of those is stuck all the same.
        for (state, _) in self.frontier.iter().chain(&self.next).flatten() {
            reaching.insert(*state);
        }
        close_backwards(&self.edges, &mut reaching);
        let (count, first) = outside(&self.edges, &reaching);
        first.map_or(self.none_found(false), |first| Verdict::Violated { run: self.run_to(first), count })
    }

    /// The first of the shortest runs to a state, found again by following the numbers from where it began.
    fn run_to(&self, state: Number) -> Run<M::State, M::Action> {
        let mut way = vec![state];
        let mut first = state;
        while self.table.predecessor(first) != NO_STATE {
            first = self.table.predecessor(first);
            way.push(first);
        }
        let is = |state: &M::State, number: Number| self.table.find(fingerprint(state)) == Some(number);
        let mut numbers = way.into_iter().rev();
        let initial = numbers
            .next()
            .and_then(|number| self.model.initial().into_iter().find(|state| is(state, number)))
            .expect("a model gives the same initial states each time it is asked");
        let mut run = Run { initial, steps: Vec::new() };
        let mut actions = Vec::new();
        for number in numbers {
            actions.clear();
            self.model.actions(run.last(), &mut actions);
            let step = actions
                .drain(..)
                .find_map(|action| {
                    self.model.after(run.last(), &action).filter(|next| is(next, number)).map(|next| (action, next))
                })
                .expect("a model gives the same actions and successors each time it is asked");
            run.steps.push(step);
        }
        run
    }
}
