//! `handfast generals knowledge` from outside: the histogram, the ladder, the chain, the belief, and what is refused.

use serde_json::{Value, json};

#[track_caller]
fn knowledge(arguments: &[&str]) -> String {
    super::told("knowledge", arguments, 0)
}

#[track_caller]
fn knowledge_json(arguments: &[&str]) -> Value {
    super::told_json("knowledge", arguments, 0)
}

#[track_caller]
fn refuse(arguments: &[&str], hint: &str) {
    super::refused("knowledge", arguments, hint)
}

#[test]
fn what_is_known_to_be_too_much_is_refused_before_any_work() {
    let ended = crate::support::run(["generals", "knowledge", "random-attack", "--rounds", "30"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""));
    assert!(ended.stderr.contains("error: random-attack of 30 rounds has more than"), "{}", ended.stderr);
}

#[test]
fn bars_are_drawn_in_plain_ascii() {
    let told = super::told("knowledge", &["handshake", "--steps", "4", "--ascii"], 0);
    assert!(told.is_ascii() && told.contains('#'), "{told}");
}

#[test]
fn a_handshake_with_its_chain_and_its_belief() {
    insta::assert_snapshot!(knowledge(&["handshake", "--steps", "4", "--chain", "--capture", "1/10"]));
}

#[test]
fn an_exchange_with_its_chain() {
    insta::assert_snapshot!(knowledge(&["random-attack", "--rounds", "3", "--chain"]));
}

#[test]
fn a_wave_of_a_thousand_with_states_as_views() {
    insta::assert_snapshot!(knowledge(&[
        "reply",
        "--messengers",
        "1000",
        "--replies",
        "2",
        "--views",
        "state",
        "--captured",
        "1000,1001"
    ]));
}

#[test]
fn the_mail_game_has_no_end_and_ready_ready_no_order() {
    insta::assert_snapshot!([knowledge(&["email", "--steps", "2"]), knowledge(&["ready-ready", "--chain"])].join("\n---\n"));
}

#[test]
fn the_data_of_a_handshake() {
    let told = knowledge_json(&["handshake", "--steps", "2", "--chain", "--capture", "0.1", "--prior", "1/3", "--captured", "1"]);
    assert_eq!(
        told,
        json!({
            "protocol": "handshake", "title": told["title"], "adversary": "any",
            "adversary_in_words": "any of the messengers that are sent may be captured", "views": "inputs", "worlds": 4, "histogram": [1, 1, 1],
            "common_knowledge": false, "common_knowledge_runs": 0, "because": told["because"], "depth": 1,
            "run": { "captured": [1], "ordered": [true, false], "outcome": "alone_2", "steps": [
                { "round": 0, "levels": [1, 0], "knows": ["knows of the order", "does not know of the order"] },
                { "round": 1, "levels": [1, 2], "knows": ["knows of the order", "knows that 1 knows"] },
                { "round": 2, "levels": [1, 2], "knows": ["knows of the order", "knows that 1 knows"] },
            ] },
            "chain": [
                { "captured": [], "ordered": [true, false], "outcome": "both", "same_for": null },
                { "captured": [1], "ordered": [true, false], "outcome": "alone_2", "same_for": 2 },
                { "captured": [0], "ordered": [true, false], "outcome": "neither", "same_for": 1 },
                { "captured": [], "ordered": [false, false], "outcome": "neither", "same_for": 2 },
            ],
            "links_to_nothing_delivered": 2, "links_to_no_order": 3,
            "common_belief": "9/10", "common_belief_float": 0.9, "prior": "1/3", "prior_float": told["prior_float"],
            "capture": "1/10", "capture_float": 0.1,
        })
    );
}

#[test]
fn numbers_of_runs_are_exact() {
    let told = knowledge_json(&["random-attack", "--rounds", "2"]);
    assert_eq!((&told["histogram"], &told["worlds"], &told["depth"]), (&json!([7, 8, 1]), &json!(64), &json!(2)));
    let told = knowledge_json(&["always", "--messengers", "60"]);
    assert_eq!(told["worlds"], json!("1152921504606846977"));
    assert_eq!(told["histogram"], json!([1, "1152921504606846975"]));
    let told = knowledge_json(&["ready-ready"]);
    assert_eq!((&told["depth"], &told["common_knowledge"]), (&Value::Null, &json!(true)));
}

#[test]
fn sentences_and_steps_fit_the_terminal() {
    let mut command = crate::support::handfast();
    command.env("COLUMNS", "60").args(["generals", "knowledge", "handshake", "--steps", "4", "--capture", "1/10"]);
    let ended: crate::support::Ended = command.output().expect("the binary runs").into();
    let long: Vec<&str> = ended.stdout.lines().filter(|line| line.chars().count() > 60).collect();
    assert!(ended.code == Some(0) && long.is_empty(), "{long:#?}");
}

#[test]
fn what_makes_no_sense_is_refused() {
    refuse(&["handshake", "--captured", "3"], "0 to 2");
    refuse(&["handshake", "--captured", "x"], "\"x\" is no messenger");
    refuse(&["handshake", "--capture", "-1/2"], "between 0 and 1");
    refuse(&["handshake", "--steps", "-1"], "-1");
    refuse(&["handshake", "--prior", "1/2"], "--capture");
    refuse(&["handshake", "--prior", "0", "--capture", "1/2"], "more than 0");
    refuse(&["handshake", "--capture", "2"], "between 0 and 1");
    refuse(&["handshake", "--views", "hearts"], "inputs");
}
