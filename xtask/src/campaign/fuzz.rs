//! The campaign of fuzzing: every reader of strangers' bytes, with far more of them than at every change.

use std::fmt::Write as _;
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};

use crate::clock::timed;
use crate::workspace;

/// How the tests of the suites end that read what nobody meant: flow files, answers, receipts, lines of a journal, strategies.
const TESTS: &str = "_is_read_or_refused";

/// Where they are.
const PACKAGES: [&str; 2] = ["handfast", "handfast-lab"];

/// So many inputs for every reader. Gives the report, and how many readers did something else than to read or to refuse; what they
/// were given then stands above, and is kept beside the test for every later run.
///
/// # Errors
/// The tests cannot be built, or there are none.
pub(super) fn run(cases: u32) -> Result<(String, u32)> {
    let mut report = format!(
        "# Strangers' bytes\n\n`cargo xtask campaign fuzz --cases {cases}`: every reader is given so many sound texts that were bent at random. It has to \
         read or to refuse each of them.\n\n| crate | reader | inputs | verdict | seconds of its crate |\n| --- | --- | --- | --- | --- |\n"
    );
    let (mut readers, mut wrong) = (0, 0);
    for package in PACKAGES {
        let mut command = workspace::cargo();
        command.args(["test", "--locked", "--package", package, "--lib", TESTS]).env("PROPTEST_CASES", cases.to_string());
        let (output, took) = timed(|| command.stderr(Stdio::inherit()).output());
        let told = String::from_utf8_lossy(&output.context("cargo cannot be run")?.stdout).into_owned();
        print!("{told}");
        for (name, verdict) in told.lines().filter_map(verdict_of) {
            readers += 1;
            wrong += u32::from(verdict != "ok");
            // Writing to a text cannot go wrong.
            let _written = writeln!(report, "| {package} | {name} | {cases} | {verdict} | {:.0} |", took.as_secs_f64());
        }
    }
    ensure!(readers > 0, "no test is called ..{TESTS}, or the tests do not build");
    println!("{}", report.trim_end());
    Ok((report, wrong))
}

/// A test that ended, without where it stands, and how.
fn verdict_of(line: &str) -> Option<(&str, &str)> {
    let (path, verdict) = line.strip_prefix("test ")?.split_once(" ... ")?;
    Some((path.rsplit("::").next()?, verdict))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_tests_say_is_read() {
        assert_eq!(verdict_of("test a::b::any_text_is_read_or_refused ... ok"), Some(("any_text_is_read_or_refused", "ok")));
        assert_eq!(verdict_of("test any_text ... FAILED"), Some(("any_text", "FAILED")));
        assert_eq!(verdict_of("test result: ok. 3 passed"), None);
    }
}
