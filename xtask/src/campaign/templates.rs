//! The campaign of random flow files: the suite's property with seeds that the suite never sees.

use std::fmt::Write as _;
use std::process::Stdio;

use anyhow::{Context as _, Result};

use crate::workspace;

/// The test of the suite.
const TEST: &str = "participant::template::orders::tests::random_templates_end_no_order_against_the_books";

/// How the test begins the line that is its row of the report.
const ROW: &str = "row: ";

/// So many orders from each of these seeds on, which lie far apart from each other and from those of the suite. Gives the report.
///
/// # Errors
/// The test cannot be run, or an order ended against the books.
pub(super) fn run(seeds: &[u64], orders: u32) -> Result<String> {
    let mut report = heading();
    for seed in seeds {
        let first = seed.checked_mul(1_000_000_000).context("a seed below 18,000,000,000 will do")?;
        let mut test = workspace::cargo();
        test.args(["test", "--package", "handfast", "--lib", "--", "--exact", TEST, "--nocapture"]);
        test.envs([("HANDFAST_SEED", first.to_string()), ("HANDFAST_ORDERS", orders.to_string())]);
        let output = test.stderr(Stdio::inherit()).output().context("cargo cannot be run")?;
        let told = String::from_utf8_lossy(&output.stdout);
        print!("{told}");
        anyhow::ensure!(output.status.success(), "seed {seed}: the test says no");
        let row = told.lines().find_map(|line| line.strip_prefix(ROW)).context("the test tells no row")?;
        // Writing to a text cannot go wrong.
        let _written = writeln!(report, "{row}");
    }
    Ok(report)
}

fn heading() -> String {
    "# The campaign of random templates\n\n\
     `cargo xtask campaign templates`: random flow files, made of everything that the grammar of templates has, two orders each, over roads and services that lose, \
     repeat, delay, garble and answer with what somebody else could have said. Wrong is an order that ended in what the services' own books contradict, without a risk of that \
     name in its flow; explained is one that such a risk explains. The suite runs the same test with 4,000 files at every change.\n\n\
     | first seed | files | templates | orders | met a fault | completed | cancelled | undone | for a person | open | explained | requests | wrong |\n\
     | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
        .to_owned()
}
