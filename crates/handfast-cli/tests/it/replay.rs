//! `handfast replay`: every committed trace is executed again, and what is no trace, or lies, is refused with the place.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::{Ended, handfast, repository, run};

fn traces() -> Vec<PathBuf> {
    let mut traces: Vec<PathBuf> = fs::read_dir(repository("crates/handfast-cli/tests/traces"))
        .expect("the traces are committed")
        .map(|entry| entry.expect("it can be read").path())
        .collect();
    traces.sort();
    traces
}

fn trace(name: &str) -> String {
    repository(&format!("crates/handfast-cli/tests/traces/{name}.trace")).to_str().expect("a path of text").to_owned()
}

#[track_caller]
fn replay(arguments: &[&str]) -> String {
    let ended = run_here(&[&["replay"], arguments].concat());
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{arguments:?}");
    ended.stdout
}

/// Runs it where the programs that a trace names are found.
fn run_here(arguments: &[&str]) -> Ended {
    handfast().current_dir(repository("")).args(arguments).output().expect("the binary runs").into()
}

#[test]
fn every_committed_trace_is_executed_again_and_told() {
    let traces = traces();
    assert!(traces.len() > 10, "{traces:?}");
    for path in traces {
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name of text").to_owned();
        let mut arguments = vec![path.to_str().expect("a path of text")];
        if fs::read_to_string(&path).expect("it can be read").contains("\"exec:") {
            arguments.push("--run-program");
        }
        insta::assert_snapshot!(format!("replay_{name}"), replay(&arguments));
    }
}

#[test]
fn one_step_is_told_alone_and_all_of_them_as_data() {
    let path = trace("generals-handshake");
    insta::assert_snapshot!(replay(&[&path, "--step", "2"]));
    let told: Value = serde_json::from_str(&replay(&[&path, "--json"])).expect("JSON");
    assert_eq!(told["kind"], "generals");
    let steps = told["steps"].as_array().expect("a list");
    assert_eq!(steps.len(), 5, "{told}");
    assert_eq!(steps[4]["departures"][0]["arrived"], 0, "{told}");
    let one: Value = serde_json::from_str(&replay(&[&path, "--json", "--step", "4"])).expect("JSON");
    assert_eq!(one["steps"][0], steps[4]);
    refused(&run(["replay", &path, "--step", "5"]), &["there is no step 5", "0 to 4"]);
}

#[test]
fn a_picture_is_drawn_up_to_a_step() {
    let path = trace("generals-handshake");
    let (whole, half) = (replay(&[&path, "--svg", "-"]), replay(&[&path, "--svg", "-", "--step", "2"]));
    assert!(whole.starts_with("<svg") && whole.contains("army 2 is defeated"), "{whole}");
    assert!(half.starts_with("<svg") && half.contains("After round 2 of 4.") && !half.contains("defeated"), "{half}");
    for name in ["saga-completed", "counterexample-not-found-is-final"] {
        assert!(replay(&[&trace(name), "--svg", "-"]).starts_with("<svg"), "{name}");
    }
}

#[track_caller]
fn refused(ended: &Ended, said: &[&str]) {
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{}", ended.stderr);
    for said in said {
        assert!(ended.stderr.contains(said), "{said:?} is not in {:?}", ended.stderr);
    }
}

/// Replays the trace of that name with one text replaced by another.
#[track_caller]
fn changed(name: &str, from: &str, to: &str, said: &[&str]) {
    let text = fs::read_to_string(trace(name)).expect("it is committed");
    assert!(text.contains(from), "{from:?} is not in {text}");
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("changed.trace");
    fs::write(&path, text.replacen(from, to, 1)).expect("the directory can be written to");
    refused(&run(["replay", path.to_str().expect("a path of text")]), &[&["changed.trace"], said].concat());
}

