//! `handfast generals check`: the verdict, the counterexample, the exit code, and what is said of nonsense.

use serde_json::{Value, json};

use crate::support::{handfast, run};

/// Runs it without a word on standard error.
#[track_caller]
fn check(arguments: &[&str], code: i32) -> String {
    super::told("check", arguments, code)
}

#[track_caller]
fn check_json(arguments: &[&str], code: i32) -> Value {
    super::told_json("check", arguments, code)
}

#[test]
fn the_simplest_run_that_goes_wrong_is_drawn() {
    insta::assert_snapshot!(check(&["handshake", "--steps", "4"], 3));
    assert!(check(&["handshake", "--steps", "4", "--ascii"], 3).is_ascii());
}

#[test]
fn all_of_them_are_drawn_on_request() {
    insta::assert_snapshot!(check(&["ready-ready", "--rounds", "2", "--all", "--ascii"], 3));
    let many = check(&["random-attack", "--rounds", "4", "--all", "--ascii"], 3);
    assert!(many.contains("... and 2 more; --json tells up to 1,000 of them."), "{many}");
}

#[test]
fn a_coin_and_its_worst_case_are_told() {
    insta::assert_snapshot!(check(&["random-attack", "--rounds", "3", "--adversary", "per-round:1"], 3));
}

#[test]
fn what_holds_is_told_with_what_was_covered() {
    insta::assert_snapshot!(check(&["always", "--messengers", "5", "--adversary", "at-most:4"], 0));
}

#[test]
fn the_json_is_that_of_the_help() {
    let told = check_json(&["reply", "--messengers", "2", "--replies", "1", "--all"], 3);
    let beginnings = json!([
        { "ordered": [true, false], "coin": 1, "wanted": true, "patterns": 7, "violations": 3,
          "outcome": { "both": 3, "alone_1": 0, "alone_2": 3, "neither": 1 } },
        { "ordered": [false, false], "coin": 1, "wanted": false, "patterns": 1, "violations": 0,
          "outcome": { "both": 0, "alone_1": 0, "alone_2": 0, "neither": 1 } },
    ]);
    assert_eq!(told["beginnings"], beginnings);
    assert_eq!(told["outcome"], json!({ "both": 3, "alone_1": 0, "alone_2": 3, "neither": 2 }));
    let facts = ["adversary", "verdict", "worlds", "runs", "violations", "captures", "sent", "minimal_runs", "idle"];
    assert_eq!(
        facts.map(|fact| told[fact].clone()),
        [json!("any"), json!("violated"), json!(8), json!(8), json!(3), json!(1), json!(3), json!(1), json!(false)]
    );
    assert_eq!(told["minimal"], json!([told["counterexample"]]));
    assert_eq!(told["counterexample"]["attacks"], json!([false, true]));
    assert_eq!(told["counterexample"]["messengers"][2], json!({ "round": 2, "from": 2, "says": "agreed", "captured": true }));
    let many = check_json(&["handshake", "--steps", "20", "--messengers", "3"], 3);
    assert_eq!(many["violations"], json!("11398895185373143"), "seven to the nineteenth");
    assert_eq!(
        check_json(&["handshake", "--steps", "20", "--messengers", "3", "--adversary", "at-most:2"], 0)["captures"],
        Value::Null
    );
    let coin = check_json(&["random-attack", "--rounds", "4"], 3);
    assert_eq!((&coin["coin"]["probability"], &coin["coin"]["worst"]), (&json!("1/4"), &json!("1/4")));
    assert_eq!((&coin["worlds"], &coin["runs"]), (&json!(1024), &json!(4096)));
}

#[test]
fn a_picture_goes_to_a_file_or_to_standard_output() {
    let picture = check(&["always", "--svg", "-"], 3);
    assert!(picture.starts_with("<svg") && picture.contains("army 1 is defeated"), "{picture}");
    let dir = tempfile::tempdir().expect("a directory");
    let mut command = handfast();
    command.current_dir(dir.path()).args(["generals", "check", "always", "--svg", "wrong.svg"]);
    let output = command.output().expect("the binary runs");
    assert_eq!(
        (output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()),
        (Some(3), "the picture is in wrong.svg\n")
    );
    assert_eq!(std::fs::read_to_string(dir.path().join("wrong.svg")).expect("it was written"), picture);
}

#[test]
fn a_counterexample_is_kept_and_replayed() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("wrong.trace");
    let file = path.to_str().expect("a path in UTF-8");
    let ended = run(["generals", "check", "handshake", "--steps", "3", "--keep", file]);
    assert_eq!((ended.code, ended.stderr), (Some(3), format!("the counterexample is kept in {file}\n")));
    let drawn = run(["generals", "draw", file, "--json"]);
    assert_eq!(drawn.code, Some(0), "{}", drawn.stderr);
    let drawn: Value = serde_json::from_str(&drawn.stdout).expect("JSON");
    assert_eq!((&drawn["outcome"], &drawn["captures"]), (&json!("alone_1"), &json!(1)));
    let replayed = run(["replay", file]);
    assert_eq!((replayed.code, replayed.stderr.as_str()), (Some(0), ""));
    assert!(replayed.stdout.contains("The protocol did again what was kept: 1 alone"), "{}", replayed.stdout);
    let none = dir.path().join("none.trace");
    let ended = run(["generals", "check", "always", "--adversary", "at-most:0", "--keep", none.to_str().expect("a path")]);
    assert_eq!((ended.code, none.exists()), (Some(0), false), "{}", ended.stderr);
}

