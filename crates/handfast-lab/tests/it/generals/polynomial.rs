//! Polynomials and numbers of patterns against the odds, and against every pattern one by one.

use std::collections::BTreeMap;

use handfast_lab::generals::{Chance, Limits, Patterns, Ratio, Shipped, Table, TooLong, binomial};
use num_bigint::BigUint;
use proptest::prelude::*;

use super::random::{every_run, protocol, waves};

fn table(shipped: Shipped) -> Table {
    shipped.tabulate(&Limits::default()).expect("it fits")
}

#[track_caller]
fn check_text(shipped: Shipped, expected: [&str; 5]) {
    let (rows, alone) = table(shipped).expansion().expect("it is short").polynomials().expect("they are short");
    let found: Vec<String> = rows.iter().chain([&alone]).map(ToString::to_string).collect();
    assert_eq!(found, expected);
}

#[test]
fn polynomials_can_be_read() {
    check_text(Shipped::Always { messengers: 5 }, ["1 - p^5", "p^5", "0", "0", "p^5"]);
    check_text(Shipped::Always { messengers: 1 }, ["1 - p", "p", "0", "0", "p"]);
    let reply = Shipped::Reply { messengers: 2, replies: 3 };
    check_text(reply, ["1 - p^2 - p^3 + p^5", "0", "p^3 - p^5", "p^2", "p^3 - p^5"]);
    let each = Shipped::ReplyEach { messengers: 2 };
    check_text(each, ["1 - 4p^2 + 4p^3 - p^4", "0", "3p^2 - 4p^3 + p^4", "p^2", "3p^2 - 4p^3 + p^4"]);
    let random = Shipped::RandomAttack { rounds: 2 };
    // Exactly one: (1 - (1 - 2p(1-p))^2) / 2.
    let lone = "p - 2p^2 + 2p^3 - p^4";
    check_text(random, ["1 - 2p + 2p^2 - 2p^3 + p^4", lone, lone, "2p^2 - 2p^3 + p^4", "2p - 4p^2 + 4p^3 - 2p^4"]);
    // Three keys: (1 - (1 - 2p(1-p))^3) / 3, half of it for each.
    let (rows, _) =
        table(Shipped::RandomAttack { rounds: 3 }).expansion().expect("it is short").polynomials().expect("they are short");
    assert_eq!(rows[1].to_string(), "(3p - 9p^2 + 16p^3 - 18p^4 + 12p^5 - 4p^6)/3");
}

#[test]
fn long_polynomials_are_cut_and_say_so() {
    let table = table(Shipped::Handshake { steps: 30, messengers: 1 });
    let (rows, _) = table.expansion().expect("it is short").polynomials().expect("they are short");
    assert_eq!(rows[0].to_text(3), "1 - 30p + 435p^2 .. (28 terms more)");
    assert_eq!(rows[0].at(&"1/2".parse().expect("a number")).to_string(), format!("1/{}", 1 << 30));
}

#[test]
fn what_would_be_endless_is_refused() {
    let expansion = table(Shipped::Always { messengers: 500_000 }).expansion().expect("it is short");
    assert_eq!(expansion.polynomials().expect("they are short").0[0].to_string(), "1 - p^500000");
    assert_eq!(expansion.patterns(), Err(TooLong::Patterns));
}

#[test]
fn all_patterns_of_many_messengers_are_counted() {
    let (messengers, replies) = (200, 100);
    let patterns = table(Shipped::Reply { messengers, replies }).expansion().expect("it is short").patterns().expect("it fits");
    let told = |sent: u64, captures: u64| patterns.iter().find(|of| (of.sent, of.captures) == (sent, captures));
    // All first messengers were captured, or some were not and all replies were sent.
    assert_eq!(told(200, 200).map(|of| of.counts[3].clone()), Some(1u32.into()));
    let at_50 = told(300, 50).expect("it is possible");
    assert_eq!(at_50.counts.iter().sum::<BigUint>(), binomial(300, 50));
    let at_299 = told(300, 299).expect("it is possible");
    assert_eq!(at_299.counts, [0u32, 0, 200, 0].map(BigUint::from));
}

type Counted = BTreeMap<(u64, u64), [u64; 4]>;

fn by_patterns(table: &Table) -> Counted {
    let mut counted = Counted::new();
    for start in (0..table.starts.len()).filter(|&start| table.wants_attack(table.starts[start].0)) {
        for run in every_run(table, start) {
            counted.entry((run.journeys.len() as u64, run.captures())).or_default()[run.outcome().index()] += 1;
        }
    }
    counted
}

fn counted(patterns: &[Patterns]) -> Counted {
    let number = |count: &BigUint| count.to_string().parse().expect("it is small");
    patterns.iter().map(|of| ((of.sent, of.captures), of.counts.each_ref().map(number))).collect()
}

fn check(table: &Table, capture: &Ratio) {
    let expansion = table.expansion().expect("it is short");
    assert_eq!(counted(&expansion.patterns().expect("it fits")), by_patterns(table));
    let odds = table.odds(&Chance::new(capture).expect("a probability"));
    let (rows, alone) = expansion.polynomials().expect("they are short");
    assert_eq!(rows.map(|row| row.at(capture)), odds.rows);
    assert_eq!(alone.at(capture), odds.alone);
}

#[test]
fn shipped_protocols_have_the_patterns_that_they_have() {
    let small = [
        Shipped::Always { messengers: 4 },
        Shipped::Reply { messengers: 3, replies: 2 },
        Shipped::ReplyEach { messengers: 3 },
        Shipped::Handshake { steps: 4, messengers: 2 },
        Shipped::RandomAttack { rounds: 3 },
        Shipped::Email { threshold: 3 },
        Shipped::ReadyReady { last_tick: 3 },
    ];
    for shipped in small {
        check(&table(shipped), &Ratio::new(2, 7));
    }
}

proptest! {
    #[test]
    fn random_strategies_have_the_patterns_that_they_have(waves in waves(), captured in 0..=12i64) {
        check(&protocol(waves).tabulate(&Limits::default()).expect("it fits"), &Ratio::new(captured, 12));
    }
}
