//! `handfast generals draw`: any run of a protocol, as a picture, as data, and as a trace.

use std::fs;

use serde_json::Value;

use crate::support::{handfast, run};

#[track_caller]
fn draw(arguments: &[&str]) -> String {
    super::told("draw", arguments, 0)
}

#[test]
fn any_run_is_drawn() {
    insta::assert_snapshot!("draw_reply", draw(&["reply", "--captured", "1"]));
    insta::assert_snapshot!("draw_random_attack", draw(&["random-attack", "--captured", "1,4", "--coin", "2", "--ascii"]));
    insta::assert_snapshot!("draw_no_order", draw(&["random-attack", "--no-order=2", "--rounds", "1"]));
    insta::assert_snapshot!("draw_thousand", draw(&["reply", "--messengers", "1000", "--captured", "0-500,502-999"]));
}

#[test]
fn a_run_is_kept_and_drawn_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("run.trace");
    let path = path.to_str().expect("a path of text");
    let ended = run(["generals", "draw", "handshake", "--steps", "4", "--captured", "3", "--keep", path]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), format!("the run is kept in {path}\n").as_str()));
    assert_eq!(draw(&[path]), ended.stdout);
    let committed = crate::support::repository("crates/handfast-cli/tests/traces/generals-handshake.trace");
    assert_eq!(fs::read_to_string(path).expect("it was kept"), fs::read_to_string(committed).expect("it is committed"));
    let ended = run(["generals", "draw", path, "--captured", "1"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""));
    assert!(ended.stderr.contains("a trace says itself"), "{}", ended.stderr);
}

#[test]
fn a_run_is_given_as_data() {
    let told: Value = serde_json::from_str(&draw(&["reply", "--captured", "1", "--json"])).expect("JSON");
    assert_eq!((&told["outcome"], &told["captures"], &told["sent"]), (&"alone_2".into(), &1.into(), &2.into()));
    assert_eq!(told["messengers"][1]["captured"], true);
    assert_eq!(told["knows"][1][1], "knows that 1 knows");
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    for (arguments, said) in [
        (&["reply", "--captured", "2"][..], "messengers 0 to 1 are sent"),
        (&["reply", "--captured", "x"], "\"x\" is no messenger"),
        (&["reply", "--captured", "5-2"], "ends before it begins"),
        (&["reply", "--coin", "2"], "no coin is tossed"),
        (&["random-attack", "--coin", "4"], "1 to 3"),
        (&["ready-ready", "--no-order"], "there is no order"),
        (&["reply", "--no-order=2"], "only general 1"),
        (&["no/such.trace"], "there is no file \"no/such.trace\", and no protocol of this name"),
        (&["always", "--captured", "5"], "only messenger 0 is sent"),
        (&["random-attack", "--coin", "x"], "write a whole number from 1"),
        (&["reply", "--svg", "-", "--json"], "--svg"),
    ] {
        let ended = run([&["generals", "draw"], arguments].concat());
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(said), "{arguments:?}: {}", ended.stderr);
    }
}

/// Whoever draws one run does not wait for all the others: what the generals know is left out, and that is said.
#[test]
fn one_run_of_very_many_is_drawn_at_once() {
    let ended = run(["generals", "draw", "random-attack", "--rounds", "30", "--captured", "0"]);
    assert_eq!((ended.code, ended.stdout.contains("round 30")), (Some(0), true), "{ended:?}");
    assert!(ended.stderr.contains("what the generals know is left out"), "{}", ended.stderr);
}

/// A full disk, as this limit of the system makes one, leaves the file as it was, and nothing beside it.
#[cfg(target_os = "linux")]
#[test]
fn a_picture_that_cannot_be_written_leaves_the_old_one() {
    let dir = tempfile::tempdir().expect("a directory");
    for (flag, name) in [("--svg", "run.svg"), ("--keep", "run.trace")] {
        let path = dir.path().join(name);
        fs::write(&path, "the old one").expect("it is written");
        let binary = handfast().get_program().to_owned();
        let mut command = std::process::Command::new("sh");
        command.args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$@\"", "sh"]).arg(binary);
        let ended = command.args(["generals", "draw", "handshake", "--steps", "12", flag]).arg(&path).output().expect("sh runs");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(2), "{said}");
        assert!(said.contains(&format!("give {flag} another path")), "{said}");
        assert_eq!(fs::read_to_string(&path).expect("it is there"), "the old one");
    }
    assert_eq!(fs::read_dir(dir.path()).expect("a directory").count(), 2);
}

/// On a terminal a run is stepped through by hand.
#[test]
fn a_run_is_stepped_through_on_a_terminal() {
    let script = handfast();
    let binary = script.get_program().to_str().expect("a path of text");
    let trace = crate::support::repository("crates/handfast-cli/tests/traces/generals-handshake.trace");
    let line = format!("printf '\\n\\nb\\nx\\nq\\n' | NO_COLOR=1 script -qec '{binary} replay {}' /dev/null", trace.display());
    let output = std::process::Command::new("sh").args(["-c", &line]).output().expect("there is a shell");
    let said = String::from_utf8_lossy(&output.stdout).replace('\r', "");
    if said.contains("not found") || !output.status.success() {
        // The system has no `script`.
        return;
    }
    for said_once in ["[0 of 4] >", "1. round 1", "[2 of 4] >", "q: quit"] {
        assert!(said.contains(said_once), "{said_once:?} is not in {said}");
    }
    assert!(!said.contains("3. round 3"), "{said}");
}
