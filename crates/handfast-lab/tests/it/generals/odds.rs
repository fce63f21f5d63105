//! Exact odds against values of the literature, formulas, and the sum over every pattern.

use std::collections::BTreeMap;

use handfast_lab::generals::{Chance, Limits, Odds, Outcome, Ratio, Shipped, Table};
use num_rational::BigRational;
use num_traits::{One as _, Zero as _, pow};
use proptest::prelude::*;
use serde_json::Value;

use super::random::{every_run, protocol, waves};

fn table(shipped: Shipped) -> Table {
    shipped.tabulate(&Limits::default()).expect("it fits")
}

fn ratio(text: &str) -> Ratio {
    text.parse().expect(text)
}

fn odds(table: &Table, capture: &Ratio) -> Odds {
    table.odds(&Chance::new(capture).expect("a probability"))
}

/// The sum over every pattern of its probability.
fn by_patterns(table: &Table, capture: &Ratio) -> [BigRational; 4] {
    let mut rows: [BigRational; 4] = std::array::from_fn(|_| BigRational::zero());
    let starts: Vec<usize> = (0..table.starts.len()).filter(|&start| table.wants_attack(table.starts[start].0)).collect();
    for &start in &starts {
        for run in every_run(table, start) {
            let captures = run.captures() as usize;
            let arrivals = run.journeys.len() - captures;
            rows[run.outcome().index()] += pow(capture.0.clone(), captures) * pow(capture.complement().0, arrivals);
        }
    }
    rows.map(|row| row / BigRational::from_integer(starts.len().into()))
}

/// "n=1,m=2,p=1/3" as numbers and a ratio.
fn parameters(key: &str) -> (BTreeMap<&str, u32>, Ratio) {
    let mut numbers = BTreeMap::new();
    let mut capture = None;
    for part in key.split(',') {
        match part.split_once('=').expect("name=value") {
            ("p", value) => capture = Some(ratio(value)),
            (name, value) => drop(numbers.insert(name, value.parse().expect("a number"))),
        }
    }
    (numbers, capture.expect("every case has a p"))
}

fn cases() -> Value {
    serde_json::from_str(include_str!("../../cases/generals.json")).expect("the cases are JSON")
}

#[track_caller]
fn check_section(section: &str, rows: usize, shipped: impl Fn(&BTreeMap<&str, u32>) -> Shipped) {
    let cases = cases();
    let section = cases[section].as_object().expect("a section");
    assert!(section.len() >= 9);
    for (key, expected) in section {
        let (numbers, capture) = parameters(key);
        let odds = odds(&table(shipped(&numbers)), &capture);
        let found: Vec<String> = if rows == 4 {
            odds.rows.iter().map(Ratio::to_string).collect()
        } else {
            [odds.of(Outcome::Both), &odds.alone, odds.of(Outcome::Neither)].map(Ratio::to_string).into()
        };
        let expected: Vec<&str> = expected.as_array().expect("a list").iter().filter_map(Value::as_str).collect();
        assert_eq!(found, expected, "{key}");
    }
}

#[test]
fn the_odds_are_those_of_the_literature_to_the_last_bit() {
    check_section("always", 4, |of| Shipped::Always { messengers: of["n"] });
    check_section("reply_fixed", 4, |of| Shipped::Reply { messengers: of["n"], replies: of["m"] });
    check_section("reply_per_message", 4, |of| Shipped::ReplyEach { messengers: of["n"] });
    check_section("chain", 4, |of| Shipped::Handshake { steps: of["k"], messengers: of["n"] });
    check_section("randomattack_iid", 3, |of| Shipped::RandomAttack { rounds: of["r"] });
}

fn power(base: &BigRational, exponent: u32) -> BigRational {
    pow(base.clone(), exponent as usize)
}

/// The formulas, for more messengers than anybody would enumerate.
#[test]
fn the_odds_of_many_messengers_follow_the_formulas() {
    for text in ["1/10", "9/10", "1/2", "0.123456789", "5/6", "0", "1"] {
        let capture = ratio(text);
        let p = &capture.0;
        let one = BigRational::one();
        let (n, m) = (150, 70);
        let wave = &one - power(p, n);
        let found = |shipped| odds(&table(shipped), &capture).rows.map(|row| row.0);
        let zero = BigRational::zero();
        assert_eq!(found(Shipped::Always { messengers: n }), [wave.clone(), power(p, n), zero.clone(), zero.clone()]);
        let reply = [&wave * (&one - power(p, m)), zero.clone(), &wave * power(p, m), power(p, n)];
        assert_eq!(found(Shipped::Reply { messengers: n, replies: m }), reply, "{text}");
        let lost = power(&(p * (&one + &one - p)), n);
        let each = [&one - &lost, zero.clone(), &lost - power(p, n), power(p, n)];
        assert_eq!(found(Shipped::ReplyEach { messengers: n }), each, "{text}");
        for steps in [1, 2, 7, 8] {
            let before = power(&wave, steps - 1);
            let alone = &before * power(p, n);
            let (first, second) = if steps % 2 == 1 { (alone, zero.clone()) } else { (zero.clone(), alone) };
            let expected = [&before * &wave, first, second, &one - &before];
            assert_eq!(found(Shipped::Handshake { steps, messengers: n }), expected, "{text}, {steps} steps");
        }
    }
}

