//! The command line of handfast: parses the arguments, runs one command, and turns its end into an exit code.

mod batch;
mod cli;
mod clock;
mod commands;
mod conform;
mod connections;
mod demo;
mod files;
mod generals;
mod http_client;
mod lock;
mod log;
mod messenger;
mod numbers;
mod open_files;
mod operator;
mod output;
mod picture;
mod serve;
mod signals;
mod state;
mod terminal;
mod trace;
mod usual_way;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(told) => return output::tell(&told).into(),
    };
    let output = output::Output::new(&cli.global);
    if cli.global.until_stdin_ends {
        demo::end_with_parent();
    }
    let end = commands::run(cli.command, &output);
    let exit = output.finish(end);
    log::finish();
    exit.into()
}
