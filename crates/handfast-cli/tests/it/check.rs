//! `handfast check` from outside: what it explored, word for word and to the last state, and what goes wrong without a guard.

use std::fs;

use serde_json::Value;

use crate::support::{Ended, handfast, run};

/// Runs it without a word on standard error.
#[track_caller]
fn check(arguments: &[&str], code: i32) -> String {
    let ended = run([&["check"], arguments].concat());
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(code), ""), "{arguments:?}");
    ended.stdout
}

#[track_caller]
fn check_json(arguments: &[&str], code: i32) -> Value {
    let text = check(&[arguments, &["--json"]].concat(), code);
    assert_eq!(text.lines().count(), 1, "{arguments:?}: one line of JSON");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn every_case_holds_and_is_told_with_its_states() {
    insta::assert_snapshot!(check(&[], 0));
}

#[test]
fn every_guard_is_told_with_what_breaks_without_it() {
    insta::assert_snapshot!(check(&["--guards"], 0));
}

#[test]
fn without_a_guard_the_shortest_run_is_drawn() {
    insta::assert_snapshot!(check(&["--without", "unsent-pivot-not-closed"], 3));
    assert!(check(&["--without", "unsent-pivot-not-closed", "--ascii"], 3).is_ascii());
}

#[test]
fn a_picture_has_the_colours_and_the_width_that_are_wanted() {
    let drawn = |arguments: &[&str], columns: &str| -> Ended {
        let mut command = handfast();
        command.args(["check", "--without", "not-found-is-final"]).args(arguments).env("COLUMNS", columns);
        command.output().expect("the binary runs").into()
    };
    assert!(drawn(&["--color", "always"], "80").stdout.contains("\x1b["));
    let widest = |ended: &Ended| {
        let picture = ended.stdout.lines().skip_while(|line| !line.contains('╭')).take_while(|line| !line.contains("1."));
        picture.map(|line| line.chars().count()).max().expect("a picture")
    };
    let (narrow, wide) = (drawn(&[], "60"), drawn(&[], "120"));
    assert!(widest(&narrow) <= 60 && widest(&wide) > 60, "{}\n{}", narrow.stdout, wide.stdout);
}

/// The members of an object, in alphabetical order.
fn members(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[test]
fn what_was_explored_is_told_as_json() {
    let told = check_json(&[], 0);
    assert_eq!(members(&told), ["cases", "states", "verdict"]);
    assert_eq!(told["verdict"], "holds");
    let cases = told["cases"].as_array().expect("a list");
    assert_eq!(told["states"].as_u64(), cases.iter().map(|case| case["states"].as_u64()).sum());
    for case in cases {
        let wanted = [
            "adversary",
            "bounds",
            "depth",
            "exhaustive",
            "generated",
            "never_happened",
            "plan",
            "properties",
            "states",
            "verdict",
        ];
        assert_eq!(members(case), wanted);
        assert_eq!((&case["verdict"], &case["exhaustive"]), (&"holds".into(), &true.into()), "{}", case["plan"]);
        let properties = case["properties"].as_array().expect("a list");
        assert!(!properties.is_empty());
        for property in properties {
            assert_eq!(members(property), ["claim", "name", "run", "verdict"]);
            assert!(property["verdict"] == "holds" || property["verdict"] == "reached", "{property}");
        }
    }
}

#[test]
fn guards_and_counterexamples_are_told_as_json() {
    let guards = check_json(&["--guards"], 0);
    for guard in guards.as_array().expect("a list") {
        assert_eq!(members(guard), ["breaks", "guard", "hazard", "name"]);
    }
    let told = check_json(&["--without", "unsent-pivot-not-closed"], 3);
    assert_eq!(members(&told), ["adversary", "breaks", "end", "guard", "hazard", "name", "run", "verdict"]);
    assert_eq!((&told["verdict"], &told["breaks"]), (&"violated".into(), &"dispatched only if paid".into()));
    assert_eq!(told["run"].as_array().map(Vec::len), Some(12));
}

#[test]
fn a_counterexample_is_written_as_svg() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("run.svg");
    let path = path.to_str().expect("a path of text");
    let ended = run(["check", "--without", "unsent-pivot-not-closed", "--svg", path]);
    assert_eq!((ended.code, ended.stderr), (Some(3), format!("the picture is in {path}\n")));
    let svg = fs::read_to_string(path).expect("it was written");
    assert!(svg.starts_with("<svg") && svg.contains("dispatched only if paid") && svg.trim_end().ends_with("</svg>"), "{svg}");

    let nowhere = dir.path().join("no/such/run.svg");
    let nowhere = nowhere.to_str().expect("a path of text");
    let ended = run(["check", "--without", "unsent-pivot-not-closed", "--svg", nowhere]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""));
    assert!(ended.stderr.contains(nowhere) && ended.stderr.contains("give --svg another path"), "{}", ended.stderr);
}

#[test]
fn a_name_that_is_nearly_right_is_suggested() {
    let ended = run(["check", "--without", "unsent-pivot-not-closd"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""));
    assert!(ended.stderr.contains("a similar value exists: 'unsent-pivot-not-closed'"), "{}", ended.stderr);
    let ended = run(["check", "--without", "unsent-pivot-not-closed", "--guards"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""));
    assert!(ended.stderr.contains("cannot be used with"), "{}", ended.stderr);
}
