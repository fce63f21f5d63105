//! Lists every guard of the protocol: what people ship instead, the test that turns red without it, and the shortest run.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::workspace;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Lists this one alone.
    #[arg(value_name = "NAME")]
    only: Option<String>,
}

/// The test that hunts every mutant and compares its run with the one that is kept.
const TEST: &str = "cargo test -p handfast-lab --test it every_mutant_is_caught_and_its_shortest_run_is_kept";
/// Where those runs are kept.
const KEPT: &str = "crates/handfast-lab/tests/mutants";

/// Hunts the mutants and prints them. What is printed was found just now, not read from what is kept.
///
/// # Errors
/// If there is no such mutant, one of them got away, or no run of it is kept.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let binary = workspace::build_handfast()?;
    let guards = ask(&binary, &["--guards"])?;
    let names = guards.as_array().into_iter().flatten().filter_map(|guard| guard["name"].as_str());
    let wanted: Vec<&str> = names.filter(|name| arguments.only.as_deref().is_none_or(|only| only == *name)).collect();
    if wanted.is_empty() {
        bail!("there is no such mutant; `cargo xtask mutants` lists them all");
    }
    for name in &wanted {
        let caught = ask(&binary, &["--without", name])?;
        let kept = format!("{KEPT}/{name}.snap");
        if !workspace::root().join(&kept).exists() {
            bail!("the run of {name} is not kept in {kept}; `{TEST}` writes it");
        }
        println!("{}", describe(&caught, &kept));
    }
    println!("{} mutants, every one caught by\n    {TEST}", wanted.len());
    Ok(())
}

/// What `handfast check` says in JSON. Its exit code says that a counterexample was found, which is what is wanted here.
fn ask(binary: &Path, arguments: &[&str]) -> Result<Value> {
    let output =
        Command::new(binary).arg("check").args(arguments).arg("--json").output().context("cannot start handfast check")?;
    serde_json::from_slice(&output.stdout).with_context(|| {
        format!("handfast check {} said no JSON: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim())
    })
}

fn describe(caught: &Value, kept: &str) -> String {
    let text = |name: &str| caught[name].as_str().unwrap_or("?");
    let mut described = format!(
        "{}\n    guard    {}\n    without  {}\n    breaks   {}\n    against  {}\n    kept in  {kept}\n",
        text("name"),
        text("guard"),
        text("hazard"),
        text("breaks"),
        text("adversary"),
    );
    let actions = caught["run"].as_array().into_iter().flatten();
    for (number, action) in (1..).zip(actions) {
        // Writing to a string cannot fail.
        let _ = writeln!(described, "    {number:>3}. {}", action.as_str().unwrap_or("?"));
    }
    let _ = writeln!(described, "         {}", text("end"));
    described
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mutant_is_described_with_its_shortest_run() {
        let caught = serde_json::json!({
            "name": "loose-refusal", "guard": "A refusal is for ever.", "hazard": "it is tried again", "breaks": "at most once",
            "adversary": "set", "run": ["start", "act arrives"], "end": "charged",
        });
        let expected = "loose-refusal\n    guard    A refusal is for ever.\n    without  it is tried again\n    breaks   at most once\n    \
                        against  set\n    kept in  x.snap\n      1. start\n      2. act arrives\n         charged\n";
        assert_eq!(describe(&caught, "x.snap"), expected);
    }
}
