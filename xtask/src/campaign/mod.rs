//! Campaigns: many orders over bad roads through real processes, counted from the services' own books; too long for every change.

mod books;
mod intents;
mod processes;

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use crate::workspace;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Which one.
    #[arg(value_enum)]
    what: Campaign,
    /// How many orders each run has.
    #[arg(long, value_name = "N", default_value_t = 300)]
    orders: u32,
    /// Where the random choices of the roads start; one run for each, undisturbed, and one in which everything is killed.
    #[arg(long, value_name = "S,S", value_delimiter = ',', default_values_t = [1, 2, 3])]
    seeds: Vec<u64>,
    /// The probability that a request, and that its reply, is lost on the road.
    #[arg(long, value_name = "P", default_value = "0.35")]
    loss: String,
    /// How many kills each disturbed run has.
    #[arg(long, value_name = "N", default_value_t = 12)]
    kills: u32,
    /// Runs this binary, and builds none.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Writes what was counted to this file as well.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Campaign {
    /// `examples/intents`: payment intents, id first.
    Intents,
}

/// Runs it, and fails where an order did not end or the books disagree.
///
/// # Errors
/// A process could not be run, or a run went wrong.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let binary = arguments.binary.clone().map_or_else(workspace::build_handfast, Ok)?;
    let mut report = intents::heading(arguments.orders, &arguments.loss);
    println!("{}", report.trim_end());
    let mut wrong = 0;
    for &seed in &arguments.seeds {
        for kills in [0, arguments.kills] {
            let plan = intents::Plan { orders: arguments.orders, seed, loss: &arguments.loss, kills };
            let counted = match arguments.what {
                Campaign::Intents => intents::run(&binary, &plan)?,
            };
            wrong += u32::from(!counted.is_right());
            let row = counted.row(&plan);
            println!("{row}");
            report.push_str(&row);
            report.push('\n');
        }
    }
    if let Some(path) = &arguments.report {
        std::fs::write(path, &report).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if wrong > 0 {
        bail!("{wrong} runs went wrong");
    }
    Ok(())
}
