//! Plans that top up, played out over every pattern, and every plan of a small class compared with the best one.

use std::sync::Arc;

use handfast_lab::generals::decide::adaptive::{BestPlan, Class, best, best_for_budgets};
use handfast_lab::generals::decide::{Plan, Stage, Stakes, Valued, wave};
use handfast_lab::generals::{Limits, Outcome, Protocol, Ratio};
use handfast_protocol::generals::General;
use num_rational::BigRational;
use num_traits::{One as _, Zero as _};
use proptest::prelude::*;

use super::{number, power, ratio, stakes, whole};

fn plan(stages: &[(u32, u32)]) -> Plan {
    let stage = |&(messengers, acknowledged_by)| Stage { messengers, acknowledged_by };
    Plan { stages: stages.iter().map(stage).collect() }
}

/// The value and the expected number of messengers, from every pattern of captures of the plan as two generals play it.
fn played(plan: &Plan, stakes: &Stakes, capture: &Ratio) -> (BigRational, BigRational) {
    let strategy = Arc::new(plan.strategy());
    let protocol = Protocol::new("plan", strategy.rounds, move |ordered| General::both(Arc::clone(&strategy), ordered));
    let table = protocol.tabulate(&Limits::default()).expect("it is small");
    let (mut value, mut expected) = (BigRational::zero(), BigRational::zero());
    let mut waiting: Vec<Vec<bool>> = vec![Vec::new()];
    while let Some(pattern) = waiting.pop() {
        let run = table.play(0, |number| pattern.get(number).copied().unwrap_or(false));
        if run.journeys.len() > pattern.len() {
            waiting.extend([false, true].map(|captured| [&pattern[..], &[captured]].concat()));
            continue;
        }
        let captures = run.captures();
        let sent = run.journeys.len() as u64;
        let chance = power(&capture.0, captures) * power(&capture.complement().0, sent - captures);
        let paid = &stakes.messenger().0 * whole(sent);
        let won = match run.outcome() {
            Outcome::Both => stakes.gain().0.clone(),
            Outcome::Alone1 | Outcome::Alone2 => -&stakes.alone().0,
            Outcome::Neither => BigRational::zero(),
        };
        value += &chance * (won - paid);
        expected += chance * whole(sent);
    }
    (value, expected)
}

/// The value by following what general 2 has heard, wave by wave: no formula for the whole.
fn followed(stages: &[(u32, u32)], stakes: &Stakes, capture: &BigRational) -> BigRational {
    let cost = &stakes.messenger().0;
    let (mut deaf, mut heard, mut done) = (BigRational::one(), BigRational::zero(), BigRational::zero());
    let mut value = BigRational::zero();
    for &(messengers, acknowledged_by) in stages {
        let missed = power(capture, messengers.into());
        let silent = power(capture, acknowledged_by.into());
        let reached = (&deaf + &heard) * (whole(1) - &missed);
        value -= cost * whole(messengers.into()) * (&deaf + &heard) + cost * whole(acknowledged_by.into()) * &reached;
        (deaf, heard) = (&deaf * &missed, &heard * &missed + &reached * &silent);
        done += reached * (whole(1) - silent);
    }
    let nobody = stages.is_empty();
    if nobody { value } else { value + &stakes.gain().0 * (heard + done) - &stakes.alone().0 * deaf }
}

/// The best of all plans of at most `waves` waves of at most `largest`, each answered by at most `largest`, by value.
fn best_of_all(stakes: &Stakes, capture: &Ratio, waves: usize, largest: u32, budget: u64) -> BigRational {
    let mut best = BigRational::zero();
    let mut waiting: Vec<Vec<(u32, u32)>> = vec![Vec::new()];
    while let Some(stages) = waiting.pop() {
        best = best.max(followed(&stages, stakes, &capture.0));
        if stages.len() < waves {
            for next in (1..=largest).flat_map(|messengers| (0..=largest).map(move |answer| (messengers, answer))) {
                let longer = [&stages[..], &[next]].concat();
                if longer.iter().map(|&(messengers, answer)| u64::from(messengers + answer)).sum::<u64>() <= budget {
                    waiting.push(longer);
                }
            }
        }
    }
    best
}

fn found(stakes: &Stakes, capture: &Ratio, waves: u32, budget: Option<u64>) -> Valued {
    match best(stakes, capture, Class { waves, budget }).expect("it is small") {
        BestPlan::Plan(valued) => valued,
        BestPlan::Never { supremum } => panic!("{supremum} is not attained"),
    }
}

