//! The worst case over patterns, against every pattern one by one.

use std::collections::BTreeMap;

use handfast_lab::generals::{
    Beginning, Limits, Orders, Outcome, Protocol, Ratio, Shipped, Table, Worst, WorstError, worst_case,
};
use handfast_protocol::generals::{Camp, Condition, General, RandomAttacker, Size, Strategy, Wave};
use proptest::prelude::*;
use serde_json::Value;
use std::sync::Arc;

use super::random::{every_run, protocol, waves};

fn worst(table: &Table) -> Worst {
    worst_case(table, &Limits::default()).expect("it fits")
}

/// The greatest number of lone attacks over the coin, and the fewest captures for which there are so many.
fn by_patterns(table: &Table) -> (usize, usize) {
    let mut alone: BTreeMap<([bool; 2], Vec<usize>), usize> = BTreeMap::new();
    for start in 0..table.starts.len() {
        let ordered = table.starts[start].0.ordered;
        for run in every_run(table, start) {
            *alone.entry((ordered, run.captured().collect())).or_default() += usize::from(run.outcome().is_alone());
        }
    }
    let most = alone.values().copied().max().unwrap_or(0);
    let fewest = alone.iter().filter(|(_, alone)| **alone == most).map(|((_, captured), _)| captured.len()).min();
    (most, fewest.unwrap_or(0))
}

#[track_caller]
fn check(table: &Table) {
    let worst = worst(table);
    let (most, fewest) = by_patterns(table);
    assert_eq!((worst.disagreement.clone(), worst.captured.len()), (Ratio::new(most as i64, table.coins.into()), fewest));
    // What is told is a run, for every side of the coin.
    let starts = (0..table.starts.len()).filter(|&start| table.starts[start].0.ordered == worst.ordered);
    let runs: Vec<_> = starts.map(|start| table.play(start, |number| worst.captured.contains(&number))).collect();
    assert_eq!(runs.iter().map(handfast_lab::generals::Run::outcome).collect::<Vec<Outcome>>(), worst.outcomes);
    assert!(runs.iter().all(|run| run.journeys.len() == worst.sent));
}

#[test]
fn the_random_attack_disagrees_once_in_as_many_times_as_there_are_rounds() {
    for rounds in 1..=4 {
        check(&Shipped::RandomAttack { rounds }.tabulate(&Limits::default()).expect("it fits"));
    }
    let cases: Value = serde_json::from_str(include_str!("../../cases/generals.json")).expect("the cases are JSON");
    for (rounds, expected) in cases["randomattack_worst"].as_object().expect("a section") {
        let rounds = rounds.parse().expect("a number");
        let table = Shipped::RandomAttack { rounds }.tabulate(&Limits::default()).expect("it fits");
        assert_eq!(worst(&table).disagreement.to_string(), expected.as_str().expect("a number"));
    }
    for rounds in [10, 25] {
        let table = Shipped::RandomAttack { rounds }.tabulate(&Limits::default()).expect("it fits");
        assert_eq!(worst(&table).disagreement, Ratio::new(1, rounds.into()));
    }
}

#[test]
fn without_a_coin_the_worst_is_certain() {
    for shipped in [Shipped::Handshake { steps: 4, messengers: 2 }, Shipped::ReadyReady { last_tick: 3 }] {
        let table = shipped.tabulate(&Limits::default()).expect("it fits");
        check(&table);
        assert_eq!(worst(&table).disagreement, Ratio::new(1, 1));
        assert_eq!(worst(&table).captured.len(), 2);
    }
}

/// A wave of so many, with words of its own.
fn said(size: u32, says: &str) -> Wave {
    Wave { from: Camp::First, round: 1, size: Size::Fixed(size), when: vec![Condition::Ordered], says: says.into() }
}

/// Two waves in one round; the coin says how many messengers are of which, and of which one has to arrive.
fn divided(sizes: [[u32; 2]; 2]) -> Table {
    let begin = move |beginning: Beginning| {
        let side = beginning.coin as usize - 1;
        let attack = vec![Condition::Heard { waves: vec![side], at_least: 1 }];
        let waves = vec![said(sizes[side][0], "a"), said(sizes[side][1], "b")];
        let strategy = Strategy { waves, attack_if: [vec![Condition::Ordered], attack], rounds: 1 };
        General::both(Arc::new(strategy), beginning.ordered[0])
    };
    Protocol::beginning("divided", 1, Orders::First, 2, begin).tabulate(&Limits::default()).expect("it fits")
}

#[test]
fn a_pattern_is_the_same_messengers_for_every_side_of_the_coin() {
    // For side 1 the first two have to be captured, for side 2 the last three: five of the five.
    let table = divided([[2, 3], [2, 3]]);
    check(&table);
    assert_eq!(worst(&table).captured, [0, 1, 2, 3, 4]);
    // The last two of side 2 are among the last four of side 1.
    let table = divided([[1, 4], [3, 2]]);
    check(&table);
    assert_eq!(worst(&table).captured, [0, 3, 4]);
    let differs = worst_case(&divided([[1, 1], [1, 2]]), &Limits::default());
    assert_eq!(differs, Err(WorstError::Differs { camp: Camp::First, round: 1, messengers: [2, 3] }));
}

#[test]
fn what_does_not_fit_is_refused_by_its_bound() {
    let table = Shipped::RandomAttack { rounds: 10 }.tabulate(&Limits::default()).expect("it fits");
    let refused = worst_case(&table, &Limits { nodes: 50, ..Limits::default() });
    assert!(matches!(refused, Err(WorstError::Nodes { limit: 50, .. })), "{refused:?}");
}

/// The random attack with a key that is not drawn evenly: what the coin shows is looked up.
fn keyed(rounds: u32, keys: Vec<u32>) -> Table {
    let sides = keys.len() as u32;
    let begin = move |beginning: Beginning| RandomAttacker::both(rounds, keys[beginning.coin as usize - 1], beginning.ordered);
    Protocol::beginning("keyed", rounds, Orders::Each, sides, begin).tabulate(&Limits::default()).expect("it fits")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn random_strategies_are_as_bad_as_their_worst_pattern(waves in waves()) {
        check(&protocol(waves).tabulate(&Limits::default()).expect("it fits"));
    }

    #[test]
    fn random_keys_are_as_bad_as_their_worst_pattern(rounds in 1..=3u32, keys in proptest::collection::vec(1..=4u32, 1..=4)) {
        check(&keyed(rounds, keys));
    }
}
