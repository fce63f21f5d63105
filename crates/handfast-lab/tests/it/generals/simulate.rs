//! Simulated runs against an exact account of the same table, and against themselves on other numbers of threads.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use handfast_lab::generals::{
    CaptureRate, Confidence, Estimate, Limits, Outcome, Ratio, Shipped, Simulated, Simulation, Table, Tilt, Wave, simulate_email,
};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::random::{protocol, waves};

const SHIPPED: [Shipped; 9] = [
    Shipped::Always { messengers: 3 },
    Shipped::Always { messengers: 100 },
    Shipped::Reply { messengers: 2, replies: 3 },
    Shipped::ReplyEach { messengers: 3 },
    Shipped::Handshake { steps: 4, messengers: 2 },
    Shipped::RandomAttack { rounds: 4 },
    Shipped::Email { threshold: 3 },
    Shipped::ReadyReady { last_tick: 2 },
    Shipped::ReadyReady { last_tick: 3 },
];

fn table(shipped: Shipped) -> Table {
    shipped.tabulate(&Limits::default()).expect("it fits")
}

fn ratio(text: &str) -> Ratio {
    text.parse().expect(text)
}

fn rate(text: &str) -> CaptureRate {
    CaptureRate::new(&ratio(text)).expect(text)
}

fn simulate(table: &Table, capture: &str, runs: u64, threads: usize) -> Simulated {
    table.simulate(&rate(capture), &Simulation { runs, seed: 1, threads }, &|_| {})
}

/// The probability of every outcome by floats, straight through the table from the front; nothing of the library's own.
fn probabilities(table: &Table, capture: f64) -> [f64; 4] {
    let mut now: BTreeMap<[u32; 2], f64> = BTreeMap::new();
    let sides = table.wanted().count() as f64;
    table.wanted().for_each(|(_, pair)| *now.entry(*pair).or_default() += 1.0 / sides);
    for layer in &table.layers[..table.rounds()] {
        let mut next = BTreeMap::new();
        for (pair, reached) in now {
            let (sends, rows) = (layer.sends(pair), layer.rows(pair));
            let [ones, twos] = [0, 1].map(|side| ways(&table.waves[sends[1 - side] as usize], rows[side], capture));
            for (one, first) in &ones {
                for (two, second) in &twos {
                    *next.entry([*one, *two]).or_default() += reached * first * second;
                }
            }
        }
        now = next;
    }
    let mut rows = [0.0; 4];
    now.iter().for_each(|(pair, reached)| rows[Outcome::of(table.choices(*pair)).index()] += reached);
    rows
}

/// Where a wave leads, with probabilities: messenger by messenger.
fn ways(wave: &Wave, row: &[u32], capture: f64) -> BTreeMap<u32, f64> {
    let mut states = BTreeMap::new();
    for (way, &state) in row.iter().enumerate() {
        let mut chance = 1.0;
        for (group, arrived) in wave.groups.iter().zip(wave.arrivals(way)) {
            let mut arrivals = vec![1.0];
            for _ in 0..group.size {
                let mut more = vec![0.0; arrivals.len() + 1];
                for (already, weight) in arrivals.iter().enumerate() {
                    more[already] += weight * capture;
                    more[already + 1] += weight * (1.0 - capture);
                }
                arrivals = more;
            }
            chance *= arrivals[arrived as usize];
        }
        *states.entry(state).or_default() += chance;
    }
    states
}

/// Every count is within so many standard deviations of what the exact probability promises.
#[track_caller]
fn check_counts(table: &Table, simulated: &Simulated, runs: u64, capture: f64, deviations: f64) {
    let exact = probabilities(table, capture);
    for (outcome, exact) in Outcome::ALL.into_iter().zip(exact) {
        let (count, expected) = (simulated.count(outcome) as f64, exact * runs as f64);
        let deviation = (expected * (1.0 - exact).max(0.0)).sqrt();
        // The last addend is for floats that should be 0 or 1, and for the one hit of what is nearly impossible.
        let allowed = deviations * deviation + if expected < 1e-9 { 0.0 } else { 2.0 };
        assert!((count - expected).abs() <= allowed + 1e-6, "{} at {capture}, {outcome:?}: {count}, not {expected}", table.name);
    }
    assert_eq!(simulated.outcomes.iter().sum::<u64>(), runs);
}

