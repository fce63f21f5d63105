//! `handfast generals` from outside, one module a question.

use serde_json::Value;

use crate::support::run;

mod answers;
mod bounds;
mod check;
mod decide;
mod draw;
mod knowledge;
mod odds;
mod programs;
mod simulate;
mod table;

/// What a question is answered, without a word on standard error.
#[track_caller]
fn told(question: &str, arguments: &[&str], code: i32) -> String {
    let ended = run([&["generals", question], arguments].concat());
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(code), ""), "{arguments:?}");
    ended.stdout
}

/// The same as one line of JSON.
#[track_caller]
fn told_json(question: &str, arguments: &[&str], code: i32) -> Value {
    let text = told(question, &[arguments, &["--json"]].concat(), code);
    assert_eq!(text.lines().count(), 1, "{arguments:?}: one line of JSON");
    serde_json::from_str(&text).expect("JSON")
}

/// That a question is refused, with this in what is said.
#[track_caller]
fn refused(question: &str, arguments: &[&str], hint: &str) {
    let ended = run([&["generals", question], arguments].concat());
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments:?}");
    assert!(ended.stderr.contains(hint), "{arguments:?}: {}", ended.stderr);
}
