//! The check, against every pattern played out one by one.

use std::collections::BTreeSet;
use std::sync::Arc;

use handfast_lab::generals::{Adversary, Checked, Counts, Distance, Limits, Outcome, Property, Protocol, Run, Shipped, Table};
use handfast_protocol::generals::{Camp, Condition, General, Size, Strategy as Waves, Wave};
use num_bigint::BigUint;
use proptest::prelude::*;

fn table(shipped: Shipped) -> Table {
    shipped.tabulate(&Limits::default()).expect("it fits")
}

/// Every run from this beginning, every messenger captured or not.
fn every_run(table: &Table, start: usize) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut fates: Vec<bool> = Vec::new();
    loop {
        let run = table.play(start, |number| fates.get(number).copied().unwrap_or(false));
        fates = run.journeys.iter().map(|journey| journey.captured).collect();
        runs.push(run);
        while fates.last() == Some(&true) {
            fates.pop();
        }
        let Some(last) = fates.last_mut() else { return runs };
        *last = true;
    }
}

/// Whether the adversary can make this run.
fn allows(adversary: Adversary, run: &Run) -> bool {
    let captured = || run.journeys.iter().filter(|journey| journey.captured);
    match adversary {
        Adversary::Any => true,
        Adversary::AtMost(most) => captured().count() as u64 <= most,
        Adversary::PerRound(most) => {
            run.journeys.iter().all(|journey| captured().filter(|other| other.round == journey.round).count() as u64 <= most)
        }
    }
}

fn breaks(table: &Table, run: &Run) -> bool {
    let unwanted = !table.wants_attack(run.beginning) && run.outcome() != Outcome::Neither;
    run.outcome().is_alone() || unwanted
}

fn counts<'a>(checked: &'a Checked<'_>) -> &'a Counts {
    checked.counts.as_ref().expect("they are counted")
}

fn distance(run: &Run) -> Distance {
    Distance { captures: run.captures(), steps: run.journeys.len() as u64 }
}

const ADVERSARIES: [Adversary; 9] = [
    Adversary::Any,
    Adversary::AtMost(0),
    Adversary::AtMost(1),
    Adversary::AtMost(2),
    Adversary::AtMost(3),
    Adversary::AtMost(100),
    Adversary::PerRound(0),
    Adversary::PerRound(1),
    Adversary::PerRound(2),
];

#[track_caller]
fn check_against_brute_force(table: &Table) {
    let every: Vec<Vec<Run>> = (0..table.starts.len()).map(|start| every_run(table, start)).collect();
    for adversary in ADVERSARIES {
        let checked = table.check(adversary).expect("it fits");
        let name = format!("{} against {adversary}", table.name);
        let possible: Vec<Vec<&Run>> =
            every.iter().map(|runs| runs.iter().filter(|run| allows(adversary, run)).collect()).collect();
        for (covered, runs) in counts(&checked).beginnings.iter().zip(&possible) {
            let count = |outcome: Outcome| BigUint::from(runs.iter().filter(|run| run.outcome() == outcome).count());
            assert_eq!(covered.outcomes, Outcome::ALL.map(count), "{name}");
        }
        let broken: Vec<&Run> = possible.iter().flatten().copied().filter(|run| breaks(table, run)).collect();
        assert_eq!(counts(&checked).breaking(&Property::ALL), BigUint::from(broken.len()), "{name}");
        for property in Property::ALL {
            assert_eq!(checked.breaks(property), counts(&checked).breaking(&[property]) != BigUint::ZERO, "{name}");
        }
        let least = broken.iter().map(|run| distance(run)).min();
        assert_eq!(checked.least.as_ref().map(|least| least.distance), least, "{name}");
        let minimal: Vec<Run> = checked.minimal().collect();
        let told: BTreeSet<&Run> = minimal.iter().collect();
        let wanted: BTreeSet<&Run> = broken.into_iter().filter(|run| Some(distance(run)) == least).collect();
        assert_eq!(told, wanted, "{name}");
        assert_eq!(told.len(), minimal.len(), "{name}: none is told twice");
        assert_eq!(checked.least.as_ref().map_or(BigUint::ZERO, |least| least.runs.clone()), BigUint::from(minimal.len()));
        check_nodes(&checked, &possible, &name);
        check_order(&checked, &minimal, &name);
    }
}