#[test]
fn shipped_protocols_end_as_often_as_they_should() {
    for shipped in SHIPPED {
        let table = table(shipped);
        for (capture, float) in [("1/2", 0.5), ("1/3", 1.0 / 3.0), ("0.1", 0.1), ("19/20", 0.95)] {
            let simulated = simulate(&table, capture, 100_000, 2);
            check_counts(&table, &simulated, 100_000, float, 5.0);
            let (caught, deviation) = (simulated.captures as f64, (simulated.messengers as f64 * float * (1.0 - float)).sqrt());
            assert!((caught - simulated.messengers as f64 * float).abs() < 5.0 * deviation, "{}", table.name);
        }
    }
}

#[test]
fn at_the_ends_nothing_is_left_to_chance() {
    for shipped in SHIPPED {
        let table = table(shipped);
        let (none, all) = (simulate(&table, "0", 5000, 2), simulate(&table, "1", 5000, 2));
        check_counts(&table, &none, 5000, 0.0, 5.0);
        check_counts(&table, &all, 5000, 1.0, 0.0);
        assert_eq!((none.captures, all.captures), (0, all.messengers), "{}", table.name);
    }
    assert!(CaptureRate::new(&ratio("3/2")).is_none() && CaptureRate::new(&ratio("-1/2")).is_none());
}

#[test]
fn the_numbers_do_not_depend_on_the_threads() {
    for shipped in SHIPPED {
        let table = table(shipped);
        // The last block is not a whole one.
        let alone = simulate(&table, "1/3", 10_001, 1);
        for threads in [2, 3, 0] {
            assert_eq!(simulate(&table, "1/3", 10_001, threads), alone, "{shipped:?} with {threads}");
        }
        let tilt = Tilt::everywhere(&table, &ratio("1/3"), &ratio("3/5")).expect("rates");
        let tilted = |threads| table.simulate_tilted(&tilt, 1, &Simulation { runs: 10_001, seed: 1, threads }, &|_| {});
        assert_eq!(tilted(1), tilted(3), "{shipped:?}");
    }
    let email = |threads| simulate_email(3, &rate("1/3"), &Simulation { runs: 10_001, seed: 1, threads }, &|_| {});
    assert_eq!(email(1), email(3));
}

/// A change here changes what every seed means: it belongs into the changelog.
#[test]
fn a_seed_means_these_numbers_everywhere() {
    let pinned = |shipped, capture| {
        let simulated = simulate(&table(shipped), capture, 10_000, 2);
        (simulated.outcomes, simulated.messengers, simulated.captures)
    };
    let told = format!(
        "{:?}\n{:?}\n{:?}",
        pinned(Shipped::Always { messengers: 70 }, "19/20"),
        pinned(Shipped::Handshake { steps: 3, messengers: 2 }, "1/3"),
        pinned(Shipped::RandomAttack { rounds: 3 }, "1/10"),
    );
    insta::assert_snapshot!(told);
}

#[test]
fn another_seed_means_other_numbers() {
    let table = table(Shipped::Handshake { steps: 3, messengers: 2 });
    let with = |seed| table.simulate(&rate("1/3"), &Simulation { runs: 10_000, seed, threads: 1 }, &|_| {});
    assert_ne!(with(1), with(2));
}

#[test]
fn every_run_is_told_once() {
    let told = AtomicU64::new(0);
    let simulation = Simulation { runs: 5000, seed: 1, threads: 3 };
    let table = table(Shipped::Always { messengers: 2 });
    let done = |runs| {
        told.fetch_add(runs, Ordering::Relaxed);
    };
    let _counted = table.simulate(&rate("1/2"), &simulation, &done);
    assert_eq!(told.into_inner(), 5000);
}

