//! The greatest common belief against every set of views, and against the formula of a handshake.

use handfast_lab::generals::{Bounds, NotWeighed, Ratio, Run, Shipped, Table, Views, common_belief};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One as _, Zero as _};
use proptest::prelude::*;
use std::collections::BTreeMap;

use super::knowledge::{Seen, a_strategy, all_runs, seen, tabulate};

fn ratio(text: &str) -> Ratio {
    text.parse().expect(text)
}

/// The probability of every run.
fn probability(table: &Table, run: &Run, prior: &Ratio, capture: &Ratio) -> BigRational {
    let ways = table.orders.ways().len();
    let mut share = match (ways, table.wants_attack(run.beginning)) {
        (1, _) => BigRational::one(),
        (_, true) => prior.0.clone(),
        (_, false) => prior.complement().0 / BigRational::from(BigInt::from(ways - 1)),
    };
    for journey in &run.journeys {
        share *= if journey.captured { capture.0.clone() } else { capture.complement().0 };
    }
    share
}

/// By the definition: the best of all sets of views, of which each believes that the attack is wanted and that both
/// views are in the set.
fn by_definition(table: &Table, views: Views, prior: &Ratio, capture: &Ratio) -> Option<Ratio> {
    let mut numbers: BTreeMap<(usize, Seen), usize> = BTreeMap::new();
    let mut links: Vec<([usize; 2], bool, BigRational)> = Vec::new();
    for run in all_runs(table, 1) {
        let ends = [0, 1].map(|side| {
            let next = numbers.len();
            *numbers.entry((side, seen(&run, side, table.rounds(), views))).or_insert(next)
        });
        links.push((ends, table.wants_attack(run.beginning), probability(table, &run, prior, capture)));
    }
    if numbers.len() > 11 {
        return None;
    }
    let mut best = BigRational::zero();
    for set in 1u32..1 << numbers.len() {
        let inside = |view: usize| (set >> view) & 1 == 1;
        let belief = |view: usize| {
            let beside = || links.iter().filter(|(ends, ..)| ends.contains(&view));
            let all: BigRational = beside().map(|(.., share)| share).sum();
            let believed = beside().filter(|(ends, wanted, _)| *wanted && ends.iter().all(|&end| inside(end)));
            believed.map(|(.., share)| share).sum::<BigRational>() / all
        };
        let least = (0..numbers.len()).filter(|&view| inside(view)).map(belief).min().expect("the set is not empty");
        best = best.max(least);
    }
    Some(Ratio(best))
}

#[track_caller]
fn check(table: &Table, prior: &str, capture: &str) {
    let (prior, capture) = (ratio(prior), ratio(capture));
    for views in [Views::Inputs, Views::State] {
        if let Some(expected) = by_definition(table, views, &prior, &capture) {
            let found = common_belief(table, views, &prior, &capture, Bounds::default()).expect("it fits");
            assert_eq!(found, expected, "{} {views:?}, prior {prior}, capture {capture}", table.name);
        }
    }
}

#[test]
fn the_shipped_protocols_agree_with_every_set_of_views() {
    for (prior, capture) in [("1/2", "1/10"), ("1/3", "2/3"), ("9/10", "1/2")] {
        for messengers in 1..=3 {
            check(&tabulate(Shipped::Always { messengers }), prior, capture);
            check(&tabulate(Shipped::Reply { messengers, replies: 1 }), prior, capture);
        }
        check(&tabulate(Shipped::ReplyEach { messengers: 2 }), prior, capture);
        for steps in 1..=4 {
            check(&tabulate(Shipped::Handshake { steps, messengers: 1 }), prior, capture);
        }
        check(&tabulate(Shipped::RandomAttack { rounds: 1 }), prior, capture);
        check(&tabulate(Shipped::ReadyReady { last_tick: 0 }), prior, capture);
    }
}

/// max(1 - x, prior x / (1 - prior + prior x)), x being the probability that a wave is captured.
#[test]
fn acknowledgements_buy_no_common_belief() {
    for (prior, capture) in
        [("1/2", "1/10"), ("1/2", "9/10"), ("3/4", "1/2"), ("99/100", "9/10"), ("1/1000", "1/3"), ("1", "1/2")]
    {
        let (prior, capture) = (ratio(prior), ratio(capture));
        for messengers in [1, 2, 5, 40] {
            let lost = (0..messengers).fold(BigRational::one(), |lost, _| lost * &capture.0);
            let some = &prior.0 * &lost;
            let expected = prior.complement().0 + &some;
            let expected = (BigRational::one() - &lost).max(some / expected);
            for steps in 1..=6 {
                let table = tabulate(Shipped::Handshake { steps, messengers });
                let found = common_belief(&table, Views::Inputs, &prior, &capture, Bounds::default()).expect("it fits");
                assert_eq!(found.0, expected, "{steps} steps of {messengers}, prior {prior}, capture {capture}");
            }
        }
    }
}

#[test]
fn a_thousand_messengers_are_weighed_exactly() {
    let table = tabulate(Shipped::Handshake { steps: 4, messengers: 1000 });
    let found = common_belief(&table, Views::Inputs, &ratio("1/2"), &ratio("1/10"), Bounds::default()).expect("it fits");
    assert_eq!(found, ratio("1e-1000").complement());
}

#[test]
fn captures_that_are_certain_or_never_happen() {
    let table = tabulate(Shipped::Handshake { steps: 3, messengers: 2 });
    let belief =
        |prior: &str, capture: &str| common_belief(&table, Views::Inputs, &ratio(prior), &ratio(capture), Bounds::default());
    assert_eq!(belief("1/2", "0"), Ok(ratio("1")));
    assert_eq!(belief("1/3", "1"), Ok(ratio("1/3")));
    assert_eq!(belief("0", "1/2"), Err(NotWeighed::Prior(ratio("0"))));
    assert_eq!(belief("1/2", "2"), Err(NotWeighed::Capture(ratio("2"))));
    let small = Bounds { digits: 10, ..Bounds::default() };
    let refused = common_belief(&table, Views::Inputs, &ratio("1/2"), &ratio("1/3"), small).expect_err("it is bounded");
    assert!(refused.to_string().contains("more than 10 binary digits"), "{refused}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn strategies_agree_with_every_set_of_views(table in a_strategy(5), prior in 0usize..3, capture in 0usize..3) {
        check(&table, ["1/2", "1/5", "7/8"][prior], ["1/2", "1/10", "2/3"][capture]);
    }
}