#[test]
fn the_random_attack_follows_its_formula() {
    for text in ["1/10", "2/3", "0.05"] {
        let capture = ratio(text);
        let p = &capture.0;
        let one = BigRational::one();
        for rounds in [1, 5, 12, 20] {
            let fails = &one - power(&(&one - (p + p) * (&one - p)), rounds);
            let alone = fails / BigRational::from_integer(rounds.into());
            let half = &alone / (&one + &one);
            let found = odds(&table(Shipped::RandomAttack { rounds }), &capture);
            assert_eq!(found.alone.0, alone);
            assert_eq!((&found.rows[0].0, &found.rows[1].0, &found.rows[2].0), (&(&one - p - &half), &half, &half));
        }
    }
}

#[test]
fn a_lone_attack_is_as_likely_after_any_number_of_acknowledgements() {
    for steps in 1..=9 {
        let odds = odds(&table(Shipped::Handshake { steps, messengers: 3 }), &ratio("1/5"));
        assert_eq!(odds.alone_if_attacked(), Some(ratio("1/125")));
    }
    assert_eq!(odds(&table(Shipped::Handshake { steps: 3, messengers: 1 }), &ratio("1")).alone_if_attacked(), None);
}

#[test]
fn the_refuted_solution_fails_as_often_as_was_counted() {
    assert_eq!(odds(&table(Shipped::ReadyReady { last_tick: 2 }), &ratio("0.5")).alone, ratio("3/32"));
    assert_eq!(odds(&table(Shipped::ReadyReady { last_tick: 3 }), &ratio("0.5")).alone, ratio("33/128"));
}

#[test]
fn what_is_improbable_is_not_impossible() {
    let odds = odds(&table(Shipped::Always { messengers: 15 }), &ratio("0.1"));
    assert_eq!(odds.of(Outcome::Alone1).to_f64(), 1e-15);
    let odds = self::odds(&table(Shipped::Always { messengers: 1000 }), &ratio("0.1"));
    assert_eq!(odds.of(Outcome::Alone1).to_decimal(3), "1e-1000");
}

#[test]
fn shipped_protocols_weigh_what_their_patterns_do() {
    let small = [
        Shipped::Always { messengers: 4 },
        Shipped::Reply { messengers: 3, replies: 2 },
        Shipped::ReplyEach { messengers: 3 },
        Shipped::Handshake { steps: 4, messengers: 2 },
        Shipped::RandomAttack { rounds: 4 },
        Shipped::Email { threshold: 3 },
        Shipped::ReadyReady { last_tick: 3 },
    ];
    for shipped in small {
        let table = table(shipped);
        for text in ["1/3", "9/10", "0.5"] {
            assert_eq!(odds(&table, &ratio(text)).rows.map(|row| row.0), by_patterns(&table, &ratio(text)), "{shipped:?}");
        }
    }
}

proptest! {
    #[test]
    fn random_strategies_weigh_what_their_patterns_do(waves in waves(), captured in 0..=12i64) {
        let table = protocol(waves).tabulate(&Limits::default()).expect("it fits");
        let capture = Ratio::new(captured, 12);
        let odds = odds(&table, &capture);
        prop_assert_eq!(odds.rows.clone().map(|row| row.0), by_patterns(&table, &capture));
        prop_assert_eq!(&odds.alone.0, &(&odds.rows[1].0 + &odds.rows[2].0));
        prop_assert_eq!(odds.rows.iter().map(|row| &row.0).sum::<BigRational>(), BigRational::one());
        // What is said to be in lowest terms is.
        for row in odds.rows {
            prop_assert_eq!(row.0.clone(), BigRational::new(row.0.numer().clone(), row.0.denom().clone()));
            prop_assert_eq!(row.to_string(), BigRational::new(row.0.numer().clone(), row.0.denom().clone()).to_string());
        }
    }
}
