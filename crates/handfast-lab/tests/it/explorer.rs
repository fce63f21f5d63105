//! The explorer against a plain search on random models, and its bounds.

use handfast_lab::explorer::{Bound, Limits, Model, Property, Report, Run, Verdict, explore};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::VecDeque;

/// A graph as a model: the state is a place in it, an action the place of an arrow among those of its state.
#[derive(Clone, Debug)]
struct Graph {
    initial: Vec<u32>,
    /// For each state where its arrows lead; `None` is an action that turns out not to be possible.
    arrows: Vec<Vec<Option<u32>>>,
    bad: Vec<bool>,
    goal: Vec<bool>,
}

impl Model for Graph {
    type State = u32;
    type Action = usize;

    fn initial(&self) -> Vec<u32> {
        self.initial.clone()
    }

    fn actions(&self, state: &u32, into: &mut Vec<usize>) {
        into.extend(0..self.arrows[*state as usize].len());
    }

    fn after(&self, state: &u32, action: &usize) -> Option<u32> {
        self.arrows[*state as usize][*action]
    }

    fn kinds(&self) -> Vec<&'static str> {
        vec!["first", "second", "other"]
    }

    fn kind(&self, action: &usize) -> &'static str {
        self.kinds()[(*action).min(2)]
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::<Self>::always("not bad", |graph, state| !graph.bad[*state as usize]),
            Property::<Self>::always_step("no step from bad to bad", |graph, before, _, after| {
                !(graph.bad[*before as usize] && graph.bad[*after as usize])
            }),
            Property::<Self>::sometimes("bad goal", |graph, state| graph.bad[*state as usize] && graph.goal[*state as usize]),
            Property::<Self>::can_always_reach("goal", |graph, state| graph.goal[*state as usize]),
            Property::<Self>::can_always_reach("bad", |graph, state| graph.bad[*state as usize]),
        ]
    }
}

type Found = Report<u32, usize>;

/// What a plain search finds, with every state and predecessor kept.
struct Plain<'g> {
    graph: &'g Graph,
    /// In breadth-first order.
    order: Vec<u32>,
    predecessor: Vec<Option<(u32, usize)>>,
    distance: Vec<Option<u32>>,
}

impl<'g> Plain<'g> {
    fn new(graph: &'g Graph) -> Self {
        let states = graph.arrows.len();
        let mut plain = Self { graph, order: Vec::new(), predecessor: vec![None; states], distance: vec![None; states] };
        let mut queue = VecDeque::new();
        for &state in &graph.initial {
            if plain.distance[state as usize].is_none() {
                plain.distance[state as usize] = Some(1);
                queue.push_back(state);
            }
        }
        while let Some(state) = queue.pop_front() {
            plain.order.push(state);
            for (action, next) in plain.steps_from(state) {
                if plain.distance[next as usize].is_none() {
                    plain.distance[next as usize] = plain.distance[state as usize].map(|distance| distance + 1);
                    plain.predecessor[next as usize] = Some((state, action));
                    queue.push_back(next);
                }
            }
        }
        plain
    }

    fn steps_from(&self, state: u32) -> Vec<(usize, u32)> {
        let arrows = self.graph.arrows[state as usize].iter().enumerate();
        arrows.filter_map(|(action, next)| next.filter(|next| *next != state).map(|next| (action, next))).collect()
    }

    fn steps(&self) -> impl Iterator<Item = (u32, usize, u32)> {
        self.order.iter().flat_map(|state| self.steps_from(*state).into_iter().map(|(action, next)| (*state, action, next)))
    }

    fn run_to(&self, state: u32) -> Run<u32, usize> {
        let mut steps = Vec::new();
        let mut at = state;
        while let Some((before, action)) = self.predecessor[at as usize] {
            steps.push((action, at));
            at = before;
        }
        steps.reverse();
        Run { initial: at, steps }
    }

    fn states(&self, wanted: impl Fn(u32) -> bool) -> Option<(Run<u32, usize>, u64)> {
        let found: Vec<_> = self.order.iter().copied().filter(|state| wanted(*state)).collect();
        found.first().map(|first| (self.run_to(*first), found.len() as u64))
    }