#[test]
fn a_trace_that_lies_is_refused_with_the_place() {
    changed("generals-handshake", "\"alone_2\"", "\"both\"", &["the outcome is another one", "\"both\"", "\"alone_2\""]);
    changed("generals-handshake", "\"captured\": [3]", "\"captured\": [2]", &["departure 2", "of which 1 arrive", "of which 0"]);
    changed("generals-handshake", "\"captured\": [3]", "\"captured\": [3, 4]", &["messenger 4", "0 to 3"]);
    changed("generals-handshake", "[true, false]", "[true, true]", &["begins with the orders [true, true]"]);
    changed("generals-handshake", "\"coin\": 1", "\"coin\": 2", &["the coin 2"]);
    changed("saga-completed", "b64af15217dd594d", "b64af15217dd594e", &["journal entry 2", "another state"]);
    changed("saga-completed", "\"at\": 1020", "\"at\": 1021", &["journal entry 2", "another state"]);
    changed("saga-completed", "\"completed\"", "\"cancelled\"", &["standing", "\"cancelled\"", "\"completed\""]);
    changed("counterexample-not-found-is-final", "loads the journal", "reads the paper", &["step 1", "loads the journal"]);
    changed("counterexample-not-found-is-final", "\"end\": \"journal", "\"end\": \"paper", &["end", "another one"]);
}

#[test]
fn what_is_no_trace_is_refused_with_the_line() {
    changed("generals-handshake", "handfast/1", "handfast/2", &["\"handfast/2\"", "newer"]);
    changed("generals-handshake", "\"kind\": \"generals\"", "\"kind\": \"war\"", &["\"war\""]);
    changed("generals-handshake", "\"coin\": 1,", "\"coin\": ,", &["line 7"]);
    changed("generals-handshake", "\"coin\": 1,", "\"coins\": 1,", &["line 7", "coins"]);
    changed("generals-handshake", "\"name\": \"handshake\"", "\"name\": \"handshak\"", &["there is no protocol \"handshak\""]);
    changed("generals-handshake", "\"steps\": 4", "\"rounds\": 4", &["--rounds"]);
    changed("saga-completed", "b64af15217dd594d", "b64af15217dd59", &["entry 2", "digest"]);
    changed("saga-completed", "pivot", "compensatabel", &["compensatabel"]);
    changed("counterexample-not-found-is-final", "not-found-is-final", "nothing", &["--guards"]);
    refused(&run(["replay", "no/such.trace"]), &["no/such.trace"]);
    let readme = repository("README.md");
    refused(&run(["replay", readme.to_str().expect("a path of text")]), &["this is no trace"]);
}

/// A trace may come from a stranger.
#[test]
fn a_program_is_run_only_if_that_is_said() {
    let dir = tempfile::tempdir().expect("a directory");
    let witness = dir.path().join("was-run");
    let path = dir.path().join("stranger.trace");
    let program = format!("exec:touch {}", witness.display());
    let text = fs::read_to_string(trace("generals-program")).expect("it is committed");
    let text = text.replace("exec:sh examples/generals/reply.sh", &program);
    fs::write(&path, text).expect("the directory can be written to");
    let path = path.to_str().expect("a path of text");
    for command in [&["replay", path][..], &["replay", path, "--json"], &["generals", "draw", path]] {
        refused(&run(command), &["the trace names a program", &program, "--run-program"]);
        assert!(!witness.exists(), "{command:?} has run it");
    }
    let ended = run(["replay", path, "--run-program"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "touch is no general");
    assert!(witness.exists(), "{}", ended.stderr);
}

#[test]
fn a_program_that_behaves_otherwise_than_was_kept_is_noticed() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("changed.trace");
    let text = fs::read_to_string(trace("generals-program")).expect("it is committed");
    fs::write(&path, text.replacen("we come", "we stay", 1)).expect("the directory can be written to");
    let ended = run_here(&["replay", path.to_str().expect("a path of text"), "--run-program"]);
    refused(&ended, &["the protocol does something else than is kept", "we come", "we stay"]);
}

#[test]
fn a_strategy_file_is_replayed_from_the_trace_alone() {
    let path = trace("generals-strategy");
    let drawn = run(["generals", "draw", &path, "--json"]);
    let drawn: Value = serde_json::from_str(&drawn.stdout).expect("JSON");
    assert_eq!((&drawn["outcome"], &drawn["captures"]), (&"both".into(), &3.into()));
    changed("generals-strategy", "heard none of acknowledgement", "heard none of nobody", &["nobody"]);
    changed("generals-strategy", "messengers = 6", "messengers = 5", &["departure", "6", "5"]);
}
