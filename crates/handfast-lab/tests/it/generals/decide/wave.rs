//! The best single wave, against every number of messengers in turn.

use handfast_lab::generals::Ratio;
use handfast_lab::generals::decide::wave::{Best, best, best_for_budgets, value};
use handfast_lab::generals::decide::{DecideError, Stakes};
use num_rational::BigRational;
use proptest::prelude::*;

use super::{number, power, ratio, stakes, whole};

/// The formula as it stands in books; not to attack is worth nothing.
fn formula(stakes: &Stakes, capture: &Ratio, messengers: u64) -> BigRational {
    if messengers == 0 {
        return whole(0);
    }
    let captured = power(&capture.0, messengers);
    &stakes.gain().0 * (whole(1) - &captured) - &stakes.alone().0 * captured - &stakes.messenger().0 * whole(messengers)
}

/// The best of 0 to `most` messengers, the fewest of equals.
fn best_of_all(stakes: &Stakes, capture: &Ratio, most: u64) -> (u64, BigRational) {
    let mut best = (0, whole(0));
    let mut captured = whole(1);
    for messengers in 1..=most {
        captured *= &capture.0;
        let won = &stakes.gain().0 * (whole(1) - &captured) - &stakes.alone().0 * &captured;
        let value = won - &stakes.messenger().0 * whole(messengers);
        if value > best.1 {
            best = (messengers, value);
        }
    }
    best
}

#[track_caller]
fn check(stakes: &Stakes, capture: &str, budget: Option<u64>, messengers: Option<u64>, value: &str) {
    let best = best(stakes, &number(capture), budget).expect("it is small");
    assert_eq!((best.messengers(), best.value().to_string().as_str()), (messengers, value));
}

#[test]
fn the_best_wave_of_the_worked_example_has_seven_messengers() {
    let usual = stakes("10", "10", "1/10");
    check(&usual, "1/2", None, Some(7), "1463/160");
    check(&usual, "1/2", Some(1000), Some(7), "1463/160");
    check(&usual, "1/2", Some(3), Some(3), "36/5");
    check(&usual, "1/2", Some(0), Some(0), "0");
}

#[test]
fn the_edges_are_what_they_have_to_be() {
    let usual = stakes("10", "10", "1/10");
    check(&usual, "0", None, Some(1), "99/10");
    check(&usual, "1", None, Some(0), "0");
    check(&stakes("10", "10", "0"), "1/2", None, None, "10");
    check(&stakes("10", "10", "0"), "1/2", Some(4), Some(4), "35/4");
    check(&stakes("10", "10", "0"), "1", None, Some(0), "0");
    check(&stakes("10", "10", "0"), "0", None, Some(1), "10");
    check(&stakes("10", "0", "0"), "0.5", None, None, "10");
    check(&stakes("10", "0", "1"), "1/2", None, Some(3), "23/4");
    check(&stakes("0", "10", "0"), "1/2", None, Some(0), "0");
    check(&stakes("0", "0", "0"), "1/2", None, Some(0), "0");
    check(&stakes("1", "0", "1/2"), "1/2", None, Some(0), "0");
    check(&stakes("1", "1000", "1/50"), "9/10", None, Some(0), "0");
    assert!(Stakes::new(number("-1"), number("1"), number("1")).is_none());
    assert!(Stakes::new(number("1"), number("-1"), number("1")).is_none());
    assert!(Stakes::new(number("1"), number("1"), number("-1/9")).is_none());
}

#[test]
fn of_equally_good_waves_the_smallest_is_taken() {
    // The second messenger brings exactly what he costs.
    check(&stakes("3", "1", "1"), "1/2", None, Some(0), "0");
    check(&stakes("4", "0", "1"), "1/2", None, Some(1), "1");
}

#[test]
fn what_would_have_too_many_digits_is_refused() {
    let free = stakes("10", "10", "1e-5000");
    assert!(matches!(best(&free, &number("999999/1000000"), None), Err(DecideError::Digits { .. })));
    assert!(matches!(value(&free, &number("1/2"), u64::MAX), Err(DecideError::Digits { .. })));
    assert!(best(&free, &number("999999/1000000"), Some(1000)).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_number_of_messengers_is_better(
        gain in (0i64..20, 1u64..4),
        alone in (0i64..20, 1u64..4),
        cost in (1i64..9, 1u64..9),
        capture in (0i64..=12).prop_map(|captured| (captured, 12)),
        budget in 0u64..30,
    ) {
        let stakes = Stakes::new(ratio(gain), ratio(alone), ratio(cost)).expect("nothing is negative");
        let capture = ratio(capture);
        // Beyond gain / cost every wave costs more than it can bring.
        let enough = (&stakes.gain().0 / &stakes.messenger().0).to_integer().try_into().expect("a small number");
        let (messengers, expected) = best_of_all(&stakes, &capture, enough);
        let found = best(&stakes, &capture, None).expect("it is small");
        prop_assert_eq!((found.messengers(), found.value().0), (Some(messengers), expected));
        let all = best_for_budgets(&stakes, &capture, budget).expect("it is small");
        prop_assert_eq!(all.len() as u64, budget + 1);
        for (budget, found) in (0..).zip(all) {
            let (messengers, expected) = best_of_all(&stakes, &capture, budget);
            prop_assert_eq!((found.messengers(), found.value().0), (Some(messengers), expected));
            prop_assert_eq!(&found, &best(&stakes, &capture, Some(budget)).expect("it is small"));
        }
        for messengers in 0..20 {
            let exact = value(&stakes, &capture, messengers).expect("it is small");
            prop_assert_eq!(exact.0, formula(&stakes, &capture, messengers));
        }
    }

    #[test]
    fn free_messengers_are_all_sent(capture in 1i64..12, budget in 1u64..30) {
        let free = stakes("10", "1", "0");
        let capture = ratio((capture, 12));
        let never = Best::Never { supremum: number("10") };
        prop_assert_eq!(best(&free, &capture, None).expect("it is small"), never);
        let (messengers, expected) = best_of_all(&free, &capture, budget);
        let found = best(&free, &capture, Some(budget)).expect("it is small");
        prop_assert_eq!((found.messengers(), found.value().0), (Some(messengers), expected));
    }
}