    /// From which states no goal can be reached, by asking each one on its own, through a search of its own.
    fn stuck(&self, goal: &[bool]) -> Option<(Run<u32, usize>, u64)> {
        self.states(|state| {
            let from_here = Self::new_from(self.graph, state);
            !from_here.order.iter().any(|state| goal[*state as usize])
        })
    }

    fn new_from(graph: &'g Graph, state: u32) -> Plain<'g> {
        let mut plain = Plain { graph, order: Vec::new(), predecessor: Vec::new(), distance: vec![None; graph.arrows.len()] };
        let mut stack = vec![state];
        plain.distance[state as usize] = Some(1);
        while let Some(state) = stack.pop() {
            plain.order.push(state);
            for (_, next) in plain.steps_from(state) {
                if plain.distance[next as usize].replace(1).is_none() {
                    stack.push(next);
                }
            }
        }
        plain
    }
}

/// Says the violation, or that there is none.
fn violated(found: Option<(Run<u32, usize>, u64)>) -> Verdict<u32, usize> {
    found.map_or(Verdict::Holds, |(run, count)| Verdict::Violated { run, count })
}

/// An exhaustive report says exactly what the plain search says: counts, verdicts, and the very same runs.
fn assert_same(graph: &Graph, report: &Found) {
    let plain = Plain::new(graph);
    let loops =
        plain.order.iter().flat_map(|state| graph.arrows[*state as usize].iter().filter(move |next| **next == Some(*state)));
    assert_eq!(report.unique, plain.order.len() as u64);
    assert_eq!(report.generated, (graph.initial.len() + plain.steps().count()) as u64);
    assert_eq!(report.self_loops, loops.count() as u64);
    assert_eq!(report.depth, plain.distance.iter().flatten().max().copied().unwrap_or(0));
    let bad = |state: u32| graph.bad[state as usize];
    assert_eq!(report.verdict("not bad"), Some(&violated(plain.states(bad))));
    let bad_steps: Vec<_> = plain.steps().filter(|(before, _, after)| bad(*before) && bad(*after)).collect();
    let bad_step = bad_steps.first().map(|(before, action, after)| {
        let mut run = plain.run_to(*before);
        run.steps.push((*action, *after));
        (run, bad_steps.len() as u64)
    });
    assert_eq!(report.verdict("no step from bad to bad"), Some(&violated(bad_step)));
    let reached = plain.states(|state| bad(state) && graph.goal[state as usize]);
    let reached = reached.map_or(Verdict::NeverReached, |(run, _)| Verdict::Reached(run));
    assert_eq!(report.verdict("bad goal"), Some(&reached));
    let happened: Vec<_> = plain.steps().map(|(_, action, _)| graph.kind(&action)).collect();
    let never: Vec<_> = graph.kinds().into_iter().filter(|kind| !happened.contains(kind)).collect();
    assert_eq!(report.never_happened, never);
}

fn assert_same_goals(graph: &Graph, report: &Found) {
    let plain = Plain::new(graph);
    assert_eq!(report.verdict("goal"), Some(&violated(plain.stuck(&graph.goal))));
    assert_eq!(report.verdict("bad"), Some(&violated(plain.stuck(&graph.bad))));
}

/// Random graphs of up to thirty states, sparse enough that some are stuck and some out of reach.
fn graphs() -> impl Strategy<Value = Graph> {
    (1u32..30).prop_flat_map(|states| {
        let count = states as usize;
        let arrow = prop_oneof![1 => Just(None), 5 => (0..states).prop_map(Some)];
        let flags = || vec(prop::bool::weighted(0.2), count);
        (vec(0..states, 0..3), vec(vec(arrow, 0..4), count), flags(), flags()).prop_map(|(initial, arrows, bad, goal)| Graph {
            initial,
            arrows,
            bad,
            goal,
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn finds_what_a_plain_search_finds(graph in graphs()) {
        let report = explore(&graph, &Limits::default().with_threads(1));
        prop_assert!(report.is_exhaustive());
        assert_same(&graph, &report);
        assert_same_goals(&graph, &report);
    }

    /// A search that stopped early may not know, but what it says is true of the whole.
    #[test]
    fn a_search_that_stopped_early_claims_nothing_too_much(
        graph in graphs(), max_depth in 0u32..6, max_states in 0u64..12, stop_at_first: bool,
    ) {
        let limits = Limits { max_states, max_depth, stop_at_first, threads: 1 };
        let report = explore(&graph, &limits);
        let whole = explore(&graph, &Limits::default().with_threads(1));
        if report.is_exhaustive() {
            prop_assert_eq!(report, whole);
            return Ok(());
        }
        prop_assert!(!report.holds());
        for (part, whole) in report.verdicts.iter().zip(&whole.verdicts) {
            match (&part.verdict, &whole.verdict) {
                (Verdict::Unknown, _) => {}
                (Verdict::Reached(run), Verdict::Reached(other)) => prop_assert_eq!(run, other),
                (Verdict::Violated { run, count }, Verdict::Violated { run: other, count: all }) => {
                    // The states that are stuck for certain may come later than the first that is stuck.
                    prop_assert!(run == other || part.word == "can always reach" && run.depth() >= other.depth());
                    prop_assert!(count <= all);
                }
                (claimed, really) => prop_assert!(false, "{}: {claimed:?}, but {really:?}", part.name),
            }
        }
    }
}

/// A graph too wide for one batch, so that its layers are cut into many pieces. Every 100th state has no way on.
fn wide(states: u32) -> Graph {
    let arrows = (0..states).map(|state| {
        let mixed = |salt: u32| (state ^ salt).wrapping_mul(0x9E37_79B1).rotate_left(15).wrapping_mul(0x85EB_CA77) % states;
        if state % 100 == 7 { vec![Some(state)] } else { vec![Some(mixed(1)), None, Some(mixed(2)), Some(state), Some(mixed(3))] }
    });
    let arrows = arrows.collect();
    let flag = |remainder: u32, of: u32| (0..states).map(|state| state % of == remainder).collect();
    Graph { initial: vec![5, 0, 5], arrows, bad: flag(1, 5_003), goal: flag(2, 10) }
}

#[test]
fn many_threads_find_what_one_finds_and_what_a_plain_search_finds() {
    let graph = wide(300_000);
    let report = explore(&graph, &Limits::default().with_threads(1));
    assert!(report.is_exhaustive());
    assert_same(&graph, &report);
    assert!(report.unique > 200_000, "the graph is wide: {}", report.unique);
    assert!(matches!(report.verdict("goal"), Some(Verdict::Violated { count, .. }) if *count > 1_000));
    for threads in [2, 3, 8] {
        assert_eq!(report, explore(&graph, &Limits::default().with_threads(threads)), "{threads} threads");
    }
}

#[test]
fn a_bound_cuts_at_the_same_state_with_one_thread_and_with_many() {
    let graph = wide(300_000);
    let plain = Plain::new(&graph);
    let limits = [
        Limits { max_states: 60_000, ..Limits::default() },
        Limits { max_depth: 9, ..Limits::default() },
        Limits { stop_at_first: true, ..Limits::default() },
    ];
    for limit in limits {
        let report = explore(&graph, &limit.with_threads(1));
        assert!(!report.is_exhaustive(), "{limit:?}");
        let last = plain.order[report.unique as usize - 1];
        assert_eq!(Some(report.depth), plain.distance[last as usize], "{limit:?}: what was found is the first in the order");
        assert_eq!(report, explore(&graph, &limit.with_threads(3)), "{limit:?}");
    }
}

/// A line from 0 to its end, with further arrows.
fn line(length: u32, more: &[(u32, u32)]) -> Graph {
    let mut arrows: Vec<_> = (0..length).map(|state| vec![Some(state + 1).filter(|next| *next < length)]).collect();
    for (from, to) in more {
        arrows[*from as usize].push(Some(*to));
    }
    let flags = vec![false; length as usize];
    Graph { initial: vec![0], arrows, bad: flags.clone(), goal: flags }
}

#[test]
fn every_bound_is_said() {
    let mut graph = line(10, &[]);
    graph.goal[9] = true;
    graph.bad[3] = true;
    let whole = explore(&graph, &Limits::default());
    assert_eq!((whole.unique, whole.depth, whole.bounds.as_slice()), (10, 10, [].as_slice()));

    let by_depth = explore(&graph, &Limits { max_depth: 6, ..Limits::default() });
    assert_eq!((by_depth.unique, by_depth.depth, by_depth.bounds.as_slice()), (6, 6, [Bound::Depth(6)].as_slice()));
    assert_eq!(by_depth.verdict("goal"), Some(&Verdict::Unknown), "the goal is further than the search went");
    assert_eq!(by_depth.verdict("bad goal"), Some(&Verdict::Unknown));
    assert!(by_depth.to_string().contains("not exhaustive: runs of 6 states were not continued"), "{by_depth}");

    let by_states = explore(&graph, &Limits { max_states: 5, ..Limits::default() });
    assert_eq!((by_states.unique, by_states.bounds.as_slice()), (6, [Bound::States(5)].as_slice()));
    let enough = explore(&graph, &Limits { max_states: 10, ..Limits::default() });
    assert!(enough.is_exhaustive(), "as many as are allowed are no reason to stop");

    let at_first = explore(&graph, &Limits { stop_at_first: true, ..Limits::default() });
    assert_eq!((at_first.unique, at_first.bounds.as_slice()), (4, [Bound::FirstViolation].as_slice()));
    assert!(matches!(at_first.verdict("not bad"), Some(Verdict::Violated { run, count: 1 }) if run.depth() == 4));
}

#[test]
fn a_state_that_leads_nowhere_is_stuck_even_in_a_search_that_stopped_early() {
    // State 1 leads to a dead end, 20, and along the line, which the search does not follow to the goal.
    let mut graph = line(21, &[(1, 20)]);
    graph.goal[19] = true;
    graph.arrows[19].clear();
    let report = explore(&graph, &Limits { max_depth: 5, ..Limits::default() });
    let run = Run { initial: 0, steps: vec![(0, 1), (1, 20)] };
    assert_eq!(report.verdict("goal"), Some(&Verdict::Violated { run, count: 1 }));
}

#[test]
fn a_way_to_the_goal_that_goes_back_and_forth_is_found() {
    // From the end back to the middle, on to three quarters, back to the beginning: only there is the goal.
    let mut graph = line(1_000, &[(999, 500), (750, 250), (400, 0)]);
    graph.goal[0] = true;
    let report = explore(&graph, &Limits::default());
    assert_eq!(report.verdict("goal"), Some(&Verdict::Holds));
    assert_same_goals(&graph, &report);
}

#[test]
fn nothing_to_begin_with_is_nothing_found() {
    let graph = Graph { initial: Vec::new(), ..line(3, &[]) };
    let report = explore(&graph, &Limits::default());
    assert_eq!((report.unique, report.generated, report.depth), (0, 0, 0));
    assert_eq!(report.verdict("bad goal"), Some(&Verdict::NeverReached));
    assert_eq!(report.never_happened, ["first", "second", "other"]);
}

/// An action of a kind that the model does not name would make "never happened" a lie.
#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "\"unnamed\" is of no kind the model names")]
fn an_action_of_no_kind_that_is_named_is_a_mistake() {
    struct Forgetful;

    impl Model for Forgetful {
        type State = u8;
        type Action = ();

        fn initial(&self) -> Vec<u8> {
            vec![0]
        }

        fn actions(&self, _: &u8, into: &mut Vec<()>) {
            into.push(());
        }

        fn after(&self, _: &u8, (): &()) -> Option<u8> {
            Some(1)
        }

        fn kinds(&self) -> Vec<&'static str> {
            Vec::new()
        }

        fn kind(&self, (): &()) -> &'static str {
            "unnamed"
        }

        fn properties(&self) -> Vec<Property<Self>> {
            Vec::new()
        }
    }

    explore(&Forgetful, &Limits::default().with_threads(1));
}

#[test]
fn a_report_in_words() {
    let mut graph = line(4, &[(2, 0)]);
    graph.bad[2] = true;
    insta::assert_snapshot!(explore(&graph, &Limits { max_depth: 3, ..Limits::default() }));
}
