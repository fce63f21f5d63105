//! The best joint rule, against every rule there is, on views that the test makes by itself from explicit patterns.

use std::collections::BTreeMap;
use std::sync::Arc;

use handfast_lab::generals::decide::Stakes;
use handfast_lab::generals::decide::rule::{BestRule, best_rule};
use handfast_lab::generals::{Limits, Orders, Protocol, Ratio, Shipped, Table};
use handfast_protocol::generals::{Camp, Condition, General, Size, Strategy as Waves, Wave};
use num_rational::BigRational;
use num_traits::{One as _, Zero as _};
use proptest::prelude::*;

use super::{number, power, ratio, stakes, whole};

/// What a general was told: whether it has the order, and round by round the messages in order.
type Seen = (bool, Vec<Vec<u32>>);

/// Runs that nobody tells apart.
struct World {
    seen: [Seen; 2],
    chance: BigRational,
    wanted: bool,
    sent: u64,
}

/// Every pattern from every way to begin with the first side of the coin.
fn worlds(table: &Table, capture: &Ratio, prior: &Ratio) -> Vec<World> {
    let ways = table.orders.ways().len() as u64;
    let mut worlds = Vec::new();
    for (start, (beginning, _)) in table.starts.iter().enumerate().filter(|(_, (beginning, _))| beginning.coin == 1) {
        let wanted = table.wants_attack(*beginning);
        let begins = match (ways, wanted) {
            (1, _) => whole(1),
            (_, true) => prior.0.clone(),
            (_, false) => prior.complement().0 / whole(ways - 1),
        };
        let mut waiting: Vec<Vec<bool>> = vec![Vec::new()];
        while let Some(pattern) = waiting.pop() {
            let run = table.play(start, |number| pattern.get(number).copied().unwrap_or(false));
            if run.journeys.len() > pattern.len() {
                waiting.extend([false, true].map(|captured| [&pattern[..], &[captured]].concat()));
                continue;
            }
            let mut seen = [0, 1].map(|side| (beginning.ordered[side], vec![Vec::new(); table.rounds()]));
            for journey in run.journeys.iter().filter(|journey| !journey.captured) {
                seen[journey.from.other().index()].1[journey.round as usize - 1].push(journey.message);
            }
            seen.iter_mut().flat_map(|(_, rounds)| rounds).for_each(|round| round.sort_unstable());
            let (captures, sent) = (run.captures(), run.journeys.len() as u64);
            let chance = &begins * power(&capture.0, captures) * power(&capture.complement().0, sent - captures);
            worlds.push(World { seen, chance, wanted, sent });
        }
    }
    worlds
}

/// Both and alone of every rule, each once.
fn lines(table: &Table, worlds: &[World]) -> Vec<(BigRational, BigRational)> {
    let pinned = |side: usize, ordered: bool| {
        let could_be = match table.orders {
            Orders::First => side == 0,
            Orders::Each => true,
            Orders::Nobody => false,
        };
        could_be && !ordered
    };
    let mut places: BTreeMap<(usize, Seen), usize> = BTreeMap::new();
    for world in worlds {
        for side in [0, 1] {
            let next = places.len();
            if !pinned(side, world.seen[side].0) {
                places.entry((side, world.seen[side].clone())).or_insert(next);
            }
        }
    }
    assert!(places.len() <= 14, "{} views are too many for all rules", places.len());
    // Runs with the same two views fare the same.
    let mut cells: BTreeMap<[Option<usize>; 2], BigRational> = BTreeMap::new();
    for world in worlds {
        let cell = [0, 1].map(|side| places.get(&(side, world.seen[side].clone())).copied());
        *cells.entry(cell).or_insert_with(BigRational::zero) += &world.chance;
    }
    let mut lines: Vec<(BigRational, BigRational)> = Vec::new();
    for rule in 0..1usize << places.len() {
        let (mut both, mut alone) = (BigRational::zero(), BigRational::zero());
        for (cell, chance) in &cells {
            match cell.map(|place| place.is_some_and(|place| rule >> place & 1 == 1)) {
                [true, true] => both += chance,
                [false, false] => {}
                [true, false] | [false, true] => alone += chance,
            }
        }
        lines.push((both, alone));
    }
    lines.sort();
    lines.dedup();
    lines
}

fn best_of_all(lines: &[(BigRational, BigRational)], gain: &BigRational, alone: &BigRational) -> BigRational {
    lines.iter().map(|(both, lone)| gain * both - alone * lone).max().expect("there is a rule: nobody attacks")
}

