//! Knowledge against its definition on explicit runs, and the values of the literature.

use handfast_lab::generals::{Bounds, Limits, Protocol, Run, Rung, Shipped, Table, TooMuch, Views, knowledge, knows, ladder};
use handfast_protocol::generals::{Camp, Condition, General, Size, Strategy as Waves, Wave};
use num_bigint::BigUint;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;

pub(super) fn tabulate(shipped: Shipped) -> Table {
    shipped.tabulate(&Limits::default()).expect("it fits")
}

/// What a general sees of a run up to the end of a round, written out.
pub(super) type Seen = (bool, Vec<Vec<(u32, u32)>>);

/// Every run that begins with this side of the coin.
pub(super) fn all_runs(table: &Table, coin: u32) -> Vec<Run> {
    let mut runs = Vec::new();
    let starts = table.starts.iter().enumerate().filter(|(_, (beginning, _))| beginning.coin == coin);
    for (start, _) in starts {
        // Counts up in binary over the messengers that were actually sent.
        let mut pattern: Vec<bool> = Vec::new();
        loop {
            let run = table.play(start, |number| pattern.get(number).copied().unwrap_or(false));
            pattern.resize(run.journeys.len(), false);
            runs.push(run);
            while pattern.last() == Some(&true) {
                pattern.pop();
            }
            match pattern.last_mut() {
                Some(last) => *last = true,
                None => break,
            }
        }
    }
    runs
}

/// What the general has in view after so many rounds.
pub(super) fn seen(run: &Run, side: usize, rounds: usize, views: Views) -> Seen {
    match views {
        Views::State => (false, vec![vec![(run.states[rounds][side], 0)]]),
        Views::Inputs => {
            let mut inboxes = vec![vec![(run.states[0][side], 0)]];
            for round in 1..=rounds as u32 {
                let arrived = run
                    .journeys
                    .iter()
                    .filter(|journey| journey.round == round && journey.from.other().index() == side && !journey.captured);
                // The order of arrival is the order of sending.
                inboxes.push(arrived.map(|journey| (journey.message, 1)).collect());
            }
            (run.beginning.ordered[side], inboxes)
        }
    }
}

/// The greatest k for which "everybody knows" holds k times over, by its definition: again and again, the runs in which
/// no view can be had outside of the runs so far are kept. Nothing where it never ends.
fn depths_by_definition(wanted: &[bool], seen: &[[Seen; 2]]) -> Vec<Option<u32>> {
    let mut depths = vec![None; wanted.len()];
    let mut holds: Vec<bool> = wanted.to_vec();
    for k in 0.. {
        let outside = |side: usize| -> BTreeSet<&Seen> {
            seen.iter().zip(&holds).filter(|(_, holds)| !**holds).map(|(seen, _)| &seen[side]).collect()
        };
        let outside = [outside(0), outside(1)];
        let next: Vec<bool> = seen.iter().map(|seen| [0, 1].iter().all(|&side| !outside[side].contains(&seen[side]))).collect();
        for run in 0..depths.len() {
            if holds[run] && !next[run] {
                depths[run] = Some(k);
            }
        }
        if next == holds {
            return depths;
        }
        holds = next;
    }
    depths
}

/// The same for one general: how many links until the other kind of run.
fn rung_by_definition(wanted: &[bool], seen: &[[Seen; 2]], run: usize, side: usize) -> Rung {
    let mut level = 0;
    // What the general considers possible, what the other then considers possible, and so on.
    let mut possible: BTreeSet<usize> = BTreeSet::from([run]);
    let mut looks = side;
    loop {
        let views: BTreeSet<&Seen> = possible.iter().map(|&run| &seen[run][looks]).collect();
        let next: BTreeSet<usize> = (0..seen.len()).filter(|&run| views.contains(&seen[run][looks])).collect();
        if next.iter().any(|&run| !wanted[run]) {
            return Rung::Level(level);
        }
        if level > 2 * seen.len() as u32 {
            return Rung::Common;
        }
        level += 1;
        looks = 1 - looks;
        possible = next;
    }
}

