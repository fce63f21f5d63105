//! Campaigns, too long for every change: many orders over bad roads, counted from the services' own books, the cases of
//! the explorer that are too large for the tests, long fuzzing, coverage, and publishing as far as the registry's door.

pub(crate) mod api;
mod books;
mod coverage;
mod explore;
mod fuzz;
mod intents;
mod orders;
mod processes;
mod publish;
mod stripe;
mod templates;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use self::orders::Plan;
use crate::workspace;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Which one.
    #[arg(value_enum)]
    what: Campaign,
    /// How many orders each run has; without it 300 of intents and of stripe, and 20,000 of templates, for 10,000 flow files.
    #[arg(long, value_name = "N")]
    orders: Option<u32>,
    /// Where the random choices of the roads start; one run for each, undisturbed, and one in which everything is killed;
    /// of templates one run for each, without kills.
    #[arg(long, value_name = "S,S", value_delimiter = ',', default_values_t = [1, 2, 3])]
    seeds: Vec<u64>,
    /// The probability that a request, and that its reply, is lost on the road.
    #[arg(long, value_name = "P", default_value = "0.35")]
    loss: String,
    /// How many kills each disturbed run has.
    #[arg(long, value_name = "N", default_value_t = 12)]
    kills: u32,
    /// Of coverage: the tests of this crate alone.
    #[arg(long, value_name = "CRATE")]
    package: Option<String>,
    /// Of fuzz: how many inputs each reader is given.
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    cases: u32,
    /// Runs this binary, and builds none.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// The localstripe that is started, where it is not found by its name.
    #[arg(long, value_name = "FILE", default_value = "localstripe")]
    localstripe: PathBuf,
    /// Writes what was counted to this file as well.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Campaign {
    /// `examples/intents`: payment intents, id first, through real processes.
    Intents,
    /// `examples/stripe` against localstripe, which has to be there: `pip install localstripe`.
    Stripe,
    /// The cases that `handfast check --large` explores. It has no orders and no roads.
    Explore,
    /// Random flow files, two orders each: the property test of the suite with other seeds, and many more of them.
    Templates,
    /// Which lines the tests reach, in all and crate by crate. It needs LLVM's tools, and installs them where they are missing.
    Coverage,
    /// Everything that reads strangers' bytes, with many more of them than the suite has.
    Fuzz,
    /// The addresses of the service against its OpenAPI document, by schemathesis, for ten minutes a seed.
    Api,
    /// Packs every crate, and builds it from what was packed: `cargo publish --dry-run`.
    Publish,
}

/// Runs it, and fails where an order did not end, the books disagree, or a property is broken.
///
/// # Errors
/// A process could not be run, or a run went wrong.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let binary = || arguments.binary.clone().map_or_else(workspace::build_handfast, Ok);
    let (report, wrong) = match arguments.what {
        Campaign::Intents => by_seeds(arguments, &binary()?, intents::heading, |binary, plan| {
            let counted = intents::run(binary, plan)?;
            Ok((counted.is_right(), counted.row(plan)))
        })?,
        Campaign::Stripe => by_seeds(arguments, &binary()?, stripe::heading, |binary, plan| {
            let counted = stripe::run(binary, &arguments.localstripe, plan)?;
            Ok((counted.is_right(), counted.row(plan)))
        })?,
        Campaign::Explore => explore::run(&binary()?)?,
        Campaign::Coverage => coverage::run(arguments.package.as_deref())?,
        Campaign::Fuzz => fuzz::run(arguments.cases)?,
        Campaign::Api => {
            let binary = binary()?;
            for &seed in &arguments.seeds {
                api::run(&binary, api::Bounds { examples: 500, seconds: 600, seed })?;
            }
            (String::new(), 0)
        }
        Campaign::Publish => (publish::run()?, 0),
        Campaign::Templates => (templates::run(&arguments.seeds, arguments.orders.unwrap_or(20_000))?, 0),
    };
    if let Some(path) = &arguments.report {
        std::fs::write(path, &report).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if wrong > 0 {
        bail!("{wrong} runs went wrong");
    }
    Ok(())
}

/// One run for each seed, undisturbed, and one in which everything is killed. Says how many went wrong.
fn by_seeds(
    arguments: &Arguments,
    binary: &Path,
    heading: impl Fn(u32, &str) -> String,
    run: impl Fn(&Path, &Plan<'_>) -> Result<(bool, String)>,
) -> Result<(String, u32)> {
    let orders = arguments.orders.unwrap_or(300);
    let mut report = heading(orders, &arguments.loss);
    println!("{}", report.trim_end());
    let mut wrong = 0;
    for &seed in &arguments.seeds {
        for kills in [0, arguments.kills] {
            let (is_right, row) = run(binary, &Plan { orders, seed, loss: &arguments.loss, kills })?;
            wrong += u32::from(!is_right);
            println!("{row}");
            report.push_str(&row);
            report.push('\n');
        }
    }
    Ok((report, wrong))
}