fn tilted(table: &Table, capture: &str, outcome: Outcome, runs: u64) -> Estimate {
    let tilt = Tilt::towards(table, &ratio(capture), outcome).expect("it can happen");
    let [both, alone_1, alone_2, neither] =
        table.simulate_tilted(&tilt, 1, &Simulation { runs, seed: 1, threads: 2 }, &|_| {}).expect("rates");
    match outcome {
        Outcome::Both => both,
        Outcome::Alone1 => alone_1,
        Outcome::Alone2 => alone_2,
        Outcome::Neither => neither,
    }
}

/// The estimate is within five standard errors of the exact value, and those are at most `most` of it.
#[track_caller]
fn check_rare(shipped: Shipped, capture: &str, outcome: Outcome, exact: &str, most: f64) {
    let estimate = tilted(&table(shipped), capture, outcome, 20_000);
    let exact = ratio(exact);
    let relative = |of: &Ratio| Ratio(&of.0 / &exact.0).to_f64();
    let (value, error) = (relative(&estimate.value), relative(&estimate.error));
    assert!(error <= most && estimate.hits > 1000, "{shipped:?}: {} hits, error {error}", estimate.hits);
    assert!((value - 1.0).abs() <= 5.0 * error + 1e-9, "{shipped:?}: {value} of what it is, with an error of {error}");
}

#[test]
fn what_is_rare_comes_out_right() {
    check_rare(Shipped::Always { messengers: 15 }, "1/10", Outcome::Alone1, "1e-15", 0.02);
    check_rare(Shipped::Always { messengers: 1000 }, "1/10", Outcome::Alone1, "1e-1000", 0.02);
    // (9/10)^2 of the steps before the last, each of them captured with 1e-10 only.
    check_rare(Shipped::Handshake { steps: 5, messengers: 10 }, "1/10", Outcome::Alone1, "9.999999996e-11", 0.02);
    check_rare(Shipped::Reply { messengers: 3, replies: 12 }, "1/10", Outcome::Alone2, "9.99e-13", 0.02);
    // The other way round: everything has to arrive where nearly nothing does.
    check_rare(Shipped::Handshake { steps: 4, messengers: 1 }, "999/1000", Outcome::Both, "1e-12", 0.05);
    check_rare(Shipped::Handshake { steps: 4, messengers: 1 }, "999/1000", Outcome::Alone2, "9.99e-10", 0.05);
}

#[test]
fn an_outcome_that_comes_in_many_ways_is_not_estimated_from_one_of_them() {
    // Any one messenger of 20 will do: (1 - a^r) / 2r with a = 1 - 2p(1-p).
    let table = table(Shipped::RandomAttack { rounds: 10 });
    let exact = probabilities(&table, 1e-6)[Outcome::Alone1.index()];
    let estimate = tilted(&table, "1e-6", Outcome::Alone1, 100_000);
    let (value, error) = (estimate.value.to_f64(), estimate.error.to_f64());
    assert!((value - exact).abs() <= 5.0 * error && error < 0.05 * exact, "{value} +- {error}, not {exact}");
}

#[test]
fn at_any_rates_the_estimate_is_that_of_the_true_one() {
    for shipped in SHIPPED {
        let table = table(shipped);
        let exact = probabilities(&table, 0.25);
        let tilt = Tilt::everywhere(&table, &ratio("1/4"), &ratio("1/3")).expect("rates");
        let simulation = Simulation { runs: 200_000, seed: 3, threads: 2 };
        let estimates = table.simulate_tilted(&tilt, 1, &simulation, &|_| {}).expect("rates");
        for (estimate, exact) in estimates.iter().zip(exact) {
            let (value, error) = (estimate.value.to_f64(), estimate.error.to_f64());
            // Where nothing was hit, an error cannot be estimated either.
            let missed = estimate.hits == 0 && exact * 200_000.0 < 3.0;
            assert!(missed || (value - exact).abs() <= 5.0 * error + 1e-12, "{}: {value} +- {error}, not {exact}", table.name);
        }
    }
}