fn histogram_of(depths: impl Iterator<Item = (Option<u32>, bool)>) -> (Vec<BigUint>, BigUint) {
    let (mut histogram, mut common) = (Vec::new(), BigUint::ZERO);
    for (depth, wanted) in depths.filter(|(_, wanted)| *wanted) {
        assert!(wanted);
        match depth {
            None => common += 1u32,
            Some(depth) => {
                let depth = depth as usize;
                histogram.resize(histogram.len().max(depth + 1), BigUint::ZERO);
                histogram[depth] += 1u32;
            }
        }
    }
    (histogram, common)
}

#[track_caller]
fn check_against_definition(table: &Table) {
    for views in [Views::Inputs, Views::State] {
        let runs = all_runs(table, 1);
        let wanted: Vec<bool> = runs.iter().map(|run| table.wants_attack(run.beginning)).collect();
        let seen_at =
            |rounds| -> Vec<[Seen; 2]> { runs.iter().map(|run| [0, 1].map(|side| seen(run, side, rounds, views))).collect() };
        let last = seen_at(table.rounds());
        let depths = depths_by_definition(&wanted, &last);
        let (histogram, common) = histogram_of(depths.iter().copied().zip(wanted.iter().copied()));
        let told = knowledge(table, views, Bounds::default()).expect("it fits");
        assert_eq!(told.worlds, BigUint::from(runs.len()), "{}", table.name);
        assert_eq!((told.histogram, told.common), (histogram, common), "{} {views:?}", table.name);
        // A ladder costs a search each time: a few runs will do.
        for place in (0..runs.len()).step_by(runs.len() / 6 + 1) {
            let rungs = ladder(table, &runs[place], views, Bounds::default()).expect("it fits");
            for (rounds, rungs) in rungs.into_iter().enumerate() {
                let seen = seen_at(rounds);
                let defined = [0, 1].map(|side| rung_by_definition(&wanted, &seen, place, side));
                assert_eq!(rungs, defined, "{} {views:?}, after round {rounds} of {:?}", table.name, runs[place]);
            }
        }
    }
}

#[test]
fn the_shipped_protocols_agree_with_the_definition() {
    for messengers in 1..=4 {
        check_against_definition(&tabulate(Shipped::Always { messengers }));
        check_against_definition(&tabulate(Shipped::ReplyEach { messengers: messengers.min(3) }));
        check_against_definition(&tabulate(Shipped::Reply { messengers, replies: 2 }));
    }
    for steps in 1..=4 {
        check_against_definition(&tabulate(Shipped::Handshake { steps, messengers: 1 }));
    }
    check_against_definition(&tabulate(Shipped::Handshake { steps: 3, messengers: 2 }));
    check_against_definition(&tabulate(Shipped::Email { threshold: 3 }));
    for rounds in 1..=3 {
        check_against_definition(&tabulate(Shipped::RandomAttack { rounds }));
    }
    for last_tick in 0..=2 {
        check_against_definition(&tabulate(Shipped::ReadyReady { last_tick }));
    }
}

fn numbers(numbers: &[u32]) -> Vec<BigUint> {
    numbers.iter().map(|&number| number.into()).collect()
}

#[test]
fn the_values_of_the_literature() {
    let two = knowledge(&tabulate(Shipped::RandomAttack { rounds: 2 }), Views::Inputs, Bounds::default()).expect("it fits");
    assert_eq!((two.histogram, two.worlds), (numbers(&[7, 8, 1]), 64u32.into()));
    let three = knowledge(&tabulate(Shipped::Handshake { steps: 3, messengers: 1 }), Views::Inputs, Bounds::default());
    assert_eq!(three.expect("it fits").histogram, numbers(&[1, 1, 1, 1]));
}

#[test]
fn a_handshake_of_a_thousand_messengers_counts_exactly() {
    let told = knowledge(&tabulate(Shipped::Handshake { steps: 3, messengers: 1000 }), Views::Inputs, Bounds::default());
    let told = told.expect("it fits");
    let through = BigUint::from(2u32).pow(1000) - 1u32;
    assert_eq!(told.histogram, [1u32.into(), through.clone(), &through * &through, &through * &through * &through]);
}