/// Checks every figure of the best rule against all rules.
fn check(table: &Table, stakes: &Stakes, capture: &Ratio, prior: &Ratio) -> BestRule {
    let found = best_rule(table, stakes, capture, prior).expect("it is small");
    let worlds = worlds(table, capture, prior);
    let lines = lines(table, &worlds);
    let best = &found.best.overall;
    let sent: BigRational = worlds.iter().map(|world| &world.chance * whole(world.sent)).sum();
    assert_eq!(best.messengers.0, sent);
    let wanted: BigRational = worlds.iter().filter(|world| world.wanted).map(|world| world.chance.clone()).sum();
    let ordered = worlds.iter().filter(|world| world.wanted).map(|world| &world.chance * whole(world.sent));
    assert_eq!(found.best.ordered.messengers.0, ordered.sum::<BigRational>() / &wanted);
    assert_eq!(found.best.ordered.both.0, &best.both.0 / wanted, "both attack only where it is wanted");
    assert!(lines.contains(&(best.both.0.clone(), best.alone().0)), "there is such a rule");
    let value = best_of_all(&lines, &stakes.gain().0, &stakes.alone().0);
    assert_eq!(best.value(stakes).0, value - &stakes.messenger().0 * sent);
    assert!(found.own.overall.value(stakes).0 <= best.value(stakes).0 || table.coins > 1);
    check_pieces(&found, &lines);
    found
}

/// The envelope has to be the best value on a grid of D/V, and to turn at every corner.
fn check_pieces(found: &BestRule, lines: &[(BigRational, BigRational)]) {
    let envelope = |at: &BigRational| {
        let piece = found.pieces.iter().rfind(|piece| piece.from.0 <= *at).expect("the first piece begins at 0");
        &piece.both.0 - at * &piece.alone.0
    };
    let mut grid: Vec<BigRational> = (0..40).map(|step| ratio((step, 7)).0).collect();
    grid.extend(found.pieces.iter().map(|piece| piece.from.0.clone()));
    let last = grid.iter().max().expect("it is not empty").clone();
    grid.push(last * whole(1000));
    for at in grid {
        assert_eq!(envelope(&at), best_of_all(lines, &BigRational::one(), &at), "D/V = {at}");
    }
    for pair in found.pieces.windows(2) {
        assert!(pair[0].from.0 < pair[1].from.0 && pair[0].alone.0 > pair[1].alone.0 && pair[0].both.0 > pair[1].both.0);
        let at = &pair[1].from.0;
        assert_eq!(&pair[0].both.0 - at * &pair[0].alone.0, &pair[1].both.0 - at * &pair[1].alone.0);
    }
}

fn tabulated(shipped: Shipped) -> Table {
    shipped.tabulate(&Limits::default()).expect("it fits")
}

#[test]
fn the_best_rule_of_shipped_protocols_is_the_best_of_all() {
    let stakes = stakes("10", "7", "1/10");
    for shipped in [
        Shipped::Always { messengers: 3 },
        Shipped::Reply { messengers: 2, replies: 2 },
        Shipped::ReplyEach { messengers: 2 },
        Shipped::Handshake { steps: 3, messengers: 1 },
        Shipped::Handshake { steps: 4, messengers: 1 },
        Shipped::RandomAttack { rounds: 1 },
        Shipped::ReadyReady { last_tick: 0 },
    ] {
        for (capture, prior) in [("1/2", "1/2"), ("1/10", "1/3"), ("9/10", "9/10"), ("0", "1/2"), ("1", "1/2"), ("1/3", "1")] {
            check(&tabulated(shipped), &stakes, &number(capture), &number(prior));
        }
    }
}

/// With one wave there are three rules that matter: always attack, attack if it arrives, never.
#[test]
fn a_single_wave_has_the_break_points_of_the_formula() {
    let table = tabulated(Shipped::Always { messengers: 2 });
    let found = check(&table, &stakes("1", "1", "0"), &number("1/2"), &number("1/2"));
    // x = p^n = 1/4, prior 1/2. All attack: 1/2 and 1/2 alone; heard: 3/8 and 1/8 alone; nobody: 0 and 0.
    let points: Vec<String> = found.break_points().map(ToString::to_string).collect();
    assert_eq!(points, ["1/3", "3"]);
    assert_eq!(found.best.overall.value(&stakes("1", "1", "0")).to_string(), "1/4");
    assert_eq!(
        found.rule.iter().map(|sight| sight.attacks).collect::<Vec<_>>(),
        found
            .rule
            .iter()
            .map(|sight| { (sight.general == 1 && sight.words == "the order") || sight.words.contains("1 to 2") })
            .collect::<Vec<_>>(),
        "{:?}",
        found.rule
    );
    assert!(found.rule.iter().filter(|sight| sight.pinned).all(|sight| sight.words == "no order"));
    assert_eq!(found.best.overall, found.own.overall);
}

