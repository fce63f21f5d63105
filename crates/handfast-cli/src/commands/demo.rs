//! `handfast demo`: the main job, end to end, on this machine.

use crate::demo::{self, Settings};
use crate::messenger::probability;
use crate::numbers;
use crate::output::{Exit, Output};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "About a tenth each of the orders: a declined card, something sold out, cancelled in flight, and a charge that all roads
delay beyond its deadline. The roads are cut once. Everything happens twice, with the same orders and the same fate of
the n-th messenger of each: to handfast, and to a coordinator of the usual kind, which takes \"not found\" for \"not
charged\". Exit code 0 says that handfast's books are right and that every hazard occurred.

Examples:
  handfast demo
  handfast demo --orders 5000 --capture 0.5 --kills 20 --seed 7
  handfast demo --keep books --json"
)]
pub(crate) struct Args {
    /// How many orders to place.
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = numbers::whole(1..=100_000_u32, 1_000))]
    pub(crate) orders: u32,
    /// The probability that a messenger is captured; a request is one messenger, its reply another.
    #[arg(long, value_name = "P", default_value = "0.3", value_parser = survivable)]
    pub(crate) capture: f64,
    /// How many times a process is killed, spread over coordinator, payment and dispatch.
    #[arg(long, value_name = "K", default_value_t = 5, value_parser = numbers::whole(0..=1_000_u32, 5))]
    pub(crate) kills: u32,
    /// Where the random choices start; the same seed makes the same orders and the same road.
    #[arg(long, value_name = "S", default_value_t = 1, value_parser = numbers::whole(0..=u64::MAX, 42))]
    pub(crate) seed: u64,
    /// Keep the books in this directory and print the queries that recompute the table; with --json on standard error.
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<std::path::PathBuf>,
}

/// Runs the demo.
pub(crate) fn run(args: Args, output: &Output) -> anyhow::Result<Exit> {
    let Args { orders, capture, kills, seed, keep } = args;
    super::runtime()?.block_on(demo::run(&Settings { orders, capture, kills, seed, keep }, output))
}

/// A probability with which somebody gets through within a demo.
fn survivable(text: &str) -> anyhow::Result<f64> {
    let capture = probability(text)?;
    anyhow::ensure!(capture <= 0.9, "with {text} captured hardly anybody ever gets through; use 0.9 at most");
    Ok(capture)
}