/// The depth of an exchange is the smaller of the two levels.
#[test]
fn an_exchange_goes_as_deep_as_the_levels() {
    for rounds in 1..=5 {
        let table = tabulate(Shipped::RandomAttack { rounds });
        let mut histogram = vec![BigUint::ZERO; rounds as usize + 1];
        for pattern in 0..1u32 << (2 * rounds) {
            let mut levels = [0, 0];
            for round in 0..rounds {
                let arrives = |from: u32| (pattern >> (2 * round + from)) & 1 == 1;
                let next = [
                    if arrives(1) { levels[0].max(levels[1] + 1) } else { levels[0] },
                    if arrives(0) { levels[1].max(levels[0] + 1) } else { levels[1] },
                ];
                levels = next;
            }
            histogram[levels[0].min(levels[1])] += 1u32;
        }
        let told = knowledge(&table, Views::Inputs, Bounds::default()).expect("it fits");
        assert_eq!(told.histogram, histogram, "{rounds} rounds");
    }
}

#[test]
fn the_ladder_of_a_handshake_in_words() {
    let table = tabulate(Shipped::Handshake { steps: 4, messengers: 1 });
    let told = knows(&table, &table.play(0, |_| false)).expect("it fits");
    let told: Vec<[&str; 2]> = told.iter().map(|texts| [&*texts[0], &*texts[1]]).collect();
    assert_eq!(
        told,
        [
            ["knows of the order", ""],
            ["knows of the order", "knows that 1 knows"],
            ["knows that 2 knows that 1 knows", "knows that 1 knows"],
            ["knows that 2 knows that 1 knows", "knowledge 4 deep"],
            ["knowledge 5 deep", "knowledge 4 deep"],
        ]
    );
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let table = tabulate(Shipped::RandomAttack { rounds: 7 });
    let told = [1, 2].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started");
        pool.install(|| knowledge(&table, Views::Inputs, Bounds::default()))
    });
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0].as_ref().expect("it fits").worlds, BigUint::from(4u32).pow(8));
}

#[test]
fn what_would_not_fit_is_refused_by_its_bound() {
    let small = Bounds { pairs: 100, ..Bounds::default() };
    let refused = knowledge(&tabulate(Shipped::ReplyEach { messengers: 30 }), Views::Inputs, small).expect_err("it is bounded");
    assert!(matches!(refused, TooMuch::Pairs { round: 2, limit: 100, .. }), "{refused}");
}

/// Waves in up to three rounds with conditions of every kind, and no more than this many messengers in all.
pub(super) fn a_strategy(most: u32) -> impl Strategy<Value = Table> {
    let wave = (any::<bool>(), 1u32..=3, 1u32..=3, any::<bool>(), a_condition());
    let attack_if = [a_condition(), a_condition()];
    (prop::collection::vec(wave, 1..6), attack_if).prop_map(move |(planned, attack_if)| {
        let mut planned = planned;
        planned.sort_by_key(|(_, round, ..)| *round);
        let (mut waves, mut sizes): (Vec<Wave>, Vec<u32>) = Default::default();
        for (place, (first, round, size, per_arrival, when)) in planned.into_iter().enumerate() {
            let (size, largest) = match sizes.last() {
                Some(&before) if per_arrival => (Size::PerArrival { wave: waves.len() - 1, each: 1 }, before),
                Some(_) | None => (Size::Fixed(size), size),
            };
            if sizes.iter().sum::<u32>() + largest > most {
                continue;
            }
            let says = ["yes", "no"][place % 2].into();
            let from = if first { Camp::First } else { Camp::Second };
            waves.push(Wave { from, round, size, when: condition(when, waves.len()), says });
            sizes.push(largest);
        }
        let attack_if = attack_if.map(|when| condition(when, waves.len()));
        let strategy = Arc::new(Waves { waves, attack_if, rounds: 3 });
        let begin = move |ordered| General::both(Arc::clone(&strategy), ordered);
        Protocol::new("random", 3, begin).tabulate(&Limits::default()).expect("it fits")
    })
}

fn a_condition() -> impl Strategy<Value = (u32, usize, u32)> {
    (0u32..4, 0usize..5, 1u32..=2)
}

/// On one of so many earlier waves.
fn condition((kind, wave, number): (u32, usize, u32), earlier: usize) -> Vec<Condition> {
    match (kind, earlier) {
        (0, _) => vec![Condition::Ordered],
        (1, 1..) => vec![Condition::Heard { waves: vec![wave % earlier], at_least: number }],
        (2, 1..) => vec![Condition::Missed { waves: vec![wave % earlier], fewer_than: number }],
        _ => vec![],
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn strategies_agree_with_the_definition(table in a_strategy(7)) {
        check_against_definition(&table);
    }
}
