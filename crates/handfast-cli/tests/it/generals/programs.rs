//! Generals as programs, from outside: the examples that ship, what is refused, and what is left of them.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Ended, handfast, repository};

/// A busy machine may take its time for a program that answers at once otherwise.
const TIME: [&str; 2] = ["--time-limit-ms", "60000"];

fn odds(arguments: &[&str]) -> Ended {
    let mut command = handfast();
    command.current_dir(repository("")).args(["generals", "odds"]).args(arguments);
    command.output().expect("the binary runs").into()
}

#[track_caller]
fn odds_json(arguments: &[&str]) -> Value {
    let ended = odds(&[arguments, &["--json"]].concat());
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{arguments:?}");
    serde_json::from_str(&ended.stdout).expect("one line of JSON")
}

#[test]
fn the_example_in_python_has_exact_odds() {
    let program = "exec:python3 examples/generals/top_up.py";
    let data = odds_json(&[&[program, "--capture", "1/2"], &TIME[..]].concat());
    assert_eq!(data["outcome"]["both"], "255/256");
    assert_eq!(data["outcome"]["alone_1"], "1/256");
}

#[test]
fn the_example_in_shell_has_the_odds_of_the_strategy_that_ships() {
    let flags = ["--messengers", "3", "--replies", "2", "--capture", "1/10"];
    let program = odds_json(&[&["exec:sh examples/generals/reply.sh"], &flags[..], &TIME[..]].concat());
    let shipped = odds_json(&[&["reply"], &flags[..]].concat());
    for field in ["outcome", "polynomial", "patterns"] {
        assert_eq!(program[field], shipped[field], "{field}");
    }
}

#[test]
fn a_program_that_cannot_be_played_is_a_wrong_use() {
    let ended = odds(&["exec:sh -c 'read line; echo forward; echo alas >&2'"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""));
    for part in ["general 1 with the order (`sh -c", "answered nonsense", "said:  forward", "alas"] {
        assert!(ended.stderr.contains(part), "{part:?} is missing in:\n{}", ended.stderr);
    }
    let ended = odds(&["always", "--second", "exec:true"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("always has no --second, which is for programs"), "{}", ended.stderr);
}

/// Whether there is such a process, other than one that nobody has waited for.
fn lives(process: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.trim().is_empty() && !rest.trim().starts_with('Z'))
}

fn wait_for(what: &str, mut come: impl FnMut() -> bool) {
    for _ in 0..3000 {
        if come() {
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("{what} did not come");
}

#[cfg(target_os = "linux")]
#[test]
fn a_kill_of_handfast_leaves_no_program_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let file: &Path = &folder.path().join("processes");
    let program = format!("exec:sh -c 'sleep 3600 & echo $$ $! > {}; wait'", file.display());
    let mut command = handfast();
    command.args(["generals", "odds", &program, "--time-limit-ms", "3600000"]);
    let mut child = command.stdout(Stdio::null()).spawn().expect("the binary runs");
    let processes = || fs::read_to_string(file).unwrap_or_default();
    wait_for("the program", || processes().ends_with('\n'));
    let processes = processes();
    assert!(processes.split_whitespace().all(lives), "{processes}");
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    wait_for("the end of the program", || !processes.split_whitespace().any(lives));
}
