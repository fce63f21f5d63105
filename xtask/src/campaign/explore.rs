//! The campaign of the explorer: every case that is too large for the tests.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::clock::timed;

/// Explores them. Says what was found, and how many cases did not hold.
///
/// # Errors
/// `handfast check` could not be run, or said no JSON.
pub(super) fn run(binary: &Path) -> Result<(String, u32)> {
    let (output, took) = timed(|| Command::new(binary).args(["check", "--large", "--json", "--quiet"]).output());
    let told: Value = serde_json::from_slice(&output?.stdout).context("handfast check said no JSON")?;
    let mut report = format!(
        "# The large cases\n\n`cargo xtask campaign explore`: what `handfast check --large` explores, in {:.0} s here.\n\n\
         | case | adversary | states | depth | every one explored | verdict |\n| --- | --- | --- | --- | --- | --- |\n",
        took.as_secs_f64()
    );
    let mut wrong = 0;
    for case in told["cases"].as_array().context("it names no cases")? {
        let text = |name: &str| case[name].as_str().unwrap_or("?");
        wrong += u32::from(case["verdict"] != "holds");
        // Writing to a text cannot go wrong.
        let _written = writeln!(
            report,
            "| {} | {} | {} | {} | {} | {} |",
            text("plan"),
            text("adversary"),
            case["states"],
            case["depth"],
            if case["exhaustive"] == true { "yes" } else { "NO" },
            text("verdict"),
        );
    }
    println!("{}", report.trim_end());
    Ok((report, wrong))
}
