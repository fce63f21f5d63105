//! `handfast check`: explores the deployed protocol and prints the verdict.

use crate::output::{Exit, Output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast check
  handfast check --json")]
pub(crate) struct Args {}

/// Explores, and prints what was explored, under which adversary, and the verdict.
pub(crate) fn run(_args: Args, _output: &Output) -> anyhow::Result<Exit> {
    anyhow::bail!("`handfast check` does not exist yet")
}
