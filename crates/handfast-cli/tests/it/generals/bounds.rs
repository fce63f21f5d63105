//! `handfast generals bounds`: theory beside what was explored.

use serde_json::{Value, json};

use crate::support::run;

#[track_caller]
fn bounds(arguments: &[&str]) -> String {
    let ended = run([&["generals", "bounds"], arguments].concat());
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{arguments:?}");
    ended.stdout
}

#[test]
fn theory_stands_beside_what_was_explored() {
    insta::assert_snapshot!(bounds(&["--rounds", "4"]));
}

#[test]
fn the_json_is_that_of_the_help() {
    let told: Value = serde_json::from_str(&bounds(&["--rounds", "3", "--json"])).expect("JSON");
    let of = |list: &str, key: &str| told[list].as_array().expect("a list").iter().map(|row| row[key].clone()).collect::<Value>();
    assert_eq!(told["rounds"], json!(3));
    assert_eq!(of("bounds", "lower"), json!(["1/2", "1/3", "1/4"]));
    assert_eq!(of("bounds", "random_attack"), json!(["1", "1/2", "1/3"]));
    assert_eq!(of("bounds", "exact"), json!(["1", "1/2", "1/3"]));
    assert_eq!(of("solvable", "adversary"), json!(["at-most:0", "at-most:1", "at-most:2", "at-most:3", "per-round:1", "any"]));
    let verdicts = json!(["solvable", "solvable", "solvable", "unsolvable", "unsolvable", "unsolvable"]);
    assert_eq!(of("solvable", "verdict"), verdicts);
    assert_eq!(of("solvable", "theorem"), verdicts);
    let chain = told["solvable"][5]["chain"].as_array().expect("a chain");
    assert_eq!(chain.len(), 5, "a link a round, and one to the missing order");
    assert_eq!(chain[4]["alike_for"], Value::Null);
}

#[test]
fn what_is_too_large_to_be_explored_is_left_to_the_theorem() {
    let told = bounds(&["--rounds", "12"]);
    let not_explored: Vec<&str> = told.lines().filter(|line| line.contains("not explored")).collect();
    assert_eq!(
        not_explored,
        [
            "at-most:8     not explored   solvable",
            "...           not explored   solvable",
            "at-most:12    not explored   unsolvable",
            "any           not explored   unsolvable"
        ],
        "{told}"
    );
    assert!(told.contains("more than 4194304 runs would have to be explored"), "{told}");
}

#[test]
fn nonsense_is_refused() {
    for rounds in ["0", "41", "-1", "x"] {
        let ended = run(["generals", "bounds", "--rounds", rounds]);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{rounds}: {}", ended.stderr);
    }
}
