//! Chains of runs: every link holds, and no chain is shorter.

use handfast_lab::generals::{Beginning, Bounds, Chain, Limits, Link, Orders, Protocol, Run, Shipped, Table, Views, chain};
use handfast_protocol::generals::ReadyReady;
use proptest::prelude::*;
use std::collections::VecDeque;

use super::knowledge::{Seen, a_strategy, all_runs, seen, tabulate};

fn links(links: Option<&Vec<Link>>) -> Option<usize> {
    links.map(Vec::len)
}

/// The fewest links from a run to one of these, through runs that are allowed.
fn fewest(views: &[[Seen; 2]], from: usize, allowed: impl Fn(usize) -> bool, goal: impl Fn(usize) -> bool) -> Option<usize> {
    let mut far = vec![None; views.len()];
    far[from] = Some(0);
    let mut queue = VecDeque::from([from]);
    while let Some(run) = queue.pop_front() {
        if goal(run) {
            return far[run];
        }
        for next in 0..views.len() {
            let near = far[next].is_none() && allowed(next) && (0..2).any(|side| views[run][side] == views[next][side]);
            if near {
                far[next] = far[run].map(|far| far + 1);
                queue.push_back(next);
            }
        }
    }
    None
}

#[track_caller]
fn check(table: &Table, views: Views) -> Chain {
    let found = chain(table, views, Bounds::default()).expect("it fits");
    let look = |run: &Run| [0, 1].map(|side| seen(run, side, table.rounds(), views));
    let silent = |run: &Run| run.captures() == run.journeys.len() as u64;
    let wanted = |run: &Run| table.wants_attack(run.beginning);
    let runs = all_runs(table, 1);
    let all: Vec<[Seen; 2]> = runs.iter().map(look).collect();
    assert_eq!((found.first.captures(), wanted(&found.first)), (0, true));
    let mut before = &found.first;
    for link in [&found.to_silence, &found.to_no_order].into_iter().flatten().flatten() {
        let side = link.same_for.index();
        assert_eq!(look(before)[side], look(&link.run)[side], "{} {views:?}: {before:?} {:?}", table.name, link.run);
        assert!(runs.contains(&link.run));
        before = &link.run;
    }
    let expected = fewest(&all, 0, |run| wanted(&runs[run]), |run| silent(&runs[run]) && wanted(&runs[run]));
    assert_eq!(links(found.to_silence.as_ref()), expected, "{} {views:?} to silence", table.name);
    let silence = found.to_silence.as_ref().map(|links| links.last().map_or(&found.first, |link| &link.run));
    if let Some(silence) = silence {
        assert!(silent(silence) && wanted(silence));
    }
    let from = silence.unwrap_or(&found.first);
    let from = runs.iter().position(|run| run == from).expect("it is one of them");
    let expected = fewest(&all, from, |_| true, |run| !wanted(&runs[run]));
    assert_eq!(links(found.to_no_order.as_ref()), expected, "{} {views:?} to no order", table.name);
    found
}

#[test]
fn a_handshake_unravels_step_by_step() {
    for steps in 1..=5 {
        let found = check(&tabulate(Shipped::Handshake { steps, messengers: 1 }), Views::Inputs);
        assert_eq!((links(found.to_silence.as_ref()), links(found.to_no_order.as_ref())), (Some(steps as usize), Some(1)));
    }
    let found = check(&tabulate(Shipped::Handshake { steps: 3, messengers: 2 }), Views::Inputs);
    let captured: Vec<Vec<usize>> =
        found.to_silence.expect("there is one").iter().map(|link| link.run.captured().collect()).collect();
    assert_eq!(captured, [vec![4, 5], vec![2, 3], vec![0, 1]]);
}

#[test]
fn an_exchange_unravels_in_one_link_more_than_rounds() {
    for rounds in 1..=3 {
        let found = check(&tabulate(Shipped::RandomAttack { rounds }), Views::Inputs);
        assert_eq!((links(found.to_silence.as_ref()), links(found.to_no_order.as_ref())), (Some(rounds as usize + 1), Some(1)));
    }
    for rounds in 4..=8 {
        let found = chain(&tabulate(Shipped::RandomAttack { rounds }), Views::Inputs, Bounds::default()).expect("it fits");
        assert_eq!((links(found.to_silence.as_ref()), links(found.to_no_order.as_ref())), (Some(rounds as usize + 1), Some(1)));
    }
}

#[test]
fn the_other_shipped_protocols_and_states_as_views() {
    for views in [Views::Inputs, Views::State] {
        check(&tabulate(Shipped::Always { messengers: 3 }), views);
        check(&tabulate(Shipped::Reply { messengers: 2, replies: 2 }), views);
        check(&tabulate(Shipped::ReplyEach { messengers: 3 }), views);
        check(&tabulate(Shipped::RandomAttack { rounds: 2 }), views);
        check(&tabulate(Shipped::Email { threshold: 2 }), views);
        let found = check(&tabulate(Shipped::ReadyReady { last_tick: 1 }), views);
        assert_eq!(found.to_no_order, None, "there is no order in it");
    }
}

/// If both are given the order together, and not by messenger, it is common knowledge.
#[test]
fn no_chain_leads_away_from_common_knowledge() {
    // Each begins in a state in which it could only be if the order was given.
    let begin = |beginning: Beginning| ReadyReady::both(if beginning.ordered[0] { 1 } else { 2 });
    let table = Protocol::beginning("told together", 2, Orders::First, 1, begin).tabulate(&Limits::default()).expect("it fits");
    let found = check(&table, Views::Inputs);
    assert_eq!(found.to_no_order, None);
    let told = handfast_lab::generals::knowledge(&table, Views::Inputs, Bounds::default()).expect("it fits");
    assert_eq!((told.histogram.len(), told.common), (0, 16u32.into()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn strategies_have_no_shorter_chain(table in a_strategy(7)) {
        check(&table, Views::Inputs);
        check(&table, Views::State);
    }
}
