//! The campaign of coverage: which lines the tests reach, in all and crate by crate, in every process that they start.

mod lines;
mod llvm;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use self::lines::Lines;
use self::llvm::Llvm;
use crate::workspace;

/// What calls the compiler for the crates of the workspace.
const WRAPPER: &str = "xtask/src/campaign/coverage/instrument.sh";

/// What is run of each crate. Benchmarks are no tests: they would run for hours, and count what nothing checks.
const TARGETS: [&str; 3] = ["--lib", "--bins", "--tests"];

/// Where what ran leaves its counts.
const COUNTS: &str = "target/coverage";

/// Builds the tests of a crate, or of all of them, so that they count, runs them, and gives the report. A test that says no is told,
/// and does not end the campaign: what it reached counts.
///
/// # Errors
/// LLVM's tools are not to be had, something does not build, or nothing was counted.
pub(super) fn run(package: Option<&str>) -> Result<(String, u32)> {
    let llvm = Llvm::provide()?;
    let counts = workspace::root().join(COUNTS);
    if counts.is_dir() {
        fs::remove_dir_all(&counts).with_context(|| format!("{} cannot be emptied", counts.display()))?;
    }
    fs::create_dir_all(&counts)?;
    let programs = build(package)?;
    let passed = test(package, &counts)?;
    let raw = raw_counts(&counts)?;
    ensure!(!raw.is_empty(), "the tests left no counts in {}", counts.display());
    let profile = counts.join("all.profdata");
    llvm.merge(&raw, &profile)?;
    let lines = Lines::of(&llvm.export(&profile, &programs)?, &workspace::root());
    ensure!(!lines.is_empty(), "no line of the workspace was counted");
    let report = lines.report(package, passed);
    println!("{}", report.trim_end());
    Ok((report, u32::from(!passed)))
}

/// Cargo with the compiler that counts, and the packages that are meant.
fn cargo(package: Option<&str>) -> std::process::Command {
    let mut command = workspace::cargo();
    command.env("RUSTC_WORKSPACE_WRAPPER", workspace::root().join(WRAPPER)).args(["test", "--locked"]);
    match package {
        Some(package) => command.args(["--package", package]),
        None => command.arg("--workspace"),
    };
    command
}

/// Builds the tests and the programs that they start, and says where they are.
fn build(package: Option<&str>) -> Result<Vec<PathBuf>> {
    let mut command = cargo(package);
    command.args(TARGETS).args(["--no-run", "--message-format", "json"]).stderr(Stdio::inherit());
    let text = workspace::output(&mut command).context("the tests do not build")?;
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    Ok(messages.filter_map(|message| Some(PathBuf::from(message["executable"].as_str()?))).collect())
}

/// Runs them. Says whether every one passed.
fn test(package: Option<&str>, counts: &Path) -> Result<bool> {
    let mut command = cargo(package);
    // Each program has eight files at most, into which its processes add what they counted when they end. What was killed adds
    // nothing. The tests of the documentation are built by rustdoc, which does not count.
    command.env("LLVM_PROFILE_FILE", counts.join("%8m.profraw"));
    let status = command.args(TARGETS).arg("--no-fail-fast").status().context("cargo cannot be run")?;
    Ok(status.success())
}

fn raw_counts(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    let mut raw: Vec<PathBuf> = read.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    raw.retain(|path| path.extension().is_some_and(|extension| extension == "profraw"));
    raw.sort();
    Ok(raw)
}