#[test]
fn a_counterexample_that_cannot_be_kept_is_an_error_with_the_place() {
    for file in ["no/such/directory/wrong.trace", "."] {
        let ended = run(["generals", "check", "always", "--keep", file]);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{file}: {}", ended.stderr);
        assert!(ended.stderr.contains(&format!("cannot write {file}; give --keep another path")), "{}", ended.stderr);
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    }
}

/// The directory from which the examples are named as the documents name them.
#[track_caller]
fn check_example(arguments: &[&str], code: i32) -> String {
    let mut command = handfast();
    command.current_dir(crate::support::repository("")).args(["generals", "check"]).args(arguments);
    let ended: crate::support::Ended = command.output().expect("the binary runs").into();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(code), ""), "{arguments:?}");
    ended.stdout
}

#[test]
fn a_strategy_file_is_checked() {
    let told = check_example(&["examples/generals/top-up.toml", "--all", "--ascii"], 3);
    assert!(told.contains("VIOLATED: agreement") && told.contains("8 captured of 8 messengers sent"), "{told}");
    let told: Value = serde_json::from_str(&check_example(&["examples/generals/reply.toml", "--json"], 3)).expect("JSON");
    let shipped = check_json(&["reply", "--messengers", "2", "--replies", "3"], 3);
    for member in ["worlds", "outcome", "violations", "captures", "steps", "beginnings", "minimal_runs"] {
        assert_eq!(told[member], shipped[member], "{member}");
    }
    let holds = check_example(&["examples/generals/top-up.toml", "--adversary", "at-most:7"], 0);
    assert!(holds.contains("HOLDS"), "{holds}");
}

#[test]
fn a_program_is_checked_as_the_strategy_file_of_the_same_plan_is() {
    let program = ["exec:python3 examples/generals/top_up.py", "--time-limit-ms", "60000", "--all", "--json"];
    let told: Value = serde_json::from_str(&check_example(&program, 3)).expect("JSON");
    let file: Value =
        serde_json::from_str(&check_example(&["examples/generals/top-up.toml", "--all", "--json"], 3)).expect("JSON");
    assert_eq!((&told["verdict"], &told["captures"]), (&json!("violated"), &json!(8)));
    for member in ["worlds", "outcome", "violations", "captures", "steps", "minimal_runs"] {
        assert_eq!(told[member], file[member], "{member}");
    }
    assert_eq!(told["minimal"].as_array().map(Vec::len), Some(1));
    let program = ["exec:python3 examples/generals/top_up.py", "--time-limit-ms", "60000", "--adversary", "at-most:7"];
    assert!(check_example(&program, 0).contains("HOLDS"));
}

#[test]
fn large_bounds_on_captures_are_no_harder_than_small_ones() {
    let told = check_json(&["handshake", "--steps", "20", "--adversary", "at-most:18446744073709551615"], 3);
    assert_eq!((&told["runs"], &told["captures"]), (&json!(22), &json!(1)));
    let told = check_json(&["always", "--messengers", "1000000", "--adversary", "at-most:999999"], 0);
    assert_eq!((&told["verdict"], &told["runs"].is_null()), (&json!("holds"), &true), "{told}");
    assert!(told["uncounted"].as_str().is_some_and(|reason| reason.contains("a wave of 1000000 messengers")), "{told}");
}

/// Every line that is a sentence fits; pictures have a width of their own, and tables are indented.
#[test]
fn sentences_fit_the_terminal() {
    let mut command = handfast();
    command.env("COLUMNS", "60").args(["generals", "check", "random-attack", "--rounds", "3"]);
    let ended: crate::support::Ended = command.output().expect("the binary runs").into();
    assert_eq!(ended.code, Some(3));
    let long: Vec<&str> = ended.stdout.lines().filter(|line| line.chars().count() > 60 && !line.starts_with("  ")).collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn nonsense_is_refused_with_the_way_out() {
    let refused = |arguments: &[&str], word: &str| {
        let ended = run([&["generals", "check"], arguments].concat());
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(ended.stderr.contains(word), "{}", ended.stderr);
    };
    refused(&["always", "--adversary", "at-most:x"], "give any, at-most:f (f captures in all) or per-round:k");
    refused(&["always", "--messengers", "-1"], "'-1' for '--messengers");
    refused(&["alwais"], "there is no protocol");
    refused(&["always", "--rounds", "2"], "always has no --rounds");
    refused(&["always", "--svg", "-", "--json"], "give --svg a file");
}

#[test]
fn a_verdict_stands_where_the_patterns_are_too_many_to_be_counted() {
    let large = ["handshake", "--steps", "20", "--messengers", "1000", "--adversary", "at-most:999"];
    let told = check(&large, 0);
    assert!(told.contains("HOLDS") && told.contains("Not counted: to count the patterns of this adversary takes more"), "{told}");
    let told = check_json(&large, 0);
    assert_eq!((&told["verdict"], &told["runs"], &told["outcome"]), (&json!("holds"), &Value::Null, &Value::Null));
    assert!(told["uncounted"].as_str().is_some_and(|reason| reason.contains("take fewer messengers or captures")), "{told}");
}