#[track_caller]
fn check_nodes(checked: &Checked<'_>, possible: &[Vec<&Run>], name: &str) {
    let states = possible.iter().flatten().flat_map(|run| run.states.iter().enumerate());
    assert_eq!(checked.nodes, states.collect::<BTreeSet<_>>().len() as u64, "{name}");
}

/// The counterexample is the one whose captures come first, from the first beginning that has one.
#[track_caller]
fn check_order(checked: &Checked<'_>, minimal: &[Run], name: &str) {
    let start = |run: &Run| checked.table().starts.iter().position(|(beginning, _)| *beginning == run.beginning);
    let first = minimal.iter().min_by_key(|run| (start(run), run.captured().collect::<Vec<_>>()));
    assert_eq!(checked.counterexample().as_ref(), first, "{name}");
}

#[test]
fn every_shipped_protocol_is_checked_as_by_brute_force() {
    for messengers in 1..=3 {
        check_against_brute_force(&table(Shipped::Always { messengers }));
        check_against_brute_force(&table(Shipped::ReplyEach { messengers }));
        for replies in 1..=3 {
            check_against_brute_force(&table(Shipped::Reply { messengers, replies }));
        }
        for steps in 1..=4 {
            check_against_brute_force(&table(Shipped::Handshake { steps, messengers }));
        }
    }
    for rounds in 0..=3 {
        check_against_brute_force(&table(Shipped::ReadyReady { last_tick: rounds }));
    }
    for rounds in 1..=3 {
        check_against_brute_force(&table(Shipped::RandomAttack { rounds }));
        check_against_brute_force(&table(Shipped::Email { threshold: rounds }));
    }
}

fn waves(waves: Waves) -> Table {
    let rounds = waves.rounds;
    let waves = Arc::new(waves);
    let protocol = Protocol::new("waves", rounds, move |ordered| General::both(Arc::clone(&waves), ordered));
    protocol.tabulate(&Limits::default()).expect("it fits")
}

fn a_condition() -> impl Strategy<Value = Condition> {
    let some = || proptest::collection::vec(0..3usize, 1..3);
    prop_oneof![
        Just(Condition::Ordered),
        (some(), 1..4u32).prop_map(|(waves, at_least)| Condition::Heard { waves, at_least }),
        (some(), 1..3u32).prop_map(|(waves, fewer_than)| Condition::Missed { waves, fewer_than }),
    ]
}

fn a_wave() -> impl Strategy<Value = Wave> {
    let size = prop_oneof![3 => (1..4u32).prop_map(Size::Fixed), 1 => Just(Size::PerArrival { wave: 0, each: 1 })];
    (any::<bool>(), 1..4u32, size, proptest::collection::vec(a_condition(), 0..2)).prop_map(|(first, round, size, when)| Wave {
        from: if first { Camp::First } else { Camp::Second },
        round,
        size,
        when,
        says: "go".into(),
    })
}

fn some_waves() -> impl Strategy<Value = Waves> {
    let attack_if = || proptest::collection::vec(a_condition(), 0..3);
    (proptest::collection::vec(a_wave(), 3), [attack_if(), attack_if()], 0..4u32).prop_map(|(waves, attack_if, rounds)| Waves {
        waves,
        attack_if,
        rounds,
    })
}

proptest! {
    #[test]
    fn any_waves_are_checked_as_by_brute_force(strategy in some_waves()) {
        check_against_brute_force(&waves(strategy));
    }
}

