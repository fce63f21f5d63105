//! The command line of handfast: parses the arguments, runs one command, and turns its end into an exit code.

#[cfg(not(feature = "sqlite"))]
compile_error!(
    "handfast keeps its sagas in a store, and without the feature `sqlite` it has none: build it with `--features sqlite`"
);

mod bad_input;
mod cli;
mod commands;
mod files;
mod numbers;
mod output;
mod trace;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(told) => return output::tell(&told).into(),
    };
    let output = output::Output::new(&cli.global);
    if cli.global.until_stdin_ends {
        commands::signals::end_with_parent();
    }
    let end = commands::run(cli.command, &output);
    let exit = output.finish(end);
    output::log::finish();
    exit.into()
}
