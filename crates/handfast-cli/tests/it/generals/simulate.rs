//! `handfast generals simulate`: what people and programs see, what is warned of, and what is refused.

use serde_json::Value;

use crate::support::{Ended, handfast, run};

fn simulate(arguments: &str) -> Ended {
    run(["generals", "simulate"].into_iter().chain(arguments.split_whitespace()))
}

fn quietly(arguments: &str) -> Vec<&str> {
    arguments.split_whitespace().chain(["--quiet"]).collect()
}

/// What is told, without the note of how fast it went.
#[track_caller]
fn told(arguments: &str) -> String {
    super::told("simulate", &quietly(arguments), 0)
}

#[track_caller]
fn json(arguments: &str) -> Value {
    super::told_json("simulate", &quietly(arguments), 0)
}

#[test]
fn the_counts_are_told_beside_the_exact_values() {
    insta::assert_snapshot!(told("reply --messengers 2 --replies 3 --capture 0.1 --runs 20000 --seed 7"));
    insta::assert_snapshot!(told("random-attack --rounds 4 --capture 1/3 --runs 2e4 --confidence 99.9"));
}

#[test]
fn the_mail_game_tells_how_long_it_went_on() {
    insta::assert_snapshot!(told("email --steps 2 --capture 1/10 --runs 20_000"));
    let data = json("email --steps 2 --capture 1/10 --runs 20_000");
    insta::assert_snapshot!(serde_json::to_string_pretty(&data["email"]).expect("JSON"));
}

#[test]
fn json_has_every_number() {
    let data = json("handshake --steps 3 --messengers 2 --capture 1/3 --runs 10000 --importance");
    insta::assert_snapshot!(serde_json::to_string_pretty(&data).expect("JSON"));
    assert_eq!(json("always --runs 100")["importance"], Value::Null);
}

/// 1e-15 would need a thousand million million runs; a thousand and some at other rates show it, and say that they did.
#[test]
fn what_is_rare_is_sampled_at_other_rates_unasked() {
    let arguments = "always --messengers 15 --capture 1/10 --runs 20000";
    insta::assert_snapshot!(told(arguments));
    let data = json(arguments);
    let [sampled, plain] = [&data["importance"], &data["outcome"]["alone_1"]];
    assert_eq!((&sampled["why"], &plain["count"], &plain["exact"]), (&"rare".into(), &0.into(), &"1/1000000000000000".into()));
    let [estimate, error] = ["estimate", "error"].map(|key| sampled["outcome"]["alone_1"][key].as_f64().expect("a number"));
    assert!((estimate - 1e-15).abs() <= 5.0 * error && error < 0.02 * 1e-15, "{estimate} +- {error}");
    assert_eq!(sampled["outcome"]["alone_1"]["warning"], Value::Null);
}

#[test]
fn importance_sampling_says_that_it_was_asked_for_and_at_which_rates() {
    insta::assert_snapshot!(told("reply --capture 1/3 --runs 20000 --importance"));
    insta::assert_snapshot!(told("reply --capture 1/3 --runs 20000 --importance 3/4"));
    assert_eq!(json("reply --capture 1/3 --runs 20000 --importance")["importance"]["why"], "asked");
}

/// A rate far off is no help, and nobody should have to find that out alone.
#[test]
fn a_rate_that_suits_an_outcome_badly_is_told() {
    insta::assert_snapshot!(told("always --messengers 15 --capture 1/10 --runs 20000 --importance 1/2"));
    let warning = |arguments: &str, outcome: &str| {
        let data = json(arguments);
        data["importance"]["outcome"][outcome]["warning"].clone()
    };
    let far = "always --messengers 100 --capture 1/10 --runs 5000 --importance 1/2";
    assert_eq!(
        [warning(far, "both"), warning(far, "alone_1"), warning(far, "alone_2")],
        ["few".into(), "few".into(), Value::Null]
    );
    let off = "always --messengers 15 --capture 1/10 --runs 20000 --importance 3/10";
    assert_eq!(warning(off, "both"), "worse");
    assert_eq!(warning("always --messengers 15 --capture 1/10 --runs 20000 --importance 9/10", "alone_1"), Value::Null);
}

#[test]
fn a_seed_means_the_same_numbers_on_any_number_of_threads() {
    for arguments in [
        "handshake --steps 4 --messengers 3 --capture 0.3 --runs 30001 --seed 42",
        "always --messengers 15 --capture 1/10 --runs 30001 --importance",
        "email --capture 1/5 --runs 30001",
    ] {
        for form in ["", "--json"] {
            let [one, two, all] =
                ["--threads 1", "--threads 2", ""].map(|threads| told(&format!("{arguments} {form} {threads}")));
            assert_eq!((&one, &one), (&two, &all), "{arguments}");
        }
    }
    assert_ne!(told("reply --runs 10000 --seed 1"), told("reply --runs 10000 --seed 2"));
}

/// How fast it went is for people: on standard error, and not where quiet was asked for.
#[test]
fn how_fast_it_went_is_beside_the_answer() {
    let ended = simulate("reply --runs 10000");
    assert_eq!((ended.code, ended.stdout), (Some(0), told("reply --runs 10000")));
    assert!(ended.stderr.ends_with(" million messengers a second\n"), "{}", ended.stderr);
}

#[test]
fn without_a_terminal_there_are_neither_colours_nor_a_progress_bar() {
    let ended = simulate("always --messengers 3 --runs 3e6");
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert!(ended.stdout.is_ascii() && !ended.stdout.contains('\x1b') && !ended.stderr.contains('\x1b'), "{ended:?}");
}

#[test]
fn it_fits_on_a_narrow_terminal() {
    for arguments in ["reply --capture 1/3 --runs 20000 --importance 1/2", "email --capture 1/10 --runs 20000"] {
        let mut command = handfast();
        command.args(["generals", "simulate", "--quiet"]).args(arguments.split(' ')).env("COLUMNS", "60");
        let ended: Ended = command.output().expect("the binary runs").into();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended.stdout.lines().for_each(|line| assert!(line.chars().count() <= 60, "{line:?} is wider than 60"));
        insta::assert_snapshot!(ended.stdout);
    }
}

#[test]
fn nonsense_is_refused_with_the_way_out() {
    for (arguments, says) in [
        ("always --capture 1.5", "between 0 and 1"),
        ("always --capture x", "write it as 1/3"),
        ("always --runs 0", "from 1 to"),
        ("always --runs 1.5", "whole number"),
        ("always --runs many", "1e6"),
        ("always --seed one", "--seed"),
        ("always --confidence 80", "99.9"),
        ("always --importance 1", "between 0 and 1"),
        ("always --importance 0", "between 0 and 1"),
        ("always --importance often", "write it as 1/3"),
        ("always --rounds 3", "has no --rounds"),
        ("email --capture 0", "never ends"),
        ("email --capture 1e-12 --runs 1e6", "take fewer runs or a higher rate"),
        ("alway", "always"),
        ("", "PROTOCOL"),
    ] {
        let ended = simulate(arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments}");
        assert!(ended.stderr.contains(says), "{arguments}: {}", ended.stderr);
    }
}

#[test]
fn where_importance_sampling_has_nothing_to_tell_it_says_why() {
    for (arguments, why) in [
        (&["always", "--capture", "0"][..], "no messenger is ever captured at this rate"),
        (&["always", "--capture", "1"], "every messenger is captured at this rate"),
    ] {
        let told = super::told("simulate", &[arguments, &["--runs", "100", "--importance", "--ascii", "--quiet"]].concat(), 0);
        assert!(told.replace('\n', " ").contains(why), "{told}");
    }
}
