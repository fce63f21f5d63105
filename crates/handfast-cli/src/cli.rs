//! What can be typed: the one table from which parsing, help, completions and man pages come.

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands::{
    check, completions, conform, definitions, demo, dispatch, flows, generals, man, messenger, participants, payment, replay,
    run, sagas, serve, show, store, tokens, usual_way,
};
use crate::output::exit;

/// Makes two services act both or not at all, over a network that loses messages.
#[derive(Debug, Parser)]
#[command(name = "handfast", version, max_term_width = 110, propagate_version = true, after_help = exit::in_words())]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that every command takes.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Print data as JSON, in a stable shape.
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) json: bool,
    /// When to colour what is printed: auto, always or never. Auto means on a terminal, unless NO_COLOR is set.
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true,
        help_heading = "Output"
    )]
    pub(crate) color: Color,
    /// Say nothing on standard error but errors.
    #[arg(long, short, global = true, help_heading = "Output")]
    pub(crate) quiet: bool,
    /// End when standard input ends: whoever started this process holds the other end.
    #[arg(long, global = true, hide = true)]
    pub(crate) until_stdin_ends: bool,
}

/// When to use colours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What handfast can be asked to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Send orders through a network that captures messengers, kill processes meanwhile, and count the books
    Demo(demo::Args),
    /// Drive every order of a file to its end: both or neither
    Run(run::Args),
    /// Run the coordinator as a service
    Serve(serve::Args),
    /// Run the reference payment service
    Payment(payment::Args),
    /// Run the reference dispatch service
    Dispatch(dispatch::Args),
    /// Run a road on which messengers are captured, delayed and duplicated
    Messenger(messenger::Args),
    /// Explore the deployed protocol against an adversary and print the verdict
    Check(check::Args),
    /// Ask what two generals can know, how likely it goes wrong, and what they should do
    Generals(generals::Args),
    /// Step through a kept run, of the generals or of a saga
    Replay(replay::Args),
    /// Attack a participant and report which promises of the contract it keeps
    Conform(conform::Args),
    /// Draw one saga as a space-time diagram
    Show(show::Args),
    /// Look at the participants, and accept one that was put back to an older copy of its store
    Participants(participants::Args),
    /// Look at the other definitions that open orders of a running service follow, and decide about them
    Definitions(definitions::Args),
    /// List the flows of a running service, and have it read them anew
    Flows(flows::Args),
    /// Copy a store that is in use, or look through all of one
    Store(store::Args),
    /// Draw the tokens of those who may call a service, and list them
    Tokens(tokens::Args),
    /// Look at sagas, cancel them, and resolve those that cannot go on by themselves
    Sagas(sagas::Args),
    /// Run the coordinator that the demo compares with
    #[command(hide = true)]
    UsualWay(usual_way::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
    /// Print a manual page, or write all of them to a directory
    Man(man::Args),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    /// Two options of one name, and whatever else clap asserts of every command, are found here and not by whoever types one.
    #[test]
    fn every_command_can_be_built() {
        super::Cli::command().debug_assert();
    }
}
