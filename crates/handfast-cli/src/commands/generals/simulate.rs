//! `handfast generals simulate`.

use crate::output::{Exit, Output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast generals simulate")]
pub(crate) struct Args {}

/// Answers the question.
pub(crate) fn run(_args: Args, _output: &Output) -> anyhow::Result<Exit> {
    anyhow::bail!("not there yet")
}