#[test]
fn a_plan_is_worth_what_its_runs_are_worth() {
    let usual = stakes("10", "10", "1/10");
    let half = number("1/2");
    let worked = plan(&[(2, 2), (6, 0)]);
    let valued = worked.valued(&usual, &half).expect("it is small");
    assert_eq!(valued.value.to_string(), "2979/320");
    assert_eq!(worked.most_messengers(), 10);
    let uneven = stakes("7", "19/3", "2/9");
    for stages in
        [&[][..], &[(3, 0)], &[(2, 2), (6, 0)], &[(1, 2), (2, 1), (3, 0)], &[(2, 1), (1, 1), (1, 1)], &[(1, 0), (2, 3), (1, 0)]]
    {
        for capture in ["1/2", "1/3", "9/10", "0", "1"] {
            let (plan, capture) = (plan(stages), number(capture));
            let valued = plan.valued(&uneven, &capture).expect("it is small");
            assert_eq!(
                (&valued.value.0, &valued.messengers.0),
                (&played(&plan, &uneven, &capture).0, &played(&plan, &uneven, &capture).1)
            );
            assert_eq!(valued.value.0, followed(stages, &uneven, &capture.0));
        }
    }
}

#[test]
fn topping_up_beats_the_best_wave_of_the_worked_example() {
    let usual = stakes("10", "10", "1/10");
    let half = number("1/2");
    let single = found(&usual, &half, 1, None);
    assert_eq!((single.value.to_string().as_str(), single.plan), ("1463/160", plan(&[(7, 0)])));
    let two = found(&usual, &half, 2, None);
    assert!(two.value.0 >= number("2979/320").0, "{two:?}");
    assert_eq!(two.value.0, best_of_all(&usual, &half, 2, 8, u64::MAX));
    let three = found(&usual, &half, 3, None);
    assert!(three.value.0 > two.value.0, "{three:?}");
    assert_eq!(played(&two.plan, &usual, &half), (two.value.0, two.messengers.0));
}

#[test]
fn where_messengers_are_free_or_nothing_is_won_there_is_nothing_to_top_up() {
    let free = stakes("10", "10", "0");
    let half = number("1/2");
    let never = best(&free, &half, Class { waves: 3, budget: None }).expect("it is small");
    assert_eq!(never, BestPlan::Never { supremum: number("10") });
    assert_eq!(found(&free, &half, 3, Some(4)).plan, plan(&[(4, 0)]));
    for (stakes, capture) in [(stakes("0", "9", "1"), "1/2"), (stakes("10", "9", "1"), "1"), (stakes("1", "0", "1"), "1/2")] {
        assert_eq!(found(&stakes, &number(capture), 3, None).plan, plan(&[]));
    }
    assert_eq!(found(&stakes("10", "9", "1"), &number("0"), 3, None).plan, plan(&[(1, 0)]));
}

#[test]
fn every_budget_has_its_best_plan() {
    let usual = stakes("10", "10", "1/10");
    let half = number("1/2");
    let all = best_for_budgets(&usual, &half, 3, 1000).expect("it is small");
    assert_eq!(all.len(), 1001);
    for (budget, valued) in all.iter().enumerate().take(30) {
        assert_eq!(*valued, found(&usual, &half, 3, Some(budget as u64)), "{budget}");
        assert!(valued.plan.most_messengers() <= budget as u64);
    }
    assert_eq!(all[1000], found(&usual, &half, 3, None));
    assert!(all.windows(2).all(|pair| pair[0].value.0 <= pair[1].value.0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn no_plan_of_the_class_is_better(
        gain in (0i64..12, 1u64..4),
        alone in (0i64..12, 1u64..4),
        cost in (1i64..4, 2u64..6),
        capture in (0i64..=6).prop_map(|captured| (captured, 7)),
        waves in 1u32..=3,
        budget in 0u64..9,
    ) {
        let stakes = Stakes::new(ratio(gain), ratio(alone), ratio(cost)).expect("nothing is negative");
        let capture = ratio(capture);
        let best = found(&stakes, &capture, waves, Some(budget));
        prop_assert!(best.plan.most_messengers() <= budget);
        prop_assert_eq!(&best.value.0, &best_of_all(&stakes, &capture, waves as usize, budget as u32, budget));
        prop_assert_eq!(played(&best.plan, &stakes, &capture), (best.value.0, best.messengers.0));
        let budgets = best_for_budgets(&stakes, &capture, waves, budget).expect("it is small");
        prop_assert_eq!(&budgets[budget as usize], &found(&stakes, &capture, waves, Some(budget)));
        let single = wave::best(&stakes, &capture, Some(budget)).expect("it is small");
        prop_assert_eq!(single.value(), found(&stakes, &capture, 1, Some(budget)).value);
        // Without a budget a best plan may have larger waves than are tried one by one here.
        let two = found(&stakes, &capture, 2, None);
        let tried = best_of_all(&stakes, &capture, 2, 5, u64::MAX);
        let is_small = two.plan.stages.iter().all(|stage| stage.messengers <= 5 && stage.acknowledged_by <= 5);
        prop_assert!(two.value.0 >= tried && (!is_small || two.value.0 == tried));
    }
}
