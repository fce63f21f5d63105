//! The command line of handfast: parses the arguments, runs one command, and turns its end into an exit code.

mod cli;
mod clock;
mod commands;
mod messenger;
mod output;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let output = output::Output::new(&cli.global);
    let end = commands::run(cli.command, &output);
    output.finish(end).into()
}
