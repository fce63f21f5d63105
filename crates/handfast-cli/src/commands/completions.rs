//! `handfast completions`: prints a completion script for a shell.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::output::{Exit, Output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  handfast completions bash > ~/.local/share/bash-completion/completions/handfast")]
pub(crate) struct Args {
    /// The shell.
    pub(crate) shell: Shell,
}

/// Prints the script.
pub(crate) fn run(args: Args, output: &Output) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "handfast", &mut script);
    output.bytes(&script)?;
    Ok(Exit::Done)
}
