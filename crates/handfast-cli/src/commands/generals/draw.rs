//! `handfast generals draw`.

use crate::output::{Exit, Output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast generals draw")]
pub(crate) struct Args {}

/// Answers the question.
pub(crate) fn run(_args: Args, _output: &Output) -> anyhow::Result<Exit> {
    anyhow::bail!("not there yet")
}