#[test]
fn of_equally_good_rules_the_one_with_the_fewest_attacks_is_taken() {
    let table = tabulated(Shipped::Always { messengers: 2 });
    let at_the_corner = best_rule(&table, &stakes("1", "3", "0"), &number("1/2"), &number("1/2")).expect("it is small");
    assert!(at_the_corner.rule.iter().all(|sight| !sight.attacks));
    let nothing = best_rule(&table, &stakes("0", "0", "0"), &number("1/2"), &number("1/2")).expect("it is small");
    assert!(nothing.rule.iter().all(|sight| !sight.attacks));
}

#[test]
fn if_the_order_is_certain_no_messenger_is_needed() {
    let table = tabulated(Shipped::Handshake { steps: 3, messengers: 2 });
    let stakes = stakes("1", "100", "0");
    let found = best_rule(&table, &stakes, &number("9/10"), &number("1")).expect("it is small");
    assert_eq!(found.best.overall.value(&stakes).to_string(), "1");
    assert_eq!(found.break_points().count(), 0);
}

#[test]
fn large_waves_have_as_few_views_as_make_a_difference() {
    let table = tabulated(Shipped::Handshake { steps: 3, messengers: 200 });
    let found = best_rule(&table, &stakes("10", "10", "0"), &number("99/100"), &number("1/2")).expect("it is small");
    assert!(found.rule.len() <= 8, "{:?}", found.rule);
}

#[test]
fn what_is_no_probability_is_refused() {
    let table = tabulated(Shipped::Always { messengers: 1 });
    let stakes = stakes("1", "1", "0");
    assert!(best_rule(&table, &stakes, &number("2"), &number("1/2")).is_err());
    for prior in ["0", "-1", "3/2"] {
        assert!(best_rule(&table, &stakes, &number("1/2"), &number(prior)).is_err(), "{prior}");
    }
}

/// Waves of one or two messengers in turn or at once, sent on random conditions.
fn waves() -> impl proptest::strategy::Strategy<Value = Waves> {
    let wave = (any::<bool>(), 1u32..=2, 1u32..=2, 0usize..4);
    proptest::collection::vec(wave, 1..=3).prop_map(|drawn| {
        let mut strategy = Waves { waves: Vec::new(), attack_if: [vec![Condition::Ordered], Vec::new()], rounds: 2 };
        for (first, round, size, when) in drawn {
            let from = if first { Camp::First } else { Camp::Second };
            let earlier: Vec<usize> = (0..strategy.waves.len())
                .filter(|&place| strategy.waves[place].from != from && strategy.waves[place].round < round)
                .collect();
            let when = match (when, earlier.is_empty()) {
                (0, _) if first => vec![Condition::Ordered],
                (1, false) => vec![Condition::Heard { waves: earlier, at_least: 1 }],
                (2, false) => vec![Condition::Missed { waves: earlier, fewer_than: 1 }],
                _ => Vec::new(),
            };
            let says = if size == 1 { "a" } else { "b" };
            strategy.waves.push(Wave { from, round, size: Size::Fixed(size), when, says: says.into() });
        }
        let heard: Vec<usize> = (0..strategy.waves.len()).filter(|&place| strategy.waves[place].from == Camp::First).collect();
        strategy.attack_if[1].push(Condition::Heard { waves: heard, at_least: 1 });
        strategy
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_rule_is_better(
        waves in waves(),
        gain in (0i64..9, 1u64..4),
        alone in (0i64..9, 1u64..4),
        capture in (0i64..=6).prop_map(|captured| (captured, 6)),
        prior in (1i64..=5).prop_map(|given| (given, 5)),
    ) {
        let shared = Arc::new(waves);
        let protocol = Protocol::new("random", 2, move |ordered| General::both(Arc::clone(&shared), ordered));
        let table = protocol.tabulate(&Limits::default()).expect("it is small");
        let stakes = Stakes::new(ratio(gain), ratio(alone), number("1/7")).expect("nothing is negative");
        prop_assume!(views(&table) <= 12);
        check(&table, &stakes, &ratio(capture), &ratio(prior));
    }
}

/// How many views the test has to choose attacks for, at most.
fn views(table: &Table) -> usize {
    let worlds = worlds(table, &number("1/2"), &number("1/2"));
    let seen = worlds.iter().flat_map(|world| [0, 1].map(|side| (side, world.seen[side].clone())));
    seen.collect::<std::collections::BTreeSet<_>>().len()
}
