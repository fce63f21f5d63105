//! Programs of every kind, good and bad, played by the lab.

mod games;
mod limits;
mod refused;

use std::fs;
use std::path::Path;

use handfast_lab::generals::{Outcome, Table};
use tempfile::TempDir;

use super::{PREFIX, Programs};

/// Begins a program in Python that is told what to do in a function `answer(body)`, and says it.
const PYTHON: &str = r#"
import json, os, sys, time
def say(**body):
    print(json.dumps({"src": question["dest"], "dest": question["src"], "body": body}), flush=True)
"#;

/// Ends it: every question is answered by one line.
const LOOP: &str = r#"
for line in sys.stdin:
    question = json.loads(line)
    body = question["body"]
    if body["type"] == "init":
        init(body)
    else:
        play(body)
"#;

/// An `init` for a program in the mode step that plays one round.
const ONE_ROUND: &str = r#"
def init(body):
    say(type="init_ok", mode="step", rounds=1, state=[body["general"], body["order"]])
"#;

/// The system's own Python starts at once; another one may stand before it on the PATH that has to look for itself first.
fn python() -> &'static str {
    let system = "/usr/bin/python3";
    if Path::new(system).exists() { system } else { "python3" }
}

/// A program in a folder of its own.
struct Script {
    folder: TempDir,
}

impl Script {
    /// A program in Python: its `init` and its `play`.
    fn python(source: &str) -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("general.py"), format!("{PYTHON}{source}{LOOP}")).unwrap();
        Self { folder }
    }

    /// A program in Python that plays one round: its `play`.
    fn one_round(source: &str) -> Self {
        Self::python(&format!("{ONE_ROUND}{source}"))
    }

    fn command(&self) -> String {
        format!("{} -S {}/general.py", python(), self.path().display())
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn play(&self) -> anyhow::Result<Table> {
        play(&self.command())
    }

    /// Why it is refused.
    #[track_caller]
    fn refusal(&self) -> String {
        refusal(&self.command())
    }
}

fn programs(command: &str) -> Programs<'_> {
    // The machine that runs the tests may be busy with other things.
    Programs { commands: [command, command], messengers: 1, replies: 1, steps: 3, rounds: None, time_limit_ms: 20_000 }
}

fn play(command: &str) -> anyhow::Result<Table> {
    programs(command).tabulate()
}

/// Why the command is refused.
#[track_caller]
fn refusal(command: &str) -> String {
    match play(command) {
        Ok(table) => panic!("{PREFIX}{command} was taken: {}", table.name),
        Err(error) => format!("{error:#}"),
    }
}

#[track_caller]
fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing in:\n{text}");
    }
}

/// How often each outcome comes if the order was given, over all patterns of capture.
fn patterns(table: &Table) -> [u64; 4] {
    let mut counts = [0; 4];
    // Counts up through all patterns: a run that asks for more bits than there are begins with them all zero.
    let mut pattern: Vec<bool> = Vec::new();
    loop {
        let mut used = 0;
        let run = table.play(0, |number| {
            used = number + 1;
            if pattern.len() < used {
                pattern.push(false);
            }
            pattern[number]
        });
        counts[Outcome::index(run.outcome())] += 1;
        pattern.truncate(used);
        while pattern.last() == Some(&true) {
            pattern.pop();
        }
        match pattern.last_mut() {
            Some(last) => *last = true,
            None => return counts,
        }
    }
}
