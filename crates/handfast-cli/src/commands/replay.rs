//! `handfast replay`: steps through a kept run, of the generals or of a saga.

use crate::output::{Exit, Output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast replay run.trace")]
pub(crate) struct Args {}

/// Steps through the run.
pub(crate) fn run(_args: Args, _output: &Output) -> anyhow::Result<Exit> {
    anyhow::bail!("not there yet")
}
