//! `handfast generals table`, word for word.

use serde_json::Value;

use crate::support::{Ended, handfast, run};

fn in_columns(columns: &str, more: &[&str]) -> String {
    let ended: Ended =
        handfast().args(["generals", "table"]).args(more).env("COLUMNS", columns).output().expect("the binary runs").into();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    ended.stdout
}

#[track_caller]
fn check_width(text: &str, width: usize) {
    text.lines().for_each(|line| assert!(line.chars().count() <= width, "{line:?} is wider than {width}"));
}

#[test]
fn the_problem_fits_on_one_screen() {
    let text = run(["generals", "table"]).stdout;
    insta::assert_snapshot!(text);
    check_width(&text, 80);
    assert!(text.lines().count() <= 24, "{} lines", text.lines().count());
}

#[test]
fn it_fits_on_a_narrow_terminal() {
    let text = in_columns("60", &[]);
    insta::assert_snapshot!(text);
    check_width(&text, 60);
}

#[test]
fn it_does_without_unicode_and_with_colours() {
    let text = in_columns("80", &["--ascii"]);
    assert!(text.is_ascii(), "{text}");
    insta::assert_snapshot!(text);
    insta::assert_snapshot!(in_columns("80", &["--color", "always"]));
}

#[test]
fn it_is_data_too() {
    let text = run(["generals", "table", "--json"]).stdout;
    let value: Value = serde_json::from_str(&text).expect("JSON");
    insta::assert_snapshot!(serde_json::to_string_pretty(&value).expect("JSON"));
}

/// Whoever types what stands there next is not told that it does not exist.
#[test]
fn what_to_type_next_exists() {
    let text = run(["generals", "table", "--json"]).stdout;
    let value: Value = serde_json::from_str(&text).expect("JSON");
    for next in value["next"].as_array().expect("a list") {
        let words: Vec<&str> = next["command"].as_str().expect("text").split(' ').collect();
        let depth = if words[1] == "generals" { 3 } else { 2 };
        assert_eq!(run(words[1..depth].iter().chain(&["--help"])).code, Some(0), "{next}");
    }
}