#[test]
fn rates_that_suit_an_outcome_badly_are_told_from_those_that_suit_it_well() {
    let table = table(Shipped::Always { messengers: 15 });
    let at = |rate: &str| {
        let tilt = Tilt::everywhere(&table, &ratio("1/10"), &ratio(rate)).expect("rates");
        let simulation = Simulation { runs: 100_000, seed: 1, threads: 2 };
        table.simulate_tilted(&tilt, 1, &simulation, &|_| {}).expect("rates")
    };
    // Every run of the only kind weighs the same: as many hits as there are, and far less variance than plain runs have.
    let [_, suits, _, nothing] = at("9/10");
    assert_eq!(suits.effective_hits.to_f64().round(), suits.hits as f64);
    assert!(suits.variance_ratio(&ratio("1e-15"), 100_000).expect("it is random") < 1e-12, "{suits:?}");
    assert_eq!((nothing.hits, nothing.effective_hits), (0, ratio("0")));
    let [plain, ..] = at("1/10");
    assert!(plain.variance_ratio(&ratio("1/2"), 100_000).expect("it is random") < 1.0);
    // Nearly all of the weight lies on runs that hardly ever come.
    let [badly, ..] = at("3/4");
    assert!(badly.effective_hits.to_f64() < badly.hits as f64 / 100.0, "{badly:?}");
    assert!(badly.variance_ratio(&ratio("1/2"), 100_000).expect("it is random") > 100.0, "{badly:?}");
    assert_eq!(badly.variance_ratio(&ratio("1"), 100_000), None);
}

#[test]
fn what_cannot_be_tilted_is_refused() {
    let table = table(Shipped::Always { messengers: 2 });
    let towards = |capture: &str, outcome| Tilt::towards(&table, &ratio(capture), outcome);
    assert_eq!((towards("1/2", Outcome::Alone2), towards("0", Outcome::Alone1), towards("1", Outcome::Both)), (None, None, None));
    for outside in ["0", "1", "2", "-1"] {
        assert_eq!(Tilt::everywhere(&table, &ratio("1/2"), &ratio(outside)), None);
    }
}

#[test]
fn the_interval_of_an_estimate_is_so_many_errors_wide() {
    let estimate = Estimate { hits: 1, value: ratio("1e-15"), error: ratio("1e-16"), effective_hits: ratio("1") };
    let [low, high] = estimate.interval(Confidence::Percent95);
    assert_eq!((low.to_decimal(6), high.to_decimal(6)), ("8.04004e-16".to_owned(), "1.196e-15".to_owned()));
}

#[test]
fn the_mail_goes_on_until_a_message_is_lost() {
    let runs = 200_000;
    for (loss, float) in [("1/2", 0.5), ("1/3", 1.0 / 3.0), ("1/100", 0.01), ("1", 1.0)] {
        let simulation = Simulation { runs, seed: 1, threads: 2 };
        let email = simulate_email(2, &rate(loss), &simulation, &|_| {}).expect("something is lost");
        check_counts(&table(Shipped::Email { threshold: 2 }), &email.simulated, runs, float, 5.0);
        let mean = email.simulated.messengers as f64 / runs as f64;
        let error = ((1.0 - float) / (float * float) / runs as f64).sqrt();
        assert!((mean - 1.0 / float).abs() <= 5.0 * error, "{loss}: {mean}");
        for (lost, sent) in email.last_lost.into_iter().zip(email.sent).filter(|(_, sent)| *sent > 0) {
            let (share, exact) = (lost as f64 / sent as f64, 1.0 / (2.0 - float));
            let error = (exact * (1.0 - exact) / sent as f64).sqrt();
            assert!((share - exact).abs() <= 5.0 * error, "{loss}: {share}, not {exact}");
        }
        assert_eq!((email.sent[0], email.simulated.captures), (runs, runs));
    }
    let nothing_lost = simulate_email(2, &rate("0"), &Simulation { runs, seed: 1, threads: 1 }, &|_| {});
    assert_eq!(nothing_lost, None);
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(3), ..ProptestConfig::with_cases(64) })]

    /// The seeds are fixed: a bound of five deviations is not passed by chance now and then.
    #[test]
    fn random_strategies_end_as_often_as_they_should(waves in waves(), percent in 0..=100u32) {
        let table = protocol(waves).tabulate(&Limits::default()).expect("it fits");
        let simulated = simulate(&table, &format!("{percent}/100"), 20_000, 1);
        check_counts(&table, &simulated, 20_000, f64::from(percent) / 100.0, 5.0);
    }
}