#[test]
fn a_handshake_breaks_with_one_wave_whatever_its_length() {
    for steps in 1..=20 {
        for messengers in [1, 2, 7, 1000] {
            let table = table(Shipped::Handshake { steps, messengers });
            let checked = table.check(Adversary::Any).expect("it fits");
            let least = checked.least.as_ref().map(|least| (least.distance, least.runs.clone()));
            let (captures, sent) = (u64::from(messengers), u64::from(steps) * u64::from(messengers));
            assert_eq!(least, Some((Distance { captures, steps: sent }, BigUint::from(1u32))), "{steps} of {messengers}");
            let run = checked.counterexample().expect("it is broken");
            assert_eq!(run.outcome(), if steps % 2 == 1 { Outcome::Alone1 } else { Outcome::Alone2 });
            // (2^n - 1)^(k-1) patterns bring it to the last wave, of which none gets through in one.
            let through = (BigUint::from(1u32) << messengers) - 1u32;
            assert_eq!(counts(&checked).breaking(&Property::ALL), through.pow(steps - 1), "{steps} of {messengers}");
            if messengers < 10 {
                let holds = table.check(Adversary::AtMost(captures - 1)).expect("it fits");
                assert!(holds.holds(), "{steps} of {messengers}");
            }
        }
    }
}

#[track_caller]
fn check_ready_ready(last_tick: u32, patterns: u32, alone: u32, captures: u64) {
    let table = table(Shipped::ReadyReady { last_tick });
    let checked = table.check(Adversary::Any).expect("it fits");
    let found = (counts(&checked).worlds(), counts(&checked).breaking(&[Property::Agreement]));
    assert_eq!(found, (BigUint::from(patterns), BigUint::from(alone)));
    assert_eq!(checked.least.as_ref().map(|least| least.distance.captures), Some(captures));
}

#[test]
fn the_published_solution_is_refuted() {
    check_ready_ready(2, 64, 6, 1);
    // 33/128 of the patterns.
    check_ready_ready(3, 256, 66, 2);
}

#[test]
fn two_who_never_attack_agree_and_are_of_no_use() {
    let never = Condition::Heard { waves: vec![0], at_least: 2 };
    let mut strategy = Waves::reply(1, 1);
    strategy.attack_if = [vec![never.clone()], vec![never]];
    let table = waves(strategy);
    let checked = table.check(Adversary::Any).expect("it fits");
    assert!(checked.holds() && checked.is_idle());
    assert_eq!(
        (counts(&checked).worlds(), checked.counterexample()),
        (BigUint::from(4u32), None),
        "lost, unanswered, both, no order"
    );
}

#[test]
fn an_attack_without_the_order_is_a_violation_even_if_both_attack() {
    let mut strategy = Waves::always(1);
    strategy.attack_if = [Vec::new(), Vec::new()];
    let table = waves(strategy);
    let checked = table.check(Adversary::Any).expect("it fits");
    let run = checked.counterexample().expect("it is broken");
    assert_eq!((checked.broken(&run), run.beginning.ordered, run.captures()), (vec![Property::Validity], [false, false], 0));
    assert_eq!(counts(&checked).breaking(&[Property::Agreement]), BigUint::ZERO);
}

#[test]
fn what_would_not_fit_is_refused() {
    let mut strategy = Waves::always(1_000_000);
    strategy.attack_if[1] = vec![Condition::Heard { waves: vec![0], at_least: 3 }];
    let few = waves(strategy.clone());
    let least = few.check(Adversary::Any).expect("it fits").least.map(|least| (least.distance.captures, least.runs));
    assert_eq!(least, Some((999_998, BigUint::from(499_999_500_000u64))), "any two of a million");
    strategy.attack_if[1] = vec![Condition::Heard { waves: vec![0], at_least: 500_000 }];
    let error = waves(strategy).check(Adversary::Any).expect_err("half a million numbers of a million bits").to_string();
    assert!(error.contains("take fewer messengers"), "{error}");
    let long = table(Shipped::Handshake { steps: 20, messengers: 1000 });
    let holds = long.check(Adversary::AtMost(999)).expect("the verdict is cheap");
    assert!(holds.holds());
    let error = holds.counts.expect_err("a million products in each of twenty steps").to_string();
    assert!(error.contains("or captures"), "{error}");
    let broken = long.check(Adversary::AtMost(1000)).expect("the verdict is cheap");
    assert_eq!(broken.least.map(|least| least.distance), Some(Distance { captures: 1000, steps: 20_000 }));
    broken.counts.expect_err("they are as many");
}
