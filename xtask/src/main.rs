//! The repository's own tasks: everything that has to hold (`ci`, `tidy`), what each guard is for (`mutants`), how fast it is (`bench`), and what long campaigns count (`campaign`).

mod bench;
mod campaign;
mod ci;
mod clock;
mod mutants;
mod strangers;
mod tidy;
mod tools;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Tasks of the handfast repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Checks everything that has to hold before a change is taken.
    Ci(ci::Arguments),
    /// Checks the walls between the crates, and what else clippy cannot see.
    Tidy(tidy::Arguments),
    /// Lists every guard of the protocol: what happens without it, the test that shows it, and the shortest run.
    Mutants(mutants::Arguments),
    /// Runs every benchmark, one after the other, and says on which machine.
    Bench(bench::Arguments),
    /// Drives hundreds of orders over bad roads while processes are killed, and counts them from the books.
    Campaign(campaign::Arguments),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().task {
        Task::Ci(arguments) => ci::run(&arguments),
        Task::Tidy(arguments) => tidy::run(&arguments),
        Task::Mutants(arguments) => mutants::run(&arguments),
        Task::Bench(arguments) => bench::run(&arguments),
        Task::Campaign(arguments) => campaign::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
