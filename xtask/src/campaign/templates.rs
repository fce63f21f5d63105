//! The campaign of random flow files: the suite's property with seeds that the suite never sees.

use anyhow::{Context as _, Result};

use crate::workspace;

/// The test of the suite.
const TEST: &str = "participant::template::orders::tests::random_templates_end_no_order_against_the_books";

/// So many orders from each of these seeds on, which lie far apart from each other and from those of the suite.
///
/// # Errors
/// The test cannot be run, or an order ended against the books.
pub(super) fn run(seeds: &[u64], orders: u32) -> Result<()> {
    for seed in seeds {
        let first = seed.checked_mul(1_000_000_000).context("a seed below 18,000,000,000 will do")?;
        let mut test = workspace::cargo();
        test.args(["test", "--package", "handfast", "--lib", "--", "--exact", TEST, "--nocapture"]);
        test.envs([("HANDFAST_SEED", first.to_string()), ("HANDFAST_ORDERS", orders.to_string())]);
        workspace::run(&mut test).with_context(|| format!("seed {seed}"))?;
    }
    Ok(())
}
