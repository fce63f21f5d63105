//! `handfast demo`: the main job, end to end, on this machine.

use crate::output::{Exit, Output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast demo
  handfast demo --orders 5000 --capture 0.5 --kills 20 --seed 7
  handfast demo --keep /tmp/books --json")]
pub(crate) struct Args {
    /// How many orders to place.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub(crate) orders: u32,
    /// The probability that a messenger is captured, on the way there or on the way back.
    #[arg(long, value_name = "P", default_value_t = 0.3)]
    pub(crate) capture: f64,
    /// How many times a process is killed, spread over coordinator, payment and dispatch.
    #[arg(long, value_name = "K", default_value_t = 5)]
    pub(crate) kills: u32,
    /// Where the random choices start; the same seed makes the same orders and the same road.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Keep the books in this directory and print the queries that recompute the table.
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<std::path::PathBuf>,
}

/// Runs the demo.
pub(crate) fn run(_args: Args, _output: &Output) -> anyhow::Result<Exit> {
    anyhow::bail!("`handfast demo` does not exist yet")
}
